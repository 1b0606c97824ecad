"""GET /v1/stats/unmatched: the commonest values that no rule took, counted over by hand."""

import random

from harness import equal, expect, run
from editing import Desk, changed

PATH = "/v1/stats/unmatched?icp=main"
INDUSTRIES = ["Computer Software", "Manufacturing"]


def profile(**more):
    return dict({
        "key": "main", "name": "Main", "framework": "pain_points",
        "attributes": [
            {"key": "industry", "label": "Industry", "category": "firmographic", "weight": 10,
             "rules": [{"when": {"field": "company.industry", "in": INDUSTRIES}},
                       {"when": {"field": "company.industry", "contains": "health"}, "fit": 0.5}]},
            {"key": "size", "label": "Size", "category": "firmographic", "weight": 10,
             "rules": [{"when": {"field": "company.employees", "gte": 200}}]},
            {"key": "tools", "label": "Tools", "category": "technographic", "weight": 10,
             "rules": [{"when": {"field": "tools.name", "in": ["SAP", "Oracle"]}}]},
            {"key": "target", "label": "Target account", "category": "need", "weight": 10,
             "rules": [{"when": {"field": "company.domain", "in_list": "targets"}}]}],
    }, **more)


def begin(desk):
    desk.put_list("targets", ["acme.example"])
    desk.publish(profile())


def industry(name, **more):
    return dict({"company": {"industry": name}}, **more)


def found(desk, query="", path=PATH):
    return desk.get(path + query)


def values(told):
    return [(one["attribute"], one["value"], one["count"], one["near"], one["invalid"]) for one in told["values"]]


def test_by_hand(program):
    with Desk(program) as desk:
        begin(desk)
        equal(found(desk), {"icp": "main", "version": 1, "leads": 0, "dropped": 0, "values": []}, "nothing yet")
        for number in range(4):
            desk.score(industry("Comp. Software", id="comp-%d" % number))
        desk.score(industry("Computer Software", id="known"))
        desk.score(industry("Biotech", id="changes"))
        desk.score(industry("Healthcare", id="changes"))      # its latest score speaks for it
        desk.score(industry("Biotech"))
        desk.score(industry("Biotech"))
        desk.score(industry("Biotech", id="not recorded"), record=False)
        desk.score({"id": "kinds", "company": {"employees": "a few"}})
        desk.score({"id": "small", "company": {"employees": 7}})
        desk.score({"id": "tools", "tools": [{"name": "Sapp"}, {"name": "Sapp"}, {"name": 7}, {"price": 3}]})
        told = found(desk)
        equal((told["version"], told["leads"], told["dropped"]), (1, 11, 0), "head")
        equal(values(told), [
            ("industry", "Comp. Software", 4, "Computer Software", False), ("industry", "Biotech", 2, "", False),
            ("size", "7", 1, "", False), ("size", "a few", 1, "", True), ("tools", "7", 1, "", False),
            ("tools", "Sapp", 1, "SAP", False)], "values")
        equal({one["field"] for one in told["values"]}, {"company.industry", "company.employees", "tools.name"}, "fields")
        equal(values(found(desk, "&limit=1")), values(told)[:1], "limit")
        equal(values(found(desk, "&attribute=size")), values(told)[2:4], "attribute")
        equal((found(desk, "&leads=1")["leads"], values(found(desk, "&leads=1"))), (1, values(told)[4:]), "the latest lead")
        desk.restart()
        equal(found(desk), told, "after a restart")


def test_under_what_is_active_now(program):
    """Leads of before, under the rules and lists of now."""
    with Desk(program) as desk:
        begin(desk)
        desk.score(industry("Biotech", id="a"))
        desk.score({"id": "b", "company": {"domain": "globex.example"}})
        equal(sorted(one[1] for one in values(found(desk))), ["Biotech", "globex.example"], "before")
        wider = profile()
        wider["attributes"][0]["rules"][0]["when"]["in"] = INDUSTRIES + ["biotech"]
        desk.publish(wider)
        told = found(desk)
        equal((told["version"], [one[1] for one in values(told)]), (2, ["globex.example"]), "a wider rule")
        desk.ask("PATCH", "/v1/lists/targets", {"add": ["Globex.example"]}, 200)
        equal(values(found(desk)), [], "a longer list")
        desk.ask("POST", "/v1/icps/main/activate", {"version": 1}, 200)
        equal([one[1] for one in values(found(desk))], ["Biotech"], "rolled back")


def test_many_leads(program):
    chance = random.Random(12)
    pool = ["Biotech", "Retail", "retail", "Health Care", "Computer  software", "Computr Software", "\u00c4rzte",
            "Manufactoring", "Comp. Software", "", None]
    latest, anonymous = {}, []
    with Desk(program) as desk:
        begin(desk)
        for _ in range(400):
            lead = industry(chance.choice(pool))
            if chance.random() < 0.7:
                lead["id"] = "lead-%d" % chance.randrange(120)
                latest[lead["id"]] = lead
            else:
                anonymous.append(lead)
            desk.score(lead)
        counts = {}
        for lead in list(latest.values()) + anonymous:
            name = lead["company"]["industry"]
            folded = " ".join((name or "").casefold().split())
            if folded and folded not in [one.casefold() for one in INDUSTRIES] and "health" not in folded:
                counts[name] = counts.get(name, 0) + 1
        near = {"Computr Software": "Computer Software", "Manufactoring": "Manufacturing",
                "Comp. Software": "Computer Software"}
        order = sorted(counts, key=lambda name: (-counts[name], name.encode("utf-8")))
        told = found(desk, "&limit=1000")
        equal(told["leads"], len(latest) + len(anonymous), "leads")
        equal(values(told), [("industry", name, counts[name], near.get(name, ""), False) for name in order], "values")


def test_what_is_kept(program):
    lead = {"id": "a", "company": {"industry": "Biotech", "employees": 3}}
    for options, shown in ((("--store-lead", "fields"), ["3", "Biotech"]), (("--store-lead", "hashes"), []),
                           (("--store-lead", "nothing"), []), (("--never-store", "company.industry"), ["3"])):
        with Desk(program, *options) as desk:
            begin(desk)
            desk.score(lead)
            equal(sorted(one[1] for one in values(found(desk))), shown, " ".join(options))


def test_erased_values_are_gone(program):
    with Desk(program) as desk:
        begin(desk)
        desk.score(industry("Very Private Industry", id="person"))
        desk.score(industry("Biotech", id="other"))
        answer = desk.ask("GET", PATH, status=200)
        equal(len(answer.json["values"]), 2, "before")
        desk.ask("DELETE", "/v1/leads/person", status=204)
        answer = desk.ask("GET", PATH, status=200, if_none_match=answer.headers["ETag"])
        equal((answer.json["leads"], values(answer.json)), (1, [("industry", "Biotech", 1, "", False)]), "erased")
        equal(b"Private" in answer.body, False, "nothing is left")


def test_etags(program):
    with Desk(program) as desk:
        begin(desk)
        desk.score(industry("Biotech", id="a"))
        tag = desk.ask("GET", PATH).headers["ETag"]

        def asked(status, query=""):
            nonlocal tag
            answer = desk.ask("GET", PATH + query, status=status, if_none_match=tag)
            equal(answer.headers["Cache-Control"], "private, no-cache", "Cache-Control")
            if not query:
                equal(answer.headers["ETag"] == tag, status == 304, "ETag")
                tag = answer.headers["ETag"]
        asked(304)
        for query in ("&limit=3", "&leads=5", "&attribute=size"):
            asked(200, query)
        asked(304)
        desk.score(industry("Retail", id="b"))
        asked(200)
        desk.ask("PATCH", "/v1/lists/targets", {"add": ["new.example"]}, 200)
        asked(200)
        desk.publish(changed(profile(), name="Another name"))
        asked(200)
        asked(304)
        desk.restart()
        asked(304)
        equal(desk.ask("HEAD", PATH).headers["ETag"], tag, "HEAD")


def test_bad_parameters(program):
    with Desk(program) as desk:
        begin(desk)
        for path, piece in (
                ("/v1/stats/unmatched", "icp is missing"), ("/v1/stats/unmatched?icp=", "icp is missing"),
                (PATH + "&limit=0", "limit: a whole number from 1 to 1000"), (PATH + "&limit=1001", "limit: "),
                (PATH + "&limit=x", "limit: "), (PATH + "&limit=", "limit: "),
                (PATH + "&leads=0", "leads: a whole number from 1 to 100000"), (PATH + "&leads=100001", "leads: "),
                (PATH + "&attribute=nobody", 'no attribute "nobody"'), (PATH + "&attribute=", 'no attribute ""'),
                (PATH + "&version=1", "version"), (PATH + "&from=2026-01-01", "from")):
            answer = expect(desk.ask("GET", path), 400, "invalid_parameter")
            equal(piece in answer.json["detail"], True, "%s: %s" % (path, answer.json["detail"]))
        expect(desk.ask("GET", PATH + "&attribute=nobody", if_none_match="*"), 400, "invalid_parameter")
        expect(desk.ask("GET", "/v1/stats/unmatched?icp=nobody"), 404, "icp_not_found")
        desk.put_draft(dict(profile(), key="idea"))
        equal(found(desk, path="/v1/stats/unmatched?icp=idea"),
              {"icp": "idea", "version": 0, "leads": 0, "dropped": 0, "values": []}, "never published")
        expect(desk.ask("GET", "/v1/stats/unmatched?icp=idea&attribute=size"), 400, "invalid_parameter")


run(globals())
