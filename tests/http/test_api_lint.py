"""GET …/draft/lint and POST /v1/lint: the definition, the lists, today, and the leads of late."""

import datetime

from harness import equal, expect, run
from editing import Desk, changed, definition

SEVERITIES = ["error", "warning", "info"]


def sound(key="one", **more):
    """A definition that lint has little to say about."""
    return definition(key, **dict({"disqualifiers": [
        {"key": "rival", "reason": "Competitor",
         "when": {"field": "domain", "is": "rival.example"}}]}, **more))


def codes(lint):
    return [item["code"] for item in lint["lint"]]


def held(desk, document):
    """The lint of a definition, the same by both ways."""
    lint = desk.ask("POST", "/v1/lint", document, 200).json
    counts = [len([one for one in lint["lint"] if one["severity"] == severity])
              for severity in SEVERITIES]
    equal([lint["errors"], lint["warnings"], lint["infos"]], counts, "counts by severity")
    equal([SEVERITIES.index(one["severity"]) for one in lint["lint"]],
          sorted(SEVERITIES.index(one["severity"]) for one in lint["lint"]), "errors first")
    for one in lint["lint"]:
        equal(one["detail"] != "" and (one["fix"] != "" or one["severity"] == "info"), True,
              "what it is and how to mend it: %r" % one)
        resolve(document, one["pointer"])
    answer = desk.ask("GET", "/v1/icps/%s/draft" % document["key"])
    desk.put_draft(document, answer.headers["ETag"] if answer.status == 200 else None)
    equal(desk.get("/v1/icps/%s/draft/lint" % document["key"]), lint, "as a draft")
    return lint


def resolve(document, pointer):
    """Every place but the last must be there: it may be where something is missing."""
    node, parts = document, [part.replace("~1", "/").replace("~0", "~")
                             for part in pointer.split("/")[1:]]
    for part in parts[:-1]:
        node = node[int(part)] if isinstance(node, list) else node[part]


def test_what_it_finds(program):
    overdue = (datetime.date.today() - datetime.timedelta(days=1)).isoformat()
    cases = [("impossible_condition", "error",
              {"attributes": [rule({"field": "x", "between": [10, 5]})]}),
             ("unknown_list", "error",
              {"attributes": [rule({"field": "x", "in_list": "no-such"})]}),
             ("empty_list", "warning", {"attributes": [rule({"field": "x", "in_list": "hollow"})]}),
             ("no_disqualifier", "warning", {"disqualifiers": []}),
             ("static_profile", "warning", {"review_by": overdue}),
             ("dead_rule", "warning", {"attributes": [rule({"field": "x", "gte": 1},
                                                            {"field": "x", "gte": 2})]})]
    with Desk(program) as desk:
        desk.put_list("hollow", [])
        for code, severity, more in cases:
            lint = held(desk, sound(**more))
            found = [(one["code"], one["severity"]) for one in lint["lint"]]
            equal((code, severity) in found, True, "%s in %s" % (code, found))
            equal((lint["dropped"], lint["leads"]), (0, 0), "dropped and leads")
        equal("impossible_condition" in codes(held(desk, sound())), False, "a sound one")


def rule(*conditions):
    return {"key": "a", "label": "A", "category": "need", "weight": 10,
            "rules": [{"when": condition} for condition in conditions]}


def test_lists_count_as_they_are_now(program):
    document = sound(attributes=[rule({"field": "domain", "in_list": "targets"})])
    with Desk(program) as desk:
        for steps in (("unknown_list", None), ("empty_list", []), (None, ["a"]),
                      ("empty_list", []), (None, ["b"])):
            if steps[1] is not None:
                desk.put_list("targets", steps[1])
            found = codes(held(desk, document))
            for code in ("unknown_list", "empty_list"):
                equal(code in found, code == steps[0], "%s with %r" % (code, steps[1]))
        desk.ask("DELETE", "/v1/lists/targets", status=204)
        equal("unknown_list" in codes(held(desk, document)), True, "deleted")


def test_what_only_leads_can_tell(program):
    """vague_profile and unseen_field, from twenty leads on."""
    vague = sound("vague", grades=[{"grade": "A", "min": 10}, {"grade": "B", "min": 0}])
    unseen = sound("unseen", field="point")
    with Desk(program) as desk:
        desk.publish(sound("base"))
        for at in range(30):
            if at == 19:
                for document in (vague, unseen):
                    lint = held(desk, document)
                    equal({"vague_profile", "unseen_field"} & set(codes(lint)), set(), "too few")
            desk.score({"id": "lead-%d" % at, "points": 5, "domain": "x.example"})
        lint = held(desk, vague)
        equal(("vague_profile" in codes(lint), lint["leads"]), (True, 30), "vague, by 30 leads")
        lint = held(desk, unseen)
        (item,) = [one for one in lint["lint"] if one["code"] == "unseen_field"]
        equal("point," in item["detail"] and "points" in item["fix"], True,
              "the field and the nearest one: %r" % item)
        equal("unseen_field" in codes(held(desk, sound("base"))), False, "a field that is seen")
        for at in range(30):                     # the same leads again: each counts once
            desk.score({"id": "lead-%d" % at, "points": 0, "domain": "x.example"})
        lint = held(desk, vague)
        equal(("vague_profile" in codes(lint), lint["leads"]), (False, 30), "their latest scores")


def test_what_is_no_definition(program):
    with Desk(program) as desk:
        expect(desk.ask("POST", "/v1/lint", b""), 400, "invalid_json")
        expect(desk.ask("POST", "/v1/lint", b"[1,]"), 400, "invalid_json")
        for body in ([], {}, "x", 7):
            expect(desk.ask("POST", "/v1/lint", body), 422, "invalid_definition")
        expect(desk.ask("POST", "/v1/lint", changed(sound(), framework="x", weight=1)), 422,
               "invalid_definition", errors=[("/framework", "invalid_value"),
                                             ("/weight", "unknown_member")])
        equal(desk.get("/v1/icps"), {"icps": []}, "nothing is kept")
        equal(len(desk.audit()), 1, "nothing is changed: the key of the command line")


def test_more_than_can_be_told(program):
    """500 items are told, the rest is counted."""
    document = sound(attributes=[
        dict(rule(*[{"field": "x", "between": [2, 1]}] * 4), key="k%d" % at) for at in range(200)])
    with Desk(program) as desk:
        lint = desk.ask("POST", "/v1/lint", document, 200).json
        equal((len(lint["lint"]), lint["errors"] >= 800, lint["dropped"] >= 300),
              (500, True, True), "told, found and dropped")


run(globals())
