"""GET /v1/icps/{key}/diff: what differs between two versions, or a version and the draft."""

import copy
import json
import re
import os
import sys

from contract import ROOT
from harness import equal, expect, run
from editing import Desk, changed, definition

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
from generate import Maker  # noqa: E402

PATH = "/v1/icps/one/diff"
SIZE = {"key": "size", "label": "Company size", "category": "firmographic", "weight": 20,
        "rules": [{"when": {"field": "company.employees", "between": [500, 5000]},
                   "label": "500-5,000 people"},
                  {"when": {"field": "company.employees", "between": [200, 499]}, "fit": 0.5,
                   "label": "200-499 people"},
                  {"when": {"field": "company.employees", "gt": 5000}, "fit": 0.25}]}
TITLE = {"key": "title", "label": "Title", "category": "decision_maker", "weight": 10,
         "rules": [{"when": {"field": "title", "has_word": "operations"}, "label": "Ops a/b ~1"}]}


def whole(**more):
    return dict({"key": "one", "name": "One", "framework": "use_cases",
                 "attributes": copy.deepcopy([SIZE, TITLE]),
                 "disqualifiers": [{"key": "rival", "reason": "Competitor",
                                    "when": {"field": "domain", "is": "rival.example"}}],
                 "caps": [{"category": "firmographic", "max": 15}]}, **more)


def difference(desk, before, after):
    """The changes from one definition to another, as draft and active version."""
    desk.publish(before)
    desk.put_draft(after)
    told = desk.get(PATH)
    version = desk.get("/v1/icps/one")["active_version"]
    equal((told["icp"], told["from"], told["to"]), ("one", str(version), "draft"), "defaults")
    desk.ask("DELETE", "/v1/icps/one/draft", status=204)
    for one in told["changes"]:
        check_change(one)
    return told["changes"]


def check_change(one):
    before, after = one["before"], one["after"]
    if one["op"] == "add":
        equal((before, after != ""), ("", True), "an addition: %r" % one)
        listed = re.fullmatch("/(attributes/[^/]+(/rules/[^/]+)?|disqualifiers/[^/]+)", one["path"])
        if listed:
            equal(one["place"] > 0, True, "its place: %r" % one)
    elif one["op"] == "remove":
        equal((before != "", after), (True, ""), "a removal: %r" % one)
    elif one["op"] == "move":
        equal(before.isdigit() and after.isdigit() and before != after, True, "a move: %r" % one)
        equal(one["place"], int(after), "its place: %r" % one)
    else:
        equal(before != after, True, "another value: %r" % one)
    for value in (before, after):
        if value:
            json.loads(value)
    equal(one["words"] != "", True, "words: %r" % one)


def test_known_changes(program):
    cases = [("a fit", lambda d: d["attributes"][0]["rules"][1].update(fit=0.25),
              [("replace", "/attributes/size/rules/200-499 people/fit", "size", "200-499 people",
                "0.5", "0.25")]),
             ("a fit that was not said", lambda d: d["attributes"][0]["rules"][0].update(fit=0.75),
              [("replace", "/attributes/size/rules/500-5,000 people/fit", "size",
                "500-5,000 people", "1", "0.75")]),
             ("a weight", lambda d: d["attributes"][1].update(weight=12),
              [("replace", "/attributes/title/weight", "title", "", "10", "12")]),
             ("a name", lambda d: d.update(name="Uno"),
              [("replace", "/name", "", "", '"One"', '"Uno"')]),
             ("the reason of a disqualifier", lambda d: d["disqualifiers"][0].update(reason="No"),
              [("replace", "/disqualifiers/rival/reason", "", "", '"Competitor"', '"No"')])]
    with Desk(program) as desk:
        for what, change, wanted in cases:
            after = whole()
            change(after)
            found = [(one["op"], one["path"], one["attribute"], one["rule"], one["before"],
                      one["after"]) for one in difference(desk, whole(), after)]
            if [one[:3] + one[4:] for one in found] != [one[:3] + one[4:] for one in wanted]:
                raise AssertionError("%s: expected %s, got %s" % (what, wanted, found))
            if wanted[0][2]:
                equal(found[0][3], wanted[0][3], what + ": rule")


def test_a_sentence(program):
    after = whole()
    after["attributes"][0]["rules"][1]["fit"] = 0.25
    with Desk(program) as desk:
        (one,) = difference(desk, whole(), after)
        for word in ("200-499 people", "0.5", "0.25"):
            equal(word in one["words"], True, "%s in %r" % (word, one["words"]))
        equal("size" in one["words"].lower(), True, one["words"])


def test_additions_removals_and_moves(program):
    with Desk(program) as desk:
        after = whole()
        after["attributes"].append(dict(copy.deepcopy(TITLE), key="extra", label="Extra"))
        (one,) = difference(desk, whole(), after)
        equal((one["op"], one["path"], one["attribute"]), ("add", "/attributes/extra", "extra"),
              "an attribute more")
        after = whole()
        del after["attributes"][1]
        (one,) = difference(desk, whole(), after)
        equal((one["op"], one["path"], one["attribute"]), ("remove", "/attributes/title", "title"),
              "an attribute less")
        after = whole()
        after["attributes"].reverse()
        (one,) = difference(desk, whole(), after)
        equal(one["op"], "move", "attributes in another order: one move")
        after = whole()
        after["attributes"][1]["rules"][0]["label"] = "Another label"
        changes = difference(desk, whole(), after)
        equal([one["op"] for one in changes], ["replace"], "a label: the same rule")
        after = whole()
        after["attributes"][1]["rules"][0]["fit"] = 0.5
        (one,) = difference(desk, whole(), after)
        equal("Ops a~1b ~01" in one["path"], True, "escaped as RFC 6901 says: " + one["path"])


def test_defaults_differ_in_nothing(program):
    said = whole(purpose="core")
    for attribute in said["attributes"]:
        attribute.update(axis="fit", otherwise=0, missing=0)
        for rule in attribute["rules"]:
            rule.setdefault("fit", 1)
    said["caps"][0]["axis"] = "fit"
    with Desk(program) as desk:
        equal(difference(desk, whole(), said), [], "defaults")
        equal(difference(desk, said, whole()), [], "defaults, left out")


def test_sides(program):
    with Desk(program) as desk:
        expect(desk.ask("GET", PATH), 404, "icp_not_found")
        desk.put_draft(whole())
        answer = expect(desk.ask("GET", PATH), 404, "version_not_found")
        equal("publish" in answer.json["detail"], True, answer.json["detail"])
        equal(desk.get(PATH + "?from=draft")["changes"], [], "the draft beside itself")
        for name in ("1", "2", "3"):
            desk.publish(whole(name=name))
        expect(desk.ask("GET", PATH), 404, "draft_not_found")
        expect(desk.ask("GET", PATH + "?from=draft&to=1"), 404, "draft_not_found")
        for query, before, after in (("from=1&to=2", "1", "2"), ("from=3&to=1", "3", "1"),
                                     ("to=1", "3", "1"), ("from=2&to=2", None, None)):
            told = desk.get(PATH + "?" + query)
            if before is None:
                equal(told["changes"], [], query)
                continue
            (one,) = told["changes"]
            equal((told["from"], told["to"], one["before"], one["after"]),
                  (before, after, '"%s"' % before, '"%s"' % after), query)
        desk.ask("POST", "/v1/icps/one/activate", {"version": 1}, 200)
        desk.put_draft(whole(name="1"))
        equal(desk.get(PATH)["changes"], [], "from the active one, not the newest")
        for query in ("from=4", "to=999999999", "from=1&to=5"):
            expect(desk.ask("GET", PATH + "?" + query), 404, "version_not_found")
        for query in ("from=", "from=0", "to=01", "to=-1", "from=Draft", "to=1.0", "from=x",
                      "to=1000000000", "for=1", "from=1&draft=2"):
            expect(desk.ask("GET", PATH + "?" + query), 400, "invalid_parameter")
        desk.ask("DELETE", "/v1/icps/one", status=204)
        expect(desk.ask("GET", PATH + "?from=1&to=2"), 200)


def test_random_definitions(program):
    """Nothing between a definition and itself; something between two that are not alike; and
    the same places both ways."""
    maker = Maker(11)
    with Desk(program) as desk:
        previous, tried = None, 0
        while tried < 40:
            made = dict(maker.request()["definition"], key="one")
            lint = desk.ask("POST", "/v1/lint", made, 200).json
            if lint["errors"]:
                continue
            tried += 1
            version = desk.publish(made)["version"]
            equal(desk.get(PATH + "?from=%d&to=%d" % (version, version))["changes"], [], "itself")
            if previous is not None:
                there = desk.get(PATH + "?from=%d&to=%d" % (version - 1, version))["changes"]
                back = desk.get(PATH + "?from=%d&to=%d" % (version, version - 1))["changes"]
                for one in there + back:
                    check_change(one)
                equal(there == [], back == [], "both ways")
                if json.dumps(made["attributes"]) != json.dumps(previous["attributes"]):
                    equal(there != [] or same_but_defaults(made, previous), True, "some change")
                turned = {"add": "remove", "remove": "add"}
                equal(sorted((turned[one["op"]], one["path"]) for one in there
                             if one["op"] in turned),
                      sorted((one["op"], one["path"]) for one in back if one["op"] in turned),
                      "what is added one way is removed the other")
            previous = made


def same_but_defaults(one, other):
    def full(document):
        made = copy.deepcopy(document)
        for attribute in made["attributes"]:
            for name, value in (("axis", "fit"), ("otherwise", 0), ("missing", 0)):
                attribute.setdefault(name, value)
            for rule in attribute["rules"]:
                rule.setdefault("fit", 1)
        return made["attributes"]
    return full(one) == full(other)


def test_it_reads_as_a_list_of_a_hundred_changes(program):
    before, after = definition("one"), definition("one")
    for document, weight in ((before, 1), (after, 2)):
        document["attributes"] = [dict(document["attributes"][0], key="k%d" % at, weight=weight)
                                  for at in range(100)]
    with Desk(program) as desk:
        changes = difference(desk, before, changed(after, name="Other"))
        equal(sorted(one["path"] for one in changes),
              sorted(["/name"] + ["/attributes/k%d/weight" % at for at in range(100)]), "paths")


run(globals())
