"""A second, naive evaluator of the scoring language.

It is written from the description of the language alone, shares nothing with
the C code, and prefers clarity to speed: where the two disagree, one of them
has misread the description. All arithmetic is in Fraction and int.

  evaluate(definition, lead, as_of, lists, revisions)
                                            one element of `results`
  reasons_order(definition, result)         attribute keys, weightiest first
  validate(definition)                      sorted [(pointer, code)]
  canonical(value), definition_hash(value)  RFC 8785 text and its SHA-256

Not here: `version` and the wording of reasons. A rule that the definition
gives no label is named None, for its name is the service's own choice.
"""

from fractions import Fraction

from definitions import validate
from values import (DAY, MICRO, canonical, date_of_text, decimal_of, definition_hash, fold,
                    half_away, half_up, has_word, like, same, to_date, to_number, to_text)

__all__ = ["canonical", "definition_hash", "evaluate", "reasons_order", "validate"]

DEFAULT_GRADES = [{"grade": "A", "min": 80}, {"grade": "B", "min": 60},
                  {"grade": "C", "min": 40}, {"grade": "D", "min": 0}]
DEFAULT_LEVELS = [{"level": 1, "min": 70}, {"level": 2, "min": 40}, {"level": 3, "min": 0}]

# ------------------------------------------------------------ conditions
# A verdict is (truth, causes): truth is True, False or None for unknown, and
# only an unknown one has causes.

ABSENT = object()
TRUE, FALSE = (True, frozenset()), (False, frozenset())
MISSING, INVALID = (None, frozenset(["missing"])), (None, frozenset(["invalid"]))


def verdict(truth):
    return INVALID if truth is None else TRUE if truth else FALSE


def either(verdicts):
    if TRUE in verdicts:
        return TRUE
    causes = frozenset().union(*(causes for truth, causes in verdicts if truth is None))
    return (None, causes) if causes else FALSE


def negated(found):
    truth, causes = found
    return found if truth is None else FALSE if truth else TRUE


def find(value, names):
    """What stands at a path. Through arrays it is all that stands there, as one array."""
    for at, name in enumerate(names):
        if isinstance(value, list):
            joined = []
            for element in value:
                inner = find(element, names[at:]) if isinstance(element, dict) else ABSENT
                if isinstance(inner, list):
                    joined.extend(inner)
                elif inner is not ABSENT:
                    joined.append(inner)
            return joined
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value


def at_path(lead, path):
    return find(lead, path.split("."))


def is_missing(value):
    return value is ABSENT or value is None or value == "" or value == []


def kind_trouble(element):
    """Why an element cannot even be looked at, or None."""
    if is_missing(element):
        return MISSING
    return INVALID if isinstance(element, (dict, list)) else None


class Evidence:
    """What conditions are asked against: a lead, an instant and the named lists."""

    def __init__(self, lead, as_of, lists, revisions):
        self.lead = lead
        self.as_of = date_of_text(as_of) // 1000 * 1000
        self.lists = {key: {fold(entry) for entry in entries}
                      for key, entries in (lists or {}).items()}
        self.revisions = {key: (revisions or {}).get(key, 1) for key in self.lists}

    def ask(self, condition):
        if "all" in condition:       # all = not any not
            return negated(either([negated(self.ask(part)) for part in condition["all"]]))
        if "any" in condition:
            return either([self.ask(part) for part in condition["any"]])
        if "not" in condition:
            return negated(self.ask(condition["not"]))
        return self.leaf(condition)

    def leaf(self, condition):
        operator, operand = operator_of(condition)
        value = at_path(self.lead, condition["field"])
        if operator == "exists":
            return verdict(is_missing(value) != operand)
        if is_missing(value):
            return MISSING
        elements = value if isinstance(value, list) else [value]
        if operator == "has_all":
            return self.has_all(elements, operand)
        return either([kind_trouble(element) or verdict(self.holds(operator, operand, element))
                       for element in elements])

    @staticmethod
    def has_all(elements, operand):
        troubles = [kind_trouble(element) for element in elements]
        texts = {to_text(element) for element in elements if kind_trouble(element) is None}
        if texts >= {fold(text) for text in operand}:
            return TRUE
        return either([trouble for trouble in troubles if trouble])

    def holds(self, operator, operand, value):
        if operator == "is":
            return same(value, operand)
        if operator == "in":
            answers = [same(value, entry) for entry in operand]
            return True if True in answers else False if False in answers else None
        if operator in NUMBER_TESTS or operator == "between":
            number = to_number(value)
            if number is None:
                return None
            if operator == "between":
                return to_number(operand[0]) <= number <= to_number(operand[1])
            return NUMBER_TESTS[operator](number, to_number(operand))
        if operator in DATE_TESTS:
            instant = to_date(value)
            if instant is None:
                return None
            argument = date_of_text(operand) if isinstance(operand, str) else int(operand) * DAY
            return DATE_TESTS[operator](instant, self.as_of, argument)
        text = to_text(value)
        if operator == "in_list":
            return text in self.lists.get(operand, ())
        phrases = operand if isinstance(operand, list) else [operand]
        return any(TEXT_TESTS[operator](text, fold(phrase)) for phrase in phrases)


def operator_of(condition):
    (operator,) = set(condition) - {"field"}
    return operator, condition[operator]


NUMBER_TESTS = {"gt": lambda a, b: a > b, "gte": lambda a, b: a >= b,
                "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b}
DATE_TESTS = {"before": lambda date, as_of, other: date < other,
              "after": lambda date, as_of, other: date > other,
              "within_days": lambda date, as_of, days: 0 <= as_of - date <= days,
              "older_than_days": lambda date, as_of, days: as_of - date > days,
              "in_next_days": lambda date, as_of, days: 0 <= date - as_of <= days}
TEXT_TESTS = {"starts_with": str.startswith, "ends_with": str.endswith,
              "contains": lambda text, phrase: phrase in text,
              "has_word": has_word, "like": like}


def leaves(condition):
    """All leaves, as they are written."""
    for name in ("all", "any"):
        if name in condition:
            return [leaf for part in condition[name] for leaf in leaves(part)]
    return leaves(condition["not"]) if "not" in condition else [condition]


def decisive_field(condition, evidence):
    """Of a condition that holds: the field that a person would name."""
    if "all" in condition:
        return decisive_field(condition["all"][0], evidence)
    if "any" in condition:
        return decisive_field(next(part for part in condition["any"]
                                   if evidence.ask(part) == TRUE), evidence)
    return leaves(condition)[0]["field"]


def shown_value(value):
    """The text that stands for what was found."""
    if isinstance(value, list):
        parts = [e for e in value if kind_trouble(e) is None]
    else:
        parts = [value] if kind_trouble(value) is None else []
    text = ", ".join(part if isinstance(part, str) else canonical(part) for part in parts)
    return text if len(text) <= 1000 else text[:1000] + "\u2026"


# ------------------------------------------------------------ attributes


def micro(decimal):
    return int(decimal_of(decimal) * MICRO)


def rule_fit(rule):
    return micro(rule.get("fit", 1))


def possible_fits(attribute):
    """Every fit at the ends of what this attribute can give."""
    fits = [micro(attribute.get("otherwise", 0))]
    for rule in attribute["rules"]:
        fits.append(rule_fit(rule))
        if "fade" in rule:
            fits.append(0)
    return fits


def faded_fit(rule, evidence):
    """(verdict, fit) of a rule whose condition holds."""
    if "fade" not in rule:
        return TRUE, rule_fit(rule)
    value = at_path(evidence.lead, rule["fade"]["field"])
    if is_missing(value):
        return MISSING, 0
    elements = value if isinstance(value, list) else [value]
    readable = [to_date(e) for e in elements if kind_trouble(e) is None]
    readable = [date for date in readable if date is not None]
    if not readable:
        return (MISSING if all(map(is_missing, elements)) else INVALID), 0
    age = max(0, evidence.as_of - max(readable))
    left = max(0, 1 - Fraction(age, int(rule["fade"]["days"]) * DAY))
    return TRUE, half_away(rule_fit(rule) * left)


def score_attribute(attribute, evidence):
    """What one attribute gives, with `skipped` beside the members of the answer."""
    unknown, invalid, matched, fit = False, False, None, 0
    for rule in attribute["rules"]:
        truth, causes = evidence.ask(rule["when"])
        if truth:
            (truth, causes), fit = faded_fit(rule, evidence)
        invalid = invalid or "invalid" in causes
        if truth:
            matched = rule
            break
        unknown = unknown or truth is None
    skipped = False
    if matched:
        status, field = "matched", decisive_field(matched["when"], evidence)
    else:
        field = leaves(attribute["rules"][0]["when"])[0]["field"]
        status = "unknown" if unknown else "unmatched"
        value = attribute.get("missing" if unknown else "otherwise", 0)
        skipped = value == "skip"
        fit = 0 if skipped else micro(value)
    return {"key": attribute["key"], "label": attribute["label"],
            "category": attribute["category"], "axis": attribute.get("axis", "fit"),
            "status": status, "invalid": invalid, "weight": int(attribute["weight"]),
            "fit": fit, "skipped": skipped, "rule": matched.get("label") if matched else "",
            "field": field, "value": shown_value(at_path(evidence.lead, field))}


# --------------------------------------------------------------- scores


def add_up(definition, axis, parts):
    """Sums of one axis over (category, weight, fit) with the caps applied."""
    points = {}
    maximum = {}
    for category, weight, fit in parts:
        points[category] = points.get(category, 0) + weight * fit
        maximum[category] = maximum.get(category, 0) + weight
    taken = []
    for order, cap in enumerate(definition.get("caps", [])):
        category, limit = cap["category"], int(cap["max"])
        if cap.get("axis", "fit") != axis or category not in points:
            continue
        if points[category] > limit * MICRO:
            taken.append((order, {"category": category, "axis": axis, "after": limit,
                                  "before": Fraction(points[category], MICRO)}))
            points[category] = limit * MICRO
        maximum[category] = min(maximum[category], limit)
    total, ceiling = sum(points.values()), sum(maximum.values())
    score = Fraction(100 * total, MICRO * ceiling) if ceiling else Fraction(0)
    return {"points": Fraction(total, MICRO), "max_points": ceiling, "caps": taken,
            "score": half_up(min(max(score, Fraction(0)), Fraction(100)), 2)}


def coverage(scored):
    weight = sum(one["weight"] for one in scored)
    known = sum(one["weight"] for one in scored if one["status"] != "unknown")
    return half_up(Fraction(100 * known, weight), 2) if weight else Fraction(0)


def band(bands, name, score):
    """The grade or level of a score."""
    return next(one[name] for one in bands if score >= decimal_of(one["min"]))


def parts_of(scored, fits=None):
    """What add_up takes; `fits` overrides by key, and brings skipped ones back."""
    fits = fits or {}
    return [(one["category"], one["weight"], fits.get(one["key"], one["fit"]))
            for one in scored if one["key"] in fits or not one["skipped"]]


def next_best_field(attributes, scored, lead):
    unknown = [a for a in attributes if scored[a["key"]]["status"] == "unknown"]
    if not unknown:
        return ""
    stakes = [int(a["weight"]) * (max(possible_fits(a)) - min(possible_fits(a))) for a in unknown]
    for rule in unknown[stakes.index(max(stakes))]["rules"]:
        fields = [leaf["field"] for leaf in leaves(rule["when"]) if "exists" not in leaf]
        fields += [rule["fade"]["field"]] if "fade" in rule else []
        for field in fields:
            if is_missing(at_path(lead, field)):
                return field
    return ""


def to_next_grade(definition, attributes, scored, grades, score):
    at = [one["grade"] for one in grades].index(band(grades, "grade", score))
    if at == 0:
        return []
    wanted = decimal_of(grades[at - 1]["min"])
    options = []
    for order, attribute in enumerate(attributes):
        one = scored[attribute["key"]]
        greatest = max(possible_fits(attribute))
        gain = one["weight"] * (greatest - one["fit"])
        if gain > 0:
            options.append((-gain, one["weight"], order, attribute, greatest))
    raised, steps = {}, []
    for gain, weight, order, attribute, greatest in sorted(options, key=lambda o: o[:3]):
        raised[attribute["key"]] = greatest
        best = [rule for rule in attribute["rules"] if rule_fit(rule) == greatest]
        steps.append({"attribute": attribute["key"], "gain": Fraction(-gain, MICRO),
                      "rule": best[0].get("label") if best else ""})
        if add_up(definition, "fit", parts_of(scored.values(), raised))["score"] >= wanted:
            return steps
    return []


def asked_lists(definition, evidence):
    """The lists that the definition asks, with the revisions they have."""
    conditions = [rule["when"] for a in definition["attributes"] for rule in a["rules"]]
    conditions += [d["when"] for d in definition.get("disqualifiers", [])]
    keys = []
    for leaf in (leaf for condition in conditions for leaf in leaves(condition)):
        if "in_list" in leaf and leaf["in_list"] not in keys:
            keys.append(leaf["in_list"])
    return [{"key": key, "revision": evidence.revisions.get(key, 0)} for key in keys]


def evaluate(definition, lead, as_of, lists=None, revisions=None):
    evidence = Evidence(lead, as_of, lists, revisions)
    grades = definition.get("grades", DEFAULT_GRADES)
    levels = definition.get("levels", DEFAULT_LEVELS)
    all_scored = {a["key"]: score_attribute(a, evidence) for a in definition["attributes"]}
    axes, sums = {}, {}
    for axis in ("fit", "engagement"):
        axes[axis] = {key: one for key, one in all_scored.items() if one["axis"] == axis}
        sums[axis] = add_up(definition, axis, parts_of(axes[axis].values()))
    fit_attributes = [a for a in definition["attributes"] if a["key"] in axes["fit"]]

    asked = [(d, evidence.ask(d["when"])) for d in definition.get("disqualifiers", [])]
    hit = [{"key": d["key"], "reason": d["reason"]} for d, found in asked if found == TRUE]
    score = sums["fit"]["score"]
    grade = "DQ" if hit else band(grades, "grade", score)
    level = band(levels, "level", sums["engagement"]["score"]) if axes["engagement"] else 0
    ends = []
    for choose in (min, max):
        fits = {a["key"]: choose(possible_fits(a)) for a in fit_attributes
                if all_scored[a["key"]]["status"] == "unknown"}
        ends.append(add_up(definition, "fit", parts_of(axes["fit"].values(), fits))["score"])

    return {
        "icp": definition["key"], "score": score, "grade": grade, "qualified": not hit,
        "coverage": coverage(axes["fit"].values()),
        "points": sums["fit"]["points"], "max_points": sums["fit"]["max_points"],
        "engagement": {"score": sums["engagement"]["score"], "level": level,
                       "points": sums["engagement"]["points"],
                       "max_points": sums["engagement"]["max_points"],
                       "coverage": coverage(axes["engagement"].values())},
        "label": "DQ" if hit else grade + (str(int(level)) if axes["engagement"] else ""),
        "range": {"min": ends[0], "max": ends[1], "grade_min": band(grades, "grade", ends[0]),
                  "grade_max": band(grades, "grade", ends[1])},
        "next_best_field": next_best_field(fit_attributes, all_scored, lead),
        "disqualifiers": hit,
        "unverified": [d["key"] for d, (truth, causes) in asked if truth is None],
        "attributes": [answered(one) for one in all_scored.values()],
        "caps": [cap for order, cap in sorted(sums["fit"]["caps"] + sums["engagement"]["caps"],
                                              key=lambda entry: entry[0])],
        "lists": asked_lists(definition, evidence),
        "to_next_grade": [] if hit else to_next_grade(definition, fit_attributes, axes["fit"],
                                                      grades, score)}


def answered(one):
    """An attribute as the answer shows it."""
    one = dict(one, fit=Fraction(one["fit"], MICRO))
    one["points"] = one["weight"] * one["fit"]
    one["max_points"] = 0 if one.pop("skipped") else one["weight"]
    return one


def reasons_order(definition, result):
    """Attribute keys of both axes by what they gave or cost, the greatest first."""
    def moment(pair):
        attribute, one = pair
        greatest = Fraction(max(possible_fits(attribute)), MICRO)
        return -max(abs(one["points"]), one["weight"] * greatest - one["points"])
    pairs = zip(definition["attributes"], result["attributes"])
    return [one["key"] for attribute, one in sorted(pairs, key=moment)]
