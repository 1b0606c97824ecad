"""Runs the cases in this folder through a scoring driver.

  run.py [DRIVER] [FILE.json …]     the driver may also be named by LF_DRIVER
  run.py --oracle [FILE.json …]     the same cases against tests/oracle

README.md says how a case is written, oracle/driver.py what a driver is.
Exit code 1 where a case fails.
"""

import argparse
import json
import os
import sys
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "oracle"))

from driver import Driver, OracleDriver, compare, compare_reasons, compare_refusal  # noqa: E402

AS_OF = "2025-06-30T12:00:00Z"       # where a case does not say
MEMBERS = {"name", "definition", "when", "holds", "lead", "as_of", "lists", "revisions", "expect",
           "refused"}

# What `holds` says of the one attribute of a `when` case.
HOLDS = {True: ("matched", False), False: ("unmatched", False),
         "missing": ("unknown", False), "invalid": ("unknown", True)}


def definition_around(condition):
    """The smallest definition that asks one condition."""
    return {"key": "case", "name": "Case", "framework": "use_cases", "attributes": [
        {"key": "asked", "label": "Asked", "category": "firmographic", "weight": 100,
         "rules": [{"when": condition, "label": "holds"}]}]}


def definition_of(case, document):
    if "when" in case:
        return definition_around(case["when"])
    if isinstance(case["definition"], str):
        return document["definitions"][case["definition"]]
    return case["definition"]


def request_of(case, document):
    return {"definition": definition_of(case, document), "lead": case.get("lead", {}),
            "as_of": case.get("as_of", AS_OF), "lists": case.get("lists", {}),
            "revisions": case.get("revisions", {})}


def expectation_of(case):
    """What must be in the result, with `holds` put in the result's own words."""
    expected = dict(case.get("expect", {}))
    if "holds" in case:
        status, invalid = HOLDS[case["holds"]]
        expected["attributes"] = [{"status": status, "invalid": invalid}]
        expected["score"] = 100 if status == "matched" else 0
    return expected


def differences(case, answer):
    if "died" in answer:
        return ["the driver gave no answer: " + answer["died"]]
    if "refused" in case:
        return compare_refusal(case["refused"], answer)
    if "result" not in answer:
        return ["expected a result, got %s" % json.dumps(answer, ensure_ascii=False, default=str)]
    expected = expectation_of(case)
    keys = expected.pop("reasons", None)
    digest = expected.pop("definition_hash", None)
    told = compare(expected, answer["result"], "result")
    if keys is not None:
        told += compare_reasons(keys, answer)
    if digest is not None:
        told += compare(digest, answer.get("definition_hash"), "definition_hash")
    return told


def faults(case, names):
    """A slip in writing a case must not let it pass."""
    found = ["no such member of a case: " + name for name in case if name not in MEMBERS]
    found += ["a case needs " + what for what, present in (
        ("a name that no other case of the file has", case.get("name") not in names | {None}),
        ("one of definition and when", ("definition" in case) != ("when" in case)),
        ("one of holds, expect and refused", any(
            one in case for one in ("holds", "expect", "refused"))),
    ) if not present]
    return found


def load(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    # Expected numbers are compared as they are written, not as doubles.
    with open(path, encoding="utf-8") as file:
        exact = json.load(file, parse_float=Decimal)
    return document, exact["cases"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("arguments", nargs="*", metavar="DRIVER or FILE.json")
    parser.add_argument("--oracle", action="store_true", help="ask the oracle, not a driver")
    options = parser.parse_args()
    programs = [one for one in options.arguments if not one.endswith(".json")]
    paths = [one for one in options.arguments if one.endswith(".json")] or sorted(
        os.path.join(HERE, name) for name in os.listdir(HERE) if name.endswith(".json"))
    program = programs[0] if programs else os.environ.get("LF_DRIVER")
    if len(programs) > 1 or not (program or options.oracle):
        parser.error("name one driver, set LF_DRIVER, or say --oracle")
    driver = OracleDriver() if options.oracle else Driver(program)

    passed = failed = 0
    for path in paths:
        document, cases = load(path)
        names, requests, told = set(), [], []
        for case, exact in zip(document["cases"], cases):
            told.append(faults(case, names))
            names.add(case.get("name"))
            requests.append(request_of(case, document) if not told[-1] else
                            {"definition": {}, "lead": {}, "as_of": AS_OF, "lists": {}})
        for at, (case, answer) in enumerate(zip(cases, driver.ask(requests))):
            lines = told[at] or differences(case, answer)
            if not lines:
                passed += 1
                continue
            failed += 1
            print("FAILED %s: %s" % (os.path.basename(path), case.get("name")))
            for line in lines[:10]:
                print("    " + line)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
