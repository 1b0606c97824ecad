"""API keys: who is let in, and where."""

from harness import ICPS, Place, equal, expect, run, until
from test_api_contract import CALLS

SCOPES = ["score", "icp:read", "icp:write", "stats:read", "leads:read", "leads:write", "admin"]
IMPLIED = {"icp:write": {"icp:read"}, "leads:write": {"leads:read"}, "admin": set(SCOPES)}


def test_every_scope_against_every_route(program):
    with Place(program) as place:
        place.publish(*ICPS)
        keys = {scope: place.key(scope) for scope in SCOPES}
        keys["score,icp:read"] = place.key("score,icp:read")
        with place.serve() as server:
            client = server.client()
            for scopes, key in keys.items():
                has = set(scopes.split(","))
                has = has.union(*(IMPLIED.get(one, set()) for one in has))
                for method, path, scope, body, status in CALLS:
                    answer = client.ask(method, path, body, key=key)
                    allowed = not scope or scope in has
                    expect(answer, status if allowed else 403, None if allowed else "forbidden")
                    equal("WWW-Authenticate" in answer.headers, False, "WWW-Authenticate")


def test_keys_that_are_none(program):
    with Place(program) as place:
        place.publish(*ICPS)
        good, revoked = place.key(), place.key()
        out, _ = place.command("keys", "list", "--db", place.db)
        for name in (revoked[3:11], good[3:11]):
            equal(name in out, True, "id %s in keys list" % name)
        equal(good[11:-7] in out or revoked[11:-7] in out, False, "a secret in keys list")
        place.command("keys", "revoke", "--db", place.db, revoked[3:11])
        slip = good[:20] + ("0" if good[20] != "0" else "1") + good[21:]
        swapped = good[:11] + revoked[11:]
        bad = {"none": {}, "empty": {"Authorization": "Bearer "}, "revoked": bearer(revoked),
               "a slip": bearer(slip), "two halves": bearer(swapped), "cut": bearer(good[:-1]),
               "longer": bearer(good + "0"), "another word": {"Authorization": "Basic " + good},
               "upper case": bearer(good.upper()), "rubbish": bearer("lf_" + "é" * 3),
               "no scheme": {"Authorization": good}, "empty X-Api-Key": {"X-Api-Key": ""},
               "unknown": bearer("lf_" + "0" * 51),
               "two keys": dict(bearer(good), **{"X-Api-Key": slip})}
        with place.serve() as server:
            client = server.client()
            for what, headers in bad.items():
                headers = {name: value.encode("utf-8") for name, value in headers.items()}
                for method, path, scope, body, _ in CALLS:
                    if not scope:
                        continue
                    try:
                        answer = expect(client.ask(method, path, body, headers=headers),
                                        401, "unauthorized")
                    except AssertionError as trouble:
                        raise AssertionError("key: %s: %s" % (what, trouble)) from None
                    equal(answer.headers["WWW-Authenticate"], 'Bearer realm="leadfit"', what)
            for headers in (bearer(good), {"X-Api-Key": good}, {"Authorization": "bearer " + good},
                            {"authorization": "BEARER   " + good},
                            dict(bearer(good), **{"X-Api-Key": good})):
                expect(client.get("/v1/icps", headers=headers), 200)


def bearer(key):
    return {"Authorization": "Bearer " + key}


def test_open_routes_ask_for_no_key(program):
    with Place(program) as place, place.serve() as server:
        client = server.client("lf_nonsense")
        for path in ("/healthz", "/readyz", "/openapi.json"):
            expect(client.get(path), 200)
        version, _ = place.command("--version")
        equal(client.get("/healthz").json, {"status": "ok", "version": version.split()[1]},
              "/healthz")
        equal(client.get("/readyz").json, {"status": "ready"}, "/readyz")


def test_rate_limit(program):
    with Place(program) as place:
        fast, other = place.key(), place.key()
        with place.serve("--rate-limit", "2") as server:
            client = server.client()
            answers = [client.get("/v1/icps", key=fast) for _ in range(12)]
            statuses = {answer.status for answer in answers}
            equal(statuses, {200, 429}, "statuses of 12 requests at 2 a second")
            for answer in answers:
                if answer.status == 429:
                    expect(answer, 429, "rate_limited")
                    equal(answer.headers["Retry-After"].isdigit(), True, "Retry-After")
            expect(client.get("/v1/icps", key=other), 200)
            expect(client.get("/healthz"), 200)
            until(lambda: client.get("/v1/icps", key=fast).status == 200, "the bucket to fill")


run(globals())
