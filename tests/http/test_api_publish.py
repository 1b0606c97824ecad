"""Publishing, rolling back and forward, archiving: live for the very next request, whoever
asks, and never half done."""

import http.client
import random
import threading
import time

from harness import equal, expect, run
from editing import Crowd, Desk, definition, together

PATH = "/v1/icps/one"
EDITORS = 20
KILLS = 8


def weighted(weight, **more):
    """A version of `one` that is told from others by its name and its attribute's weight."""
    document = definition("one", name="Weight %d" % weight, **more)
    document["attributes"][0]["weight"] = weight
    return document


# ------------------------------------------------------------ publishing


def test_a_publication(program):
    with Desk(program) as desk:
        etag = desk.put_draft(weighted(1))
        answer = desk.ask("POST", PATH + "/publish", {"note": "the first, Größe 🏭"}, 201,
                          if_match=etag)
        made = answer.json
        equal((made["icp"], made["version"], made["note"]), ("one", 1, "the first, Größe 🏭"),
              "answer")
        equal(answer.headers["Location"], PATH + "/versions/1", "Location")
        kept = desk.get(answer.headers["Location"])
        equal((kept["definition"], kept["definition_hash"], kept["published_at"], kept["note"]),
              (weighted(1), made["definition_hash"], made["published_at"], made["note"]),
              "the version")
        expect(desk.ask("GET", PATH + "/draft"), 404, "draft_not_found")
        icp = desk.get(PATH)
        equal((icp["state"], icp["active_version"], icp["versions"], icp["draft_etag"],
               icp["updated_at"]), ("active", 1, 1, "", made["published_at"]), "the ICP")
        equal(desk.score({})["version"], 1, "who scores")
        for note in ("", None):
            etag = desk.put_draft(weighted(1))
            body = {"note": note, "max_grade_change_pct": None}
            made = desk.ask("POST", PATH + "/publish", body, 201, if_match=etag).json
            equal(made["note"], "", "no note")
        desk.put_draft(weighted(1))
        made = desk.ask("POST", PATH + "/publish", status=201, if_match="*").json
        equal(made["version"], 4, "publishing always makes a version, also of what is active")
        told = desk.get(PATH + "/versions")
        equal((told["icp"], told["active_version"]), ("one", 4), "versions")
        equal([(one["version"], one["active"], one["published_by"], one["name"])
               for one in told["versions"]],
              [(n, n == 4, "desk", "Weight 1") for n in (1, 2, 3, 4)], "versions, oldest first")
        equal(len({one["definition_hash"] for one in told["versions"]}), 1, "one definition")
        desk.restart()
        equal(desk.get(PATH + "/versions"), told, "after a restart")
        equal(desk.score({})["version"], 4, "who scores after a restart")


def test_refused_publications(program):
    path = PATH + "/publish"
    with Desk(program) as desk:
        expect(desk.ask("POST", path, if_match="*"), 404, "icp_not_found")
        expect(desk.ask("POST", "/v1/icps/x%20y/publish", if_match="*"), 404, "icp_not_found")
        etag = desk.put_draft(weighted(1))
        answer = desk.ask("POST", path, {}, 428, "precondition_required")
        equal(etag in answer.json["detail"] and "If-Match" in answer.json["detail"], True,
              answer.json["detail"])
        answer = desk.ask("POST", path, {}, 412, "precondition_failed", if_match='"d1-0"')
        equal(etag in answer.json["detail"] and "desk" in answer.json["detail"], True,
              answer.json["detail"])
        expect(desk.ask("POST", path, {}, if_match="W/" + etag), 412, "precondition_failed")
        expect(desk.ask("POST", path, b"{", if_match=etag), 400, "invalid_json")
        cases = [([], [("", "wrong_type")]), ("x", [("", "wrong_type")]),
                 ({"notes": "x"}, [("/notes", "unknown_member")]),
                 ({"note": 7}, [("/note", "wrong_type")]),
                 ({"note": "x" * 1001}, [("/note", "too_many")]),
                 ({"note": "a\0b"}, [("/note", "invalid_value")]),
                 ({"max_grade_change_pct": "5"}, [("/max_grade_change_pct", "wrong_type")]),
                 ({"max_grade_change_pct": -0.01}, [("/max_grade_change_pct", "out_of_range")]),
                 ({"max_grade_change_pct": 100.01}, [("/max_grade_change_pct", "out_of_range")]),
                 ({"max_grade_change_pct": 5.125},
                  [("/max_grade_change_pct", "too_many_places")]),
                 ({"note": True, "max_grade_change_pct": [], "x": 1},
                  [("/note", "wrong_type"), ("/max_grade_change_pct", "wrong_type"),
                   ("/x", "unknown_member")])]
        for body, errors in cases:
            expect(desk.ask("POST", path, body, if_match=etag), 422, "invalid_request",
                   errors=errors)
        equal(desk.get(PATH)["versions"], 0, "nothing was published by all that")
        long = "🏭" * 1000
        equal(desk.ask("POST", path, {"note": long}, 201, if_match=etag).json["note"], long, "note")
        expect(desk.ask("POST", path, if_match="*"), 404, "draft_not_found")
        desk.put_draft(weighted(2))
        desk.ask("DELETE", PATH, status=204)
        for match in (None, "*", '"x"'):
            expect(desk.ask("POST", path, if_match=match), 409, "icp_archived")


def test_lint_errors_stop_a_publication(program):
    document = weighted(1)
    document["attributes"][0]["rules"] = [{"when": {"field": "domain", "in_list": "nowhere"}}]
    with Desk(program) as desk:
        etag = desk.put_draft(document)
        answer = desk.ask("POST", PATH + "/publish", {}, if_match=etag)
        expect(answer, 422, "lint_errors",
               errors=[("/attributes/0/rules/0/when/in_list", "unknown_list")])
        (item,) = [one for one in desk.get(PATH + "/draft/lint")["lint"]
                   if one["severity"] == "error"]
        detail = answer.json["errors"][0]["detail"]
        equal(item["detail"] in detail and item["fix"] in detail, True, "detail and fix: " + detail)
        equal(desk.get(PATH)["draft_etag"], etag, "the draft is as it was")
        desk.put_list("nowhere", ["a"])
        desk.ask("POST", PATH + "/publish", {}, 201, if_match=etag)


def test_the_guard(program):
    """Of 40 leads five change their grade: 12.5 %."""
    def grading(least):
        return weighted(10, grades=[{"grade": "A", "min": least}, {"grade": "B", "min": 0}])

    with Desk(program) as desk:
        made = desk.publish(grading(80), max_grade_change_pct=0)     # there is nothing yet
        equal(made["version"], 1, "version")
        for at in range(40):
            desk.score({"id": "lead-%d" % at, "points": 7 if at < 5 else 2})
        etag = desk.put_draft(grading(70))
        for guard in (0, 0.01, 5, 12.49):
            answer = desk.ask("POST", PATH + "/publish", {"max_grade_change_pct": guard},
                              422, "grade_change_too_large", if_match=etag)
            detail = answer.json["detail"]
            for word in ("12.5 %", "40 leads", "%s %%" % guard, "/draft/impact"):
                equal(word in detail, True, "%s in %s" % (word, detail))
        equal(desk.get(PATH + "/draft/impact")["changed_pct"], 12.5, "impact")
        equal(desk.get(PATH)["versions"], 1, "versions")
        desk.ask("POST", PATH + "/publish", {"max_grade_change_pct": 12.5}, 201, if_match=etag)
        # a thousandth more than nothing: 1 of 41 is 2.44 %
        desk.publish(grading(75), max_grade_change_pct=100)
        etag = desk.put_draft(grading(80))
        desk.ask("POST", PATH + "/publish", {"max_grade_change_pct": 0}, 201, if_match=etag)


def test_twenty_editors_with_one_etag(program):
    """Exactly one of them wins, whichever way they write."""
    with Desk(program) as desk:
        for round_ in range(3):
            etag = desk.put_draft(weighted(1), status=201)
            for method, path, status in (("PUT", "/draft", 200), ("POST", "/publish", 201),
                                         ("DELETE", "/draft", 204)):
                if method == "PUT" or desk.ask("GET", PATH + "/draft").status == 200:
                    etag = desk.get(PATH + "/draft")["etag"]
                else:
                    etag = desk.put_draft(weighted(2), status=201)
                answers = at_once(desk, method, PATH + path, etag)
                statuses = sorted(answer.status for answer in answers)
                others = 404 if path == "/publish" or method == "DELETE" else 412
                equal(statuses, [status] + [others] * (EDITORS - 1), "%s: statuses" % method)
                if method == "PUT":
                    (winner,) = [one.json["definition"]["name"] for one in answers
                                 if one.status == 200]
                    equal(desk.get(PATH + "/draft")["definition"]["name"], winner, "who won")
        equal(desk.get(PATH)["versions"], 3, "versions")
        equal(len([one for one in desk.audit() if one["action"] == "publish"]), 3, "publications")


def at_once(desk, method, path, etag):
    """The answers to EDITORS requests that are sent at the same moment."""
    answers = []

    def edit(at):
        client = desk.server.client(desk.key)
        body = weighted(100 + at) if method == "PUT" else None
        answers.append(client.ask(method, path, body, headers={"If-Match": etag}))
        client.close()

    together([lambda at=at: edit(at) for at in range(EDITORS)])
    return answers


# ---------------------------------------------------------------- live


def test_live_for_the_very_next_request(program):
    """While eight connections score, versions are published and rolled back; whoever asks
    after the answer gets what it said."""
    versions = 12
    with Desk(program) as desk:
        desk.publish(weighted(1))
        steps = [1]              # what was active, in turn; a version may come twice

        def check(answer, begun):
            at = answer["results"][0]["version"]
            hash_ = answer["results"][0]["definition_hash"]
            equal(hash_, hashes.setdefault(at, hash_), "one definition for version %d" % at)
            equal(at in steps[begun:], True,
                  "version %d, when step %d was %s" % (at, begun, steps[begun:]))
            equal(answer["results"][0]["attributes"][0]["weight"], at, "all of one version")

        hashes = {}
        crowd = Crowd(desk.server, desk.key, {"lead": {"points": 5}, "record": True}, check)
        other = desk.server.client(desk.key)
        for at in range(2, versions + 1):
            etag = desk.put_draft(weighted(at))
            steps.append(at)     # may be seen from now on
            made = desk.ask("POST", PATH + "/publish", {}, 201, if_match=etag).json
            crowd.published = len(steps) - 1
            equal(other.score({})["version"], made["version"], "the very next one")
            crowd.wait_for(20)
        for at in [1, versions, 3, 2, versions]:
            steps.append(at)
            desk.ask("POST", PATH + "/activate", {"version": at}, 200)
            crowd.published = len(steps) - 1
            equal(other.score({})["version"], at, "the very next one")
            crowd.wait_for(20)
        equal(crowd.stop() > 200, True, "answers")
        equal(sorted(hashes), list(range(1, versions + 1)), "versions seen")
        other.close()


def test_back_and_forth(program):
    with Desk(program) as desk:
        made = [desk.publish(weighted(at), note="n%d" % at) for at in (1, 2, 3)]
        audit = len(desk.audit())
        answer = desk.ask("POST", PATH + "/activate", {"version": 1, "note": "too strict"}, 200)
        body = answer.json
        equal((body["icp"], body["version"], body["definition_hash"], body["note"],
               body["unchanged"]),
              ("one", 1, made[0]["definition_hash"], "too strict", False), "back")
        icp = desk.get(PATH)
        equal((icp["active_version"], icp["versions"], icp["name"], icp["updated_at"]),
              (1, 3, "Weight 1", body["activated_at"]), "the ICP")
        equal(desk.score({})["version"], 1, "who scores")
        again = desk.ask("POST", PATH + "/activate", {"version": 1}, 200).json
        equal((again["unchanged"], again["version"]), (True, 1), "it was active already")
        equal(len(desk.audit()), audit + 1, "entries of the audit")
        equal(desk.get(PATH), icp, "nothing changed by that")
        etag = desk.put_draft(weighted(4))
        desk.ask("POST", PATH + "/activate", {"version": 3, "note": None}, 200)
        equal(desk.get(PATH)["draft_etag"], etag, "a draft stays")
        equal([one["active"] for one in desk.get(PATH + "/versions")["versions"]],
              [False, False, True], "active")
        made = desk.ask("POST", PATH + "/publish", {}, 201, if_match=etag).json
        equal(made["version"], 4, "the next number, not the one behind the active one")


def test_refused_activations(program):
    path = PATH + "/activate"
    with Desk(program) as desk:
        expect(desk.ask("POST", path, {"version": 1}), 404, "icp_not_found")
        desk.put_draft(weighted(1))
        expect(desk.ask("POST", path, {"version": 1}), 404, "version_not_found")
        desk.publish(weighted(1))
        for version in (2, 3, 999999999):
            expect(desk.ask("POST", path, {"version": version}), 404, "version_not_found")
        cases = [({}, [("/version", "required")]), ([], [("", "wrong_type")]),
                 ({"version": None}, [("/version", "wrong_type")]),
                 ({"version": "1"}, [("/version", "wrong_type")]),
                 ({"version": 0}, [("/version", "out_of_range")]),
                 ({"version": 1.5}, [("/version", "out_of_range")]),
                 ({"version": 10 ** 9}, [("/version", "out_of_range")]),
                 ({"version": 2 ** 64 + 1}, [("/version", "out_of_range")]),
                 ({"version": True, "Note": ""}, [("/version", "wrong_type"),
                                                  ("/Note", "unknown_member")])]
        for body, errors in cases:
            expect(desk.ask("POST", path, body), 422, "invalid_request", errors=errors)
        expect(desk.ask("POST", path, b""), 400, "invalid_json")
        expect(desk.ask("POST", path, {"version": 1.0}), 200)
        desk.ask("DELETE", PATH, status=204)
        expect(desk.ask("POST", path, {"version": 1}), 409, "icp_archived")


def test_archive_and_restore(program):
    with Desk(program) as desk:
        expect(desk.ask("DELETE", PATH), 404, "icp_not_found")
        expect(desk.ask("POST", PATH + "/restore"), 404, "icp_not_found")
        desk.publish(weighted(1))
        desk.publish(definition("two"))
        etag = desk.put_draft(weighted(2))
        kept = desk.score({"id": "x"}, icps=["one"])
        for _ in range(2):
            desk.ask("DELETE", PATH, status=204)
        icp = desk.get(PATH)
        equal((icp["state"], icp["active_version"], icp["draft_etag"]), ("archived", 1, etag),
              "the ICP")
        expect(desk.client.post("/v1/score", {"lead": {}, "icps": ["one"]}), 409, "icp_archived")
        equal([one["icp"] for one in desk.score({})["results"]], ["two"], "who scores")
        equal(desk.client.get("/v1/scores/" + kept["id"]).json, kept, "its scores stay")
        expect(desk.ask("GET", PATH + "/versions/1"), 200)
        desk.restart()
        expect(desk.client.post("/v1/score", {"lead": {}, "icps": ["one"]}), 409, "icp_archived")
        for body, errors in (({"note": 1}, [("/note", "wrong_type")]),
                             ({"version": 1}, [("/version", "unknown_member")])):
            expect(desk.ask("POST", PATH + "/restore", body), 422, errors=errors)
        back = desk.ask("POST", PATH + "/restore", {"note": "needed after all"}, 200).json
        equal((back["state"], back["active_version"], back["draft_etag"]), ("active", 1, etag),
              "restored")
        equal(desk.ask("POST", PATH + "/restore", status=200).json, back, "once more")
        equal(desk.score({}, icps=["one"])["version"], 1, "it scores again")
        actions = [(one["action"], one["subject"], one["note"]) for one in desk.audit()
                   if one["action"] in ("archive", "restore")]
        equal(actions, [("archive", "one", ""), ("restore", "one", "needed after all")], "audit")
        for key in ("one", "two"):
            desk.ask("DELETE", "/v1/icps/" + key, status=204)
        expect(desk.client.post("/v1/score", {"lead": {}}), 409, "no_active_icp")


def test_archiving_what_was_never_published(program):
    with Desk(program) as desk:
        etag = desk.put_draft(weighted(1))
        desk.ask("DELETE", PATH, status=204)
        icp = desk.get(PATH)
        equal((icp["state"], icp["draft_etag"], icp["versions"]), ("archived", etag, 0), "the ICP")
        expect(desk.client.post("/v1/score", {"lead": {}, "icps": ["one"]}), 409, "icp_archived")
        equal(desk.ask("POST", PATH + "/restore", status=200).json["state"], "draft", "back")
        desk.ask("POST", PATH + "/publish", status=201, if_match=etag)


def test_experimental_ones(program):
    with Desk(program) as desk:
        desk.publish(definition("core"))
        desk.publish(weighted(1, purpose="experimental"))
        equal([one["icp"] for one in desk.score({})["results"]], ["core"], "who is answered")
        equal(desk.get(PATH)["purpose"], "experimental", "purpose")
        desk.publish(weighted(1, purpose="core"))
        equal({one["icp"] for one in desk.score({})["results"]}, {"core", "one"}, "both now")


# ---------------------------------------------------------------- kill


def test_killed_in_the_middle_of_publishing(program):
    """Old or new, never between; and the audit agrees with what is there."""
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    try:
        with Desk(program) as desk:
            acknowledged = 0
            for round_ in range(KILLS):
                acknowledged = publish_until_killed(desk, chance, round_, acknowledged)
                check_after_kill(desk, acknowledged)
                acknowledged = desk.get(PATH)["versions"]
            desk.client.close()
            equal(desk.server.stop(), 0, "exit code")
            desk.place.command("check", "--db", desk.place.db)
            desk.start()
    except AssertionError as trouble:
        raise AssertionError("seed %d: %s" % (seed, trouble)) from None


def publish_until_killed(desk, chance, round_, acknowledged):
    """Publishes and rolls back without a pause; a thread kills the server meanwhile. Gives
    how many versions were acknowledged."""
    killer = threading.Timer(chance.uniform(0.02, 0.6), desk.server.process.kill)
    killer.start()
    weight = round_ * 50
    try:
        while True:
            weight += 1
            before = desk.ask("GET", PATH + "/draft")
            etag = desk.put_draft(weighted(weight % 1000 + 1), before.headers["ETag"]
                                  if before.status == 200 else None)
            made = desk.ask("POST", PATH + "/publish", {}, 201, if_match=etag).json
            acknowledged = made["version"]
            if chance.random() < 0.3:
                desk.ask("POST", PATH + "/activate",
                         {"version": chance.randint(1, acknowledged)}, 200)
    except (OSError, http.client.HTTPException):
        pass
    killer.join()
    desk.client.close()
    desk.server.wait()
    begun = time.monotonic()
    desk.start()
    equal(time.monotonic() - begun < 10, True, "started again in time")
    return acknowledged


def check_after_kill(desk, acknowledged):
    answer = desk.ask("GET", PATH)
    if answer.status == 404:                 # killed before the very first draft
        equal((acknowledged, desk.audit()), (0, []), "nothing at all")
        return
    icp, entries = answer.json, [one for one in desk.audit() if one["icp"] == "one"]
    versions = desk.ask("GET", PATH + "/versions", status=200).json["versions"]
    equal([one["version"] for one in versions], list(range(1, icp["versions"] + 1)), "no gap")
    equal(icp["versions"] - acknowledged in (0, 1), True,
          "%d versions, %d acknowledged" % (icp["versions"], acknowledged))
    published = [one for one in entries if one["action"] == "publish"]
    equal([(one["version"], one["after"]) for one in published],
          [(one["version"], one["definition_hash"]) for one in versions], "the audit's versions")
    active, draft = 0, False
    for one in entries:
        active = one["version"] if one["action"] in ("publish", "activate") else active
        draft = one["action"] == "draft.put" or (draft and one["action"] != "publish")
    equal((icp["active_version"], icp["draft_etag"] != ""), (active, draft),
          "active version and draft by the audit")
    for one in versions:
        kept = desk.get(PATH + "/versions/%d" % one["version"])
        equal((kept["definition_hash"], kept["definition"]["name"]),
              (one["definition_hash"], one["name"]), "a whole version")
    if active:
        result = desk.score({"points": 5})["results"][0]
        equal((result["version"], result["definition_hash"]),
              (active, versions[active - 1]["definition_hash"]), "who scores")


run(globals())
