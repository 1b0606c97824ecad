"""Asks lib/core's mappings, behind a driver, and a second implementation of
them the same, and compares all that they say.

  mappings.py DRIVER PAYLOADS [--count 5000] [--seed N]

PAYLOADS is tests/payloads: what is expected of each file there is asked of
both. Then come random payloads in the shapes of all kinds, with mappings that
point into them, well and badly. Exit code 1 where anything differs.
"""

import argparse
import copy
import json
import pathlib
import random
import subprocess
import sys

import mapping_oracle as oracle

SHOWN, BATCH = 5, 500
NAMES = ["a", "b", "c", "id", "value", "title", "company", "name", "x.y", "two words", "0", "1", "01", "~", "/", "~1",
         "", "ä", "type", "values", "primary", "Title", "email", "properties", "jobtitle", "fields", "core", "data",
         "lead", "industry", "custom_fields", "attributes", "object", "normalizedValue", "country", "employees"]
FIELDS = ["title", "email", "company", "company.name", "company.employees", "company.name.short", "a", "a.b", "a.b.c",
          "b", "c", "x.y", "two words", "properties", "custom_fields", "custom_fields.a", "id", "id.x", "", ".", "a..b",
          "Title", "jobtitle", "value", "company.industry", "industry", "country", "0", "ä", "company.technologies"]
TEXTS = ["", " ", "x", "12", "a;b", "; a ;; b ", "a|b", "COMPUTER_SOFTWARE", "R_1", "yes", "\u00a0y\u2003", "\u001cz",
         "ä, ö", "-None-", "a\u0000b", "\u0000", "001D000000IRFma", "true", "null", "person", "multiselect", "enum", "1e+21"]
NUMBERS = [0, 1, 12, -1, 0.5, 12.0, 1e21, 1e-7, 28, 12345678901234567, 999999999999999, -98765432109876543210]
SEPARATORS = [";", "|", ", ", "ä", ";;", "\u00a0", " "]
KINDS = list(oracle.DEFAULTS)


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def pick(self, options):
        return self.random.choice(options)

    def scalar(self):
        return self.pick([self.pick(TEXTS), self.pick(TEXTS), self.pick(NUMBERS), True, False, None])

    def wrapper(self, depth):
        inner = self.value(depth + 1) if self.chance(0.2) else self.scalar()
        made = self.pick([
            {"value": inner}, {"value": inner, "versions": []}, {"value": inner, "normalizedValue": self.scalar()},
            {"type": "multiselect", "value": inner}, {"type": "enum", "id": inner},
            {"type": "enum", "id": inner, "x": 1}, {"type": 1, "id": inner}, {"type": "set", "values": inner},
            {"type": "set", "values": [{"id": self.scalar()}, {"id": inner}, self.scalar()]},
            {"type": "monetary", "value": inner, "currency": "EUR"}])
        if self.chance(0.3):
            made = [{"value": self.scalar(), **self.pick([{}, {"primary": self.pick([True, False, 1])}])}
                    for _ in range(self.random.randint(1, 3))]
        return made

    def value(self, depth=0):
        draw = self.random.random()
        if depth > 4 or draw < 0.45:
            return self.scalar()
        if draw < 0.65:
            return self.wrapper(depth)
        if draw < 0.78:
            return [self.value(depth + 1) for _ in range(self.random.randint(0, 3))]
        return self.object(depth + 1)

    def object(self, depth=0):
        return {self.pick(NAMES): self.value(depth + 1) for _ in range(self.random.randint(0, 6))}

    def record(self, kind):
        """An object with some of what the kind's defaults look for."""
        record = self.object()
        for pointers in oracle.DEFAULTS[kind].values():
            if self.chance(0.4):
                self.put(record, oracle.steps_of(self.pick(pointers)),
                         self.scalar() if self.chance(0.6) else self.value(3))
        return record

    @staticmethod
    def put(node, steps, value):
        for step in steps[:-1]:
            if not isinstance(node, dict):
                return
            if not isinstance(node.get(step), dict):
                node[step] = {}
            node = node[step]
        node[steps[-1]] = value

    def records(self, kind, least=0):
        return [self.record(kind) if self.chance(0.97) else self.value() for _ in range(self.random.randint(least, 3))]

    def payload(self, kind):
        if self.chance(0.04):
            return self.value()
        record = self.record(kind)
        if kind == "hubspot":
            action = {"callbackId": "ap-1", "object": {"objectId": 7, "properties": self.object()}, "inputFields": record}
            return self.pick([record, record, {"vid": 3, "properties": record}, action, action,
                              {"eventId": 1, **record}, self.records(kind)])
        if kind == "salesforce":
            typed = {"attributes": {"type": "Lead"}, **record}
            return self.pick([record, typed, typed, [typed, record], {"records": self.records(kind)},
                              {"leads": self.records(kind, 1)}, {"lead": record}])
        if kind == "pipedrive":
            entity = self.pick(["person", "lead", "deal", "organization", "activity", None])
            meta = self.pick([{"entity": entity}, {"entity": entity}, {"object": entity}, {}, 3])
            data = record if self.chance(0.85) else None
            return {"meta": meta, self.pick(["data", "data", "current"]): data, "previous": self.object()}
        if kind == "mautic":
            return {self.pick(["mautic.lead_post_save_new", "mautic.lead_post_save_update", "mautic.other",
                               "mautic.lead_post_delete", "mautic.form_on_submit", "timestamp"]):
                    [self.event() for _ in range(self.random.randint(0, 2))] for _ in range(self.random.randint(1, 3))}
        if kind == "standard":
            return {"type": "x", "timestamp": "y", "data": self.pick([record, record, self.records(kind), 3])}
        return self.pick([record, record, self.records(kind), {"lead": record}, {"leads": self.records(kind, 1)}])

    def event(self):
        contact = self.record("mautic")
        if self.chance(0.5):
            contact["fields"] = {group: {alias: self.wrapper(3) for alias in self.random.sample(NAMES, 3)}
                                 for group in self.random.sample(["core", "social", "all", "x"], 2)}
        return self.pick([{"contact": contact}, {"lead": contact}, {"submission": {"lead": contact, "results": self.object()}},
                          {"hit": {"contact": contact}}, {"x": contact}, 3])

    # ---- mappings into a payload

    def places(self, payload):
        """Some pointers to what is there."""
        found = []
        level = [("", payload)]
        while level and len(found) < 200:
            place, node = level.pop(0)
            found.append(place)
            level += [(place + oracle.escaped(name), inner) for name, inner in oracle.items(node)]
        return found

    def pointer(self, places):
        draw = self.random.random()
        if draw < 0.8:
            return self.pick(places)
        if draw < 0.9:
            return self.pick(places) + "/" + self.pick(["0", "00", "-", "x", "~0", "~1", "1"])
        if draw < 0.96:
            return self.pick(["", "/", "//", "/data", "/object/objectId", "/meta/entity", "/lead", "/properties/industry"])
        return self.pick(["x", "/~", "/~2", "/a~", "/" + "a" * 299, "/" + "a" * 300, "/a" * 32, "/a" * 33, 7, None, "/\0"])

    def pointers(self, places):
        draw = self.random.random()
        if draw < 0.3:
            return self.pointer(places)
        if draw < 0.36:
            return []
        return [self.pointer(places) for _ in range(self.pick([1, 1, 2, 2, 3, 8, 8 if draw < 0.99 else 9]))]

    def source(self, kind, payload):
        try:
            records = oracle.records_of(kind, payload)[0]
        except (oracle.Refused, oracle.Ignored):
            records = []
        places = [place for record in records for place in self.places(record.node)] + self.places(payload)
        source = {}
        if self.chance(0.3):
            source["id"] = self.pointers(places)
        if self.chance(0.8):
            names = self.random.sample(FIELDS, self.random.randint(0, 5))
            if self.chance(0.8):
                names = [name for name in names if oracle.is_path(name) and not name.startswith("id")]
            source["fields"] = {name: self.pointers(places) for name in names}
            if self.chance(0.4):
                source["fields"]["*"] = self.pick([[], [], "", self.pointers(places)])
        fields = [name for name in source.get("fields", {}) if name != "*"]
        fields += list(oracle.DEFAULTS[kind])[1:] + ["nothing"] * self.chance(0.1)
        if fields and self.chance(0.5):
            source["split"] = {self.pick(fields): self.pick(SEPARATORS if self.chance(0.97) else ["", "x" * 11, 3, "\0"])
                               for _ in range(2)}
        if fields and self.chance(0.5):
            labels = SEPARATORS + TEXTS + list(map(oracle.raw_text, NUMBERS)) + ["false"]
            source["values"] = {self.pick(fields): {raw.replace("\0", ""): self.pick(["", "L", "label two"])
                                                    for raw in self.random.sample(labels, 12)} for _ in range(2)}
            if self.chance(0.03):
                self.pick(list(source["values"].values()))["bad"] = self.pick([3, None, "x" * 1001, "\0"])
        if self.chance(0.02):
            source[self.pick(["fields", "split", "values"])] = self.pick([3, [], None])
        return source


def expected(request):
    mapping, findings = oracle.read(request["kind"], request["source"])
    if findings:
        return {"findings": sorted({(place, code) for place, code in findings})}
    return {"mapping": mapping.told(), **mapping.apply(copy.deepcopy(request["payload"]))}


def told(answer):
    if "findings" in answer:
        return {"findings": sorted({(one["pointer"], one["code"]) for one in answer["findings"]})}
    return answer


def alike(one, other):
    """Equal as JSON: true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def difference(one, other, place=""):
    """Prints where two answers part."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one:
            difference(one[name], other[name], place + "/" + name)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, inner in enumerate(one):
            difference(inner, other[i], "%s/%d" % (place, i))
    elif not alike(one, other):
        print("  %s: oracle %s, driver %s" % (place, json.dumps(one), json.dumps(other)))


def ask(driver, requests):
    answers = []
    for begin in range(0, len(requests), BATCH):
        lines = "".join(json.dumps(one) + "\n" for one in requests[begin:begin + BATCH])
        run = subprocess.run([driver], input=lines, text=True, capture_output=True, check=False)
        part = [json.loads(line) for line in run.stdout.splitlines()]
        if run.returncode != 0 or len(part) < lines.count("\n"):
            part.append({"died": run.stderr.strip()[-2000:] or run.returncode})
        answers += part[:BATCH]
        if "died" in answers[-1]:
            break
    return answers


def smaller(value):
    """Copies of a JSON value with one thing less."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {other: value[other] for other in value if other != name}
            for less in smaller(inner):
                yield {**value, name: less}
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield value[:i] + value[i + 1:]
            for less in smaller(inner):
                yield value[:i] + [less] + value[i + 1:]


def shrunk(driver, request):
    """The request with as little as still differs."""
    for _ in range(200):
        tries = [dict(request, source=less) for less in smaller(request["source"]) if isinstance(less, dict)]
        tries += [dict(request, payload=less) for less in smaller(request["payload"])]
        for one in tries[:400]:
            (answer,) = ask(driver, [one])[:1]
            if not alike(expected(one), told(answer)):
                request = one
                break
        else:
            break
    return request


def cases(folder):
    """What is expected of the files of tests/payloads, as requests, each with the answer."""
    found = []
    for case in json.loads((folder / "expected.json").read_text()):
        payload = json.loads((folder / case["payload"]).read_text())
        request = {"kind": case["kind"], "source": case.get("source", {}), "payload": payload}
        wanted = {name: case[name] for name in ("many", "leads", "refused", "ignored", "unused") if name in case}
        found.append((case["name"], request, wanted))
    return found


def of_case(answer, wanted):
    answer = {name: answer[name] for name in ("many", "leads", "refused", "ignored") if name in answer}
    if "leads" in answer:
        answer["unused"] = [one["unused"] for one in answer["leads"]]
        answer["leads"] = [one["lead"] for one in answer["leads"]]
        if "unused" not in wanted:
            del answer["unused"]
    return answer


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("driver")
    parser.add_argument("payloads", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    passed, failed = 0, 0
    given = cases(options.payloads)
    for (name, request, wanted), answer in zip(given, ask(options.driver, [one[1] for one in given])):
        for who, got in (("driver", told(answer)), ("oracle", expected(request))):
            fine = alike(wanted, of_case(got, wanted))
            passed, failed = passed + fine, failed + (not fine)
            if not fine:
                print("%s: %s says %s" % (name, who, json.dumps(of_case(got, wanted), ensure_ascii=False)))
    maker = Maker(options.seed)
    requests = []
    for _ in range(options.count):
        kind = maker.pick(KINDS)
        payload = maker.payload(kind)
        requests.append({"kind": kind, "source": maker.source(kind, payload), "payload": payload})
    answers, shown, kinds = ask(options.driver, requests), 0, {}
    for request, answer in zip(requests, answers):
        fine = alike(expected(request), told(answer))
        kinds[next(name for name in ("findings", "refused", "ignored", "leads", "died") if name in answer)] = \
            kinds.get(next(name for name in ("findings", "refused", "ignored", "leads", "died") if name in answer), 0) + 1
        passed, failed = passed + fine, failed + (not fine)
        if not fine and shown < SHOWN:
            shown += 1
            less = shrunk(options.driver, request) if "died" not in answer else request
            print(json.dumps(less))
            difference(expected(less), told(ask(options.driver, [less])[0]))
    failed += options.count - len(answers)
    print("%d passed, %d failed (%s)" % (passed, failed, ", ".join("%d %s" % (kinds[one], one) for one in sorted(kinds))))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
