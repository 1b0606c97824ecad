"""POST /v1/sources/{key}/preview: what a payload would become, and what its CRM would get."""

import json
import os

from contract import ROOT
from harness import equal, expect, run
from hooks import KINDS, Hooks, payload, raw_post

PAYLOADS = os.path.join(ROOT, "tests", "payloads")
CHANGING = {"id", "scored_at", "as_of", "recorded", "request_id", "instance"}


def preview(hooks, key, value, status=200, code=None):
    return expect(hooks.admin.post("/v1/sources/%s/preview" % key, value), status, code).json


def preview_bytes(hooks, key, body):
    """The same for a payload with nulls in it, which are the record's own and stay in the lead."""
    answer = raw_post(hooks.server.port, "/v1/sources/%s/preview" % key, body, {
        "Authorization": "Bearer " + hooks.admin_key}, nulls=True)
    return expect(answer, 200).json


def without_changing(value):
    """The same without what differs from one time to the next."""
    if isinstance(value, dict):
        return {name: without_changing(one) for name, one in value.items() if name not in CHANGING}
    return [without_changing(one) for one in value] if isinstance(value, list) else value


def fields_of(lead):
    return {one["field"]: one for one in lead["fields"]}


def test_every_payload_is_previewed_as_it_is_received(program):
    names = sorted(name for name in os.listdir(PAYLOADS) if name.endswith(".json"))
    equal(len(names) > 20, True, "payloads")
    with Hooks(program) as hooks:
        hooks.put("hubspot", "action", reply="hubspot_action")
        hooks.put("generic", "full", reply="full")
        scorer = hooks.server.client(hooks.score_key)
        for name in names:
            with open(os.path.join(PAYLOADS, name), "rb") as file:
                body = file.read()
            kind = name.split("-")[0]
            for key in [one for one in hooks.kinds if hooks.kinds[one] == kind]:
                before = (hooks.count(), len(hooks.refused(key)))
                seen = preview_bytes(hooks, key, body)
                equal((hooks.count(), len(hooks.refused(key))), before, "nothing is recorded")
                got = hooks.send(key, body)
                try:
                    equal(seen["reply_status"], got.status, "status")
                    equal(without_changing(seen["reply"]), without_changing(got.json), "reply")
                    check_preview(scorer, seen)
                except AssertionError as trouble:
                    raise AssertionError("%s as %s: %s" % (name, key, trouble)) from None
                equal(hooks.count() - before[0], len(seen["leads"]), "recorded of " + name)


def check_preview(scorer, seen):
    """What must hold within any preview whose leads can be scored."""
    equal(seen["problem"] == {} or seen["leads"] == [], True, "a problem and leads")
    for lead in seen["leads"]:
        equal(lead["problem"], {}, "problem of a lead")
        again = scorer.score(lead["lead"], record=False, as_of=lead["score"]["as_of"])
        equal(without_changing(again), without_changing(lead["score"]), "the score")
        equal(lead["score"]["recorded"], False, "recorded")
        equal(lead["lead_id"], lead["score"]["lead_id"], "lead_id")
        for one in lead["fields"]:
            equal(one["found"], one["pointer"] != "", "found, of %r" % one)
            if not one["found"]:
                equal((one["raw"], one["value"]), ("", ""), "of nothing")


def test_what_became_of_each_field(program):
    fields = {"points": "/properties/points", "title": ["/properties/none", "/properties/jobtitle"],
              "company.technologies": "/properties/tech", "company.industry": "/properties/branch",
              "nothing": "/properties/nowhere", "*": []}
    record = {"hs_object_id": 512, "points": {"value": "7", "versions": []}, "jobtitle": "COO",
              "tech": "SAP; Excel;;Word", "branch": "12;13", "spare": {"a": 1}, "empty": ""}
    with Hooks(program, kinds=[]) as hooks:
        hooks.put("hubspot", fields=fields, split={"company.technologies": ";",
                                                   "company.industry": ";"},
                  values={"company.industry": {"12": "Machinery"}})
        seen = preview(hooks, "hubspot", {"properties": record})
        (lead,) = seen["leads"]
        equal((seen["many"], lead["lead_id"], lead["score"]["score"]), (False, "512", 70), "lead")
        equal((lead["lead"]["company"]["technologies"], lead["lead"]["company"]["industry"]),
              (["SAP", "Excel", "Word"], ["Machinery", "13"]), "lists")
        found = fields_of(lead)
        equal(lead["fields"][0]["field"], "id", "the id comes first")
        equal((found["points"]["raw"], found["points"]["value"], found["points"]["unwrapped"]),
              ('{"value":"7","versions":[]}', "7", True), "points")
        equal((found["title"]["pointer"], found["title"]["raw"], found["title"]["unwrapped"]),
              ("/properties/jobtitle", "COO", False), "title")
        equal([found["company.technologies"][name] for name in
               ("raw", "value", "split", "labelled", "unlabelled")],
              ["SAP; Excel;;Word", '["SAP","Excel","Word"]', True, False, False], "technologies")
        equal([found["company.industry"][name] for name in
               ("raw", "value", "split", "labelled", "unlabelled")],
              ["12;13", '["Machinery","13"]', True, True, True], "industry")
        equal([found["nothing"][name] for name in ("found", "pointer", "raw", "value")],
              [False, "", "", ""], "what is not there")
        equal("/properties/spare/a" in lead["unused"] or "/properties/spare" in lead["unused"],
              True, "unused: %r" % lead["unused"])


def test_values_are_cut(program):
    with Hooks(program, kinds=["generic"]) as hooks:
        hooks.put("generic", fields={"long": "/long", "list": "/list"})
        value = payload("generic", "a", long="ü" * 1500, list=["🏭" * 400] * 4)
        found = fields_of(preview(hooks, "generic", value)["leads"][0])
        equal(found["long"]["value"], "ü" * 1000, "a long text")
        equal(found["list"]["raw"],
              json.dumps(value["list"], ensure_ascii=False, separators=(",", ":"))[:1000], "list")


def test_what_cannot_be_scored_is_shown(program):
    with Hooks(program) as hooks:
        hooks.put("hubspot", "action", reply="hubspot_action")
        for key in KINDS + ["action"]:
            kind = hooks.kinds[key]
            for value, code in ((payload(kind, "x" * 201), "invalid_request"),
                                ([], "unmapped"),
                                ("a text", "unmapped")):
                seen, got = preview(hooks, key, value), hooks.send(key, value)
                equal((seen["reply_status"], without_changing(seen["reply"])),
                      (got.status, without_changing(got.json)), "%s: %r" % (key, value))
                where = seen["leads"][0] if seen["leads"] else seen
                equal(where["problem"]["code"], code, "problem of %s: %r" % (key, value))
                equal([one["score"] for one in seen["leads"]], [{}] * len(seen["leads"]), "score")
        mixed = [payload("generic", "a", 3), payload("generic", [1]), payload("generic", "c", 4)]
        seen = preview(hooks, "generic", mixed)
        equal((seen["many"], [one["score"].get("score") for one in seen["leads"]]),
              (True, [30, None, 40]), "scores of good and bad")
        equal((seen["problem"], seen["reply"]["code"], seen["reply_status"]),
              ({}, "invalid_request", 422), "what the sender would get")
        equal(seen["leads"][1]["problem"]["errors"][0]["pointer"][:2], "/1", "pointer")
        hooks.put("generic", icps=["no-such"])
        seen = preview(hooks, "generic", mixed[0])
        equal((seen["leads"][0]["lead_id"], seen["leads"][0]["problem"]["code"]),
              ("a", "icp_not_found"), "an ICP that is not there")
        preview(hooks, "generic", b"{", 400, "invalid_json")
        preview(hooks, "no-such", {}, 404, "source_not_found")
        expect(hooks.admin.post("/v1/sources/generic/preview?x=1", {}), 400, "invalid_parameter")
        expect(hooks.client.post("/v1/sources/generic/preview", {}, key=hooks.score_key), 403)


def test_a_deletion_is_shown(program):
    gone = {"meta": {"action": "delete", "entity": "person", "id": "d-1", "version": "2.0"},
            "data": None, "previous": {"id": 5}}
    with Hooks(program, kinds=["pipedrive"]) as hooks:
        seen = preview(hooks, "pipedrive", gone)
        equal((seen["leads"], seen["reply_status"], seen["reply"]["ignored"] != ""),
              ([], 200, True), "a deletion")


def test_two_hundred_leads(program):
    with Hooks(program, kinds=["generic"]) as hooks:
        many = [payload("generic", str(at), at % 11, **{"f%d" % n: "x" * 50 for n in range(40)})
                for at in range(200)]
        seen = preview(hooks, "generic", many)
        equal([one["lead_id"] for one in seen["leads"]], [str(at) for at in range(200)], "leads")
        equal(seen["reply"]["count"], 200, "reply")


run(globals())
