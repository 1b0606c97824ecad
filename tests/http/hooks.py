"""A server with webhook sources of every kind, and deliveries as their CRMs send them."""

import http.client
import json
import sqlite3
import uuid

import signing
from harness import Answer, DEADLINE_S, Place, equal, every_answer_faults, expect
from test_api_score import definition

PUBLIC_URL = "https://scores.example.com"
SECRETS = {"hubspot": "0f0f0f0f-client-secret-of-an-app", "pipedrive": "crm:pass:word ü",
           "mautic": "a secret of mautic", "salesforce": "a secret of salesforce",
           "standard": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "generic": "a secret of generic"}
KINDS = sorted(SECRETS)
BY_ID = ["hubspot", "pipedrive", "standard"]     # whose deliveries can be told from repeats


def payload(kind, name, points=7, delivery=None, **more):
    """A record of that id, which scores ten times its points."""
    record = dict({"id": name, "points": points}, **more)
    if kind == "hubspot":
        return {"id": name, "properties": dict(record, hs_object_id=name, id="not this one")}
    if kind == "salesforce":
        del record["id"]
        return dict(record, attributes={"type": "Lead"}, Id=name)
    if kind == "pipedrive":
        return {"meta": {"action": "change", "entity": "person", "entity_id": "5", "attempt": 1,
                         "id": delivery or str(uuid.uuid4()), "version": "2.0"},
                "data": record, "previous": {}}
    if kind == "mautic":
        return {"mautic.lead_post_save_update": [{
            "contact": dict(record, fields={"core": {}}), "timestamp": "2026-02-11T08:30:00Z"}]}
    if kind == "standard":
        return {"type": "contact.updated", "timestamp": "2026-02-11T08:30:00Z", "data": record}
    return record


def as_body(value):
    return value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()


class Hooks:
    """Has a source of each kind, under the kind's name."""

    def __init__(self, program, options=(), public_url=PUBLIC_URL, kinds=KINDS, icps=("hooks",)):
        self.place = Place(program)
        for one in icps:
            self.place.publish_definition(definition(one))
        self.admin_key = self.place.key("admin", "admin")
        self.score_key = self.place.key("score", "score")
        self.public_url = public_url
        self.options = list(options) + (["--public-url", public_url] if public_url else [])
        self.kinds = {}
        self.start()
        for kind in kinds:
            self.put(kind)

    def start(self):
        self.server = self.place.serve(*self.options)
        self.admin = self.server.client(self.admin_key)
        self.client = self.server.client()

    def restart(self, between=lambda: None):
        """Stops the server, does what needs the database, and starts it again."""
        equal(self.server.stop(), 0, "exit code")
        between()
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, trouble, *rest):
        self.admin.close()
        self.client.close()
        try:
            self.server.__exit__(trouble, *rest)
        finally:
            self.place.__exit__(trouble, *rest)

    def put(self, kind, key=None, **more):
        """Puts a source of that kind; gives its key."""
        key = key or kind
        asked = dict({"kind": kind, "secrets": [SECRETS[kind]]}, **more)
        answer = self.admin.ask("PUT", "/v1/sources/" + key, asked)
        equal(answer.status in (200, 201), True, "putting a source: %r" % answer)
        self.kinds[key] = kind
        return key

    def path(self, key):
        return "/v1/webhooks/" + key

    def sign(self, key, body, secret=None, name=None, path=None, version="v3", **more):
        """The headers with which its CRM would send that body."""
        kind = self.kinds[key]
        secret = SECRETS[kind] if secret is None else secret
        url = (self.public_url or "") + (path or self.path(key))
        if kind == "hubspot":
            return {"v3": lambda: signing.hubspot_v3(secret, url, body, **more),
                    "v2": lambda: signing.hubspot_v2(secret, url, body),
                    "v1": lambda: signing.hubspot_v1(secret, body)}[version]()
        if kind == "mautic":
            return signing.mautic(secret, body)
        if kind == "standard":
            return signing.standard(secret, body, name or "msg_" + uuid.uuid4().hex, **more)
        if kind == "pipedrive":
            return signing.basic(secret)
        return {"X-Leadfit-Secret": secret}

    def send(self, key, value, headers=None, client=None, path=None, **signing_as):
        """Sends a delivery as its CRM would. headers: beside those that prove who it is."""
        body = as_body(value)
        sent = {"Content-Type": "application/json", **self.sign(key, body, path=path, **signing_as),
                **(headers or {})}
        return (client or self.client).ask("POST", path or self.path(key), body, headers=sent)

    def scored(self, key, value, **more):
        """Sends what must be scored; the answer's object."""
        return expect(self.send(key, value, **more), 200).json

    def count(self):
        """How many scores are recorded."""
        with sqlite3.connect(self.place.db, timeout=DEADLINE_S) as database:
            return database.execute("SELECT coalesce(sum(count), 0) FROM score_block").fetchone()[0]

    def refused(self, key):
        return expect(self.admin.get("/v1/sources/%s/refused" % key), 200).json["refused"]

    def metric(self, kind, result):
        """How many webhooks of that kind ended so."""
        text = self.admin.get("/metrics").body.decode()
        wanted = 'leadfit_webhooks_total{kind="%s",result="%s"} ' % (kind, result)
        return sum(int(line[len(wanted):]) for line in text.splitlines() if line.startswith(wanted))


def raw_post(port, path, body, headers, nulls=False):
    """Sends it on a connection of its own; the answer is not held against the document."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
    finally:
        connection.close()
    found = [one for one in every_answer_faults(answer) if not (nulls and one == "a null")]
    equal(found, [], "faults of %r" % answer)
    return answer
