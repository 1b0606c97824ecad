"""The document and the service are one: operations, methods, paths, heads."""

import ctypes
import json
import os
import re
import socket
import sys

from contract import ROOT
from harness import CONTRACT, DEADLINE_S, ICPS, Place, equal, expect, run, until

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
sys.path.insert(0, os.path.join(ROOT, "tests", "cases"))
from generate import Maker  # noqa: E402
from json_schema import valid  # noqa: E402

ULID = "01K9ZX3D5T0V7C1QWJ8M4N2E6R"
DELIVERY = "msg_01KAMZ9F7V000000000000002T"
SIGNED = "/v1/webhooks/{source}"      # needs no key, and yet not everybody is let in
# A request for each route whose answer, with the right key, is the given status, however often
# it is sent: there is no draft and no list, and the version that is active is put in service.
CALLS = [("GET", "/healthz", "", None, 200), ("GET", "/readyz", "", None, 200),
         ("GET", "/openapi.json", "", None, 200),
         ("POST", "/v1/score", "score", {"lead": {}, "record": False}, 200),
         ("POST", "/v1/explain", "score", {}, 422),
         ("GET", "/v1/scores/" + ULID, "leads:read", None, 404),
         ("POST", "/v1/scores/" + ULID + "/verify", "leads:read", {}, 404),
         ("POST", "/v1/outcomes", "leads:write", {}, 422),
         ("GET", "/v1/leads", "leads:read", None, 200),
         ("GET", "/v1/leads/no-such", "leads:read", None, 404),
         ("DELETE", "/v1/leads/no-such", "leads:write", None, 404),
         ("GET", "/v1/leads/no-such/scores", "leads:read", None, 404),
         ("GET", "/v1/leads/no-such/export", "leads:read", None, 404),
         ("GET", "/v1/stats", "stats:read", None, 400),
         ("GET", "/v1/stats/penetration", "stats:read", None, 200),
         ("GET", "/v1/stats/unmatched", "stats:read", None, 400),
         ("GET", "/metrics", "stats:read", None, 200),
         ("GET", "/v1/icps", "icp:read", None, 200),
         ("GET", "/v1/icps/b2b-saas", "icp:read", None, 200),
         ("DELETE", "/v1/icps/no-such", "icp:write", None, 404),
         ("POST", "/v1/icps/no-such/restore", "icp:write", {}, 404),
         ("GET", "/v1/icps/no-such/draft", "icp:read", None, 404),
         ("PUT", "/v1/icps/no-such/draft", "icp:write", {}, 422),
         ("DELETE", "/v1/icps/no-such/draft", "icp:write", None, 404),
         ("GET", "/v1/icps/no-such/draft/lint", "icp:read", None, 404),
         ("GET", "/v1/icps/no-such/draft/impact", "icp:read", None, 404),
         ("POST", "/v1/lint", "icp:read", {}, 422),
         ("GET", "/v1/icps/b2b-saas/versions", "icp:read", None, 200),
         ("GET", "/v1/icps/b2b-saas/versions/1", "icp:read", None, 200),
         ("GET", "/v1/icps/no-such/diff", "icp:read", None, 404),
         ("POST", "/v1/icps/no-such/publish", "icp:write", {}, 404),
         ("POST", "/v1/icps/b2b-saas/activate", "icp:write", {"version": 1}, 200),
         ("GET", "/v1/icps/b2b-saas/compare", "stats:read", None, 400),
         ("GET", "/v1/lists", "icp:read", None, 200),
         ("GET", "/v1/lists/no-such", "icp:read", None, 404),
         ("PUT", "/v1/lists/no-such", "icp:write", {}, 422),
         ("PATCH", "/v1/lists/no-such", "icp:write", {}, 422),
         ("DELETE", "/v1/lists/no-such", "icp:write", None, 404),
         ("POST", "/v1/webhooks/no-such", "", {}, 404),
         ("GET", "/v1/sources", "admin", None, 200),
         ("GET", "/v1/sources/no-such", "admin", None, 404),
         ("PUT", "/v1/sources/no-such", "admin", {}, 422),
         ("DELETE", "/v1/sources/no-such", "admin", None, 404),
         ("POST", "/v1/sources/no-such/preview", "admin", {}, 404),
         ("GET", "/v1/sources/no-such/refused", "admin", None, 404),
         ("GET", "/v1/subscriptions", "admin", None, 200),
         ("GET", "/v1/subscriptions/no-such", "admin", None, 404),
         ("PUT", "/v1/subscriptions/no-such", "admin", {}, 422),
         ("DELETE", "/v1/subscriptions/no-such", "admin", None, 404),
         ("GET", "/v1/subscriptions/no-such/deliveries", "admin", None, 404),
         ("POST", "/v1/subscriptions/no-such/deliveries/" + DELIVERY + "/retry", "admin", {}, 404),
         ("GET", "/v1/audit", "icp:read", None, 200),
         ("GET", "/v1/keys", "admin", None, 200),
         ("POST", "/v1/keys", "admin", {}, 422),
         ("DELETE", "/v1/keys/no-such", "admin", None, 404)]


def source(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def routes():
    """(method, path, scope) of lib/api/routes.c."""
    return re.findall(r'\{"([A-Z]+)", "([^"]+)", ([^,]+), ', source("lib", "api", "routes.c"))


def test_the_document_and_the_routing_table_are_one(_program):
    table = {(method.lower(), path) for method, path, _ in routes()}
    told = {(method, path) for path, item in CONTRACT.document["paths"].items() for method in item}
    equal(told, table, "operations of openapi.json against routes.c")
    equal({(method.lower(), CONTRACT.operation(method, path)[0]) for method, path, *_ in CALLS},
          table, "routes that CALLS tries")


def test_open_routes_are_open_in_the_document(_program):
    for method, path, scope in routes():
        operation = CONTRACT.document["paths"][path][method.lower()]
        equal(operation["security"] == [], scope == "0", "open: " + path)
        equal("401" in operation["responses"], scope != "0" or path == SIGNED, "401 of " + path)
        word = scope.replace("LF_SCOPE_", "").replace("_", ":").lower()
        if scope != "0" and "Scope: %s." % word not in operation["description"]:
            raise AssertionError("%s does not name its scope %s" % (path, word))


def test_the_document_knows_every_code_that_a_client_can_see(_program):
    words = re.findall(r'X\(\w+, "(\w+)", (\d+), "([^"]+)"\)',
                       source("lib", "base", "status.h"))
    # fine; the command line's; and what keeps a server from starting at all
    hidden = {"ok", "usage", "config", "file", "storage_newer", "storage_in_use"}
    told = CONTRACT.document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    equal(told, [word for word, _, _ in words if word not in hidden], "codes")
    table = {word: (int(status), title) for word, status, title in words}
    for place, problem in every_problem(CONTRACT.document):
        equal((problem["status"], problem["title"]), table[problem["code"]], place)


def every_problem(node, place=""):
    if isinstance(node, dict):
        if str(node.get("type", "")).startswith("/problems/") and "title" in node:
            yield place, node
        for name, one in node.items():
            yield from every_problem(one, place + "/" + name)
    elif isinstance(node, list):
        for at, one in enumerate(node):
            yield from every_problem(one, "%s/%d" % (place, at))


def test_examples_of_the_document_are_right(_program):
    found, tried, kinds = [], 0, set()
    for path, item in CONTRACT.document["paths"].items():
        for operation in item.values():
            holders = [operation["requestBody"]] if "requestBody" in operation else []
            holders += [CONTRACT.resolve(one) for one in operation["responses"].values()]
            for holder in holders:
                for media, content in holder.get("content", {}).items():
                    kinds.add(media)
                    for name, example in content["examples"].items():
                        tried += 1
                        faults = CONTRACT.faults(content["schema"], example["value"])
                        if media == "application/x-ndjson":      # a line is what JSON has alone
                            one = holder["content"]["application/json"]["schema"]
                            for line in example["value"].splitlines():
                                faults += CONTRACT.faults(one, json.loads(line))
                        found += ["%s %s %s" % (path, name, fault) for fault in faults]
    equal(found, [], "faults of examples")
    equal(kinds, {"application/json", "application/problem+json", "text/plain",
                  "text/plain; version=0.0.4", "application/x-ndjson"}, "media types")
    if tried < 50:
        raise AssertionError("only %d examples" % tried)


def test_parameters_have_right_examples(_program):
    found = []
    for path, item in CONTRACT.document["paths"].items():
        for operation in item.values():
            parameters = [CONTRACT.resolve(one) for one in operation["parameters"]]
            for one in parameters:
                if "example" in one:
                    found += ["%s %s" % (one["name"], fault) for fault in
                              CONTRACT.faults(one["schema"], one["example"])]
            named = re.findall(r"{(\w+)}", path)
            equal([one["name"] for one in parameters if one["in"] == "path"], named,
                  "path parameters of " + path)
    equal(found, [], "faults of examples")


def test_the_document_suits_salesforce(_program):
    names = []
    for item in CONTRACT.document["paths"].values():
        for operation in item.values():
            names.append(operation["operationId"])
            if not operation.get("summary") or not operation.get("description"):
                raise AssertionError("%s says too little" % names[-1])
    equal(len(set(names)), len(names), "different operationIds")
    for name in names:
        # An Apex identifier: a letter, letters and digits; _ neither twice nor last.
        if not re.fullmatch(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_|$)){0,39}", name):
            raise AssertionError("no Apex identifier: " + name)
    text = json.dumps(CONTRACT.document)
    if len(text) > 10_000_000 or CONTRACT.document["openapi"] != "3.0.3":
        raise AssertionError("too long, or of another version")
    walk(CONTRACT.document)


def walk(node, depth=0):
    if isinstance(node, dict):
        if isinstance(node.get("description"), str):
            equal(len(node["description"]) < 1333, True, "length of: " + node["description"][:60])
        for word in ("oneOf", "anyOf", "allOf", "nullable"):
            equal(word in node, False, word)
        if node.get("type") == "array":      # no anonymous list in a list
            equal(node["items"].get("type") == "array", False, "a list of lists")
        node = list(node.values())
    equal(node is None, False, "a null")
    if isinstance(node, list):
        for one in node:
            walk(one, depth + 1)


def test_served_document_is_the_file(program):
    with Place(program) as place, place.serve() as server:
        client = server.client()
        answer = expect(client.get("/openapi.json"), 200)
        equal(answer.body, source("schema", "openapi.json").encode("utf-8"), "the document")
        equal(answer.headers["Cache-Control"], "public, max-age=300", "Cache-Control")


# ------------------------------------------------- schema of definitions

# Faults that lie between places, or that a schema has no words for.
BEYOND = {"duplicate", "too_many_places", "too_deep"}
BEYOND_CASES = {"out_of_range: grades must fall", "out_of_range: grades must end at 0",
                "out_of_range: levels must end at 0", "out_of_range: levels count from 1",
                "out_of_range: levels leave none out",
                "invalid_date: a review date that does not exist",
                "invalid_path: 202 bytes, though 101 letters", "invalid_date: after second 60",
                "empty_text: an invisible text among others"}


def definition_schema():
    return json.loads(source("schema", "icp.schema.json"))


def test_definitions_are_valid_by_their_schema(_program):
    import run as cases
    schema, tried = definition_schema(), 0
    for path in ICPS:
        with open(path, encoding="utf-8") as file:
            equal(valid(schema, json.load(file), schema), True, path)
    maker = Maker(7)
    for _ in range(300):
        definition = maker.request()["definition"]
        equal(valid(schema, definition, schema), True, "random %r" % definition)
    folder = os.path.dirname(cases.__file__)
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        document, _ = cases.load(os.path.join(folder, name))
        for case in document["cases"]:
            wanted = "refused" not in case
            codes = {one["code"] for one in case.get("refused", [])}
            if not wanted and (codes & BEYOND or case["name"] in BEYOND_CASES):
                continue
            tried += 1
            equal(valid(schema, cases.definition_of(case, document), schema), wanted,
                  "%s, %s: valid" % (name, case["name"]))
    equal(tried > 150, True, "%d cases" % tried)


def test_both_schemas_have_the_same_limits(_program):
    """icp.schema.json says more than openapi.json, and nothing else."""
    schema, told = definition_schema(), CONTRACT.document["components"]["schemas"]
    for name in ["Definition"] + [name for name in schema["$defs"] if name in told]:
        mine = schema if name == "Definition" else schema["$defs"][name]
        equal(sorted(mine["properties"]), sorted(told[name]["properties"]), "members of " + name)
        equal(mine.get("required"), told[name].get("required"), "required of " + name)
        equal(mine["additionalProperties"], False, "unknown members of " + name)
        for member, other in told[name]["properties"].items():
            for word in ("enum", "minItems", "maxItems", "minLength", "maxLength", "minimum",
                         "maximum", "default"):
                if word in other and "$ref" not in mine["properties"][member]:
                    equal(mine["properties"][member].get(word), other[word],
                          "%s of %s/%s" % (word, name, member))


# ------------------------------------------------------------- methods


def test_wrong_methods_and_paths(program):
    with Place(program) as place:
        place.publish(*ICPS)
        key = place.key()
        taken = {}
        for method, path, _ in routes():
            taken.setdefault(path, set()).update({"GET", "HEAD"} if method == "GET" else {method})
        with place.serve() as server:
            client = server.client(key)
            for path in sorted({path for _, path, *_ in CALLS}):
                allow = taken[CONTRACT.operation("GET", path)[0]]
                for other in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
                              "BREW"):
                    if other in allow:
                        continue
                    for given in (key, ""):      # the path is no secret, with or without a key
                        answer = client.ask(other, path, key=given)
                        expect(answer, 405, "method_not_allowed" if answer.body else None)
                        said = answer.headers["Allow"].split(", ")
                        equal(sorted(said), sorted(allow), "Allow of %s" % path)
            for path in ("/", "/v1", "/v1/", "/v1/score/", "//v1/score", "/v1//score", "/V1/score",
                         "/v1/scores", "/v1/scores/", "/v1/icps/", "/v1/icps//versions/1",
                         "/v1/icps/b2b-saas/versions/", "/v1/icps/b2b-saas/versions/1/",
                         "/v1/icps/b2b-saas/draft/", "/v1/lists/", "/v1/keys/", "/v1/lint/",
                         "/healthz/", "/v1/%73core", "/v1/../v1/icps", "/v1/./icps", "/index.html"):
                for method in ("GET", "POST"):
                    expect(client.ask(method, path, {} if method == "POST" else None),
                           404, "not_found")
            for path in ("/v1/icps/b2b%2Fsaas", "/v1/icps/no-such", "/v1/icps/..%2Fx",
                         "/v1/icps/%20", "/v1/icps/" + "x" * 200):
                expect(client.get(path), 404, "icp_not_found")
            expect(client.get("/v1/icps/b2b%2Dsaas"), 200)


def test_head_is_get_without_a_body(program):
    with Place(program) as place:
        place.publish(*ICPS)
        key = place.key("admin")
        with place.serve() as server:
            client = server.client(key)
            score = "/v1/scores/" + client.score({"id": "x"})["id"]
            for path in [path for method, path, *_ in CALLS if method == "GET"] + [score]:
                head, get = client.ask("HEAD", path), client.get(path)
                equal((head.status, head.body), (get.status, b""), "HEAD " + path)
                for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
                    if name == "Content-Length" and (get.status >= 400 or path == "/metrics"):
                        continue             # a problem holds the request's id; numbers grow
                    equal(head.headers.get(name), get.headers.get(name), "%s of %s" % (name, path))
                equal(int(get.headers["Content-Length"]), len(get.body), "length of " + path)


def test_answers_of_two_media_types(program):
    with Place(program) as place:
        key = place.key("icp:read")
        place.put_lists({"words": ["null", "é", "{"]})
        with place.serve() as server:
            client = server.client(key)
            entries = client.get("/v1/lists/words").json["entries"]
            equal(sorted(entries), ["null", "{", "é"], "as JSON")
            for method in ("GET", "HEAD"):
                answer = client.ask(method, "/v1/lists/words", headers={"Accept": "text/plain"})
                equal(answer.headers["Content-Type"], "text/plain; charset=utf-8", "Content-Type")
                lines = sorted(answer.body.decode("utf-8").splitlines())
                equal(lines, sorted(entries) if method == "GET" else [], "as text")


def test_request_ids(program):
    with Place(program) as place, place.serve() as server:
        client = server.client()
        for sane in ("a", "0", "A.b_c-9", "x" * 64, "..", "01K9ZX3D5T0V7C1QWJ8M4N2E6R"):
            for path in ("/healthz", "/v1/icps", "/nothing"):
                answer = client.get(path, headers={"X-Request-Id": sane})
                equal(answer.headers["X-Request-Id"], sane, "id of " + path)
        made = set()
        for odd in ("", "x" * 65, "a b", "a/b", "é", "a\"b", "<x>", "a,b", None):
            headers = {} if odd is None else {"X-Request-Id": odd.encode("utf-8")}
            name = client.get("/healthz", headers=headers).headers["X-Request-Id"]
            equal(bool(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name)) and name != odd, True,
                  "an id of the service's own for %r" % odd)
            made.add(name)
        equal(len(made), 9, "different ids")


def test_query_parameters(program):
    with Place(program) as place:
        place.publish(*ICPS)
        key = place.key("admin")
        with place.serve() as server:
            client = server.client(key)
            for method, path, scope, body, status in CALLS:
                if not scope:
                    continue
                for query in ("?x=1", "?explain=full", "?x", "?=1", "?a=1&a=2", "?é=1"):
                    answer = client.ask(method, path + query.replace("é", "%C3%A9"), body)
                    expect(answer, 400, "invalid_parameter")
                for query in ("?", "?&&"):       # nothing is asked
                    expect(client.ask(method, path + query, body), status)
            for query in ("?%", "?%zz", "?a=%4", "?%00", "?a=%FF"):
                expect(client.get("/v1/icps" + query), 400, "invalid_url")
            expect(client.get("/v1/icps/%FF"), 400, "invalid_url")
            expect(client.get("/v1/icps/%00"), 400, "invalid_url")


# --------------------------------------------------------------- heads


def library_refuses_by_itself():
    """From 1.0 on libmicrohttpd answers more malformed heads by itself, in HTML, before we see them."""
    version = ctypes.CDLL("libmicrohttpd.so.12").MHD_get_version
    version.restype = ctypes.c_char_p
    return not version().startswith(b"0.")


def test_heads_that_are_refused(program):
    key_line = b"Host: x\r\n"
    # Without a Host, libmicrohttpd answers by itself from 1.0 on.
    cases = [(b"GET /healthz HTTP/1.1\r\n\r\n", 400, None),
             (b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "bad_request"),
             (b"GET /healthz HTTP/1.1\r\nHost: x y\r\n\r\n", 400, "bad_request"),
             # libmicrohttpd may refuse this by itself, in its own words
             (b"GET /healthz HTTP/1.1\r\n" + key_line + b"Content-Length : 0\r\n\r\n",
              400, None),
             (b"POST /v1/score HTTP/1.1\r\n" + key_line
              + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400, "bad_request"),
             (b"POST /v1/score HTTP/1.1\r\n" + key_line
              + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "bad_request"),
             (b"POST /v1/score HTTP/1.1\r\n" + key_line
              + b"Transfer-Encoding: gzip\r\n\r\n", 400, "bad_request"),
             (b"GET /healthz HTTP/1.1\r\n" + key_line + b"Expect: a-miracle\r\n\r\n",
              417, "expectation_failed"),
             (b"GET /healthz?" + b"x" * 9000 + b" HTTP/1.1\r\n" + key_line + b"\r\n",
              414, "url_too_long"),
             (b"GET /healthz HTTP/1.1\r\n" + key_line + b"X: " + b"x" * 9000 + b"\r\n\r\n",
              431, "headers_too_large"),
             (b"GET /healthz HTTP/1.1\r\n" + key_line
              + b"".join(b"X-%d: y\r\n" % at for at in range(101)) + b"\r\n",
              431, "headers_too_large"),
             (b"GET healthz HTTP/1.1\r\n" + key_line + b"\r\n", 400, "invalid_url"),
             (b"GET http://x/healthz HTTP/1.1\r\n" + key_line + b"\r\n", 400, "invalid_url")]
    with Place(program) as place, place.serve() as server:
        for head, status, code in cases:
            answer = server.raw(head)
            line, _, rest = answer.partition(b"\r\n")
            if not line.startswith(b"HTTP/1.1 %d " % status):
                raise AssertionError("%r…: expected %d, got %r" % (head[:60], status,
                                                                   answer[:300]))
            if code is None:
                continue
            body = rest.partition(b"\r\n\r\n")[2]
            if body[:1] == b"<" and library_refuses_by_itself():
                continue
            equal(body[:1], b"{", "begin of the problem for %r: %r" % (head[:60], answer[:400]))
            problem = json.loads(body)
            equal(problem["code"], code, "code for %r" % head[:60])
            equal(CONTRACT.faults({"$ref": "#/components/schemas/Problem"}, problem), [], "problem")


def test_no_request_hides_behind_a_refused_one(program):
    inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with Place(program) as place, place.serve() as server:
        for head in (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
                     b"Content-Length : 2\r\n", b"Transfer-Encoding: chunked, gzip\r\n"):
            answer = server.raw(b"POST /v1/score HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n" + inner)
            equal(answer.count(b"HTTP/1.1 "), 1, "answers to %r" % head)
            equal(b"\r\nConnection: close" in answer, True, "Connection: close")


def test_a_slow_request_is_given_up(program):
    with Place(program) as place, place.serve("--request-timeout", "300ms") as server:
        for part in (b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"):
            answer = server.raw(part)        # the server ends it, for we do not
            equal(answer.startswith(b"HTTP/1.1 408 "), True, "answer %r" % answer[:100])
            equal(b'"code":"request_timeout"' in answer, True, "code")


def test_too_many_connections(program):
    with Place(program) as place, place.serve("--max-connections", "3") as server:
        held = [socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) for _ in range(3)]
        try:
            for one in held:                 # taken for certain once they are answered
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                equal(one.recv(4096).startswith(b"HTTP/1.1 200 "), True, "one of three")
            answer = server.raw(b"")
            equal(answer.startswith(b"HTTP/1.1 503 "), True, "the fourth: %r" % answer[:100])
            equal(b"\r\nRetry-After: " in answer and b'"code":"not_ready"' in answer, True,
                  "Retry-After and code")
        finally:
            for one in held:
                one.close()
        until(lambda: server.raw(b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 "),
              "a place to be free again")


run(globals())
