"""Idempotency-Key: whoever repeats a request gets its first answer again, byte for byte, and nothing
is recorded twice."""

import json
import os
import select
import signal
import socket
import sqlite3
import threading
import uuid

from harness import DEADLINE_S, equal, expect, run, until
from editing import Desk, definition, together
from test_api_leads import path

LINES = {"Content-Type": "application/x-ndjson"}
FILES = ("", "-wal", "-shm", "-journal")
CROWD, COPIES = 64, 1000


def start(program, *options, **more):
    desk = Desk(program, *options, **more)
    desk.publish(definition("one"))
    return desk


def post(desk, key, body, status=200, code=None, where="/v1/score", as_key=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        headers["Idempotency-Key"] = key
    return expect(desk.client.post(where, body, headers=headers, key=as_key), status, code)


def is_repeat(answer):
    return answer.headers.get("Idempotency-Replayed") == "true"


def repeated(desk, key, first, body, **more):
    """Asks again, and holds the answer against the first one."""
    answer = post(desk, key, body, **more)
    equal((answer.status, answer.body, answer.headers["Content-Type"], is_repeat(answer)),
          (first.status, first.body, "application/json", True), "the answer to a repeat")
    return answer


def count_scores(desk):
    with sqlite3.connect("file:%s?mode=ro" % desk.place.db, uri=True) as database:
        (count,) = database.execute("SELECT coalesce(sum(count), 0) FROM score_block").fetchone()
    database.close()
    return count


def change(desk, sql):
    """While the server is stopped."""
    with sqlite3.connect(desk.place.db) as database:
        database.execute(sql)
    database.close()


def some_key():
    return str(uuid.uuid4())


class Held:
    """No commit comes through meanwhile: somebody else writes to the database, for less time than
    the server waits for that."""

    def __init__(self, desk):
        self.database = sqlite3.connect(desk.place.db, isolation_level=None, check_same_thread=False)

    def __enter__(self):
        self.database.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *trouble):
        self.database.execute("ROLLBACK")
        self.database.close()


class Asked:
    """A request that has been sent, and whose answer is read when it has come."""

    def __init__(self, desk, key, body, where="/v1/score", proof=None):
        body = json.dumps(body).encode("utf-8")
        self.connection = socket.create_connection(("127.0.0.1", desk.server.port), DEADLINE_S)
        self.connection.sendall(("POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nIdempotency-Key: %s\r\nConnection: close\r\n"
                                 "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                                 % (where, proof or "X-Api-Key: " + desk.key, key, len(body))).encode("ascii") + body)

    def answered(self):
        return select.select([self.connection], [], [], 0)[0] != []

    def read(self):
        """(status, headers in lower case, body); status 0 where the server has closed without a word"""
        text = b""
        while True:
            got = self.connection.recv(65536)
            if not got:
                break
            text += got
        self.connection.close()
        head, _, body = text.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]) if text else 0, head.lower(), body


def all_but_one(asked):
    """Of some copies of one request all but one are answered, by 409; gives that one."""
    until(lambda: sum(one.answered() for one in asked) == len(asked) - 1, "all but one to be answered")
    first = [one for one in asked if not one.answered()]
    equal(len(first), 1, "the first one")
    for one in asked:
        if one is not first[0]:
            status, head, body = one.read()
            equal((status, b"\r\nretry-after: 1\r\n" in head, json.loads(body)["code"]), (409, True, "in_flight"),
                  "another one")
    return first[0]


# ------------------------------------------------------------ repeats


def test_a_repeat(program):
    with start(program) as desk:
        known = []
        for explain in ("full", "summary", "none"):
            for lead in ({"id": "a/" + explain, "points": 7}, {"points": 3},
                         {"id": "ü", "points": "8", "x": [1, "🏭"]}):
                key, body = some_key(), {"lead": lead, "explain": explain}
                first = post(desk, key, body)
                equal((is_repeat(first), first.json["recorded"]), (False, True), "the first answer")
                for _ in range(3):
                    repeated(desk, key, first, body)
                known.append((key, first, body))
        equal(count_scores(desk), len(known), "scores")
        equal(len({first.json["id"] for _, first, _ in known}), len(known), "ids")
        equal(len(desk.get(path("ü", "/scores"))["scores"]), 3, "scores of one lead")
        for kill in (False, True):
            desk.restart(kill)
            for key, first, body in known:
                repeated(desk, key, first, body)
                score = desk.get("/v1/scores/" + first.json["id"])
                equal((score["id"], score["score"]), (first.json["id"], first.json["score"]), "its score")
        equal(count_scores(desk), len(known), "scores")


def test_an_answer_is_given_again_whatever_has_changed(program):
    with start(program) as desk:
        key, body = some_key(), {"lead": {"id": "a", "points": 7}, "icps": ["one"]}
        first = post(desk, key, body)
        equal((first.json["version"], first.json["score"]), (1, 70), "the first answer")
        desk.publish(definition("one", field="other"))
        repeated(desk, key, first, body)
        desk.ask("DELETE", "/v1/icps/one", status=204)
        repeated(desk, key, first, body)
        post(desk, some_key(), body, 409, "icp_archived")


def test_a_key_is_the_same_however_it_is_written(program):
    with start(program) as desk:
        body = {"lead": {"id": "a"}}
        for key in ("plain", "with spaces, and {marks}", "~!*'();:@&=+$,/?#[]\\", "x" * 255, '"', "a\"b", '""a""'):
            first = post(desk, key, body)
            quoted = key if key.startswith('"') and len(key) > 1 else '"%s"' % key
            repeated(desk, quoted, first, body)
            repeated(desk, None, first, body, IDEMPOTENCY_key=key)
        count = count_scores(desk)
        first = post(desk, "both", body)
        answer = expect(desk.client.post("/v1/score", body, headers={"Idempotency-Key": "both", "X-Api-Key": desk.key}),
                        200)
        equal((answer.body, is_repeat(answer)), (first.body, True), "the API key in another header")
        answer = expect(desk.client.post("/v1/score", body, headers={
            "Idempotency-Key": "both", "X-Api-Key": desk.key, "Authorization": "bearer   " + desk.key}), 200)
        equal((answer.body, is_repeat(answer)), (first.body, True), "the API key in both headers")
        equal(count_scores(desk), count + 1, "scores")


def test_what_is_no_key(program):
    with start(program) as desk:
        body = {"lead": {"id": "a", "points": 1}}
        for key, words in (("", "1 to 255"), ('""', "1 to 255"), ("x" * 256, "not 256"),
                           ('"%s"' % ("x" * 256), "not 256"), ("a\tb", "character 2"), ("Schlüssel", "character 5"),
                           ("\x7f" * 3, None), ("a\x01b", None)):
            answer = post(desk, key, body, 400, "bad_request")
            equal(words is None or words in answer.json["detail"], True, answer.json["detail"])
            answer = post(desk, key, {"lead_id": "a", "outcome": "won"}, 400, "bad_request", "/v1/outcomes")
        equal(count_scores(desk), 0, "scores")
        answer = desk.server.raw(b"POST /v1/score HTTP/1.1\r\nHost: x\r\nX-Api-Key: %b\r\nIdempotency-Key: a\r\n"
                                 b"Idempotency-Key: b\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{\"lead\": {}}"
                                 % desk.key.encode("ascii"))
        equal(answer.startswith(b"HTTP/1.1 400 "), True, "two keys: %r" % answer[:80])
        # what records nothing does not look at it
        for key in ("", "x" * 300, "good"):
            for points in (1, 2):
                answer = post(desk, key, {"lead": {"points": points}, "record": False})
                equal((answer.json["score"], answer.json["recorded"], is_repeat(answer)),
                      (points * 10, False, False), "unrecorded")
        first = post(desk, "good", body)
        answer = post(desk, "good", dict(body, record=False))
        equal((answer.json["id"], is_repeat(answer)), ("", False), "unrecorded")
        repeated(desk, "good", first, body)
        equal(count_scores(desk), 1, "scores")


def test_what_is_another_request(program):
    with start(program) as desk:
        other = desk.ask("POST", "/v1/keys", {"name": "other", "scopes": ["score", "leads:read"]}, 201).json["key"]
        raw = b'{"lead": {"id": "a", "points": 7}}'
        first = post(desk, "k", raw)
        for body in (b'{"lead": {"id": "a", "points": 8}}', b'{"lead":{"id": "a", "points": 7}}', raw + b" ",
                     b'{"lead": {"id": "a", "points": 7}, "record": true}'):
            answer = post(desk, "k", body, 422, "key_reused")
            equal((answer.json["errors"], is_repeat(answer)), ([], False), "reused")
        post(desk, "k", raw, 422, "key_reused", "/v1/score?")
        post(desk, "k", {"lead_id": "a", "outcome": "won"}, 422, "key_reused", "/v1/outcomes")
        repeated(desk, "k", first, raw)
        # another API key's keys are its own
        answer = post(desk, "k", b'{"lead": {"id": "b"}}', as_key=other)
        equal((is_repeat(answer), answer.json["lead_id"]), (False, "b"), "the other's")
        repeated(desk, "k", answer, b'{"lead": {"id": "b"}}', as_key=other)
        post(desk, "k", raw, 422, "key_reused", as_key=other)
        repeated(desk, "k", first, raw)
        equal(count_scores(desk), 2, "scores")


def test_what_failed_is_tried_anew(program):
    with Desk(program) as desk:
        body = {"lead": {"id": "a", "points": 7}}
        for _ in range(2):
            post(desk, "k", body, 409, "no_active_icp")
        post(desk, "k", {"lead": 7}, 422, "invalid_request")
        post(desk, "k", b"{", 400, "invalid_json")
        post(desk, "k", dict(body, icps=["two"]), 404, "icp_not_found")
        desk.publish(definition("one"))
        first = post(desk, "k", body)
        repeated(desk, "k", first, body)
        equal(count_scores(desk), 1, "scores")


def test_answers_expire(program):
    with start(program, "--idempotency", "15min") as desk:
        body, changed = {"lead": {"id": "a", "points": 7}}, {"lead": {"id": "a", "points": 8}}
        first = post(desk, "k", body)
        repeated(desk, "k", first, body)
        desk.client.close()
        equal(desk.server.stop(), 0, "exit code")
        change(desk, "UPDATE answer SET at_ms = at_ms - 900001")
        desk.start()
        second = post(desk, "k", changed)
        equal((is_repeat(second), second.json["score"]), (False, 80), "a new request")
        repeated(desk, "k", second, changed)
        post(desk, "k", body, 422, "key_reused")
        equal(count_scores(desk), 2, "scores")


# ---------------------------------------------------------- in flight


def test_in_flight(program):
    with start(program) as desk:
        body, changed = {"lead": {"id": "a", "points": 7}}, {"lead": {"id": "a", "points": 8}}
        with Held(desk):
            first = all_but_one([Asked(desk, "k", body) for _ in range(4)])
            post(desk, "k", changed, 422, "key_reused")
            post(desk, "k", body, 409, "in_flight")
            equal(first.answered(), False, "the first one answered")
        status, head, said = first.read()
        equal((status, b"idempotency-replayed" in head), (200, False), "the first answer")
        answer = post(desk, "k", body)
        equal((answer.body, is_repeat(answer), count_scores(desk)), (said, True, 1), "the answer to a repeat")


def test_who_hangs_up_has_its_answer_later(program):
    with start(program) as desk:
        body = {"lead": {"id": "a", "points": 7}}
        with Held(desk):
            all_but_one([Asked(desk, "k", body) for _ in range(4)]).connection.close()
        answer = until(lambda: (lambda one: one.status == 200 and one)(
            desk.client.post("/v1/score", body, headers={"Idempotency-Key": "k"})), "the claim to be given up")
        equal((is_repeat(answer), answer.json["score"], count_scores(desk)), (True, 70, 1), "the answer to a repeat")
        equal(desk.client.get("/v1/scores/" + answer.json["id"]).status, 200, "its score")


def test_a_stop_while_it_is_in_flight(program):
    with start(program) as desk:
        body = {"lead": {"id": "a", "points": 7}}
        with Held(desk):
            first = all_but_one([Asked(desk, "k", body) for _ in range(3)])
            gone = all_but_one([Asked(desk, "gone", body) for _ in range(3)])
            desk.server.process.send_signal(signal.SIGTERM)
            until(lambda: '"stopping"' in desk.server.log_text(), "the log to say so")
            gone.connection.close()
        status, _, said = first.read()
        equal((desk.server.wait(), status), (0, 200), "exit code, and the answer")
        desk.client.close()
        desk.start()
        answer = post(desk, "k", body)
        equal((answer.body, is_repeat(answer)), (said, True), "the answer to a repeat")
        equal((is_repeat(post(desk, "gone", body)), count_scores(desk)), (True, 2), "who hung up")


class Copies:
    """Sends one request from many connections at once until each has its answer."""

    def __init__(self, desk, key, body, copies):
        self.desk, self.key, self.body, self.left = desk, key, body, copies
        self.answers, self.refused, self.troubles, self.lock = [], [], [], threading.Lock()
        self.begin = threading.Barrier(CROWD)

    def take(self):
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def work(self):
        client = self.desk.server.client(self.desk.key)
        try:
            client.get("/healthz")
            self.begin.wait(DEADLINE_S)
            while self.take():
                while not self.ask(client):
                    pass
        except BaseException as trouble:  # told by the test
            self.troubles.append(trouble)
            self.begin.abort()
        client.close()

    def ask(self, client):
        answer = client.post("/v1/score", self.body, headers={"Idempotency-Key": self.key})
        if answer.status == 200:
            self.answers.append((answer.body, is_repeat(answer)))
        else:
            self.refused.append((answer.status, answer.json["code"], answer.headers["Retry-After"]))
        return answer.status == 200

    def run(self):
        threads = [threading.Thread(target=self.work) for _ in range(CROWD)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(4 * DEADLINE_S)
            equal(one.is_alive(), False, "a copy that hangs")
        if self.troubles:
            raise self.troubles[0]


def test_a_thousand_copies(program):
    with start(program, "--threads", "4") as desk:
        for round_ in range(3):
            copies = Copies(desk, "key %d" % round_, {"lead": {"id": "lead %d" % round_, "points": 7}}, COPIES)
            copies.run()
            equal((len(copies.answers), len({body for body, _ in copies.answers})), (COPIES, 1), "answers")
            equal(sum(not again for _, again in copies.answers), 1, "first answers")
            equal(set(copies.refused) - {(409, "in_flight", "1")}, set(), "refusals")
            equal(count_scores(desk), round_ + 1, "scores")


def test_a_refused_request_is_free_again(program):
    """A queue of one: who is told 503 asks again with its key, and each is recorded once."""
    with start(program, "--queue", "1", "--batch-max", "1", "--threads", "2") as desk:
        known, busy, lock = {}, [], threading.Lock()

        def ask(who):
            client = desk.server.client(desk.key)
            for at in range(12):
                key, body = "%d-%d" % (who, at), {"lead": {"id": "%d-%d" % (who, at), "points": at % 11}}
                while True:
                    answer = client.post("/v1/score", body, headers={"Idempotency-Key": key})
                    if answer.status == 200:
                        break
                    expect(answer, 503, "busy")
                    busy.append(answer)
                with lock:
                    known[key] = (answer, body)
            client.close()

        threads = [threading.Thread(target=ask, args=(at,)) for at in range(32)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(4 * DEADLINE_S)
        equal((len(known), len(busy) > 0), (32 * 12, True), "answers, and refusals")
        equal(count_scores(desk), len(known), "scores")
        for key, (answer, body) in known.items():
            equal(is_repeat(answer), False, "a first answer")
            repeated(desk, key, answer, body)


# ------------------------------------------------------------ waiting


SECRET = "a secret of the source"


def start_source(program, *options):
    """With a source, whose deliveries wait for the first one of theirs."""
    desk = start(program, *options)
    desk.ask("PUT", "/v1/sources/crm", {"kind": "generic", "secrets": [SECRET], "reply": "full"}, 201)
    return desk


def deliver(desk, key, body):
    return Asked(desk, key, body, "/v1/webhooks/crm", "X-Leadfit-Secret: " + SECRET)


def await_in_flight(desk, count):
    told = b"\nleadfit_idempotent_in_flight %d\n" % count
    until(lambda: told in desk.client.get("/metrics").body, "%d in flight" % count)


def test_deliveries_wait_for_the_first(program):
    """Also where some of those who wait hang up."""
    with start_source(program, "--threads", "2") as desk:
        body = {"id": "a", "points": 7}
        with Held(desk):
            asked, other = [deliver(desk, "k", body) for _ in range(12)], deliver(desk, "other", body)
            await_in_flight(desk, 2)
            expect(desk.client.post("/v1/webhooks/crm", {"id": "a", "points": 8}, headers={
                "Idempotency-Key": "k", "X-Leadfit-Secret": SECRET}), 422, "key_reused")
            for one in asked[::3]:
                one.connection.close()
            waiting = [one for one in asked if one not in asked[::3]]
            equal(any(one.answered() for one in [*waiting, other]), False, "an answer")
        answers = [one.read() for one in waiting]
        equal(({status for status, _, _ in answers}, len({said for _, _, said in answers})), ({200}, 1), "answers")
        repeats = sum(b"idempotency-replayed: true" in head for _, head, _ in answers)
        equal(len(answers) - repeats in (0, 1), True, "%d repeats of %d" % (repeats, len(answers)))
        equal((other.read()[0], count_scores(desk)), (200, 2), "another delivery, scores")
        equal(deliver(desk, "k", body).read()[2], answers[0][2], "once more")
        await_in_flight(desk, 0)


def test_a_stop_while_deliveries_wait(program):
    with start_source(program, "--threads", "2") as desk:
        body = {"id": "a", "points": 7}
        with Held(desk):
            asked = [deliver(desk, "k", body) for _ in range(12)]
            await_in_flight(desk, 1)
            equal(any(one.answered() for one in asked), False, "an answer")
            desk.server.process.send_signal(signal.SIGTERM)
            until(lambda: '"stopping"' in desk.server.log_text(), "the log to say so")
            asked.pop().connection.close()
        answers = [one.read() for one in asked]
        said = {body for status, _, body in answers if status == 200}
        equal(({status for status, _, _ in answers} - {0}, len(said)), ({200}, 1), "who was taken in is answered")
        equal(desk.server.wait(), 0, "exit code")
        desk.client.close()
        desk.start()
        equal(({deliver(desk, "k", body).read()[2]}, count_scores(desk)), (said, 1), "once more")


def test_deliveries_whose_first_one_failed(program):
    """A queue of one: those who are refused free those who wait for them, one of which is the next to try."""
    with start_source(program, "--queue", "1", "--batch-max", "1", "--threads", "4") as desk:
        known, lock = {}, threading.Lock()

        def send(client, key, at):
            while True:
                answer = client.post("/v1/webhooks/crm", {"id": key, "points": at},
                                     headers={"Idempotency-Key": key, "X-Leadfit-Secret": SECRET})
                if answer.status == 200:
                    with lock:
                        known.setdefault(key, set()).add(answer.body)
                    return
                expect(answer, 503, "busy")

        def work():
            client = desk.server.client()
            for at in range(30):
                send(client, "key %d" % at, at % 11)
            client.close()

        together([work] * 24)
        equal({key: len(bodies) for key, bodies in known.items()}, {"key %d" % at: 1 for at in range(30)}, "answers")
        equal(count_scores(desk), 30, "scores")


# ----------------------------------------------------------- outcomes


def test_outcomes(program):
    with start(program) as desk:
        one = {"lead_id": "a", "outcome": "won", "value": 100}
        single = post(desk, "one", one, where="/v1/outcomes")
        equal((single.json, is_repeat(single)), ({"accepted": 1, "errors": []}, False), "the first answer")
        post(desk, None, {"lead_id": "a", "outcome": "lost"}, where="/v1/outcomes")
        repeated(desk, "one", single, one, where="/v1/outcomes")
        equal(desk.get(path("a"))["outcome"]["outcome"], "lost", "a repeat says nothing anew")
        post(desk, "one", dict(one, value=101), 422, "key_reused", "/v1/outcomes")
        post(desk, "one", {"lead": {"id": "a"}}, 422, "key_reused")

        many = b'{"lead_id": "b", "outcome": "won"}\n{"lead_id": "c"}\nnothing\n{"lead_id": "d", "outcome": "open"}\n'
        first = post(desk, "many", many, where="/v1/outcomes", **LINES)
        equal((first.json["accepted"], len(first.json["errors"])), (2, 2), "the first answer")
        repeated(desk, "many", first, many, where="/v1/outcomes", **LINES)
        desk.restart(kill=True)
        repeated(desk, "many", first, many, where="/v1/outcomes", **LINES)
        repeated(desk, "one", single, one, where="/v1/outcomes")

        # nothing noted, nothing kept
        for _ in range(2):
            answer = post(desk, "bad", b"nothing\n", where="/v1/outcomes", **LINES)
            equal((answer.json["accepted"], is_repeat(answer)), (0, False), "nothing noted")
            post(desk, "bad", {"lead_id": "e"}, 422, "invalid_request", "/v1/outcomes")
        first = post(desk, "bad", {"lead_id": "e", "outcome": "won"}, where="/v1/outcomes")
        repeated(desk, "bad", first, {"lead_id": "e", "outcome": "won"}, where="/v1/outcomes")


def test_outcomes_in_flight(program):
    with start(program) as desk:
        one = {"lead_id": "a", "outcome": "won", "value": 100}
        with Held(desk):
            first = all_but_one([Asked(desk, "k", one, "/v1/outcomes") for _ in range(3)])
        status, head, said = first.read()
        equal((status, b"idempotency-replayed" in head), (200, False), "the first answer")
        answer = post(desk, "k", one, where="/v1/outcomes")
        equal((answer.body, is_repeat(answer)), (said, True), "the answer to a repeat")


# ------------------------------------------------------------ privacy


def in_files(desk, words):
    """Which of the words stand in the database's files or the log."""
    found = []
    for file in [desk.place.db + end for end in FILES] + [desk.server.log]:
        if os.path.exists(file):
            with open(file, "rb") as opened:
                data = opened.read()
            found += [(word, os.path.basename(file)) for word in words if word.encode("utf-8") in data]
    return found


def shows(key="one"):
    """An ICP whose answer shows the value of a field."""
    document = definition(key)
    document["attributes"].append({"key": "town", "label": "Town", "category": "firmographic", "weight": 5, "rules": [
        {"when": {"field": "town", "exists": True}}]})
    return document


def test_what_is_never_stored_is_not_stored_here(program):
    for options in (("--never-store", "town"), ("--store-lead", "nothing")):
        with Desk(program, "--log-requests", "all", "--log-level", "debug", *options) as desk:
            desk.publish(shows())
            key, body = "Kunigunde-" + some_key(), {"lead": {"id": "a", "points": 7, "town": "Quirinsberg"}}
            first = post(desk, key, body)
            equal(b"Quirinsberg" in first.body, True, "the answer shows it")
            words = ["Quirinsberg", key, "Kunigunde", desk.key[11:]]
            equal(in_files(desk, words), [], "in the files")
            repeated(desk, key, first, body)
            desk.restart()
            equal(in_files(desk, words), [], "in the files after a stop")
            repeated(desk, key, first, body)
            post(desk, key, {"lead": {"id": "a"}}, 422, "key_reused")
            equal(in_files(desk, words), [], "in the files at last")


def test_an_erased_lead(program):
    with start(program) as desk:
        body, other = {"lead": {"id": "gone", "points": 7}}, {"lead": {"id": "stays", "points": 8}}
        nameless = {"lead": {"points": 9}}
        first, kept, unnamed = post(desk, "k", body), post(desk, "other", other), post(desk, "nameless", nameless)
        repeated(desk, "k", first, body)
        expect(desk.ask("DELETE", path("gone")), 204)
        for _ in range(2):
            post(desk, "k", body, 410, "erased")
        post(desk, "k", other, 410, "erased")    # nor is it known any more what was asked
        desk.get("/v1/scores/" + first.json["id"], 410, "erased")
        repeated(desk, "other", kept, other)
        repeated(desk, "nameless", unnamed, nameless)
        desk.restart()
        post(desk, "k", body, 410, "erased")
        repeated(desk, "other", kept, other)
        # a new key is a new request, of a lead that is known again
        equal(is_repeat(post(desk, "new", body)), False, "a new request")
        post(desk, "k", body, 410, "erased")


run(globals())
