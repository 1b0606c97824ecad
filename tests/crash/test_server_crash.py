"""kill -9 under load, end to end: whatever a client was told is recorded is
there when the server has come back, to the last byte.

  test_server_crash.py LEADFIT [ROUNDS]

Each round runs a server with clients that score over several connections,
kills it at a moment of its own choosing, starts it again on the same database
and asks for every score that was acknowledged, in this round and in a sample
of those before. `leadfit check` has the last word.
"""

import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))

from harness import Place, equal, run_module  # noqa: E402
from load import Load, check_all_found  # noqa: E402
from test_api_score import definition  # noqa: E402

ROUNDS = 10
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
            fresh = {"%s of round %d" % item: load.acknowledged[item[0]]
                     for item in ((lead, round_) for lead in load.acknowledged)}
            equal(len(fresh) >= LEAST, True, "answers in round %d" % round_)
            old = dict(chance.sample(sorted(known.items()), min(SAMPLE, len(known))))
            with place.serve() as server:
                check_all_found(server, key, fresh)
                check_all_found(server, key, old)
            known.update(fresh)
        out, _ = place.command("check", "--db", place.db)
        print("%d scores acknowledged, all found; %s" % (len(known), out.strip().split("\n")[-1]))


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
