#!/usr/bin/env python3
"""Subscriptions and the outbox: put, told, paged through, retried, deleted; who is told what
by a receiver of our own, and what is never told again.

usage: test_api_subscriptions.py LEADFIT
"""

import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import sqlite3
import threading
import time
from urllib.parse import quote

from editing import Desk, together
from exposition import Exposition
from harness import Place, equal, expect, run, until
from test_api_leads import path as lead_path
from test_api_score import definition

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PENDING, RETRYING, DELIVERED, FAILED, ERASED = range(5)
URL = "https://hooks.example.invalid/leadfit"
NOW_MS = time.time_ns() // 1000000     # deliveries that ended long ago are swept
LOCAL = ("--allow-private-targets", "yes", "--log-requests", "all", "--log-level", "debug")


def webhook_id(sequence, created_at):
    """As it is said to be made: 48 bits of time, 16 of nothing, 64 of the sequence."""
    at = datetime.datetime.strptime(created_at, "%Y-%m-%dT%H:%M:%S.%f%z")
    number, text = round(at.timestamp() * 1000) << 80 | sequence, ""
    for _ in range(26):
        text, number = ALPHABET[number & 31] + text, number >> 5
    return "msg_" + text


def iso(ms):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + (
        "%03dZ" % (ms % 1000))


class Receiver:
    """A target. It answers with `status`, or with what is first in `next`, and keeps what came."""

    def __init__(self):
        self.status, self.next, self.got, self.secret = 200, [], [], None
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.next.pop(0) if receiver.next else receiver.status
                receiver.got.append((dict(self.headers), body, status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d/hook" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, count):
        until(lambda: len(self.got) >= count, "%d posts" % count)
        return self.got


def check_signature(secret, headers, body):
    """Standard Webhooks' v1, by hand."""
    key = base64.b64decode(secret[len("whsec_"):], validate=True)
    signed = b"%s.%s.%s" % (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    equal(expected in headers["webhook-signature"].split(" "), True, "the signature")


class Out(Desk):
    """A server, with short ways to subscribe."""

    def __init__(self, program, *options, **more):
        super().__init__(program, *(options or LOCAL), **more)

    def put(self, key, body=None, status=None, code=None, **more):
        answer = self.ask("PUT", "/v1/subscriptions/" + key, dict({"url": URL, "events": ["score.recorded"]}, **more)
                          if body is None else body)
        if status is None:
            equal(answer.status in (200, 201), True, "a put: %r" % answer)
        return answer.json if status is None else expect(answer, status, code)

    def show(self, key):
        return self.get("/v1/subscriptions/" + key)

    def deliveries(self, key, query=""):
        return self.get("/v1/subscriptions/%s/deliveries%s" % (key, query))

    def retry(self, key, delivery, status=200, code=None):
        answer = self.ask("POST", "/v1/subscriptions/%s/deliveries/%s/retry" % (key, quote(delivery, safe="")))
        return expect(answer, status, code).json

    def rows(self, sql, *values):
        """Asks or changes the database beside the server."""
        connection = sqlite3.connect(self.place.db, timeout=20)
        try:
            with connection:
                return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def pause(self, key):
        """As three days of failures do it; known to the server from its next start on."""
        self.rows("UPDATE subscription SET state = 1, reason = 'it fails' WHERE key = ?", key)
        self.restart()

    def insert(self, key, count, state=FAILED, at_ms=NOW_MS, attempts="[]", due_ms=0):
        """Puts deliveries there by hand; their ids."""
        [[number]] = self.rows("SELECT id FROM subscription WHERE key = ?", key)
        connection = sqlite3.connect(self.place.db, timeout=20)
        with connection:
            made = [connection.execute(
                "INSERT INTO delivery (subscription_id, type, at_ms, lane, state, due_ms, attempts, data)"
                " VALUES (?, 0, ?, 0, ?, ?, ?, '{}')", (number, at_ms + at, state, due_ms, attempts)).lastrowid
                for at in range(count)]
        connection.close()
        return made

    def actions(self):
        return [(entry["action"], entry["subject"], entry["key"]) for entry in self.audit()]


# ---------------------------------------------------------------------- the life


def test_life(program):
    with Out(program, "--log-requests", "all") as desk:
        equal(desk.get("/v1/subscriptions"), {"subscriptions": []})
        answer = desk.ask("PUT", "/v1/subscriptions/crm", {
            "url": URL, "events": ["icp.published", "score.grade_changed"], "icp": "b2b-saas", "grades": ["A", "DQ"]})
        expect(answer, 201)
        equal(answer.headers["Location"], "/v1/subscriptions/crm")
        made = answer.json
        equal(made["secret"][:6], "whsec_")
        equal(len(base64.b64decode(made["secret"][6:], validate=True)), 32, "bytes of a secret")
        equal(made, {"key": "crm", "url": URL, "events": ["score.grade_changed", "icp.published"], "icp": "b2b-saas",
                     "grades": ["A", "DQ"], "state": "active", "reason": "", "secret": made["secret"], "waiting": 0,
                     "oldest_waiting_at": "", "failing_since": "", "delivered_at": "",
                     "created_at": made["created_at"], "updated_at": made["created_at"]})
        equal(list(made), ["key", "url", "events", "icp", "grades", "state", "reason", "secret", "waiting",
                           "oldest_waiting_at", "failing_since", "delivered_at", "created_at", "updated_at"], "order")
        kept = dict(made, secret="")
        equal(desk.show("crm"), kept)
        other = desk.put("a-b", events=["drift.shifted"])
        equal((other["icp"], other["grades"]), ("", []), "absent")
        equal([one["key"] for one in desk.get("/v1/subscriptions")["subscriptions"]], ["a-b", "crm"], "by key")
        equal(desk.get("/v1/subscriptions")["subscriptions"][1], kept)
        equal(desk.deliveries("crm"), {"deliveries": [], "next": ""})

        answer = desk.ask("PUT", "/v1/subscriptions/crm", {"url": URL + "?x=1", "events": ["score.recorded"]})
        expect(answer, 200)
        equal("Location" in answer.headers, False)
        again = answer.json
        equal(again["updated_at"] > made["updated_at"], True, "updated_at")
        equal(again, dict(kept, url=URL + "?x=1", events=["score.recorded"], icp="", grades=[],
                          updated_at=again["updated_at"]))
        desk.restart(kill=True)
        equal(desk.show("crm"), again)

        expect(desk.ask("DELETE", "/v1/subscriptions/crm"), 204)
        for method, rest in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"),
                             ("POST", "/deliveries/msg_00000000000000000000000001/retry")):
            expect(desk.ask(method, "/v1/subscriptions/crm" + rest), 404, "subscription_not_found")
        equal([one["key"] for one in desk.get("/v1/subscriptions")["subscriptions"]], ["a-b"])
        equal(desk.put("crm")["created_at"] > again["updated_at"], True, "another one")


def test_who_may(program):
    with Place(program) as place:
        keys = {scopes: place.key(scopes, scopes.replace(":", "-").replace(",", "-")) for scopes in (
            "score,icp:read,icp:write,stats:read,leads:read,leads:write", "admin")}
        with place.serve() as server:
            client = server.client()
            for method, path, body in (
                    ("PUT", "/v1/subscriptions/crm", {"url": URL, "events": ["score.recorded"]}),
                    ("GET", "/v1/subscriptions", None), ("GET", "/v1/subscriptions/crm", None),
                    ("GET", "/v1/subscriptions/crm/deliveries", None),
                    ("POST", "/v1/subscriptions/crm/deliveries/x/retry", None),
                    ("DELETE", "/v1/subscriptions/crm", None)):
                expect(client.ask(method, path, body), 401, "unauthorized")
                for scopes, key in keys.items():
                    answer = client.ask(method, path, body, key=key)
                    if scopes == "admin":
                        equal(answer.status in (200, 201, 204, 404), True, repr(answer))
                    else:
                        expect(answer, 403, "forbidden")
            expect(client.ask("PATCH", "/v1/subscriptions/crm", {}, key=keys["admin"]), 405, "method_not_allowed")


# ---------------------------------------------------------------- what is wrong


def secret(length):
    return "whsec_" + base64.b64encode(b"s" * length).decode()


def test_every_wrong_input(program):
    wrong = [
        ({}, [("/url", "required"), ("/events", "required")]),
        ([], [("", "wrong_type")]),
        ("x", [("", "wrong_type")]),
        ({"uri": 1}, [("/uri", "unknown_member")]),
        ({"state": "paused"}, [("/state", "unknown_member")]),
        ({"url": 1}, [("/url", "wrong_type")]),
        ({"url": ""}, [("/url", "too_few")]),
        ({"url": "https://" + "a" * 2000}, [("/url", "too_many")]),
        ({"url": "hooks.example.com"}, [("/url", "invalid_url")]),
        ({"url": "ftp://hooks.example.com/"}, [("/url", "invalid_url")]),
        ({"url": "http://hooks.example.com/"}, [("/url", "invalid_url")]),
        ({"url": "https://me:pw@hooks.example.com/"}, [("/url", "invalid_url")]),
        ({"url": "https://hooks.example.com/#x"}, [("/url", "invalid_url")]),
        ({"url": "https:///x"}, [("/url", "invalid_url")]),
        ({"url": "https://127.0.0.1/"}, [("/url", "private_target")]),
        ({"url": "https://localhost/"}, [("/url", "private_target")]),
        ({"url": "https://192.168.1.1:8443/x"}, [("/url", "private_target")]),
        ({"url": "https://[::1]/"}, [("/url", "private_target")]),
        ({"url": "https://169.254.169.254/latest"}, [("/url", "private_target")]),
        ({"events": []}, [("/events", "too_few")]),
        ({"events": "score.recorded"}, [("/events", "wrong_type")]),
        ({"events": ["score.recorded", "score.deleted"]}, [("/events/1", "invalid_value")]),
        ({"events": ["score.recorded"] * 2}, [("/events/1", "duplicate")]),
        ({"events": ["score.recorded"] * 5}, [("/events", "too_many")]),
        ({"events": [None]}, [("/events/0", "wrong_type")]),
        ({"icp": "B2B"}, [("/icp", "invalid_key")]),
        ({"icp": ["a"]}, [("/icp", "wrong_type")]),
        ({"grades": "A"}, [("/grades", "wrong_type")]),
        ({"grades": [""]}, [("/grades/0", "too_few")]),
        ({"grades": ["x" * 65]}, [("/grades/0", "too_many")]),
        ({"grades": ["A", "B", "A"]}, [("/grades/2", "duplicate")]),
        ({"grades": ["g%d" % at for at in range(28)]}, [("/grades", "too_many")]),
        ({"grades": ["A"], "events": ["drift.shifted", "icp.published"]}, [("/grades", "conflict")]),
        ({"secret": 1}, [("/secret", "wrong_type")]),
        ({"secret": "hunter2"}, [("/secret", "invalid_value")]),
        ({"secret": secret(23)}, [("/secret", "invalid_value")]),
        ({"secret": secret(65)}, [("/secret", "invalid_value")]),
        ({"secret": secret(24)[6:]}, [("/secret", "invalid_value")]),
        ({"secret": secret(32).rstrip("=")}, [("/secret", "invalid_value")]),
        ({"url": 1, "events": 2, "icp": 3, "grades": 4, "secret": 5, "more": 6},
         [("/url", "wrong_type"), ("/events", "wrong_type"), ("/icp", "wrong_type"), ("/grades", "wrong_type"),
          ("/secret", "wrong_type"), ("/more", "unknown_member")]),
    ]
    with Out(program, "--log-requests", "all") as desk:
        path = "/v1/subscriptions/crm"
        for body, errors in wrong:
            whole = dict({"url": URL, "events": ["score.recorded"]}, **body) if body and isinstance(body, dict) else body
            answer = expect(desk.ask("PUT", path, whole), 422, "invalid_request", errors=errors)
            for one in answer.json["errors"]:
                equal(len(one["detail"]) > 15, True, "a sentence: %r" % one)
        equal("hunter2" in desk.server.log_text(), False, "the log has what was refused")
        for key in ("-a", "A", "a.b", "%C3%A4", "x" * 65, "a%20b"):
            expect(desk.ask("PUT", "/v1/subscriptions/" + key, {"url": URL, "events": ["score.recorded"]}), 422,
                   "invalid_request", errors=[("", "invalid_key")])
            desk.get("/v1/subscriptions/" + key, 404, "subscription_not_found")
        expect(desk.ask("PUT", path, b"{\"url\":", content_type="application/json"), 400, "invalid_json")
        expect(desk.ask("PUT", path, b"", content_type="application/json"), 400)
        expect(desk.ask("PUT", path, b"url=x", content_type="application/x-www-form-urlencoded"), 415)
        expect(desk.ask("PUT", path + "?dry=1", {"url": URL, "events": ["score.recorded"]}), 400, "invalid_parameter")
        expect(desk.ask("DELETE", path + "?x=1"), 400, "invalid_parameter")
        desk.get("/v1/subscriptions?limit=1", 400, "invalid_parameter")
        equal(desk.get("/v1/subscriptions"), {"subscriptions": []}, "nothing was made")
        equal([one for one in desk.actions() if one[0].startswith("subscription.")], [], "nor audited")
        for good in (24, 32, 64):
            equal(desk.put("crm", secret=secret(good))["secret"], "", "who put it knows it")
        desk.put("crm", {"url": URL, "events": ["score.recorded"], "icp": None, "grades": None, "secret": None})
        desk.put("a" * 64)


def test_private_targets_where_they_are_allowed(program):
    with Out(program, *LOCAL) as desk:
        for url in ("http://127.0.0.1:9/", "https://localhost/", "http://[::1]:9/x", "http://10.0.0.1/"):
            equal(desk.put("crm", url=url)["url"], url)


def test_no_more_than_a_hundred(program):
    with Out(program) as desk:
        for at in range(100):
            desk.put("s%d" % at, url="http://127.0.0.1:9/")
        desk.put("one-more", status=409, code="conflict")
        desk.put("s50", status=200)
        expect(desk.ask("DELETE", "/v1/subscriptions/s7"), 204)
        desk.put("one-more", status=201)
        equal(len(desk.get("/v1/subscriptions")["subscriptions"]), 100)
        equal(len(scrape(desk).each("leadfit_subscription_state")), 300)


# ------------------------------------------------------------------- the outbox


def test_pages(program):
    with Out(program) as desk:
        desk.put("crm")
        desk.put("other")
        desk.pause("crm")
        ids = []
        attempts = json.dumps([{"at": iso(NOW_MS), "status": 500, "error": "x"}], separators=(",", ":"))
        for state in (FAILED, DELIVERED, PENDING, RETRYING):
            ids += desk.insert("crm", 13, state, attempts="[]" if state == PENDING else attempts,
                               due_ms=NOW_MS + 9000 if state == RETRYING else 0)
            desk.insert("other", 2, FAILED)
        whole = desk.deliveries("crm", "?limit=1000")
        equal(whole["next"], "")
        equal([one["sequence"] for one in whole["deliveries"]], ids[::-1], "newest first")
        for one in whole["deliveries"]:
            equal(one["id"], webhook_id(one["sequence"], one["created_at"]))
        newest, oldest = whole["deliveries"][0], whole["deliveries"][-1]
        equal(newest, {"id": newest["id"], "type": "score.recorded", "sequence": ids[-1],
                       "created_at": iso(NOW_MS + 12), "state": "retrying",
                       "due_at": iso(NOW_MS + 9000), "score_id": "", "attempts": json.loads(attempts)})
        equal((oldest["state"], oldest["due_at"], oldest["created_at"]), ("failed", "", iso(NOW_MS)))
        for state, count in (("pending", 13), ("retrying", 13), ("delivered", 13), ("failed", 13)):
            equal(sum(one["state"] == state for one in whole["deliveries"]), count, state)
        equal(len(desk.deliveries("crm")["deliveries"]), 50, "by default")
        for limit in (1, 7, 51, 52, 53):
            found, after, pages = [], "", 0
            while True:
                page = desk.deliveries("crm", "?limit=%d%s" % (limit, after))
                found += page["deliveries"]
                pages += 1
                if not page["next"]:
                    break
                equal(len(page["deliveries"]), limit, "a full page")
                after = "&after=" + page["next"]
            equal(found, whole["deliveries"], "by %d" % limit)
            equal(pages, -(-52 // limit), "pages of %d" % limit)
        shown = desk.show("crm")
        equal((shown["state"], shown["reason"], shown["waiting"]), ("paused", "it fails", 26))
        equal(shown["oldest_waiting_at"], iso(NOW_MS))

        cursor = desk.deliveries("crm", "?limit=1")["next"]
        base = "/v1/subscriptions/crm/deliveries?"
        for query in ("limit=0", "limit=1001", "limit=x", "limit=", "after=", "after=x", "after=" + cursor[:-1],
                      "after=" + cursor + "A", "before=1", "limit=1&limit=2"):
            desk.get(base + query, 400, "invalid_parameter")
        desk.get("/v1/subscriptions/other/deliveries?after=" + cursor, 400, "invalid_parameter")
        leads = desk.get("/v1/leads")["next"]
        equal(leads, "", "no cursor of leads to try here")


def test_retry(program):
    with Receiver() as target, Out(program, *LOCAL) as desk:
        desk.put("crm", url=target.url)
        desk.put("other", url=target.url)
        [failed] = desk.insert("crm", 1, FAILED)
        [delivered] = desk.insert("crm", 1, DELIVERED, at_ms=NOW_MS + 1)
        [erased] = desk.insert("crm", 1, ERASED, at_ms=NOW_MS + 2)
        told = {one["sequence"]: one for one in desk.deliveries("crm")["deliveries"]}
        for number in (failed, delivered):
            retried = desk.retry("crm", told[number]["id"])
            equal((retried["id"], retried["sequence"]), (told[number]["id"], number), "which")
            equal(retried["state"] in ("retrying", "delivered"), True, retried["state"])
        got = target.wait_for(2)
        equal(sorted(headers["webhook-id"] for headers, _, _ in got),
              sorted([told[failed]["id"], told[delivered]["id"]]), "the same webhook-id")
        until(lambda: {one["state"] for one in desk.deliveries("crm")["deliveries"]} == {"delivered", "erased"},
              "both to be noted")
        [now] = [one for one in desk.deliveries("crm")["deliveries"] if one["sequence"] == failed]
        equal([(one["status"], one["error"]) for one in now["attempts"]], [(200, "")])
        equal(desk.show("crm")["delivered_at"] != "", True, "delivered_at")

        desk.retry("crm", told[erased]["id"], 410, "erased")
        good = told[failed]["id"]
        other_time = webhook_id(failed, iso(NOW_MS + 1))
        for none in (other_time, webhook_id(99, told[failed]["created_at"]), good.lower(), good[4:], good + "0",
                     good[:-1], str(failed), "msg_" + "0" * 26, "x", " " + good):
            desk.retry("crm", none, 404, "delivery_not_found")
        desk.retry("other", good, 404, "delivery_not_found")
        desk.retry("nobody", good, 404, "subscription_not_found")
        path = "/v1/subscriptions/crm/deliveries/%s/retry" % good
        expect(desk.ask("POST", path, {}), 200)
        target.wait_for(3)
        expect(desk.ask("POST", path, {"at": "now"}), 422, "invalid_request", errors=[("/at", "unknown_member")])
        expect(desk.ask("POST", path, []), 422, "invalid_request", errors=[("", "wrong_type")])
        expect(desk.ask("POST", path + "?x=1"), 400, "invalid_parameter")


def test_retry_of_what_waits(program):
    """A paused subscription: nothing goes out, and what is asked for waits."""
    with Out(program) as desk:
        desk.put("crm", url="http://127.0.0.1:9/")
        desk.pause("crm")
        [pending] = desk.insert("crm", 1, PENDING)
        [failed] = desk.insert("crm", 1, FAILED, at_ms=NOW_MS + 1)
        told = {one["sequence"]: one for one in desk.deliveries("crm")["deliveries"]}
        equal(desk.retry("crm", told[pending]["id"]), told[pending], "pending as before")
        again = desk.retry("crm", told[failed]["id"])
        equal((again["state"], again["due_at"] != ""), ("retrying", True))
        equal(desk.show("crm")["waiting"], 2)


# ----------------------------------------------------------------- for real


def test_events_reach_their_target(program):
    with Receiver() as target, Out(program) as desk:
        made = desk.put("crm", url=target.url, events=["score.recorded", "icp.published"])
        document = definition("one")
        desk.publish(document)
        scored = [desk.score({"id": "L-%d" % at})["id"] for at in range(5)]
        got = target.wait_for(6)
        for headers, body, _ in got:
            check_signature(made["secret"], headers, body)
            event = json.loads(body)
            equal(list(event), ["type", "timestamp", "sequence", "data"], "members")
            equal(headers["webhook-id"], webhook_id(event["sequence"], event["timestamp"]))
        events = [json.loads(body) for _, body, _ in got]
        equal(sorted(one["data"]["score_id"] for one in events), sorted(scored + [""]), "scores")
        until(lambda: desk.show("crm")["waiting"] == 0, "all to be noted")
        shown = desk.show("crm")
        equal((shown["failing_since"], shown["oldest_waiting_at"], shown["state"]), ("", "", "active"))
        equal(shown["delivered_at"] != "", True)
        told = desk.deliveries("crm")["deliveries"]
        equal({one["score_id"] for one in told}, set(scored + [""]))
        equal({one["id"] for one in told}, {headers["webhook-id"] for headers, _, _ in got})
        equal({one["state"] for one in told}, {"delivered"})
        equal([len(one["attempts"]) for one in told], [1] * 6)
        metrics = scrape(desk)
        equal(metrics.one("leadfit_outbox_deliveries_total", subscription="crm", result="delivered"), 6)
        equal(metrics.one("leadfit_outbox_deliveries_total", subscription="crm", result="failed_attempt"), 0)
        equal(metrics.one("leadfit_outbox_waiting", subscription="crm"), 0)
        equal(metrics.one("leadfit_outbox_oldest_seconds", subscription="crm"), 0)
        equal(state_of(metrics, "crm"), "active")

        # Put again with another secret: the next is signed with that.
        desk.put("crm", url=target.url, secret=secret(24))
        desk.score({"id": "L-9"})
        headers, body, _ = target.wait_for(7)[6]
        check_signature(secret(24), headers, body)


def test_filters(program):
    """ICP and grade."""
    with Receiver() as target, Out(program) as desk:
        desk.publish(definition("one"))
        desk.publish(definition("two"))
        grade = {one["icp"]: one["grade"] for one in desk.score({"id": "x"})["results"]}
        desk.put("two-only", url=target.url, icp="two")
        desk.put("its-grade", url=target.url, grades=[grade["one"]])
        desk.put("no-grade", url=target.url, grades=["none such"])
        desk.put("published", url=target.url, events=["icp.published"])
        desk.score({"id": "y"})
        until(lambda: desk.show("its-grade")["waiting"] + desk.show("two-only")["waiting"] == 0
              and desk.show("its-grade")["delivered_at"] and desk.show("two-only")["delivered_at"], "deliveries")
        equal([json.loads(body)["data"]["icp"] for headers, body, _ in target.got].count("two") >= 1, True)
        equal(len(desk.deliveries("two-only")["deliveries"]), 1)
        equal(len(desk.deliveries("its-grade")["deliveries"]), sum(one == grade["one"] for one in grade.values()))
        equal(desk.deliveries("no-grade")["deliveries"], [])
        equal(desk.deliveries("published")["deliveries"], [])


def test_failures_and_a_target_that_is_gone(program):
    with Receiver() as target, Out(program) as desk:
        desk.publish(definition("one"))
        desk.put("crm", url=target.url)
        target.status = 500
        desk.score({"id": "x"})
        until(lambda: desk.show("crm")["failing_since"], "a failure to be noted")
        [told] = desk.deliveries("crm")["deliveries"]
        equal(told["state"], "retrying")
        equal(told["due_at"] > told["created_at"], True, "due later")
        equal(told["attempts"][0]["status"], 500)
        metrics = scrape(desk)
        equal(metrics.one("leadfit_outbox_waiting", subscription="crm"), 1)
        equal(metrics.one("leadfit_outbox_oldest_seconds", subscription="crm") > 0, True, "oldest")
        equal(metrics.one("leadfit_outbox_deliveries_total", subscription="crm", result="failed_attempt") >= 1, True)

        target.status = 410
        desk.retry("crm", told["id"])
        until(lambda: desk.show("crm")["state"] == "disabled", "410 to disable it")
        equal(desk.show("crm")["reason"] != "", True, "why")
        until(lambda: desk.show("crm")["waiting"] == 0, "what waited to be given up")
        equal(state_of(scrape(desk), "crm"), "disabled")
        equal(desk.actions()[-1], ("subscription.disable", "crm", "leadfit"))
        desk.score({"id": "y"})
        equal(len(desk.deliveries("crm")["deliveries"]), 1, "nothing is gathered")
        desk.restart()
        equal(desk.show("crm")["state"], "disabled")

        target.status = 200
        desk.put("crm", url=target.url)
        shown = desk.show("crm")
        equal((shown["state"], shown["reason"], shown["failing_since"]), ("active", "", ""))
        desk.score({"id": "z"})
        until(lambda: desk.show("crm")["delivered_at"], "it goes on")


def test_too_much_waits(program):
    with Out(program, *LOCAL, "--outbox-max", "5") as desk:
        desk.publish(definition("one"))
        desk.put("crm", url="http://127.0.0.1:9/")
        for at in range(4):
            desk.score({"id": "L-%d" % at})
        equal(desk.show("crm")["state"], "active")
        desk.score({"id": "L-4"})
        until(lambda: desk.show("crm")["state"] == "disabled", "five to be too many")
        shown = desk.show("crm")
        equal(shown["waiting"], 5)
        equal(shown["reason"].startswith("5 events wait for it: "), True, shown["reason"])
        equal(desk.actions()[-1], ("subscription.disable", "crm", "leadfit"))
        desk.score({"id": "L-5"})
        equal(desk.show("crm")["waiting"], 5, "nothing more is gathered")
        desk.restart(kill=True)
        equal(desk.show("crm")["state"], "disabled")
        with Receiver() as target:
            desk.put("crm", url=target.url)     # what waits goes out first
            target.wait_for(5)
            until(lambda: desk.show("crm")["waiting"] == 0, "the outbox to be empty")
            desk.score({"id": "L-6"})
            target.wait_for(6)
            equal(desk.show("crm")["state"], "active")


# ------------------------------------------------------- what is never told


def test_secrets_are_never_shown_again(program):
    with Receiver() as target, Out(program) as desk:
        desk.publish(definition("one"))
        first = desk.put("crm", url=target.url)["secret"]
        given = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        answers = [desk.ask("PUT", "/v1/subscriptions/second", {"url": target.url, "events": ["score.recorded"],
                                                                "secret": given})]
        answers.append(desk.ask("PUT", "/v1/subscriptions/crm", {"url": target.url, "events": ["score.recorded"]}))
        answers.append(desk.ask("PUT", "/v1/subscriptions/crm", {"url": 1, "events": [], "secret": given + "!"}))
        desk.score({"id": "x"})
        target.wait_for(2)
        for path in ("/v1/subscriptions", "/v1/subscriptions/crm", "/v1/subscriptions/second",
                     "/v1/subscriptions/crm/deliveries", "/v1/subscriptions/second/deliveries", "/v1/audit", "/metrics"):
            answers.append(expect(desk.ask("GET", path), 200))
        answers.append(desk.ask("DELETE", "/v1/subscriptions/second"))
        desk.restart()
        answers.append(expect(desk.ask("GET", "/v1/subscriptions"), 200))
        logs = [open(os.path.join(desk.place.folder, name), "rb").read()
                for name in os.listdir(desk.place.folder) if name.startswith("serve-")]
        equal(len(logs), 2)
        for one in (first, given):
            raw = base64.b64decode(one[6:])
            for form in (one[6:].rstrip("="), raw.hex(), base64.urlsafe_b64encode(raw).decode().rstrip("=")):
                for answer in answers:
                    equal(form.encode() in answer.body or form in str(answer.headers), False, "a secret in an answer")
                for log in logs:
                    equal(form.encode() in log, False, "a secret in the log")
                for headers, body, _ in target.got:
                    equal(form.encode() in body or form in str(headers), False, "a secret in an event")
        # Deleted, it is in no file either.
        until(lambda: not any(base64.b64decode(given[6:]) in data for data in files(desk)), "the files to be clean")


def files(desk):
    found = []
    for end in ("", "-wal", "-journal"):
        if os.path.exists(desk.place.db + end):
            with open(desk.place.db + end, "rb") as opened:
                found.append(opened.read())
    return found


def test_audit(program):
    with Out(program) as desk:
        desk.put("crm")
        desk.put("crm", url=URL + "/2")
        desk.put("crm", {"url": "x"}, 422)
        expect(desk.ask("DELETE", "/v1/subscriptions/crm"), 204)
        expect(desk.ask("DELETE", "/v1/subscriptions/crm"), 404)
        found = [entry for entry in desk.audit() if entry["action"].startswith("subscription.")]
        equal([(entry["action"], entry["subject"], entry["icp"], entry["key"], entry["note"], entry["before"],
                entry["after"], entry["version"]) for entry in found],
              [(action, "crm", "", "desk", "", "", "", 0)
               for action in ("subscription.put", "subscription.put", "subscription.delete")])
        log = desk.server.log_text()
        equal(log.count("subscription.put") >= 2 and "subscription.delete" in log, True, "the log")
        equal("hooks.example" in log, False, "a URL, which may be a secret itself, in the log")


def test_erasure(program):
    """What waits to tell of an erased lead has nothing left to tell."""
    with Receiver() as target, Out(program) as desk:
        desk.publish(definition("one"))
        target.status = 500
        desk.put("crm", url=target.url)
        gone, stays = "Quirinus-4711", "Balthasar-0815"
        mine = {desk.score({"id": gone})["id"] for _ in range(3)}
        other = desk.score({"id": stays})["id"]
        until(lambda: [one["state"] for one in desk.deliveries("crm")["deliveries"]] == ["retrying"] * 4, "attempts")
        desk.rows("UPDATE delivery SET due_ms = due_ms + 3600000")     # so that none is under way meanwhile
        expect(desk.ask("DELETE", lead_path(gone)), 204)
        told = desk.deliveries("crm")["deliveries"]
        equal({one["score_id"]: one["state"] for one in told if one["state"] == "erased"},
              {one: "erased" for one in mine})
        equal({one["due_at"] for one in told if one["state"] == "erased"}, {""})
        equal([one["state"] != "erased" for one in told if one["score_id"] == other], [True], "another lead's")
        equal(desk.show("crm")["waiting"], 1)
        for one in told:
            if one["state"] == "erased":
                desk.retry("crm", one["id"], 410, "erased")
        equal({row for row in desk.rows("SELECT data, lane FROM delivery WHERE state = 4")}, {("", 0)})
        for data in files(desk) + [desk.server.log_text().encode()]:
            equal(gone.encode() in data, False, "a trace of who was erased")
        equal(any(stays.encode() in data for data in files(desk)), True, "the other one is there")
        # Nothing of it goes out any more.
        target.status, before = 200, len(target.got)
        desk.retry("crm", [one["id"] for one in told if one["score_id"] == other][0])
        until(lambda: desk.show("crm")["waiting"] == 0, "the rest to be delivered")
        equal([body for _, body, _ in target.got[before:] if gone.encode() in body], [], "of the erased one")


def test_deleted_ones_are_swept(program):
    """Their deliveries cannot be asked for, and go."""
    with Out(program) as desk:
        desk.put("crm", url="http://127.0.0.1:9/")
        desk.put("stays", url="http://127.0.0.1:9/")
        desk.pause("crm")
        ids = desk.insert("crm", 30, PENDING) + desk.insert("crm", 30, FAILED)
        kept = desk.insert("stays", 3, FAILED)
        old = desk.deliveries("crm")["deliveries"][0]
        expect(desk.ask("DELETE", "/v1/subscriptions/crm"), 204)
        desk.get("/v1/subscriptions/crm/deliveries", 404, "subscription_not_found")
        desk.put("crm", url="http://127.0.0.1:9/")
        equal(desk.deliveries("crm"), {"deliveries": [], "next": ""}, "a new one of the same key")
        desk.retry("crm", old["id"], 404, "delivery_not_found")
        equal(desk.show("crm")["waiting"], 0)
        desk.restart()          # which sweeps
        until(lambda: [row[0] for row in desk.rows("SELECT id FROM delivery ORDER BY id")] == kept, "the sweep")
        equal([one["sequence"] for one in desk.deliveries("stays")["deliveries"]], kept[::-1])
        equal(max(ids) < desk.insert("crm", 1)[0], True, "ids do not come back")


# ------------------------------------------------------------------ all at once


def test_many_at_once(program):
    """Puts, deletions and scores at the same time: in the end memory and database agree."""
    with Receiver() as target, Out(program) as desk:
        desk.publish(definition("one"))

        def change(number):
            client = desk.server.client(desk.key)
            for at in range(12):
                path = "/v1/subscriptions/s%d" % ((number + at) % 4)
                if at % 4 == 3:
                    equal(client.ask("DELETE", path).status in (204, 404), True)
                else:
                    answer = client.ask("PUT", path, {"url": target.url, "events": ["score.recorded"]})
                    equal(answer.status in (200, 201), True, repr(answer))
                    equal(answer.json["secret"] != "", answer.status == 201, "a secret with a new one")
            client.close()

        def score(number):
            client = desk.server.client(desk.key)
            for at in range(40):
                client.score({"id": "L-%d-%d" % (number, at)})
            client.close()

        together([lambda n=n: change(n) for n in range(4)] + [lambda n=n: score(n) for n in range(3)])
        until(lambda: all(one["waiting"] == 0 for one in desk.get("/v1/subscriptions")["subscriptions"]), "deliveries")
        before = desk.get("/v1/subscriptions")["subscriptions"]
        equal([row[0] for row in desk.rows("SELECT key FROM subscription ORDER BY key")],
              [one["key"] for one in before])
        for one in before:
            sent = {headers["webhook-id"] for headers, _, _ in target.got}
            equal({told["id"] for told in desk.deliveries(one["key"], "?limit=1000")["deliveries"]} - sent, set())
        desk.restart()
        equal(desk.get("/v1/subscriptions")["subscriptions"], before)


# ---------------------------------------------------------------------- metrics


def scrape(desk):
    return Exposition(expect(desk.ask("GET", "/metrics"), 200).body.decode("utf-8"), busy=True)


def state_of(metrics, subscription):
    states = {dict(labels)["state"]: value for labels, value in metrics.each("leadfit_subscription_state").items()
              if dict(labels)["subscription"] == subscription}
    equal(sorted(states), ["active", "disabled", "paused"])
    equal(sorted(states.values()), [0, 0, 1])
    return [state for state, value in states.items() if value == 1][0]


def test_metrics(program):
    with Out(program) as desk:
        metrics = scrape(desk)
        equal(metrics.each("leadfit_subscription_state"), {})
        equal(metrics.each("leadfit_outbox_waiting"), {})
        equal(metrics.one("leadfit_sources"), 0)
        equal(metrics.one("leadfit_idempotent_replays_total"), 0)
        equal(metrics.one("leadfit_idempotent_in_flight"), 0)
        equal({value for value in metrics.each("leadfit_webhooks_total").values()}, {0})
        equal(len(metrics.each("leadfit_webhooks_total")), 30, "six kinds, five results")
        desk.put("crm", url="http://127.0.0.1:9/")
        desk.pause("crm")
        desk.insert("crm", 3, PENDING)
        desk.insert("crm", 2, RETRYING, due_ms=1)
        desk.insert("crm", 4, DELIVERED)
        metrics = scrape(desk)
        equal(state_of(metrics, "crm"), "paused")
        equal(metrics.one("leadfit_outbox_waiting", subscription="crm"), 5)
        equal(metrics.one("leadfit_outbox_oldest_seconds", subscription="crm") > 0, True, "oldest")
        expect(desk.ask("DELETE", "/v1/subscriptions/crm"), 204)
        equal(scrape(desk).each("leadfit_outbox_waiting"), {})


run(globals())
