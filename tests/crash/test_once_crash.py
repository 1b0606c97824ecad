"""kill -9 under requests with Idempotency-Keys: each is repeated until it is answered, by whichever
server is there then, and happens once.

  test_once_crash.py LEADFIT [KILLS]

Clients score leads, each request under a key of its own, while the server is killed again and again
and started anew on the same database. Whoever loses its connection sends the same request again. An
answer that was acknowledged comes again byte for byte from every later server; at the end there are
exactly as many scores as keys, which `leadfit check` counts anew.
"""

import http.client
import os
import random
import sqlite3
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))

from harness import DEADLINE_S, Place, equal, expect, run_module, until  # noqa: E402
from test_api_score import definition  # noqa: E402
from test_server_crash import check_counts  # noqa: E402
from test_server_disk import FILLER_BYTES, SmallDisk  # noqa: E402

KILLS = 40
CLIENTS = 12
LEAST = 20                   # answers between two kills, lest a kill prove nothing
SAMPLE = 25                  # keys of before that each server is asked for


class Town:
    """Clients that go on over the servers' ends. `answers` holds key -> (request, answer's body)."""

    def __init__(self, key):
        self.key, self.server = key, None
        self.answers, self.troubles, self.stopped = {}, [], False
        self.asked_again = self.had_happened = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.live, args=(at,), daemon=True) for at in range(CLIENTS)]

    def begin(self, server):
        self.server = server
        for one in self.threads:
            one.start()

    def live(self, who):
        chance, number = random.Random(who), 0
        try:
            while not self.stopped:
                number += 1
                lead = {"points": chance.randrange(11), "note": "x" * chance.randrange(200)}
                if chance.random() < 0.8:
                    lead["id"] = "lead-%d" % chance.randrange(30)
                key, request = "%d of client %d" % (number, who), {"lead": lead}
                answer = self.ask_until_answered(key, request)
                with self.lock:
                    self.answers[key] = (request, answer.body)
        except BaseException as trouble:  # told by the test
            self.troubles.append(trouble)

    def ask_until_answered(self, key, request):
        """Of whichever server there is, until one answers."""
        end, again = time.monotonic() + 2 * DEADLINE_S, False
        while time.monotonic() < end:
            client = self.client()
            try:
                answer = client.post("/v1/score", request, headers={"Idempotency-Key": key})
            except (OSError, http.client.HTTPException):
                again = True
                time.sleep(0.002)  # the server has been killed: another one comes
                continue
            equal(answer.status, 200, "an answer: %r" % answer)
            happened = answer.headers.get("Idempotency-Replayed") == "true"
            equal(happened and not again, False, "an answer to what was never asked before")
            with self.lock:
                self.asked_again += again
                self.had_happened += happened
            return answer
        raise AssertionError("never answered: " + key)

    def client(self):
        """This thread's client of the server that there is."""
        known = getattr(self.own, "client", None)
        server = self.server
        if known is None or known.port != server.port:
            self.own.client = server.client(self.key)
        return self.own.client

    own = threading.local()

    def check(self, answers):
        """Each of these comes again as it was."""
        client = self.server.client(self.key)
        for key, (request, body) in answers:
            answer = client.post("/v1/score", request, headers={"Idempotency-Key": key})
            equal((answer.status, answer.headers.get("Idempotency-Replayed"), answer.body), (200, "true", body),
                  "the answer to a repeat of " + key)
        client.close()

    def end(self):
        self.stopped = True
        for one in self.threads:
            one.join(3 * DEADLINE_S)
            equal(one.is_alive(), False, "a client that hangs")
        self.raise_trouble()

    def raise_trouble(self):
        if self.troubles:
            raise self.troubles[0]

    def sample(self, chance, count):
        with self.lock:
            return [(key, self.answers[key]) for key in chance.sample(sorted(self.answers),
                                                                      min(count, len(self.answers)))]


def count_scores(place):
    with sqlite3.connect(place.db) as database:
        (count,) = database.execute("SELECT sum(count) FROM score_block").fetchone()
    database.close()
    return count


def test_each_key_happens_once(program):
    chance = random.Random(5)
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        place.publish_definition(definition("bet", purpose="experimental"))
        town = Town(place.key())
        town.begin(place.serve())
        try:
            for _ in range(KILLS):
                least = len(town.answers) + LEAST
                until(lambda: len(town.answers) >= least or town.troubles, "answers")
                moment = time.monotonic() + chance.random() * 0.05
                while time.monotonic() < moment:
                    time.sleep(0.001)
                equal(town.server.kill(), -9, "exit code")
                town.raise_trouble()
                known = town.sample(chance, SAMPLE)
                town.server = place.serve()
                town.check(known)
            town.end()
            town.check(sorted(town.answers.items()))
            equal(town.server.stop(), 0, "exit code")
        finally:
            town.stopped = True
            if town.server.process.poll() is None:
                town.server.kill()
        ids = {body.split(b'"id":"', 1)[1][:26] for _, body in town.answers.values()}
        equal((len(ids), count_scores(place)), (len(town.answers), len(town.answers)), "ids, scores")
        check_counts(place)
        equal(town.had_happened > 0, True, "that a kill came between a commit and its answer")
        print("%d kills, %d keys, each once; of %d that were asked for again %d had happened before the kill" % (
            KILLS, len(ids), town.asked_again, town.had_happened))


def test_a_full_disk(program):
    """What could not be recorded was not answered: with room again its key is as new."""
    with SmallDisk() as disk:
        if not disk.mounted:
            print("test_a_full_disk: no right to mount a tmpfs, left out")
            return
        with Place(program, os.path.join(disk.folder, "leadfit.db")) as place:
            place.publish_definition(definition("core-icp"))
            town, filler, refused = Town(place.key()), os.path.join(disk.folder, "filler"), 0
            with open(filler, "wb") as file:
                file.write(b"x" * FILLER_BYTES)
            with place.serve("--store-lead", "whole") as server:
                town.server, client = server, server.client(town.key)
                while refused < 5:
                    key, request = "key %d" % len(town.answers), {"lead": {"note": "x" * 2000}, "explain": "none"}
                    answer = client.post("/v1/score", request, headers={"Idempotency-Key": key})
                    if answer.status == 200:
                        equal("Idempotency-Replayed" in answer.headers, False, "an answer to what never happened")
                        town.answers[key] = (request, answer.body)
                    else:
                        expect(answer, 507, "storage_full")
                        refused += 1
                town.check(town.sample(random.Random(1), SAMPLE))
                os.unlink(filler)
                until(lambda: client.get("/readyz").status == 200, "/readyz to recover")
                answer = expect(client.post("/v1/score", request, headers={"Idempotency-Key": key}), 200)
                equal("Idempotency-Replayed" in answer.headers, False, "an answer to what never happened")
                town.answers[key] = (request, answer.body)
            with place.serve() as town.server:
                town.check(sorted(town.answers.items()))
            equal(count_scores(place), len(town.answers), "scores")
            check_counts(place)


def main():
    global KILLS  # the one setting of this script
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if len(sys.argv) == 3:
        KILLS = int(sys.argv[2])
    passed, failed = run_module(globals(), os.path.abspath(sys.argv[1]))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
