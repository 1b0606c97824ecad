"""Named lists: put, patched and deleted, live at once, a million entries."""

import http.client
import json
import os
import random
import re
import sys
import threading
import time

from contract import ROOT
from harness import Place, equal, expect, run
from editing import Crowd, Desk, definition, list_hash, together

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
from generate import Maker  # noqa: E402
from values import fold  # noqa: E402

LIST = "/v1/lists/rivals"
ETAG = re.compile(r'"l[1-9][0-9]*-[0-9a-f]{16}"')
TEXT = {"Content-Type": "text/plain"}
MILLION = 1_000_000
LONG_S = 240                 # a million entries, on a slow machine, in a sanitizer's build


def asking(key="one", name="rivals"):
    """Disqualifies who is in the list."""
    return definition(key, disqualifiers=[{"key": "rival", "reason": "Competitor",
                                           "when": {"field": "domain", "in_list": name}}])


def verdict(desk, domain):
    result = desk.score({"domain": domain})["results"][0]
    return not result["qualified"], result["lists"]


def test_the_life_of_a_list(program):
    with Desk(program) as desk:
        equal(desk.get("/v1/lists"), {"lists": []}, "no lists")
        expect(desk.ask("GET", LIST), 404, "list_not_found")
        answer = desk.ask("PUT", LIST, ["b.example", " GRÖSSE  AG ", "a"], 201)
        made = answer.json
        equal((made["key"], made["count"], made["added"], made["removed"]), ("rivals", 3, 3, 0),
              "made")
        equal((bool(ETAG.fullmatch(made["etag"])), answer.headers["ETag"]), (True, made["etag"]),
              "ETag " + made["etag"])
        got = desk.ask("GET", LIST, status=200)
        equal(got.json["entries"], ["a", "b.example", " GRÖSSE  AG "], "by their folded form")
        equal(got.headers["ETag"], made["etag"], "ETag")
        equal({name: got.json[name] for name in ("key", "revision", "count", "etag", "updated_at")},
              {name: made[name] for name in ("key", "revision", "count", "etag", "updated_at")},
              "the list")
        desk.put_list("another", [])
        equal([(one["key"], one["count"]) for one in desk.get("/v1/lists")["lists"]],
              [("another", 0), ("rivals", 3)], "all lists, by key")
        same = desk.ask("PUT", LIST, ["a", "b.example", " GRÖSSE  AG "], 200).json
        equal((same["added"], same["removed"], same["etag"], same["revision"], same["updated_at"]),
              (0, 0, made["etag"], made["revision"], made["updated_at"]), "the same once more")
        other = desk.ask("PUT", LIST, ["a", "c"], 200).json
        equal((other["added"], other["removed"], other["count"]), (2, 3, 2), "replaced")
        equal((other["revision"] > made["revision"], other["etag"] != made["etag"]), (True, True),
              "a new revision")
        desk.restart()
        equal(desk.get(LIST)["entries"], ["a", "c"], "after a restart")
        desk.ask("DELETE", LIST, status=204)
        expect(desk.ask("DELETE", LIST), 404, "list_not_found")
        expect(desk.ask("PATCH", LIST, {"add": ["x"]}), 404, "list_not_found")
        expect(desk.ask("GET", LIST), 404, "list_not_found")
        again = desk.ask("PUT", LIST, ["a", "c"], 201).json
        equal(again["etag"] in (made["etag"], other["etag"]), False, "an ETag that came back")


def test_entries_that_fold_alike_are_one(program):
    with Desk(program) as desk:
        made = desk.put_list("rivals", ["Straße", "STRASSE", " strasse\t", "x", "\u00ad", "  ",
                                        "e\u0301", "\u00e9", "X"]).json
        equal((made["count"], made["added"]), (3, 3), "entries")
        equal(desk.get(LIST)["entries"], ["Straße", "x", "e\u0301"], "the first of each")
        patched = desk.ask("PATCH", LIST, {"add": ["STRAẞE", "y", " Y "], "remove": ["É", "z"]},
                           200).json
        equal((patched["added"], patched["removed"], patched["count"]), (1, 1, 3), "patched")
        equal(desk.get(LIST)["entries"], ["Straße", "x", "y"], "what is left")


def test_as_text(program):
    with Desk(program) as desk:
        body = "\ufeffb.example\r\n\r\na\n\n Größe 🏭 \nlast".encode("utf-8")
        made = desk.client.ask("PUT", LIST, body, headers=TEXT)
        equal((expect(made, 201).json["count"]), 4, "entries")
        equal(desk.get(LIST)["entries"], ["a", "b.example", " Größe 🏭 ", "last"], "as JSON")
        for accept in ("text/plain", "text/plain, */*", "application/json;q=0.5, text/plain",
                       "TEXT/PLAIN;q=1.0,application/json;q=0.9", "text/html, text/plain;q=0.3"):
            answer = desk.ask("GET", LIST, status=200, accept=accept)
            equal(answer.headers["Content-Type"], "text/plain; charset=utf-8", accept)
            equal(answer.body.decode("utf-8"), "a\nb.example\n Größe 🏭 \nlast\n", "as text")
        for accept in (None, "", "*/*", "application/json", "application/json, text/plain, */*",
                       "text/plain;q=0", "text/*", "text/plain;q=0.5, application/json;q=0.8"):
            answer = desk.ask("GET", LIST, status=200, accept=accept)
            equal((answer.headers["Content-Type"], answer.headers["Vary"]),
                  ("application/json", "Accept"), repr(accept))
        for media in ("text/plain; charset=UTF-8", 'text/plain;charset="utf-8"',
                      "Text/Plain;charset=us-ascii"):
            expect(desk.client.ask("PUT", LIST, b"x\n", headers={"Content-Type": media}), 200)
        for media in ("text/plain; charset=iso-8859-1", "text/csv", "application/x-ndjson",
                      "text/html"):
            expect(desk.client.ask("PUT", LIST, b"x\n", headers={"Content-Type": media}), 415,
                   "unsupported_media_type")
        expect(desk.client.ask("PUT", LIST, b"", headers=TEXT), 200)
        equal(desk.get(LIST)["entries"], [], "no line, no entry")
        equal(desk.ask("GET", LIST, accept="text/plain").body, b"", "an empty text")
        # an entry with a line break is one line all the same
        desk.put_list("rivals", ["one\ntwo\r\nthree"])
        text = desk.ask("GET", LIST, accept="text/plain").body
        equal(text, b"one two  three\n", "one line")
        put = expect(desk.client.ask("PUT", LIST, text, headers=TEXT), 200).json
        equal(put["count"], 1, "the same to conditions")


def test_not_modified(program):
    with Desk(program) as desk:
        etag = desk.put_list("rivals", ["a"]).headers["ETag"]
        for same in (etag, "W/" + etag, "*", '"x",' + etag):
            for accept in ("application/json", "text/plain"):
                answer = desk.ask("GET", LIST, status=304, if_none_match=same, accept=accept)
                equal((answer.body, answer.headers["ETag"]), (b"", etag), "a 304")
        desk.ask("PATCH", LIST, {"add": ["b"]}, 200)
        expect(desk.ask("GET", LIST, if_none_match=etag), 200)


def test_conditions(program):
    with Desk(program) as desk:
        for match in ("*", '"l1-0000000000000000"'):
            expect(desk.ask("PUT", LIST, ["a"], if_match=match), 412, "precondition_failed")
        first = desk.put_list("rivals", ["a"], if_none_match="*", status=201).headers["ETag"]
        expect(desk.ask("PUT", LIST, ["b"], if_none_match="*"), 412, "precondition_failed")
        second = desk.put_list("rivals", ["b"], if_match=first).headers["ETag"]
        for method, body in (("PUT", ["c"]), ("PATCH", {"add": ["c"]}), ("DELETE", None)):
            for stale in (first, "W/" + second, '"x"'):
                answer = desk.ask(method, LIST, body, 412, "precondition_failed", if_match=stale)
                equal(second in answer.json["detail"], True, "what it is: " + answer.json["detail"])
            for bad in ("x", "", second + "x"):
                expect(desk.ask(method, LIST, body, if_match=bad), 400, "bad_request")
        equal(desk.get(LIST)["entries"], ["b"], "nothing was changed by all that")
        third = desk.ask("PATCH", LIST, {"add": ["c"]}, 200, if_match='"x", ' + second)
        desk.put_list("rivals", ["d"])           # nothing need be said
        expect(desk.ask("DELETE", LIST, if_match=third.headers["ETag"]), 412)
        desk.ask("DELETE", LIST, status=204, if_match="*")


def test_faults(program):
    with Desk(program) as desk:
        for key in ("Rivals", "a_b", "-a", "x" * 65, "a%20b", "%C3%A4"):
            for body, headers in ((b'["a"]', {}), (b"a", TEXT)):
                expect(desk.client.ask("PUT", "/v1/lists/" + key, body, headers=headers), 422,
                       "invalid_request", errors=[("", "invalid_key")])
            for method in ("GET", "DELETE"):
                expect(desk.ask(method, "/v1/lists/" + key), 404, "list_not_found")
            expect(desk.ask("PATCH", "/v1/lists/" + key, {"add": []}), 404, "list_not_found")
        cases = [({}, [("", "wrong_type")]), ("a", [("", "wrong_type")]),
                 (["a", 7, None, [], ""], [("/1", "wrong_type"), ("/2", "wrong_type"),
                                           ("/3", "wrong_type"), ("/4", "too_few")]),
                 (["x" * 1000, "x" * 1001, "🏭" * 1000, "🏭" * 1001], [("/1", "too_many"),
                                                                      ("/3", "too_many")]),
                 (["a\0b"], [("/0", "invalid_value")])]
        for body, errors in cases:
            expect(desk.ask("PUT", LIST, body), 422, "invalid_request", errors=errors)
        expect(desk.ask("PUT", LIST, b"[1,"), 400, "invalid_json")
        expect(desk.ask("PUT", LIST, b"\xef\xbb\xbf[]"), 400, "invalid_json")
        lines = [b"fine", b"bad \xff", b"x" * 1001, b"nul\0", "🏭".encode() * 1000,
                 b"\xed\xa0\x80"]
        answer = desk.client.ask("PUT", LIST, b"\n".join(lines), headers=TEXT)
        expect(answer, 422, "invalid_request", errors=[
            ("", "invalid_value"), ("", "too_many"), ("", "invalid_value"), ("", "invalid_value")])
        for number in (2, 3, 4, 6):
            equal(any("line %d:" % number in one["detail"] for one in answer.json["errors"]), True,
                  "line %d is named" % number)
        expect(desk.ask("GET", LIST), 404)
        desk.put_list("rivals", ["a"])
        cases = [({}, [("/add", "required")]), ({"add": None, "remove": None},
                                               [("/add", "required")]),
                 ({"note": "x"}, [("/add", "required")]), ([], [("", "wrong_type")]),
                 ({"add": "a"}, [("/add", "wrong_type")]),
                 ({"add": ["a", "Ⅷ", 7], "remove": ["b", "VIII"]},
                  [("/add/2", "wrong_type"), ("/add/1", "duplicate")]),
                 ({"add": ["x", " A"], "remove": ["a"]}, [("/add/1", "duplicate")]),
                 ({"remove": [""], "note": 1, "delete": []},
                  [("/remove/0", "too_few"), ("/note", "wrong_type"),
                   ("/delete", "unknown_member")])]
        for body, errors in cases:
            expect(desk.ask("PATCH", LIST, body), 422, "invalid_request", errors=errors)
        equal(desk.get(LIST)["entries"], ["a"], "untouched")
        many = json.dumps([""] * 300).encode()
        equal(len(desk.ask("PUT", LIST, many, 422).json["errors"]), 200, "findings are bounded")


def test_patches(program):
    with Desk(program) as desk:
        before = desk.put_list("rivals", ["a", "b"]).json
        for body in ({"add": []}, {"remove": []}, {"add": ["A"]}, {"remove": ["nobody"]},
                     {"add": [" "], "remove": ["\u00ad"]}, {"add": ["a"], "remove": None}):
            same = desk.ask("PATCH", LIST, body, 200).json
            equal((same["added"], same["removed"], same["etag"], same["revision"],
                   same["updated_at"]), (0, 0, before["etag"], before["revision"],
                                         before["updated_at"]), "nothing by %r" % body)
        audit = len(desk.audit())
        made = desk.ask("PATCH", LIST, {"add": ["c", "C", "a"], "remove": ["B", "b", "x"],
                                        "note": "why"}, 200).json
        equal((made["added"], made["removed"], made["count"], made["revision"]),
              (1, 1, 2, before["revision"] + 1), "patched")
        entries = desk.audit()
        equal((len(entries), entries[-1]["action"], entries[-1]["note"]),
              (audit + 1, "list.patch", "why"), "the audit")


def test_live_at_once(program):
    with Desk(program) as desk:
        desk.put_list("rivals", ["rival.example"])
        desk.publish(asking())
        other = desk.server.client(desk.key)
        equal(verdict(desk, "RIVAL.example")[0], True, "in the list")
        revision = desk.get(LIST)["revision"]
        equal(verdict(desk, "new.example"), (False, [{"key": "rivals", "revision": revision}]),
              "not in it, and the revision asked")
        kept = desk.score({"domain": "new.example"})
        for round_ in range(5):
            desk.ask("PATCH", LIST, {"add": ["New.Example"]}, 200)
            revision += 1
            result = other.score({"domain": "new.example"})["results"][0]
            equal((result["qualified"], result["lists"]),
                  (False, [{"key": "rivals", "revision": revision}]), "for the very next request")
            desk.ask("PATCH", LIST, {"remove": ["new.example"]}, 200)
            revision += 1
            equal(verdict(desk, "new.example"), (False, [{"key": "rivals", "revision": revision}]),
                  "and back")
        desk.put_list("rivals", ["other.example"])
        equal(verdict(desk, "rival.example")[0], False, "replaced")
        equal(desk.client.get("/v1/scores/" + kept["id"]).json, kept, "what was told stays so")
        desk.restart()
        equal(verdict(desk, "other.example")[0], True, "after a restart")
        equal(desk.client.get("/v1/scores/" + kept["id"]).json, kept, "what was told stays so")
        other.close()


def test_lists_in_use(program):
    with Desk(program) as desk:
        desk.put_list("rivals", ["a"])
        desk.publish(asking("one"))
        desk.publish(asking("two"))
        answer = expect(desk.ask("DELETE", LIST), 409, "list_in_use")
        equal("one" in answer.json["detail"] and "two" in answer.json["detail"], True,
              answer.json["detail"])
        desk.publish(definition("one"))          # does not ask it any more
        answer = expect(desk.ask("DELETE", LIST), 409, "list_in_use")
        equal("one" in answer.json["detail"].replace("one of", ""), False, answer.json["detail"])
        desk.ask("DELETE", "/v1/icps/two", status=204)
        desk.put_draft(asking("three"))          # a draft does not hold it
        desk.ask("DELETE", LIST, status=204)
        # nothing comes back into service without the lists it asks
        detail = 'version 1 of "%s" asks the list "rivals", which is not there: put it first'
        answer = expect(desk.ask("POST", "/v1/icps/two/restore"), 409, "conflict")
        equal(answer.json["detail"], detail % "two", "restored")
        answer = expect(desk.ask("POST", "/v1/icps/one/activate", {"version": 1}), 409, "conflict")
        equal(answer.json["detail"], detail % "one", "rolled back")
        desk.put_list("rivals", ["a"], status=201)
        desk.ask("POST", "/v1/icps/two/restore", status=200)
        result = desk.score({"domain": "a"}, icps=["two"])["results"][0]
        equal((result["qualified"], result["lists"]), (False, [{"key": "rivals", "revision": 2}]),
              "there again, and its revision goes on")
        desk.ask("POST", "/v1/icps/one/activate", {"version": 1}, status=200)


def test_a_million_entries(program):
    """As text; live, patched at once, read again, all of it after a restart; and scores are
    recorded meanwhile."""
    text = "".join("Company-%07d.example\n" % at for at in range(MILLION)).encode("utf-8")
    with Desk(program) as desk:
        desk.put_list("rivals", ["company-0000001.example"])
        desk.publish(asking())
        crowd = Crowd(desk.server, desk.key, {"lead": {"domain": "company-0000001.example"}},
                      lambda answer, begun: equal(answer["qualified"], False, "in both lists"), 2)
        begun = time.monotonic()
        raw = http.client.HTTPConnection("127.0.0.1", desk.server.port, timeout=LONG_S)
        headers = {"Authorization": "Bearer " + desk.key, "Content-Type": "text/plain"}
        raw.request("PUT", LIST, text, headers)
        made = json.loads(raw.getresponse().read())
        put_s = time.monotonic() - begun
        equal((made["count"], made["added"], made["removed"]), (MILLION, MILLION, 1), "made")
        equal(crowd.stop() > 2, True, "scores meanwhile")
        for at, wanted in ((0, True), (MILLION - 1, True), (MILLION, False)):
            equal(verdict(desk, "COMPANY-%07d.example" % at)[0], wanted, "company %d" % at)
        begun = time.monotonic()
        patch = {"add": ["company-%07d.example" % MILLION], "remove": ["company-0000000.example"]}
        expect(desk.ask("PATCH", LIST, patch), 200)
        equal((verdict(desk, "company-%07d.example" % MILLION)[0],
               verdict(desk, "company-0000000.example")[0]), (True, False), "patched")
        equal(time.monotonic() - begun < max(5, put_s), True, "a patch does not copy it all")
        expect(desk.ask("PATCH", LIST, {"add": ["one too many"]}), 409, "conflict")
        raw.request("GET", LIST, headers=dict(headers, Accept="text/plain"))
        got = raw.getresponse().read()
        wanted = text.splitlines()[1:] + [b"company-%07d.example" % MILLION]
        equal(got.splitlines() == wanted, True, "all entries as text")
        raw.request("GET", LIST, headers=headers)
        got = json.loads(raw.getresponse().read())
        same = [one.encode("utf-8") for one in got["entries"]] == wanted
        equal((got["count"], len(got["entries"]), same), (MILLION, MILLION, True),
              "all entries as JSON")
        desk.restart()
        equal((verdict(desk, "company-%07d.example" % MILLION)[0],
               verdict(desk, "company-0000000.example")[0]), (True, False), "after a restart")
        raw.close()


def resident(desk):
    """Kibibytes."""
    with open("/proc/%d/status" % desk.server.process.pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def sanitized(desk):
    """Sanitizers keep what is freed."""
    with open("/proc/%d/maps" % desk.server.process.pid, encoding="utf-8") as file:
        return "san.so" in file.read() or "san" in desk.place.program


def test_memory_is_given_back(program):
    """What long lists took is not kept once they are gone, by no thread of the desk."""
    text = b"\n".join(b"company-%07d.example" % at for at in range(MILLION // 5))

    def come_and_go(desk, at):
        raw = http.client.HTTPConnection("127.0.0.1", desk.server.port, timeout=LONG_S)
        for method, body, status in (("PUT", text, 201), ("GET", None, 200), ("DELETE", None, 204)):
            raw.request(method, "/v1/lists/long-%d" % at, body,
                        dict(TEXT if body else {}, Authorization="Bearer " + desk.key))
            answer = raw.getresponse()
            equal((answer.status, len(answer.read()) > 0), (status, status != 204), method)
        raw.close()

    with Desk(program) as desk:
        if sanitized(desk):
            return
        before = resident(desk)
        together([lambda at=at: come_and_go(desk, at) for at in range(4)])
        equal(resident(desk) - before < 50 << 10, True,
              "%d KiB before, then %d KiB" % (before, resident(desk)))


def test_too_many_entries(program):
    with Desk(program) as desk:
        desk.put_list("rivals", ["a"])
        for body, headers in ((b"x\n" * (MILLION + 1), TEXT),
                              (b"[" + b'"x",' * MILLION + b'"x"]', {})):
            expect(desk.client.ask("PUT", LIST, body, headers=headers), 400, "too_many_members")
        made = desk.client.ask("PUT", LIST, b"\n" * (2 * MILLION) + b"x\n" * MILLION, headers=TEXT)
        equal(expect(made, 200).json["count"], 1, "a million of the same")
        made = desk.client.ask("PUT", LIST, b"[" + b'"y",' * (MILLION - 1) + b'"y"]')
        equal(expect(made, 200).json["count"], 1, "a million of the same")
        expect(desk.client.ask("PUT", LIST, b"x" * ((64 << 20) + 1), headers=TEXT), 413,
               "body_too_large")
        # another route's body is what the configuration says
        expect(desk.client.ask("PATCH", LIST, b" " * ((1 << 20) + 1)), 413, "body_too_large")


def test_replaced_again_and_again(program):
    """What replaced lists leave over is swept; killed in between, the old or the new is there."""
    chance = random.Random(5)
    with Desk(program) as desk:
        desk.put_list("rivals", ["start"])
        desk.publish(asking())
        for round_ in range(6):
            old = desk.get(LIST)
            size = chance.choice([1, 1000, 30000])
            entries = ["%d-%d" % (round_, at) for at in range(size)]
            killer = None
            try:
                if round_ % 2 == 1:
                    killer = threading.Timer(chance.uniform(0.01, 0.3), desk.server.process.kill)
                    killer.start()
                desk.put_list("rivals", entries)
            except (OSError, http.client.HTTPException):
                pass
            if killer is not None:
                killer.join()
                desk.client.close()
                desk.server.wait()
                desk.start()
            now = desk.get(LIST)
            equal(now["entries"] in (old["entries"], sorted(entries)), True,
                  "round %d: the old list or the new one" % round_)
            equal(now["count"], len(now["entries"]), "count")
            equal(verdict(desk, now["entries"][-1])[0], True, "live")
        desk.client.close()
        equal(desk.server.stop(), 0, "exit code")
        desk.place.command("check", "--db", desk.place.db)
        desk.start()


def test_a_list_is_told_as_of_one_moment(program):
    """While others change it, what is told has the entries that its ETag speaks of."""
    with Desk(program) as desk:
        desk.put_list("rivals", ["entry %d" % at for at in range(2000)])
        over = threading.Event()

        def read():
            client = desk.server.client(desk.key)
            while not over.is_set():
                answer = expect(client.get(LIST), 200)
                told = answer.json
                equal((told["count"], told["etag"]), (len(told["entries"]), answer.headers["ETag"]),
                      "count and ETag")
                equal(told["etag"], '"l%d-%s"' % (told["revision"],
                                                  list_hash(told["entries"])[:16]), "ETag")
            client.close()

        def write(name):
            client = desk.server.client(desk.key)
            for at in range(40):
                patch = {"add": ["%s %d" % (name, at)], "remove": ["entry %d" % at]}
                expect(client.ask("PATCH", LIST, patch), 200)
                if at % 10 == 9 and name == "one":
                    entries = expect(client.get(LIST), 200).json["entries"]
                    expect(client.ask("PUT", LIST, entries + ["%d" % at]), 200)
            client.close()

        def write_all():
            try:
                together([lambda: write("one"), lambda: write("other")])
            finally:
                over.set()

        together([read, read, write_all])


def test_patches_at_once(program):
    """All of them count when nothing was said; exactly one of those that name one ETag."""
    with Desk(program) as desk:
        etag = desk.put_list("rivals", ["start"]).headers["ETag"]
        statuses = []

        def patch(at, match):
            client = desk.server.client(desk.key)
            headers = {"If-Match": match} if match else {}
            answer = client.ask("PATCH", LIST, {"add": ["by %02d" % at]}, headers=headers)
            statuses.append(answer.status)
            client.close()

        together([lambda at=at: patch(at, etag) for at in range(20)])
        equal(sorted(statuses), [200] + [412] * 19, "with one ETag")
        statuses.clear()
        together([lambda at=at: patch(at, "") for at in range(20)])
        equal(statuses, [200] * 20, "without")
        told = desk.get(LIST)
        equal(told["entries"], ["by %02d" % at for at in range(20)] + ["start"], "all of them")
        revisions = [one for one in desk.audit() if one["action"] == "list.patch"]
        equal(len(revisions), told["revision"] - 1, "a trace for each revision")


def test_a_score_and_its_revision_agree(program):
    """In even revisions the lead's domain is in the list, in odd ones it is not."""
    with Desk(program) as desk:
        desk.put_list("rivals", ["other"])
        desk.publish(asking())

        def check(answer, begun):
            (result,) = answer["results"]
            (asked,) = result["lists"]
            equal(asked["revision"] >= begun, True, "not an older one")
            equal(result["qualified"], asked["revision"] % 2 == 1, "at %r" % asked)

        crowd = Crowd(desk.server, desk.key, {"lead": {"domain": "x.example"}}, check)
        for at in range(2, 80):
            change = {"add": ["X.example"]} if at % 2 == 0 else {"remove": ["x.example"]}
            made = desk.ask("PATCH", LIST, change, 200).json
            equal(made["revision"], at, "revision")
            crowd.published = at
            crowd.wait_for(3)
        equal(crowd.stop() > 200, True, "scores")


def test_stopped_in_the_middle(program):
    """SIGTERM while a large list is on its way to the disk: answered and kept, or not at all."""
    entries = ["%06d.example" % at for at in range(200000)]
    chance = random.Random(8)
    with Desk(program) as desk:
        desk.put_list("rivals", ["start"])
        for round_ in range(4):
            old, answered = desk.get(LIST), []
            new = ["%d" % round_] + entries

            def put(wanted=new, into=answered):
                try:
                    into.append(desk.ask("PUT", LIST, wanted))
                except (OSError, http.client.HTTPException):
                    pass

            thread = threading.Thread(target=put)
            thread.start()
            time.sleep(chance.uniform(0, 0.8))       # any moment of it will do
            begun = time.monotonic()
            code = desk.server.stop()
            took = time.monotonic() - begun
            thread.join(LONG_S)
            equal(code, 0, "exit code, log: " + desk.server.log_text())
            desk.client.close()
            desk.start()
            now = desk.get(LIST)
            if answered and answered[0].status == 200:
                equal(now["etag"], answered[0].json["etag"], "what was answered is kept")
            elif answered:
                expect(answered[0], 503, "not_ready")
                equal(now["etag"], old["etag"], "what was refused has changed nothing")
            equal(now["etag"] == old["etag"] or now["count"] == len(new), True, "old or new")
            equal(now["count"], len(now["entries"]), "all of it")
            equal(took < LONG_S / 4, True, "stopped after %.1f s" % took)


def test_random_lists(program):
    """Against sets of folded texts."""
    maker = Maker(3)
    with Place(program) as place, Desk(program, place=place) as desk:
        model = {}
        desk.put_list("rivals", [])
        for _ in range(150):
            add = maker.words(0, 4)
            remove = [one for one in maker.words(0, 3) + list(model.values())[:1]
                      if maker.chance(0.7)]
            both = {fold(one) for one in add} & {fold(one) for one in remove}
            answer = desk.ask("PATCH", LIST, {"add": add, "remove": remove})
            if both - {""}:
                expect(answer, 422, "invalid_request")
                continue
            gone = {fold(one) for one in remove} & set(model)
            for one in gone:
                del model[one]
            new = {}
            for one in add:
                if fold(one) and fold(one) not in model:
                    new.setdefault(fold(one), one)
            model.update(new)
            body = expect(answer, 200).json
            equal((body["added"], body["removed"], body["count"]),
                  (len(new), len(gone), len(model)), "patched by %r" % [add, remove])
            entries = desk.get(LIST)["entries"]
            equal(entries, [model[one] for one in sorted(model, key=lambda t: t.encode("utf-8"))],
                  "entries")


run(globals())
