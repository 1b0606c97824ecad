"""GET /v1/scores/{id}: the answer that was given, member for member."""

import subprocess

from harness import ICPS, Place, equal, expect, pairs, run
from test_api_explain import FixedLists
from test_api_score import LEAD, definition

NUMBERS = [b"0", b"-0", b"-0.0", b"1e21", b"1E+21", b"1e-7", b"0.1", b"1.50", b"100e-2", b"1e308",
           b"5e-324", b"2.2250738585072014e-308", b"123456789012345678901234567890",
           b"9007199254740993", b"0.1000000000000000055511151231257827", b"1" + b"0" * 300,
           b"-1.7976931348623157e308", b"0." + b"0" * 900 + b"1"]
TEXTS = [b'"\\u0000"', b'"\\u001f\\u007f\\u0080"', b'"\\ud83c\\udfed"',
         '"🏭é\u2028"'.encode("utf-8"),
         b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'""', b'" "', b'"' + b"x" * 3000 + b'"',
         ('"' + "🏭" * 1001 + '"').encode("utf-8"), '"\u00ad"'.encode("utf-8"), b'"a\\u0000b"']
OTHERS = [b"true", b"false", b"null", b"[]", b"{}", b"[[1]]", b"[null]", b'[1,"a",true,null,{},[]]',
          b'{"a":1}', b'[{"a":1}]', b'["a", "b"]', b"[1e21, 1.50]"]


def shows_all(key="shows-all"):
    """An ICP that shows the values of some fields, and reads the ends of paths."""
    fields = ["value", "deep.er.value", "list.value", "Feld mit Leerzeichen", "größe.🏭"]
    conditions = [{"field": field, "exists": True} for field in fields]
    conditions += [{"field": "value", "gte": 0}, {"field": "value", "contains": "a"},
                   {"field": "value", "before": "2026-01-01"}, {"not": {"field": "value", "is": 1}},
                   {"field": "value", "in_next_days": 30}]
    return {"key": key, "name": "Shows \"all\"\n🏭", "framework": "use_cases", "attributes": [
        {"key": "a%d" % at, "label": "Label \\ \"%d\"" % at, "category": "need",
         "weight": at + 1, "missing": "skip" if at % 2 else 0.333333,
         "rules": [{"when": condition, "fit": 0.7}]} for at, condition in enumerate(conditions)],
        "caps": [{"category": "need", "max": 5}]}


def check_recorded(client, answer):
    """The same bytes' worth: numbers as written, members in the same order."""
    kept = expect(client.get("/v1/scores/" + answer.json["id"]), 200)
    equal(pairs(kept.body), pairs(answer.body), "recorded answer")


def every_kind_of_value(program, *options):
    with Place(program) as place:
        place.publish_definition(shows_all())
        place.publish_definition(dict(shows_all("shadow"), purpose="experimental"))
        key = place.key()
        with place.serve(*options) as server:
            client = server.client(key)
            answers = []
            for value in NUMBERS + TEXTS + OTHERS:
                lead = (b'{"lead": {"id": "x", "value": %b, "deep": {"er": {"value": %b}}, "list": '
                        b'[{"value": %b}, {"value": [%b]}, 7], "Feld mit Leerzeichen": %b, '
                        b'"gr\xc3\xb6\xc3\x9fe": {"\xf0\x9f\x8f\xad": %b}, "other": %b}}'
                        % ((value,) * 7))
                answer = expect(client.post("/v1/score", lead), 200)
                check_recorded(client, answer)
                answers.append(answer)
        place.command("check", "--db", place.db)
        with place.serve(*options) as server:       # and after a restart
            client = server.client(key)
            for answer in answers:
                check_recorded(client, answer)


def test_every_kind_of_value(program):
    every_kind_of_value(program)


def test_every_kind_of_value_with_whole_leads(program):
    every_kind_of_value(program, "--store-lead", "whole")


def test_random_definitions_and_leads(program):
    """Definitions of tests/oracle, published and scored under all at once. Some
    are refused by lint (impossible conditions): those are left out."""
    maker, requests = FixedLists(1), []
    with Place(program) as place:
        place.put_lists(maker.fixed)
        for at in range(80):
            request = maker.request()
            request["definition"].update(key="icp-%d" % at, purpose="core" if at % 3 else
                                         "experimental")
            path = place.path("icp.json", request["definition"])
            done = subprocess.run([program, "icp", "import", "--db", place.db, path],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            equal(done.returncode in (0, 1), True, "exit code %d" % done.returncode)
            if done.returncode == 0:
                requests.append(request)
        equal(len(requests) > 20, True, "%d published" % len(requests))
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            for request in requests:
                asked = {"lead": request["lead"], "as_of": request["as_of"]}
                check_recorded(client, expect(client.post("/v1/score", asked), 200))
                asked["icps"] = [request["definition"]["key"]]
                check_recorded(client, expect(client.post("/v1/score", asked), 200))
        out, _ = place.command("check", "--db", place.db)
        count = str(2 * len(requests))
        equal("%s of %s" % (count, count) in out, True, "all computed again: " + out)


def test_every_recorded_answer_is_told_in_full(program):
    with Place(program) as place:
        place.publish(*ICPS)
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            for explain in ("summary", "none"):
                brief = client.score(LEAD, as_of="2026-01-01", explain=explain)
                full = client.score(LEAD, as_of="2026-01-01")
                kept = client.get("/v1/scores/" + brief["id"]).json
                equal((kept["id"], kept["scored_at"]), (brief["id"], brief["scored_at"]), "id")
                equal(kept["results"], full["results"], "results of one asked with " + explain)


def test_a_score_keeps_its_version(program):
    first, second = definition("moving"), definition("moving")
    second["attributes"][0].update(weight=20, label="Another label")
    with Place(program) as place:
        place.publish_definition(first)
        key = place.key()
        with place.serve() as server:
            old = expect(server.client(key).post("/v1/score", {"lead": {"points": 3}}), 200)
        place.publish_definition(second)
        with place.serve() as server:
            client = server.client(key)
            check_recorded(client, old)
            new = expect(client.post("/v1/score", {"lead": {"points": 3}}), 200)
            check_recorded(client, new)
            equal((old.json["version"], new.json["version"]), (1, 2), "versions")
            equal(old.json["results"][0]["max_points"], 10, "the old weight")


def test_scores_that_are_not_there(program):
    with Place(program) as place:
        place.publish(ICPS[0])
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            name = client.score({})["id"]
            expect(client.get("/v1/scores/" + name.lower()), 200)
            other = name[:-1] + ("0" if name[-1] != "0" else "1")
            for wrong in (other, "0" * 26, "7" + "Z" * 25, "8" + "Z" * 25, name[:-1], name + "0",
                          "x", "I" * 26, name.replace(name[3], "%C3%A9"), name + "%20"):
                expect(client.get("/v1/scores/" + wrong), 404, "score_not_found")


run(globals())
