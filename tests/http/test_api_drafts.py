"""Drafts: put, read, delete, and who may change what somebody else has changed."""

import json
import re

from harness import ICPS, Place, equal, expect, run
from editing import Desk, changed, definition

ONE = "/v1/icps/one/draft"
ETAG = re.compile(r'"d[1-9][0-9]*-[0-9a-f]{16}"')


def test_the_life_of_a_draft(program):
    first = definition("one")
    second = definition("one", name="Another name")
    with Desk(program) as desk:
        expect(desk.ask("GET", ONE), 404, "icp_not_found")
        answer = desk.ask("PUT", ONE, first, 201)
        equal(answer.headers["Location"], ONE, "Location")
        etag = answer.headers["ETag"]
        equal(bool(ETAG.fullmatch(etag)), True, "ETag " + etag)
        body = answer.json
        equal((body["icp"], body["definition"], body["etag"], body["updated_by"], body["leads"]),
              ("one", first, etag, "desk", 0), "the draft")
        again = desk.ask("GET", ONE, status=200)
        equal((again.json, again.headers["ETag"]), (body, etag), "read again")
        icp = desk.get("/v1/icps/one")
        equal((icp["state"], icp["active_version"], icp["versions"], icp["draft_etag"],
               icp["name"], icp["updated_at"]),
              ("draft", 0, 0, etag, first["name"], body["updated_at"]), "the ICP")
        equal([one["key"] for one in desk.get("/v1/icps")["icps"]], ["one"], "all ICPs")
        answer = desk.ask("PUT", ONE, second, 200, if_match=etag)
        equal("Location" in answer.headers, False, "Location of a change")
        newer = answer.headers["ETag"]
        equal((newer != etag, answer.json["definition"]), (True, second), "the changed draft")
        equal(desk.get("/v1/icps/one")["name"], "Another name", "the name of the draft")
        answer = desk.ask("DELETE", ONE, status=204, if_match=newer)
        equal(answer.body, b"", "nothing to say")
        for path in (ONE, "/v1/icps/one", ONE + "/lint", ONE + "/impact"):
            expect(desk.ask("GET", path), 404, "icp_not_found")
        expect(desk.ask("DELETE", ONE), 404, "icp_not_found")
        equal(desk.get("/v1/icps"), {"icps": []}, "no ICPs")
        last = desk.put_draft(first, status=201)
        equal(last in (etag, newer), False, "an ETag that came back")


def test_a_draft_beside_what_is_active(program):
    with Desk(program) as desk:
        desk.publish(definition("one"))
        before = desk.score({"points": 7})
        stored = desk.get("/v1/icps/one")
        expect(desk.ask("GET", ONE), 404, "draft_not_found")
        expect(desk.ask("DELETE", ONE), 404, "draft_not_found")
        draft = definition("one", field="other", name="Of the draft")
        etag = desk.put_draft(draft, status=201)
        icp = desk.get("/v1/icps/one")
        equal((icp["state"], icp["active_version"], icp["draft_etag"], icp["name"]),
              ("active", 1, etag, stored["name"]), "the ICP keeps its name")
        equal(icp["updated_at"] >= stored["updated_at"], True, "updated_at")
        equal(desk.score({"points": 7})["results"], before["results"], "a draft scores nothing")
        desk.ask("DELETE", ONE, status=204)
        icp = desk.get("/v1/icps/one")
        equal((icp["state"], icp["draft_etag"], icp["versions"]), ("active", "", 1), "it stays")
        expect(desk.ask("GET", ONE), 404, "draft_not_found")
        # one that was never published does not score by name either
        desk.put_draft(definition("two"))
        expect(desk.client.post("/v1/score", {"lead": {}, "icps": ["two"]}), 404, "icp_not_found")


def test_somebody_else_was_faster(program):
    one = definition("one")
    with Desk(program) as desk:
        other = desk.ask("POST", "/v1/keys", {"name": "Maria", "scopes": ["icp:write"]},
                         201).json["key"]
        first = desk.put_draft(one, status=201)
        answer = desk.ask("PUT", ONE, one, 428, "precondition_required")
        equal(first in answer.json["detail"] and "If-Match" in answer.json["detail"], True,
              "what to send: " + answer.json["detail"])
        answer = desk.ask("PUT", ONE, changed(one, name="Hers"), 200, key=other, if_match=first)
        hers = answer.headers["ETag"]
        equal(answer.json["updated_by"], "Maria", "updated_by")
        for stale in (first, "W/" + hers, '"x"', '"x", ' + first, hers[:-1] + 'x"', '""'):
            answer = desk.ask("PUT", ONE, one, 412, "precondition_failed", if_match=stale)
            equal("Maria" in answer.json["detail"] and hers in answer.json["detail"], True,
                  "by whom, and what it is now: " + answer.json["detail"])
            equal("another one" in answer.json["detail"], stale != "W/" + hers,
                  "a weak tag of this very draft: " + answer.json["detail"])
            expect(desk.ask("DELETE", ONE, if_match=stale), 412, "precondition_failed")
        expect(desk.ask("PUT", ONE, one, if_none_match="*"), 412, "precondition_failed")
        expect(desk.ask("PUT", ONE, one, if_match=hers, if_none_match="*"), 412)
        equal(desk.get(ONE)["definition"]["name"], "Hers", "nothing was changed by all that")
        for right in (hers, '"x", %s', ',, %s ,"y"', 'W/"a",\t%s', "*", " * "):
            now = desk.get(ONE)["etag"]
            desk.ask("PUT", ONE, one, 200,
                     if_match=now if right == hers else right.replace("%s", now))
        desk.ask("DELETE", ONE, status=204, if_match="*")
        for match in ("*", hers, '"x"'):         # there is none any more
            expect(desk.ask("PUT", ONE, one, if_match=match), 412, "precondition_failed")
        desk.ask("PUT", ONE, one, 201, if_none_match="*")
        desk.ask("DELETE", ONE, status=204)


def test_malformed_conditions(program):
    one = definition("one")
    with Desk(program) as desk:
        etag = desk.put_draft(one)
        bare = etag.strip('"')
        for match in ("", " ", ",", bare, "'%s'" % bare, '"' + bare, bare + '"', etag + " x",
                      etag + etag, "w/" + etag, "W/ " + etag, '"a b"', "**", "*, " + etag,
                      etag + ", *", etag + ', "', etag + ", x"):
            answer = desk.ask("PUT", ONE, one, 400, "bad_request", if_match=match)
            equal("If-Match" in answer.json["detail"], True, answer.json["detail"])
            expect(desk.ask("DELETE", ONE, if_match=match), 400, "bad_request")
            expect(desk.ask("POST", "/v1/icps/one/publish", if_match=match), 400, "bad_request")
        for none in (etag, '"x"', "", "x", "* *"):
            expect(desk.ask("PUT", ONE, one, if_none_match=none), 400, "bad_request")
        equal(desk.get(ONE)["etag"], etag, "untouched")


def test_refusals_in_their_order(program):
    one = definition("one")
    broken = changed(one, framework="none", extra=1)
    with Desk(program) as desk:
        for body in (b"", b"{", b'{"key": "one", "key": "one"}', b"\xff"):
            expect(desk.ask("PUT", ONE, body, if_match='"stale"'), 400, "invalid_json")
        expect(desk.ask("PUT", ONE, b"[" * 65 + b"]" * 65), 400, "too_deep")
        expect(desk.ask("PUT", ONE, b"[]"), 422, "invalid_definition", )
        etag = desk.put_draft(one)
        answer = desk.ask("PUT", ONE, broken)
        expect(answer, 422, "invalid_definition", errors=[
            ("/framework", "invalid_value"), ("/extra", "unknown_member")])
        for key in ("two", "", "On e", None, 7):
            answer = desk.ask("PUT", ONE, changed(one, key=key), 422, "invalid_definition")
            equal([error["pointer"] for error in answer.json["errors"]], ["/key"], "pointer")
        equal(desk.ask("PUT", ONE, changed(one, key="two")).json["errors"][0]["code"],
              "invalid_value", "another key")
        for path in ("On%20e", "x" * 65, "-a", "%C3%A4", "o%2Fne"):
            answer = desk.ask("PUT", "/v1/icps/%s/draft" % path, one, 422, "invalid_definition")
            equal([(error["pointer"], error["code"]) for error in answer.json["errors"]],
                  [("/key", "invalid_value")], "a path that is no key")
            for below in ("", "/lint", "/impact"):
                expect(desk.ask("GET", "/v1/icps/%s/draft%s" % (path, below)), 404,
                       "icp_not_found")
            expect(desk.ask("DELETE", "/v1/icps/%s/draft" % path), 404, "icp_not_found")
        desk.ask("DELETE", "/v1/icps/one", status=204)
        expect(desk.ask("PUT", ONE, broken), 422, "invalid_definition")
        for match in (None, etag, '"stale"'):
            expect(desk.ask("PUT", ONE, one, if_match=match), 409, "icp_archived")
        equal(desk.get(ONE)["etag"], etag, "an archived one keeps its draft")


def test_a_draft_is_kept_as_it_was_put(program):
    text = json.dumps(definition("one"), ensure_ascii=False)
    text = text.replace('"Test one"', '"T\\u00e4st \\ud83c\\udfed \\"x\\" Ⅷ é\\n"')
    text = text.replace('"weight": 10', '"weight"  :\t1.0e1').replace('"fit": 1.0', '"fit":1.00')
    with Desk(program) as desk:
        answer = desk.ask("PUT", ONE, text.encode("utf-8"), 201)
        equal(text.encode("utf-8") in answer.body, True, "byte for byte")
        desk.restart()
        again = desk.ask("GET", ONE)
        equal((again.body, again.headers["ETag"]), (answer.body, answer.headers["ETag"]),
              "after a restart")
        desk.restart(kill=True)
        equal(desk.ask("GET", ONE).body, answer.body, "after a kill")
        desk.ask("POST", "/v1/icps/one/publish", status=201, if_match=answer.headers["ETag"])
        kept = desk.ask("GET", "/v1/icps/one/versions/1")
        equal(text.encode("utf-8") in kept.body, True, "as a version, too")


def test_lint_does_not_stop_a_draft(program):
    one = definition("one")
    one["attributes"][0]["rules"] = [{"when": {"field": "domain", "in_list": "nowhere"}},
                                     {"when": {"field": "x", "between": [2, 1]}}]
    with Desk(program) as desk:
        answer = desk.ask("PUT", ONE, one, 201)
        found = {(item["severity"], item["code"], item["pointer"]) for item in answer.json["lint"]}
        for wanted in (("error", "unknown_list", "/attributes/0/rules/0/when/in_list"),
                       ("error", "impossible_condition", "/attributes/0/rules/1/when/between")):
            equal(wanted[:2] in {one[:2] for one in found}, True, "%s in %s" % (wanted, found))
        equal(desk.get(ONE)["lint"], answer.json["lint"], "read again")
        equal(desk.get(ONE + "/lint")["lint"], answer.json["lint"], "by itself")
        desk.put_list("nowhere", ["a"])
        equal("unknown_list" in {item["code"] for item in desk.get(ONE)["lint"]}, False,
              "once the list is there")


def test_not_modified(program):
    with Desk(program) as desk:
        etag = desk.put_draft(definition("one"))
        for same in (etag, "W/" + etag, "*", '"x", ' + etag):
            answer = desk.ask("GET", ONE, status=304, if_none_match=same)
            equal((answer.body, answer.headers["ETag"]), (b"", etag), "a 304")
        newer = desk.put_draft(definition("one"), etag)      # the same once more
        equal(newer != etag, True, "each put has an ETag of its own")
        expect(desk.ask("GET", ONE, if_none_match=etag), 200)


def test_large_and_many_drafts(program):
    big = definition("big")
    big["attributes"] = [dict(big["attributes"][0], key="k%d" % at, rationale="é" * 2000)
                         for at in range(200)]
    with Desk(program) as desk:
        answer = desk.ask("PUT", "/v1/icps/big/draft", big, 201)
        equal(len(answer.body) > 800_000, True, "%d bytes" % len(answer.body))
        equal(desk.get("/v1/icps/big/draft")["definition"], big, "read again")
        too_big = json.dumps(changed(big, summary="x" * 4000)).encode() + b" " * (1 << 20)
        expect(desk.ask("PUT", "/v1/icps/big/draft", too_big, if_match="*"), 413)
        names = ["icp-%03d" % at for at in range(120)]
        for name in names:
            desk.put_draft(definition(name), status=201)
        equal([one["key"] for one in desk.get("/v1/icps")["icps"]], ["big"] + names, "by key")


def test_definitions_of_the_project(program):
    """Each goes the whole way: lint without an error, a draft, a version, a score."""
    with Desk(program) as desk:
        for path in ICPS:
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
            lint = desk.ask("POST", "/v1/lint", document, 200).json
            equal((lint["errors"], lint["warnings"]), (0, 0), document["key"])
            made = desk.publish(document, note="as it comes")
            kept = desk.get("/v1/icps/%s/versions/%d" % (document["key"], made["version"]))
            equal((kept["definition"], kept["definition_hash"], kept["note"]),
                  (document, made["definition_hash"], "as it comes"), "the version")
            equal(desk.score({}, icps=[document["key"]])["version"], 1, "it scores")


def test_who_changed_it_is_remembered_across_the_command_line(program):
    with Place(program) as place:
        place.publish_definition(definition("one"))
        with Desk(program, place=place) as desk:
            (version,) = desk.get("/v1/icps/one/versions")["versions"]
            equal(version["published_by"], "command line", "published_by")
            desk.publish(changed(definition("one"), name="Later"))
            equal([one["published_by"] for one in desk.get("/v1/icps/one/versions")["versions"]],
                  ["command line", "desk"], "published_by")


run(globals())
