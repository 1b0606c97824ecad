"""/v1/keys: made, used, expired, revoked, exchanged; and every route under every scope."""

import datetime
import threading
import time

from harness import DEADLINE_S, equal, expect, run, until
from editing import Desk, definition
from test_api_contract import CALLS
from test_api_keys import IMPLIED, SCOPES

KEYS = "/v1/keys"


def made(desk, name="crm", scopes=("score",), **more):
    return desk.ask("POST", KEYS, dict(more, name=name, scopes=list(scopes)), 201).json


def told(desk, key_id):
    (one,) = [one for one in desk.get(KEYS)["keys"] if one["id"] == key_id]
    return one


def later(seconds):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_key_is_made(program):
    with Desk(program) as desk:
        desk.publish(definition("one"))
        (mine,) = desk.get(KEYS)["keys"]
        equal((mine["id"], mine["name"], mine["scopes"], mine["state"]),
              (desk.key[3:11], "desk", ["admin"], "live"), "the first key")
        answer = desk.ask("POST", KEYS, {"name": "CRM Größe", "scopes": ["stats:read", "score"]},
                          201)
        key = answer.json
        text = key.pop("key")
        equal((answer.headers["Location"], answer.headers["Cache-Control"]),
              (KEYS + "/" + key["id"], "no-store"), "heads")
        equal((text[:3], text[3:11], len(text)), ("lf_", key["id"], 54), "the key's text")
        equal((key["name"], key["scopes"], key["state"], key["expires_at"], key["revoked_at"],
               key["last_used_at"]),
              ("CRM Größe", ["score", "stats:read"], "live", "", "", ""), "the key")
        equal([one["id"] for one in desk.get(KEYS)["keys"]], [mine["id"], key["id"]],
              "oldest first")
        equal(told(desk, key["id"]), key, "as it was made, without its text")
        equal(text[11:].encode() in desk.ask("GET", KEYS).body, False, "the secret is told once")
        expect(desk.client.post("/v1/score", {"lead": {}}, key=text), 200)   # lets in at once
        expect(desk.client.get("/v1/icps", key=text), 403, "forbidden")
        desk.restart()
        expect(desk.client.post("/v1/score", {"lead": {}}, key=text), 200)


def test_faults(program):
    cases = [({}, [("/name", "required"), ("/scopes", "required")]),
             ([], [("", "wrong_type")]),
             ({"name": None, "scopes": None}, [("/name", "wrong_type"), ("/scopes", "wrong_type")]),
             ({"name": "", "scopes": []}, [("/name", "too_few"), ("/scopes", "too_few")]),
             ({"name": "x" * 101, "scopes": ["scores"]},
              [("/name", "too_many"), ("/scopes/0", "invalid_value")]),
             ({"name": 7, "scopes": "score"}, [("/name", "wrong_type"), ("/scopes", "wrong_type")]),
             ({"name": "a\0", "scopes": ["score", 1, "score"]},
              [("/name", "invalid_value"), ("/scopes/1", "wrong_type"),
               ("/scopes/2", "duplicate")]),
             ({"name": "a", "scopes": ["score"], "expires_at": "2020-01-01"},
              [("/expires_at", "out_of_range")]),
             ({"name": "a", "scopes": ["score"], "expires_at": "soon", "note": ""},
              [("/expires_at", "invalid_date"), ("/note", "unknown_member")]),
             ({"name": "a", "scopes": ["score"], "expires_at": 7}, [("/expires_at", "wrong_type")])]
    with Desk(program) as desk:
        for body, errors in cases:
            expect(desk.ask("POST", KEYS, body), 422, "invalid_request", errors=errors)
        expect(desk.ask("POST", KEYS, b""), 400, "invalid_json")
        for key_id in ("00000000", "x", "%20", desk.key[3:10], desk.key, "a" * 60):
            expect(desk.ask("DELETE", KEYS + "/" + key_id), 404, "key_not_found")
        equal(len(desk.get(KEYS)["keys"]), 1, "keys")
        equal(made(desk, "🏭" * 100, scopes=SCOPES)["scopes"], SCOPES, "all scopes")


def test_a_key_is_revoked_at_once(program):
    with Desk(program) as desk:
        desk.publish(definition("one"))
        for _ in range(5):
            key = made(desk)
            clients = [desk.server.client(key["key"]) for _ in range(4)]
            for client in clients:
                expect(client.post("/v1/score", {"lead": {}, "record": False}), 200)
            desk.ask("DELETE", KEYS + "/" + key["id"], status=204)
            for client in clients:
                expect(client.post("/v1/score", {"lead": {}}), 401, "unauthorized")
                client.close()
            one = told(desk, key["id"])
            equal((one["state"], one["revoked_at"] != ""), ("revoked", True), "revoked")
            desk.ask("DELETE", KEYS + "/" + key["id"], status=204)
            equal(told(desk, key["id"]), one, "once more changes nothing")
        desk.restart()
        expect(desk.client.post("/v1/score", {"lead": {}}, key=key["key"]), 401)


def test_a_key_expires(program):
    with Desk(program) as desk:
        at = later(1.2)
        key = made(desk, scopes=["icp:read"], expires_at=at)
        equal((key["expires_at"], key["state"]), (at, "live"), "the key")
        expect(desk.client.get("/v1/icps", key=key["key"]), 200)
        until(lambda: desk.client.get("/v1/icps", key=key["key"]).status == 401, "its end")
        equal(told(desk, key["id"])["state"], "expired", "state")
        equal(later(0) >= at, True, "not before its time")
        desk.ask("DELETE", KEYS + "/" + key["id"], status=204)
        equal(told(desk, key["id"])["state"], "revoked", "an expired one may be revoked")
        far = made(desk, expires_at="2999-12-31")
        equal(far["expires_at"], "2999-12-31T00:00:00.000Z", "a date")
        desk.restart()
        expect(desk.client.get("/v1/icps", key=key["key"]), 401)


def test_keys_are_exchanged(program):
    """A new one of the same name; both let in until the old one goes."""
    with Desk(program) as desk:
        desk.publish(definition("one"))
        old, new = made(desk, "crm"), made(desk, "crm")
        for key in (old, new):
            expect(desk.client.post("/v1/score", {"lead": {}}, key=key["key"]), 200)
        desk.ask("DELETE", KEYS + "/" + old["id"], status=204)
        expect(desk.client.post("/v1/score", {"lead": {}}, key=old["key"]), 401)
        expect(desk.client.post("/v1/score", {"lead": {}}, key=new["key"]), 200)
        equal([(one["name"], one["state"]) for one in desk.get(KEYS)["keys"]],
              [("desk", "live"), ("crm", "revoked"), ("crm", "live")], "keys")


def test_the_last_use(program):
    with Desk(program) as desk:
        key = made(desk, scopes=["icp:read"])
        before = later(-0.01)
        expect(desk.client.get("/v1/icps", key=key["key"]), 200)
        expect(desk.client.post("/v1/score", {"lead": {}}, key=key["key"]), 403)
        used = until(lambda: told(desk, key["id"])["last_used_at"], "the last use")
        equal(before <= used <= later(0.01), True, "between %s and now: %s" % (before, used))
        time.sleep(0.02)                         # so that another use has another time
        expect(desk.client.get("/v1/icps", key=key["key"]), 200)
        until(lambda: told(desk, key["id"])["last_used_at"] > used, "a later use")
        used = told(desk, key["id"])["last_used_at"]
        desk.restart()                           # noted when it stops, if not before
        equal(told(desk, key["id"])["last_used_at"], used, "after a restart")


def test_many_keys_at_once(program):
    with Desk(program) as desk:
        keys, faults = [], []

        def work(at):
            client = desk.server.client(desk.key)
            try:
                for number in range(10):
                    answer = expect(client.post(KEYS, {"name": "k%d-%d" % (at, number),
                                                       "scopes": ["icp:read"]}), 201).json
                    expect(client.get("/v1/icps", key=answer["key"]), 200)
                    if number % 2:
                        expect(client.ask("DELETE", KEYS + "/" + answer["id"]), 204)
                        expect(client.get("/v1/icps", key=answer["key"]), 401)
                    keys.append((answer["id"], number % 2))
            except Exception as trouble:     # told below
                faults.append(trouble)
            client.close()

        threads = [threading.Thread(target=work, args=(at,)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
        equal(faults, [], "faults")
        states = {one["id"]: one["state"] for one in desk.get(KEYS)["keys"]}
        equal(len(states), 81, "keys")
        for key_id, revoked in keys:
            equal(states[key_id], "revoked" if revoked else "live", "state")


def test_every_route_under_every_scope(program):
    """The whole table, by keys that were made here: allowed or 403, never anything else."""
    with Desk(program) as desk:
        desk.publish(definition("b2b-saas"))
        keys = {scope: made(desk, scopes=[scope])["key"] for scope in SCOPES}
        tried = 0
        for scope, key in keys.items():
            has = {scope} | IMPLIED.get(scope, set())
            for method, path, wanted, body, status in CALLS:
                answer = desk.client.ask(method, path, body, key=key)
                allowed = not wanted or wanted in has
                expect(answer, status if allowed else 403, None if allowed else "forbidden")
                tried += 1
        equal(tried >= 7 * 30, True, "%d tried" % tried)


run(globals())
