"""kill -9 under load, end to end: whatever a client was told is recorded is
there when the server has come back, to the last byte.

  test_server_crash.py LEADFIT [ROUNDS]

Each round runs a server with clients that score over several connections,
kills it at a moment of its own choosing, starts it again on the same database
and asks for every score that was acknowledged, in this round and in a sample
of those before. After each kill `leadfit check` counts all that was recorded
anew: what scores add up to is never half written.
"""

import http.client
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))

from harness import Place, equal, run_module  # noqa: E402
from load import Load, check_all_found  # noqa: E402
from test_api_score import definition  # noqa: E402

ROUNDS = 4 if os.environ.get("LEADFIT_SHORT") else 10
SAMPLE = 300                 # scores of earlier rounds that are asked for again
LEAST = 20                   # answers before the kill, lest a round prove nothing


def crash(server, load, chance):
    """Kills at some moment between the first answers and half a second later."""
    load.wait_for(LEAST)
    moment = time.monotonic() + chance.random() * 0.5
    while time.monotonic() < moment and not load.troubles:
        time.sleep(0.001)
    equal(server.kill(), -9, "exit code")
    load.end()


def check_counts(place):
    """The roll-ups agree with the recorded scores; how many there are."""
    out, _ = place.command("check", "--db", place.db)
    found = re.search(r"^(\d+) roll-ups agree with the recorded scores$", out, re.MULTILINE)
    equal(found is not None, True, "what the check says: %s" % out)
    return int(found.group(1))


def test_kill_9_under_load(program):
    chance, known = random.Random(9), {}
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        place.publish_definition(definition("bet", purpose="experimental"))
        key = place.key()
        for round_ in range(ROUNDS):
            server = place.serve()
            try:
                load = Load(server, key, threads=1 + round_ * 3)
                crash(server, load, chance)
            finally:
                if server.process.poll() is None:
                    server.kill()
            check_counts(place)
            fresh = {"%s of round %d" % item: load.acknowledged[item[0]]
                     for item in ((lead, round_) for lead in load.acknowledged)}
            equal(len(fresh) >= LEAST, True, "answers in round %d" % round_)
            old = dict(chance.sample(sorted(known.items()), min(SAMPLE, len(known))))
            with place.serve() as server:
                check_all_found(server, key, fresh)
                check_all_found(server, key, old)
            known.update(fresh)
        check_counts(place)
        out, _ = place.command("check", "--db", place.db)
        print("%d scores acknowledged, all found; %s" % (len(known), out.strip().split("\n")[-1]))


class Bustle:
    """Scores a few leads again and again, says what became of them, erases one
    now and then and reads what is known of them, until the server is gone."""

    LEADS = 40

    def __init__(self, server, key, seed):
        self.server, self.key, self.done, self.troubles = server, key, 0, []
        self.threads = [threading.Thread(target=self.run, args=(what, seed * 10 + at), daemon=True)
                        for at, what in enumerate((self.score, self.score, self.say, self.read))]
        for one in self.threads:
            one.start()

    def run(self, what, seed):
        client, chance = self.server.client(self.key), random.Random(seed)
        try:
            while not self.troubles:
                what(client, chance, "lead-%d" % chance.randrange(self.LEADS))
                self.done += 1
        except (OSError, http.client.HTTPException):
            pass  # the server has been killed
        except AssertionError as trouble:
            self.troubles.append(trouble)
        client.close()

    def score(self, client, chance, lead):
        equal(client.post("/v1/score", {"lead": {"id": lead, "points": chance.randrange(11)}}).status, 200)

    def say(self, client, chance, lead):
        said = {"lead_id": lead, "outcome": chance.choice(("won", "lost", "open")), "value": chance.randrange(100)}
        equal(client.post("/v1/outcomes", said).status, 200)

    def read(self, client, chance, lead):
        if chance.random() < 0.05:
            equal(client.ask("DELETE", "/v1/leads/" + lead).status in (204, 404), True, "erasing")
        else:
            equal(client.get("/v1/leads/" + lead).status in (200, 404), True, "reading a lead")

    def end(self):
        for one in self.threads:
            one.join(60)
            equal(one.is_alive(), False, "a client that hangs")
        if self.troubles:
            raise self.troubles[0]


def test_kill_9_while_leads_are_settled(program):
    chance, counted = random.Random(4), 0
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        place.publish_definition(definition("bet", purpose="experimental"))
        key = place.key("score,leads:read,leads:write")
        for round_ in range(ROUNDS):
            server = place.serve()
            try:
                bustle = Bustle(server, key, round_)
                moment = time.monotonic() + 0.2 + chance.random() * 2.5  # rounds of settling begin each second
                while (time.monotonic() < moment or bustle.done < LEAST) and not bustle.troubles:
                    time.sleep(0.001)
                equal(server.kill(), -9, "exit code")
                bustle.end()
            finally:
                if server.process.poll() is None:
                    server.kill()
            counted = check_counts(place)
        with place.serve() as server:
            equal(server.client(key).get("/v1/leads?limit=1000").status, 200, "the leads, which settles all")
        equal(check_counts(place) >= counted, True, "what is counted once all is settled")


def test_kill_9_at_once_after_each_answer(program):
    """A single answer, then the end: nothing else is there to share its commit."""
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key = place.key()
        told = {}
        for at in range(ROUNDS):
            server = place.serve()
            try:
                client = server.client(key)
                answer = client.post("/v1/score", {"lead": {"id": at, "points": at % 11}})
            finally:
                server.kill()
            equal(answer.status, 200, "status")
            told[str(at)] = answer.body
            client.close()
        with place.serve() as server:
            check_all_found(server, key, told)


def main():
    global ROUNDS  # the one setting of this script
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if len(sys.argv) == 3:
        ROUNDS = int(sys.argv[2])
    passed, failed = run_module(globals(), os.path.abspath(sys.argv[1]))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
