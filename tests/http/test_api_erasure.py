"""DELETE /v1/leads/{id}: nothing of a person is left, in no answer and no file; counts stay."""

import http.client
import os
import random
import sqlite3
import threading
import time
from urllib.parse import quote

from harness import Place, equal, expect, run, until
from editing import Crowd, Desk, changed, definition, together
from test_api_leads import path

FILES = ("", "-wal", "-shm", "-journal")



def person(name, at=0):
    """A lead whose id and values stand nowhere else."""
    return {"id": "id-%s/ü" % name, "points": 3 + at % 5, "industry": "Industry of %s" % name,
            "email": "%s@mail.example" % name, "company": {"name": "Company of %s" % name,
                                                           "tags": ["tag %s" % name, 7]}}


def words(name):
    """What would give the person away, in all its spellings."""
    return [name, "id-%s" % name, quote(person(name)["id"], safe="")]


def traces(desk, names):
    """Which of the names stand in the database's files or in the server's log."""
    found = []
    files = [desk.place.db + end for end in FILES] + [desk.server.log]
    for file in files:
        if not os.path.exists(file):
            continue
        with open(file, "rb") as opened:
            data = opened.read()
        found += [(name, os.path.basename(file)) for name in names
                  if any(word.encode("utf-8") in data for word in words(name))]
    return found


def profile(key="one", **more):
    """Has values that no rule takes, and one that the lead's industry meets."""
    document = definition(key, **more)
    document["attributes"].append(
        {"key": "industry", "label": "Industry", "category": "firmographic", "weight": 5,
         "rules": [{"when": {"field": "industry", "is": "Machinery"}}]})
    return document


class Erasing(Desk):
    """A server that logs all it can."""

    def __init__(self, program, *options, **more):
        super().__init__(program, "--log-requests", "all", "--log-level", "debug", *options, **more)

    def erase(self, name, status=204, code=None):
        return self.ask("DELETE", path(person(name)["id"]), status=status, code=code)


def said(desk, query=""):
    """The statistics, byte for byte."""
    return [desk.ask("GET", one, status=200).body
            for one in ("/v1/stats?icp=one" + query, "/v1/stats?icp=one&bucket=hour" + query,
                        "/v1/stats/penetration", "/v1/stats?icp=trial")]


def test_nothing_is_left(program):
    with Erasing(program) as desk:
        desk.publish(profile())
        desk.publish(profile("trial", purpose="experimental"))
        gone, stays = [], []
        for at in range(60):
            for name, ids in (("Quirinus", gone), ("Balthasar", stays)):
                ids.append(desk.score(person(name, at))["id"])
            if at == 30:
                desk.publish(changed(profile(), name="Second"))
        for name, outcome in (("Quirinus", "won"), ("Balthasar", "lost")):
            expect(desk.client.post("/v1/outcomes", {"lead_id": person(name)["id"], "outcome": outcome,
                                                     "value": 1000}), 200)
        desk.put_draft(changed(profile(), attributes=profile()["attributes"][:1]))
        before = said(desk)
        lead = path(person("Quirinus")["id"])
        equal(traces(desk, ["Quirinus"]) != [], True, "it is there at first")
        movers = desk.get("/v1/icps/one/draft/impact")["movers"]
        equal({one["lead_id"] for one in movers}, {person(one)["id"] for one in ("Quirinus", "Balthasar")},
              "both move")
        unmatched = desk.get("/v1/stats/unmatched?icp=one")["values"]
        equal({one["value"] for one in unmatched}, {"Industry of Quirinus", "Industry of Balthasar"},
              "values that no rule took")

        desk.erase("Quirinus")

        equal(traces(desk, ["Quirinus"]), [], "traces at once")
        equal(said(desk), before, "statistics")
        for rest in ("", "/scores", "/export"):
            desk.get(lead + rest, 404, "lead_not_found")
        for one in gone:
            desk.get("/v1/scores/" + one, 410, "erased")
            expect(desk.ask("POST", "/v1/scores/%s/verify" % one), 410, "erased")
            expect(desk.ask("POST", "/v1/scores/%s/verify" % one, {"lead": person("Quirinus")}), 410, "erased")
        for one in stays:
            equal(desk.get("/v1/scores/" + one)["lead_id"], person("Balthasar")["id"], "the other's")
            equal(desk.ask("POST", "/v1/scores/%s/verify" % one, status=200).json["agrees"], True, "as it was")
        equal({one["lead_id"] for one in desk.get("/v1/leads")["leads"]}, {person("Balthasar")["id"]}, "leads")
        equal(len(desk.get(path(person("Balthasar")["id"], "/scores?limit=1000"))["scores"]), 120, "history")
        equal(desk.get(path(person("Balthasar")["id"]))["outcome"]["outcome"], "lost", "outcome")
        impact = desk.ask("GET", "/v1/icps/one/draft/impact", status=200)
        equal("Quirinus" in impact.body.decode("utf-8"), False, "impact")
        unmatched = desk.get("/v1/stats/unmatched?icp=one")["values"]
        equal([one["value"] for one in unmatched], ["Industry of Balthasar"], "unmatched values")
        desk.erase("Quirinus", 404, "lead_not_found")

        last = desk.audit()[-1]
        equal({name: last[name] for name in ("action", "subject", "icp", "note", "before", "after", "version",
                                             "key")},
              {"action": "lead.erase", "subject": "", "icp": "", "note": "", "before": "", "after": "",
               "version": 0, "key": "desk"}, "who did it, and not to whom")
        equal([one["action"] for one in desk.audit()].count("lead.erase"), 1, "once")
        desk.restart()
        equal(said(desk), before, "statistics after a restart")
        desk.get("/v1/scores/" + gone[0], 410, "erased")
        desk.restart(kill=True)
        equal(said(desk), before, "and after a crash")
        equal(traces(desk, ["Quirinus"]), [], "traces at the end")
        desk.server.stop()
        desk.place.command("check", "--db", desk.place.db)
        equal(traces(desk, ["Quirinus"]), [], "traces in the files that stay")
        desk.start()


def test_it_begins_anew(program):
    """The same id, scored again, is somebody whom nobody knows."""
    with Erasing(program) as desk:
        desk.publish(profile())
        for at in range(5):
            desk.score(person("Ottokar", at))
        expect(desk.client.post("/v1/outcomes", {"lead_id": person("Ottokar")["id"], "outcome": "won"}), 200)
        before = desk.get("/v1/stats?icp=one")
        desk.erase("Ottokar")
        new = desk.score(person("Ottokar", 4))
        found = desk.get(path(person("Ottokar")["id"]))
        equal([one["score_id"] for one in found["scores"]], [new["id"]], "its score")
        equal(found["outcome"], {"outcome": "", "value": 0, "at": ""}, "its outcome")
        history = desk.get(path(person("Ottokar")["id"], "/scores"))["scores"]
        equal([(one["previous"], one["changed"], one["exact"]) for one in history], [("", 0, True)], "history")
        after = desk.get("/v1/stats?icp=one")
        equal([after[one] - before[one] for one in ("scored", "leads")], [1, 1], "one more, a new one")
        equal(after["outcomes"]["won"], before["outcomes"]["won"], "the outcome of before stays, nameless")
        desk.erase("Ottokar")
        equal(traces(desk, ["Ottokar"]), [], "traces")


def test_each_way_of_keeping(program):
    for how in ("whole", "fields", "hashes", "nothing"):
        with Erasing(program, "--store-lead", how) as desk:
            desk.publish(profile())
            ids = [desk.score(person("Wendelin", at))["id"] for at in range(20)]
            before = desk.ask("GET", "/v1/stats?icp=one", status=200).body
            desk.erase("Wendelin")
            equal(traces(desk, ["Wendelin"]), [], how)
            equal(desk.ask("GET", "/v1/stats?icp=one").body, before, "statistics of " + how)
            for one in ids:
                desk.get("/v1/scores/" + one, 410, "erased")


def test_while_others_are_scored(program):
    """Many are erased at the same time while scores come in; and one that is scored all the
    time itself."""
    names = ["Name%03dZz" % at for at in range(60)]
    with Erasing(program) as desk:
        desk.publish(profile())
        for at in range(3):
            for name in names:
                desk.score(person(name, at))
        crowd = Crowd(desk.server, desk.key, {"lead": {"id": "Everybody", "points": 5}},
                      lambda answer, begun: equal(answer["score"], 33.33, "score"), count=4)
        crowd.wait_for(50)

        def erase(some):
            client = desk.server.client(desk.key)
            for name in some:
                expect(client.ask("DELETE", path(person(name)["id"])), 204)
            client.close()

        together([lambda some=names[at::4]: erase(some) for at in range(4)])
        until(lambda: traces(desk, names) == [], "traces to go", 60)
        for _ in range(5):       # of whom there are new scores all the time
            expect(desk.ask("DELETE", path("Everybody")), 204)
            crowd.wait_for(20)
        crowd.stop()
        expect(desk.ask("DELETE", path("Everybody")), 204)
        equal(desk.get("/v1/leads"), {"leads": [], "next": ""}, "nobody is left")
        equal(traces(desk, names), [], "traces")
        with open(desk.place.db, "rb") as file:
            equal(b"Everybody" in file.read(), False, "nor of that one")
        scored = desk.get("/v1/stats?icp=one")["scored"]
        equal(scored >= 180 + crowd.answers, True, "all of them counted")
        equal(desk.server.stop(), 0, "exit code")
        desk.place.command("check", "--db", desk.place.db)
        desk.start()


class Reader:
    """Somebody who reads the database and so holds the write-ahead log."""

    def __init__(self, desk):
        self.database = sqlite3.connect("file:%s?mode=ro" % desk.place.db, uri=True,
                                        isolation_level=None, check_same_thread=False)
        self.database.execute("BEGIN")
        self.database.execute("SELECT count(*) FROM score_block").fetchone()

    def end(self):
        self.database.execute("COMMIT")
        self.database.close()


def erase_slowly(desk, name, found):
    connection = http.client.HTTPConnection("127.0.0.1", desk.server.port, timeout=90)
    connection.request("DELETE", path(person(name)["id"]), headers={"Authorization": "Bearer " + desk.key})
    response = connection.getresponse()
    found.append((response.status, response.read()))
    connection.close()


def test_while_somebody_reads(program):
    """The answer waits until no trace is left."""
    with Erasing(program) as desk:
        desk.publish(profile())
        for at in range(20):
            desk.score(person("Zacharias", at))
        reader, found = Reader(desk), []
        thread = threading.Thread(target=erase_slowly, args=(desk, "Zacharias", found))
        thread.start()
        until(lambda: desk.ask("GET", path(person("Zacharias")["id"])).status == 404, "the lead to go")
        time.sleep(0.3)          # for it might answer too early
        equal(found, [], "no answer yet")
        equal(desk.score({"id": "other", "points": 3})["score"], 20, "others are scored meanwhile")
        reader.end()
        thread.join(30)
        equal([status for status, _ in found], [204], "answer")
        equal(traces(desk, ["Zacharias"]), [], "traces")


def test_while_somebody_reads_for_long(program):
    """Whoever waits is told after half a minute; the log is emptied as soon as it can be."""
    if "LEADFIT_SHORT" in os.environ:
        return
    with Erasing(program) as desk:
        desk.publish(profile())
        for at in range(20):
            desk.score(person("Melchior", at))
        reader, found = Reader(desk), []
        erase_slowly(desk, "Melchior", found)
        equal(found[0][0], 503, "answer: %r" % found)
        equal(b'"code":"busy"' in found[0][1], True, "busy: %r" % found)
        desk.get(path(person("Melchior")["id"]), 404, "lead_not_found")
        reader.end()
        until(lambda: traces(desk, ["Melchior"]) == [], "traces to go", 60)
        desk.erase("Melchior", 404)


def test_kill_9_while_erasing(program):
    """Whatever the moment: asked again, all are gone, and the database is sound."""
    chance = random.Random(11)
    names = ["Qq%04dWw" % at for at in range(240)]
    with Place(program) as place, Erasing(program, place=place) as desk:
        desk.publish(profile())
        for at in range(2):
            for name in names:
                desk.score(person(name, at))
        scored = desk.get("/v1/stats?icp=one")
        left, statuses = set(names), set()

        def erase(some):
            client = desk.server.client(desk.key)
            try:
                for name in some:        # 404: erased before the last crash, and not answered
                    statuses.add(client.ask("DELETE", path(person(name)["id"])).status)
                    left.discard(name)
            except (OSError, http.client.HTTPException):
                pass             # it was killed
            client.close()

        for _ in range(6):
            asked = chance.sample(sorted(left), 40)

            threads = [threading.Thread(target=erase, args=(asked[at::3],)) for at in range(3)]
            for thread in threads:
                thread.start()
            time.sleep(chance.random() * 0.2)
            desk.restart(kill=True)
            for thread in threads:
                thread.join()
            equal(traces(desk, set(names) - left), [], "traces of those whose erasure was answered")
        erase(sorted(left))
        equal((statuses <= {204, 404}, left), (True, set()), "answers: %s" % statuses)
        equal(traces(desk, names), [], "traces")
        equal(desk.get("/v1/leads"), {"leads": [], "next": ""}, "leads")
        equal(desk.get("/v1/stats?icp=one"), scored, "statistics")
        equal(desk.server.stop(), 0, "exit code")
        out, _ = place.command("check", "--db", place.db)
        equal("480" in out, True, "all scores are looked at: " + out)
        desk.start()


run(globals())
