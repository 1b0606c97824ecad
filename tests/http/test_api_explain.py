"""POST /v1/explain: the same as scoring under a published ICP, and the same as
the second evaluator of tests/oracle says."""

import copy
import json
import os
import sqlite3
import sys

from contract import ROOT
from harness import ICPS, Place, equal, expect, run
from test_api_score import LEAD, Scoring, definition

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
sys.path.insert(0, os.path.join(ROOT, "tests", "cases"))
import oracle  # noqa: E402
from breaking import broken  # noqa: E402
from driver import parsed  # noqa: E402
from differ import differences  # noqa: E402
from generate import Maker  # noqa: E402

COUNT = int(os.environ.get("LF_EXPLAIN_COUNT", "300"))


class FixedLists(Maker):
    """A Maker whose requests all have the same named lists."""

    fixed = {"competitors": ["VP, Sales", "ok", "1.5", "Straße"], "free-mail": [],
             "target-accounts": ["Größe AG", "ＡＣＭＥ", "true", "日本 製造"]}

    @property
    def lists(self):
        return self.fixed

    @lists.setter
    def lists(self, drawn):
        equal(set(drawn) - set(self.fixed), set(), "lists that are drawn")


def without(answer, *names):
    return {name: one for name, one in answer.items() if name not in names}


def test_as_under_a_published_icp(program):
    with Scoring(program) as client:
        for path in ICPS:
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
            for explain in ("full", "summary", "none"):
                asked = {"lead": LEAD, "as_of": "2026-01-01", "explain": explain}
                said = client.post("/v1/explain", dict(asked, definition=document))
                said = expect(said, 200).json
                kept = client.post("/v1/score", dict(asked, icps=[document["key"]])).json
                equal((said["id"], said["version"], said["recorded"]), ("", 0, False), "explained")
                free = ("id", "version", "recorded", "scored_at", "results")
                equal(without(said, *free), without(kept, *free), "the flat members")
                equal([without(one, "version") for one in said["results"]],
                      [without(one, "version") for one in kept["results"]], "results")
                equal([one["version"] for one in said["results"]], [0] * len(said["results"]),
                      "version")


def test_nothing_is_kept(program):
    with Place(program) as place:
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            for at in range(20):
                expect(client.post("/v1/explain", {"lead": {"id": at}, "definition":
                                                   definition("fresh")}), 200)
            equal(client.get("/v1/icps").json, {"icps": []}, "ICPs")
            expect(client.post("/v1/score", {"lead": {}}), 409, "no_active_icp")
        with sqlite3.connect(place.db) as database:
            for table in ("icp", "icp_version", "score_block"):
                (count,) = database.execute("SELECT count(*) FROM " + table).fetchone()
                equal(count, 0, "rows of " + table)


def test_an_experimental_definition_answers(program):
    with Scoring(program) as client:
        answer = client.post("/v1/explain", {"lead": {"points": 4}, "definition":
                                             definition("bet", purpose="experimental")})
        equal(expect(answer, 200).json["score"], 40, "score")


def test_lists(program):
    document = definition("listed")
    document["attributes"][0]["rules"] = [{"when": {"field": "domain", "in_list": "rivals"}}]
    document["disqualifiers"] = [{"key": "d", "reason": "D", "when": {"all": [
        {"field": "x", "exists": True}, {"not": {"field": "domain", "in_list": "nowhere"}}]}}]
    with Place(program) as place:
        place.put_lists({"rivals": ["Rival.example", " GRÖSSE  AG "]})
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            expect(client.post("/v1/explain", {"lead": {}, "definition": document}), 422,
                   "invalid_definition", errors=[
                       ("/definition/disqualifiers/0/when/all/1/not/in_list", "unknown_list")])
            del document["disqualifiers"]
            for domain, score in (("rival.EXAMPLE", 100), ("grösse ag", 100), ("other", 0)):
                answer = client.post("/v1/explain", {"lead": {"domain": domain},
                                                     "definition": document})
                equal(expect(answer, 200).json["score"], score, domain)


def as_driver(answer):
    """The answer in the form that differ.py compares."""
    if answer.status == 422:
        problem = answer.json
        for one in problem["errors"]:
            equal(one["pointer"].startswith("/definition"), True, "pointer " + one["pointer"])
        return {"refused": [{"pointer": one["pointer"][len("/definition"):], "code": one["code"]}
                            for one in problem["errors"]]}
    expect(answer, 200)
    body = parsed(answer.body)
    (result,) = body["results"]
    return dict({name: body[name] for name in ("reason_1", "reason_2", "reason_3")}, result=result)


def test_agrees_with_the_second_evaluator(program):
    maker = FixedLists(20261122)
    with Place(program) as place:
        place.put_lists(maker.fixed)
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            refused = 0
            for at in range(COUNT):
                request = broken(maker) if at % 5 == 4 else maker.request()
                request = dict(request, lists=maker.fixed, revisions={})     # all are new
                asked = {name: request[name] for name in ("definition", "lead", "as_of")}
                answer = as_driver(client.post("/v1/explain", asked))
                refused += "refused" in answer
                if "refused" not in answer:
                    answer["definition_hash"] = oracle.definition_hash(request["definition"])
                told = differences(request, answer)
                if told:
                    raise AssertionError("%s\nfor %s" % ("\n".join(told[:5]), json.dumps(
                        asked, ensure_ascii=False)[:3000]))
            equal(refused > 0, True, "some were refused")


def test_cases(program):
    """tests/cases, all of them, by the way of HTTP."""
    import run as cases
    folder = os.path.dirname(cases.__file__)
    tried = 0
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        document, exact = cases.load(os.path.join(folder, name))
        groups = {}                  # one server for each set of lists
        for case, wanted in zip(document["cases"], exact, strict=True):
            lists = json.dumps(case.get("lists", {}), sort_keys=True)
            groups.setdefault(lists, []).append((case, wanted))
        for lists, group in groups.items():
            with Place(program) as place:
                place.put_lists(json.loads(lists))
                key = place.key()
                with place.serve("--max-body", "16MiB") as server:
                    client = server.client(key)
                    for case, wanted in group:
                        tried += 1
                        told = case_differences(cases, client, document, case, wanted)
                        if told:
                            raise AssertionError("%s, %s: %s" % (name, case["name"], told[:3]))
    equal(tried > 150, True, "%d cases" % tried)


def case_differences(cases, client, document, case, wanted):
    request = cases.request_of(case, document)
    asked = {name: request[name] for name in ("definition", "lead", "as_of")}
    answer = as_driver(client.post("/v1/explain", asked))
    wanted = copy.deepcopy(wanted)
    # Over HTTP the lists must be there, they are new, and the hash stands in the result.
    asked_lists = wanted.get("expect", {}).get("lists", [])
    for one in asked_lists:
        one["revision"] = min(one["revision"], 1)
    if any(one["revision"] == 0 for one in asked_lists):
        equal({one["code"] for one in answer["refused"]}, {"unknown_list"}, case["name"])
        return []
    if "result" in answer:
        answer["definition_hash"] = answer["result"]["definition_hash"]
    return cases.differences(wanted, answer)


run(globals())
