"""Random definitions and leads that go together, from a seed.

A lead is made from the definition's own operands, so that about half of the
leaves hold, and many of the rest miss by the least step: one day and one
microsecond, an end of a range, a folded letter. broken() spoils a definition
in one or two places, for the validator.

  python3 generate.py [SEED [COUNT]]     prints such requests, one a line
"""

import json
import random
import struct
import sys
import unicodedata

from definitions import AXES, CATEGORIES, FRAMEWORKS
from values import DAY, MICRO, date_of_text, number_text

WORDS = ["VP, Sales", "vp", "MVP", "Head of Operations", "Chief Revenue Officer", "C++/Java",
         "c++", "sales", "Größe AG", "Straße", "STRASSE", "ΣΊΣΥΦΟΣ", "İstanbul", "ﬁnance",
         "日本 製造", "Ⅷ", "Café", "e\u0301lan", "Plant 🏭 7", "50 %", "manufacturing",
         "Mid-market", "R&D", "O'Brien & Sons", "snake_case", "user_id 7", "1.5", "true", "No",
         "ＡＣＭＥ", "acme.example", "Zürich", "ok", "a", "½ ton", "Ελλάδα", "straße 7", "ǅ",
         "한국", "पुणे", "Москва", "№ 5", "100", "1e3", "back\\slash", "quo\"te", "tab\there",
         "ꙋ", "ᾳ", "ŉ", "K", "㎏", "a*b", "what?", "x.y", "*", "_"]
SPACES = [" ", "  ", "\t", "\u00a0", "\u2003", "\u3000", "\n", "\u2028", "\u1680", "\u0085"]
IGNORABLES = ["\u00ad", "\u200b", "\u200d", "\ufeff", "\ufe0f", "\u2060", "\u034f", "\U000e0041",
              "\u2065", "\U000e0fff"]     # the last two are unassigned, and ignorable all the same
NUMBERS = [0, 1, 2, -1, 5, 10, 199, 200, 499, 500, 5000, 0.5, 1.5, -0.25, 0.1, 99.99, 1e3, 20.0,
           1e21, 1e-7, 123456789, -0.0, 2.5e10, 1e20, 3.141592653589793, 1000000]
FIELDS = ["title", "company.employees", "company.name", "company.industry", "company.domain",
          "people.title", "people.seniority", "people.tags", "technologies", "annual revenue",
          "company.offices.city", "last_visit_at", "visits", "trial", "funding.closed_at",
          "people.joined_at", "people.0.title", "notes.all", "übersicht.größe"]
# Scripts whose letters fold, compose, decompose or carry marks. All of it was
# assigned long ago, lest two versions of Unicode disagree.
LETTERS = [(0x21, 0x7E), (0xA1, 0x17F), (0x1C4, 0x233), (0x300, 0x345), (0x391, 0x3A1),
           (0x3A3, 0x3CE), (0x400, 0x481), (0x531, 0x556), (0x5D0, 0x5EA), (0x621, 0x655),
           (0x905, 0x939), (0x93C, 0x94D), (0x10A0, 0x10C5), (0x1100, 0x11A6), (0x11A8, 0x11FF),
           (0x13A0, 0x13EF), (0x1E00, 0x1EF9), (0x2070, 0x2071), (0x2100, 0x2138),
           (0x2150, 0x2188), (0x2460, 0x24FF), (0x3041, 0x3094), (0x3200, 0x321C),
           (0xAB70, 0xABBF), (0xAC00, 0xAC60), (0xF900, 0xF920), (0xFB00, 0xFB06),
           (0xFF01, 0xFF9F), (0x10400, 0x1044F), (0x1D400, 0x1D454), (0x2F800, 0x2F810)]
LISTS = ["competitors", "free-mail", "target-accounts"]
TEXT_OPERATORS = ["starts_with", "ends_with", "contains", "has_word", "like"]
NUMBER_OPERATORS = ["gt", "gte", "lt", "lte", "between"]
DATE_OPERATORS = ["before", "after", "within_days", "older_than_days", "in_next_days"]
OPERATORS = (["is", "in"] + TEXT_OPERATORS + NUMBER_OPERATORS + DATE_OPERATORS
             + ["has_all", "in_list", "exists"])
DAYS = [0, 1, 7, 30, 90, 365, 36500]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.as_of = 0           # microseconds
        self.lists = {}

    def chance(self, share):
        return self.random.random() < share

    def pick(self, options):
        return self.random.choice(options)

    def word(self):
        """Mostly one of the words, at times letters of anywhere."""
        if self.chance(0.9):
            return self.pick(WORDS)
        letters = [chr(self.random.randint(*self.pick(LETTERS)))
                   for _ in range(self.random.randint(1, 6))]
        return "".join(letters)

    def any_number(self):
        """Mostly one of the numbers, at times any double at all."""
        if self.chance(0.9):
            return self.pick(NUMBERS)
        (number,) = struct.unpack("<d", self.random.randbytes(8))
        near = self.random.uniform(-1, 1) * 10.0 ** self.random.randint(-9, 24)
        return number if abs(number) < 1e308 and self.chance(0.5) else near

    # ------------------------------------------------------ definitions

    def request(self):
        """One line for the driver, valid in every part."""
        text = self.pick(["2025-06-30T12:00:00Z", "2024-02-29T00:00:00Z", "2026-01-01T00:00:00Z",
                          "2025-03-10T23:59:59.999+02:00", "1969-12-31T23:59:59.5Z"])
        self.as_of = date_of_text(text) // 1000 * 1000
        self.lists = {key: self.words(0, 4) for key in LISTS if self.chance(0.85)}
        definition = self.definition()
        return {"definition": definition, "lead": self.lead(definition), "as_of": text,
                "lists": self.lists, "revisions": self.revisions()}

    def revisions(self):
        """Of most lists, and at times of one that is not there."""
        return {key: self.pick([1, 2, 7, 127, 128, 20260101, 2 ** 53])
                for key in LISTS if self.chance(0.8)}

    def words(self, least, most):
        return [self.word() for _ in range(self.random.randint(least, most))]

    def definition(self):
        made = {"key": self.pick(["core-icp", "a", "0", "x" * 64]), "name": "Mid-market",
                "framework": self.pick(FRAMEWORKS)}
        count = 200 if self.chance(0.003) else self.pick([1, 1, 2, 3, 4, 6])
        made["attributes"] = [self.attribute(at) for at in range(count)]
        if self.chance(0.15):
            self.near_rounding(made["attributes"])
        if self.chance(0.4):
            places = [(c, a) for c in CATEGORIES for a in AXES]
            used = [(a["category"], a.get("axis", "fit")) for a in made["attributes"]]
            chosen = {self.pick(used) if self.chance(0.8) else self.pick(places)
                      for _ in range(self.random.randint(1, 3))}
            made["caps"] = [self.cap(*place) for place in sorted(chosen)]
        if self.chance(0.5):
            made["disqualifiers"] = [
                {"key": "stop-%d" % at, "reason": self.pick(["Competitor", "Too small 🏭"]),
                 "when": self.condition(2)} for at in range(self.random.randint(1, 3))]
        if self.chance(0.3):
            made["grades"] = self.bands("grade", ["Gold", "B+", "C", "Ω", "E"])
        if self.chance(0.3):
            made["levels"] = self.bands("level", [1, 2, 3, 4, 5])
        if self.chance(0.2):
            made.update(purpose=self.pick(["core", "experimental"]), review_by="2027-03-01",
                        summary="Ein \u201cWerk\u201d\u007f\u001f", owners=[
                            {"name": "Revenue operations", "function": "sales"}],
                        profile={"problem": "Plans on spreadsheets", "pain_points": ["late"]})
        return made

    def attribute(self, at):
        made = {"key": "attribute-%d" % at, "label": self.pick(["Size", "Title 🏭", "Region"]),
                "category": self.pick(CATEGORIES[:4]),
                "weight": self.pick([1, 3, 7, 10, 20, 20.0, 33, 100, 1000,
                                     self.random.randint(1, 1000)]),
                "rules": [self.rule(number) for number in range(self.pick([1, 1, 2, 3]))]}
        if self.chance(0.25):
            made["axis"] = "engagement"
        elif self.chance(0.1):
            made["axis"] = "fit"
        if self.chance(0.4):
            made["otherwise"] = self.fit()
        if self.chance(0.5):
            made["missing"] = "skip" if self.chance(0.5) else self.fit()
        return made

    def rule(self, at):
        made = {"when": self.condition(self.pick([0, 0, 0, 1, 1, 2, 3]))}
        if self.chance(0.02):            # as deep as may be
            for _ in range(15):
                made["when"] = {"not": made["when"]} if self.chance(0.5) else {
                    "any": [made["when"]]}
            made["when"] = self.shallower(made["when"])
        if self.chance(0.7):
            made["fit"] = self.fit()
        if self.chance(0.8):
            made["label"] = "rule %d" % at
        if self.chance(0.25):
            made["fade"] = {"field": self.pick(["last_visit_at", "funding.closed_at",
                                                "people.joined_at", self.pick(FIELDS)]),
                            "days": self.pick([1, 3, 7, 30, 90.0, 365, 36500])}
        return made

    def shallower(self, condition):
        """Peels joints off until the condition is at most 16 deep."""
        while depth(condition) > 16:
            (inner,) = condition.values()
            condition = inner if isinstance(inner, dict) else inner[0]
        return condition

    def fit(self):
        return self.pick([1, 1.0, 0.5, 0, -0.0, 0.25, -0.5, -1, 0.333333, 0.000001, -0.000001,
                          0.1, 0.7, self.random.randint(-1000000, 1000000) / 1000000])

    def near_rounding(self, attributes):
        """One attribute whose score stands on a half of a hundredth, or beside it."""
        for attribute in attributes[1:]:
            attribute["axis"] = "engagement"
        attributes[0].pop("axis", None)
        for rule in attributes[0]["rules"]:
            rule.pop("fade", None)
            units = self.random.randrange(20000) * 50 + self.pick([50, 0, 49, 51, 25])
            rule["fit"] = min(units, 1000000) / 1000000

    def cap(self, category, axis):
        made = {"category": category, "max": self.pick([1, 2, 5, 15, 50, 200, 1000000])}
        if axis == "engagement" or self.chance(0.3):
            made["axis"] = axis
        return made

    def bands(self, name, names):
        count = self.random.randint(1, len(names))
        minimums = sorted(self.random.sample([100, 99.99, 80, 75.5, 60, 50, 33.33, 12.25, 0.01],
                                             count - 1), reverse=True) + [0]
        return [{name: one, "min": least} for one, least in zip(names, minimums)]

    # ------------------------------------------------------- conditions

    def condition(self, deep):
        if deep == 0 or self.chance(0.2):
            return self.leaf()
        joint = self.pick(["all", "any", "not"])
        if joint == "not":
            return {"not": self.condition(deep - 1)}
        return {joint: [self.condition(deep - 1) for _ in range(self.random.randint(1, 3))]}

    def leaf(self):
        operator = self.pick(OPERATORS)
        return {"field": self.pick(FIELDS), operator: self.operand(operator)}

    def operand(self, operator):
        if operator == "is":
            return self.scalar()
        if operator == "in":
            return [self.scalar() for _ in range(self.random.randint(1, 4))]
        if operator == "like":
            return [self.pattern() for _ in range(2)] if self.chance(0.2) else self.pattern()
        if operator in TEXT_OPERATORS:
            return self.words(1, 3) if self.chance(0.3) else self.part()
        if operator == "between":
            ends = [self.any_number(), self.any_number()]
            return ends if self.chance(0.1) else sorted(ends)
        if operator in NUMBER_OPERATORS:
            return self.any_number()
        if operator in ("before", "after") and self.chance(0.2):
            return self.strict_date(self.random.randrange(-62 * 10 ** 15, 253 * 10 ** 15))
        if operator in ("before", "after"):
            return self.strict_date(self.as_of + self.pick([-1, 0, 1]) * self.pick(DAYS[:6]) * DAY)
        if operator.endswith("_days"):
            return self.pick(DAYS)
        if operator == "has_all":
            return self.words(1, 3)
        return self.pick(LISTS) if operator == "in_list" else self.chance(0.7)

    def scalar(self):
        return self.pick([self.word(), self.word(), self.any_number(), True, False])

    def part(self):
        """Part of a word, for what looks inside of texts."""
        word = self.word()
        start = self.random.randrange(len(word))
        cut = word[start:self.random.randint(start + 1, len(word))]
        return cut if cut.strip() and self.chance(0.5) else word

    def pattern(self):
        signs = list(self.word())
        for _ in range(self.random.randint(0, 3)):
            at = self.random.randrange(len(signs))
            signs[at] = self.pick(["*", "?", "**", "*?"])
        return "".join(signs)

    # ------------------------------------------------------------ leads

    def lead(self, definition):
        lead = {"id": self.pick(["lead-1", 17])} if self.chance(0.7) else {}
        conditions = [rule["when"] for a in definition["attributes"] for rule in a["rules"]]
        conditions += [d["when"] for d in definition.get("disqualifiers", [])]
        for condition in conditions:
            for leaf in every_leaf(condition):
                self.place(lead, leaf["field"].split("."), self.value_for(leaf))
        for attribute in definition["attributes"]:
            for rule in attribute["rules"]:
                if "fade" in rule:
                    days = int(rule["fade"]["days"])
                    age = self.pick([0, days * DAY // 2, days * DAY, days * DAY - 1000,
                                     days * DAY + 1, -DAY, self.random.randrange(days * DAY)])
                    value = self.wrong() if self.chance(0.15) else self.date(self.as_of - age)
                    self.place(lead, rule["fade"]["field"].split("."), self.many(value))
        return lead

    def place(self, holder, names, value):
        """Puts a value at a path, through arrays where they stand in the way already
        or by a throw of the dice."""
        name, rest = names[0], names[1:]
        if not rest:
            if not self.chance(0.05):
                holder[name] = value
            return
        inside = holder.get(name)
        if isinstance(inside, list) and self.chance(0.5):
            inside.append({})
        elif not isinstance(inside, (dict, list)):
            holder[name] = inside = {} if self.chance(0.5) else [{}]
            if isinstance(inside, list) and self.chance(0.3):
                inside.append(self.pick([None, "stray", 7, [], [{"title": "deep"}], {}]))
        places = [inside] if isinstance(inside, dict) else [e for e in inside
                                                           if isinstance(e, dict)]
        self.place(self.pick(places), rest, value)

    def value_for(self, leaf):
        (operator,) = set(leaf) - {"field"}
        if self.chance(0.08):
            return self.wrong()
        if self.chance(0.01):            # about where the shown value is cut
            return self.pick("é🏭a") * self.pick([999, 1000, 1001])
        value = self.holding(operator, leaf[operator]) if self.chance(0.6) else (
            self.failing(operator, leaf[operator]))
        return self.many(value) if not isinstance(value, list) else value

    def many(self, value):
        """Sometimes an array with the value somewhere in it."""
        if self.chance(0.75):
            return value
        array = [self.wrong() for _ in range(self.random.randint(0, 2))] + [value]
        if self.chance(0.3):
            array.append(self.scalar())
        self.random.shuffle(array)
        return array

    def wrong(self):
        return self.pick([None, "", [], {}, {"value": 3}, ["inner"], "n/a", "+5", ".5", "007",
                          "1,000", "1e999", " ", "2023-02-29", "2024-13-01", "maybe", "\u00ad",
                          "2025-06-30T24:00:00Z", "2025-06-30T23:59:60Z", "2025-06-30T12:00Z",
                          "2025-06-30T12:00:00+24:00", "12:00", "0x10", "1.", "Infinity", "-",
                          "2025-06-30 ", "2025-6-3", 1e300, True])

    def holding(self, operator, operand):
        if operator in ("is", "in"):
            entry = self.pick(operand) if operator == "in" else operand
            return self.disguised(entry)
        if operator in TEXT_OPERATORS:
            text = self.pick(operand) if isinstance(operand, list) else operand
            if operator == "like":
                text = "".join(self.pick(["", "x", "long run"]) if sign == "*" else
                               self.pick("aß7") if sign == "?" else sign for sign in text)
            before = "" if operator in ("starts_with", "like") else self.pick(
                ["", "the ", "x", "/"])
            after = "" if operator in ("ends_with", "like") else self.pick(
                ["", " of", "s", ",", "_"])
            return self.varied(before + text + after)
        if operator in NUMBER_OPERATORS:
            number = self.pick(operand) if operator == "between" else operand
            step = {"gt": 1, "lt": -1}.get(operator, 0)
            return self.number(number + step if abs(number) < 1e15 else number)
        if operator in DATE_OPERATORS:
            other = date_of_text(operand) if isinstance(operand, str) else int(operand) * DAY
            by = self.pick([1, MICRO, DAY])
            inside = self.random.randint(0, 2) * other // 2
            return self.date({"before": other - by, "after": other + by,
                              "within_days": self.as_of - inside,
                              "older_than_days": self.as_of - other - by,
                              "in_next_days": self.as_of + inside}[operator])
        if operator == "has_all":
            return [self.varied(text) for text in operand] + self.words(0, 2)
        if operator == "in_list":
            entries = self.lists.get(operand)
            return self.varied(self.pick(entries)) if entries else self.word()
        return self.scalar() if operand else self.pick([None, "", []])

    def failing(self, operator, operand):
        if operator in NUMBER_OPERATORS:
            number = self.pick(operand) if operator == "between" else operand
            step = {"gte": -1, "lte": 1}.get(operator, 0) or self.pick([0, 1, -1, 0.001])
            return self.number(number + step if abs(number) < 1e9 else number)
        if operator in DATE_OPERATORS:
            other = date_of_text(operand) if isinstance(operand, str) else int(operand) * DAY
            by = self.pick([1, 1000, DAY])
            return self.date({"before": other, "after": other,
                              "within_days": self.as_of + self.pick([by, -other - by]),
                              "older_than_days": self.as_of - other,
                              "in_next_days": self.as_of + self.pick([-by, other + by])}[operator])
        if operator == "has_all":
            return operand[1:] + ([None] if self.chance(0.2) else [])
        return self.scalar()

    def disguised(self, scalar):
        """The same scalar as another kind of JSON value would carry it."""
        if isinstance(scalar, bool):
            return self.pick([scalar, int(scalar), float(scalar),
                              self.varied(self.pick(["yes", "true", "1"] if scalar else
                                                    ["no", "false", "0"]))])
        return self.varied(scalar) if isinstance(scalar, str) else self.number(scalar)

    def number(self, number):
        if self.chance(0.6):
            return number
        text = self.pick([number_text(number), repr(float(number)), "%.3e" % number])
        return self.pick(["", " ", "\u00a0"]) + text + self.pick(["", "\t", "\u3000"])

    def varied(self, text):
        """The same text once folded, mostly."""
        form = self.pick(["", "", "upper", "lower", "NFD", "NFKD", "wide", "spaces", "ignorable"])
        if form == "upper":
            text = text.upper()
        elif form == "lower":
            text = text.lower()
        elif form.startswith("NF"):
            text = unicodedata.normalize(form, text)
        elif form == "wide":
            text = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
        elif form == "spaces":
            inner = text.replace(" ", self.pick(SPACES) + " ")
            text = self.pick(SPACES) + inner + self.pick(SPACES)
        elif form == "ignorable":
            at = self.random.randint(0, len(text))
            text = text[:at] + self.pick(IGNORABLES) + text[at:]
        return text

    # ------------------------------------------------------------ dates

    def civil(self, instant):
        """(YYYY-MM-DD, microseconds into that day)"""
        days, rest = divmod(instant, DAY)
        year = max(0, 1970 + days * 400 // 146_097 - 1)
        while year < 9999 and date_of_text("%04d-01-01" % (year + 1)) <= days * DAY:
            year += 1
        month = max(m for m in range(1, 13)
                    if date_of_text("%04d-%02d-01" % (year, m)) <= days * DAY)
        first = date_of_text("%04d-%02d-01" % (year, month))
        return "%04d-%02d-%02d" % (year, month, (days * DAY - first) // DAY + 1), rest

    def clock(self, rest):
        seconds, fraction = divmod(rest, MICRO)
        text = "%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
        if fraction or self.chance(0.2):
            text += "." + ("%06d" % fraction) + self.pick(["", "", "9", "499999999"])
        return text

    def strict_date(self, instant):
        """YYYY-MM-DD or RFC 3339, as operands must be."""
        shift = self.pick([0, 0, 2 * 3600, -5 * 3600 - 1800, 23 * 3600 + 59 * 60])
        date, rest = self.civil(instant + shift * MICRO)
        if shift == 0 and rest == 0 and self.chance(0.5):
            return date
        offset = self.pick(["Z", "z", "+00:00", "-00:00"]) if shift == 0 else "%s%02d:%02d" % (
            "-" if shift < 0 else "+", abs(shift) // 3600, abs(shift) // 60 % 60)
        return date + self.pick("Tt") + self.clock(rest) + offset

    def date(self, instant):
        """Any form that a lead may use; Unix numbers only where they are exact."""
        form = self.pick(["strict", "strict", "bare", "seconds", "milliseconds", "day"])
        milliseconds, rest = divmod(instant, 1000)
        if form == "seconds" and abs(instant) < 4 * 10 ** 15:
            seconds = instant // MICRO if instant % MICRO == 0 else instant / MICRO
            return self.pick([seconds, repr(seconds), " %r\t" % seconds])
        if form == "milliseconds" and rest == 0 and abs(milliseconds) >= 10 ** 11:
            return self.pick([milliseconds, str(milliseconds), float(milliseconds)])
        if form == "day":
            return self.civil(instant)[0]
        if form == "bare":
            date, rest = self.civil(instant)
            return self.pick(["", " ", "\u2003"]) + date + self.pick(" Tt") + self.clock(rest)
        return self.strict_date(instant)


def depth(condition):
    for name in ("all", "any", "not"):
        if name in condition:
            inner = condition[name]
            return 1 + max(map(depth, inner if isinstance(inner, list) else [inner]))
    return 1


def every_leaf(condition):
    for name in ("all", "any", "not"):
        if name in condition:
            inner = condition[name]
            return [leaf for one in (inner if isinstance(inner, list) else [inner])
                    for leaf in every_leaf(one)]
    return [condition]


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    one_maker = Maker(numbers[0] if numbers else 1)
    for _ in range(numbers[1] if len(numbers) > 1 else 1):
        print(json.dumps(one_maker.request(), ensure_ascii=False))
