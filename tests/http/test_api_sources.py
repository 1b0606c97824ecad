"""Sources: put, told, replaced and deleted; every rule with its place; secrets are never shown;
what was refused of theirs."""

import base64
import glob
import hashlib
import json
import random
import sqlite3
import threading

from harness import Place, equal, expect, run, until

HUBSPOT = {"kind": "hubspot", "secrets": ["client-secret-of-an-app"]}
WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SECRET = {"hubspot": "client-secret-of-an-app", "mautic": "mautics-own-secret",
          "standard": WHSEC, "pipedrive": "pipe:drives-password",
          "salesforce": "salesforces-secret", "generic": "some-other-secret"}
KINDS = sorted(SECRET)


def hash_of(source):
    """The hash of a source's document: canonical, without its secrets."""
    kept = {name: value for name, value in source.items() if name != "secrets"}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


class Admin:
    """A server, and a client of scope admin that keeps all it was told."""

    def __init__(self, program, *options):
        self.place, self.options = Place(program), options
        self.told = b""

    def __enter__(self):
        self.place.__enter__()
        self.key = self.place.key("admin", "ops")
        self.start()
        return self

    def __exit__(self, *trouble):
        try:
            self.server.__exit__(*trouble)
        finally:
            self.place.__exit__(*trouble)

    def start(self):
        self.server = self.place.serve(*self.options)
        self.client = self.server.client(self.key)

    def restart(self):
        self.client.close()
        equal(self.server.stop(), 0, "exit code")
        self.start()

    def ask(self, method, path, body=None, status=None, code=None, **more):
        errors = more.pop("errors", None)
        answer = self.client.ask(method, "/v1/sources" + path, body, **more)
        self.told += answer.body + str(answer.headers).encode()
        if status is not None:
            expect(answer, status, code, **({"errors": errors} if errors is not None else {}))
        return answer

    def put(self, key, body, status=201):
        return self.ask("PUT", "/" + key, body, status).json

    def refuse(self, key, body, errors):
        """A put that is refused for just these (pointer, code), and changes nothing."""
        before = self.ask("GET", "").body
        self.ask("PUT", "/" + key, body, 422, "invalid_request", errors=errors)
        equal(self.ask("GET", "").body, before, "the sources after a refusal of %r" % body)


# ------------------------------------------------------------ life


def test_one_source(program):
    with Admin(program) as admin:
        equal(admin.ask("GET", "", status=200).json, {"sources": []}, "no sources")
        for method, path in (("GET", "/crm"), ("DELETE", "/crm"), ("GET", "/crm/refused")):
            admin.ask(method, path, status=404, code="source_not_found")
        made = admin.ask("PUT", "/crm", {"kind": "generic"}, 201)
        equal(made.headers["Location"], "/v1/sources/crm", "Location")
        source = made.json
        wanted = {"key": "crm", "kind": "generic", "signatures": [], "icps": [], "id": ["/id"],
                  "split": {}, "values": {}, "reply": "flat", "secrets": 0,
                  "url": "/v1/webhooks/crm", "refused": 0, "updated_at": source["created_at"],
                  "created_at": source["created_at"], "fields": {"*": [""]}}
        equal(source, wanted, "a source that says nothing but its kind")
        equal(list(source), ["key", "kind", "signatures", "icps", "id", "fields", "split",
                             "values", "reply", "secrets", "url", "created_at", "updated_at",
                             "refused"], "its members in order")
        equal(admin.ask("GET", "/crm", status=200).json, source, "told again")
        equal(admin.ask("GET", "", status=200).json, {"sources": [source]}, "listed")
        equal(admin.ask("GET", "/crm/refused", status=200).json, {"refused": []}, "refused")

        body = dict(HUBSPOT, signatures=["v2", "v3"], icps=["two", "one"], id="/vid",
                    fields={"title": ["/properties/role", "/role"], "tools": "/properties/tools",
                            "company.name": []},
                    split={"tools": ";"}, values={"title": {"7": "Chief"}}, reply="hubspot_action")
        answer = admin.ask("PUT", "/crm", body, 200)
        equal(answer.headers.get("Location"), None, "Location of one that was there")
        changed = answer.json
        for member in ("icps", "values", "reply", "kind"):
            equal(changed[member], body[member], member)
        equal(changed["signatures"], ["v2", "v3"], "signatures")
        equal(changed["id"], ["/vid"], "id")
        equal(changed["fields"]["title"], ["/properties/role", "/role"], "a field that is named")
        equal(changed["fields"]["tools"], ["/properties/tools"], "another")
        equal(changed["fields"]["company.name"], [], "one that is taken away")
        equal(changed["fields"]["email"][0], "/properties/email", "one of the kind's own")
        equal(changed["split"]["tools"], ";", "split")
        equal((changed["secrets"], changed["created_at"]), (1, source["created_at"]), "what stays")
        equal(admin.ask("GET", "/crm", status=200).json, changed, "told again")
        admin.ask("DELETE", "/crm", status=204)
        admin.ask("GET", "/crm", status=404, code="source_not_found")
        admin.ask("DELETE", "/crm", status=404, code="source_not_found")
        equal(admin.ask("GET", "", status=200).json, {"sources": []}, "none is left")


def test_every_kind(program):
    """With its defaults, listed by key, and the same after a restart."""
    with Admin(program) as admin:
        for kind in random.Random(5).sample(KINDS, len(KINDS)):
            source = admin.put("its-" + kind, {"kind": kind, "secrets": [SECRET[kind]]})
            equal((source["kind"], source["secrets"], source["reply"]), (kind, 1, "flat"), kind)
            equal(source["signatures"], ["v3"] if kind == "hubspot" else [], "signatures")
            equal(all(one[:1] == "/" for one in source["id"]) and bool(source["id"]), True, "id")
            equal(admin.ask("GET", "/its-" + kind, status=200).json, source, "told again")
        listed = admin.ask("GET", "", status=200).json
        equal([one["key"] for one in listed["sources"]], ["its-" + kind for kind in KINDS], "keys")
        admin.restart()
        equal(admin.ask("GET", "", status=200).json, listed, "after a restart")
        # What it tells of its mapping is a mapping, and the same one.
        for source in listed["sources"]:
            body = {name: source[name] for name in ("kind", "icps", "id", "fields", "split",
                                                    "values", "reply", "signatures")}
            again = admin.put(source["key"], body, 200)
            equal(dict(again, updated_at=""), dict(source, updated_at=""), "put as it was told")


def test_url(program):
    for public, expected in (("https://scores.example.com", "https://scores.example.com"),
                             ("https://scores.example.com/", "https://scores.example.com")):
        with Admin(program, "--public-url", public) as admin:
            source = admin.put("crm", {"kind": "generic"})
            equal(source["url"], expected + "/v1/webhooks/crm", "url with " + public)


def test_no_more_than_a_hundred(program):
    with Admin(program) as admin:
        for at in range(100):
            admin.put("source-%d" % at, {"kind": "generic"})
        admin.ask("PUT", "/one-more", {"kind": "generic"}, 409, "conflict")
        admin.ask("GET", "/one-more", status=404)
        admin.put("source-42", {"kind": "generic", "icps": ["a"]}, 200)
        equal(len(admin.ask("GET", "", status=200).json["sources"]), 100, "sources")
        admin.ask("DELETE", "/source-17", status=204)
        admin.put("one-more", {"kind": "generic"})


def test_many_at_once(program):
    """Each put is whole, and the last one stays: as it is told, so it is after a restart."""
    with Admin(program) as admin:
        troubles = []

        def editor(number):
            client = admin.server.client(admin.key)
            chance = random.Random(number)
            try:
                for _ in range(12):
                    body = {"kind": "generic", "icps": ["of-%d" % number],
                            "secrets": ["secret-of-%d-%d" % (number, i)
                                        for i in range(chance.randint(0, 2))]}
                    answer = client.ask("PUT", "/v1/sources/shared", body)
                    equal(answer.status in (200, 201), True, "status of %r" % answer)
                    told = answer.json
                    equal((told["icps"], told["secrets"]), (body["icps"], len(body["secrets"])),
                          "what was put")
                    if chance.random() < 0.3:
                        answer = client.ask("DELETE", "/v1/sources/shared")
                        equal(answer.status in (204, 404), True, "status of %r" % answer)
            except Exception as trouble:        # told by the thread that waits
                troubles.append(trouble)
            finally:
                client.close()

        threads = [threading.Thread(target=editor, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if troubles:
            raise troubles[0]
        before = admin.ask("GET", "", status=200).json
        admin.restart()
        equal(admin.ask("GET", "", status=200).json, before, "after a restart")


# ----------------------------------------------------------- rules


def with_hubspot(**members):
    return dict(HUBSPOT, **members)


LONG = "x" * 201
RULES = [
    # what is put, and the (pointer, code) of each fault
    ([], [("", "wrong_type")]),
    ("text", [("", "wrong_type")]),
    (None, [("", "wrong_type")]),
    ({}, [("/kind", "required")]),
    ({"kind": None}, [("/kind", "wrong_type")]),
    ({"kind": "hubspots"}, [("/kind", "invalid_value")]),
    ({"kind": "HubSpot"}, [("/kind", "invalid_value")]),
    ({"kind": 7}, [("/kind", "wrong_type")]),
    (with_hubspot(secret="x"), [("/secret", "unknown_member")]),
    (with_hubspot(key="crm"), [("/key", "unknown_member")]),
    (with_hubspot(url="x", refused=1), [("/url", "unknown_member"), ("/refused", "unknown_member")]),
    # whatever the kind is, the rest is looked at as far as it can be
    ({"kind": "x", "icps": ["X"], "reply": "y"},
     [("/kind", "invalid_value"), ("/icps/0", "invalid_key"), ("/reply", "invalid_value")]),
    # secrets
    (with_hubspot(secrets=None), [("/secrets", "wrong_type")]),
    (with_hubspot(secrets="client-secret"), [("/secrets", "wrong_type")]),
    (with_hubspot(secrets=[]), [("/secrets", "too_few")]),
    (with_hubspot(secrets=["secret-1", "secret-2", "secret-3"]), [("/secrets", "too_many")]),
    (with_hubspot(secrets=[7]), [("/secrets/0", "wrong_type")]),
    (with_hubspot(secrets=["secret-1", None]), [("/secrets/1", "wrong_type")]),
    (with_hubspot(secrets=[""]), [("/secrets/0", "too_few")]),
    (with_hubspot(secrets=["seven77"]), [("/secrets/0", "too_few")]),
    (with_hubspot(secrets=["secret-1", LONG]), [("/secrets/1", "too_many")]),
    (with_hubspot(secrets=["secret-1", "secret-1"]), [("/secrets/1", "duplicate")]),
    (with_hubspot(secrets=["nul\0inside"]), [("/secrets/0", "invalid_value")]),
    (with_hubspot(secrets=["copied-with-a-line-break\n"]), [("/secrets/0", "invalid_value")]),
    (with_hubspot(secrets=["a-delete-\x7f-character"]), [("/secrets/0", "invalid_value")]),
    ({"kind": "hubspot"}, [("/secrets", "required")]),
    ({"kind": "mautic"}, [("/secrets", "required")]),
    ({"kind": "standard"}, [("/secrets", "required")]),
    ({"kind": "pipedrive"}, [("/secrets", "required")]),
    ({"kind": "mautic", "secrets": ["seven77"]}, [("/secrets/0", "too_few")]),
    ({"kind": "pipedrive", "secrets": ["no-colon-in-it"]}, [("/secrets/0", "invalid_value")]),
    ({"kind": "pipedrive", "secrets": ["a:b"]}, [("/secrets/0", "too_few")]),
    ({"kind": "generic", "secrets": ["seven77"]}, [("/secrets/0", "too_few")]),
    ({"kind": "generic", "secrets": [" begins-with-a-space"]}, [("/secrets/0", "invalid_value")]),
    ({"kind": "salesforce", "secrets": ["ends-with-a-space "]}, [("/secrets/0", "invalid_value")]),
    ({"kind": "salesforce", "secrets": ["größer-als-ascii"]}, [("/secrets/0", "invalid_value")]),
    ({"kind": "standard", "secrets": ["not-base-64-at-all"]}, [("/secrets/0", "invalid_value")]),
    ({"kind": "standard", "secrets": [WHSEC[:-1]]}, [("/secrets/0", "invalid_value")]),
    ({"kind": "standard", "secrets": [WHSEC, WHSEC[6:]]}, [("/secrets/1", "duplicate")]),
    ({"kind": "standard", "secrets": ["whsec_" + base64.b64encode(b"x" * 23).decode(),
                                      "whsec_" + base64.b64encode(b"x" * 65).decode()]},
     [("/secrets/0", "invalid_value"), ("/secrets/1", "invalid_value")]),
    # signatures
    (with_hubspot(signatures=None), [("/signatures", "wrong_type")]),
    (with_hubspot(signatures="v3"), [("/signatures", "wrong_type")]),
    (with_hubspot(signatures=[]), [("/signatures", "too_few")]),
    (with_hubspot(signatures=["v4"]), [("/signatures/0", "invalid_value")]),
    (with_hubspot(signatures=["v3", 3]), [("/signatures/1", "wrong_type")]),
    (with_hubspot(signatures=["v3", "v1", "v3"]), [("/signatures/2", "duplicate")]),
    (with_hubspot(signatures=["v3", "v1", "v2", "v3"]), [("/signatures", "too_many")]),
    ({"kind": "generic", "signatures": ["v3"]}, [("/signatures", "invalid_value")]),
    ({"kind": "mautic", "secrets": ["mautics-own"], "signatures": None},
     [("/signatures", "invalid_value")]),
    # icps: they need not be there yet, but they must be keys
    (with_hubspot(icps="one"), [("/icps", "wrong_type")]),
    (with_hubspot(icps=["one", "Two", 3]), [("/icps/1", "invalid_key"), ("/icps/2", "wrong_type")]),
    (with_hubspot(icps=["one", "two", "one"]), [("/icps/2", "duplicate")]),
    (with_hubspot(icps=["i%d" % i for i in range(1001)]), [("/icps", "too_many")]),
    # the answer
    (with_hubspot(reply="short"), [("/reply", "invalid_value")]),
    (with_hubspot(reply=None), [("/reply", "wrong_type")]),
    # the mapping (more of it in the unit tests of core/mapping.h)
    (with_hubspot(id="no-slash"), [("/id", "invalid_path")]),
    (with_hubspot(id=["/ok", "/~2"]), [("/id/1", "invalid_path")]),
    (with_hubspot(id="/" + "x" * 300), [("/id", "invalid_path")]),
    (with_hubspot(id="/x" * 33), [("/id", "invalid_path")]),
    (with_hubspot(id=None), [("/id", "wrong_type")]),
    (with_hubspot(id=["/%d" % i for i in range(9)]), [("/id", "too_many")]),
    (with_hubspot(fields=[]), [("/fields", "wrong_type")]),
    (with_hubspot(fields={"a..b": "/x"}), [("/fields/a..b", "invalid_path")]),
    (with_hubspot(fields={"a/b~": 7}), [("/fields/a~1b~0", "wrong_type")]),
    (with_hubspot(fields={"x" * 201: "/x"}), [("/fields/" + "x" * 201, "invalid_path")]),
    (with_hubspot(fields={"id": "/x"}), [("/fields/id", "conflict")]),
    (with_hubspot(fields={"company": "/x", "company.name": "/y"}),
     [("/fields/company.name", "conflict")]),
    (with_hubspot(split={"nowhere": ";"}), [("/split/nowhere", "invalid_value")]),
    (with_hubspot(split={"title": ""}), [("/split/title", "too_few")]),
    (with_hubspot(split={"title": "12345678901"}), [("/split/title", "too_many")]),
    (with_hubspot(values={"nowhere": {"1": "One"}}), [("/values/nowhere", "invalid_value")]),
    (with_hubspot(values={"title": ["One"]}), [("/values/title", "wrong_type")]),
    (with_hubspot(values={"title": {"1": 1}}), [("/values/title/1", "wrong_type")]),
    # all at once
    ({"kind": "pipedrive", "secrets": ["nothing here"], "signatures": ["v1"], "icps": [""],
      "reply": 1, "id": 2, "fields": 3, "more": 4},
     [("/secrets/0", "invalid_value"), ("/signatures", "invalid_value"), ("/icps/0", "invalid_key"),
      ("/reply", "wrong_type"), ("/id", "wrong_type"), ("/fields", "wrong_type"),
      ("/more", "unknown_member")]),
]


def test_rules(program):
    with Admin(program) as admin:
        for body, errors in RULES:
            body = b"null" if body is None else body
            admin.refuse("crm", body, errors)
        admin.ask("GET", "/crm", status=404)
        admin.put("crm", dict(HUBSPOT, icps=["before"]))
        for body, errors in RULES[::5]:     # a source that is there stays as it was
            if not (isinstance(body, dict) and body.get("kind") == "hubspot"):
                admin.refuse("crm", b"null" if body is None else body, errors)
        equal(b"null" in admin.ask("GET", "/crm").body, False, "a null")


def test_what_is_just_right(program):
    """At the edge of each rule, on its good side."""
    right = [
        {"kind": "hubspot", "secrets": ["eight888", "x" * 200], "signatures": ["v1", "v2", "v3"]},
        {"kind": "hubspot", "secrets": [" spaces are a secret's own "], "reply": "full"},
        {"kind": "mautic", "secrets": ["ä" * 200], "signatures": []},
        {"kind": "standard", "secrets": ["whsec_" + base64.b64encode(b"x" * 24).decode(),
                                         base64.b64encode(b"y" * 64).decode()]},
        {"kind": "pipedrive", "secrets": ["user:pass:word", "größe:ü ö"]},
        {"kind": "salesforce", "secrets": []},
        {"kind": "generic", "secrets": ["a secret with spaces"], "icps": ["not-there-yet"]},
        {"kind": "generic", "icps": ["i%d" % i for i in range(1000)]},
        {"kind": "generic", "id": "/" + "x" * 299, "fields": {"y" * 200: "/x" * 32}},
        {"kind": "generic", "id": ["/%d" % i for i in range(8)],
         "fields": {"a": [""], "b c.d": "/~0~1"}, "split": {"a": "1234567890"},
         "values": {"b c.d": {"": "nothing", "é/~": "x" * 500}}},
    ]
    with Admin(program) as admin:
        for at, body in enumerate(right):
            admin.put("right-%d" % at, body)


def test_keys_in_the_path(program):
    with Admin(program) as admin:
        for key in ("A", "-a", "a_b", "a%2Fb", "x" * 65, "%C3%A9", "a%20b"):
            admin.refuse(key, {"kind": "generic"}, [("", "invalid_key")])
            admin.ask("GET", "/" + key, status=404, code="source_not_found")
            admin.ask("DELETE", "/" + key, status=404, code="source_not_found")
        admin.refuse("A", {"kind": "x"}, [("", "invalid_key"), ("/kind", "invalid_value")])
        for key in ("0", "a-", "x" * 64, "a--b"):
            admin.put(key, {"kind": "generic"})


def test_requests_that_are_none(program):
    with Admin(program) as admin:
        admin.ask("PUT", "/crm", b"{", 400, "invalid_json",
                  headers={"Content-Type": "application/json"})
        admin.ask("PUT", "/crm", b'{"kind":"generic","kind":"generic"}', 400, "invalid_json",
                  headers={"Content-Type": "application/json"})
        admin.ask("PUT", "/crm", b"kind=generic", 415, "unsupported_media_type",
                  headers={"Content-Type": "application/x-www-form-urlencoded"})
        admin.ask("PUT", "/crm?dry_run=true", {"kind": "generic"}, 400, "invalid_parameter")
        for method, path in (("GET", ""), ("GET", "/crm"), ("DELETE", "/crm"),
                             ("GET", "/crm/refused")):
            admin.ask(method, path + "?limit=5", status=400, code="invalid_parameter")
        equal(admin.ask("GET", "", status=200).json, {"sources": []}, "nothing was made")


def test_scope(program):
    """Admin alone."""
    with Admin(program) as admin:
        admin.put("crm", HUBSPOT)
        others = ["score", "icp:read", "icp:write", "stats:read", "leads:read", "leads:write"]
        keys = [admin.client.post("/v1/keys", {"name": one, "scopes": [one]}).json["key"]
                for one in others]
        before = admin.ask("GET", "", status=200).json
        for key in keys + ["lf_nonsense"]:
            status, code = (403, "forbidden") if key in keys else (401, "unauthorized")
            for method, path, body in (("GET", "", None), ("GET", "/crm", None),
                                       ("PUT", "/crm", {"kind": "generic"}),
                                       ("PUT", "/new", {"kind": "generic"}),
                                       ("DELETE", "/crm", None), ("GET", "/crm/refused", None)):
                admin.ask(method, path, body, status, code, key=key)
        equal(admin.ask("GET", "", status=200).json, before, "the sources")


# --------------------------------------------------------- secrets


def test_secrets_stay_where_the_kind_does(program):
    with Admin(program) as admin:
        admin.put("crm", dict(HUBSPOT, secrets=["first-secret", "second-secret"]))
        equal(admin.put("crm", {"kind": "hubspot", "icps": ["a"]}, 200)["secrets"], 2, "both")
        admin.restart()
        equal(admin.ask("GET", "/crm").json["secrets"], 2, "after a restart")
        equal(admin.put("crm", {"kind": "hubspot", "secrets": ["third-secret"]}, 200)["secrets"], 1,
              "one in place of two")
        for kind in ("mautic", "standard", "pipedrive"):
            admin.refuse("crm", {"kind": kind}, [("/secrets", "required")])
        equal(admin.put("crm", {"kind": "generic"}, 200)["secrets"], 0, "of another kind")
        admin.refuse("crm", {"kind": "hubspot"}, [("/secrets", "required")])
        admin.put("crm", {"kind": "generic", "secrets": ["shared-secret"]}, 200)
        equal(admin.put("crm", {"kind": "generic"}, 200)["secrets"], 1, "it stays")
        equal(admin.put("crm", {"kind": "generic", "secrets": []}, 200)["secrets"], 0, "taken away")
        admin.put("crm", {"kind": "generic", "secrets": ["shared-secret"]}, 200)
        admin.ask("DELETE", "/crm", status=204)
        equal(admin.put("crm", {"kind": "generic"})["secrets"], 0, "gone with its source")


def test_secrets_are_never_shown(program):
    """Not in an answer, nor in the log, nor in the audit; and what is only compared is not in the
    database either."""
    with Admin(program) as admin:
        for kind in KINDS:
            admin.put(kind, {"kind": kind, "secrets": [SECRET[kind]]})
            admin.put(kind, {"kind": kind, "icps": ["a"]}, 200)
            # and where something is wrong with them, or beside them
            admin.ask("PUT", "/" + kind, {"kind": kind, "secrets": [SECRET[kind]] * 2}, 422)
            admin.ask("PUT", "/" + kind, {"kind": kind, "secrets": [SECRET[kind]], "x": 1}, 422)
            admin.ask("PUT", "/" + kind, {"kind": kind, "secrets": {"0": SECRET[kind]}}, 422)
            admin.ask("PUT", "/" + kind, {"kind": "standard", "secrets": [SECRET[kind] + "?"]}, 422)
            admin.ask("PUT", "/" + kind, {"kind": "pipedrive", "secrets": [
                SECRET[kind].replace(":", "")]}, 422)
            admin.ask("PUT", "/" + kind, json.dumps(
                {"kind": kind, "secrets": [SECRET[kind]]}).encode()[:-1], 400,
                headers={"Content-Type": "application/json"})
            # or are sent along with a delivery
            for headers in ({"X-Leadfit-Secret": SECRET[kind]},
                            {"Authorization": "Basic " + base64.b64encode(
                                SECRET[kind].encode()).decode()}):
                answer = admin.client.ask("POST", "/v1/webhooks/" + kind, b"{}", headers=dict(
                    headers, **{"Content-Type": "application/json"}))
                admin.told += answer.body + str(answer.headers).encode()
        for kind in KINDS:
            admin.ask("GET", "/" + kind, status=200)
            admin.ask("GET", "/" + kind + "/refused", status=200)
        admin.ask("GET", "", status=200)
        audit = admin.client.ask("GET", "/v1/audit")
        admin.told += audit.body
        admin.restart()
        admin.ask("GET", "", status=200)
        admin.server.stop()
        told = {"an answer": admin.told, "the database": b""}
        for log in glob.glob(admin.place.folder + "/serve-*.log"):
            with open(log, "rb") as file:
                told["the log"] = told.get("the log", b"") + file.read()
        for path in glob.glob(admin.place.db + "*"):
            with open(path, "rb") as file:
                told["the database"] += file.read()
        equal(b"source.put" in told["the log"], True, "the log knows of it")
        for kind, secret in SECRET.items():
            digest = hashlib.sha256(secret.encode())
            forms = {secret.encode(), base64.b64encode(secret.encode()), secret.encode().hex().encode(),
                     digest.digest(), digest.hexdigest().encode(), base64.b64encode(digest.digest())}
            if kind == "standard":
                forms |= {secret[6:].encode(), base64.b64decode(secret[6:])}
            for where in ("an answer", "the log"):
                for form in forms:
                    equal(form in told[where], False, "%r in %s" % (form, where))
            if kind in ("pipedrive", "salesforce", "generic"):
                equal(secret.encode() in told["the database"], False, secret + " in the database")


# ----------------------------------------------------------- audit


def test_audit(program):
    with Admin(program) as admin:
        first = {"kind": "generic", "secrets": ["shared-secret"], "icps": ["b", "a"],
                 "values": {"title": {"2": "ä", "10": "b"}}, "fields": {"title": ["/x"]},
                 "split": {"title": ";"}, "id": "/y"}
        second = dict(HUBSPOT, reply="full")
        admin.put("crm", first)
        admin.put("crm", second, 200)
        admin.put("crm", dict(second, secrets=["another-secret"]), 200)
        admin.ask("DELETE", "/crm", status=204)
        admin.ask("DELETE", "/crm", status=404)
        admin.ask("PUT", "/crm", {}, 422)
        entries = [one for one in admin.client.ask("GET", "/v1/audit?limit=100").json["entries"]
                   if one["action"].startswith("source.")]
        found = [(one["action"], one["subject"], one["icp"], one["version"], one["before"],
                  one["after"], one["key_id"], one["key"], one["note"]) for one in entries]
        who = (admin.key[3:11], "ops", "")
        equal(found, [("source.put", "crm", "", 0, "", hash_of(first)) + who,
                      ("source.put", "crm", "", 0, hash_of(first), hash_of(second)) + who,
                      ("source.put", "crm", "", 0, hash_of(second), hash_of(second)) + who,
                      ("source.delete", "crm", "", 0, hash_of(second), "") + who], "audit")


# --------------------------------------------------------- refused


def test_refused(program):
    """What was refused is there at once, newest first, stays over a put and a restart, and goes
    with its source."""
    with Admin(program) as admin:
        admin.put("crm", HUBSPOT)
        admin.put("other", {"kind": "generic"})

        def deliver(number):
            answer = admin.client.ask(
                "POST", "/v1/webhooks/crm", b'{"jane@example.com": %d}' % number,
                headers={"Content-Type": "application/json", "X-HubSpot-Signature-v3": "x",
                         "X-Request-Id": "delivery-%d" % number})
            expect(answer, 401, "bad_signature")

        for number in range(53):
            deliver(number)
            refused = admin.ask("GET", "/crm/refused", status=200).json["refused"]
            equal(len(refused), min(number + 1, 50), "how many are kept")
            equal(admin.ask("GET", "/crm").json["refused"], len(refused), "so says the source")
            newest = refused[0]
            equal((newest["request_id"], newest["status"], newest["code"], newest["pointer"],
                   newest["bytes"]),
                  ("delivery-%d" % number, 401, "bad_signature", "", 22 + len(str(number))),
                  "the newest")
            equal(newest["detail"], "X-HubSpot-Signature-v3 is not the base 64 of 32 bytes", "why")
        equal([one["request_id"] for one in refused],
              ["delivery-%d" % number for number in range(52, 2, -1)], "newest first")
        equal([one["at"] for one in refused], sorted((one["at"] for one in refused), reverse=True),
              "times")
        equal(admin.ask("GET", "/other/refused", status=200).json, {"refused": []}, "the other's")
        admin.put("crm", dict(HUBSPOT, icps=["a"]), 200)
        equal(admin.ask("GET", "/crm/refused").json["refused"], refused, "after a put")
        admin.restart()
        equal(admin.ask("GET", "/crm/refused").json["refused"], refused, "after a restart")
        deliver(99)
        admin.ask("DELETE", "/crm", status=204)
        admin.put("crm", HUBSPOT)
        equal(admin.ask("GET", "/crm/refused").json["refused"], [], "of a new one")
        equal(b"jane" in admin.told, False, "something of a body")


def test_refusals_outlive_a_crash(program):
    """They are written now and then, and not only by a stop."""
    with Admin(program) as admin:
        admin.put("crm", HUBSPOT)
        expect(admin.client.ask("POST", "/v1/webhooks/crm", {}), 401, "bad_signature")
        refused = admin.ask("GET", "/crm/refused").json["refused"]
        equal(len(refused), 1, "refused")

        def written():
            reader = sqlite3.connect("file:%s?mode=ro" % admin.place.db, uri=True)
            try:
                return reader.execute("SELECT count(*) FROM refusal").fetchone()[0]
            finally:
                reader.close()

        until(written, "the refusal to be written")
        admin.client.close()
        admin.server.kill()
        admin.start()
        equal(admin.ask("GET", "/crm/refused").json["refused"], refused, "after a crash")


def test_a_header_that_stands_there_twice(program):
    """Which of two signatures would count? Neither."""
    with Admin(program) as admin:
        admin.put("crm", HUBSPOT)
        for name in ("X-HubSpot-Signature-v3", "X-HubSpot-Signature", "X-HubSpot-Request-Timestamp",
                     "X-HubSpot-Signature-Version", "webhook-id", "webhook-timestamp",
                     "Webhook-Signature", "X-Leadfit-Secret", "Authorization"):
            answer = admin.server.raw(
                b"POST /v1/webhooks/crm HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                b"Connection: close\r\n%s: a\r\n%s: b\r\n\r\n{}" % (name.encode(), name.lower().encode()))
            equal(answer.split(b"\r\n")[0], b"HTTP/1.1 400 Bad Request", name)
            equal(b'"code":"bad_request"' in answer, True, name)
        equal(admin.ask("GET", "/crm/refused").json["refused"], [], "refused")


run(globals())
