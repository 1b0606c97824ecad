"""A server's life: starting, running beside others, the log, stopping in order."""

import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from harness import DEADLINE_S, ICPS, Place, equal, expect, run, until
from load import Load, check_all_found
from test_api_score import definition


def head(method, path, key, body=b""):
    return ("%s %s HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\nContent-Length: %d\r\n\r\n" % (
        method, path, key, len(body))).encode("ascii")


def receive_all(connection):
    answer = b""
    while True:
        got = connection.recv(65536)
        if not got:
            return answer
        answer += got


# -------------------------------------------------------------- stopping


def test_sigterm_under_load_loses_nothing(program):
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key = place.key()
        known = {}
        for round_ in range(3):
            server = place.serve()
            load = Load(server, key)
            load.wait_for(200)
            equal(server.stop(), 0, "exit code, log: " + server.log_text())
            load.end()
            known.update({"%d %s" % (round_, lead): one for lead, one in load.acknowledged.items()})
            with place.serve() as server:
                check_all_found(server, key, known)
        place.command("check", "--db", place.db)


def test_what_is_in_flight_is_answered(program):
    """Requests whose head has arrived become whole after SIGTERM."""
    body = b'{"lead": {"id": "late", "points": 7}}'
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key = place.key()
        server = place.serve()
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, DEADLINE_S) as half, \
                socket.create_connection(address, DEADLINE_S) as ready, \
                socket.create_connection(address, DEADLINE_S) as idle:
            half.sendall(head("POST", "/v1/score", key, body) + body[:10])
            ready.sendall(b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n")
            idle.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            equal(idle.recv(4096).startswith(b"HTTP/1.1 200 "), True, "ready before")
            server.process.send_signal(signal.SIGTERM)
            until(lambda: '"stopping"' in server.log_text(), "the log to say so")
            equal(receive_all(idle), b"", "an idle connection is closed without a word")
            half.sendall(body[10:])
            answer = receive_all(half)
            equal(answer.startswith(b"HTTP/1.1 200 "), True, "answer %r" % answer[:200])
            equal(b"\r\nConnection: close\r\n" in answer, True, "Connection: close")
            said = answer.partition(b"\r\n\r\n")[2]
            ready.sendall(b"\r\n{\"lead\":1")
            answer = receive_all(ready)
            equal(answer.startswith(b"HTTP/1.1 401 "), True, "answer %r" % answer[:200])
        equal(server.wait(), 0, "exit code")
        with place.serve() as server:
            check_all_found(server, key, {"late": said})


def test_a_stop_does_not_wait_for_many_long_lists(program):
    """Large lists under way, and waiting for the desk: each is put, or refused and not there at all."""
    body = "\n".join("%06d.example" % at for at in range(200000))
    with Place(program) as place:
        key, answers = place.key("admin"), {}
        server = place.serve("--shutdown-timeout", "200 ms")

        def put(name):
            client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
            client.request("PUT", "/v1/lists/" + name, body,
                           {"Authorization": "Bearer " + key, "Content-Type": "text/plain"})
            answer = client.getresponse()
            answers[name] = answer.status, json.loads(answer.read())
            client.close()

        begun = time.monotonic()
        put("first")
        alone = time.monotonic() - begun
        threads = [threading.Thread(target=put, args=("list-%d" % at,)) for at in range(16)]
        for thread in threads:
            thread.start()
        until(lambda: len(answers) > 1, "one of them to be done")
        begun = time.monotonic()
        equal(server.stop(), 0, "exit code, log: " + server.log_text())
        took = time.monotonic() - begun
        for thread in threads:
            thread.join(DEADLINE_S)
        equal(len(answers), 17, "answers")
        there = {name for name, (status, _) in answers.items() if status == 201}
        equal({(status, said["code"]) for status, said in answers.values() if status != 201},
              {(503, "not_ready")}, "what the others were told")
        equal(took < 8 * alone + 2, True, "stopped after %.1f s, one takes %.1f s" % (took, alone))
        with place.serve() as server:
            lists = expect(server.client(key).get("/v1/lists"), 200).json["lists"]
            equal({one["key"]: one["count"] for one in lists}, dict.fromkeys(there, 200000), "lists")


def test_what_never_gets_whole_is_cut(program):
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key = place.key()
        server = place.serve("--shutdown-timeout", "300ms")
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as half:
            half.sendall(head("POST", "/v1/score", key, b"x" * 50) + b'{"lead"')
            server.process.send_signal(signal.SIGTERM)
            answer = receive_all(half)
            equal(answer.startswith(b"HTTP/1.1 408 ") or answer == b"", True,
                  "answer %r" % answer[:100])
        equal(server.wait(), 0, "exit code, log: " + server.log_text())


def test_nothing_is_taken_after_the_end(program):
    with Place(program) as place:
        server = place.serve()
        equal(server.stop(), 0, "exit code")
        try:
            socket.create_connection(("127.0.0.1", server.port), 5).close()
            raise AssertionError("still listening")
        except ConnectionRefusedError:
            pass
        events = [json.loads(line)["event"] for line in server.log_text().splitlines()]
        equal([one for one in events if one in ("ready", "stopping", "stopped")],
              ["ready", "stopping", "stopped"], "events")


def test_sigint_stops_and_sighup_does_not(program):
    with Place(program) as place:
        server = place.serve()
        server.process.send_signal(signal.SIGHUP)
        until(lambda: '"reloaded"' in server.log_text(), "the log to say so")
        expect(server.client().get("/healthz"), 200)
        server.process.send_signal(signal.SIGINT)
        equal(server.wait(), 0, "exit code")


# ---------------------------------------------------- beside each other


def test_two_servers_on_one_database(program):
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key = place.key()
        with place.serve() as server:
            for arguments in (("serve", "--listen", "127.0.0.1:0"),
                              ("keys", "create", "--name", "x", "--scopes", "score"),
                              ("keys", "revoke", key[3:11]), ("icp", "import", *ICPS[:1])):
                out, trouble = place.command(*arguments, "--db", place.db, code=1)
                equal((out, place.db in trouble, trouble.count("\n")), ("", True, 1),
                      "%s says in one line: %s" % (arguments[0], trouble))
                equal("server" in trouble and ("API" in trouble or "/v1/" in trouble), True,
                      "clear words, and what to call: " + trouble)
            server.client(key).score({"points": 1})
        place.key()                  # and once it has ended, all is free again
        with place.serve() as server:
            server.client(key).score({"points": 1})


def test_reading_commands_beside_a_server(program):
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key = place.key()
        with place.serve() as server:
            server.client(key).score({"points": 1})
            for arguments in (("icp", "list"), ("keys", "list"), ("icp", "export", "core-icp"),
                              ("check",)):
                place.command(*arguments, "--db", place.db)
            backup = place.path("copy.db")
            place.command("backup", "--db", place.db, backup)
            server.client(key).score({"points": 2})
        place.command("check", "--db", backup)


def test_a_port_that_is_taken(program):
    with Place(program) as one, Place(program) as other, one.serve() as server:
        done = subprocess.run([program, "serve", "--db", other.db, "--listen",
                               "127.0.0.1:%d" % server.port], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=DEADLINE_S, check=False)
        equal((done.returncode in (1, 2), done.stdout), (True, ""), "exit code and output")
        equal(str(server.port) in done.stderr and done.stderr.count("\n") == 1, True,
              "one line with the port: " + done.stderr)


def test_keys_that_end_while_the_server_is_stopped(program):
    with Place(program) as place:
        kept, revoked, expired = place.key(), place.key(), place.key()
        with place.serve() as server:
            for key in (kept, revoked, expired):
                expect(server.client(key).get("/v1/icps"), 200)
        place.command("keys", "revoke", "--db", place.db, revoked[3:11])
        with sqlite3.connect(place.db) as database:
            database.execute("UPDATE api_key SET expires_at_ms = 1 WHERE id = ?", (expired[3:11],))
        database.close()
        with place.serve() as server:
            expect(server.client(kept).get("/v1/icps"), 200)
            for key in (revoked, expired):
                expect(server.client(key).get("/v1/icps"), 401, "unauthorized")


def test_many_connections_at_once(program):
    """Each gets its own answer: load.py looks at every one."""
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key = place.key()
        with place.serve("--threads", "4") as server:
            load = Load(server, key, threads=48)
            load.wait_for(1500)
            load.end()
            equal(load.broken, [], "broken connections")
            check_all_found(server, key, load.acknowledged)


def test_more_than_can_wait(program):
    """A queue of one: who finds it full is told to come again, and nothing is lost."""
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key = place.key()
        with place.serve("--queue", "1", "--batch-max", "1", "--threads", "2") as server:
            found, acknowledged = set(), {}

            def ask(name):
                client = server.client(key)
                for at in range(1000):
                    lead = "%d-%d" % (name, at)
                    answer = client.post("/v1/score", {"lead": {"id": lead}})
                    if answer.status == 200:
                        acknowledged[lead] = answer.body
                    else:
                        found.add((answer.status, answer.json["code"],
                                   answer.headers["Retry-After"]))
                    if found:
                        break
                client.close()

            threads = [threading.Thread(target=ask, args=(at,)) for at in range(32)]
            for one in threads:
                one.start()
            for one in threads:
                one.join(2 * DEADLINE_S)
            equal(found, {(503, "busy", "1")}, "refusals")
            check_all_found(server, key, acknowledged)


# ------------------------------------------------------------------- log


def test_the_log_holds_no_person_and_no_key(program):
    secrets = ["jane.doe@secret.example", "LEAD-ID-4711", "Doe-Secret", "+49 170 5550123"]
    lead = {"id": secrets[1], "email": secrets[0], "last_name": secrets[2], "phone": secrets[3],
            "company": {"employees": 860, "name": secrets[2]}}
    for form in ("json", "text"):
        with Place(program) as place:
            place.publish(*ICPS)
            key, narrow = place.key(), place.key("stats:read")
            with place.serve("--log-requests", "all", "--log-level", "debug", "--log-format",
                             form) as server:
                client = server.client(key)
                name = client.score(lead)["id"]
                for path, body in (("/v1/score", {"lead": lead, secrets[1]: secrets[0]}),
                                   ("/v1/score", {"lead": dict(lead, id={"x": secrets[0]})}),
                                   ("/v1/score", {"lead": lead, "icps": ["doe-secret"]}),
                                   ("/v1/score", {"lead": lead, "as_of": secrets[2]}),
                                   ("/v1/score",
                                    b'{"lead": {"LEAD-ID-4711": 1, "LEAD-ID-4711": 2}}'),
                                   ("/v1/explain", {"lead": lead, "definition": {secrets[2]: 1}})):
                    equal(client.post(path, body).status >= 400, True, "refused")
                for path in ("/v1/scores/" + name, "/v1/scores/" + secrets[1], "/v1/" + secrets[0],
                             "/v1/icps/" + secrets[2], "/v1/icps?email=" + secrets[0]):
                    client.get(path)
                client.get("/v1/icps", key=narrow)
                client.get("/v1/icps", headers={"Authorization": "Bearer lf_" + secrets[1]})
                client.get("/v1/icps", headers={"User-Agent": secrets[0]})
                wrong = key[:-8] + ("0" if key[-8] != "0" else "1") + key[-7:]
                client.get("/v1/icps", key=wrong)
                server.raw(b"GET /" + secrets[1].encode() + b" HTTP/3.9\r\n\r\n")
            log = server.log_text()
            for secret in secrets + [key[11:], narrow[11:], wrong[11:], "doe-secret"]:
                equal(secret.lower() in log.lower(), False, "%s in the log" % secret)
            equal("/v1/scores/{id}" in log and key[3:11] in log, True, "route and the key's id")
            if form == "json":
                lines = [json.loads(line) for line in log.splitlines()]
                asked = [one for one in lines if one["event"] == "request"]
                equal(len(asked) >= 15, True, "%d requests in the log" % len(asked))
                for one in lines:
                    equal({"at", "level", "event"} <= set(one), True, "members of %r" % one)


def test_which_requests_are_logged(program):
    for words, wanted in (("all", 3), ("failed", 1), ("none", 0)):
        with Place(program) as place:
            key = place.key()
            with place.serve("--log-requests", words) as server:
                client = server.client(key)
                client.get("/healthz")
                client.get("/v1/icps/nothing")
                client.get("/v1/icps")
            events = [json.loads(line)["event"] for line in server.log_text().splitlines()]
            equal(events.count("request"), wanted, "requests logged with " + words)


run(globals())
