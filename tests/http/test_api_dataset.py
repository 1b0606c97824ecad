"""A campaign's worth of leads scored, their outcomes posted, and every number of the statistics
held against an independent computation (statistics_model.py): the x-education set where it lies
beside the project, else a synthetic one of the same columns."""

import csv
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor

from contract import ROOT
from harness import Place, equal, expect, run
from statistics_model import Event, Model, check

ICP = os.path.join(ROOT, "config", "icps", "online-education.json")
DATA = os.path.join(ROOT, "..", "shared", "data", "x-education", "leads.csv")
# What is known only afterwards, or is not about the lead.
LATE = {"Converted", "Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity",
        "Asymmetrique Activity Index", "Asymmetrique Profile Index", "Asymmetrique Activity Score",
        "Asymmetrique Profile Score", "Prospect ID", "Lead Number"}
SCOPES = "score,stats:read,leads:write,icp:write"


def dataset():
    """[(lead, converted)]"""
    if "LEADFIT_SHORT" in os.environ:
        return synthetic(1200)
    if not os.path.exists(DATA):
        return synthetic(3000)
    found = []
    with open(DATA, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lead = {name: value for name, value in row.items()
                    if name not in LATE and value not in ("", "Select")}
            lead["id"] = row["Lead Number"]
            found.append((lead, row["Converted"] == "1"))
    return found


def synthetic(count):
    chance, found = random.Random(38), []
    for number in range(count):
        lead = {"id": "S%05d" % number}
        origin = chance.choice(["API", "Landing Page Submission", "Lead Add Form"])
        seconds = int(chance.expovariate(1 / 500))
        work = chance.choice(["Unemployed", "Working Professional", "Student", None])
        lead["Lead Origin"] = origin
        if chance.random() < 0.9:
            lead["Total Time Spent on Website"] = str(seconds)
        if work:
            lead["What is your current occupation"] = work
        if chance.random() < 0.8:
            lead["Lead Source"] = chance.choice(["Google", "Reference", "Olark Chat", "Direct Traffic"])
        if chance.random() < 0.7:
            lead["Specialization"] = chance.choice(["Finance Management", "Marketing Management"])
        odds = 0.1 + 0.3 * (seconds > 600) + 0.3 * (origin == "Lead Add Form") + 0.2 * (work == "Working Professional")
        found.append((lead, chance.random() < odds))
    return found


def score_all(server, key, leads):
    """Scores them from several connections at once; events in the order of recording."""
    def part(these):
        client = server.client(key)
        events = []
        for lead in these:
            answer = client.score(lead)
            events.append(Event(lead, answer, answer["results"][0]))
        client.close()
        return events
    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(part, [leads[at::8] for at in range(8)])
    return sorted((e for events in parts for e in events), key=lambda e: e.id)


def post_outcomes(client, outcomes):
    lines = "".join(json.dumps({"lead_id": i, "outcome": o, "value": v}) + "\n" for i, (o, v) in outcomes.items())
    answer = client.ask("POST", "/v1/outcomes", lines.encode(), headers={"Content-Type": "application/x-ndjson"})
    expect(answer, 200)
    equal((answer.json["accepted"], answer.json["errors"]), (len(outcomes), []), "outcomes")


def stats(client, query=""):
    answer = client.get("/v1/stats?icp=online-education" + query)
    expect(answer, 200)
    return answer.json


def test_every_number_of_the_statistics(program):
    with open(ICP, encoding="utf-8") as file:
        first = json.load(file)
    leads = dataset()
    with Place(program) as place:
        place.publish(ICP)
        key = place.key(SCOPES)
        with place.serve() as server:
            client = server.client(key)
            model = Model({1: first}, 1)
            model.events = score_all(server, key, [lead for lead, _ in leads])
            equal(len(model.events), len(leads), "scores")
            equal(check(model, stats(client), 0), [], "before anything is known of outcomes")
            chance = random.Random(7)
            model.outcomes = {lead["id"]: ("won", chance.randint(1, 5000) / 4) if won else ("lost", 0)
                              for lead, won in leads}
            for lead, _ in chance.sample(leads, len(leads) // 50):
                model.outcomes[lead["id"]] = ("open", 0)
            post_outcomes(client, model.outcomes)
            for version in (0, 1):
                equal(check(model, stats(client, "&version=%d" % version if version else ""), version), [],
                      "version %d" % version)

            second = json.loads(json.dumps(first))
            second["attributes"][0]["weight"] += 25
            second["attributes"][-1]["weight"] = 1
            put = client.ask("PUT", "/v1/icps/online-education/draft", second)
            expect(put, 201)
            expect(client.ask("POST", "/v1/icps/online-education/publish", {"note": "more weight on intent"},
                              headers={"If-Match": put.headers["ETag"]}), 201)
            model.definitions[2], model.active = second, 2
            some = [lead for lead, _ in chance.sample(leads, len(leads) // 3)]
            some += [{name: value for name, value in lead.items() if name != "Lead Source"} for lead in some[:500]]
            model.events += score_all(server, key, some)
            anonymous = [{**lead, "id": None} for lead in some[:200]]
            model.events += score_all(server, key, anonymous)
            for version in (0, 1, 2):
                equal(check(model, stats(client, "&version=%d" % version if version else ""), version), [],
                      "after a second version: %d" % version)
            told = stats(client)
        with place.serve() as server:            # and after a restart
            equal(stats(server.client(key)), told, "after a restart")
        place.command("check", "--db", place.db)


run(globals())
