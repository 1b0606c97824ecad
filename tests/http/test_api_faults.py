"""Requests that are refused: bodies that are no JSON, too large, of the wrong
type, or do not say what they should. Every finding, at its place."""

import json
import time

from harness import ICPS, Place, equal, expect, run
from test_api_score import Scoring, definition

MIB = 1 << 20
SLOW_S = 15                  # a sanitizer needs a few, quadratic work would need minutes


def test_bodies_that_are_no_json(program):
    # body, byte offset of the fault where there is only one reading of it
    cases = [(b"", 0), (b" ", None), (b"{", None), (b"}", 0), (b"nul", None), (b"tru", None),
             (b'{"lead": {}', 11), (b'{"lead": {}} x', 13), (b'{"lead": {}}{}', 12),
             (b"{'lead': {}}", 1), (b'{lead: {}}', 1), (b'{"lead": {},}', 12),
             (b'{"lead": [1,]}', 12), (b'{"lead" {}}', 8), (b'{"lead": {"a": 01}}', None),
             (b'{"lead": {"a": +1}}', 15), (b'{"lead": {"a": .5}}', 15),
             (b'{"lead": {"a": 1.}}', None), (b'{"lead": {"a": 1e}}', None),
             (b'{"lead": {"a": -}}', None), (b'{"lead": {"a": 0x1}}', None),
             (b'{"lead": {"a": NaN}}', 15), (b'{"lead": {"a": Infinity}}', 15),
             (b'{"lead": {"a": "\x01"}}', 16), (b'{"lead": {"a": "\n"}}', 16),
             (b'{"lead": {"a": "\\x"}}', None), (b'{"lead": {"a": "\\u12"}}', None),
             (b'{"lead": {"a": "\\ud83c"}}', None), (b'{"lead": {"a": "\\udfed\\ud83c"}}', None),
             (b'{"lead": {"a": "\\ud83cx"}}', None), (b'{"lead": {"a": "\xff"}}', 16),
             (b'{"lead": {"a": "\xc3"}}', None), (b'{"lead": {"a": "\xc0\x80"}}', 16),
             (b'{"lead": {"a": "\xed\xa0\x80"}}', 16), (b'{"lead": {"a": "\xf4\x90\x80\x80"}}', 16),
             (b'{"lead": {"a": "', None), (b'{"lead": {"\\u0000": 1}}', None),
             (b'\xef\xbb\xbf{"lead": {}}', 0), (b'{"lead": {}}\x00', 12), (b'\x00{"lead": {}}', 0),
             (b'{"lead": {"a": 1, "a": 2}}', None), (b'{"lead": {}, "lead": {}}', None),
             (b'{"lead": {"a": 1, "\\u0061": 2}}', None), (b'{"lead": /* */ {}}', 9),
             (b'{"lead": {}}\x0c', 12), (b'{"lead":\xc2\xa0{}}', 8), (b"%", 0),
             ("{“lead”: {}}".encode("utf-8"), 1), ('{"lead": {}}'.encode("utf-16"), 0)]
    with Scoring(program, files=ICPS[:1]) as client:
        for path in ("/v1/score", "/v1/explain"):
            for body, offset in cases:
                try:
                    answer = expect(client.post(path, body), 400, "invalid_json")
                    (fault,) = answer.json["errors"]
                    equal(fault["code"], "invalid_json", "code")
                    equal(0 <= fault["offset"] <= len(body), True, "offset %d" % fault["offset"])
                    if offset is not None:
                        equal(fault["offset"], offset, "offset")
                except AssertionError as trouble:
                    raise AssertionError("%r: %s" % (body, trouble)) from None
        doubled = client.post("/v1/score", b'{"lead": {"x": {"a": 1, "a": 2}}}').json["errors"][0]
        equal(doubled["pointer"], "/lead/x/a", "pointer to a doubled name")


def test_limits(program):
    def deep(levels):
        return b'{"lead": {"a": ' + b"[" * levels + b"]" * levels + b"}}"

    def names(count):
        return json.dumps({"lead": {"f%d" % at: 1 for at in range(count)}}).encode()

    def elements(count):
        return b'{"lead": {"a": [' + b",".join([b"0"] * count) + b"]}}"

    def digits(count):
        return b'{"lead": {"a": 0.' + b"1" * (count - 2) + b"}}"

    spread = json.dumps({"lead": {"a": [{"x": 1} for _ in range(500)]}}).encode()
    cases = [(deep(62), None), (deep(63), "too_deep"), (deep(5000), "too_deep"),
             (b"[" * 100000, "too_deep"), (b'{"a":' * 100000, "too_deep"),
             (names(500), None), (names(501), "too_many_members"),
             (names(20000), "too_many_members"),
             (spread, "too_many_members"), (elements(10000), None),
             (elements(10001), "too_many_members"), (elements(200000), "too_many_members"),
             (digits(1000), None), (digits(1001), "number_out_of_range"),
             (b'{"lead": {"a": 1e309}}', "number_out_of_range"),
             (b'{"lead": {"a": -1e999999999}}', "number_out_of_range"),
             (b'{"lead": {"a": 1e-400}}', None), (b'{"lead": {"a": 1e308}}', None)]
    with Scoring(program, files=ICPS[:1]) as client:
        for body, code in cases:
            begun = time.monotonic()
            answer = client.post("/v1/score", body)
            if code:
                expect(answer, 400, code)
                (fault,) = answer.json["errors"]
                equal(fault["code"], code, "code in errors")
            else:
                expect(answer, 200)
            equal(time.monotonic() - begun < SLOW_S, True, "quick: %r…" % body[:40])


def test_hostile_bodies_take_no_time(program):
    """About a mebibyte of each; quadratic work would take minutes."""
    size = MIB - 100
    bodies = [b'{"lead": {' + b",".join(b'"%07d":0' % at for at in range(size // 12)) + b"}}",
              b'{"lead": "' + b"\\u0041" * (size // 6) + b'"}', b" " * size,
              b'{"lead": {"a": "' + b"\xf0\x9f\x8f\xad" * (size // 4) + b'"}}',
              b'{"lead": {"company": {"industry": "' + b"a " * (size // 2 - 30) + b'"}}}',
              b'{"lead": {"title": "' + b"\xcc\x81" * (size // 2 - 30) + b'"}}',
              b'{"lead": {"a": ' + b"9" * (size - 30) + b"}}", b'"' * size,
              b"[[],{}," * (size // 7)]
    with Scoring(program) as client:
        for body in bodies:
            begun = time.monotonic()
            answer = client.post("/v1/score", body)
            equal(answer.status in (200, 400, 422), True, "status of %r" % answer)
            equal(time.monotonic() - begun < SLOW_S, True, "%.1f s for %r…" % (
                time.monotonic() - begun, body[:40]))


def test_sizes_of_bodies(program):
    body = b'{"lead": {}}'
    with Place(program) as place:
        place.publish(ICPS[0])
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            expect(client.post("/v1/score", body.ljust(MIB)), 200)
            for more in (MIB + 1, 2 * MIB, 10 * MIB):
                client.close()
                expect(client.post("/v1/score", body.ljust(more)), 413, "body_too_large")
                client.close()
                expect(client.post("/v1/score", chunks(body.ljust(more)), headers={
                    "Transfer-Encoding": "chunked"}), 413, "body_too_large")
            client.close()
            for method, path in (("GET", "/v1/icps"), ("GET", "/healthz"), ("HEAD", "/readyz")):
                answer = client.ask(method, path, b"x")
                expect(answer, 413, "body_too_large" if answer.body else None)
                client.close()
            # announced alone: refused before a byte of it is sent
            head = (b"POST /v1/score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n"
                    b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
            answer = server.raw(head % key.encode())
            equal(answer.startswith(b"HTTP/1.1 413 "), True, "answer %r" % answer[:80])
        with place.serve("--max-body", "2KiB") as server:
            client = server.client(key)
            expect(client.post("/v1/score", body.ljust(2048)), 200)
            expect(client.post("/v1/score", body.ljust(2049)), 413, "body_too_large")


def chunks(body):
    """A body in chunks, as it stands on the wire."""
    parts = [body[at:at + 65536] for at in range(0, len(body), 65536)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_chunked_bodies(program):
    with Scoring(program, files=ICPS[:1]) as client:
        sent = {"Transfer-Encoding": "chunked"}
        expect(client.post("/v1/score", chunks(b'{"lead": {"id": "c"}}'), headers=sent), 200)
        tiny = b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"lead": {}}') + b"0\r\n\r\n"
        expect(client.post("/v1/score", tiny, headers=sent), 200)
        expect(client.post("/v1/score", b"0\r\n\r\n", headers=sent), 400, "invalid_json")


def test_content_types(program):
    good = [None, "application/json", "application/json; charset=utf-8", "Application/JSON",
            "application/json ;charset=UTF-8", "application/vnd.api+json", "application/ld+json"]
    bad = ["text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp",
           "application/xml", "", "json", "application/+json", "application/json/x", "*/*",
           "multipart/form-data; boundary=x", "application/x-ndjson", "text/csv"]
    with Scoring(program, files=ICPS[:1]) as client:
        for path in ("/v1/score", "/v1/explain"):
            for given in good:
                headers = {} if given is None else {"Content-Type": given}
                answer = client.post(path, b'{"lead": {}}', headers=headers)
                equal(answer.status, 200 if path == "/v1/score" else 422,
                      "%s as %s" % (path, given))
            for given in bad:
                expect(client.post(path, b'{"lead": {}}', headers={"Content-Type": given}),
                       415, "unsupported_media_type")
            for encoding in ("gzip", "br", "deflate"):
                expect(client.post(path, b'{"lead": {}}', headers={"Content-Encoding": encoding}),
                       415, "unsupported_media_type")
        expect(client.post("/v1/score", b'{"lead": {}}', headers={"Content-Encoding": "identity"}),
               200)


# ------------------------------------------------------------ findings


def test_requests_that_say_the_wrong_thing(program):
    cases = [([], [("", "wrong_type")]), ("x", [("", "wrong_type")]), (7, [("", "wrong_type")]),
             (True, [("", "wrong_type")]), ({}, [("/lead", "required")]),
             ({"lead": []}, [("/lead", "wrong_type")]), ({"lead": "x"}, [("/lead", "wrong_type")]),
             ({"lead": {}, "Lead": {}}, [("/Lead", "unknown_member")]),
             ({"lead": {}, "definition": {}}, [("/definition", "unknown_member")]),
             ({"lead": {}, "": 1, "a/b~c": 2},
              [("/", "unknown_member"), ("/a~1b~0c", "unknown_member")]),
             ({"lead": {}, "explain": "Full"}, [("/explain", "invalid_value")]),
             ({"lead": {}, "explain": ""}, [("/explain", "invalid_value")]),
             ({"lead": {}, "explain": 1}, [("/explain", "wrong_type")]),
             ({"lead": {}, "record": "true"}, [("/record", "wrong_type")]),
             ({"lead": {}, "record": 1}, [("/record", "wrong_type")]),
             ({"lead": {"id": []}, "icps": [7, "x y"], "as_of": "then", "explain": "all",
               "record": 0, "ice": 1, "fields": 2},
              [("/lead/id", "wrong_type"), ("/icps/0", "wrong_type"), ("/icps/1", "invalid_key"),
               ("/as_of", "invalid_date"), ("/explain", "invalid_value"), ("/record", "wrong_type"),
               ("/ice", "unknown_member"), ("/fields", "unknown_member")])]
    with Scoring(program, files=ICPS[:1]) as client:
        for body, errors in cases:
            answer = expect(client.post("/v1/score", body), 422, "invalid_request", errors=errors)
            for one in answer.json["errors"]:
                equal(one["detail"] != "" and "offset" not in one, True, "a detail, no offset")
        hint = client.post("/v1/score", {"lead": {}, "explane": "full"}).json["errors"][0]["detail"]
        equal("explain" in hint, True, "what was meant: " + hint)
        expect(client.post("/v1/score", b"null"), 422, "invalid_request",
               errors=[("", "wrong_type")])
        expect(client.post("/v1/score", b'{"lead": null}'), 422, "invalid_request",
               errors=[("/lead", "wrong_type")])


def test_requests_to_explain_that_say_the_wrong_thing(program):
    whole = definition("whole")
    cases = [({}, [("/lead", "required"), ("/definition", "required")]),
             ({"lead": {}}, [("/definition", "required")]),
             ({"definition": whole}, [("/lead", "required")]),
             ({"lead": {}, "definition": whole, "icps": []}, [("/icps", "unknown_member")]),
             ({"lead": {}, "definition": whole, "record": False}, [("/record", "unknown_member")]),
             ({"lead": {"id": True}, "definition": whole, "as_of": 1},
              [("/lead/id", "wrong_type"), ("/as_of", "wrong_type")])]
    with Scoring(program, files=None) as client:
        for body, errors in cases:
            expect(client.post("/v1/explain", body), 422, "invalid_request", errors=errors)


def test_faults_of_request_and_definition_are_told_together(program):
    whole = definition("whole", framework="none")
    with Scoring(program, files=None) as client:
        answer = client.post("/v1/explain", {"lead": {"id": True}, "as_of": "x",
                                             "definition": whole})
        expect(answer, 422, errors=[("/lead/id", "wrong_type"), ("/as_of", "invalid_date"),
                                    ("/definition/framework", "invalid_value")])


def test_findings_are_all_told_and_bounded(program):
    whole = definition("whole")
    whole["attributes"] = [dict(whole["attributes"][0], key="k%d" % at, weight=0, axis="x")
                           for at in range(120)]
    with Scoring(program, files=None) as client:
        answer = expect(client.post("/v1/explain", {"lead": {}, "definition": whole}),
                        422, "invalid_definition")
        equal(len(answer.json["errors"]), 200, "the first 200 findings")
        equal("240" in answer.json["detail"], True, "how many: " + answer.json["detail"])


def test_a_refused_request_leaves_the_connection_good(program):
    with Scoring(program, files=ICPS[:1]) as client:
        for _ in range(3):
            expect(client.post("/v1/score", b"{"), 400)
            expect(client.post("/v1/score", {"lead": 1}), 422)
            held = client.connection
            expect(client.post("/v1/score", {"lead": {}}, key="lf_no"), 401)
            expect(client.post("/v1/nothing", {"lead": {}}), 404)
            expect(client.post("/v1/score", {"lead": {}}), 200)
            equal(client.connection is held, True, "the same connection")


run(globals())
