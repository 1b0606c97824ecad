"""POST /v1/score: the answer's shape, its options, and which ICPs answer."""

import datetime
import re
import sqlite3

from harness import CONTRACT, ICPS, Place, equal, expect, run

FLAT = ["icp", "version", "score", "grade", "qualified", "coverage", "label"]
FULL = ["attributes", "caps", "lists", "to_next_grade"]
LEAD = {"id": "00Q5e00001AbCdE", "title": "Head of Operations",
        "company": {"employees": 860, "industry": "Machinery", "country": "DE"}}


def definition(key, field="points", **more):
    """An ICP whose score is ten times the number in a field, up to 100."""
    rules = [{"when": {"field": field, "gte": at}, "fit": at / 10} for at in range(10, 0, -1)]
    return dict({"key": key, "name": "Test " + key, "framework": "use_cases", "attributes": [
        {"key": "points", "label": "Points", "category": "need", "weight": 10, "rules": rules}]},
        **more)


class Scoring:
    """A server with some ICPs and one client; a helper for most tests here."""

    def __init__(self, program, *definitions, files=ICPS, options=()):
        self.place = Place(program)
        if files:
            self.place.publish(*files)
        for one in definitions:
            self.place.publish_definition(one)
        key = self.place.key()
        self.server = self.place.serve(*options)
        self.client = self.server.client(key)

    def __enter__(self):
        return self.client

    def __exit__(self, *trouble):
        self.client.close()
        self.server.__exit__(*trouble)
        self.place.__exit__(*trouble)


def test_flat_members_repeat_the_best_result(program):
    leads = [LEAD, {}, {"id": 5, "company": {"employees": "860"}}, {"id": "", "age": 34},
             {"company": {"domain": "gmail.com", "employees": 3}}]
    with Scoring(program) as client:
        for lead in leads:
            for explain in ("full", "summary"):
                answer = client.score(lead, explain=explain)
                best = answer["results"][0]
                for name in FLAT:
                    equal(answer[name], best[name], name)
                equal(answer["engagement"], best["engagement"]["score"], "engagement")
                equal(answer["engagement_level"], best["engagement"]["level"], "level")
                equal(best["disqualifiers"] == [], best["qualified"], "qualified")
                for result in answer["results"]:
                    check_result(result)


def check_result(result):
    """What must hold within any result."""
    if not result["qualified"]:
        equal((result["grade"], result["label"]), ("DQ", "DQ"), "of a disqualified lead")
    elif result["engagement"]["level"]:
        equal(result["label"], result["grade"] + str(result["engagement"]["level"]), "label")
    low, high = result["range"]["min"], result["range"]["max"]
    equal(low <= result["score"] <= high, True, "score within its range: %r" % result["range"])
    if "attributes" not in result:
        return
    for axis, held in (("fit", result), ("engagement", result["engagement"])):
        given = sum(round(one["points"] * 10**6) for one in result["attributes"]
                    if one["axis"] == axis)
        taken = sum(round((one["before"] - one["after"]) * 10**6) for one in result["caps"]
                    if one["axis"] == axis)
        equal(given - taken, round(held["points"] * 10**6), "sum of points on " + axis)
    known = {one["key"] for one in result["attributes"]}
    equal({one["attribute"] for one in result["to_next_grade"]} <= known, True, "steps")


def test_reasons_are_those_of_attributes_and_disqualifiers(program):
    stop = definition("stop", disqualifiers=[
        {"key": "a", "reason": "First reason", "when": {"field": "a", "exists": True}},
        {"key": "b", "reason": "Second \"reason\"\n", "when": {"field": "b", "exists": True}}])
    with Scoring(program, stop, files=None) as client:
        told = client.score({"points": 5})
        equal([told["reason_%d" % at] for at in (1, 2, 3)],
              [told["results"][0]["attributes"][0]["reason"], "", ""], "reasons")
        told = client.score({"points": 5, "a": 1, "b": 1})
        equal([told["reason_%d" % at] for at in (1, 2)],
              ["First reason", 'Second "reason"\n'], "a disqualifier's come first")
        equal(told["reason_3"], told["results"][0]["attributes"][0]["reason"], "then attributes'")
        equal((told["score"], told["qualified"], told["grade"]), (50, False, "DQ"), "disqualified")


def test_explain(program):
    with Scoring(program) as client:
        full, summary, none = (client.score(LEAD, explain=word, as_of="2026-01-01")
                               for word in ("full", "summary", "none"))
        plain = client.score(LEAD, as_of="2026-01-01")
        equal(plain["results"], full["results"], "full is the default")
        equal(none["results"], [], "results with none")
        for brief, whole in zip(summary["results"], full["results"], strict=True):
            equal(brief, {name: one for name, one in whole.items() if name not in FULL}, "summary")
        for name in list(full)[:-1]:
            if name not in ("id", "scored_at"):
                equal((summary[name], none[name]), (full[name], full[name]), name)
        for one in (full, summary, none):
            equal(one["recorded"], True, "recorded")


def test_what_is_not_recorded_leaves_nothing(program):
    with Scoring(program, files=ICPS[:1]) as client:
        said = client.score(LEAD, record=False)
        equal((said["id"], said["recorded"]), ("", False), "id and recorded")
        kept = client.score(LEAD)
        equal(kept["recorded"], True, "recorded")
        equal(bool(re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", kept["id"])), True, "a ULID")
        for name in ("results", "score", "grade", "lead_id", "reason_1"):
            equal(said[name], kept[name], name)
        expect(client.get("/v1/scores/"), 404, "not_found")
    count = {}
    for record in (False, True):
        with Place(program) as place:
            place.publish(ICPS[0])
            key = place.key()
            with place.serve() as server:
                for _ in range(20):
                    server.client(key).score(LEAD, record=record)
            with sqlite3.connect(place.db) as database:
                count[record] = database.execute(
                    "SELECT coalesce(sum(count), 0) FROM score_block").fetchone()[0]
    equal(count, {False: 0, True: 20}, "recorded scores")


def test_ids_rise(program):
    with Scoring(program, files=ICPS[:1]) as client:
        ids = [client.score({}, explain="none")["id"] for _ in range(50)]
        equal(ids, sorted(set(ids)), "ids in the order of their scores")


# --------------------------------------------------------------- leads


def test_lead_ids(program):
    cases = [("text", "text"), ("", ""), (" spaced ", " spaced "), ("Größe 🏭\n\t\"\\/", None),
             (17, "17"), (0, "0"), (-5, "-5"), (-0.0, "0"), (20.0, "20"),
             (1e3, "1000"), (9007199254740993, "9007199254740993"),
             (1234567890123456789, "1234567890123456789"),
             (-1234567890123456789, "-1234567890123456789"),
             (10**199, "1" + "0" * 199), ("x" * 200, None), ("é" * 200, None),
             ("🏭" * 200, None),
             ("007", "007"), ("1e3", "1e3"), ("null", "null")]
    with Scoring(program, files=ICPS[:1]) as client:
        for given, told in cases:
            for record in (True, False):
                equal(client.score({"id": given}, record=record)["lead_id"],
                      given if told is None else told, "lead_id for %r" % (given,))
        for lead in ({}, {"id": None}):
            equal(client.score(lead)["lead_id"], "", "lead_id of %r" % lead)
        wrong = [("x" * 201, "too_many"), ("é" * 201, "too_many"), (1.5, "out_of_range"),
                 (True, "wrong_type"), (False, "wrong_type"), ([], "wrong_type"),
                 ({}, "wrong_type"), (["a"], "wrong_type"), (10**200, "out_of_range"),
                 (1e300, "out_of_range"), (-0.5, "out_of_range"), ("\u0000a", "invalid_value")]
        for given, code in wrong:
            expect(client.post("/v1/score", {"lead": {"id": given}}), 422, "invalid_request",
                   errors=[("/lead/id", code)])


def test_leads_of_any_form(program):
    """Fields may hold anything; what no rule can read is unknown, never an error."""
    odd = [{"company": value} for value in (None, 1, "text", True, [], [[]], {}, [None, {"x": 1}])]
    odd += [{"company": {"employees": value}} for value in (
        None, "", [], {}, "n/a", -1, 1e308, -0.0, "860 ", True, [860, None, "x", [1], {}])]
    odd += [{"": 1}, {"a.b": 1}, {"a": {"": {"": 1}}}, {"é" * 500: "x"}, {"people": [{}] * 9999}]
    with Scoring(program) as client:
        for lead in odd:
            answer = client.score(lead)
            equal(len(answer["results"]), 5, "core ICPs")


def test_times(program):
    cases = [("2026-11-22T09:30:00Z", "2026-11-22T09:30:00.000Z"),
             ("2026-11-22", "2026-11-22T00:00:00.000Z"),
             ("2026-11-22T09:30:00.1239Z", "2026-11-22T09:30:00.123Z"),
             ("2026-11-22T09:30:00.123456789+02:00", "2026-11-22T07:30:00.123Z"),
             ("2026-11-22t09:30:00z", "2026-11-22T09:30:00.000Z"),
             ("2026-11-22 09:30:00", "2026-11-22T09:30:00.000Z"),
             ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
             ("2024-02-29", "2024-02-29T00:00:00.000Z"),
             ("0000-01-01", "0000-01-01T00:00:00.000Z"),
             ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z")]
    wrong = ["", "now", "2026-02-29", "2026-13-01", "2026-11-22T24:00:00Z", "2026-11-22T09:30Z",
             "2026-11-22T09:30:60Z", "1700000000", "22.11.2026", "2026-11-22T09:30:00+24:00",
             "2026-1-2", "10000-01-01"]
    with Scoring(program, files=ICPS[:1]) as client:
        for given, told in cases:
            answer = client.score({}, as_of=given)
            equal(answer["as_of"], told, "as_of of %s" % given)
            equal(client.get("/v1/scores/" + answer["id"]).json["as_of"], told, "as recorded")
        for given in wrong:
            expect(client.post("/v1/score", {"lead": {}, "as_of": given}), 422, "invalid_request",
                   errors=[("/as_of", "invalid_date")])
        for given in (1700000000, True, [], {}):
            expect(client.post("/v1/score", {"lead": {}, "as_of": given}), 422, "invalid_request",
                   errors=[("/as_of", "wrong_type")])
        before = datetime.datetime.now(datetime.timezone.utc)
        answer = client.score({}, record=False)
        equal(answer["as_of"], answer["scored_at"], "as_of that was not given")
        at = datetime.datetime.fromisoformat(answer["scored_at"].replace("Z", "+00:00"))
        equal(abs((at - before).total_seconds()) < 60, True, "scored_at is now")


def test_nulls_count_as_not_given(program):
    with Scoring(program) as client:
        plain = client.score(LEAD, as_of="2026-01-01")
        answer = client.score(LEAD, as_of="2026-01-01", icps=None, explain=None, record=None)
        equal(answer["results"], plain["results"], "results")
        equal(answer["recorded"], True, "recorded")
        equal(client.score({}, as_of=None)["recorded"], True, "recorded")


# ---------------------------------------------------------------- ICPs


def test_experimental_ones_stay_in_the_shadow(program):
    core, bet = definition("core-icp"), definition("bet", purpose="experimental")
    with Scoring(program, core, bet, files=None) as client:
        said = client.score({"points": 7})
        equal([one["icp"] for one in said["results"]], ["core-icp"], "answered")
        kept = client.get("/v1/scores/" + said["id"]).json
        equal(kept, said, "the recorded answer of a score with a shadow")
        named = client.score({"points": 7}, icps=["bet"])
        equal([one["icp"] for one in named["results"]], ["bet"], "named")
        both = client.score({"points": 7}, icps=["core-icp", "bet"])
        equal([one["icp"] for one in both["results"]], ["bet", "core-icp"], "both, by key")
        equal(client.get("/v1/scores/" + both["id"]).json, both, "recorded")
        only = client.score({"points": 7}, icps=[])
        equal([one["icp"] for one in only["results"]], ["core-icp"], "an empty list names none")


def test_shadow_scores_are_recorded(program):
    """leadfit check computes recorded scores again; so the shadow ones are there."""
    core, bet = definition("core-icp"), definition("bet", purpose="experimental")
    sizes = []
    for definitions in ((core,), (core, bet)):
        with Place(program) as place:
            for one in definitions:
                place.publish_definition(one)
            key = place.key()
            with place.serve() as server:
                client = server.client(key)
                for at in range(200):
                    client.score({"id": at, "points": at % 11}, explain="none")
            place.command("check", "--db", place.db)
            with sqlite3.connect(place.db) as database:
                sizes.append(database.execute(
                    "SELECT sum(length(body)) FROM score_block").fetchone()[0])
    equal(sizes[1] > sizes[0], True, "bytes recorded with a shadow: %r" % sizes)


def test_the_best_comes_first(program):
    stop = {"key": "stop", "reason": "Stop", "when": {"field": "stop", "is": True}}
    unknown = {"key": "more", "label": "More", "category": "need", "weight": 1,
               "rules": [{"when": {"field": "never", "exists": False}, "fit": 0},
                         {"when": {"field": "never", "gt": 1}}], "missing": "skip"}
    less = definition("0-less-coverage")
    less["attributes"].append(dict(unknown, rules=unknown["rules"][1:]))
    icps = [definition("b-same"), definition("a-same"), less, definition("higher", "more"),
            definition("highest-but-stopped", "most", disqualifiers=[stop])]
    with Scoring(program, *icps, files=None) as client:
        answer = client.score({"points": 5, "more": 6, "most": 10, "stop": True})
        equal([one["icp"] for one in answer["results"]],
              ["higher", "a-same", "b-same", "0-less-coverage", "highest-but-stopped"],
              "qualified, then score, then coverage, then key")
        equal((answer["icp"], answer["score"]), ("higher", 60), "the best")
        again = client.score({"points": 5, "more": 6, "most": 10, "stop": True},
                             icps=[one["key"] for one in icps])
        equal([one["icp"] for one in again["results"]],
              [one["icp"] for one in answer["results"]], "named in another order")
        kept = client.get("/v1/scores/" + again["id"])
        equal(kept.json, again, "the recorded answer")


def test_icps_that_are_not_there(program):
    with Scoring(program, files=ICPS[:1]) as client:
        expect(client.post("/v1/score", {"lead": {}, "icps": ["b2b-saas", "nothing"]}), 404,
               "icp_not_found", errors=[("/icps/1", "icp_not_found")])
        wrong = [("b2b-saas", [("/icps", "wrong_type")]), ([1], [("/icps/0", "wrong_type")]),
                 ([""], [("/icps/0", "invalid_key")]), (["A B"], [("/icps/0", "invalid_key")]),
                 (["b2b-saas"] * 2, [("/icps/1", "duplicate")]),
                 ([None], [("/icps/0", "wrong_type")]),
                 (["x" * 65], [("/icps/0", "invalid_key")]), ({}, [("/icps", "wrong_type")]),
                 (["k%d" % at for at in range(1001)], [("/icps", "too_many")])]
        for icps, errors in wrong:
            expect(client.post("/v1/score", {"lead": {}, "icps": icps}), 422, "invalid_request",
                   errors=errors)


def test_no_active_icp(program):
    with Scoring(program, files=None) as client:
        expect(client.post("/v1/score", {"lead": {}}), 409, "no_active_icp")
        expect(client.post("/v1/score", {"lead": {}, "icps": ["x"]}), 404, "icp_not_found")
    with Scoring(program, definition("bet", purpose="experimental"), files=None) as client:
        expect(client.post("/v1/score", {"lead": {}}), 409, "no_active_icp")
        client.score({}, icps=["bet"])


def test_every_answer_is_as_the_document_says(program):
    """The client holds every answer against it; this sees to it that it can find fault."""
    with Scoring(program, files=ICPS[:1]) as client:
        answer = client.score(LEAD)
    schema = {"$ref": "#/components/schemas/ScoreAnswer"}
    equal(CONTRACT.faults(schema, answer), [], "as it is")
    for name, value in (("score", "87"), ("grade", None), ("coverage", 101), ("id", "x"),
                        ("recorded", 1), ("version", 1.5), ("results", {}), ("odd", 1),
                        ("scored_at", "2026-11-22T09:30:00Z"), ("icp", "")):
        if not CONTRACT.faults(schema, dict(answer, **{name: value})):
            raise AssertionError("%s = %r passes" % (name, value))
    for name in answer:
        equal(len(CONTRACT.faults(schema, {k: v for k, v in answer.items() if k != name})), 1, name)


run(globals())
