"""GET /v1/audit: every change is there, page by page, and nobody can mend it unseen."""

import os
import random
import re
import shutil
import sqlite3
import sys

from contract import ROOT
from harness import Place, equal, expect, run
from editing import Desk, definition, list_hash, together

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
from oracle import definition_hash  # noqa: E402

PATH = "/v1/icps/one"
HASH = re.compile(r"sha256:[0-9a-f]{64}")


def named(name):
    return definition("one", name=name)


def test_every_change_is_there(program):
    """One of each, in order: who, when, why, and the hashes around it."""
    first, second = definition_hash(named("1")), definition_hash(named("2"))
    with Desk(program) as desk:
        key_id = desk.key[3:11]
        wanted = []              # action, icp, subject, version, note, before, after

        def did(action, subject, version=0, note="", before="", after="", icp="one"):
            wanted.append((action, icp, subject, version, note, before, after))

        etag = desk.put_draft(named("1"))
        did("draft.put", "one", after=first)
        etag = desk.put_draft(named("2"), etag)
        did("draft.put", "one", before=first, after=second)
        desk.ask("DELETE", PATH + "/draft", status=204)
        did("draft.delete", "one", before=second)
        for name, hash_, before in (("1", first, ""), ("2", second, first)):
            desk.publish(named(name), note="note " + name)
            did("draft.put", "one", after=hash_)
            did("publish", "one", int(name), "note " + name, before, hash_)
        desk.ask("POST", PATH + "/activate", {"version": 1, "note": "back"}, 200)
        did("activate", "one", 1, "back", second, first)
        desk.ask("DELETE", PATH, status=204)
        did("archive", "one", before=first)
        desk.ask("POST", PATH + "/restore", {"note": "again"}, 200)
        did("restore", "one", note="again", after=first)
        list_hashes = []
        for method, body in (("PUT", ["a", "b"]), ("PATCH", {"add": ["c"], "note": "more"}),
                             ("DELETE", None)):
            desk.ask(method, "/v1/lists/rivals", body)
            list_hashes.append(desk.audit()[-1])
        for (action, note), entry in zip((("list.put", ""), ("list.patch", "more"),
                                          ("list.delete", "")), list_hashes):
            did(action, "rivals", note=note, before=entry["before"], after=entry["after"], icp="")
        equal([bool(one["before"]) for one in list_hashes], [False, True, True], "before")
        equal([bool(one["after"]) for one in list_hashes], [True, True, False], "after")
        equal([one["before"] for one in list_hashes[1:]], [one["after"] for one in list_hashes[:2]],
              "each begins where the last one ended")
        made = desk.ask("POST", "/v1/keys", {"name": "crm", "scopes": ["score"]}, 201).json
        did("key.create", made["id"], icp="")
        for _ in range(2):
            desk.ask("DELETE", "/v1/keys/" + made["id"], status=204)
        did("key.revoke", made["id"], icp="")
        # what changes nothing leaves no trace
        desk.ask("POST", PATH + "/activate", {"version": 1}, 200)
        desk.ask("POST", PATH + "/restore", status=200)
        for refused in (("PUT", PATH + "/draft", {}), ("POST", PATH + "/publish", {}),
                        ("DELETE", PATH + "/draft", None), ("DELETE", "/v1/lists/rivals", None),
                        ("DELETE", "/v1/icps/nobody", None), ("POST", "/v1/keys", {})):
            equal(desk.ask(*refused).status >= 400, True, "refused: %r" % (refused,))
        entries = [one for one in desk.audit() if one["key"] == "desk"]
        found = [(one["action"], one["icp"], one["subject"], one["version"], one["note"],
                  one["before"], one["after"]) for one in entries]
        for at, (one, other) in enumerate(zip(found, wanted)):
            equal(one, other, "entry %d" % at)
        equal(len(found), len(wanted), "entries")
        equal({one["key_id"] for one in entries}, {key_id}, "key ids")
        equal([one["at"] for one in entries], sorted(one["at"] for one in entries), "times")
        for one in entries:
            equal(bool(HASH.fullmatch(one["chain"])), True, "chain " + one["chain"])
        equal(len({one["chain"] for one in entries}), len(entries), "chains")


def test_commands_leave_a_trace_too(program):
    with Place(program) as place:
        place.publish_definition(named("1"))
        place.publish_definition(named("1"))         # unchanged: no trace
        place.publish_definition(named("2"))
        key = place.key("score", "crm")
        place.command("keys", "revoke", "--db", place.db, key[3:11])
        with Desk(program, place=place) as desk:
            found = [(one["key"], one["key_id"], one["action"], one["subject"], one["version"])
                     for one in desk.audit()]
            desk_id = desk.key[3:11]
            equal(found, [("command line", "", "publish", "one", 1),
                          ("command line", "", "publish", "one", 2),
                          ("command line", "", "key.create", key[3:11], 0),
                          ("command line", "", "key.revoke", key[3:11], 0),
                          ("command line", "", "key.create", desk_id, 0)], "the audit")


def test_the_audit_retells_what_is_there(program):
    """Eight editors at random and at once: whoever reads the audit from its beginning comes to
    what the service has, and each entry begins where the one before it ended."""
    icps, lists = ["icp-%d" % at for at in range(3)], ["list-a", "list-b"]

    def edit(desk, seed):
        chance, client = random.Random(seed), desk.server.client(desk.key)
        for at in range(60):
            key, name = chance.choice(icps), chance.choice(lists)
            path = "/v1/icps/" + key
            method, where, body = chance.choice([
                ("PUT", path + "/draft", definition(key, name="By %d, %d" % (seed, at))),
                ("PUT", path + "/draft", definition(key, name="By %d, %d" % (seed, at))),
                ("POST", path + "/publish", {"note": "by %d" % seed}),
                ("POST", path + "/publish", {}), ("DELETE", path + "/draft", None),
                ("POST", path + "/activate", {"version": chance.randint(1, 5)}),
                ("DELETE", path, None), ("POST", path + "/restore", {}),
                ("PUT", "/v1/lists/" + name, ["%d" % chance.randrange(9) for _ in range(3)]),
                ("PATCH", "/v1/lists/" + name, {"add": ["%d" % at], "remove": ["x"]}),
                ("DELETE", "/v1/lists/" + name, None)])
            headers = {"If-Match": "*"} if where.endswith(("/draft", "/publish")) else {}
            answer = client.ask(method, where, body, headers=headers)
            if answer.status == 412 and method == "PUT":
                client.ask(method, where, body)
        client.close()

    with Desk(program) as desk:
        together([lambda seed=seed: edit(desk, seed) for seed in range(8)])
        check_retold(desk, icps, lists)
        desk.restart(kill=True)
        check_retold(desk, icps, lists)
        desk.client.close()
        equal(desk.server.stop(), 0, "exit code")
        desk.place.command("check", "--db", desk.place.db)
        desk.start()


def check_retold(desk, icps, lists):
    draft, active, version, archived, hashes = {}, {}, {}, {}, {}
    for one in desk.audit():
        action, subject = one["action"], one["subject"]
        if action in ("draft.put", "draft.delete"):
            equal(one["before"], draft.get(subject, ""), "before of %r" % one)
            draft[subject] = one["after"]
        elif action in ("publish", "activate"):
            equal(one["before"], active.get(subject, ""), "before of %r" % one)
            if action == "publish":
                equal(one["after"], draft.pop(subject), "what is published by %r" % one)
            active[subject], version[subject] = one["after"], one["version"]
        elif action in ("archive", "restore"):
            equal(archived.get(subject, False), action == "restore", "before %r" % one)
            archived[subject] = action == "archive"
        elif action.startswith("list."):
            equal(one["before"], hashes.get(subject, ""), "before of %r" % one)
            hashes[subject] = one["after"]
        if action == "draft.delete" and subject not in version:
            archived.pop(subject, None)      # the ICP is gone, and all that was said of it
    for key in icps:
        answer = desk.ask("GET", "/v1/icps/" + key)
        if answer.status == 404:
            equal((draft.get(key, ""), version.get(key)), ("", None), "an ICP that is not there")
            continue
        icp = answer.json
        equal(icp["active_version"], version.get(key, 0), "active version")
        equal(icp["state"] == "archived", archived.get(key, False), "archived")
        equal(icp["draft_etag"].partition("-")[2].rstrip('"'), draft.get(key, "")[7:23], "draft")
        if version.get(key):
            kept = desk.get("/v1/icps/%s/versions/%d" % (key, version[key]))
            equal(kept["definition_hash"], active[key], "the active definition")
    for name in lists:
        answer = desk.ask("GET", "/v1/lists/" + name)
        told = "sha256:" + list_hash(answer.json["entries"]) if answer.status == 200 else ""
        equal(told, hashes.get(name, ""), "list " + name)


def test_pages(program):
    with Desk(program) as desk:
        for at in range(25):
            desk.put_draft(definition("icp-%d" % (at % 3)), "*" if at > 2 else None)
        everything = desk.get("/v1/audit?limit=1000")
        equal(everything["next"], "", "at the end")
        entries = everything["entries"]
        equal([int(one["id"]) for one in entries], list(range(1, len(entries) + 1)), "ids")
        for limit in (1, 7, 25, len(entries) - 1, len(entries)):
            found, after = [], ""
            while True:
                page = desk.get("/v1/audit?limit=%d%s" % (limit, after))
                equal(0 < len(page["entries"]) <= limit, True, "a page of %d" % limit)
                found += page["entries"]
                if not page["next"]:
                    break
                equal(len(page["entries"]), limit, "a full page")
                after = "&after=" + page["next"]
            equal(found, entries, "all pages of %d" % limit)
        mine = [one for one in entries if one["icp"] == "icp-1"]
        first = desk.get("/v1/audit?icp=icp-1&limit=3")
        rest = desk.get("/v1/audit?icp=icp-1&after=" + first["next"])
        equal(first["entries"] + rest["entries"], mine, "of one ICP")
        equal(desk.get("/v1/audit?icp=nobody"), {"entries": [], "next": ""}, "of no ICP")
        cursor = desk.get("/v1/audit?limit=2")["next"]
        desk.put_draft(definition("later"))
        equal(desk.get("/v1/audit?limit=1000&after=" + cursor)["entries"][:-1], entries[2:],
              "a cursor stays where it is")
        desk.restart()
        equal(desk.get("/v1/audit?limit=1&after=" + cursor)["entries"], [entries[2]],
              "also after a restart")
        for query in ("limit=0", "limit=1001", "limit=-1", "limit=", "limit=1.0", "limit=x",
                      "after=", "after=x", "after=3", "after=" + cursor + "0", "after=0-00000000",
                      "after=3" + cursor[1:], "after=99999-00000000",
                      "after=99999999999999999999-00000000", "after=" + cursor.upper() + "%20",
                      "icp=", "icp=No%20Key", "of=one"):
            expect(desk.ask("GET", "/v1/audit?" + query), 400, "invalid_parameter")
        equal(len(desk.get("/v1/audit")["entries"]), min(100, len(entries) + 1), "by default")


def test_a_long_audit(program):
    with Desk(program) as desk:
        desk.put_list("long", [])
        for at in range(1100):
            desk.ask("PATCH", "/v1/lists/long", {"add": ["entry %d" % at]}, 200)
        page = desk.get("/v1/audit")
        equal((len(page["entries"]), page["next"] != ""), (100, True), "a hundred by default")
        page = desk.get("/v1/audit?limit=1000")
        equal((len(page["entries"]), page["next"] != ""), (1000, True), "a thousand at most")
        equal(len(desk.audit()), 1101 + 1, "all of it, with the key of the command line")


def tampered(desk, sql, *arguments):
    """What check says of a copy of the database in which somebody has meddled."""
    path = desk.place.path("tampered.db")
    shutil.copyfile(desk.place.db, path)
    with sqlite3.connect(path) as database:
        count = database.execute(sql, arguments).rowcount
    database.close()
    equal(count >= 1, True, "rows changed by " + sql)
    out, err = desk.place.command("check", "--db", path, code=1)
    return out + err


def test_tampering_is_found(program):
    with Desk(program) as desk:
        for name in ("1", "2", "3"):
            desk.publish(named(name), note="note " + name)
        desk.put_list("rivals", ["a", "b"])
        desk.client.close()
        equal(desk.server.stop(), 0, "exit code")
        desk.place.command("check", "--db", desk.place.db)
        columns = {"at_ms": "at_ms + 1", "by": "'somebody'", "key_id": "'x'", "action": "'archive'",
                   "icp": "'two'", "subject": "'two'", "version": "version + 1",
                   "note": "note || ' '", "before": "'sha256:' || substr(before, 8)",
                   "after": "''", "chain": "zeroblob(32)"}
        for name, value in columns.items():
            row = "WHERE id = (SELECT max(id) FROM audit WHERE action = 'publish')"
            if name == "before":
                value = "'sha256:' || replace(substr(before, 8), '0', '1')"
            said = tampered(desk, "UPDATE audit SET %s = %s %s" % (name, value, row))
            equal("audit" in said, True, "the audit is named: " + said)
        tampered(desk, "DELETE FROM audit WHERE id = 3")
        tampered(desk, "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)")
        tampered(desk, "DELETE FROM audit")
        tampered(desk, "INSERT INTO audit SELECT max(id) + 1, at_ms, by, key_id, action, icp,"
                       " subject, version, note, before, after, chain FROM audit")
        tampered(desk, "UPDATE audit_head SET entries = entries + 1")
        tampered(desk, "UPDATE audit_head SET chain = zeroblob(32)")
        tampered(desk, "UPDATE list_item SET entry = 'x', folded = CAST('x' AS BLOB)"
                       " WHERE entry = 'a'")
        tampered(desk, "DELETE FROM list_item WHERE entry = 'b'")
        tampered(desk, "UPDATE icp_version SET document = replace(document, 'Points', 'Pints')")
        desk.start()


run(globals())
