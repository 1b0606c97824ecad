"""What a definition may hold: every finding, as (JSON pointer, code).

Checks are small functions of (value, pointer, findings). The shape of the
document is a table of them, near the end, to be read beside the description
of the definition document. See oracle.py for why this exists.
"""

import re

from values import date_of_text, decimal_of, fold, is_number

FRAMEWORKS = ["use_cases", "pain_points", "buying_triggers", "journey_map", "value_proposition",
              "life_stages", "jobs_to_be_done"]
CATEGORIES = ["firmographic", "demographic", "decision_maker", "technographic", "psychographic",
              "behavioral", "need", "trigger", "legal"]
AXES = ["fit", "engagement"]
DEEPEST = 16                 # conditions in one another, the leaf counted
MOST_OPERANDS = 10_000


def step(pointer, name):
    """One step down a JSON pointer (RFC 6901)."""
    return pointer + "/" + str(name).replace("~", "~0").replace("/", "~1")


# ------------------------------------------------------ checks of values


def text(least, most):
    def check(value, pointer, findings):
        if not isinstance(value, str):
            findings.append((pointer, "wrong_type"))
        elif len(value) < least:
            findings.append((pointer, "too_few"))
        elif len(value) > most:
            findings.append((pointer, "too_many"))
    return check


def word(allowed):
    def check(value, pointer, findings):
        if not isinstance(value, str):
            findings.append((pointer, "wrong_type"))
        elif value not in allowed:
            findings.append((pointer, "invalid_value"))
    return check


def key(value, pointer, findings):
    if not isinstance(value, str):
        findings.append((pointer, "wrong_type"))
    elif not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", value):
        findings.append((pointer, "invalid_key"))


def decimal(low, high, places):
    """Between low and high with so many decimal places; an integer with none.
    One finding a value: what is out of range is not counted for its places."""
    def check(value, pointer, findings):
        if not is_number(value):
            findings.append((pointer, "wrong_type"))
        elif not low <= decimal_of(value) <= high:
            findings.append((pointer, "out_of_range"))
        elif (decimal_of(value) * 10 ** places).denominator != 1:
            findings.append((pointer, "too_many_places" if places else "out_of_range"))
    return check


def integer(low, high):
    return decimal(low, high, 0)


def number(value, pointer, findings):
    if not is_number(value):
        findings.append((pointer, "wrong_type"))


def boolean(value, pointer, findings):
    if not isinstance(value, bool):
        findings.append((pointer, "wrong_type"))


def fit_or_skip(value, pointer, findings):
    (word(["skip"]) if isinstance(value, str) else decimal(-1, 1, 6))(value, pointer, findings)


def day(value, pointer, findings):
    if not isinstance(value, str):
        findings.append((pointer, "wrong_type"))
    elif len(value) != 10 or date_of_text(value) is None:
        findings.append((pointer, "invalid_date"))


def date(value, pointer, findings):
    if not isinstance(value, str):
        findings.append((pointer, "wrong_type"))
    elif date_of_text(value) is None:
        findings.append((pointer, "invalid_date"))


def grade_name(value, pointer, findings):
    text(1, 20)(value, pointer, findings)
    if value == "DQ":                # that is what the disqualified are called
        findings.append((pointer, "invalid_value"))


def path(value, pointer, findings):
    if not isinstance(value, str):
        findings.append((pointer, "wrong_type"))
    elif "" in value.split(".") or len(value.encode("utf-8")) > 200:
        findings.append((pointer, "invalid_path"))


def array(least, most, element, afterwards=None):
    def check(value, pointer, findings):
        if not isinstance(value, list):
            findings.append((pointer, "wrong_type"))
            return
        if len(value) < least:
            findings.append((pointer, "too_few"))
        if len(value) > most:
            findings.append((pointer, "too_many"))
        for at, one in enumerate(value):
            element(one, step(pointer, at), findings)
        if afterwards:
            afterwards(value, pointer, findings)
    return check


def record(required, optional):
    def check(value, pointer, findings):
        if not isinstance(value, dict):
            findings.append((pointer, "wrong_type"))
            return
        for name in required:
            if name not in value:
                findings.append((step(pointer, name), "required"))
        members = dict(required, **optional)
        for name, one in value.items():
            if name in members:
                members[name](one, step(pointer, name), findings)
            else:
                findings.append((step(pointer, name), "unknown_member"))
    return check


# --------------------------------------------- checks between neighbours


def member_of(one, name):
    return one.get(name) if isinstance(one, dict) else None


def unique(name):
    """No two with the same text under that name."""
    def check(value, pointer, findings):
        seen = set()
        for at, one in enumerate(value):
            found = member_of(one, name)
            if isinstance(found, str) and found in seen:
                findings.append((step(step(pointer, at), name), "duplicate"))
            elif isinstance(found, str):
                seen.add(found)
    return check


def one_cap_each(value, pointer, findings):
    seen = []
    for at, one in enumerate(value):
        if not isinstance(member_of(one, "category"), str):
            continue
        place = (one["category"], one.get("axis", "fit"))
        if place in seen:
            findings.append((step(step(pointer, at), "category"), "duplicate"))
        seen.append(place)


def descending(value, pointer, findings):
    """Minimums fall strictly and end at 0; a repeated one is a duplicate."""
    before = None
    for at, one in enumerate(value):
        found, place = member_of(one, "min"), step(step(pointer, at), "min")
        if not is_number(found) or any(where == place for where, code in findings):
            continue
        if before is not None and found >= before:
            findings.append((place, "duplicate" if found == before else "out_of_range"))
        elif at == len(value) - 1 and found != 0:
            findings.append((place, "out_of_range"))
        before = found


def grades_in_order(value, pointer, findings):
    unique("grade")(value, pointer, findings)
    descending(value, pointer, findings)


def levels_in_order(value, pointer, findings):
    """Levels count upwards from 1; a repeated one is out of sequence."""
    for at, one in enumerate(value):
        found, place = member_of(one, "level"), step(step(pointer, at), "level")
        if is_number(found) and found != at + 1 and (place, "out_of_range") not in findings:
            findings.append((place, "out_of_range"))
    descending(value, pointer, findings)


# ------------------------------------------------------------ conditions


def operand_text(value, pointer, findings):
    if not isinstance(value, str):
        findings.append((pointer, "wrong_type"))
    elif not fold(value):
        findings.append((pointer, "empty_text"))


def scalar(value, pointer, findings):
    if not isinstance(value, bool) and not is_number(value):
        operand_text(value, pointer, findings)


def text_or_texts(value, pointer, findings):
    check = array(1, MOST_OPERANDS, operand_text) if isinstance(value, list) else operand_text
    check(value, pointer, findings)


OPERANDS = {
    "is": scalar, "in": array(1, MOST_OPERANDS, scalar),
    "starts_with": text_or_texts, "ends_with": text_or_texts, "contains": text_or_texts,
    "has_word": text_or_texts, "like": text_or_texts,
    "gt": number, "gte": number, "lt": number, "lte": number, "between": array(2, 2, number),
    "before": date, "after": date, "within_days": integer(0, 36_500),
    "older_than_days": integer(0, 36_500), "in_next_days": integer(0, 36_500),
    "has_all": array(1, MOST_OPERANDS, operand_text), "in_list": key, "exists": boolean}
JOINTS = ["all", "any", "not"]


def condition(value, pointer, findings, depth=1):
    if depth > DEEPEST:
        findings.append((pointer, "too_deep"))
        return
    if not isinstance(value, dict):
        findings.append((pointer, "wrong_type"))
        return
    for name in value:
        if name != "field" and name not in JOINTS and name not in OPERANDS:
            findings.append((step(pointer, name), "unknown_member"))
    if "field" in value:
        path(value["field"], step(pointer, "field"), findings)
    operators = [name for name in value if name in JOINTS or name in OPERANDS]
    if len(operators) != 1 or ("field" in value) != (operators[0] in OPERANDS):
        # What such a condition means is anybody's guess, so its operands are not looked at.
        findings.append((pointer, "operator"))
        return
    operator = operators[0]
    operand, place = value[operator], step(pointer, operator)

    def deeper(one, where, found):
        condition(one, where, found, depth + 1)
    if operator == "not":
        deeper(operand, place, findings)
    elif operator in JOINTS:
        array(1, float("inf"), deeper)(operand, place, findings)
    else:
        OPERANDS[operator](operand, place, findings)


# ---------------------------------------------------- the document itself

NAME = text(1, 200)
STORY = text(1, 4_000)
STORIES = array(0, 100, STORY)
FIT = decimal(-1, 1, 6)
MINIMUM = decimal(0, 100, 2)

FADE = record({"field": path, "days": integer(1, 36_500)}, {})
RULE = record({"when": condition}, {"fit": FIT, "label": NAME, "fade": FADE})
ATTRIBUTE = record(
    {"key": key, "label": NAME, "category": word(CATEGORIES), "weight": integer(1, 1_000),
     "rules": array(1, 50, RULE)},
    {"rationale": STORY, "axis": word(AXES), "otherwise": FIT, "missing": fit_or_skip})
PROFILE = record({}, {
    "problem": STORY, "buyer": STORY, "user": STORY, "pain_points": STORIES, "goals": STORIES,
    "challenges": STORIES, "priorities": STORIES, "kpis": STORIES, "watering_holes": STORIES,
    "not_for": STORIES})
CAP = record({"category": word(CATEGORIES), "max": integer(1, 1_000_000)}, {"axis": word(AXES)})
DISQUALIFIER = record({"key": key, "reason": NAME, "when": condition}, {})
DEFINITION = record(
    {"key": key, "name": NAME, "framework": word(FRAMEWORKS),
     "attributes": array(1, 200, ATTRIBUTE, unique("key"))},
    {"purpose": word(["core", "experimental"]), "summary": STORY, "profile": PROFILE,
     "owners": array(0, 100, record({"name": NAME, "function": NAME}, {})), "review_by": day,
     "caps": array(0, 40, CAP, one_cap_each),
     "disqualifiers": array(0, 100, DISQUALIFIER, unique("key")),
     "grades": array(1, 20, record({"grade": grade_name, "min": MINIMUM}, {}), grades_in_order),
     "levels": array(1, 20, record({"level": integer(1, float("inf")), "min": MINIMUM}, {}),
                     levels_in_order)})


def validate(definition):
    findings = []
    DEFINITION(definition, "", findings)
    return sorted(set(findings))
