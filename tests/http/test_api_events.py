"""Events on their way from the real program to targets: signed, in order, again until they arrive.

Signatures are held against targets.signature_faults, which is written from the
description of Standard Webhooks. What subscriptions and deliveries look like is
test_api_subscriptions.py's.
"""

import collections
import http.client
import json
import random
import threading
import time

from editing import Desk, changed, definition
from harness import Place, equal, expect, run, until
from targets import Certificates, Target, answer, hang, has_openssl, header, signature_faults

LOCAL = ("--allow-private-targets", "yes")
EVENTS = ["score.recorded", "score.grade_changed", "icp.published", "drift.shifted"]
DEFINITION = definition("core-icp")


class Office(Desk):
    """A server that may send to this machine, with an ICP in service."""

    def __init__(self, program, *options):
        place = Place(program)
        place.publish_definition(DEFINITION)
        super().__init__(program, *(options or LOCAL), place=place)
        self.owned = True

    def subscribe(self, url, key="crm", status=201, **more):
        """The answer, with the secret."""
        body = dict({"url": url, "events": EVENTS}, **more)
        return self.ask("PUT", "/v1/subscriptions/" + key, body, status=status).json

    def subscription(self, key="crm"):
        return self.get("/v1/subscriptions/" + key)

    def deliveries(self, key="crm"):
        return self.get("/v1/subscriptions/%s/deliveries?limit=1000" % key)["deliveries"]

    def states(self, key="crm"):
        return collections.Counter(one["state"] for one in self.deliveries(key))

    def score(self, lead, points):
        return expect(self.client.post("/v1/score", {"lead": {"id": lead, "points": points}}), 200).json


def body_of(request):
    return json.loads(request.body)


def of_type(requests, word):
    return [one for one in requests if body_of(one)["type"] == word]


def check(requests, secret):
    for request in requests:
        equal(signature_faults(request, secret), [], "signature of %r" % request.body)
        equal(header(request, "Content-Type"), "application/json", "Content-Type")
        equal(header(request, "User-Agent").startswith("leadfit/"), True, "User-Agent")
        equal(sorted(body_of(request)), ["data", "sequence", "timestamp", "type"], "members")
        equal(sorted(body_of(request)["data"]),
              ["from", "icp", "lead_id", "psi", "score", "score_id", "to", "version"], "members of data")


def test_signed_and_in_order(program):
    with Target() as target, Office(program) as office:
        secret = office.subscribe(target.url("/ok"))["secret"]
        told, grades = collections.defaultdict(list), collections.defaultdict(list)
        chance = random.Random(5)
        for _ in range(300):
            lead = "lead-%d" % chance.randrange(20)
            scored = office.score(lead, chance.randrange(11))
            told[lead].append((scored["id"], scored["score"], scored["grade"] if scored["qualified"] else "DQ"))
        for lead, scores in told.items():
            grades[lead] = [(before[2], after[2]) for before, after in zip(scores, scores[1:])
                            if before[2] != after[2]]
        count = 300 + sum(len(one) for one in grades.values())
        until(lambda: office.subscription()["waiting"] == 0 and len(target.seen()) >= count, "events")
        seen = target.seen()
        equal(len(seen), count, "requests")
        equal(len({header(one, "webhook-id") for one in seen}), count, "webhook-ids")
        check(seen, secret)
        recorded, changes, last = collections.defaultdict(list), collections.defaultdict(list), {}
        for request in seen:
            event = body_of(request)
            data = event["data"]
            equal((data["icp"], data["version"]), ("core-icp", 1), "ICP")
            equal(event["sequence"] > last.get(data["lead_id"], 0), True, "order of %s" % data["lead_id"])
            last[data["lead_id"]] = event["sequence"]
            if event["type"] == "score.recorded":
                recorded[data["lead_id"]].append((data["score_id"], data["score"], data["to"]))
            else:
                equal(event["type"], "score.grade_changed", "type")
                changes[data["lead_id"]].append((data["from"], data["to"]))
        equal(dict(recorded), dict(told), "scores told")
        equal({lead: one for lead, one in grades.items() if one}, dict(changes), "grade changes told")


def test_a_publication(program):
    with Target() as target, Office(program) as office:
        secret = office.subscribe(target.url("/ok"), events=["icp.published"])["secret"]
        office.score("nobody asked for", 3)
        draft = office.ask("PUT", "/v1/icps/core-icp/draft", changed(DEFINITION, name="Another name"))
        equal(draft.status in (200, 201), True, "draft")
        office.ask("POST", "/v1/icps/core-icp/publish", {"note": "a new name"}, status=201,
                   if_match=draft.headers["ETag"])
        until(target.seen, "the event")
        event = body_of(target.seen()[0])
        check(target.seen(), secret)
        equal((event["type"], event["data"]["icp"], event["data"]["version"], event["data"]["lead_id"]),
              ("icp.published", "core-icp", 2, ""), "event")


def test_again_after_failures(program):
    """The real schedule's first step; the id and the body stay, timestamp and signature are fresh."""
    tries = collections.Counter()

    def refuse_once(connection, request):
        tries[header(request, "webhook-id")] += 1
        return answer(connection, "200 OK" if tries[header(request, "webhook-id")] > 1 else "503 Later")

    with Target(refuse_once) as target, Office(program) as office:
        secret = office.subscribe(target.url("/"), events=["score.recorded"])["secret"]
        for points in range(5):
            office.score("a lead", points)
        until(lambda: len(target.seen()) >= 5, "first attempts")
        equal([body_of(one)["data"]["score"] for one in target.seen()[:5]], [0, 10, 20, 30, 40], "first attempts")
        until(lambda: office.subscription()["failing_since"] != "", "that it fails")
        until(lambda: office.states() == {"delivered": 5}, "second attempts")
        seen = target.seen()
        equal(len(seen), 10, "requests")
        check(seen, secret)
        for name in tries:
            first, second = [one for one in seen if header(one, "webhook-id") == name]
            equal(first.body, second.body, "body")
            equal(int(header(second, "webhook-timestamp")) > int(header(first, "webhook-timestamp")), True, "timestamps")
            equal(header(first, "webhook-signature") == header(second, "webhook-signature"), False, "signatures")
        for one in office.deliveries():
            equal([(attempt["status"], attempt["error"]) for attempt in one["attempts"]], [(503, ""), (200, "")],
                  "attempts")
        after = office.subscription()
        equal((after["failing_since"], after["state"], after["waiting"]), ("", "active", 0), "subscription")


def test_a_target_that_is_gone(program):
    with Target() as target, Office(program) as office:
        office.subscribe(target.url("/gone"))
        office.score("a lead", 1)
        until(lambda: office.subscription()["state"] == "disabled", "that it is disabled")
        equal(office.subscription()["reason"], "the target said 410 Gone", "reason")
        for points in range(20):
            office.score("a lead", points % 11)
        equal(office.subscription()["waiting"], 0, "waiting")
        equal(set(office.states()), {"failed"}, "states")
        count = len(target.seen())
        office.subscribe(target.url("/ok"), status=200)
        office.score("a lead", 1)
        until(lambda: office.states().get("delivered"), "that it goes on")
        equal([one.path for one in target.seen()[count:]][0], "/ok", "where to")


def test_by_hand(program):
    with Target() as target, Office(program) as office:
        secret = office.subscribe(target.url("/ok"), events=["score.recorded"])["secret"]
        office.score("a lead", 4)
        until(lambda: office.states() == {"delivered": 1}, "delivery")
        name = office.deliveries()[0]["id"]
        equal(header(target.seen()[0], "webhook-id"), name, "webhook-id")
        office.ask("POST", "/v1/subscriptions/crm/deliveries/%s/retry" % name, status=200)
        until(lambda: len(target.seen()) == 2, "the second one")
        until(lambda: office.states() == {"delivered": 1}, "that it is noted")
        check(target.seen(), secret)
        equal(target.seen()[0].body, target.seen()[1].body, "body")
        equal(header(target.seen()[1], "webhook-id"), name, "webhook-id")
        equal(len(office.deliveries()[0]["attempts"]), 2, "attempts")


def test_a_target_that_hangs(program):
    """Holds up no other subscription, nor the end of the program; what was out is sent again."""
    with Target() as target, Office(program) as office:
        office.subscribe(target.url("/hang"), "slow", events=["score.recorded"])
        secret = office.subscribe(target.url("/ok"), "fast", events=["score.recorded"])["secret"]
        for at in range(50):
            office.score("lead-%d" % at, at % 11)
        until(lambda: office.states("fast") == {"delivered": 50}, "the others")
        hanging = [one for one in target.seen() if one.path == "/hang"]
        equal(0 < len(hanging) <= 8, True, "posts that hang: %d" % len(hanging))
        equal(office.states("slow"), {"pending": 50}, "what hangs")
        office.restart()
        office.subscribe(target.url("/ok/slow"), "slow", status=200, events=["score.recorded"], secret=secret)
        until(lambda: office.states("slow") == {"delivered": 50}, "that it goes on")
        arrived = [one for one in target.seen() if one.path == "/ok/slow"]
        equal(sorted(body_of(one)["data"]["lead_id"] for one in arrived),
              sorted("lead-%d" % at for at in range(50)), "what arrived")
        check(arrived, secret)


def test_put_anew_while_it_hangs(program):
    with Target(lambda connection, request: hang(connection)) as old, Target() as new, Office(program) as office:
        before = office.subscribe(old.url("/"), events=["score.recorded"])["secret"]
        for at in range(3):
            office.score("lead-%d" % at, at)
        until(lambda: len(old.seen()) == 3, "posts")
        other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        equal(office.subscribe(new.url("/ok"), status=200, events=["score.recorded"], secret=other)["secret"], "",
              "secret")
        for at in range(3, 6):
            office.score("lead-%d" % at, at)
        until(lambda: len(new.seen()) == 3, "posts to the new one")
        check(old.seen(), before)
        check(new.seen(), other)
        equal(sorted(body_of(one)["data"]["lead_id"] for one in new.seen()), ["lead-3", "lead-4", "lead-5"], "leads")


def test_private_targets_no_longer_allowed(program):
    """What was put while they were is not sent there, and says so."""
    with Target() as target, Office(program) as office:
        office.subscribe(target.url("/ok"), "plain")
        office.subscribe(target.url("/ok", "https"), "secure")
        until(lambda: office.subscription("plain"), "the subscription")
        connections = target.connections
        office.options = ()
        office.restart()
        office.score("a lead", 1)
        for key, words in (("plain", "https alone"), ("secure", "address is not public")):
            until(lambda key=key: office.states(key).get("retrying"), "an attempt")
            error = office.deliveries(key)[0]["attempts"][0]["error"]
            equal(words in error and "allow_private_targets" in error, True, "error: " + error)
        equal(target.connections, connections, "connections")


def test_https(program):
    if not has_openssl():
        print("skipped: without the openssl tool there is no certificate for https")
        return
    with Certificates() as made, Target(certificate=made.good) as good, Target(certificate=made.unknown) as unknown, \
            Office(program, *LOCAL, "--ca-file", made.ca) as office:
        secret = office.subscribe(good.url("/ok", "https", "localhost"), "good")["secret"]
        office.subscribe(unknown.url("/ok", "https"), "unknown")
        office.score("a lead", 1)
        until(lambda: office.states("good") == {"delivered": 1}, "the event")
        check(good.seen(), secret)
        until(lambda: office.states("unknown").get("retrying"), "an attempt")
        error = office.deliveries("unknown")[0]["attempts"][0]["error"]
        equal("certificate" in error, True, "error: " + error)
        equal(unknown.seen(), [], "requests")


def test_the_log_tells_no_urls(program):
    with Target() as target, Office(program, *LOCAL, "--log-level", "debug") as office:
        for path in ("ok", "error", "gone", "close", "redirect"):
            office.subscribe(target.url("/%s?token=s3cret" % (path if path != "redirect" else "bad")), path)
        office.subscribe("http://s3cret-host.invalid/", "nowhere")
        office.score("s3cret-lead", 1)
        for key in ("error", "close", "nowhere"):
            until(lambda key=key: office.states(key).get("retrying"), "an attempt of " + key)
        until(lambda: office.subscription("gone")["state"] == "disabled", "that it is disabled")
        log = office.server.log_text()
        equal("subscription_failing" in log and "subscription_disabled" in log, True, "log")
        equal("s3cret" in log, False, "a secret in the log")


class Caller:
    """Scores until the server is gone, and notes which scores were acknowledged."""

    def __init__(self, office, number):
        self.client = office.server.client(office.key)
        self.number, self.acknowledged, self.trouble = number, {}, None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            for at in range(100000):
                lead = "lead-%d" % (at % 7 + self.number * 100)
                scored = self.client.post("/v1/score", {"lead": {"id": lead, "points": at % 11}})
                equal(scored.status, 200, "status")
                self.acknowledged[scored.json["id"]] = lead
        except (OSError, http.client.HTTPException):
            pass
        except AssertionError as trouble:
            self.trouble = trouble


def test_kill_9_under_load(program):
    """Whatever was acknowledged arrives at least once, each time under the same id and as the same bytes; of what
    arrived, nothing is of a score that is not there."""
    chance, refused = random.Random(8), set()

    def mostly(connection, request):
        name = header(request, "webhook-id")
        if name not in refused and chance.random() < 0.05:
            refused.add(name)            # once: the third attempt would come after five minutes
            return answer(connection, "500 Sometimes")
        return answer(connection, "200 OK")

    acknowledged = {}
    with Target(mostly) as target, Office(program) as office:
        secret = office.subscribe(target.url("/"), events=["score.recorded"])["secret"]
        for round_ in range(4):
            callers = [Caller(office, number) for number in range(4)]
            before = len(target.seen())
            until(lambda before=before: len(target.seen()) > before + 50, "events")
            moment = time.monotonic() + chance.random() * 0.3
            until(lambda moment=moment: time.monotonic() > moment, "the moment")
            office.restart(kill=True)
            for one in callers:
                one.thread.join(60)
                if one.trouble:
                    raise one.trouble
                acknowledged.update(one.acknowledged)
        until(lambda: office.subscription()["waiting"] == 0, "that all has been sent", 60)
        seen = target.seen()
        check(seen, secret)
        arrived, names, bodies = {}, {}, {}
        for request in seen:
            name, data = header(request, "webhook-id"), body_of(request)["data"]
            equal(bodies.setdefault(name, request.body), request.body, "body of " + name)
            equal(names.setdefault(data["score_id"], name), name, "webhook-id of " + data["score_id"])
            arrived[data["score_id"]] = data["lead_id"]
        lost = set(acknowledged) - set(arrived)
        equal(lost, set(), "acknowledged and never told of")
        for score, lead in acknowledged.items():
            equal(arrived[score], lead, "lead of " + score)
        extra = sorted(set(arrived) - set(acknowledged))
        for score in extra[:50]:
            expect(office.client.get("/v1/scores/" + score), 200)
        firsts, last = set(), {}
        for request in seen:                         # first attempts of a lead, in order
            name, event = header(request, "webhook-id"), body_of(request)
            if name in firsts:
                continue
            firsts.add(name)
            lead = event["data"]["lead_id"]
            equal(event["sequence"] > last.get(lead, 0), True, "order of " + lead)
            last[lead] = event["sequence"]
        print("%d acknowledged, %d told of in %d requests" % (len(acknowledged), len(arrived), len(seen)))


run(globals())
