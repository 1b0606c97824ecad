"""A delivery is recorded once, however often it comes: one after the other, at once, around a
crash; and all of it or nothing."""

import copy
import http.client
import random
import resource
import selectors
import socket
import threading
import time

import signing
from harness import DEADLINE_S, equal, expect, run, until
from hooks import SECRETS, Hooks, as_body, payload

CROWD = 1000
ROUNDS = 6                   # of killing
MANY = 40                    # records of a delivery
LEAST = 5                    # deliveries answered before a kill


def again(hooks, key, value, first, **more):
    """Sends what was sent before: the answer is the first one, byte for byte, and marked."""
    answer = expect(hooks.send(key, value, **more), 200)
    equal(answer.body, first.body, "the first answer again")
    equal(answer.headers["Idempotency-Replayed"], "true", "the mark of a repeat")
    return answer


def first_time(hooks, key, value, **more):
    before = hooks.count()
    answer = expect(hooks.send(key, value, **more), 200)
    equal("Idempotency-Replayed" in answer.headers, False, "no mark on the first answer")
    equal(hooks.count() - before, 1, "recorded scores")
    return answer


def test_repeats_by_what_each_kind_has(program):
    action = {"callbackId": "ap-1-2-3", "object": {"objectId": 904, "objectType": "CONTACT"},
              "inputFields": {"points": "9"}}
    with Hooks(program) as hooks:
        hooks.put("hubspot", "action", reply="hubspot_action")
        # Idempotency-Key, for any kind; in quotes it is the same.
        for kind in ("generic", "salesforce", "mautic"):
            value, headers = payload(kind, "a"), {"Idempotency-Key": "key of " + kind}
            first = first_time(hooks, kind, value, headers=headers)
            again(hooks, kind, value, first, headers=headers)
            again(hooks, kind, value, first,
                  headers={"Idempotency-Key": '"key of %s"' % kind})
            first_time(hooks, kind, value, headers={"Idempotency-Key": "another"})
            first_time(hooks, kind, value)                   # without any id each one counts
            equal(hooks.metric(kind, "repeated"), 2, "repeats of " + kind)
        # webhook-id, signed anew each time.
        value = payload("standard", "a")
        now = signing.now_ms() // 1000
        first = first_time(hooks, "standard", value, name="msg_1", at_s=now)
        again(hooks, "standard", value, first, name="msg_1", at_s=now)
        again(hooks, "standard", value, first, name="msg_1", at_s=now + 5)
        first_time(hooks, "standard", value, name="msg_2")
        # HubSpot: the action's callbackId, whatever it is signed with; else the signature.
        first = first_time(hooks, "action", action, at_ms=signing.now_ms() - 1000)
        again(hooks, "action", action, first, at_ms=signing.now_ms())
        first_time(hooks, "action", dict(action, callbackId="ap-1-2-4"))
        value, at = payload("hubspot", "a"), signing.now_ms()
        first = first_time(hooks, "hubspot", value, at_ms=at)
        again(hooks, "hubspot", value, first, at_ms=at)
        first_time(hooks, "hubspot", value, at_ms=at + 1)
        # A header that no signature covers gives a caught delivery no new name.
        first = first_time(hooks, "hubspot", value, at_ms=at + 2)
        for headers in ({"Idempotency-Key": "mine"}, {"webhook-id": "mine"}):
            again(hooks, "hubspot", value, first, at_ms=at + 2, headers=headers)
        value = payload("standard", "a")
        first = first_time(hooks, "standard", value, name="msg_3")
        again(hooks, "standard", value, first, name="msg_3", headers={"Idempotency-Key": "mine"})
        # What a source answered is none of another one's.
        other = hooks.put("hubspot", "other")
        first_time(hooks, other, action)


def test_repeats_of_pipedrive(program):
    with Hooks(program, kinds=["pipedrive"]) as hooks:
        for name in ("d-1", 17, 12345678901234567890):
            value = payload("pipedrive", "a", 6, delivery=name)
            first = first_time(hooks, "pipedrive", value)
            for attempt in (2, 3, 4):                        # counted in the payload
                value["meta"]["attempt"] = attempt
                again(hooks, "pipedrive", value, first)
            other = copy.deepcopy(value)
            other["data"]["points"] = 9
            expect(hooks.send("pipedrive", other), 422, "key_reused")
            equal(hooks.refused("pipedrive")[0]["code"], "key_reused", "the refusal")
        first_time(hooks, "pipedrive", payload("pipedrive", "a", delivery="12345678901234567891"))
        # In its first version meta.id is the record's, and each change counts.
        old = {"v": 1, "meta": {"action": "updated", "object": "person", "id": 11, "v": 1},
               "current": {"id": 11, "points": 3}, "previous": {}}
        first_time(hooks, "pipedrive", old)
        first_time(hooks, "pipedrive", old)


def test_a_key_stands_for_one_delivery(program):
    with Hooks(program, kinds=["generic", "standard"]) as hooks:
        key = {"Idempotency-Key": "k"}
        first = first_time(hooks, "generic", payload("generic", "a"), headers=key)
        expect(hooks.send("generic", payload("generic", "b"), headers=key), 422, "key_reused")
        expect(hooks.send("generic", payload("generic", "a"), headers=key,
                          path="/v1/webhooks/generic?x=1"), 422, "key_reused")
        again(hooks, "generic", payload("generic", "a"), first, headers=key)
        first_time(hooks, "standard", payload("standard", "a"), name="msg_1")
        expect(hooks.send("standard", payload("standard", "b"), name="msg_1"), 422, "key_reused")
        # An answer is given again to who proves who they are, and to nobody else.
        expect(hooks.send("generic", payload("generic", "a"), headers=key, secret="x" * 9), 401,
               "bad_signature")
        for bad in ("", " ", "é", "k" * 256, '""'):
            if bad == " ":
                continue             # no client can send it: white space around a value is nothing
            answer = hooks.send("generic", payload("generic", "a"),
                                headers={"Idempotency-Key": bad.encode()})
            expect(answer, 400, "bad_request")
            equal(hooks.refused("generic")[0]["code"], "bad_request", "the refusal")
        equal(hooks.metric("generic", "refused"), 7, "counted as refused")
        equal(hooks.metric("generic", "repeated"), 1, "counted as repeated")


def test_failures_are_tried_anew(program):
    with Hooks(program, kinds=["generic"]) as hooks:
        key = {"Idempotency-Key": "k"}
        hooks.put("generic", icps=["no-such"])
        for _ in range(2):
            answer = expect(hooks.send("generic", payload("generic", "a"), headers=key), 404)
            equal("Idempotency-Replayed" in answer.headers, False, "no mark")
        expect(hooks.send("generic", b"{", headers=key), 400, "invalid_json")
        hooks.put("generic")
        first = first_time(hooks, "generic", payload("generic", "a"), headers=key)
        again(hooks, "generic", payload("generic", "a"), first, headers=key)


def test_an_erased_lead_is_not_told_again(program):
    with Hooks(program, kinds=["generic"]) as hooks:
        key = {"Idempotency-Key": "k"}
        several = [payload("generic", "a"), payload("generic", "b"), payload("generic", "c")]
        expect(hooks.send("generic", several, headers=key), 200)
        expect(hooks.admin.ask("DELETE", "/v1/leads/b"), 204)
        expect(hooks.send("generic", several, headers=key), 410, "erased")
        equal(hooks.refused("generic"), [], "no refusal")


def test_answers_outlive_the_server(program):
    with Hooks(program, kinds=["generic", "hubspot"]) as hooks:
        key, several = {"Idempotency-Key": "k"}, [payload("generic", str(at)) for at in range(9)]
        first = expect(hooks.send("generic", several, headers=key), 200)
        at = signing.now_ms()
        signed = first_time(hooks, "hubspot", payload("hubspot", "a"), at_ms=at)
        hooks.server.kill()
        hooks.start()
        again(hooks, "generic", several, first, headers=key)
        again(hooks, "hubspot", payload("hubspot", "a"), signed, at_ms=at)
        equal(hooks.count(), 10, "scores")


# ----------------------------------------------------------- crowds


def request_bytes(path, body, headers):
    head = "POST %s HTTP/1.1\r\nHost: scores.example.com\r\nConnection: close\r\n" % path
    head += "".join("%s: %s\r\n" % item for item in dict(
        headers, **{"Content-Length": str(len(body)), "Content-Type": "application/json"}).items())
    return head.encode() + b"\r\n" + body


def send_at_once(port, requests):
    """Sends each on a connection of its own before any answer is read; the answers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    connections = [socket.create_connection(("127.0.0.1", port), DEADLINE_S) for _ in requests]
    answers = {}
    with selectors.DefaultSelector() as selector:
        for connection, sent in zip(connections, requests, strict=True):
            connection.sendall(sent)
        for connection in connections:
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
            answers[connection] = b""
        left, end = len(connections), time.monotonic() + 4 * DEADLINE_S
        while left:
            equal(time.monotonic() < end, True, "%d answers did not come" % left)
            for found, _ in selector.select(1):
                got = found.fileobj.recv(65536)
                answers[found.fileobj] += got
                if not got:
                    selector.unregister(found.fileobj)
                    left -= 1
    for connection in connections:
        connection.close()
    return [answers[one] for one in connections]


def split(answer):
    head, body = answer.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), head.lower(), body


def test_a_thousand_copies_at_once(program):
    with Hooks(program, kinds=["generic", "standard", "pipedrive"],
               options=["--threads", "4"]) as hooks:
        for at, kind in enumerate(("generic", "standard", "pipedrive")):
            body = as_body(payload(kind, "crowd-" + kind, delivery="d-1"))
            headers = hooks.sign(kind, body, **({"name": "m-1"} if kind == "standard" else {}))
            if kind == "generic":
                headers["Idempotency-Key"] = "one"
            sent = request_bytes(hooks.path(kind), body, headers)
            answers = [split(one) for one in send_at_once(hooks.server.port, [sent] * CROWD)]
            equal({status for status, _, _ in answers}, {200}, "statuses")
            equal(len({body for _, _, body in answers}), 1, "different answers")
            marked = sum(b"idempotency-replayed: true" in head for _, head, _ in answers)
            equal(marked, CROWD - 1, "answers that were repeats")
            equal(hooks.count(), at + 1, "records")
            equal((hooks.metric(kind, "scored"), hooks.metric(kind, "repeated")),
                  (1, CROWD - 1), "counted")


def test_who_waits_pays_the_rate_once(program):
    """A copy that waits for the first one comes again, and its key has been counted: two seconds of
    its rate are there at the start, just enough for all."""
    with Hooks(program, kinds=["generic"],
               options=["--threads", "4", "--rate-limit", "30"]) as hooks:
        many = as_body([payload("generic", str(at)) for at in range(200)])
        sent = request_bytes(hooks.path("generic"), many, {
            "Authorization": "Bearer " + hooks.score_key, "Idempotency-Key": "one"})
        answers = [split(one) for one in send_at_once(hooks.server.port, [sent] * 60)]
        equal({status for status, _, _ in answers}, {200}, "statuses")


def test_a_crowd_of_different_bodies_under_one_key(program):
    with Hooks(program, kinds=["generic"], options=["--threads", "4"]) as hooks:
        headers = {"X-Leadfit-Secret": SECRETS["generic"], "Idempotency-Key": "one"}
        sent = [request_bytes(hooks.path("generic"), as_body(payload("generic", str(at))), headers)
                for at in range(200)]
        answers = [split(one) for one in send_at_once(hooks.server.port, sent)]
        statuses = sorted(status for status, _, _ in answers)
        equal(statuses, [200] + [422] * 199, "one is taken")
        equal(hooks.count(), 1, "records")


def test_clients_that_hang_up(program):
    """Their deliveries are recorded once or not at all, and nobody waits for them for ever."""
    with Hooks(program, kinds=["generic"], options=["--threads", "2"]) as hooks:
        for at in range(50):
            body = as_body([payload("generic", "h-%d-%d" % (at, n)) for n in range(20)])
            sent = request_bytes(hooks.path("generic"), body, {
                "X-Leadfit-Secret": SECRETS["generic"], "Idempotency-Key": "h-%d" % at})
            for _ in range(4):
                with socket.create_connection(("127.0.0.1", hooks.server.port)) as connection:
                    connection.sendall(sent)
                    if at % 2:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                              b"\x01\0\0\0\0\0\0\0")
            answer = hooks.send("generic", body, {"Idempotency-Key": "h-%d" % at})
            equal(expect(answer, 200).json["count"], 20, "the delivery, sent once more")
        equal(hooks.count(), 50 * 20, "scores")


def test_a_source_that_comes_and_goes_under_load(program):
    with Hooks(program, kinds=["generic"], options=["--threads", "4"]) as hooks:
        troubles, statuses, stop, lock = [], {}, threading.Event(), threading.Lock()

        def send(name):
            client, at = hooks.server.client(), 0
            while not stop.is_set() and not troubles:
                at += 1
                body = as_body([payload("generic", "%d-%d-%d" % (name, at, n)) for n in range(9)])
                try:
                    answer = client.ask("POST", hooks.path("generic"), body, headers={
                        "X-Leadfit-Secret": SECRETS["generic"], "Idempotency-Key":
                        "%d-%d" % (name, at), "Content-Type": "application/json"})
                    with lock:
                        statuses[answer.status] = statuses.get(answer.status, 0) + 1
                except Exception as trouble:     # whatever it is, the test fails with it
                    troubles.append(trouble)
            client.close()

        threads = [threading.Thread(target=send, args=(at,), daemon=True) for at in range(6)]
        for one in threads:
            one.start()
        for _ in range(40):
            expect(hooks.admin.ask("DELETE", "/v1/sources/generic"), 204)
            until(lambda seen=statuses.get(404, 0): statuses.get(404, 0) > seen or troubles, "404s")
            hooks.put("generic")
            hooks.put("generic", reply="full")
            until(lambda seen=statuses.get(200, 0): statuses.get(200, 0) > seen or troubles, "200s")
        stop.set()
        for one in threads:
            one.join(DEADLINE_S)
        if troubles:
            raise troubles[0]
        equal(set(statuses), {200, 404}, "statuses")
        equal(hooks.count(), statuses[200] * 9, "scores")


# ------------------------------------------------------------ kill


class Senders:
    """Send deliveries of many records until the server is gone. `answered` holds what was
    answered, `sent` all that may have been taken."""

    def __init__(self, hooks, round_):
        self.hooks, self.round = hooks, round_
        self.sent, self.answered, self.troubles = {}, {}, []
        self.threads = [threading.Thread(target=self.run, args=(at,), daemon=True)
                        for at in range(1 + round_ * 2)]
        for one in self.threads:
            one.start()

    def run(self, name):
        client, at = self.hooks.server.client(), 0
        try:
            while True:
                at += 1
                delivery = "%d-%d-%d" % (self.round, name, at)
                body = as_body([payload("generic", "%s-%d" % (delivery, n), n % 11)
                                for n in range(MANY)])
                self.sent[delivery] = body
                answer = self.hooks.send("generic", body, {"Idempotency-Key": delivery}, client)
                equal(answer.status, 200, "status")
                self.answered[delivery] = answer.body
        except (OSError, http.client.HTTPException):
            pass                                             # killed
        except AssertionError as trouble:
            self.troubles.append(trouble)
        client.close()


def records_of(hooks):
    """delivery -> records of its leads that are there."""
    found, after = {}, ""
    while True:
        page = hooks.admin.get("/v1/leads?limit=1000" + after).json
        for one in page["leads"]:
            delivery = one["lead_id"].rsplit("-", 1)[0]
            found[delivery] = found.get(delivery, 0) + 1
        if not page["next"]:
            return found
        after = "&after=" + page["next"]


def test_kill_9_never_leaves_a_part(program):
    chance, sent, answered = random.Random(5), {}, {}
    with Hooks(program, kinds=["generic"], options=["--threads", "2"]) as hooks:
        for round_ in range(ROUNDS):
            senders = Senders(hooks, round_)
            until(lambda one=senders: len(one.answered) >= LEAST or one.troubles, "answers")
            time.sleep(chance.random() * 0.2)                # where it dies is to be anywhere
            equal(hooks.server.kill(), -9, "exit code")
            for one in senders.threads:
                one.join(DEADLINE_S)
            if senders.troubles:
                raise senders.troubles[0]
            sent.update(senders.sent)
            answered.update(senders.answered)
            hooks.start()
            found = records_of(hooks)
            equal({count for count in found.values()}, {MANY}, "records of deliveries")
            equal(set(answered) - set(found), set(), "what was answered is there")
            # Whoever got no answer sends once more: recorded once in all.
            for delivery, body in senders.sent.items():
                answer = hooks.send("generic", body, {"Idempotency-Key": delivery})
                replayed = "Idempotency-Replayed" in expect(answer, 200).headers
                equal(replayed, delivery in found, "a repeat of what is there: " + delivery)
                if delivery in answered:
                    equal(answer.body, answered[delivery], "the answer of before")
        equal(hooks.count(), len(sent) * MANY, "scores")
        hooks.server.stop()
        hooks.place.command("check", "--db", hooks.place.db)     # ends with 0 when all agrees
        hooks.start()


run(globals())
