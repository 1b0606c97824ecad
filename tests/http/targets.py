"""Targets of posts that answer as they should, or fail in every way there is.

A Target listens on a free port of 127.0.0.1 and notes each request with its whole
body; how it answers is told by the first part of the path (BEHAVIOURS), or by a
function of one's own. Certificates come from the openssl tool.
"""

import base64
import hashlib
import hmac
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

DEADLINE_S = 60


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.at = time.time()


class Target:
    """behaviour: called with (connection, request); true: the connection stays."""

    def __init__(self, behaviour=None, address="127.0.0.1", port=0, certificate=None, backlog=512):
        self.behaviour = behaviour or by_path
        self.requests, self.connections = [], 0
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.ending = threading.Event()
        self.open = set()
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server((address, port), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.close()

    def url(self, path, scheme="http", host="127.0.0.1"):
        return "%s://%s:%d%s" % (scheme, host, self.port, path)

    def close(self):
        self.ending.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join(DEADLINE_S)
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def seen(self):
        with self.lock:
            return list(self.requests)

    def accept(self):
        while not self.ending.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, plain):
        connection = plain
        try:
            plain.settimeout(DEADLINE_S)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                connection = self.context.wrap_socket(plain, server_side=True)
            buffer = b""
            while True:
                request, buffer = read_request(connection, buffer)
                if request is None:
                    break
                with self.changed:
                    self.requests.append(request)
                    self.changed.notify_all()
                if not self.behaviour(connection, request):
                    break
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(plain)
            try:
                connection.close()
            except OSError:
                pass


def read_request(connection, buffer):
    while b"\r\n\r\n" not in buffer:
        got = connection.recv(65536)
        if not got:
            return None, b""
        buffer += got
    head, _, rest = buffer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
    named = {name.lower(): value for name, value in headers}
    length = int(named.get("content-length", "0"))
    while len(rest) < length:
        got = connection.recv(65536)
        if not got:
            return None, b""
        rest += got
    return Request(method, path, headers, rest[:length]), rest[length:]


def header(request, name):
    found = [value for one, value in request.headers if one.lower() == name.lower()]
    assert len(found) <= 1, "%s comes %d times" % (name, len(found))
    return found[0] if found else None


# ------------------------------------------------------------- answers


def answer(connection, status, body=b"", headers=()):
    head = "HTTP/1.1 %s\r\nContent-Length: %d\r\n" % (status, len(body))
    head += "".join("%s: %s\r\n" % pair for pair in headers)
    connection.sendall(head.encode("latin-1") + b"\r\n" + body)
    return True


def raw(connection, *pieces, pause_s=0.0):
    for piece in pieces:
        connection.sendall(piece)
        if pause_s:
            time.sleep(pause_s)
    return False


def hang(connection):
    """Until the other side has had enough."""
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass
    return False


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def endless(connection, head, piece):
    connection.sendall(head)
    while True:
        connection.sendall(piece)


def by_path(connection, request):
    word = request.path.split("?")[0].split("/")[1]
    return BEHAVIOURS[word](connection, request)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BEHAVIOURS = {
    "ok": lambda c, r: answer(c, "200 OK", b"fine"),
    "created": lambda c, r: answer(c, "201 Created"),
    "nothing": lambda c, r: raw(c, b"HTTP/1.1 204 No Content\r\n\r\n") or True,
    "error": lambda c, r: answer(c, "500 Internal Server Error", b"trouble"),
    "gone": lambda c, r: answer(c, "410 Gone"),
    "bad": lambda c, r: answer(c, "400 Bad Request"),
    "old": lambda c, r: raw(c, b"HTTP/1.0 200 OK\r\n\r\nuntil the end"),
    "chunks": lambda c, r: raw(c, CHUNKED + b"4\r\nfine\r\n0\r\n\r\n") or True,
    "trailers": lambda c, r: raw(c, CHUNKED + b"4\r\nfine\r\n0\r\nX-Sum: 1\r\nRetry-After: 5\r\n\r\n") or True,
    "000": lambda c, r: answer(c, "000 Nothing"),
    "600": lambda c, r: answer(c, "600 Beyond"),
    "999": lambda c, r: answer(c, "999 Denied"),
    "continue": lambda c, r: raw(c, b"HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\n"
                                 b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n") or True,
    "close": lambda c, r: False,
    "reset": lambda c, r: reset(c),
    "hang": lambda c, r: hang(c),
    "hang-in-head": lambda c, r: raw(c, b"HTTP/1.1 200 OK\r\nContent-") or hang(c),
    "hang-in-body": lambda c, r: raw(c, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfine") or hang(c),
    "cut-in-head": lambda c, r: raw(c, b"HTTP/1.1 200 OK\r\nContent-"),
    "cut": lambda c, r: raw(c, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfine"),
    "cut-chunk": lambda c, r: raw(c, CHUNKED + b"40\r\nfine"),
    "cut-chunks": lambda c, r: raw(c, CHUNKED + b"4\r\nfine\r\n"),
    "reset-in-body": lambda c, r: raw(c, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfine") or reset(c),
    "large": lambda c, r: answer(c, "200 OK", b"x" * 65536),
    "larger": lambda c, r: answer(c, "200 OK", b"x" * 65537),
    "huge": lambda c, r: answer(c, "202 Accepted", b"x" * (8 << 20)),
    "endless": lambda c, r: endless(c, CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
    "endless-error": lambda c, r: endless(c, b"HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n",
                                          b"x" * 1024),
    "endless-head": lambda c, r: endless(c, b"HTTP/1.1 200 OK\r\n", b"X-Long: " + b"x" * 1000 + b"\r\n"),
    "endless-continue": lambda c, r: endless(c, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "slow": lambda c, r: raw(c, *(bytes([one]) for one in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"),
                             pause_s=0.002) or True,
    "slower": lambda c, r: raw(c, b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", *([b"x"] * 9000), pause_s=0.05),
    "other": lambda c, r: raw(c, b"SSH-2.0-OpenSSH_9.2\r\n"),
    "text": lambda c, r: raw(c, b"<html>fine</html>"),
    "no-status": lambda c, r: answer(c, "600 Whatever", b"x" * 65537),
    "cookie": lambda c, r: answer(c, "200 OK", headers=[("Set-Cookie", "a=b; Path=/")]),
    "who": lambda c, r: answer(c, "401 Unauthorized", headers=[("WWW-Authenticate", 'Basic realm="x"')]),
    "encoded": lambda c, r: answer(c, "200 OK", b"no gzip at all", [("Content-Encoding", "gzip")]),
}


# --------------------------------------------------------- certificates


class Certificates:
    """A CA of a test's own, and what it has signed: (certificate, key) each."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="leadfit-ca-")
        self.ca, ca_key = self.path("ca.pem"), self.path("ca.key")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", ca_key, "-out", self.ca,
                     "-subj", "/CN=Test CA", "-days", "2")
        names = "DNS:localhost,DNS:hook.test,IP:127.0.0.1,IP:127.0.0.2"
        self.good = self.sign("good", names, 2)
        self.other = self.sign("other", "DNS:other.test", 2)
        self.expired = self.sign("expired", names, -1)
        self.unknown = (self.path("self.pem"), self.path("self.key"))
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.unknown[1],
                     "-out", self.unknown[0], "-subj", "/CN=hook.test", "-days", "2",
                     "-addext", "subjectAltName=" + names)

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=DEADLINE_S)

    def sign(self, name, names, days):
        pem, key, request = (self.path(name + end) for end in (".pem", ".key", ".csr"))
        with open(self.path(name + ".ext"), "w", encoding="ascii") as file:
            file.write("subjectAltName=%s\n" % names)
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=" + name)
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.path("ca.key"),
                     "-CAcreateserial", "-out", pem, "-days", str(days), "-extfile", self.path(name + ".ext"))
        return pem, key


def has_openssl():
    return shutil.which("openssl") is not None


# ------------------------------------------------------ Standard Webhooks


def signature_faults(request, secret, now=None):
    """What is wrong with a request by Standard Webhooks, written from its description. secret: whsec_…"""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    name, stamp = header(request, "webhook-id"), header(request, "webhook-timestamp")
    given = header(request, "webhook-signature")
    if not name or not stamp or not given:
        return ["webhook-id, webhook-timestamp or webhook-signature is missing"]
    found = []
    if not stamp.isdigit() or abs(int(stamp) - (request.at if now is None else now)) > 300:
        found.append("the timestamp %s is not that of the attempt" % stamp)
    said = ("%s.%s." % (name, stamp)).encode("ascii") + request.body
    expected = "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode("ascii")
    if expected not in given.split(" "):
        found.append("the signature %s is not %s" % (given, expected))
    return found
