"""GET /v1/leads/{id}/scores and /export: what was scored and why it changed, against the second
evaluator of tests/oracle, which knows each lead, definition and list as it was."""

import copy
import os
import random
import sys
import threading
from decimal import Decimal
from fractions import Fraction
from urllib.parse import quote

from contract import ROOT
from harness import equal, expect, pairs, run
from editing import Desk, changed, definition
from test_api_explain import FixedLists
from test_api_leads import path

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
import oracle  # noqa: E402

CAUSES = ("data", "profile", "time")


def pages(desk, lead, what="scores", limit=None, icp=None):
    """All of a list about a lead, page by page."""
    found, after = [], ""
    while True:
        query = ["limit=%d" % limit] if limit else []
        query += ["icp=" + icp] if icp else []
        query += ["after=" + after] if after else []
        page = desk.get(path(lead, "/%s?%s" % (what, "&".join(query))))
        equal(page["lead_id"], lead, "whose it is")
        equal(len(page["scores"]) <= (limit or 100), True, "no more than the limit")
        found += page["scores"]
        after = page["next"]
        if not after:
            return found


def number(value):
    """Exactly what is written."""
    return Fraction(Decimal(str(value)))


class Past:
    """Scores leads under definitions and lists that change, and knows what was when."""

    def __init__(self, desk, seed, icps=("one", "two"), fresh_lists=True):
        self.desk, self.random = desk, random.Random(seed)
        self.maker, self.icps = FixedLists(seed), icps
        self.lists, self.definitions, self.pool = {}, {}, []
        self.leads = {name: {} for name in ("a/1", "b 2", "c")}
        self.as_of = {name: "2026-03-01T12:00:00Z" for name in self.leads}
        self.scores = []     # (id, lead_id, icp) -> what was
        self.fresh_lists = fresh_lists
        for name, entries in self.maker.fixed.items():
            self.put_list(name, list(entries))
        while len(self.pool) < 6:
            request = self.maker.request()
            if desk.ask("POST", "/v1/lint", request["definition"], 200).json["errors"] == 0:
                self.pool.append(request["definition"])
        for icp in icps:
            self.publish(icp)

    def put_list(self, name, entries):
        at = self.desk.ask("GET", "/v1/lists/" + name)
        headers = {"if_match": at.headers["ETag"]} if at.status == 200 else {}
        revision = self.desk.put_list(name, entries, **headers).json["revision"]
        self.lists = dict(self.lists, **{name: (entries, revision)})

    def publish(self, icp):
        document = changed(self.random.choice(self.pool), key=icp, name=str(self.random.random()),
                           purpose="core" if icp == self.icps[0] else "experimental")
        self.desk.publish(document)
        self.definitions = dict(self.definitions, **{icp: document})

    def step(self):
        lead = self.random.choice(list(self.leads))
        if self.random.random() < 0.5:
            drawn = self.maker.lead(self.random.choice(self.pool))
            if self.random.random() < 0.5:           # a member or two of it alone
                drawn = dict(self.leads[lead], **dict(list(drawn.items())[:2]))
            self.leads[lead] = {name: one for name, one in drawn.items() if name != "id"}
        if self.random.random() < 0.15:
            self.publish(self.random.choice(self.icps))
        if self.fresh_lists and self.random.random() < 0.15:
            name = self.random.choice(list(self.lists))
            words = [one for entries, _ in self.lists.values() for one in entries] + ["x", "y"]
            self.put_list(name, self.random.sample(words, 2))
        if self.random.random() < 0.5:
            self.as_of[lead] = "2026-%02d-%02dT12:00:00Z" % (self.random.randrange(1, 13),
                                                            self.random.randrange(1, 29))
        asked = {} if self.random.random() < 0.7 else {"icps": [self.random.choice(self.icps)]}
        sent = dict(copy.deepcopy(self.leads[lead]), id=lead)
        answer = self.desk.score(sent, as_of=self.as_of[lead], **asked)
        for icp in asked.get("icps", self.icps):
            self.scores.append({"id": answer["id"], "lead_id": lead, "icp": icp, "lead": sent,
                                "as_of": self.as_of[lead], "lists": self.lists, "answer": answer,
                                "definition": self.definitions[icp],
                                "shadow": icp not in [one["icp"] for one in answer["results"]]})

    def score_of(self, profile, lead, as_of):
        """The score of this lead under the definition and lists of another score's time."""
        lists = {name: entries for name, (entries, _) in profile["lists"].items()}
        revisions = {name: revision for name, (_, revision) in profile["lists"].items()}
        told = oracle.evaluate(profile["definition"], lead, as_of, lists, revisions)
        return Fraction(told["score"])

    def check(self, lead, told):
        """Holds a lead's whole history against what was; gives how many changes are exact."""
        past = sorted((one for one in self.scores if one["lead_id"] == lead),
                      key=lambda one: one["icp"])
        past.sort(key=lambda one: one["id"], reverse=True)
        equal([(one["score_id"], one["icp"]) for one in told],
              [(one["id"], one["icp"]) for one in past], "scores and their order")
        exact = 0
        for at, (entry, new) in enumerate(zip(told, past)):
            equal(entry["shadow"], new["shadow"], "shadow")
            score = self.score_of(new, new["lead"], new["as_of"])
            equal(number(entry["score"]), score, "score")
            equal(entry["as_of"], new["as_of"][:-1] + ".000Z", "as_of")
            causes = [number(entry["change"][name]) for name in CAUSES]
            equal(sum(causes), number(entry["changed"]), "the sum of the causes")
            old = next((one for one in past[at + 1:] if one["icp"] == new["icp"]), None)
            equal(entry["previous"], old["id"] if old else "", "the previous one")
            if old is None:
                equal((entry["changed"], entry["exact"]), (0, True), "the first")
                continue
            steps = [self.score_of(old, old["lead"], old["as_of"]),
                     self.score_of(old, new["lead"], old["as_of"]),
                     self.score_of(new, new["lead"], old["as_of"]), score]
            equal(number(entry["changed"]), steps[3] - steps[0], "the change")
            if entry["exact"]:
                equal(causes, [after - before for before, after in zip(steps, steps[1:])],
                      "causes of %s" % entry)
                exact += 1
        return exact


def fare(program, seed, *options, least=0.0, **more):
    with Desk(program, *options) as desk:
        past = Past(desk, seed, **more)
        for _ in range(150):
            past.step()
        compared = exact = 0
        for lead in past.leads:
            told = pages(desk, lead)
            exact += past.check(lead, told)
            compared += sum(one["previous"] != "" for one in told)
            for limit in (1, 3, 1000):
                equal(pages(desk, lead, limit=limit), told, "in pages of %d" % limit)
            for icp in past.icps:
                equal(pages(desk, lead, limit=4, icp=icp), [one for one in told if one["icp"] == icp],
                      "of " + icp)
        if exact < least * compared:
            raise AssertionError("only %d of %d are exact" % (exact, compared))
        desk.restart(kill=True)
        for lead in past.leads:
            past.check(lead, pages(desk, lead, limit=20))


def test_whole_leads_and_steady_lists(program):
    fare(program, 1, "--never-store", "", least=1.0, fresh_lists=False)


def test_whole_leads(program):
    fare(program, 2, "--never-store", "", least=0.7)


def test_fields(program):
    fare(program, 3, "--never-store", "", "--store-lead", "fields", least=0.6)


def test_hashes(program):
    fare(program, 4, "--store-lead", "hashes", least=0.2)


def test_nothing_kept(program):
    fare(program, 5, "--store-lead", "nothing", least=0.1)


def test_the_three_causes_by_hand(program):
    """Ten points a number; the fading half of it by age; then another version."""
    fading = definition("plan")
    fading["attributes"].append({"key": "seen", "label": "Seen", "category": "behavioral", "weight": 10,
                                 "rules": [{"when": {"field": "seen", "exists": True},
                                            "fade": {"field": "seen", "days": 100}}]})
    with Desk(program) as desk:
        desk.publish(fading)
        lead = {"id": "x", "points": 4, "seen": "2026-01-01"}
        desk.score(lead, as_of="2026-01-01")                          # 4 + 10 of 20: 70
        desk.score(lead, as_of="2026-01-01")                          # the same again
        desk.score(dict(lead, points=6), as_of="2026-01-01")          # 80: data
        desk.score(dict(lead, points=6), as_of="2026-02-20")          # 55: time (half has faded)
        heavier = changed(fading)
        heavier["attributes"][0]["weight"] = 30
        desk.publish(heavier)
        desk.score(dict(lead, points=6), as_of="2026-02-20")          # 18 + 5 of 40: 57.5: profile
        desk.publish(changed(fading, name="Once more"))
        desk.score(dict(lead, points=2), as_of="2026-04-11")          # 2 + 0 of 20: 10: all
        found = [[one["changed"]] + [one["change"][name] for name in CAUSES]
                 for one in desk.get(path("x", "/scores"))["scores"]]
        equal(found, [[-47.5, -30, 7.5, -25], [2.5, 0, 2.5, 0], [-25, 0, 0, -25], [10, 10, 0, 0],
                      [0, 0, 0, 0], [0, 0, 0, 0]], "changes, newest first")
        entry = desk.get(path("x", "/scores?limit=1"))["scores"][0]
        latest = desk.get(path("x"))["scores"][0]
        equal({name: entry[name] for name in latest}, latest, "an entry of the list")
        equal(set(entry) - set(latest), {"as_of", "shadow", "previous", "change", "changed", "exact"},
              "and what history adds")


def test_pages_while_scores_arrive(program):
    """A page goes on where the last one ended, whatever has come in front."""
    with Desk(program) as desk:
        desk.publish(definition("one"))
        ids = [desk.score({"id": "x", "points": at % 10})["id"] for at in range(60)][::-1]
        stopped, troubles = threading.Event(), []

        def score():
            client = desk.server.client(desk.key)
            try:
                while not stopped.is_set():
                    client.score({"id": "x", "points": 5})
            except Exception as trouble:     # told below
                troubles.append(trouble)
            client.close()

        thread = threading.Thread(target=score)
        thread.start()
        try:
            for what, name in (("scores", "score_id"), ("export", "id")):
                for _ in range(3):
                    told = [one[name] if name in one else one["answer"][name]
                            for one in pages(desk, "x", what, limit=7)]
                    equal([one for one in told if one in set(ids)], ids, "those of before")
                    equal(told, sorted(set(told), reverse=True), "newest first, each once")
        finally:
            stopped.set()
            thread.join()
        equal(troubles, [], "troubles while scoring")


def test_export(program):
    """All that is held: answers as they are told one by one, inputs as they were kept."""
    leads = [{"id": "e/1", "points": 3, "email": "ann@example.com", "note": "größe \u2028 \"x\"",
              "deep": {"list": [1, {"a": 0.1}], "phone": "1", "big": 12345678901234567890}},
             {"id": "e/1", "points": "7"}, {"id": "e/1", "nothing": True}]
    kept = {"whole": [{"id": "e/1", "points": 3, "note": "größe \u2028 \"x\"",
                       "deep": {"list": [1, {"a": 0.1}], "big": 12345678901234567890}},
                      {"id": "e/1", "points": "7"}, {"id": "e/1", "nothing": True}],
            "fields": [{"points": 3}, {"points": "7"}, {}], "nothing": [{}, {}, {}]}
    for how in ("whole", "fields", "hashes", "nothing"):
        with Desk(program, "--store-lead", how) as desk:
            desk.publish(definition("one"))
            desk.publish(definition("trial", purpose="experimental"))
            answers = [desk.client.post("/v1/score", {"lead": lead}).json for lead in leads]
            expect(desk.client.post("/v1/outcomes", {"lead_id": "e/1", "outcome": "lost", "value": 3,
                                                     "at": "2026-01-01"}), 200)
            answer = desk.ask("GET", path("e/1", "/export"), status=200)
            equal((answer.headers["Content-Disposition"], answer.headers["Cache-Control"]),
                  ('attachment; filename="lead.json"', "no-store"), "headers")
            told = answer.json
            equal(told["outcome"], {"outcome": "lost", "value": 3, "at": "2026-01-01T00:00:00.000Z"},
                  "outcome")
            equal((told["lead_id"], told["next"]), ("e/1", ""), "whose")
            equal([one["kept"] for one in told["scores"]], [how] * 3, "kept")
            for one, answered in zip(told["scores"], answers[::-1]):
                alone = desk.ask("GET", "/v1/scores/" + answered["id"], status=200)
                equal(one["answer"], alone.json, "as told alone")
            inputs = [one["input"] for one in told["scores"]][::-1]
            if how == "hashes":
                equal(sorted(inputs[0]), ["points"], "fields alone")
                equal(inputs[0]["points"].startswith("hmac:"), True, "a hash")
            else:
                equal(inputs, kept[how], "inputs that were kept")
            if how == "whole":
                found = dict(pairs(answer.body))["scores"][-1]
                equal(dict(dict(found)["input"])["deep"][1], ("big", "12345678901234567890"),
                      "every digit")
            equal(pages(desk, "e/1", "export", limit=1), told["scores"], "page by page")
            equal("ann@example.com" in answer.body.decode("utf-8"), False, "mail is never kept")


def test_large_exports_come_in_pieces(program):
    """A page of export ends where it grows large, and the next one goes on."""
    with Desk(program) as desk:
        desk.publish(definition("one"))
        for at in range(30):
            desk.score({"id": "x", "points": at % 10, "text": ("%d " % at) * 250000})
        path_ = "/v1/leads/" + quote("x") + "/export?limit=1000"
        first = desk.get(path_)
        equal(0 < len(first["scores"]) < 30 and first["next"] != "", True, "a part")
        told = pages(desk, "x", "export", limit=1000)
        equal([one["input"]["text"][:3].split()[0] for one in told],
              [str(at) for at in range(29, -1, -1)], "all of it")


run(globals())
