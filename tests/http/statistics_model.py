"""Fit statistics computed a second time, from the answers of POST /v1/score and the text of
the contract alone: what GET /v1/stats has to say about them, number by number.

Written from the description of the service and not from its source. Whatever is a share or a
mean is a fraction until it is told; PSI, WoE and their like are floats.
"""

import math
from collections import Counter
from fractions import Fraction

FINE = 100                   # bins of one point
COARSE = 20                  # bins of five points
BASELINE = 1000
Z = 1.959963984540054        # of a 95 % interval


class Event:
    """One recorded score under one ICP: what was asked, and what was answered."""

    def __init__(self, lead, answer, result, lead_id=None):
        self.lead = lead
        self.lead_id = answer["lead_id"] if lead_id is None else lead_id
        self.id = answer["id"]
        self.at = answer["scored_at"]
        self.version = result["version"]
        self.result = result
        self.score = exact(result["score"])
        self.attributes = {one["key"]: one for one in result["attributes"]}
        self.missing = {}        # by field, once it was asked for


def rounded(value, digits=2):
    """Half up, as a float."""
    scaled = Fraction(value) * 10 ** digits
    return float(Fraction(math.floor(scaled + Fraction(1, 2)), 10 ** digits))


def mean(values):
    values = list(values)
    return rounded(sum(map(exact, values), Fraction(0)) / len(values)) if values else 0


def exact(number):
    """A number of an answer as it was written."""
    return Fraction(str(number))


def percentile(bins, percent):
    total = sum(bins)
    if total == 0:
        return 0
    sought, before = Fraction(percent * total, 100), 0
    for at, count in enumerate(bins):
        if count and before + count >= sought:
            return rounded(at + (sought - before) / count)
        before += count
    return 100


def bins_of(events, count):
    bins = [0] * count
    for event in events:
        bins[min(int(event.score * count / 100), count - 1)] += 1
    return bins


def psi(baseline, window):
    if sum(baseline) == 0 or sum(window) == 0:
        return 0.0
    kinds, found = len(baseline), 0.0
    for b, w in zip(baseline, window):
        b = (b + 0.5) / (sum(baseline) + kinds / 2)
        w = (w + 0.5) / (sum(window) + kinds / 2)
        found += (w - b) * math.log(w / b)
    return found


def level(value):
    return "stable" if value < 0.1 else "watch" if value <= 0.25 else "shifted"


def wilson(won, trials):
    if trials == 0:
        return 0.0, 0.0
    p, square = won / trials, Z * Z
    middle = (p + square / (2 * trials)) / (1 + square / trials)
    half = Z * math.sqrt(p * (1 - p) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return max(0.0, 100 * (middle - half)), min(100.0, 100 * (middle + half))


def auc_and_ks(won, lost):
    """Of two lists of scores."""
    if not won or not lost:
        return 0.0, 0.0
    better, up, down, widest = Fraction(0), 0, 0, Fraction(0)
    wins_at, losses_at = Counter(won), Counter(lost)
    for score in sorted(set(won) | set(lost)):
        wins, losses = wins_at[score], losses_at[score]
        better += wins * (down + Fraction(losses, 2))
        up, down = up + wins, down + losses
        widest = max(widest, abs(Fraction(up, len(won)) - Fraction(down, len(lost))))
    return float(better / (len(won) * len(lost))), float(widest)


def weights_of_evidence(cells):
    """([woe], iv) of [(won, lost)]."""
    won, lost, kinds = sum(c[0] for c in cells), sum(c[1] for c in cells), len(cells)
    if not won or not lost:
        return [0.0] * kinds, 0.0
    woe, value = [], 0.0
    for w, l in cells:
        w, l = (w + 0.5) / (won + kinds / 2), (l + 0.5) / (lost + kinds / 2)
        woe.append(math.log(w / l))
        value += (w - l) * math.log(w / l)
    return woe, value


def strength(value):
    return "none" if value < 0.02 else "weak" if value < 0.1 else "medium" if value < 0.3 else "strong"


def missing(lead, path):
    """Whether nothing stands in the field. What a path finds through an array is a list: it has
    elements, be they null, or none."""
    joined = False

    def values(node, names):
        nonlocal joined
        if not names:
            return node if joined and isinstance(node, list) else [node]
        if isinstance(node, list):
            joined = True
            return [v for one in node if isinstance(one, dict) for v in values(one, names)]
        return values(node[names[0]], names[1:]) if isinstance(node, dict) and names[0] in node else []
    found = values(lead, path.split("."))
    return not found or (not joined and found[0] in (None, "", []))


def fields_of(definition):
    """The paths that conditions and fading read."""
    found = []

    def look(node):
        if isinstance(node, list):
            for one in node:
                look(one)
        elif isinstance(node, dict):
            if isinstance(node.get("field"), str):
                found.append(node["field"])
            for one in node.values():
                look(one)
    look([[r["when"], r.get("fade", {})] for a in definition["attributes"] for r in a["rules"]])
    look([d["when"] for d in definition.get("disqualifiers", [])])
    return list(dict.fromkeys(found))


def place_of(told):
    """Which cell of an attribute a told one falls into: a rule's label, or a status."""
    return ("matched", told["rule"]) if told["status"] == "matched" else (told["status"], "")


class Model:
    def __init__(self, definitions, active):
        """definitions: {version: definition with every label written out}; active: a version.
        between: the window, as times told by the service; baseline: likewise, or None for the
        version's first scores."""
        self.definitions, self.active = definitions, active
        self.events, self.outcomes = [], {}
        self.between, self.baseline = ("", ""), None

    # ------------------------------------------------------------ what counts

    def of(self, version, between=("", "")):
        begin, end = between
        return [e for e in self.events if version in (0, e.version) and begin <= e.at and not "" < end <= e.at]

    def window(self, version):
        return self.of(version, self.between)

    def first_ones(self):
        """Ids of the scores that were the first of their lead."""
        first = {}
        for event in self.events:
            if event.lead_id:
                first.setdefault(event.lead_id, event.id)
        return set(first.values())

    def latest(self, version):
        last = {}
        for event in self.of(version):
            if event.lead_id:
                last[event.lead_id] = event
        return [event for event in self.window(version) if last.get(event.lead_id) is event]

    def grades(self, reference, events):
        names = [g["grade"] for g in self.definitions[reference]["grades"]]
        return [{"grade": g, "count": sum(e.result["grade"] == g for e in events)} for g in names + ["DQ"]]

    # ------------------------------------------------------------ the answer

    def stats(self, version):
        reference = version or self.active
        definition, events = self.definitions[reference], self.window(version)
        first, scored = self.first_ones(), len(events)
        qualified = [e for e in events if e.result["qualified"]]
        fine = bins_of(events, FINE)
        best = [g["grade"] for g in definition["grades"][:2]]
        top = [e for e in qualified
               if e.result["grade"] in [g["grade"] for g in self.definitions[e.version]["grades"][:2]]]
        return {
            "version": version, "scored": scored, "leads": sum(e.id in first for e in events),
            "qualified": len(qualified), "disqualified": scored - len(qualified),
            "mean": mean(e.result["score"] for e in events),
            "percentiles": {"p%d" % p: percentile(fine, p) for p in (10, 50, 90)},
            "coverage_mean": mean(e.result["coverage"] for e in events),
            "engagement_mean": mean(e.result["engagement"]["score"] for e in events),
            "grades": self.grades(reference, events),
            "labels": self.labels(events),
            "histogram": {"edges": list(range(0, 101, 5)), "counts": bins_of(events, COARSE)},
            "attributes": self.attributes(definition, events),
            "disqualifiers": [{"key": d["key"], "reason": d["reason"], "count": sum(
                d["key"] in [x["key"] for x in e.result["disqualifiers"]] for e in events)}
                for d in definition.get("disqualifiers", [])],
            "fields": {f: self.missing_of(events, f) for f in fields_of(definition)},
            "penetration": {"grades": best, "count": len(top),
                            "pct": rounded(Fraction(100 * len(top), scored)) if scored else 0},
            "versions": [self.side(v) for v in sorted(self.definitions)
                         if version in (0, v) and self.window(v)],
            "drift": self.drift(reference),
            "outcomes": self.told_outcomes(reference, version),
        }

    def missing_of(self, events, field):
        """Of the scores whose version reads the field."""
        reading = {v for v, definition in self.definitions.items() if field in fields_of(definition)}
        asked, count = [e for e in events if e.version in reading], 0
        for event in asked:
            if field not in event.missing:
                event.missing[field] = missing(event.lead, field)
            count += event.missing[field]
        return {"field": field, "missing": count,
                "missing_pct": rounded(Fraction(100 * count, len(asked))) if asked else 0}

    @staticmethod
    def labels(events):
        counts = {}
        for event in events:
            counts[event.result["label"]] = counts.get(event.result["label"], 0) + 1
        return counts

    @staticmethod
    def attributes(definition, events):
        told = []
        for attribute in definition["attributes"]:
            mine = [e.attributes[attribute["key"]] for e in events if attribute["key"] in e.attributes]
            skipped = [a for a in mine if a["status"] == "unknown" and a["max_points"] == 0]
            kept = len(mine) - len(skipped)
            points = sum((exact(a["points"]) for a in mine), Fraction(0))
            labels = list(dict.fromkeys(r["label"] for r in attribute["rules"]))
            told.append({
                "key": attribute["key"], "label": attribute["label"], "category": attribute["category"],
                "axis": attribute.get("axis", "fit"), "skipped": len(skipped),
                **{status: sum(a["status"] == status for a in mine)
                   for status in ("matched", "unmatched", "unknown")},
                "mean_points": rounded(points / kept, 6) if kept else 0,
                "rules": [{"label": l, "count": sum(a["status"] == "matched" and a["rule"] == l for a in mine)}
                          for l in labels]})
        return told

    def side(self, version):
        events, first = self.window(version), self.first_ones()
        return {"version": version, "first_at": events[0].at, "last_at": events[-1].at, "scored": len(events),
                "leads": sum(e.id in first for e in events),
                "qualified": sum(e.result["qualified"] for e in events),
                "mean": mean(e.result["score"] for e in events),
                "coverage_mean": mean(e.result["coverage"] for e in events),
                "grades": self.grades(version, events)}

    def drift(self, version):
        window = self.window(version)
        baseline = self.of(version, self.baseline) if self.baseline else self.of(version)[:BASELINE]
        score = psi(bins_of(baseline, COARSE), bins_of(window, COARSE))
        attributes = []
        for attribute in self.definitions[version]["attributes"]:
            places = [("matched", r["label"]) for r in attribute["rules"]] + [("unmatched", ""), ("unknown", "")]

            def counts(events):
                at = Counter(place_of(e.attributes[attribute["key"]]) for e in events
                             if attribute["key"] in e.attributes)
                return [at[place] for place in places]
            value = psi(counts(baseline), counts(window))
            attributes.append({"key": attribute["key"], "psi": value, "level": level(value)})

        ends = self.baseline or ((baseline[0].at, baseline[-1].at) if baseline else ("", ""))
        span = {"from": ends[0], "to": ends[1], "scored": len(baseline)}
        return {"version": version, "baseline": span, "window_scored": len(window), "psi": score,
                "level": level(score), "attributes": attributes}

    def fate(self, event):
        return self.outcomes.get(event.lead_id, ("", 0))

    def told_outcomes(self, reference, version):
        leads = self.latest(version)
        won = [e for e in leads if self.fate(e)[0] == "won"]
        lost = [e for e in leads if self.fate(e)[0] == "lost"]
        overall = Fraction(len(won), len(won) + len(lost)) if won or lost else Fraction(0)

        def rates(w, l):
            low, high = wilson(w, w + l)
            rate = Fraction(w, w + l) if w + l else Fraction(0)
            return {"won": w, "lost": l, "win_rate": rounded(100 * rate), "low": low, "high": high,
                    "lift": float(rate / overall) if overall else 0.0}

        def group(these):
            return sum(e in won_set for e in these), sum(e in lost_set for e in these)
        won_set, lost_set = set(won), set(lost)
        grades = []
        for name in [g["grade"] for g in self.definitions[reference]["grades"]] + ["DQ"]:
            these = [e for e in leads if e.result["grade"] == name]
            grades.append({"grade": name, "leads": len(these),
                           "open": sum(self.fate(e)[0] == "open" for e in these), **rates(*group(these)),
                           "value": float(sum(exact(self.fate(e)[1]) for e in these if e in won_set))})
        attributes = []
        for attribute in self.definitions[reference]["attributes"]:
            labels = list(dict.fromkeys(r["label"] for r in attribute["rules"]))
            places = [("matched", l) for l in labels] + [("unmatched", ""), ("unknown", "")]
            at = {}
            for event in leads:
                told = event.attributes.get(attribute["key"])
                if told:
                    at.setdefault(place_of(told), []).append(event)
            cells = [group(at.get(place, [])) for place in places]
            woe, value = weights_of_evidence(cells)
            attributes.append({"key": attribute["key"], "iv": value, "strength": strength(value), "rules": [
                {"label": label, "status": status, "woe": w, **rates(*cell)}
                for (status, label), cell, w in zip(places, cells, woe)]})
        auc, ks = auc_and_ks([e.score for e in won], [e.score for e in lost])
        total = rates(len(won), len(lost))
        total.pop("lift")
        return {"leads": len(leads), "open": sum(self.fate(e)[0] == "open" for e in leads), **total,
                "value": float(sum(exact(self.fate(e)[1]) for e in won)), "grades": grades,
                "attributes": attributes, "auc": auc, "ks": ks}


TOLERANCES = {"psi": 6e-7, "iv": 6e-7, "woe": 6e-7, "auc": 6e-7, "ks": 6e-7, "lift": 6e-7, "low": 0.00501,
              "high": 0.00501}


def differences(expected, told, place=""):
    """Where what was told is not what was expected; members that nobody expected are passed over."""
    if isinstance(expected, dict):
        if not isinstance(told, dict):
            return ["%s: %r is no object" % (place, told)]
        return [d for name in expected for d in (
            differences(expected[name], told[name], "%s/%s" % (place, name)) if name in told
            else ["%s/%s is missing" % (place, name)])]
    if isinstance(expected, list):
        if not isinstance(told, list) or len(told) != len(expected):
            return ["%s: %d elements expected: %r" % (place, len(expected), told)]
        return [d for at, (e, t) in enumerate(zip(expected, told)) for d in differences(e, t, "%s/%d" % (place, at))]
    slack = TOLERANCES.get(place.rsplit("/", 1)[-1])
    if slack is not None:
        return [] if abs(told - expected) <= slack else ["%s: %r, should be %r" % (place, told, expected)]
    same = told == expected and isinstance(told, bool) == isinstance(expected, bool)
    return [] if same else ["%s: %r, should be %r" % (place, told, expected)]


def check(model, told, version):
    """What is wrong with an answer of GET /v1/stats; a list of sentences."""
    expected = model.stats(version)
    labels = {one["label"]: one["count"] for one in told["labels"]}
    fields = {one["field"]: one for one in told["fields"]}
    told = {**told, "labels": labels, "fields": fields,
            "drift": {**told["drift"], "window_scored": told["drift"]["window"]["scored"]}}
    return differences(expected, told)
