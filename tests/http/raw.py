"""Raw sockets to echo_server, for test_server.py and test_desk.py: requests as bytes, replies read strictly."""
import json
import os
import signal
import socket
import subprocess
import sys
import time

passed = failed = 0


def check(name, good, told=""):
    global passed, failed
    if os.environ.get("VERBOSE"):
        print("%.1f %s" % (time.monotonic(), name), flush=True)
    if good:
        passed += 1
    else:
        failed += 1
        print("FAILED %s: %s" % (name, str(told)[:600]))


class Server:
    def __init__(self, stderr=None, pass_fds=(), **options):
        command = [sys.argv[1]] + ["%s=%s" % item for item in options.items()]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, pass_fds=pass_fds)
        line = self.process.stdout.readline().split()
        self.port = int(line[1])
        # From 1.0 on the library refuses more by itself, in HTML, before the guard can say it better.
        self.strict_library = not line[2].startswith("0.")

    def connect(self, timeout=10.0):
        s = socket.create_connection(("127.0.0.1", self.port))
        s.settimeout(timeout)
        return s

    def stop(self, wait=20):
        self.process.send_signal(signal.SIGTERM)
        return self.ended(wait)

    def ended(self, wait=20):
        try:
            out = self.process.communicate(timeout=wait)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None, "hung"
        return self.process.returncode, out

    def files(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))


class Reply:
    def __init__(self, status, headers, body, whole):
        self.status, self.headers, self.body, self.whole = status, headers, body, whole

    def problem(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%s %s %s" % (self.status, self.headers, self.body[:200])


def read_reply(stream, head=False):
    """One reply from a buffered socket file; None at the end."""
    line = stream.readline()
    if not line:
        return None
    parts = line.decode("latin-1").split(" ", 2)
    if parts[0] != "HTTP/1.1" or not line.endswith(b"\r\n"):
        return Reply(-1, {}, line, False)
    headers = {}
    while True:
        line = stream.readline()
        if line in (b"\r\n", b""):
            break
        name, value = line.decode("latin-1").split(":", 1)
        key = name.lower()
        if key in headers:
            return Reply(-2, headers, b"doubled header " + line, False)
        headers[key] = value.strip()
    status = int(parts[1])
    if status == 100:
        return Reply(100, headers, b"", True)
    length = 0 if head or status in (204, 304) else int(headers.get("content-length", 0))
    body = stream.read(length)
    return Reply(status, headers, body, len(body) == length)


def talk(server, data, heads=(), timeout=10.0, wait_close=False):
    """Sends, half-closes nothing, reads replies until the server closes or (not wait_close) falls silent."""
    with server.connect(timeout) as s:
        try:
            s.sendall(data)
        except OSError:
            pass
        if not wait_close:
            s.settimeout(0.3)
        replies, closed = [], False
        stream = s.makefile("rb")
        try:
            while True:
                reply = read_reply(stream, head=len(replies) in heads)
                if reply is None:
                    closed = True
                    break
                replies.append(reply)
        except (TimeoutError, socket.timeout):
            pass
        except ConnectionResetError:
            closed = "reset"
        return replies, closed


def request(method, path, body=b"", headers=(), version="HTTP/1.1", host=True, key="good", length=True):
    lines = ["%s %s %s" % (method, path, version)]
    if host:
        lines.append("Host: localhost")
    if key:
        lines.append("Authorization: Bearer " + key)
    if length and (body or method in ("POST", "PUT", "PATCH")):
        lines.append("Content-Length: %d" % len(body))
    lines += headers
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def is_problem(reply, status, code):
    if reply.status != status or reply.headers.get("content-type") != "application/problem+json" or not reply.whole:
        return False
    problem = reply.problem()
    names = ["type", "title", "status", "detail", "instance", "code", "request_id", "errors"]
    return (list(problem) == names and problem["status"] == status and problem["code"] == code
            and isinstance(problem["errors"], list) and problem["request_id"] == reply.headers.get("x-request-id")
            and reply.headers.get("x-content-type-options") == "nosniff"
            and reply.headers.get("cache-control") == "no-store")


def refused(server, name, data, status, code, closes=True):
    """The request is refused with one problem, and what follows it in the stream is never answered."""
    smuggled = b"GET /open HTTP/1.1\r\nHost: smuggled\r\n\r\n"
    for suffix, told in ((b"", ""), (smuggled, " + smuggled")):
        replies, closed = talk(server, data + suffix, wait_close=closes, timeout=5)
        good = len(replies) == 1 and is_problem(replies[0], status, code) and (closed is True or not closes)
        if server.strict_library and closes and closed is True and len(replies) == 1 and 300 <= replies[0].status < 506:
            good = True
        # From 1.0 on the library unfolds header lines before we see them, as RFC 9112 (5.2) allows: then there is one
        # plain reading of the request, and what follows its body is the next request and nothing smuggled.
        if server.strict_library and "folded" in name and replies and all(r.status < 500 for r in replies):
            good = True
        if suffix and not closes:
            continue
        check(name + told, good, (replies, closed))


def one(server, data, **options):
    replies, _ = talk(server, data, **options)
    return replies[0] if replies else Reply(0, {}, b"", False)


def quick(server, method, path):
    """One reply on a connection of its own, without waiting whether more comes."""
    return one(server, request(method, path, headers=["Connection: close"]), wait_close=True)


def hang_up(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()


def report():
    """Prints the count; what the program exits with."""
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0
