"""GET …/draft/impact: recorded leads under the draft and under what is active, held against
the second evaluator in tests/oracle."""

import os
import sys
from decimal import Decimal
from fractions import Fraction

from contract import ROOT
from harness import equal, expect, run
from editing import Desk, definition
from load import Load
from test_api_explain import FixedLists

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
import oracle  # noqa: E402
from values import half_away, half_up  # noqa: E402

PATH = "/v1/icps/one/draft/impact"
ROUNDS = int(os.environ.get("LEADFIT_IMPACT_ROUNDS", "12"))
LEADS = 40


def hundredths(number):
    """A number of an answer, exactly."""
    scaled = Decimal(str(number)) * 100
    equal(scaled, int(scaled), "at most two decimals: %r" % number)
    return int(scaled)


class Side:
    """One definition's view of one lead."""

    def __init__(self, document, lead, as_of, lists):
        result = oracle.evaluate(document, lead, as_of, lists)
        self.grade, self.score = result["grade"], int(result["score"] * 100)
        self.qualified = result["qualified"]
        self.reason = result["disqualifiers"][0]["reason"] if result["disqualifiers"] else ""
        names = [one["grade"] for one in document.get("grades", oracle.DEFAULT_GRADES)]
        self.order = names.index(self.grade) if self.qualified else len(names)


class Moved:
    """What becomes of one lead."""

    def __init__(self, record, active, draft, lists):
        self.lead_id, self.score_id, lead, as_of = record
        self.old, self.new = (Side(document, lead, as_of, lists) for document in (active, draft))
        self.change = self.new.score - self.old.score
        self.turns = self.old.qualified != self.new.qualified

    def way(self):
        if self.turns:
            return 1 if self.new.qualified else -1
        if self.change:
            return 1 if self.change > 0 else -1
        if self.old.grade == self.new.grade:
            return 0
        return 1 if self.new.order <= self.old.order else -1


def expected(records, active, draft, lists, sample=10000):
    """The answer by the oracle, but for the parts of movers. records: newest last."""
    seen, latest = set(), []
    for record in reversed(records):
        if record[0] and record[0] in seen:
            continue
        seen.add(record[0])
        latest.append(record)
    moved = [Moved(record, active, draft, lists) for record in latest[:sample]]
    cells = {}
    for one in moved:
        where = (one.old.order, one.new.order, one.old.grade, one.new.grade)
        cells[where] = cells.get(where, 0) + 1
    changed = sum(one.old.grade != one.new.grade for one in moved)
    count = max(1, len(moved))
    movers = []
    for way in (1, -1):
        mine = [one for one in moved if one.way() == way]
        movers += sorted(mine, key=lambda one: (not one.turns, -way * one.change))[:10]
    return {"leads": len(moved), "changed": changed,
            "matrix": [{"from": where[2], "to": where[3], "count": cells[where]}
                       for where in sorted(cells)],
            "mean_change": half_away(Fraction(sum(one.change for one in moved), count)),
            "changed_pct": int(half_up(Fraction(100 * changed, count), 2) * 100),
            "movers": movers}


def check(told, wanted):
    for name in ("leads", "changed", "matrix"):
        equal(told[name], wanted[name], name)
    for name in ("mean_change", "changed_pct"):
        equal(hundredths(told[name]), wanted[name], name)
    equal([one["score_id"] for one in told["movers"]], [one.score_id for one in wanted["movers"]],
          "who moves")
    for mover, one in zip(told["movers"], wanted["movers"]):
        equal((mover["lead_id"], mover["from"], mover["to"], hundredths(mover["from_score"]),
               hundredths(mover["to_score"]), hundredths(mover["change"])),
              (one.lead_id, one.old.grade, one.new.grade, one.old.score, one.new.score, one.change),
              "a mover")
        equal(mover["reason"], one.new.reason if one.old.qualified else "", "why it is out now")
        parts = [hundredths(part["change"]) for part in mover["attributes"]]
        equal(sum(parts), one.change, "parts that add up: %r" % mover)
        equal(0 in parts, False, "a part of nothing")
        equal([abs(part) for part in parts], sorted(map(abs, parts), reverse=True), "largest first")


def usable(desk, maker):
    """A random definition that lint has no errors for."""
    while True:
        request = maker.request()
        document = dict(request["definition"], key="one", purpose="core")
        answer = desk.ask("POST", "/v1/lint", document, 200).json
        if not answer["errors"]:
            return document, request["as_of"]


def test_random_definitions(program):
    for seed in range(ROUNDS):
        try:
            with Desk(program) as desk:
                one_round(desk, FixedLists(seed))
        except AssertionError as trouble:
            raise AssertionError("seed %d: %s" % (seed, trouble)) from None


def one_round(desk, maker):
    lists = dict(maker.fixed)
    for key, entries in lists.items():
        desk.put_list(key, entries)
    active, as_of = usable(desk, maker)
    draft, _ = usable(desk, maker)
    if maker.chance(0.5):                    # a draft that is a little change of what is active
        draft = dict(active, attributes=[dict(one) for one in active["attributes"]])
        for attribute in draft["attributes"]:
            attribute["weight"] = maker.random.randint(1, 100)
    desk.publish(active)
    records = []
    for at in range(LEADS):
        lead = maker.lead(active if at % 2 else draft)
        lead["id"] = "lead-%d" % maker.random.randrange(30)
        if maker.chance(0.1):
            lead.pop("id")
        answer = desk.score(lead, as_of=as_of, explain="none", icps=["one"])
        records.append((answer["lead_id"], answer["id"], lead, as_of))
    desk.put_draft(draft)
    told = desk.get(PATH)
    equal((told["icp"], told["from_version"], told["unstored_fields"]), ("one", 1, []), "head")
    check(told, expected(records, active, draft, lists))
    equal(told["matrix"] != [], True, "a matrix")
    for sample in (1, 7, 100000):
        check(desk.get(PATH + "?sample=%d" % sample),
              expected(records, active, draft, lists, sample))
    # the lists as they are now, though the leads were scored before
    lists["competitors"] = ["VP, Sales"]
    lists["free-mail"] = ["ok", "a"]
    for key in ("competitors", "free-mail"):
        desk.put_list(key, lists[key])
    check(desk.get(PATH), expected(records, active, draft, lists))
    # beside itself a definition changes nothing
    etag = desk.get("/v1/icps/one")["draft_etag"]
    desk.put_draft(active, etag)
    told = desk.get(PATH)
    equal((told["changed"], told["mean_change"], told["changed_pct"], told["movers"]),
          (0, 0, 0, []), "nothing changes")
    # with the guard at what the impact says it goes through, below it does not
    etag = desk.get("/v1/icps/one")["draft_etag"]
    etag = desk.put_draft(draft, etag)
    share = desk.get(PATH)["changed_pct"]
    if share > 0:
        below = (hundredths(share) - 1) / 100
        expect(desk.ask("POST", "/v1/icps/one/publish", {"max_grade_change_pct": below},
                        if_match=etag), 422, "grade_change_too_large")
    desk.ask("POST", "/v1/icps/one/publish", {"max_grade_change_pct": share}, 201, if_match=etag)


def test_nothing_to_go_by(program):
    with Desk(program) as desk:
        expect(desk.ask("GET", PATH), 404, "icp_not_found")
        desk.put_draft(definition("one"))
        told = desk.get(PATH)
        equal(told, {"icp": "one", "from_version": 0, "leads": 0, "matrix": [], "mean_change": 0,
                     "changed": 0, "changed_pct": 0, "movers": [], "unstored_fields": []},
              "no leads at all")
        desk.publish(definition("other", field="x"))
        for at in range(11):
            desk.score({"id": "lead-%d" % at, "points": at})
        told = desk.get(PATH)
        equal((told["leads"], told["changed"], told["movers"], told["mean_change"]),
              (11, 0, [], 0), "nothing was active")
        equal(told["matrix"], [{"from": "", "to": grade, "count": count} for grade, count in
                               (("A", 3), ("B", 2), ("C", 2), ("D", 4))], "what they would get")
        desk.publish(definition("one"))
        expect(desk.ask("GET", PATH), 404, "draft_not_found")
        for query in ("sample=0", "sample=100001", "sample=", "sample=x", "sample=1.5",
                      "sample=-1", "samples=1", "sample=99999999999999999999"):
            expect(desk.ask("GET", PATH + "?" + query), 400, "invalid_parameter")


def test_who_is_out_and_why(program):
    out = [{"key": "rival", "reason": "Competitor", "when": {"field": "domain", "is": "r.example"}}]
    with Desk(program) as desk:
        desk.publish(definition("one"))
        for at, domain in enumerate(["r.example", "x.example", "R.Example"]):
            desk.score({"id": "lead-%d" % at, "points": 9, "domain": domain})
        desk.put_draft(definition("one", disqualifiers=out))
        told = desk.get(PATH)
        equal([(one["lead_id"], one["from"], one["to"], one["reason"], one["change"],
                one["attributes"]) for one in told["movers"]],
              [("lead-2", "A", "DQ", "Competitor", 0, []),
               ("lead-0", "A", "DQ", "Competitor", 0, [])], "who is out, latest first")
        equal(told["changed_pct"], 66.67, "rounded half up")
        desk.publish(definition("one", disqualifiers=out))
        desk.put_draft(definition("one"))
        equal([(one["lead_id"], one["from"], one["to"], one["reason"])
               for one in desk.get(PATH)["movers"]],
              [("lead-2", "DQ", "A", ""), ("lead-0", "DQ", "A", "")], "who is in again")


def test_attributes_far_above_their_cap(program):
    """Two that pull against each other, a thousand times what their category may give."""
    def pulling(fit):
        def one(key, given):
            return {"key": key, "label": key, "category": "need", "weight": 1000,
                    "rules": [{"when": {"field": key, "exists": True}, "fit": given}]}
        return {"key": "one", "name": "One", "framework": "use_cases",
                "attributes": [one("up", fit), one("down", -0.9995)],
                "caps": [{"category": "need", "max": 1}]}

    with Desk(program) as desk:
        desk.publish(pulling(0))
        desk.score({"id": "a", "up": 1, "down": 1})
        desk.put_draft(pulling(1))
        (mover,) = desk.get(PATH)["movers"]
        equal((mover["from_score"], mover["to_score"], mover["change"]), (0, 50, 50), "the change")
        equal(mover["attributes"], [{"key": "up", "change": 100000},
                                    {"key": "down", "change": -99950}], "its parts")


def test_fields_that_were_not_stored(program):
    draft = definition("one")
    draft["attributes"].append({
        "key": "extra", "label": "Extra", "category": "need", "weight": 10,
        "rules": [{"when": {"all": [{"field": "company.size", "gte": 1},
                                    {"field": "points", "gte": 1}]}}]})
    with Desk(program, "--store-lead", "fields") as desk:
        desk.publish(definition("one"))
        desk.publish(definition("apart", field="elsewhere"))
        desk.score({"id": "a", "points": 5, "company": {"size": 3}}, icps=["one"])
        desk.score({"id": "b", "points": 5, "elsewhere": 2}, icps=["apart"])
        desk.put_draft(draft)
        told = desk.get(PATH)
        equal((told["leads"], told["unstored_fields"]), (1, ["company.size"]),
              "leads of this ICP, and what was not kept of them")
        desk.put_draft(definition("one"), "*")
        equal(desk.get(PATH)["unstored_fields"], [], "all that it reads was kept")


def test_ten_thousand_leads(program):
    """The default sample, while scores go on being recorded."""
    with Desk(program) as desk:
        desk.publish(definition("core-icp"))
        desk.put_draft(definition("core-icp", grades=[{"grade": "A", "min": 50},
                                                      {"grade": "B", "min": 0}]))
        load = Load(desk.server, desk.key)
        load.wait_for(2000)
        path = "/v1/icps/core-icp/draft/impact"
        while True:
            told = desk.get(path)
            equal(sum(one["count"] for one in told["matrix"]), told["leads"], "the matrix")
            equal(desk.get(path + "?sample=500")["leads"], 500, "a sample")
            if len(load.acknowledged) > 4000:
                break
        load.end()
        equal(told["leads"] >= 2000, True, "%d leads" % told["leads"])


run(globals())
