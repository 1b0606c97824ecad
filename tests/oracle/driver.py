"""Talks to a scoring driver, and compares what it says with what is expected.

A driver reads one request a line on standard input,
  {"definition": {…}, "lead": {…}, "as_of": "…", "lists": {"key": ["a", …]},
   "revisions": {"key": 1}}
(a list's revision is 1 where none is given) and prints one answer for each:
  {"result": {…one element of `results`…}, "reason_1": "…", "reason_2": "…",
   "reason_3": "…", "definition_hash": "sha256:…"}
  or {"refused": [{"pointer": "…", "code": "…"}, …]}
OracleDriver answers in the same way out of oracle.py.
"""

import json
import subprocess
from decimal import Decimal
from fractions import Fraction

import oracle

TIMEOUT_S = 120
REASONS = ("reason_1", "reason_2", "reason_3")


class Driver:
    def __init__(self, program):
        self.program = program

    def ask(self, requests, patient=True):
        """Answers in the order of the requests. One that killed or hung the
        driver has {"died": "…"} for its answer; then the rest is asked anew, or
        left out by the impatient."""
        answers = []
        while len(answers) < len(requests):
            rest = requests[len(answers):]
            # Every other line is written with escapes, for both are the same JSON.
            lines = "".join(json.dumps(one, ensure_ascii=at % 2 == 0) + "\n"
                            for at, one in enumerate(rest))
            try:
                done = subprocess.run([self.program], input=lines.encode("utf-8"),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      timeout=TIMEOUT_S, check=False)
                output, status = done.stdout, "status %d" % done.returncode
                status += "".join("\n" + line for line in
                                  done.stderr.decode("utf-8", "replace").splitlines()[:20])
            except subprocess.TimeoutExpired as late:
                output, status = late.stdout or b"", "no answer in %d s" % TIMEOUT_S
            # A line that was cut short by a death is no answer.
            answers += [parsed(line) for line in output.split(b"\n")[:-1][:len(rest)]]
            if len(answers) < len(requests):
                answers.append({"died": status})
                if not patient:
                    break
        return answers


def parsed(line):
    try:
        return json.loads(line.decode("utf-8"), parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        return {"died": "not JSON: %s: %r" % (error, line[:200])}


class OracleDriver:
    """The oracle behind the same door, with stand-ins for the free wording."""

    def ask(self, requests, patient=True):
        del patient              # it never dies
        return [self.answer(one) for one in requests]

    @staticmethod
    def answer(request):
        findings = oracle.validate(request["definition"])
        if findings:
            return {"refused": [{"pointer": pointer, "code": code} for pointer, code in findings]}
        result = oracle.evaluate(request["definition"], request["lead"], request["as_of"],
                                 request.get("lists"), request.get("revisions"))
        order = oracle.reasons_order(request["definition"], result)
        for one in result["attributes"]:
            one["reason"] = "because of " + one["key"]
        for one in result["attributes"] + result["to_next_grade"]:
            one["rule"] = "an unnamed rule" if one["rule"] is None else one["rule"]
        reasons = [one["reason"] for one in result["disqualifiers"]]
        reasons += ["because of " + key for key in order] + ["", "", ""]
        return {"result": result, "definition_hash": oracle.definition_hash(request["definition"]),
                **dict(zip(REASONS, reasons))}


# ------------------------------------------------------------ comparison


def shown(value):
    """A value as a person reads it; long ones are cut."""
    def plain(number):           # a Decimal or a Fraction
        return int(number) if number == int(number) else float(number)
    text = json.dumps(value, ensure_ascii=False, default=plain)
    return text if len(text) <= 300 else text[:300] + " …"


def is_numeric(value):
    return isinstance(value, (int, float, Decimal, Fraction)) and not isinstance(value, bool)


def compare(expected, actual, place="", free=None):
    """Lines that say where actual differs. `free` names members that actual may
    have beyond the expected ones, at any depth; None allows any. An expected
    None stands for some text that is not empty."""
    def unlike():
        wanted = "some text" if expected is None else shown(expected)
        return ["%s: expected %s, got %s" % (place or "answer", wanted, shown(actual))]
    if expected is None:
        return [] if isinstance(actual, str) and actual else unlike()
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return unlike()
        differences = ["%s.%s: not in the answer" % (place, name)
                       for name in expected if name not in actual]
        if free is not None:
            differences += ["%s.%s: not expected, is %s" % (place, name, shown(actual[name]))
                            for name in actual if name not in expected and name not in free]
        for name in expected:
            if name in actual:
                differences += compare(expected[name], actual[name], "%s.%s" % (place, name), free)
        return differences
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return unlike()
        return [line for at, (one, other) in enumerate(zip(expected, actual))
                for line in compare(one, other, "%s[%d]" % (place, at), free)]
    if is_numeric(expected):
        if not is_numeric(actual) or Fraction(actual) != Fraction(expected):
            return unlike()
        if isinstance(actual, Decimal) and actual.is_zero() and actual.is_signed():
            return ["%s: a zero with a minus sign" % place]
        return []
    return [] if type(expected) is type(actual) and expected == actual else unlike()


def compare_refusal(expected, answer):
    """Findings as sets: in which order they come is the service's own choice."""
    if "refused" not in answer:
        return ["expected to be refused, got %s" % shown(answer)]
    found = {(one.get("pointer"), one.get("code")) for one in answer["refused"]}
    wanted = {(one["pointer"], one["code"]) for one in expected}
    return (["not found: %s at %s" % (code, shown(where)) for where, code in sorted(wanted - found)]
            + ["found beyond that: %s at %s" % (code, shown(where))
               for where, code in sorted(found - wanted, key=str)])


def compare_reasons(keys, answer):
    """reason_N against the keys of attributes (or of true disqualifiers) that
    they must speak of; shorter lists are filled up with nothing."""
    result = answer["result"]
    texts = {one["key"]: one.get("reason") for one in result["attributes"]}
    texts.update((one["key"], one.get("reason")) for one in result["disqualifiers"])
    wanted = ([texts.get(key) for key in keys] + ["", "", ""])[:3]
    found = [answer.get(name) for name in REASONS]
    if None not in wanted and wanted == found:
        return []
    return ["reasons: expected those of %s: %s, got %s" % (shown(keys), shown(wanted),
                                                           shown(found))]
