"""What the HTTP tests share: the real program on a free port, a client that
holds every answer against schema/openapi.json, and the running of tests.

A test is a function whose name begins with test_, in a module that ends with
`run(globals())`; what it takes is the path of the leadfit program. Waiting is polling
with a deadline, never a pause for luck.
"""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from contract import ROOT, Contract

DEADLINE_S = 30              # for anything that should take no time at all
CONTRACT = Contract()
ICPS = sorted(os.path.join(ROOT, "config", "icps", name)
              for name in os.listdir(os.path.join(ROOT, "config", "icps")))
ALL_SCOPES = "score,icp:read,leads:read"


def until(condition, what, deadline_s=DEADLINE_S):
    """Polls until the condition gives something true, and gives that back."""
    end = time.monotonic() + deadline_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError("%s: expected %s, got %s" % (
            what or "value", short(expected), short(found)))


def short(value):
    text = repr(value)
    return text if len(text) <= 600 else text[:600] + " …"


def pairs(body):
    """JSON as lists of pairs with the numbers as they are written: what is equal
    in this form is the same to the last digit and in the same order."""
    return json.loads(body, object_pairs_hook=list, parse_float=str, parse_int=str)


# ------------------------------------------------------------- program


class Place:
    """A folder of a test's own, with a database in it."""

    def __init__(self, program, db=None):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="leadfit-http-")
        self.db = db or os.path.join(self.folder, "leadfit.db")

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def command(self, *arguments, code=0):
        """Runs a command and gives its standard output and error."""
        done = subprocess.run([self.program, *arguments], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, timeout=DEADLINE_S, check=False)
        if done.returncode != code:
            raise AssertionError("leadfit %s: exit code %d\n%s%s" % (
                " ".join(arguments)[:600], done.returncode, done.stdout[-1000:],
                done.stderr[-2000:]))
        return done.stdout, done.stderr

    def publish(self, *files):
        self.command("icp", "import", "--db", self.db, *files)

    def publish_definition(self, definition):
        self.publish(self.path(definition["key"] + ".json", definition))

    def key(self, scopes=ALL_SCOPES, name="test"):
        out, _ = self.command("keys", "create", "--db", self.db, "--name", name,
                              "--scopes", scopes)
        return out.strip()

    def put_lists(self, lists):
        """Puts named lists in place by a server of a moment."""
        key = self.key("icp:write", "lists")
        with self.serve() as server:
            client = server.client(key)
            for name, entries in lists.items():
                expect(client.ask("PUT", "/v1/lists/" + name, entries), 201)
            client.close()

    def serve(self, *options, prepare=None):
        """prepare: called in the new process before it becomes leadfit."""
        return Server(self, options, prepare)


class Server:
    """A running leadfit serve. Its log is in `log`, a file's path."""

    def __init__(self, place, options, prepare):
        self.log = os.path.join(place.folder, "serve-%d.log" % time.monotonic_ns())
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [place.program, "serve", "--db", place.db, "--listen", "127.0.0.1:0", *options],
                stdout=subprocess.PIPE, stderr=log, preexec_fn=prepare)
        try:
            self.port = self.read_port()
        except BaseException:
            self.kill()
            raise

    def read_port(self):
        line, end = b"", time.monotonic() + DEADLINE_S
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0, end - time.monotonic()))
            got = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not got:
                raise AssertionError("no ready line, but %r; log: %s" % (line, self.log_text()))
            line += got
        if line.count(b"\n") != 1 or b" ready on http://127.0.0.1:" not in line:
            raise AssertionError("not the ready line: %r" % line)
        return int(line.rsplit(b":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, trouble, *rest):
        if self.process.poll() is None:
            code = self.stop()
            if trouble is None:
                equal(code, 0, "exit code of serve, log: " + self.log_text())

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        return self.wait()

    def wait(self):
        try:
            return self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("serve did not end; log: " + self.log_text()) from None
        finally:
            self.process.stdout.close()

    def client(self, key=None):
        return Client(self.port, key)

    def raw(self, data, shut=False):
        """Sends bytes as they are and reads until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE_S) as connection:
            connection.sendall(data)
            if shut:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                try:
                    got = connection.recv(65536)
                except ConnectionResetError:
                    return answer
                if not got:
                    return answer
                answer += got


# -------------------------------------------------------------- client


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %s" % (self.status, self.body[:800].decode("utf-8", "replace"))


class Client:
    """One connection, kept. Every answer is held against the document."""

    def __init__(self, port, key=None):
        self.port, self.key = port, key
        self.connection = None

    def ask(self, method, path, body=None, headers=None, key=None):
        """body: bytes, or anything else to be sent as JSON."""
        sent = dict(headers or {})
        key = self.key if key is None else key
        if key and not {"Authorization", "X-Api-Key"} & set(sent):
            sent["Authorization"] = "Bearer " + key
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode("utf-8")
            sent.setdefault("Content-Type", "application/json")
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                         timeout=DEADLINE_S)
        try:
            self.connection.request(method, path, body, sent)
            response = self.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
            if response.will_close:
                self.close()
        except BaseException:
            self.close()
            raise
        found = CONTRACT.answer_faults(method, path, answer.status, answer.headers, answer.body)
        found += every_answer_faults(answer)
        if found:
            raise AssertionError("%s %s is not as the document says:\n  %s\n  %r" % (
                method, path, "\n  ".join(found[:10]), answer))
        return answer

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body, **more):
        return self.ask("POST", path, body, **more)

    def score(self, lead, status=200, **more):
        """Scores a lead and gives the parsed answer."""
        answer = self.post("/v1/score", dict(more, lead=lead))
        equal(answer.status, status, "status of %r" % answer)
        return answer.json

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def every_answer_faults(answer):
    found = [] if answer.headers.get("X-Request-Id") else ["no X-Request-Id"]
    if b"null" in answer.body and is_json(answer) and has_null(answer.json):
        found.append("a null")
    if answer.status >= 400 and answer.body:
        problem = answer.json
        if answer.headers.get("Content-Type") != "application/problem+json":
            found.append("a problem of type %s" % answer.headers.get("Content-Type"))
        found += CONTRACT.faults({"$ref": "#/components/schemas/Problem"}, problem)
        said = (problem.get("status"), problem.get("type"), problem.get("instance"),
                problem.get("request_id"))
        name = answer.headers.get("X-Request-Id")
        wanted = (answer.status, "/problems/%s" % problem.get("code"), "/requests/%s" % name, name)
        if said != wanted:
            found.append("a problem that says %r, not %r" % (said, wanted))
    return found


def is_json(answer):
    return answer.headers.get("Content-Type", "").endswith("json")


def has_null(value):
    if isinstance(value, dict):
        value = list(value.values())
    return value is None or (isinstance(value, list) and any(has_null(one) for one in value))


def expect(answer, status, code=None, **more):
    """Holds an answer against a status and a problem's code; `errors` against
    (pointer, code) pairs, in any order."""
    problem = answer.json if answer.body and is_json(answer) else {}
    if answer.status != status or (code and problem.get("code") != code):
        raise AssertionError("expected %d %s, got %r" % (status, code or "", answer))
    if "errors" in more:
        found = sorted((one["pointer"], one["code"]) for one in problem["errors"])
        equal(found, sorted(more["errors"]), "errors of %r" % answer)
    return answer


# --------------------------------------------------------------- tests


def run_module(tests, program):
    """Runs the tests of a module; gives how many passed and failed."""
    passed = failed = 0
    for name, test in list(tests.items()):
        if not name.startswith("test_") or not callable(test):
            continue
        begun = time.monotonic()
        try:
            test(program)
            passed += 1
        except Exception as trouble:     # whatever it is, the next test is run
            failed += 1
            print("FAILED %s.%s after %.1f s: %s" % (
                tests.get("__name__", ""), name, time.monotonic() - begun, trouble))
            if not isinstance(trouble, AssertionError):
                traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
    return passed, failed


def run(tests):
    """The end of a module of tests that can be run by itself."""
    if tests["__name__"] != "__main__":
        return
    if len(sys.argv) != 2:
        sys.exit("usage: %s LEADFIT" % sys.argv[0])
    passed, failed = run_module(tests, os.path.abspath(sys.argv[1]))
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)
