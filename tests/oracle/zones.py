"""Asks lib/base/zone.h, behind a driver, and Python's zoneinfo the same of every
zone of the system's database: offsets, and where local days begin and end.

  zones.py DRIVER [--moments 20] [--seed N]

Moments lie around changes of the clock and anywhere from 1850 to 2150. Where a
day begins is found by its definition: the first moment whose local time is
midnight or later. Exit code 1 where anything differs.
"""

import argparse
import datetime
import os
import random
import subprocess
import sys
import zoneinfo

DAY = 86_400
FAR = 26 * 3_600             # no offset is larger
STEP = 3_600                 # the clock is not changed twice within it
SINCE, UNTIL = -3_786_825_600, 5_680_281_600     # 1850, 2150
SHOWN = 10
FOLDER = "/usr/share/zoneinfo"


def offset(zone, at):
    return int(datetime.datetime.fromtimestamp(at, zone).utcoffset().total_seconds())


def changes(zone, low, high):
    """The moments in low+1..high at which the offset is another one."""
    found = []
    while low < high:
        near = min(low + STEP, high)
        before, after = offset(zone, low), offset(zone, near)
        if before != after:
            least, most = low, near              # least still has the old one
            while most - least > 1:
                middle = (least + most) // 2
                if offset(zone, middle) == before:
                    least = middle
                else:
                    most = middle
            found.append(most)
        low = near
    return found


def day_begin(zone, day):
    """Between two changes local time goes on evenly: each stretch has one first
    moment at most, and the earliest of all counts."""
    midnight = day * DAY
    starts = [midnight - FAR] + changes(zone, midnight - FAR, midnight + FAR)
    for start, end in zip(starts, starts[1:] + [midnight + FAR + 1]):
        first = max(start, midnight - offset(zone, start))
        if first < end:
            return first
    raise AssertionError("no such day")


def expected(zone, at):
    day = (at + offset(zone, at)) // DAY
    while day_begin(zone, day + 1) <= at:        # the clock went back over midnight
        day += 1
    return "%d %d %d" % (offset(zone, at), day_begin(zone, day), day_begin(zone, day + 1))


def moments(zone, chance, count):
    """Half of them anywhere, half around changes: found by looking at a year's twelve months."""
    picked = [chance.randint(SINCE, UNTIL) for _ in range(count - count // 2)]
    while len(picked) < count:
        at = chance.randint(SINCE, UNTIL)
        for _ in range(12):
            if offset(zone, at) != offset(zone, at + 31 * DAY):
                least, most = at, at + 31 * DAY
                while most - least > 1:
                    middle = (least + most) // 2
                    if offset(zone, middle) == offset(zone, at):
                        least = middle
                    else:
                        most = middle
                at = most + chance.choice([-1, 0, 0, 1, chance.randint(-DAY, DAY)])
                break
            at += 31 * DAY
        picked.append(at)
    return picked


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("driver")
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not os.path.exists(FOLDER + "/Europe/Berlin"):
        print("the time zone database is not installed: nothing to compare")
        sys.exit(77)                             # skipped, to meson
    zoneinfo.reset_tzpath([FOLDER])
    chance = random.Random(options.seed)
    asked, answers = [], []
    names = sorted(name for name in zoneinfo.available_timezones() if name != "localtime")
    for name in names:
        zone = zoneinfo.ZoneInfo(name)
        for at in moments(zone, chance, options.moments):
            asked.append("%s %d" % (name, at))
            answers.append(expected(zone, at))
    told = subprocess.run([options.driver], input="\n".join(asked) + "\n", text=True,
                          stdout=subprocess.PIPE, check=True,
                          env=dict(os.environ, TZDIR=FOLDER)).stdout.splitlines()
    wrong = [(question, answer, saying)
             for question, answer, saying in zip(asked, answers, told) if answer != saying]
    for question, answer, saying in wrong[:SHOWN]:
        print("%s: %s, not %s" % (question, saying, answer))
    failed = len(wrong) + abs(len(asked) - len(told))
    print("%d passed, %d failed (%d zones)" % (len(asked) - failed, failed, len(names)))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
