"""POST /v1/webhooks/{source}: each kind of CRM, how it proves who it is, what it is answered
when all is well and when it is not, and what is kept of a refusal."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import signing
from harness import equal, expect, pairs, run, until
from hooks import KINDS, SECRETS, Hooks, as_body, payload, raw_post
from test_api_score import definition

FLAT = ("id lead_id scored_at as_of recorded icp version score grade qualified coverage engagement "
        "engagement_level label reason_1 reason_2 reason_3").split()
EMPTY = {"recorded": False, "version": 0, "score": 0, "qualified": False, "coverage": 0,
         "engagement": 0, "engagement_level": 0}


def flat_of(client, lead, told):
    """The flat members of POST /v1/score about a lead, as bytes, with the id and time of `told`."""
    body = {"lead": lead, "as_of": told["as_of"], "icps": [told["icp"]]}
    answer = expect(client.post("/v1/score", body), 200)
    head = answer.body.split(b',"results":[', 1)[0] + b"}"
    for name in ("id", "scored_at"):
        head = head.replace(answer.json[name].encode(), told[name].encode())
    return head


def test_every_kind_is_scored_and_answered_flat(program):
    with Hooks(program) as hooks:
        scorer = hooks.server.client(hooks.score_key)
        for at, kind in enumerate(KINDS):
            before = hooks.count()
            answer = expect(hooks.send(kind, payload(kind, "lead-" + kind, at + 1)), 200)
            told = answer.json
            if kind == "mautic":         # sends its events in arrays
                equal((told["count"], list(told)), (1, ["count", "scores"]), "of mautic")
                (told,) = told["scores"]
            equal(list(told), FLAT, "members for " + kind)
            equal((told["lead_id"], told["score"], told["icp"], told["recorded"]),
                  ("lead-" + kind, (at + 1) * 10, "hooks", True), kind)
            equal(hooks.count() - before, 1, "recorded scores of " + kind)
            kept = expect(hooks.admin.get("/v1/scores/" + told["id"]), 200).json
            equal({name: kept[name] for name in FLAT}, told, "the score as it is kept")
            seen = expect(hooks.admin.get("/v1/leads/lead-" + kind), 200).json
            equal(seen["scores"][0]["score_id"], told["id"], "the lead's latest score")
            flat = flat_of(scorer, {"id": told["lead_id"], "points": at + 1}, told)
            equal(flat in answer.body, True, "%r in %r" % (flat, answer.body))
            equal(hooks.metric(kind, "scored"), 1, "counted for " + kind)
            equal(hooks.refused(kind), [], "refused of " + kind)


def test_shapes_of_answers(program):
    with Hooks(program, kinds=["generic"]) as hooks:
        hooks.put("generic", "full", reply="full")
        hooks.put("hubspot", "action", reply="hubspot_action")
        whole = hooks.scored("full", payload("generic", "a", 4))
        equal(list(whole), FLAT + ["results"], "members of full")
        equal(pairs(hooks.admin.get("/v1/scores/" + whole["id"]).body),
              pairs(json.dumps(whole)), "the whole answer")
        action = {"callbackId": "ap-1", "object": {"objectId": 904, "objectType": "CONTACT"},
                  "inputFields": {"points": "9"}}
        told = hooks.scored("action", action)
        equal(list(told), ["outputFields"], "members for an action")
        equal(list(told["outputFields"]), FLAT + ["hs_execution_state"], "output fields")
        equal((told["outputFields"]["score"], told["outputFields"]["hs_execution_state"],
               told["outputFields"]["lead_id"]), (90, "SUCCESS", "904"), "an action's score")
        several = [payload("generic", "b-%d" % at, at) for at in (3, 9, 1)]
        for key, members in (("generic", FLAT), ("full", FLAT + ["results"])):
            told = hooks.scored(key, several)
            equal((list(told), told["count"]), (["count", "scores"], 3), "of three")
            equal([(list(one), one["lead_id"], one["score"]) for one in told["scores"]],
                  [(members, "b-3", 30), (members, "b-9", 90), (members, "b-1", 10)], "in order")
            ids = [one["id"] for one in told["scores"]]
            equal(ids, sorted(set(ids)), "ids ascend")
            for one in told["scores"]:
                equal(hooks.admin.get("/v1/scores/" + one["id"]).json["lead_id"], one["lead_id"])
        equal(hooks.scored("generic", several[:1])["count"], 1, "an array of one stays one")
        # An action has one record; of more the first is told, and all are recorded.
        hooks.put("generic", "odd", reply="hubspot_action")
        before = hooks.count()
        told = hooks.scored("odd", several)["outputFields"]
        equal((told["lead_id"], told["score"]), ("b-3", 30), "the first of three")
        equal(hooks.admin.get("/v1/scores/" + told["id"]).json["lead_id"], "b-3", "its id")
        equal(hooks.count() - before, 3, "all recorded")


def test_which_icps_answer(program):
    with Hooks(program, kinds=["generic"], icps=("hooks", "other")) as hooks:
        hooks.restart(lambda: hooks.place.publish_definition(
            definition("bet", purpose="experimental")))
        before = hooks.count()
        equal(hooks.scored("generic", payload("generic", "a"))["icp"], "hooks", "the best core one")
        seen = hooks.admin.get("/v1/leads/a").json["scores"]
        equal(sorted(one["icp"] for one in seen), ["bet", "hooks", "other"], "shadows are kept")
        equal(hooks.count() - before, 1, "one score")
        for icps in (["other"], ["bet"]):
            hooks.put("generic", icps=icps)
            equal(hooks.scored("generic", payload("generic", icps[0]))["icp"], icps[0], "named")
        hooks.put("generic", icps=["other", "no-such"])
        said = expect(hooks.send("generic", payload("generic", "b")), 404, "icp_not_found").json
        equal(("no-such" in said["detail"], said["errors"]), (True, []), "which is missing")
        expect(hooks.admin.ask("DELETE", "/v1/icps/other"), 204)
        hooks.put("generic", icps=["other"])
        expect(hooks.send("generic", payload("generic", "b")), 409, "icp_archived")
        equal([one["code"] for one in hooks.refused("generic")], ["icp_archived", "icp_not_found"])


# ---------------------------------------------------- who is let in


def test_no_such_source_and_no_such_method(program):
    with Hooks(program, kinds=["generic"]) as hooks:
        for key in ("nobody", "generic%2F", "GENERIC", "%20", "generic."):
            expect(hooks.client.post("/v1/webhooks/" + key, {}), 404, "source_not_found")
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
            answer = hooks.client.ask(method, "/v1/webhooks/generic")
            equal((answer.status, answer.headers["Allow"]), (405, "POST"), method)
        expect(hooks.client.post("/v1/webhooks/", {}), 404, "not_found")


def wrong_signatures(hooks, kind, body):
    """What must not let a delivery in, by name."""
    right = hooks.sign(kind, body)
    found = {"none at all": {}, "of another secret": hooks.sign(kind, body, secret={
        "standard": "whsec_" + "A" * 43 + "=", "pipedrive": "crm:nobody"}.get(kind, "x" * 20))}
    for name, value in right.items():
        found["without " + name] = {other: right[other] for other in right if other != name}
        found["an empty " + name] = dict(right, **{name: ""})
        found["half of " + name] = dict(right, **{name: value[:len(value) // 2]})
        found["more than " + name] = dict(right, **{name: value + "A"})
        found["no text in " + name] = dict(right, **{name: "é\x80".encode("latin-1")})
    if kind in ("hubspot", "mautic", "standard"):
        found["of other bytes"] = hooks.sign(kind, body + b" ")
    if kind == "hubspot":
        found["of another path"] = hooks.sign(kind, body, path="/v1/webhooks/other")
        found["of another query"] = hooks.sign(kind, body, path="/v1/webhooks/hubspot?a=1")
        found["v2 only"] = hooks.sign(kind, body, version="v2")
        found["v1 only"] = hooks.sign(kind, body, version="v1")
        found["seconds for milliseconds"] = hooks.sign(kind, body, at_ms=signing.now_ms() // 1000)
        found["too old"] = hooks.sign(kind, body, at_ms=signing.now_ms() - 301_000)
        found["of the future"] = hooks.sign(kind, body, at_ms=signing.now_ms() + 303_000)
    if kind == "standard":
        found["too old"] = hooks.sign(kind, body, at_s=signing.now_ms() // 1000 - 302)
        found["of the future"] = hooks.sign(kind, body, at_s=signing.now_ms() // 1000 + 303)
        found["of another id"] = dict(right, **{"webhook-id": "msg_other"})
    return found


def test_wrong_signatures(program):
    with Hooks(program) as hooks:
        for kind in KINDS:
            body = as_body(payload(kind, "a"))
            for what, headers in wrong_signatures(hooks, kind, body).items():
                answer = hooks.client.ask("POST", hooks.path(kind), body, headers=headers)
                code = "bad_signature"
                if kind in ("generic", "salesforce") and what in (
                        "none at all", "without X-Leadfit-Secret", "an empty X-Leadfit-Secret"):
                    code = "unauthorized"
                    equal(answer.headers["WWW-Authenticate"], 'Bearer realm="leadfit"', what)
                    equal("X-Leadfit-Secret" in answer.json["detail"], True, answer.json["detail"])
                try:
                    expect(answer, 401, code)
                except AssertionError as trouble:
                    raise AssertionError("%s, %s: %s" % (kind, what, trouble)) from None
                last = hooks.refused(kind)[0]
                equal((last["status"], last["code"], last["bytes"], last["request_id"]),
                      (401, code, len(body), answer.headers["X-Request-Id"]), what)
            expect(hooks.send(kind, body), 200)
        equal(hooks.count(), len(KINDS), "nothing recorded but what was signed")


def test_times_within_the_window(program):
    with Hooks(program, kinds=["hubspot", "standard"]) as hooks:
        for at, off in enumerate((-290, -10, 0, 10, 290)):
            now = signing.now_ms()
            hooks.scored("hubspot", payload("hubspot", "h-%d" % at), at_ms=now + off * 1000)
            hooks.scored("standard", payload("standard", "s-%d" % at), at_s=now // 1000 + off)
        equal(hooks.count(), 10, "scores")


def test_two_secrets_while_they_change(program):
    new = {"hubspot": "another-client-secret", "pipedrive": "crm:newer", "mautic": "a new secret",
           "salesforce": "salesforce's new", "generic": "generic's new",
           "standard": "whsec_" + "QUJD" * 10}
    with Hooks(program) as hooks:
        def tries(kind, name):
            return [hooks.send(kind, payload(kind, name + str(at)), secret=secret).status
                    for at, secret in enumerate((SECRETS[kind], new[kind]))]

        for kind in KINDS:
            equal(tries(kind, "old"), [200, 401], "before, " + kind)
            hooks.put(kind, secrets=[new[kind], SECRETS[kind]])
            equal(tries(kind, "both"), [200, 200], "while they change, " + kind)
            hooks.put(kind, secrets=[new[kind]])
            equal(tries(kind, "new"), [401, 200], "after, " + kind)
        hooks.restart()
        for kind in KINDS:
            equal(tries(kind, "again"), [401, 200], "after a new start, " + kind)


def test_older_signatures_where_they_are_taken(program):
    with Hooks(program, kinds=[]) as hooks:
        for version in ("v1", "v2"):
            key = hooks.put("hubspot", "hubspot-" + version, signatures=[version])
            hooks.scored(key, payload("hubspot", "a"), version=version)
            for other in {"v1", "v2", "v3"} - {version}:
                expect(hooks.send(key, payload("hubspot", "b"), version=other), 401,
                       "bad_signature")
            # These cover no time: whoever sends the same twice means it.
            equal(hooks.count(), 1 if version == "v1" else 3, "scores")
            hooks.scored(key, payload("hubspot", "a"), version=version)
        hooks.put("hubspot", "any", signatures=["v1", "v2", "v3"])
        for version in ("v1", "v2", "v3"):
            hooks.scored("any", payload("hubspot", version), version=version)


def test_the_url_that_hubspot_calls(program):
    value = payload("hubspot", "a")
    body = as_body(value)

    def status(hooks, url, host):
        headers = dict(signing.hubspot_v3(SECRETS["hubspot"], url, body), Host=host)
        return hooks.client.ask("POST", "/v1/webhooks/hubspot?b=%2Fx%20y", body,
                                headers=headers).status

    with Hooks(program, kinds=["hubspot"], public_url="https://example.com/leadfit") as hooks:
        path = "/v1/webhooks/hubspot?b=%2Fx%20y"
        # A proxy takes its own path off and may send another Host: neither counts.
        for host in ("example.com", "10.0.0.7:8080"):
            equal(status(hooks, "https://example.com/leadfit" + path, host), 200, "as configured")
        for url in ("https://example.com", "https://10.0.0.7:8080", "http://example.com/leadfit",
                    "https://evil.example/leadfit", "https://example.com/leadfit/"):
            equal(status(hooks, url + path, url.split("/")[2]), 401, url)
        (source,) = hooks.admin.get("/v1/sources").json["sources"]
        equal(source["url"], "https://example.com/leadfit/v1/webhooks/hubspot", "url")
    with Hooks(program, kinds=["hubspot"], public_url="") as hooks:
        for host in ("scores.example.com", "scores.example.com:8443"):
            equal(status(hooks, "https://%s%s" % (host, path), host), 200, "by the Host header")
        equal(status(hooks, "https://scores.example.com" + path, "other.example.com"), 401, "host")
        equal(status(hooks, "http://scores.example.com" + path, "scores.example.com"), 401, "http")


def test_api_keys_in_place_of_a_secret(program):
    with Hooks(program, kinds=["hubspot", "pipedrive", "mautic", "standard"]) as hooks:
        narrow = expect(hooks.admin.post("/v1/keys", {"name": "narrow", "scopes": ["icp:read"]}),
                        201).json["key"]
        for kind in ("generic", "salesforce"):
            hooks.kinds[kind] = kind
            equal(hooks.admin.ask("PUT", "/v1/sources/" + kind, {"kind": kind}).status, 201)
            for secrets in (None, [SECRETS[kind]]):      # with a secret a key is good as well
                if secrets:
                    hooks.put(kind)
                value = payload(kind, "a")
                path = hooks.path(kind)
                expect(hooks.client.post(path, value, key=hooks.score_key), 200)
                expect(hooks.client.post(path, value, key=hooks.admin_key), 200)
                expect(hooks.client.post(path, value, headers={"X-Api-Key": hooks.score_key}), 200)
                expect(hooks.client.post(path, value, key=narrow), 403, "forbidden")
                for key in ("lf_nonsense", hooks.score_key[:-1]):
                    answer = expect(hooks.client.post(path, value, key=key), 401, "unauthorized")
                    equal(answer.headers["WWW-Authenticate"], 'Bearer realm="leadfit"')
                answer = expect(hooks.client.post(path, value), 401, "unauthorized")
                equal("X-Leadfit-Secret" in answer.json["detail"], secrets is not None,
                      answer.json["detail"])
                codes = [one["code"] for one in hooks.refused(kind)][:4]
                equal(codes, ["unauthorized"] * 3 + ["forbidden"], "refused")
                wrong = {"X-Leadfit-Secret": "no secret of it", "X-Api-Key": narrow}
                expect(hooks.client.post(path, value, headers=wrong),
                       *((401, "bad_signature") if secrets else (403, "forbidden")))
        for kind in ("hubspot", "pipedrive", "mautic", "standard"):
            expect(hooks.client.post(hooks.path(kind), payload(kind, "a"), key=hooks.admin_key),
                   401, "bad_signature")


def test_the_rate_of_a_key_counts(program):
    with Hooks(program, kinds=["generic"], options=["--rate-limit", "1"]) as hooks:
        def send():
            return hooks.client.post("/v1/webhooks/generic", payload("generic", "a"),
                                     key=hooks.score_key)

        limited = until(lambda: (lambda one: one if one.status == 429 else None)(send()), "a 429")
        expect(limited, 429, "rate_limited")
        equal(limited.headers["Retry-After"], "1", "Retry-After")
        equal(hooks.refused("generic"), [], "a rate that is used up is no refusal")


# -------------------------------------------------- what is no lead


def failures(kind):
    """Payloads that cannot be scored: name -> (payload, code, status of a problem)."""
    long_id = payload(kind, "x" * 201)
    return {
        "no record": ([], "unmapped", 422),
        "a text": ("text", "unmapped", 422),
        "an id too long": (long_id, "invalid_request", 422),
        "an id of no kind": (payload(kind, {"a": 1}) if kind != "hubspot" else long_id,
                             "invalid_request", 422),
        "too many members": (payload(kind, "a", **{"f%d" % at: at for at in range(600)}),
                             "too_many_members", 400),
    }


def check_failure(hooks, key, kind, answer, code, status):
    """Holds the answer to a delivery that could not be scored against what its CRM wants."""
    if kind == "pipedrive":
        said = expect(answer, 200).json
        equal((said["recorded"], said["ignored"], said["problem"]["code"],
               said["problem"]["status"]), (False, "", code, status), "for pipedrive")
        equal(said["problem"]["request_id"], answer.headers["X-Request-Id"], "request id")
        status = 200
    elif key == "action" and code not in ("invalid_json", "bad_signature"):
        said = expect(answer, 200).json["outputFields"]
        equal(list(said), FLAT + ["hs_execution_state", "error_code", "error_detail"], "outputs")
        equal({name: said[name] for name in FLAT}, {name: EMPTY.get(name, "") for name in FLAT},
              "outputs")
        equal((said["hs_execution_state"], said["error_code"], said["error_detail"] != ""),
              ("FAIL_CONTINUE", code, True), "for an action")
        status = 200
    else:
        expect(answer, status, code)
    last = hooks.refused(key)[0]
    equal((last["status"], last["code"], last["request_id"], last["detail"] != ""),
          (status, code, answer.headers["X-Request-Id"], True), "the refusal")


def test_what_cannot_be_scored_by_every_kind(program):
    with Hooks(program) as hooks:
        hooks.put("hubspot", "action", reply="hubspot_action")
        for key in KINDS + ["action"]:
            kind = hooks.kinds[key]
            for what, (value, code, status) in failures(kind).items():
                try:
                    check_failure(hooks, key, kind, hooks.send(key, value), code, status)
                except AssertionError as trouble:
                    raise AssertionError("%s, %s: %s" % (key, what, trouble)) from None
            for body in (b"", b"{", b"not json", b'{"a": 1}}', b"\xff", b'{"a": 1, "a": 2}'):
                check_failure(hooks, key, kind, hooks.send(key, body), "invalid_json", 400)
            deep = b'{"a":' + b"[" * 70 + b"]" * 70 + b"}"
            check_failure(hooks, key, kind, hooks.send(key, deep), "too_deep", 400)
            for name in ("a", "b"):
                expect(hooks.send(key, payload(kind, name)), 200)   # the source goes on as before
        equal(hooks.count(), 2 * (len(KINDS) + 1), "recorded scores")
        equal(hooks.metric("pipedrive", "unscored"), 6, "counted as unscored")
        equal(hooks.metric("pipedrive", "refused"), 6, "counted as refused")


def test_no_active_icp_by_every_kind(program):
    with Hooks(program, icps=()) as hooks:
        hooks.put("hubspot", "action", reply="hubspot_action")
        for key in KINDS + ["action"]:
            kind = hooks.kinds[key]
            answer = hooks.send(key, payload(kind, "a"))
            check_failure(hooks, key, kind, answer, "no_active_icp", 409)
        # It was not recorded, and is not taken for a repeat when it can be.
        value = payload("pipedrive", "b")
        hooks.send("pipedrive", value)
        hooks.restart(lambda: hooks.place.publish_definition(definition("late")))
        equal(hooks.scored("pipedrive", value)["recorded"], True, "sent again")


def test_what_is_passed_over(program):
    gone = {"meta": {"action": "delete", "entity": "person", "id": "d-1", "version": "2.0"},
            "data": None, "previous": {"id": 5}}
    with Hooks(program) as hooks:
        said = expect(hooks.send("pipedrive", gone), 200).json
        equal((list(said), said["recorded"], said["ignored"] != "", said["problem"]),
              (["recorded", "ignored", "problem"], False, True, {}), "a deletion")
        events = [{"eventId": 1, "subscriptionId": 2, "objectId": 3, "propertyName": "email",
                   "subscriptionType": "contact.propertyChange", "propertyValue": "x"}]
        detail = expect(hooks.send("hubspot", events), 422, "unmapped").json["detail"]
        equal("event subscription" in detail, True, detail)
        equal((hooks.refused("pipedrive"), len(hooks.refused("hubspot"))), ([], 1), "refused")
        equal(hooks.count(), 0, "recorded")


def test_one_bad_record_of_many_stops_all(program):
    with Hooks(program, kinds=["generic", "salesforce"]) as hooks:
        good = [payload("generic", "g-%d" % at) for at in range(6)]
        for at, bad, status, code in (
                (0, payload("generic", "y" * 201), 422, "invalid_request"),
                (3, payload("generic", [1]), 422, "invalid_request"),
                (5, "no object", 422, "unmapped"), (4, {"id": "alone"}, 422, "unmapped"),
                (2, {"f%d" % n: n for n in range(501)}, 400, "too_many_members")):
            answer = hooks.send("generic", good[:at] + [bad] + good[at + 1:])
            expect(answer, status, code, errors=[("/%d" % at, code)])
            last = hooks.refused("generic")[0]
            equal((last["pointer"], last["code"]), ("/%d" % at, code), "the refusal")
        equal(hooks.count(), 0, "nothing recorded")
        expect(hooks.send("generic", []), 422, "unmapped")
        expect(hooks.send("generic", [payload("generic", str(at)) for at in range(201)]), 400,
               "too_many_members")
        many = [payload("generic", "m-%d" % at, at % 11) for at in range(200)]
        told = hooks.scored("generic", many)
        equal([one["lead_id"] for one in told["scores"]], [one["id"] for one in many], "order")
        equal((told["count"], hooks.count()), (200, 200), "two hundred at once")


def test_types_of_bodies(program):
    with Hooks(program, kinds=["generic"]) as hooks:
        for kind, status in (("application/json", 200), ("application/json; charset=UTF-8", 200),
                             ("application/vnd.api+json", 200), ("APPLICATION/JSON", 200),
                             ("application/x-www-form-urlencoded", 415), ("text/plain", 415),
                             ("multipart/form-data; boundary=x", 415)):
            answer = hooks.send("generic", payload("generic", kind), {"Content-Type": kind})
            equal(answer.status, status, kind)
        body = as_body(payload("generic", "no type"))
        answer = hooks.client.ask("POST", hooks.path("generic"), body, headers={
            "X-Leadfit-Secret": SECRETS["generic"]})
        equal(answer.status, 200, "without a Content-Type")
        answer = hooks.send("generic", b'"' + b"x" * (1 << 20) + b'"')
        expect(answer, 413, "body_too_large")


def test_retry_after_is_read_in_milliseconds_by_hubspot(program):
    """With a queue of one, a crowd finds it full."""
    with Hooks(program, options=["--queue", "1", "--threads", "4"],
               kinds=["hubspot", "generic"]) as hooks:
        hooks.put("hubspot", "action", reply="hubspot_action")
        for key, value in (("hubspot", "1000"), ("action", "1000"), ("generic", "1")):
            busy = until(lambda key=key: busy_one(hooks, key), "a 503 for " + key)
            equal(busy.headers["Retry-After"], value, "for " + key)
            equal(busy.json["code"], "busy", "for " + key)
            equal(hooks.refused(key), [], "no refusal")
        equal(hooks.metric("hubspot", "failed") > 0, True, "counted as failed")


def busy_one(hooks, key):
    """Sends a crowd at once; an answer that is 503."""
    kind = hooks.kinds[key]

    def send(at):
        body = as_body(payload(kind, "busy-%d" % at))
        return raw_post(hooks.server.port, hooks.path(key), body, dict(
            hooks.sign(key, body), **{"Content-Type": "application/json"}))

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(send, range(200)))
    equal({one.status for one in answers} <= {200, 503}, True, "statuses")
    return next((one for one in answers if one.status == 503), None)


# -------------------------------------------------------- refusals


CANARY = "CANARY-%s-e3b0c442"


def canaries(kind):
    """Deliveries that are refused, full of what must not be kept."""
    mark = CANARY % "value"
    name = CANARY % "name"
    broken = as_body(payload(kind, mark, mark, **{name: mark}))
    return [broken[:-1], broken + mark.encode(), broken.replace(b"{", b'{"%s" ' % name.encode(), 1),
            as_body([mark]), as_body(mark), as_body([[{name: mark}]]),
            b'{"%s": {"%s": 1, "%s": 2}}' % ((name.encode(),) * 3),
            as_body(payload(kind, mark * 20, mark, **{name: mark})),
            as_body(payload(kind, [mark], mark, **{name: mark})),
            as_body(payload(kind, mark, mark, **{name + str(at): mark for at in range(600)})),
            b'{"%s": 1e999}' % name.encode(),
            b'{"%s":' % name.encode() + b"[" * 80 + b'"' + mark.encode()]


def test_nothing_of_a_refused_body_is_kept_or_told(program):
    with Hooks(program, options=["--log-requests", "all", "--log-level", "debug"]) as hooks:
        hooks.put("hubspot", "action", reply="hubspot_action")
        hooks.put("generic", "scarce", icps=["no-such"])
        for key in KINDS + ["action", "scarce"]:
            kind = hooks.kinds[key]
            bodies = canaries(kind)
            if key == "scarce":
                bodies = [as_body(payload(kind, CANARY % "value", CANARY % "value"))]
            for body in bodies:
                answer = hooks.send(key, body)
                equal(CANARY[:7] in answer.body.decode(), False, "told: %r" % answer)
                equal(hooks.refused(key)[0]["request_id"], answer.headers["X-Request-Id"],
                      "the refusal of %r" % body[:200])
                signed = hooks.sign(key, body)
                signed = {name: CANARY % "header" + value for name, value in signed.items()}
                answer = expect(hooks.client.ask("POST", hooks.path(key), body, headers=signed),
                                401, "bad_signature")
                equal(CANARY[:7] in answer.body.decode(), False, "told: %r" % answer)
            equal(CANARY[:7] in json.dumps(hooks.refused(key)), False, "in the refusals")
            for one in hooks.refused(key):
                equal(re.fullmatch("(/[0-9]+)?", one["pointer"]) is not None, True, one["pointer"])
        hooks.server.stop()
        for name in os.listdir(hooks.place.folder):
            with open(os.path.join(hooks.place.folder, name), "rb") as file:
                equal(CANARY[:7].encode() in file.read(), False, "in the file " + name)
        equal("webhooks" in hooks.server.log_text(), True, "requests are in the log")
        hooks.start()
        kept = hooks.refused("hubspot")
        equal(len(kept) > 1, True, "refusals outlive the server")


def test_refusals_are_bounded_and_newest_first(program):
    with Hooks(program, kinds=["generic"]) as hooks:
        names = []
        for at in range(60):
            names.append(hooks.send("generic", b"x" * (at + 1)).headers["X-Request-Id"])
        kept = hooks.refused("generic")
        equal([one["request_id"] for one in kept], names[:9:-1], "the latest fifty")
        equal([one["bytes"] for one in kept], list(range(60, 10, -1)), "their sizes")
        times = [one["at"] for one in kept]
        equal(times, sorted(times, reverse=True), "newest first")
        (source,) = hooks.admin.get("/v1/sources").json["sources"]
        equal(source["refused"], 50, "how many are kept")


run(globals())
