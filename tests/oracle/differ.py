"""Asks a driver and the oracle the same random questions and compares all that
they say.

  differ.py [DRIVER] [--count 20000] [--seed N] [--keep FILE]

DRIVER may also be named by LF_DRIVER in the environment; `oracle` stands for
the oracle itself. A third of the questions hold a definition that is to be
refused. The first differences are shrunk and shown; --keep writes their shrunk
requests to a file, one a line. Exit code 1 where anything differs.
"""

import argparse
import copy
import json
import os
import sys
import time

import oracle
from breaking import broken
from driver import Driver, OracleDriver, compare, compare_reasons, compare_refusal
from generate import Maker

BATCH = 1_000                # requests that one process of the driver answers
SHOWN = 5                    # differences that are shrunk and printed
CHUNK = 100                  # smaller requests that are tried at once
SHRINK_S = 30                # for one of them; a large definition has no end of parts
FREE = {"reason", "definition_hash", "version"}


def differences(request, answer):
    if "died" in answer:
        return ["the driver gave no answer: " + answer["died"]]
    definition = request["definition"]
    findings = oracle.validate(definition)
    if findings:
        return compare_refusal([{"pointer": where, "code": code} for where, code in findings],
                               answer)
    if "result" not in answer:
        return ["expected a result, got %s" % json.dumps(answer, ensure_ascii=False, default=str)]
    expected = oracle.evaluate(definition, request["lead"], request["as_of"], request["lists"],
                               request["revisions"])
    told = compare(expected, answer["result"], "result", FREE)
    if told:
        return told
    digest = oracle.definition_hash(definition)
    for holder in (answer, answer["result"]):
        if holder.get("definition_hash", digest if holder is not answer else None) != digest:
            told.append("definition_hash: expected %s, got %s" % (
                digest, holder.get("definition_hash")))
    for one in answer["result"]["attributes"]:
        if not isinstance(one.get("reason"), str) or not one["reason"]:
            told.append("attribute %s has no reason" % one["key"])
    keys = [one["key"] for one in expected["disqualifiers"]]
    return told or compare_reasons(keys + oracle.reasons_order(definition, expected), answer)


# ------------------------------------------------------------- shrinking


def smaller(value):
    """Copies of a JSON value with one thing less, the greatest losses first."""
    if isinstance(value, dict):
        for name in value:
            yield {other: value[other] for other in value if other != name}
        for name in ("all", "any", "not"):
            inner = value.get(name)
            if len(value) == 1 and inner:
                yield inner[0] if isinstance(inner, list) else inner
    if isinstance(value, list):
        if len(value) > 8:
            yield value[:len(value) // 2]
            yield value[len(value) // 2:]
        for at in range(len(value)):
            yield value[:at] + value[at + 1:]
    if isinstance(value, (dict, list)):
        for at in (value if isinstance(value, dict) else range(len(value))):
            for less in smaller(value[at]):
                changed = copy.copy(value)
                changed[at] = less
                yield changed


def first_differing(driver, candidates):
    for candidate, answer in zip(candidates, driver.ask(candidates, patient=False)):
        if differences(candidate, answer):
            return candidate
    return None


def shrunk(driver, request):
    """The request with everything dropped that the difference can do without.
    What is to be found in the definition may only grow less, lest another
    difference take its place."""
    codes = {code for where, code in oracle.validate(request["definition"])}

    def admissible(candidate):
        if set(candidate["lists"]) != set(request["lists"]):
            return False         # a list that is not there is another question
        found = {code for where, code in oracle.validate(candidate["definition"])}
        return found <= codes and bool(found) == bool(codes)
    until = time.monotonic() + SHRINK_S
    while time.monotonic() < until:
        candidates = [dict(request, **{part: less}) for part in ("definition", "lead", "lists")
                      for less in smaller(request[part])]
        chunks = (list(filter(admissible, candidates[at:at + CHUNK]))
                  for at in range(0, len(candidates), CHUNK) if time.monotonic() < until)
        less = next(filter(None, (first_differing(driver, chunk) for chunk in chunks)), None)
        if less is None:
            break
        request = less
    return request


def show(number, request, told):
    print("---- difference %d" % number)
    for line in told[:8]:
        print("  " + line)
    for part in ("definition", "lead", "lists", "revisions", "as_of"):
        print("  %s: %s" % (part, json.dumps(request[part], ensure_ascii=False)))
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("driver", nargs="?", default=os.environ.get("LF_DRIVER"))
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    options = parser.parse_args()
    if "LEADFIT_SHORT" in os.environ:        # of the sanitizers' builds: tests/run
        options.count = max(1, options.count // 4)
    if not options.driver:
        parser.error("name a driver, or set LF_DRIVER")
    driver = OracleDriver() if options.driver == "oracle" else Driver(options.driver)
    maker = Maker(options.seed)
    passed, failed, kept = 0, 0, []
    while passed + failed < options.count:
        size = min(BATCH, options.count - passed - failed)
        requests = [broken(maker) if maker.chance(1 / 3) else maker.request()
                    for _ in range(size)]
        for request, answer in zip(requests, driver.ask(requests)):
            if not differences(request, answer):
                passed += 1
                continue
            failed += 1
            if failed <= SHOWN:
                print("difference %d found, shrinking it" % failed, flush=True)
                kept.append(shrunk(driver, request))
                show(failed, kept[-1], differences(kept[-1], driver.ask(kept[-1:])[0]))
    if options.keep:
        with open(options.keep, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in kept)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
