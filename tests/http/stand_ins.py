"""Stand-ins for CRMs: each sends as its CRM sends, and checks of the answer what that CRM checks.

What they know is in the vendors' documentation: signatures, shapes, what an answer must be. None of
them shares code with the program.
"""

import base64
import hashlib
import hmac
import http.server
import json
import queue
import re
import threading
import time

from contract import Contract
from harness import Client, equal

PUBLIC = "https://scores.example.com"        # what the CRMs think they call


def post(port, path, body, headers):
    """Posts bytes as they are; the answer."""
    client = Client(port, None)
    try:
        return client.ask("POST", path, body, headers=dict(
            {"Content-Type": "application/json"}, **headers))
    finally:
        client.close()


# ------------------------------------------------------------- HubSpot


class HubSpot:
    """Signs as HubSpot does: v2 for workflows and custom actions, v3 for newer calls."""

    def __init__(self, port, secret):
        self.port, self.secret = port, secret

    def send(self, path, record, version="v2"):
        body = json.dumps(record).encode("utf-8")
        uri = PUBLIC + path
        if version == "v2":
            text = self.secret.encode() + b"POST" + uri.encode() + body
            headers = {"X-HubSpot-Signature": hashlib.sha256(text).hexdigest(),
                       "X-HubSpot-Signature-Version": "v2"}
        else:
            now = str(int(time.time() * 1000))
            mac = hmac.new(self.secret.encode(), b"POST" + uri.encode() + body + now.encode(),
                           hashlib.sha256)
            headers = {"X-HubSpot-Signature-v3": base64.b64encode(mac.digest()).decode(),
                       "X-HubSpot-Request-Timestamp": now}
        return post(self.port, path, body, headers)

    def run_action(self, definition, inputs, run):
        """Runs a custom action for one contact; its output fields as later actions see them."""
        named = {one["typeDefinition"]["name"] for one in definition["inputFields"]}
        equal(set(inputs) - named, set(), "inputs that the action does not have")
        answer = self.send(definition["actionUrl"][len(PUBLIC):], {
            "callbackId": "ap-102670506-%d-7-0" % run,
            "origin": {"portalId": 102670506, "actionDefinitionId": 10646377,
                       "actionDefinitionVersion": 1},
            "context": {"source": "WORKFLOWS", "workflowId": 192814114},
            "object": {"objectId": 904, "objectType": "CONTACT"}, "inputFields": inputs})
        equal(answer.status, 200, "status of an action")
        outputs = answer.json["outputFields"]
        equal(outputs["hs_execution_state"] in ("SUCCESS", "FAIL_CONTINUE", "BLOCK"), True, "state")
        kinds = {"number": (int, float), "string": str, "bool": bool}
        found = {}
        for field in definition["outputFields"]:
            kind = field["typeDefinition"]
            value = outputs[kind["name"]]
            right = isinstance(value, kinds[kind["type"]]) and (
                kind["type"] == "bool" or not isinstance(value, bool))
            equal(right, True, "type of %s: %r" % (kind["name"], value))
            found[kind["name"]] = value
        return outputs["hs_execution_state"], found


def check_action(definition):
    """What HubSpot asks of the definition of an action."""
    equal(definition["actionUrl"].startswith("https://"), True, "actionUrl")
    labels = definition["labels"]["en"]
    equal(bool(labels["actionName"]), True, "actionName")
    for kind in ("inputFields", "outputFields"):
        names = []
        for field in definition[kind]:
            names.append(field["typeDefinition"]["name"])
            equal(field["typeDefinition"]["type"] in ("string", "number", "bool", "enumeration", "date",
                                                      "datetime"), True, "type of " + names[-1])
            equal(bool(field["supportedValueTypes"]), True, "supportedValueTypes")
        equal(sorted(labels[kind[:-1] + "Labels"]), sorted(names), "labels of " + kind)


# ---------------------------------------------------------- Salesforce


class Callout:
    """An HTTP callout of a Flow: the sample response has made the types, and they never change."""

    def __init__(self, port, key, path, sample):
        self.port, self.key, self.path = port, key, path
        self.kinds = {name: kind_of(value) for name, value in sample.items()}

    def call(self, record):
        answer = post(self.port, self.path, json.dumps(record).encode("utf-8"),
                      {"Authorization": "Bearer " + self.key})
        equal(answer.status, 200, "status of a callout")
        for name, kind in self.kinds.items():
            equal(kind_of(answer.json[name]), kind, "type of " + name)
        return {name: answer.json[name] for name in self.kinds}


def kind_of(value):
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, (int, float)):
        return "Number"
    if isinstance(value, str):
        return "Text"
    raise AssertionError("a Flow has no variable for %r" % (value,))


APEX_WORDS = set("abstract activate and any array as asc autonomous begin bigdecimal blob boolean break"
                 " bulk by byte case cast catch char class collect commit const continue"
                 " default delete desc do double else end enum exception exit export extends false"
                 " final finally float for from global goto group having hint if implements import"
                 " in inner insert instanceof int interface into join like limit list long loop map"
                 " merge new not null nulls number object of on or outer override package parallel"
                 " pragma private protected public retrieve return rollback select set short sObject"
                 " sort static string super switch synchronized system testmethod then this throw"
                 " time transaction trigger true try undelete update upsert using virtual void"
                 " webservice when where while".lower().split())


class ExternalService:
    """What External Services make of an OpenAPI document: one class an object, one method an
    operation. What it cannot take is a fault."""

    LEVELS = 15

    def __init__(self, document):
        self.contract = Contract(document)
        equal(document["openapi"].startswith("3.0."), True, "OpenAPI 3.0")
        equal(len(json.dumps(document)) < 10_000_000, True, "length")
        self.operations = {}
        for path, item in document["paths"].items():
            for method, operation in item.items():
                self.register(method, path, operation)

    def register(self, method, path, operation):
        name = operation["operationId"]
        identifier(name)
        equal(name.lower() not in self.operations, True, "one operation " + name)
        described(operation, name)
        for parameter in [self.contract.resolve(one) for one in operation["parameters"]]:
            equal(bool(parameter["name"]), True, "name of a parameter of " + name)
            described(parameter, parameter["name"])
            self.variable(parameter["schema"], "%s(%s)" % (name, parameter["name"]), 0)
        if "requestBody" in operation:
            equal(method != "get", True, "a GET with a body: " + name)
            for media, content in operation["requestBody"]["content"].items():
                if media == "application/json":
                    self.variable(content["schema"], name + " body", 0)
        for status, answer in operation["responses"].items():
            for media, content in self.contract.resolve(answer).get("content", {}).items():
                if media in ("application/json", "application/problem+json"):
                    self.variable(content["schema"], "%s %s" % (name, status), 0)
        self.operations[name.lower()] = (method.upper(), path, operation)

    def variable(self, schema, place, depth, within=()):
        """Whether Apex has a type for it."""
        equal(depth <= self.LEVELS, True, "levels of " + place)
        if schema.get("$ref") in within:     # a condition of conditions: the class names itself
            return
        within = (*within, schema.get("$ref", ""))
        schema = self.contract.resolve(schema)
        for word in ("oneOf", "anyOf", "allOf", "not", "nullable"):
            equal(word in schema, False, "%s at %s" % (word, place))
        described(schema, place)
        kind = schema.get("type")
        if kind == "array":
            inner = self.contract.resolve(schema["items"])
            equal(inner.get("type") != "array", True, "a list of lists at " + place)
            # Operands of a condition are of any kind, an Apex Object: nobody writes rules in a Flow.
            equal("type" in inner or any(one.endswith("/Condition") for one in within), True,
                  "a list of anything at " + place)
            self.variable(schema["items"], place + "[]", depth + 1, within)
        elif kind == "object":
            for name, one in schema.get("properties", {}).items():
                equal(bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)), True,
                      "property %s of %s" % (name, place))
                self.variable(one, place + "." + name, depth + 1, within)
        elif kind is not None:
            equal(kind in ("string", "number", "integer", "boolean"), True, "type at " + place)

    def call(self, port, key, name, body, **parameters):
        method, path, operation = self.operations[name.lower()]
        for one, value in parameters.items():
            path = path.replace("{" + one + "}", value)
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        equal(self.contract.faults(schema, body), [], "what a Flow can fill in")
        client = Client(port, key)
        try:
            answer = client.ask(method, path, body)
        finally:
            client.close()
        said = self.contract.resolve(operation["responses"][str(answer.status)])
        media = "application/json" if answer.status < 400 else "application/problem+json"
        equal(self.contract.faults(said["content"][media]["schema"], answer.json), [], "the answer")
        return answer


def identifier(name):
    equal(bool(re.fullmatch(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_|$)){0,39}", name)), True, "Apex name " + name)
    equal(name.lower() in APEX_WORDS, False, "a word of Apex: " + name)


def described(node, place):
    equal(len(node.get("description", "")) < 1333, True, "description of " + place)


# ----------------------------------------------------------- Pipedrive


class Pipedrive:
    """Calls with user and password, follows nothing, and bans who fails ten times."""

    def __init__(self, port, path, user, password):
        self.port, self.path, self.failures = port, path, 0
        self.login = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
        self.persons = {}

    def send(self, entity, action, entity_id, data, run, attempt=1):
        equal(self.failures < 10, True, "not banned")
        body = json.dumps({"meta": {
            "action": action, "attempt": attempt, "company_id": "3", "correlation_id": "c-%d" % run,
            "entity": entity, "entity_id": str(entity_id), "host": "example.pipedrive.com",
            "id": "d-%d" % run, "is_bulk_edit": False, "permitted_user_ids": ["1"],
            "timestamp": "2026-11-22T09:30:00.000Z", "type": "general", "user_id": "1",
            "version": "2.0", "webhook_id": "9", "webhook_owner_id": "1"},
            "data": data, "previous": {}}).encode("utf-8")
        answer = post(self.port, self.path, body, {"Authorization": "Basic " + self.login})
        if not 200 <= answer.status < 300:
            self.failures += 1
        return answer

    def patch_person(self, person, body):
        """PATCH /api/v2/persons/{id}."""
        equal(person.isdigit(), True, "id of a person")
        for name, value in body["custom_fields"].items():
            equal(bool(re.fullmatch(r"[0-9a-f]{40}", name)), True, "hash of a custom field")
            equal(isinstance(value, (int, float)) and not isinstance(value, bool), True, "a number")
        self.persons[person] = body["custom_fields"]


def fill(template, event):
    """What Make, Zapier and n8n do with {{data.score}}: alone in a text it keeps its type."""
    def value(node):
        if isinstance(node, dict):
            return {name: value(one) for name, one in node.items()}
        found = re.fullmatch(r"{{([a-z_.]+)}}", node) if isinstance(node, str) else None
        if not found:
            return node
        at = event
        for step in found.group(1).split("."):
            at = at[step]
        return at
    return value(template)


# -------------------------------------------------------- Dynamics 365


class PowerAutomate:
    """As much of the workflow definition language as README's body uses."""

    def __init__(self, bodies):
        self.bodies = bodies

    def fill(self, template):
        filled = {}
        for name, value in template.items():
            found = re.fullmatch(r"@\{(.*)\}", value) if isinstance(value, str) else None
            filled[name] = self.evaluate(found.group(1)) if found else value
        return filled

    def evaluate(self, text):
        value, rest = self.term(text)
        equal(rest.strip(), "", "rest of the expression")
        return value

    def term(self, text):
        text = text.strip()
        if text[0] == "'":
            end = text.index("'", 1)
            return text[1:end], text[end + 1:]
        number = re.match(r"-?\d+", text)
        if number:
            return int(number.group()), text[number.end():]
        name = re.match(r"[A-Za-z]+", text).group()
        rest, arguments = text[len(name):].lstrip(), []
        equal(rest[0], "(", "a call of " + name)
        while rest[0] != ")":
            value, rest = self.term(rest[1:])
            arguments.append(value)
            rest = rest.lstrip()
        value, rest = self.function(name, arguments), rest[1:]
        while rest.startswith("?["):
            member, rest = self.term(rest[2:])
            equal(rest[0], "]", "end of a member")
            value, rest = (value or {}).get(member), rest[1:]
        return value, rest

    def function(self, name, arguments):
        if name == "body":
            return self.bodies[arguments[0]]
        if name == "int":
            equal(bool(re.fullmatch(r"-?\d+", str(arguments[0]))), True, "int() of %r" % arguments[0])
            return int(arguments[0])
        if name == "formatNumber":
            equal(arguments[1], "0", "the format")
            return str(int(arguments[0] + 0.5))
        if name == "equals":
            return arguments[0] == arguments[1]
        if name == "if":
            return arguments[1] if arguments[0] else arguments[2]
        if name == "indexOf":
            return arguments[0].find(arguments[1])
        raise AssertionError("no such function: " + name)


class Dataverse:
    """The table msdyn_predictivescores."""

    def __init__(self):
        self.scores = {}

    def post(self, row):
        equal(sorted(row), ["msdyn_entityid", "msdyn_entitytype", "msdyn_grade", "msdyn_score",
                            "msdyn_scoretrend"], "columns")
        for name, most in (("msdyn_score", 100), ("msdyn_grade", 3), ("msdyn_scoretrend", 3)):
            equal(type(row[name]) is int and 0 <= row[name] <= most, True,
                  "%s: %r" % (name, row[name]))
        equal(bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", row["msdyn_entityid"])),
              True, "msdyn_entityid")
        equal(row["msdyn_entitytype"] in ("lead", "opportunity"), True, "msdyn_entitytype")
        self.scores[row["msdyn_entityid"]] = row


# -------------------------------------------------------------- Mautic


def mautic_headers(secret, body):
    mac = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"Webhook-Signature": base64.b64encode(mac).decode()}


# ------------------------------------------------------------ receiver


class Receiver:
    """Takes events and checks them by Standard Webhooks."""

    def __init__(self):
        self.events, self.seen, self.secret = queue.Queue(), set(), None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def url(self):
        return "http://127.0.0.1:%d/leadfit" % self.server.server_address[1]

    def handler(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fine = receiver.check(self.headers, body)
                self.send_response(200 if fine else 401)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if fine and self.headers["webhook-id"] not in receiver.seen:
                    receiver.seen.add(self.headers["webhook-id"])
                    receiver.events.put(json.loads(body))

            def log_message(self, *_):
                pass

        return Handler

    def check(self, headers, body):
        stamp = headers["webhook-timestamp"]
        if self.secret is None or abs(time.time() - int(stamp)) > 300:
            return False
        text = ("%s.%s." % (headers["webhook-id"], stamp)).encode() + body
        key = base64.b64decode(self.secret[len("whsec_"):])
        mac = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return ("v1," + mac) in headers["webhook-signature"].split(" ")

    def next(self, deadline_s=30):
        return self.events.get(timeout=deadline_s)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
