#!/usr/bin/env python3
"""Kills a recording program with -9 at random moments: no acknowledged score may be lost, and no answer that was kept
with scores may stand without them, or they without it.

    crash.py APPEND [rounds [seed]]

APPEND is the program made from append.c. All rounds work on one database, so that the later ones die in the middle of
recovering, of moving the log, and of growing a file that has seen much. After each round what was acknowledged is
looked for, and the whole database is checked: that there are the scores of which answers tell, too.
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

OPEN_MS_MAX = 10000  # recovery reads the log, never the database; a sanitizer's build on a busy machine is slow


def run_and_kill(program, database, after_s):
    """The jobs that were acknowledged before the end, a line each (append.c)."""
    victim = subprocess.Popen([program, database], stdout=subprocess.PIPE)
    output = bytearray()

    def read():
        while chunk := os.read(victim.stdout.fileno(), 1 << 16):
            output.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(after_s)
    ended_by_itself = victim.poll()
    victim.kill()
    victim.wait()
    reader.join()
    victim.stdout.close()
    if ended_by_itself is not None:
        sys.exit("the program ended by itself with %d" % ended_by_itself)
    return output.decode().split("\n")[:-1]  # what stands behind the last line end was never acknowledged


def scores_of(jobs):
    return sum(1 for job in jobs for word in job.split() if word != "+")


def verify(program, database, jobs):
    """(milliseconds to open, number of scores, faults)."""
    # Its own output goes to a file: two full pipes would wait for each other.
    with tempfile.TemporaryFile("w+") as answer:
        result = subprocess.run([program, "--verify", database], input="".join(job + "\n" for job in jobs),
                                stdout=answer, text=True, timeout=300)
        answer.seek(0)
        lines = answer.read().split("\n")[:-1]
    if result.returncode != 0 or not lines or lines[-1] != "done":
        return 0, 0, ["the program that verifies ended with %d" % result.returncode]
    facts = dict(line.split(" ", 1) for line in lines[:2])
    return int(facts["open_ms"]), int(facts["scores"]), lines[2:-1]


# The slow builds do a part of it; the plain one does it in full.
ROUNDS = 4 if os.environ.get("LEADFIT_SHORT") else 10


def main(program, rounds=ROUNDS, seed=None):
    rounds = int(rounds)
    seed = int(seed) if seed is not None else random.randrange(1 << 32)
    chance = random.Random(seed)
    acknowledged = []
    slowest = scores = 0
    with tempfile.TemporaryDirectory() as folder:
        database = str(pathlib.Path(folder) / "leadfit.db")
        for number in range(1, rounds + 1):
            new = run_and_kill(program, database, chance.choice((0.01, 0.1, 0.5, 1.5)) * (0.5 + chance.random()))
            acknowledged += new
            # What was acknowledged rounds ago is looked for by sample, and in full at the end.
            old = acknowledged[:-len(new)] if new else acknowledged
            asked = acknowledged if number == rounds else new + chance.sample(old, min(1000, len(old)))
            open_ms, scores, faults = verify(program, database, asked)
            slowest = max(slowest, open_ms)
            if scores < scores_of(acknowledged):
                faults.append("%d scores, but %d acknowledged" % (scores, scores_of(acknowledged)))
            if open_ms > OPEN_MS_MAX:
                faults.append("opening took %d ms" % open_ms)
            if faults:
                sys.exit("round %d (seed %d): %s" % (number, seed, "; ".join(faults[:10])))
    answered = sum(1 for job in acknowledged if job.endswith("+"))
    if not answered:
        sys.exit("nothing was ever acknowledged, or nothing with an answer")
    print("%d rounds, %d acknowledged of %d recorded, none lost, nor any of %d answers; slowest open %d ms (seed %d)"
          % (rounds, scores_of(acknowledged), scores, answered, slowest, seed))
    print("%d passed, 0 failed" % rounds)


if len(sys.argv) not in (2, 3, 4):
    sys.exit(__doc__)
main(*sys.argv[1:])
