"""GET /v1/leads and GET /v1/leads/{id}: the latest score of each lead under each ICP, against a
naive model."""

import json
import random
import threading
from urllib.parse import quote, urlencode

from harness import Place, equal, expect, run
from editing import Desk, definition

# Ids that a path can only name percent-encoded, or that somebody may take for something else.
ODD_IDS = ["a/b", "/", "//x//", " ", "  padded ", "50%", "%2F", "a?b=c&d#e", "größe 🏭", ".", "..", "a+b",
           "🏭" * 200, "x" * 200, "\"quoted\"\\", "é", "e\u0301", "scores", "x/scores", "tab\there", "'; --", "\u2028"]


def path(lead, rest=""):
    """The path of a lead. Dots are written out: they would be taken for a folder."""
    return "/v1/leads/" + quote(lead, safe="").replace(".", "%2E") + rest


def engaged(key, **more):
    """An ICP with an engagement axis and someone whom it does not want."""
    document = definition(key, **more)
    document["attributes"].append(
        {"key": "visits", "label": "Visits", "category": "behavioral", "axis": "engagement",
         "weight": 10, "rules": [{"when": {"field": "visits", "gte": 10}},
                                 {"when": {"field": "visits", "gte": 3}, "fit": 0.5}]})
    document["disqualifiers"] = [{"key": "student", "reason": "A student",
                                  "when": {"field": "student", "is": True}}]
    return document


class Model:
    """(lead, icp) -> the list's entry, as the answers of POST /v1/score tell it."""

    def __init__(self):
        self.entries = {}

    def note(self, answer):
        for result in answer["results"]:
            self.entries[answer["lead_id"], result["icp"]] = {
                "lead_id": answer["lead_id"], "icp": result["icp"], "version": result["version"],
                "score": result["score"], "grade": result["grade"], "label": result["label"],
                "qualified": result["qualified"], "coverage": result["coverage"],
                "engagement": result["engagement"]["score"], "scored_at": answer["scored_at"],
                "score_id": answer["id"]}

    def list(self, order="-score", **wanted):
        def fits(entry):
            return all(entry[name] == value for name, value in wanted.items()
                       if name != "min_score") and entry["score"] >= wanted.get("min_score", 0)
        found = sorted((one for one in self.entries.values() if fits(one)),
                       key=lambda one: one["icp"])
        found.sort(key=lambda one: one["score_id"], reverse=True)
        if order == "-score":
            found.sort(key=lambda one: one["score"], reverse=True)
        return found


def pages(desk, limit=None, **query):
    """All of a list, page by page."""
    found, after, count = [], None, 0
    if "qualified" in query:
        query["qualified"] = "true" if query["qualified"] else "false"
    while after != "":
        asked = dict(query, **({"limit": limit} if limit else {}), **({"after": after} if after else {}))
        page = desk.get("/v1/leads?" + urlencode(asked))
        equal(len(page["leads"]) <= (limit or 50), True, "no more than the limit")
        equal(bool(page["leads"]) or not page["next"], True, "no empty page in between")
        found += page["leads"]
        after, count = page["next"], count + 1
        equal(count < 3000, True, "an end")
    return found


def fill(desk, model, chance, count, leads=60):
    for _ in range(count):
        lead = {"id": "lead-%d" % chance.randrange(leads), "student": chance.random() < 0.2}
        if chance.random() < 0.9:
            lead["points"] = chance.randrange(0, 12)
        if chance.random() < 0.7:
            lead["visits"] = chance.randrange(0, 15)
        icps = chance.sample(["one", "two", "three"], chance.randrange(1, 4))
        model.note(desk.score(lead, icps=icps))


def test_filters_and_orders(program):
    chance, model = random.Random(5), Model()
    with Desk(program) as desk:
        for key in ("one", "two", "three"):
            desk.publish(engaged(key))
        fill(desk, model, chance, 150)
        desk.publish(engaged("two", name="Another"))
        fill(desk, model, chance, 100)
        expect(desk.ask("DELETE", "/v1/icps/three"), 204)      # archived: its leads stay
        everything = model.list()
        equal(len(everything) > 100, True, "%d entries" % len(everything))
        for order in ("-score", "-scored_at"):
            for limit in (None, 1, 7, 1000):
                equal(pages(desk, limit, order=order), model.list(order), "%s by %s" % (order, limit))
        for _ in range(150):
            one, query = chance.choice(everything), {}
            for name in ("icp", "grade", "label", "qualified"):
                if chance.random() < 0.4:
                    query[name] = one[name]
            if chance.random() < 0.3:
                query["min_score"] = chance.choice([0, one["score"], 55.5, 100, 33.33])
            order = chance.choice(("-score", "-scored_at"))
            equal(pages(desk, chance.choice([None, 3, 20]), order=order, **query),
                  model.list(order, **query), "%s %s" % (order, query))
        equal(pages(desk, grade="Z") + pages(desk, label="A9") + pages(desk, min_score=100, grade="D"),
              [], "nothing fits")
        equal(all(one["grade"] == "DQ" for one in pages(desk, qualified=False)), True, "DQ")


def test_what_is_answered_is_there_at_once(program):
    with Desk(program) as desk:
        desk.publish(definition("one"))
        for points in range(1, 8):
            answer = desk.score({"id": "x", "points": points})
            found = desk.get("/v1/leads")["leads"]
            equal([(one["score_id"], one["score"]) for one in found], [(answer["id"], 10 * points)],
                  "the latest, and it alone")
            equal(desk.get(path("x"))["scores"], found, "of the lead")
        desk.score({"points": 3})
        equal(len(desk.get("/v1/leads")["leads"]), 1, "without an id it is no lead")
        desk.score({"id": "y", "points": 3}, record=False)
        equal(desk.ask("GET", path("y")).status, 404, "not recorded")


def test_shadow_scores_and_unpublished_icps(program):
    with Desk(program) as desk:
        desk.publish(definition("core"))
        desk.publish(definition("trial", purpose="experimental"))
        desk.put_draft(definition("drafted"))
        desk.score({"id": "x", "points": 3})
        equal([one["icp"] for one in desk.get("/v1/leads")["leads"]], ["core", "trial"],
              "both; of one score by key")
        equal([one["icp"] for one in desk.get("/v1/leads?icp=trial")["leads"]], ["trial"], "one")
        equal(desk.get("/v1/leads?icp=drafted"), {"leads": [], "next": ""}, "never published")
        desk.get("/v1/leads?icp=nobody", 404, "icp_not_found")


def test_cursors_hold_while_scores_arrive(program):
    """A lead that nobody touches is met exactly once, whatever else is scored meanwhile."""
    with Desk(program) as desk:
        desk.publish(definition("one"))
        still = {desk.score({"id": "still-%d" % at, "points": at % 10})["lead_id"] for at in range(120)}
        stopped, troubles = threading.Event(), []

        def score():
            client = desk.server.client(desk.key)
            at = 0
            try:
                while not stopped.is_set():
                    client.score({"id": "moving-%d" % (at % 200), "points": at * 7 % 11})
                    at += 1
            except Exception as trouble:     # told below
                troubles.append(trouble)
            client.close()

        threads = [threading.Thread(target=score) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for order in ("-score", "-scored_at"):
                for limit in (3, 17):
                    met = [one["lead_id"] for one in pages(desk, limit, order=order)
                           if one["lead_id"].startswith("still")]
                    equal(sorted(met), sorted(still), "each once, %s by %d" % (order, limit))
        finally:
            stopped.set()
            for thread in threads:
                thread.join()
        equal(troubles, [], "troubles while scoring")


def test_parameters_that_are_none(program):
    with Desk(program) as desk:
        desk.publish(definition("one"))
        for at in range(5):
            desk.score({"id": "x%d" % at, "points": at})
        cursor = desk.get("/v1/leads?limit=2")["next"]
        by_time = desk.get("/v1/leads?limit=2&order=-scored_at")["next"]
        history = desk.get(path("x0", "/scores?limit=1"))["next"]
        equal(history, "", "one score alone")
        desk.score({"id": "x0", "points": 9})
        history = desk.get(path("x0", "/scores?limit=1"))["next"]
        export = desk.get(path("x0", "/export?limit=1"))["next"]
        equal(all([cursor, by_time, history, export]), True, "cursors")
        for query in ("limit=0", "limit=1001", "limit=-1", "limit=1.5", "limit=", "limit=1e2", "limit=0x10",
                      "limit=%2B5", "order=score", "order=-SCORE", "order=", "order=-scored_at%20",
                      "qualified=yes", "qualified=TRUE", "qualified=", "qualified=1", "min_score=-1",
                      "min_score=100.01", "min_score=1.005", "min_score=", "min_score=NaN", "min_score=A",
                      "min_score=%2B1", "min_score=1%20", "icp=", "icp=B2B", "icp=a/b", "icp=" + "x" * 65,
                      "grade=", "label=", "after=", "after=x", "after=%00", "sort=score", "limit=1&limit=2",
                      "Limit=3", "after=" + cursor[:-1], "after=" + cursor + "A", "after=" + cursor + "=",
                      "after=" + by_time, "after=" + history, "after=" + export,
                      "order=-scored_at&after=" + cursor, "after=" + cursor.swapcase(), "after=" + "A" * 500):
            code = "invalid_url" if "%00" in query else "invalid_parameter"
            desk.get("/v1/leads?" + query, 400, code)
        for query in ("limit=0", "limit=1001", "after=" + cursor, "after=" + export, "icp=", "icp=X", "icp[]=a",
                      "order=-score", "after="):
            desk.get(path("x0", "/scores?" + query), 400, "invalid_parameter")
        for query in ("limit=0", "limit=1001", "after=" + cursor, "after=" + history, "icp=one"):
            desk.get(path("x0", "/export?" + query), 400, "invalid_parameter")
        desk.get(path("x1", "/scores?after=" + history), 400, "invalid_parameter")   # of another lead
        desk.get(path("x1", "/export?after=" + export), 400, "invalid_parameter")
        desk.get(path("x0", "?icp=one"), 400, "invalid_parameter")
        expect(desk.ask("DELETE", path("x0", "?force=1")), 400, "invalid_parameter")
        expect(desk.ask("POST", "/v1/leads", {}), 405)
        expect(desk.ask("PUT", path("x0"), {}), 405)
        desk.get("/v1/leads?limit=2&min_score=0.0&qualified=true&icp=one&order=-score&after=" + cursor)
        desk.get("/v1/leads?min_score=1e1")


def test_ids_of_every_kind(program):
    """Ids go through all routes about a lead, and none of them reaches the log."""
    with Desk(program, "--log-requests", "all", "--log-level", "debug") as desk:
        desk.publish(definition("one"))
        answers = {lead: desk.score({"id": lead, "points": 4}) for lead in ODD_IDS}
        for lead, answer in answers.items():
            found = desk.get(path(lead))
            equal((found["lead_id"], found["scores"][0]["score_id"]), (lead, answer["id"]), repr(lead))
            equal(found["outcome"], {"outcome": "", "value": 0, "at": ""}, "nobody has said")
            for rest, members in (("/scores", ("lead_id", "scores")), ("/export", ("lead_id", "scores"))):
                told = desk.get(path(lead, rest))
                equal((told["lead_id"], len(told["scores"])), (lead, 1), repr(lead) + rest)
                equal(set(members) <= set(told), True, "members")
        for at, lead in enumerate(ODD_IDS):
            expect(desk.ask("DELETE", path(lead)), 204)
            expect(desk.ask("DELETE", path(lead)), 404, "lead_not_found")
            desk.get(path(lead), 404, "lead_not_found")
            desk.get(path(lead, "/scores"), 404, "lead_not_found")
            desk.get(path(lead, "/export"), 404, "lead_not_found")
            equal(len(desk.get("/v1/leads")["leads"]), len(ODD_IDS) - at - 1, "the others")
        log = desk.server.log_text()
        equal("/v1/leads/{id}/export" in log, True, "the route is in the log")
        for lead in ODD_IDS:
            told = {lead, quote(lead, safe=""), json.dumps(lead)[1:-1]}
            found = [one for one in told if len(one) > 3 and one != "scores" and one in log]
            equal(found, [], "ids in the log")


def test_ids_that_no_lead_has(program):
    with Desk(program) as desk:
        desk.publish(definition("one"))
        for lead in ("nobody", "x" * 201, "🏭" * 201, "x" * 1000):
            for method, rest in (("GET", ""), ("GET", "/scores"), ("GET", "/export"), ("DELETE", "")):
                expect(desk.ask(method, path(lead, rest)), 404, "lead_not_found")
        for raw in ("/v1/leads/%", "/v1/leads/%GG", "/v1/leads/a%00b", "/v1/leads/%FF", "/v1/leads/%C3"):
            expect(desk.ask("GET", raw), 400, "invalid_url")
        for raw in ("/v1/leads/", "/v1/leads//scores", "/v1/leads/.", "/v1/leads/../icps", "/v1/leads/a/b",
                    "/v1/leads/a/scores/"):
            expect(desk.ask("GET", raw), 404, "not_found")


def test_a_lead_with_an_outcome_alone(program):
    with Desk(program) as desk:
        desk.publish(definition("one"))
        said = {"lead_id": "o", "outcome": "won", "value": 12000.5, "at": "2026-01-31T09:30:00Z"}
        expect(desk.client.post("/v1/outcomes", said), 200)
        outcome = {"outcome": "won", "value": 12000.5, "at": "2026-01-31T09:30:00.000Z"}
        equal(desk.get(path("o")), {"lead_id": "o", "scores": [], "outcome": outcome}, "the lead")
        equal(desk.get(path("o", "/scores")), {"lead_id": "o", "scores": [], "next": ""}, "history")
        export = desk.get(path("o", "/export"))
        equal((export["scores"], export["outcome"], export["next"]), ([], outcome, ""), "export")
        equal(desk.get("/v1/leads")["leads"], [], "no score, no line")
        desk.score({"id": "o", "points": 5})
        equal((len(desk.get(path("o"))["scores"]), desk.get(path("o"))["outcome"]), (1, outcome), "both")


def test_scopes(program):
    with Place(program) as place:
        reads, writes, scores = [place.key(one) for one in ("leads:read", "leads:write", "score")]
        check_scopes(program, place, reads, writes, scores)


def check_scopes(program, place, reads, writes, scores):
    with Desk(program, place=place) as desk:
        desk.publish(definition("one"))
        desk.score({"id": "x", "points": 5})
        for method, rest in (("GET", ""), ("GET", "/scores"), ("GET", "/export")):
            expect(desk.ask(method, path("x", rest), key=reads), 200)
            expect(desk.ask(method, path("x", rest), key=scores), 403, "forbidden")
        expect(desk.ask("DELETE", path("x"), key=reads), 403, "forbidden")
        expect(desk.ask("GET", "/v1/leads", key=scores), 403, "forbidden")
        expect(desk.ask("DELETE", path("x"), key=writes), 204)


def test_after_a_restart(program):
    chance, model = random.Random(6), Model()
    with Desk(program) as desk:
        for key in ("one", "two", "three"):
            desk.publish(engaged(key))
        fill(desk, model, chance, 60)
        desk.restart(kill=True)
        equal(pages(desk, 9), model.list(), "settled after a crash")
        fill(desk, model, chance, 30)
        desk.restart()
        equal(pages(desk, 1000, order="-scored_at"), model.list("-scored_at"), "and after a stop")
        desk.place.command("check", "--db", desk.place.db)


run(globals())
