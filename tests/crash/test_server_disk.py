"""Disks that fill up and fail, end to end.

  test_server_disk.py LEADFIT

The full disk is a small tmpfs, which only root can make; without that right the
test says so and passes. The failing one is a limit on the size of files.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))

from harness import Place, equal, expect, run, until  # noqa: E402
from editing import Desk  # noqa: E402
from load import check_all_found  # noqa: E402
from test_api_score import definition  # noqa: E402

FILLER_BYTES = 1 << 20


class SmallDisk:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="leadfit-disk-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.folder],
                              stderr=subprocess.PIPE, check=False)
        self.mounted = done.returncode == 0
        return self

    def __exit__(self, *trouble):
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)
        os.rmdir(self.folder)


def score_until(client, told, wanted):
    """Scores until an answer has another status than 200, and gives that answer."""
    for at in range(200_000):
        lead = {"id": "lead-%d" % at, "points": at % 11, "note": "x" * 2000}
        answer = client.post("/v1/score", {"lead": lead, "explain": "none"})
        if answer.status != 200:
            return expect(answer, *wanted)
        told.append(answer.json["id"])
    raise AssertionError("the disk never got full")


def test_a_full_disk(program):
    with SmallDisk() as disk:
        if not disk.mounted:
            print("test_a_full_disk: no right to mount a tmpfs, left out")
            return
        with Place(program, os.path.join(disk.folder, "leadfit.db")) as place:
            place.publish_definition(definition("core-icp"))
            key = place.key()
            filler, told = os.path.join(disk.folder, "filler"), []
            with open(filler, "wb") as file:
                file.write(b"x" * FILLER_BYTES)
            with place.serve("--store-lead", "whole") as server:
                client = server.client(key)
                answer = score_until(client, told, (507, "storage_full"))
                equal(answer.headers["Retry-After"], "1", "Retry-After")
                until(lambda: client.get("/readyz").status == 507, "/readyz to say so")
                equal(client.score({"points": 3}, record=False)["score"], 30, "unrecorded")
                expect(client.get("/healthz"), 200)
                for name in told[::50] + told[-1:]:
                    expect(client.get("/v1/scores/" + name), 200)
                os.unlink(filler)
                until(lambda: client.get("/readyz").status == 200, "/readyz to recover")
                answer = expect(client.post("/v1/score", {"lead": {"id": "after"}}), 200)
                check_all_found(server, key, {"after": answer.body})
            with place.serve() as server:
                client = server.client(key)
                for name in told:
                    expect(client.get("/v1/scores/" + name), 200)
                check_all_found(server, key, {"after": answer.body})
            place.command("check", "--db", place.db)


def test_editing_on_a_full_disk(program):
    """What is refused for want of room changes nothing, here or in what is live; with room again
    all goes on."""
    wide = definition("one", name="Wide")
    wide["attributes"] = [dict(wide["attributes"][0], key="k%d" % at, rationale="x" * 3000)
                          for at in range(100)]
    with SmallDisk() as disk:
        if not disk.mounted:
            print("test_editing_on_a_full_disk: no right to mount a tmpfs, left out")
            return
        with Place(program, os.path.join(disk.folder, "leadfit.db")) as place, \
                Desk(program, place=place) as desk:
            filler = os.path.join(disk.folder, "filler")
            with open(filler, "wb") as file:
                file.write(b"x" * FILLER_BYTES)
            kept = desk.put_list("rivals", ["a"]).json
            desk.publish(definition("one", disqualifiers=[
                {"key": "rival", "reason": "R", "when": {"field": "domain", "in_list": "rivals"}}]))
            score_until(desk.client, [], (507, "storage_full"))
            etag, puts = desk.ask("GET", "/v1/icps/one/draft").headers.get("ETag"), 0
            while True:
                answer = desk.ask("PUT", "/v1/icps/one/draft", wide, if_match=etag)
                if answer.status == 507:
                    break
                puts += 1
                etag = expect(answer, 200 if etag else 201).headers["ETag"]
                equal(puts < 1000, True, "the disk to be full")
            expect(answer, 507, "storage_full")
            entries = ["%06d %s" % (at, "x" * 50) for at in range(30000)]
            expect(desk.ask("PUT", "/v1/lists/rivals", entries), 507, "storage_full")
            expect(desk.ask("PUT", "/v1/lists/other", entries), 507, "storage_full")
            lines = "".join('{"lead_id": "%s%d", "outcome": "won"}\n' % ("x" * 100, at)
                            for at in range(30000)).encode()
            expect(desk.client.post("/v1/outcomes", lines,
                                    headers={"Content-Type": "application/x-ndjson"}), 507)
            icp, audit = desk.get("/v1/icps/one"), desk.audit()
            equal((icp["active_version"], icp["draft_etag"]), (1, etag or ""), "the ICP")
            equal(desk.get("/v1/lists/rivals")["etag"], kept["etag"], "the list")
            expect(desk.ask("GET", "/v1/lists/other"), 404)
            for domain, qualified in (("a", False), (entries[0], True)):
                answer = desk.score({"domain": domain}, record=False)
                equal((answer["version"], answer["qualified"]), (1, qualified), "what is live")
            equal(len([one for one in audit if one["action"] == "draft.put"]), puts + 1, "audit")
            os.unlink(filler)
            until(lambda: desk.client.get("/readyz").status == 200, "/readyz to recover")
            etag = desk.put_draft(definition("one", name="Small"), etag)
            desk.ask("POST", "/v1/icps/one/publish", status=201, if_match=etag)
            equal(desk.score({})["version"], 2, "what is live")
            desk.ask("PATCH", "/v1/lists/rivals", {"add": ["b"]}, 200)
            desk.restart()
            equal((desk.score({})["version"], desk.get("/v1/lists/rivals")["entries"]),
                  (2, ["a", "b"]), "after a restart")
            desk.client.close()
            equal(desk.server.stop(), 0, "exit code")
            place.command("check", "--db", place.db)
            desk.start()


def limit_files():
    """Writing past the limit then fails with EFBIG: neither a full disk nor a kill."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))


def test_a_failing_disk(program):
    """No answer of 200 for what could not be written, whatever becomes of the server."""
    with Place(program) as place:
        place.publish_definition(definition("core-icp"))
        key, told = place.key(), []
        server = place.serve("--store-lead", "whole", prepare=limit_files)
        try:
            client, trouble = server.client(key), None
            try:
                for at in range(200_000):
                    answer = client.post("/v1/score", {"lead": {"id": at, "note": "x" * 2000},
                                                       "explain": "none"})
                    if answer.status != 200:
                        trouble = answer.status
                        break
                    told.append(answer.json["id"])
            except OSError as broken:
                trouble = broken
            equal(trouble is not None, True, "the disk failed")
            if isinstance(trouble, int):
                equal(trouble in (500, 503, 507), True, "status %r" % trouble)
            if trouble == 507:               # taken for a full disk: then it goes on
                equal(server.stop(), 0, "exit code")
            else:                            # it ends by itself and says why
                equal(server.wait(), 1, "exit code, log: " + server.log_text())
        finally:
            if server.process.poll() is None:
                server.kill()
        with place.serve() as server:
            client = server.client(key)
            for name in told:
                expect(client.get("/v1/scores/" + name), 200)
            client.score({"id": "after"})
        place.command("check", "--db", place.db)


run(globals())
