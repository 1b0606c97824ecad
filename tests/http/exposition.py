"""Reads Prometheus' text format 0.0.4, strictly: what it says of a family's order, of
labels and of numbers is held to, and so is what every histogram promises."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
KINDS = {"counter", "gauge", "histogram"}


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.kind = name, help_text, None
        self.samples = {}                    # (name, labels as sorted pairs): value

    def belongs(self, name):
        ends = ("_bucket", "_sum", "_count") if self.kind == "histogram" else ("",)
        return any(name == self.name + end for end in ends)


class Exposition:
    """What one answer says. busy: others count meanwhile, so that a sum may be a moment
    behind its buckets."""

    def __init__(self, text, busy=False):
        self.families = {}
        self.order = []
        family = None
        if not text.endswith("\n"):
            raise AssertionError("the last line does not end")
        for line in text[:-1].split("\n"):
            head = re.fullmatch(r"# (HELP|TYPE) (%s) (.+)" % NAME, line)
            if head and head[1] == "HELP":
                if head[2] in self.families:
                    raise AssertionError("%s comes twice" % head[2])
                family = self.families[head[2]] = Family(head[2], head[3])
            elif head:
                if family is None or family.name != head[2] or family.kind or head[3] not in KINDS:
                    raise AssertionError("a TYPE out of place: " + line)
                family.kind = head[3]
            else:
                self.read_sample(line, family)
        for one in self.families.values():
            if one.kind == "histogram":
                check_histogram(one, busy)

    def read_sample(self, line, family):
        found = re.fullmatch(r"(%s)(?:\{(.*)\})? (\S+)" % NAME, line)
        if found is None or family is None or not family.belongs(found[1]):
            raise AssertionError("no sample of this family: " + line)
        key = (found[1], read_labels(found[2] or "", line))
        if key in family.samples:
            raise AssertionError("the same sample twice: " + line)
        family.samples[key] = float(found[3])
        if family.kind != "gauge" and not 0 <= family.samples[key] < float("inf"):
            raise AssertionError("a counter that is none: " + line)

    def get(self, name, **labels):
        """The value of one sample; 0 where there is none."""
        return self.each(name).get(tuple(sorted(labels.items())), 0)

    def one(self, name, **labels):
        """The same, which must be there."""
        found = self.each(name).get(tuple(sorted(labels.items())))
        if found is None:
            raise AssertionError("no %s%r, but %r" % (name, labels, self.each(name)))
        return found

    def each(self, name):
        """{labels as sorted pairs: value} of all samples of that name."""
        return {labels: value for family in self.families.values()
                for (sample, labels), value in family.samples.items() if sample == name}

    def sum(self, name, **labels):
        """Of all samples that have these labels, whatever else they have."""
        return sum(value for found, value in self.each(name).items()
                   if set(labels.items()) <= set(found))

    def names(self):
        """Of all samples that are there or could be."""
        found = set()
        for family in self.families.values():
            ends = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
            found |= {family.name + end for end in ends}
        return found


def read_labels(text, line):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        if found is None or found[1] in labels:
            raise AssertionError("labels that are none: " + line)
        labels[found[1]] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], found[2])
        at = found.end()
    return tuple(sorted(labels.items()))


def check_histogram(family, busy):
    """Buckets ascend and hold all that is below; the last one holds all."""
    series = {}
    for (name, labels), value in family.samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        one = series.setdefault(rest, {"buckets": []})
        if name.endswith("_bucket"):
            one["buckets"].append((float(dict(labels)["le"]), value))
        else:
            one[name.rsplit("_", 1)[1]] = value
    for labels, one in series.items():
        bounds = [bound for bound, _ in one["buckets"]]
        counts = [count for _, count in one["buckets"]]
        where = "%s%r: %r" % (family.name, labels, one)
        if bounds != sorted(set(bounds)) or bounds[-1] != float("inf") or bounds[0] <= 0:
            raise AssertionError("bounds of " + where)
        if counts != sorted(counts) or counts[-1] != one["count"]:
            raise AssertionError("counts of " + where)
        if busy:
            continue
        least = most = 0
        for at, count in enumerate(counts):
            here = count - (counts[at - 1] if at else 0)
            least += here * (bounds[at - 1] if at else 0)
            most += here * bounds[at]
        # Nothing in the last bucket: inf times nothing is nothing.
        most = most if most == most else sum((counts[at] - (counts[at - 1] if at else 0)) * bounds[at]
                                             for at in range(len(counts) - 1))
        if not least - 1e-6 <= one["sum"] <= most + 1e-6:
            raise AssertionError("a sum that its buckets rule out: " + where)
