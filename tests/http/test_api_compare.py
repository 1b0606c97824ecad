"""GET /v1/icps/{key}/compare: two ICPs beside each other, counted over by hand."""

import random
import time

from harness import equal, expect, run
from editing import Desk, definition

PATH = "/v1/icps/core/compare"
GRADES = ["A", "B", "C", "D", "DQ"]


def with_rival(key, field, **more):
    return definition(key, field=field, disqualifiers=[
        {"key": "rival", "reason": "Competitor",
         "when": {"field": "rival_of", "is": key}}], **more)


def grade(points, disqualified):
    if disqualified:
        return "DQ"
    return "A" if points >= 8 else "B" if points >= 6 else "C" if points >= 4 else "D"


class Lead:
    def __init__(self, name, one, other, rival, outcome):
        self.name, self.one, self.other = name, one, other
        self.rival, self.outcome = rival, outcome
        self.grades = grade(one, rival == "core"), grade(other, rival == "bold")

    def body(self):
        body = {"id": self.name, "one": self.one, "other": self.other}
        return dict(body, rival_of=self.rival) if self.rival else body

    def preferred(self):
        """Who gives it more: 1 the core one, -1 the other, 0 nobody."""
        mine, hers = (None if g == "DQ" else s for g, s in zip(self.grades, (self.one, self.other)))
        if mine is None or hers is None:
            return 0 if mine == hers else -1 if mine is None else 1
        return (mine > hers) - (mine < hers)


def counted(leads):
    return {"leads": len(leads), "won": sum(one.outcome == "won" for one in leads),
            "lost": sum(one.outcome == "lost" for one in leads)}


def half_away(number, places=2):
    scaled = abs(number) * 10 ** places
    return (1 if number >= 0 else -1) * int(scaled + 0.5) / 10 ** places


def check(told, leads):
    equal(told["leads"], len(leads), "leads")
    cells = {}
    for one in leads:
        cells.setdefault(one.grades, []).append(one)
    order = sorted(cells, key=lambda pair: (GRADES.index(pair[0]), GRADES.index(pair[1])))
    equal(told["matrix"], [{"grade": pair[0], "with_grade": pair[1],
                            "count": len(cells[pair]), "won": counted(cells[pair])["won"],
                            "lost": counted(cells[pair])["lost"]} for pair in order], "matrix")
    agreed = sum(one.grades[0] == one.grades[1] for one in leads)
    equal(told["agreed"], agreed, "agreed")
    if leads:
        equal(told["agreed_pct"], int(20000 * agreed / len(leads) + 1) // 2 / 100, "agreed_pct")
        mean = sum(10 * (one.one - one.other) for one in leads) / len(leads)
        equal(told["mean_difference"], half_away(mean), "mean_difference")
    for name, way in (("preferred", 1), ("with_preferred", -1), ("tied", 0)):
        equal(told[name], counted([one for one in leads if one.preferred() == way]), name)
    known = {one.name: one for one in leads}
    for name, way in (("top", 1), ("with_top", -1)):
        wanted = sum(one.preferred() == way for one in leads)
        equal(len(told[name]), min(10, wanted), name)
        for one in told[name]:
            lead = known[one["lead_id"]]
            equal((one["grade"], one["with_grade"], one["score"], one["with_score"],
                   one["difference"], one["outcome"]),
                  (*lead.grades, 10 * lead.one, 10 * lead.other, 10 * (lead.one - lead.other),
                   lead.outcome), "a lead at the top")
            equal(lead.preferred(), way, "who prefers it")


def test_counted_by_hand(program):
    chance = random.Random(9)
    with Desk(program) as desk:
        desk.publish(with_rival("core", "one"))
        desk.publish(with_rival("bold", "other", purpose="experimental"))
        check(desk.get(PATH + "?with=bold"), [])
        leads = {}
        for at in range(150):
            lead = Lead("lead-%d" % chance.randrange(100), chance.randrange(11),
                        chance.randrange(11), chance.choice(["", "", "", "core", "bold"]), "")
            before = leads.get(lead.name)
            lead.outcome = before.outcome if before else ""
            leads[lead.name] = lead              # each lead once, by its latest
            desk.score(lead.body())
            if chance.random() < 0.5:
                lead.outcome = chance.choice(["won", "lost", "open"])
                expect(desk.client.post("/v1/outcomes", {"lead_id": lead.name,
                                                         "outcome": lead.outcome}), 200)
        desk.score({"one": 10, "other": 0, "id": "not recorded"}, record=False)
        told = desk.get(PATH + "?with=bold")
        equal((told["icp"], told["with"], told["from"], told["to"]), ("core", "bold", "", ""),
              "head")
        check(told, list(leads.values()))
        turned = desk.get("/v1/icps/bold/compare?with=core")
        equal((turned["preferred"], turned["with_preferred"], turned["tied"], turned["agreed"],
               turned["mean_difference"]),
              (told["with_preferred"], told["preferred"], told["tied"], told["agreed"],
               -told["mean_difference"]), "the other way round")
        desk.restart()
        equal(desk.get(PATH + "?with=bold"), told, "after a restart")


def test_a_window(program):
    with Desk(program) as desk:
        for key in ("core", "bold"):
            desk.publish(definition(key))
        first = desk.score({"id": "a", "points": 1})["scored_at"]
        time.sleep(0.005)                        # the next millisecond at least
        second = desk.score({"id": "b", "points": 9})["scored_at"]
        for query, leads in (("", 2), ("&from=" + first, 2), ("&from=" + second, 1),
                             ("&to=" + second, 1), ("&to=" + first, 0),
                             ("&from=%s&to=%s" % (first, second), 1),
                             ("&from=%s&to=%s" % (second, second), 0),
                             ("&from=2000-01-01&to=2000-01-02", 0), ("&from=2000-01-01", 2),
                             ("&to=2999-01-01T00:00:00%2B01:00", 2)):
            told = desk.get(PATH + "?with=bold" + query)
            equal(told["leads"], leads, query)
        told = desk.get(PATH + "?with=bold&from=2026-01-02&to=2999-01-01T00:00:00%2B01:00")
        equal((told["from"], told["to"]), ("2026-01-02T00:00:00.000Z", "2998-12-31T23:00:00.000Z"),
              "the window as it was read")
        for query in ("", "?with=", "?with=bold&from=x", "?with=bold&to=", "?with=bold&from=1",
                      "?with=core", "?with=bold&from=2026-01-02&to=2026-01-01",
                      "?with=bold&limit=1",
                      "?with=bold&from=2026-01-01T00:00:00+01:00x"):
            expect(desk.ask("GET", PATH + query), 400, "invalid_parameter")


def test_what_is_compared(program):
    with Desk(program) as desk:
        expect(desk.ask("GET", PATH + "?with=bold"), 404, "icp_not_found")
        for key in ("core", "bold", "third"):
            desk.publish(definition(key))
        for path in (PATH + "?with=nobody", PATH + "?with=No%20Key",
                     "/v1/icps/nobody/compare?with=core"):
            expect(desk.ask("GET", path), 404, "icp_not_found")
        desk.score({"id": "a", "points": 5}, icps=["core"])
        desk.score({"id": "b", "points": 5}, icps=["core", "third"])
        equal(desk.get(PATH + "?with=bold")["leads"], 0, "never both")
        equal(desk.get(PATH + "?with=third")["leads"], 1, "both once")
        desk.score({"points": 3})                # a lead without an id counts for itself
        desk.score({"points": 3})
        equal(desk.get(PATH + "?with=bold")["leads"], 2, "leads without an id")
        desk.ask("DELETE", "/v1/icps/bold", status=204)
        equal(desk.get(PATH + "?with=bold")["leads"], 2, "what was recorded stays comparable")
        desk.put_draft(definition("sketch"))
        equal(desk.get(PATH + "?with=sketch")["leads"], 0, "a draft has scored nothing")


run(globals())
