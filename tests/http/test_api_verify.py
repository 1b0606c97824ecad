"""POST /v1/scores/{id}/verify: a recorded score computed again, with what was kept of its lead
and with the lead given once more."""

import copy
import sqlite3
import subprocess
import zlib

from harness import Place, equal, expect, run
from editing import Desk
from test_api_explain import FixedLists

WAYS = ("whole", "fields", "hashes", "nothing")

# All that can make a repeat go wrong: a list, days that pass, fading, mail that is never kept,
# a path through an array, and a rule that decides before another one is asked.
PLAN = {
    "key": "plan", "name": "Plan", "framework": "pain_points",
    "attributes": [
        {"key": "size", "label": "Size", "category": "firmographic", "weight": 10, "rules": [
            {"when": {"field": "company.employees", "gte": 500}},
            {"when": {"field": "company.employees", "gte": 50}, "fit": 0.5}]},
        {"key": "mail", "label": "Mail", "category": "demographic", "weight": 5, "rules": [
            {"when": {"field": "email", "in_list": "free-mail"}, "fit": -0.5},
            {"when": {"field": "email", "ends_with": "@acme.example"}, "label": "Our own"},
            {"when": {"field": "email", "exists": True}, "fit": 0.25}]},
        {"key": "seen", "label": "Seen", "category": "behavioral", "weight": 7, "missing": "skip", "rules": [
            {"when": {"field": "seen", "within_days": 400}, "fade": {"field": "seen", "days": 90}}]},
        {"key": "tags", "label": "Tags", "category": "technographic", "weight": 3, "rules": [
            {"when": {"any": [{"field": "company.tags.name", "in": ["crm", "erp"]},
                              {"field": "first_name", "contains": "x"}]}}]}],
    "disqualifiers": [{"key": "rival", "reason": "A rival",
                       "when": {"field": "company.domain", "in_list": "rivals"}}]}
LEAD = {"id": "v/1", "email": "ann@acme.example", "first_name": "Ann", "seen": "2026-01-15",
        "company": {"employees": 700, "domain": "acme.example",
                    "tags": [{"name": "erp"}, {"name": None, "since": 7}]}, "other": [1.50, True]}
AS_OF = "2026-02-20T10:00:00Z"


def start(program, how, *options):
    desk = Desk(program, "--store-lead", how, *options)
    desk.put_list("free-mail", ["x@free.example"])
    desk.put_list("rivals", ["rival.example"])
    desk.publish(copy.deepcopy(PLAN))
    return desk


def verify(desk, score, body=None, agrees=True, what="", kept=None):
    told = desk.ask("POST", "/v1/scores/%s/verify" % score, body, status=200).json
    if told["agrees"] is not agrees or (what and what not in told["what"]):
        raise AssertionError("expected %s %r, got %s" % (agrees, what, told))
    equal((told["id"], told["kept"]), (score, kept or told["kept"]), "id and kept")
    if agrees:
        equal((told["icp"], told["what"]), ("", ""), "nothing differs")
        equal(told["recorded_hash"], told["computed_hash"], "hashes")
    else:
        equal(told["what"] != "", True, "what differs is said")
    return told


def test_in_each_way_of_keeping(program):
    for how in WAYS:
        with start(program, how) as desk:
            score = desk.score(LEAD, as_of=AS_OF)["id"]
            first = verify(desk, score, kept=how)
            verify(desk, score, {}, kept=how)
            equal(desk.ask("POST", "/v1/scores/%s/verify" % score.lower(), {"lead": None}, 200).json, first,
                  "no lead, and the id in small letters")
            verify(desk, score, {"lead": LEAD}, kept=how)
            verify(desk, score, {"lead": dict(reversed(list(LEAD.items())))}, kept=how)
            # lists, version and time go on
            desk.ask("PATCH", "/v1/lists/free-mail", {"add": ["ann@acme.example"]}, 200)
            desk.ask("PATCH", "/v1/lists/rivals", {"add": ["acme.example"], "remove": ["rival.example"]}, 200)
            second = copy.deepcopy(PLAN)
            second["attributes"][0]["weight"] = 100
            desk.publish(second)
            equal(verify(desk, score, kept=how), first, "the same as before, " + how)
            verify(desk, score, {"lead": LEAD}, kept=how)
            newer = desk.score(LEAD, as_of="2026-03-20")
            equal(newer["qualified"], False, "a rival now")
            verify(desk, newer["id"], {"lead": LEAD}, kept=how)
            desk.ask("DELETE", "/v1/icps/plan", status=204)
            desk.restart(kill=True)
            equal(verify(desk, score, kept=how), first, "and after a restart")
            verify(desk, newer["id"], kept=how)


def test_another_lead(program):
    """What the kept part can tell, it tells; what cannot be told changes no answer."""
    others = {
        "another size": (lambda lead: lead["company"].update(employees=600), ("whole", "fields", "hashes")),
        "a size that counts": (lambda lead: lead["company"].update(employees=60), WAYS),
        "another id": (lambda lead: lead.update(id="v/2"), WAYS),
        "a rival": (lambda lead: lead["company"].update(domain="rival.example"),
                    ("whole", "fields", "hashes")),
        "another domain": (lambda lead: lead["company"].update(domain="b.example"),
                           ("whole", "fields", "hashes")),
        "no size": (lambda lead: lead["company"].pop("employees"), WAYS),
        "another tag": (lambda lead: lead["company"]["tags"][0].update(name="crm"),
                        ("whole", "fields", "hashes")),
        "something that nobody reads": (lambda lead: lead.update(other=[1.5, False]), ("whole",)),
        "a member more": (lambda lead: lead.update(more=1), ("whole",)),
        "no mail": (lambda lead: lead.pop("email"), WAYS),
        "mail of somebody else": (lambda lead: lead.update(email="ann@other.example"), WAYS),
        "another mail of the same kind": (lambda lead: lead.update(email="bob@acme.example"), ()),
        "a date later": (lambda lead: lead.update(seen="2026-01-16"), WAYS),
        "an empty one": (lambda lead: lead.clear(), WAYS)}
    for how in WAYS:
        with start(program, how) as desk:
            score = desk.score(LEAD, as_of=AS_OF)["id"]
            for name, (change, noticed) in others.items():
                lead = copy.deepcopy(LEAD)
                change(lead)
                told = desk.ask("POST", "/v1/scores/%s/verify" % score, {"lead": lead}, status=200).json
                equal(told["agrees"], how not in noticed, "%s, %s: %s" % (name, how, told))
                equal(told["agrees"], told["what"] == "", "and says so")
                for value in ("acme.example", "rival.example", "b.example", "ann@", "bob@"):
                    equal(value in told["what"], False, "no value is told: %s" % told)
            verify(desk, score, {"lead": LEAD}, kept=how)


def test_without_anything_that_is_never_kept(program):
    with start(program, "whole", "--never-store", "") as desk:
        score = desk.score(LEAD, as_of=AS_OF)
        equal(desk.get("/v1/scores/" + score["id"])["results"], score["results"], "all values")
        verify(desk, score["id"], kept="whole")
        verify(desk, score["id"], {"lead": LEAD}, kept="whole")
        verify(desk, score["id"], {"lead": dict(LEAD, email="bob@acme.example")}, agrees=False, what="email")


def test_random_definitions_and_leads(program):
    """Definitions of tests/oracle, all at once, in each way of keeping; then lists change."""
    for at, how in enumerate(WAYS):
        maker, requests = FixedLists(20 + at), []
        with Place(program) as place:
            place.put_lists(maker.fixed)
            for number in range(40):
                request = maker.request()
                request["definition"].update(key="icp-%d" % number, purpose="core" if number % 3 else
                                             "experimental")
                file = place.path("icp.json", request["definition"])
                done = subprocess.run([program, "icp", "import", "--db", place.db, file],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
                if done.returncode == 0:
                    requests.append(request)
            never = "*.email, company, größe" if at % 2 else "*.email"
            with Desk(program, "--store-lead", how, "--never-store", never, place=place) as desk:
                told = []
                for request in requests:
                    asked = {"lead": request["lead"], "as_of": request["as_of"]}
                    answer = desk.client.post("/v1/score", asked)
                    if answer.status == 200:
                        told.append((answer.json["id"], request["lead"]))
                equal(len(told) > 10, True, "scores")
                for name in maker.fixed:
                    desk.ask("PATCH", "/v1/lists/" + name, {"add": ["vp, sales", "zz", "7"], "remove": ["ok"]}, 200)
                for score, lead in told:
                    verify(desk, score, kept=how)
                    verify(desk, score, {"lead": lead}, kept=how)


def test_bodies_that_are_none(program):
    with start(program, "whole") as desk:
        score = desk.score(LEAD, as_of=AS_OF)["id"]
        where = "/v1/scores/%s/verify" % score
        for body, errors in (({"leads": LEAD}, [("/leads", "unknown_member")]),
                             ({"lead": LEAD, "as_of": AS_OF}, [("/as_of", "unknown_member")]),
                             ({"lead": []}, [("/lead", "wrong_type")]), ({"lead": "x"}, [("/lead", "wrong_type")]),
                             ({"lead": {"id": []}}, [("/lead/id", "wrong_type")]),
                             ({"lead": {"id": "x" * 201}}, [("/lead/id", "too_many")]),
                             ([], [("", "wrong_type")]), ("x", [("", "wrong_type")])):
            expect(desk.ask("POST", where, body), 422, "invalid_request", errors=errors)
        expect(desk.ask("POST", where, b"{", content_type="application/json"), 400, "invalid_json")
        expect(desk.ask("POST", where, b"{}", content_type="text/plain"), 415, "unsupported_media_type")
        deep = {"x": 1}
        for _ in range(70):
            deep = {"x": deep}
        expect(desk.ask("POST", where, {"lead": deep}), 400, "too_deep")
        wide = {"m%d" % at: 1 for at in range(501)}
        expect(desk.ask("POST", where, {"lead": wide}), 400, "too_many_members")
        expect(desk.ask("POST", where + "?x=1", {}), 400, "invalid_parameter")
        expect(desk.ask("GET", where), 405)
        for wrong in ("0" * 26, "x", score[:-1], score + "0", "%20", "I" * 26):
            expect(desk.ask("POST", "/v1/scores/%s/verify" % wrong), 404, "score_not_found")
        verify(desk, score)


def block_of(db):
    with sqlite3.connect(db) as database:
        found = database.execute("SELECT rowid, body FROM score_block").fetchall()
    database.close()
    equal(len(found), 1, "blocks")
    return found[0]


def put_block(db, row, body):
    with sqlite3.connect(db, isolation_level=None) as database:
        database.execute("UPDATE score_block SET body = ? WHERE rowid = ?", (bytes(body), row))
    database.close()


def with_check_sum(body):
    """A block whose check sum is made right again."""
    return body[:-4] + zlib.crc32(body[:-4]).to_bytes(4, "little")


def what_counts(answer):
    """What follows from the outcome: all but the values that were found, and which state of its
    lists it was that answered."""
    told = copy.deepcopy(answer["results"])
    for result in told:
        del result["lists"]
        for attribute in result["attributes"]:
            del attribute["value"], attribute["reason"]
    return told


def test_damaged_bytes(program):
    """Each byte of a recorded score in turn is another one. The check sum sees that; and where it was
    made right again, no score is said to agree that is another one than it was. (Where nothing is
    kept of a lead, that takes the lead.)"""
    for how, given in (("whole", {}), ("nothing", {"lead": LEAD})):
        with start(program, how) as desk:
            score = desk.score(LEAD, as_of=AS_OF)
            where = "/v1/scores/%s/verify" % score["id"]
            original = what_counts(desk.get("/v1/scores/" + score["id"]))
            row, body = block_of(desk.place.db)
            found = {}
            for at in range(len(body) - 4):
                spoilt = bytearray(body)
                spoilt[at] ^= 1 << at % 7     # what is ASCII stays so
                put_block(desk.place.db, row, spoilt)
                expect(desk.ask("POST", where), 500, "storage_corrupt")
                put_block(desk.place.db, row, with_check_sum(bytes(spoilt)))
                answer = desk.ask("POST", where, given)
                known = answer.json.get("code", str(answer.json.get("agrees")))
                found[known] = found.get(known, 0) + 1
                if known == "True":
                    equal(what_counts(desk.get("/v1/scores/" + score["id"])), original,
                          "what is said to agree, byte %d" % at)
            equal(set(found) <= {"True", "False", "storage_corrupt", "score_not_found"}, True, repr(found))
            equal(found["False"] > 0 and found["storage_corrupt"] > 0, True, repr(found))
            put_block(desk.place.db, row, body)
            verify(desk, score["id"])


def test_damaged_version(program):
    """A version that is not what was published is no ground to say that anything agrees."""
    with start(program, "whole") as desk:
        score = desk.score(LEAD, as_of=AS_OF)["id"]
        with sqlite3.connect(desk.place.db, isolation_level=None) as database:
            database.execute("UPDATE icp_version SET document = replace(document, '500', '900')")
        database.close()
        expect(desk.ask("POST", "/v1/scores/%s/verify" % score), 500, "storage_corrupt")


run(globals())
