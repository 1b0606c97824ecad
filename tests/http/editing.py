"""What the tests of drafts, publications and lists share: a server with a client that may
do everything, and the steps of editing."""

import copy
import hashlib
import http.client
import json
import threading

from harness import DEADLINE_S, Place, equal, expect, until
from test_api_score import definition

__all__ = ["Crowd", "Desk", "changed", "definition", "list_hash", "together"]


def changed(document, **more):
    """A copy of a definition with other members."""
    return dict(copy.deepcopy(document), **more)


class Desk:
    """A server and a client with the scope admin; its key is named `desk`."""

    def __init__(self, program, *options, place=None):
        self.place = place or Place(program)
        self.owned = place is None
        self.options = options
        self.key = self.place.key("admin", "desk")
        self.start()

    def start(self):
        self.server = self.place.serve(*self.options)
        self.client = self.server.client(self.key)

    def restart(self, kill=False):
        self.client.close()
        if kill:
            self.server.kill()
        else:
            equal(self.server.stop(), 0, "exit code, log: " + self.server.log_text())
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.client.close()
        self.server.__exit__(*trouble)
        if self.owned:
            self.place.__exit__(*trouble)

    def ask(self, method, path, body=None, status=None, code=None, key=None, **headers):
        """headers: if_match="…" and the like. Gives the answer."""
        headers = {name.replace("_", "-").title(): value for name, value in headers.items()
                   if value is not None}
        answer = self.client.ask(method, path, body, headers=headers, key=key)
        return answer if status is None else expect(answer, status, code)

    def get(self, path, status=200, code=None, **headers):
        return self.ask("GET", path, status=status, code=code, **headers).json

    def put_draft(self, document, etag=None, status=None):
        """Puts a draft, and gives its new ETag."""
        answer = self.ask("PUT", "/v1/icps/%s/draft" % document["key"], document, if_match=etag)
        if status is None:
            equal(answer.status in (200, 201), True, "a draft put: %r" % answer)
        else:
            expect(answer, status)
        return answer.headers["ETag"]

    def publish(self, document, note="", **body):
        """Puts a definition as draft and publishes it; gives the answer's body."""
        path = "/v1/icps/" + document["key"]
        before = self.ask("GET", path + "/draft")
        etag = self.put_draft(document, before.headers["ETag"] if before.status == 200 else None)
        return self.ask("POST", path + "/publish", dict(body, note=note), 201, if_match=etag).json

    def score(self, lead, **more):
        return self.client.score(lead, **more)

    def put_list(self, key, entries, status=None, **headers):
        answer = self.ask("PUT", "/v1/lists/" + key, entries, **headers)
        equal(answer.status in ((200, 201) if status is None else (status,)), True, repr(answer))
        return answer

    def audit(self, query=""):
        """All of it, page by page."""
        entries, after = [], ""
        while True:
            page = self.get("/v1/audit?limit=1000" + query + after)
            entries += page["entries"]
            if not page["next"]:
                return entries
            after = "&after=" + page["next"]


def list_hash(entries):
    """The hash of a list: the sum of the SHA-256 of its entries, modulo 2^256, in hex."""
    total = sum(int.from_bytes(hashlib.sha256(one.encode("utf-8")).digest(), "big")
                for one in entries)
    return "%064x" % (total % 2 ** 256)


def together(works):
    """Runs the functions at the same time; the first trouble that one had is raised."""
    troubles, barrier = [], threading.Barrier(len(works))

    def run(work):
        try:
            barrier.wait(DEADLINE_S)
            work()
        except Exception as trouble:     # raised below
            troubles.append(trouble)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        equal(thread.is_alive(), False, "a thread that hangs")
    if troubles:
        raise troubles[0]


class Crowd:
    """Connections that score without a pause until they are stopped. Each answer is given to
    `check(answer, version_at_start)`, where version_at_start is what `published` was when
    the request began."""

    def __init__(self, server, key, body, check, count=8):
        self.server, self.key, self.check = server, key, check
        self.body = json.dumps(body).encode("utf-8")
        self.published, self.stopped, self.answers, self.faults = 0, False, 0, []
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()
        self.wait_for(count)

    def wait_for(self, count):
        """Waits for so many answers more."""
        wanted = self.answers + count
        until(lambda: self.answers >= wanted or self.faults, "scores to be answered")

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=DEADLINE_S)
        headers = {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"}
        try:
            while not self.stopped and not self.faults:
                begun = self.published
                connection.request("POST", "/v1/score", self.body, headers)
                response = connection.getresponse()
                text = response.read()
                if response.status != 200:
                    raise AssertionError("%d %s" % (response.status, text[:300]))
                self.check(json.loads(text), begun)
                self.answers += 1
        except Exception as trouble:     # told by stop()
            self.faults.append(trouble)
        finally:
            connection.close()

    def stop(self):
        self.stopped = True
        for thread in self.threads:
            thread.join(DEADLINE_S)
        if self.faults:
            raise AssertionError("while scoring: %r" % self.faults[:3])
        return self.answers
