#!/usr/bin/env python3
"""Drives echo_server over raw sockets: what a route may say of its bodies (kind, size, method), and the desk, where slow
handlers run: its answers, its order, its bound, clients that hang up, stopping with work under way.

    test_desk.py PATH/TO/echo_server

Prints a line for each failure and closes with `N passed, N failed`; exits 1 when any failed.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time

from raw import Server, check, hang_up, is_problem, one, quick, read_reply, refused, report, request, talk


# ---- bodies and methods ----

def test_body_kinds(server):
    kinds = [("none", None), ("application/json", "json"), ("application/vnd.x+json; a=b", "json"),
             ("text/plain", "text"), ("Text/Plain; charset=utf-8", "text"), ("text/plainer", ""), ("text/html", ""),
             ("application/x-ndjson", "lines"), ("application/x-ndjson; charset=utf-8", "lines"), ("application/ndjson", "")]
    for path, taken, told in [("/v1/echo", "json", "application/json"), ("/v1/desk", "json text", "text/plain"),
                              ("/v1/lines", "json lines", "application/x-ndjson")]:
        for kind, is_a in kinds:
            headers = [] if is_a is None else ["Content-Type: " + kind]
            reply = one(server, request("POST", path, b"a\r\nb\n", headers))
            if is_a is None or (is_a and is_a in taken):
                good = reply.status == 200 and reply.body == b"a\r\nb\n" and reply.headers.get("x-type", kind) == kind
            else:
                good = is_problem(reply, 415, "unsupported_media_type") and told in reply.problem()["detail"]
            check("%s takes %s" % (path, kind), good, reply)


def test_methods(server):
    for lane in ("/v1", "/v1/desk"):
        for method in ("PUT", "PATCH"):
            for body in (b"", b"{}", b"x" * 70000):
                reply = one(server, request(method, lane + "/items/k?a=1", body))
                check("%s %s with %d bytes" % (method, lane, len(body)), reply.status == 200 and
                      (lane == "/v1" or reply.body == body), reply)
            head = request(method, lane + "/items/k", headers=["Transfer-Encoding: chunked"], length=False)
            check("%s %s in chunks" % (method, lane), one(server, head + b"2\r\n{}\r\n0\r\n\r\n").status == 200)
            check("%s %s without a length" % (method, lane),
                  one(server, request(method, lane + "/items/k", length=False)).status == 200)
            check("%s %s with another type" % (method, lane), is_problem(
                one(server, request(method, lane + "/items/k", b"a", ["Content-Type: text/plain"])), 415, "unsupported_media_type"))
        for headers in ([], ["Content-Length: 0"], ["Content-Type: application/json", "Content-Length: 0"]):
            reply = one(server, request("DELETE", lane + "/items/k", headers=headers))
            check("DELETE %s %s" % (lane, headers), reply.status == (200 if lane == "/v1" else 204), reply)
        check("DELETE %s with a body" % lane, is_problem(one(server, request("DELETE", lane + "/items/k", b"{}")), 413, "body_too_large"))
        refused(server, "DELETE %s with a chunked body" % lane, request("DELETE", lane + "/items/k", headers=["Transfer-Encoding: chunked"])
                + b"1\r\na\r\n0\r\n\r\n", 413, "body_too_large")


def resident(server):
    with open("/proc/%d/status" % server.process.pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def answered(server, data):
    """The answer to what may take a while to send."""
    with server.connect() as s:
        s.sendall(data)
        return read_reply(s.makefile("rb"))


def test_route_limits(server):
    large = 8 * 1024 * 1024
    body = bytes(i * 7 % 251 for i in range(large + 1))
    total = 0
    for byte in body[:large]:
        total = (total * 31 + byte) % 2 ** 64
    for path in ("/v1/measured", "/v1/desk/measured"):
        reply = answered(server, request("PUT", path, body[:large]))
        check(path + " at the route's limit", reply.status == 200 and json.loads(reply.body) ==
              {"bytes": large, "sum": total % 1000000007}, reply)
        head = request("PUT", path, headers=["Transfer-Encoding: chunked"], length=False)
        pieces = [body[i:i + 65536] for i in range(0, large, 65536)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        reply = answered(server, head + chunks + b"0\r\n\r\n")
        check(path + " in chunks up to it", reply.status == 200 and json.loads(reply.body)["sum"] == total % 1000000007, reply)
        replies, closed = talk(server, head + chunks + b"1\r\na\r\n", wait_close=True)
        check(path + " in chunks past it", len(replies) == 1 and is_problem(replies[0], 413, "body_too_large") and
              str(large) in replies[0].problem()["detail"] and closed is True, (replies, closed))
        started = time.monotonic()
        replies, closed = talk(server, request("PUT", path, headers=["Content-Length: %d" % (large + 1)], length=False),
                               wait_close=True)
        check(path + " above it, before the body", len(replies) == 1 and is_problem(replies[0], 413, "body_too_large") and
              closed is True and time.monotonic() - started < 3, (replies, closed))
    check("a smaller limit", one(server, request("POST", "/v1/small", b"0123456789")).status == 200)
    check("above a smaller limit", is_problem(one(server, request("POST", "/v1/small", b"0123456789a")), 413, "body_too_large"))
    with open("/proc/%d/maps" % server.process.pid) as f:
        sanitized = "san.so" in f.read() or resident(server) > 400000
    if not sanitized and "san" not in os.path.basename(sys.argv[1]):
        for _ in range(20):
            answered(server, request("PUT", "/v1/measured", body[:large]))
        check("large bodies are not kept", resident(server) < 100000, resident(server))


# ---- the desk ----

def state_of(server):
    return json.loads(quick(server, "GET", "/v1/state").body)


def until(server, name, number):
    for _ in range(500):
        if state_of(server)[name] >= number:
            return True
        time.sleep(0.01)
    return False


def hold(server, *names):
    """Sends requests that wait at the desk, one after another; the answer in between shows that each has been read."""
    sent = []
    for name in names:
        s = server.connect()
        s.sendall(request("GET", "/v1/held/%s?a=%s" % (name, name)))
        quick(server, "GET", "/open")
        sent.append(s)
    return sent


def release(server, n):
    check("release", quick(server, "POST", "/v1/release?n=%d" % n).status == 204)


def test_desk_replies(server):
    for _ in range(4):
        reply = one(server, request("POST", "/v1/desk?ms=5", b"{}", ["X-Request-Id: mine"]))
        check("headers from the desk", reply.status == 200 and reply.body == b"{}" and reply.headers.get("x-thread") == "lf-desk"
              and reply.headers.get("x-signals") == "blocked" and reply.headers.get("x-scratch") == "empty" and
              reply.headers.get("x-request-id") == "mine" and reply.headers.get("cache-control") == "no-store", reply)
    reply = one(server, request("GET", "/v1/desk/items/k%20k?a=x"))
    check("what a handler reads at the desk", reply.status == 200 and json.loads(reply.body)["key"] == "k k" and
          json.loads(reply.body)["who"] == "id-good" and json.loads(reply.body)["a"] == "x", reply)
    for data, status, code in [
            (request("GET", "/v1/desk/items/k?c=1"), 400, "invalid_parameter"), (request("GET", "/v1/desk/nothing"), 500, "internal"),
            (request("GET", "/v1/desk/busy"), 503, "busy"), (request("GET", "/v1/desk/items/k", key="bad"), 401, "unauthorized"),
            (request("POST", "/v1/desk/findings", b"{}"), 422, "invalid_definition"),
            (request("POST", "/v1/desk/items/k", b"{}"), 405, "method_not_allowed")]:
        reply = one(server, data)
        check("from the desk: %d %s" % (status, code), is_problem(reply, status, code), reply)
    check("a body that failed at the desk", one(server, request("GET", "/v1/desk/failed")).problem()["code"] == "out_of_memory")
    reply = one(server, request("DELETE", "/v1/desk/items/k"))
    check("204 from the desk", reply.status == 204 and reply.headers.get("etag") == '"1"', reply)
    replies, _ = talk(server, request("HEAD", "/v1/desk/items/k") + request("GET", "/v1/desk/items/k"), heads=(0,))
    check("HEAD at the desk", [r.status for r in replies] == [200, 200] and
          replies[0].headers["content-length"] == replies[1].headers["content-length"], replies)
    reply = one(server, request("GET", "/v1/desk/large?bytes=3000000"), wait_close=True, timeout=1)
    check("3 MB from the desk", reply.status == 200 and len(reply.body) == 3000000)
    many = b"".join(request("POST", "/v1/desk", b"%d" % i) + request("POST", "/v1/echo", b"e%d" % i) for i in range(50))
    replies, _ = talk(server, many)
    check("pipelined through the desk", [r.body for r in replies] == [b"%s%d" % (e, i) for i in range(50) for e in (b"", b"e")],
          len(replies))


def test_desk():
    server = Server(threads=1, desk=1, queue=3)
    before = server.files()
    sent = hold(server, "a")
    check("the first is at work", until(server, "started", 1))
    sent += hold(server, "b", "c", "d")
    started = time.monotonic()
    good = all(one(server, request("POST", "/v1/later", b"{}"), timeout=5).status == 200 for _ in range(5))
    with server.connect() as s, s.makefile("rb") as stream:
        for _ in range(200):
            s.sendall(request("POST", "/v1/echo", b"quick"))
            good = good and read_reply(stream).body == b"quick"
    check("slow work at the desk delays nobody else", good and time.monotonic() - started < 4, time.monotonic() - started)
    reply = quick(server, "GET", "/v1/held/e")
    check("one too many for the desk", is_problem(reply, 503, "busy") and reply.headers.get("retry-after") == "1", reply)
    check("one thread, one at a time", state_of(server) == {"started": 1, "ended": 0, "order": "a"}, state_of(server))
    release(server, 4)
    check("all are answered", [json.loads(read_reply(s.makefile("rb")).body)["key"] for s in sent] == ["a", "b", "c", "d"])
    check("in the order in which they came", state_of(server)["order"] == "abcd", state_of(server))
    release(server, 1)
    check("the desk is free again", quick(server, "GET", "/v1/held/f").status == 200)
    for s in sent:
        s.close()
    # Hanging up: with one at work and two in the queue, then as the answer comes, then behind a pipelined request.
    sent = hold(server, "g", "h", "i")
    sent[0].sendall(request("GET", "/open"))
    for s in sent:
        hang_up(s)
    quick(server, "GET", "/open")
    check("a handler is not ended by its client's end", state_of(server)["ended"] == 5, state_of(server))
    release(server, 3)
    check("each runs to its end", until(server, "ended", 8), state_of(server))
    for i in range(40):
        s = server.connect()
        s.sendall(request("POST", "/v1/desk?ms=%d" % (i % 3), b"x" * 3000))
        hang_up(s) if i % 2 else s.close()
    for _ in range(500):
        if server.files() <= before:
            break
        time.sleep(0.02)
    check("hung-up clients leave no file", server.files() <= before, (before, server.files()))
    code, out = server.stop()
    check("stops after them", code == 0, (code, out))

    # All at once, on several threads: every one is answered with its own.
    server, wrong = Server(threads=3, desk=4, queue=256), []

    def client(number):
        with server.connect() as s:
            stream = s.makefile("rb")
            for i in range(60):
                body = b"%d/%d" % (number, i)
                s.sendall(request("POST", ("/v1/desk", "/v1/desk?ms=1", "/v1/echo", "/v1/later")[i % 4], body))
                reply = read_reply(stream)
                if reply is None or reply.status != 200 or i % 4 < 3 and reply.body != body:
                    wrong.append(reply)

    threads = [threading.Thread(target=client, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("a crowd at the desk", not wrong, wrong[:3])
    check("stops after the crowd", server.stop()[0] == 0)
    for options, told in [({"desk": 0}, "threads of the desk"), ({"desk": 17}, "threads of the desk"), ({"queue": 0}, "wait for the desk")]:
        refusal = subprocess.run([sys.argv[1]] + ["%s=%d" % item for item in options.items()], capture_output=True, text=True,
                                 timeout=10)
        check("desk options %s" % options, refusal.returncode == 1 and told in refusal.stderr, refusal)


def test_desk_drain():
    # Time for all of it: what is at the desk and in its queue is done. No time: what has begun is done, and what still
    # waits is told so. Each is told that its connection ends.
    for drain_ms in (5000, 0):
        server = Server(threads=2, desk=1, queue=8, drain_ms=drain_ms)
        sent = [server.connect() for _ in range(3)]
        gone = server.connect()
        for s in sent + [gone]:
            s.sendall(request("POST", "/v1/desk?ms=500", b"late"))
            quick(server, "GET", "/open")
        hang_up(gone)
        server.process.send_signal(signal.SIGTERM)
        replies = [read_reply(s.makefile("rb")) for s in sent]
        done = [r for r in replies if r and r.status == 200 and r.body == b"late"]
        refused_ones = [r for r in replies if r and is_problem(r, 503, "not_ready")]
        check("all at the desk is answered, drain_ms=%d" % drain_ms, len(done) + len(refused_ones) == 3 and
              (len(done) == 3 if drain_ms else done and refused_ones), replies)
        check("and told to close, drain_ms=%d" % drain_ms,
              all(r and r.headers.get("connection", "").lower() == "close" for r in replies), replies)
        code, out = server.ended()
        check("stops behind the desk, drain_ms=%d" % drain_ms, code == 0 and "cut 0 " in out, (code, out))
        for s in sent:
            s.close()


def main():
    server = Server(body=100000)
    for test in (test_body_kinds, test_methods, test_route_limits, test_desk_replies):
        test(server)
    code, out = server.stop()
    check("stops", code == 0, (code, out))
    test_desk()
    test_desk_drain()
    return report()


if __name__ == "__main__":
    sys.exit(main())
