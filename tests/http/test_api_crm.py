"""README's 'Connect your CRM', to the letter: its commands are run, its bodies are sent, against
stand-ins that check what each CRM checks."""

import json
import os
import re
import shlex
import subprocess

from contract import ROOT, load
from harness import ICPS, Place, equal, expect, run
from stand_ins import (PUBLIC, Callout, Dataverse, ExternalService, HubSpot, Pipedrive,
                       PowerAutomate, Receiver, check_action, fill, mautic_headers, post)

SECRETS = {"SECRET": "a-secret-of-the-website", "CLIENT_SECRET": "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
           "PASSWORD": "pipedrive-password"}
LEAD = {"Id": "00Q5e00001AbCdEEAV", "Title": "Head of Operations", "Company": "Beispiel GmbH",
        "Industry": "Machinery", "NumberOfEmployees": 860, "Country": "DE"}


def section():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    begin = text.index("\n## Connect your CRM\n")
    return text[begin:text.index("\n## ", begin + 1)]


def commands():
    """The commands of the section, in order."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", section(), re.S):
        command = None
        for line in block.splitlines():
            if line.startswith("$ "):
                command = line[2:]
            elif command is not None:
                command += "\n" + line
            if command is None:
                continue
            try:
                shlex.split(command)
            except ValueError:               # a quote is open: it goes on
                continue
            found.append(command)
            command = None
    return found


def tried(name):
    """The body of that name."""
    return json.loads(re.search(r"<!-- tried: %s -->\n```json\n(.*?)```" % name, section(),
                                re.S).group(1))


def shell(command, port, key, target):
    """Runs a command as the README has it, at the server under test."""
    script = command.replace("https://hooks.example.com/leadfit", target)
    script = ('lf() { path=$1; shift; curl -s "http://127.0.0.1:8080/v1/$path"'
              ' -H "Authorization: Bearer $KEY" "$@"; echo; }\n' + script)
    script = script.replace("127.0.0.1:8080", "127.0.0.1:%d" % port)
    # an older curl has no --json
    script = 'curl() { args=(); while [ $# -gt 0 ]; do if [ "$1" = --json ]; then ' \
             'args+=(-H "Content-Type: application/json" --data-binary "$2"); shift 2; ' \
             'else args+=("$1"); shift; fi; done; command curl "${args[@]}"; }\n' + script
    done = subprocess.run(["bash", "-c", script], env=dict(os.environ, KEY=key, no_proxy="*", **SECRETS),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30,
                          check=False)
    equal(done.returncode, 0, "%s: %s" % (command, done.stderr))
    return json.loads(done.stdout)


class Shop:
    """A server that has had all the section's commands."""

    def __init__(self, program):
        self.place = Place(program)
        self.place.publish(*ICPS)
        self.key = self.place.key("admin")
        self.receiver = Receiver()
        self.server = self.place.serve("--public-url", PUBLIC, "--allow-private-targets", "yes")
        self.answers = {}
        for command in commands():
            answer = shell(command, self.server.port, self.key, self.receiver.url())
            equal("code" in answer and "status" in answer, False, "%s: %s" % (command, answer))
            self.answers[command.split(" ")[1]] = answer
            if command.startswith("lf subscriptions/crm-grades -X PUT"):
                self.receiver.secret = answer["secret"]

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.receiver.close()
        if trouble[0] is None:
            equal(self.server.stop(), 0, "exit code")
        else:
            self.server.kill()
        self.place.__exit__(*trouble)

    def client(self):
        return self.server.client(self.key)

    def score_of(self, lead, icps=None):
        """What POST /v1/score says of a lead."""
        asked = {"lead": lead, "record": False, "explain": "none"}
        if icps:
            asked["icps"] = icps
        return expect(self.client().ask("POST", "/v1/score", asked), 200).json


def test_every_command_of_the_section_works(program):
    with Shop(program) as shop:
        equal(len(shop.answers) >= 10, True, "commands: %s" % sorted(shop.answers))
        refused = expect(shop.client().get("/v1/sources/website/refused"), 200).json
        equal(refused, {"refused": []}, "nothing was refused")
        for key in ("website", "hubspot", "hubspot-action", "salesforce", "pipedrive", "dynamics", "mautic",
                    "zapier"):
            source = expect(shop.client().get("/v1/sources/" + key), 200).json
            equal(source["url"], PUBLIC + "/v1/webhooks/" + key, "url of " + key)


def test_hubspot_workflow(program):
    with Shop(program) as shop:
        hubspot = HubSpot(shop.server.port, SECRETS["CLIENT_SECRET"])
        contact = {"objectId": 512, "properties": {
            "hs_object_id": {"value": "512"}, "jobtitle": {"value": "Head of Operations"},
            "industry": {"value": "Machinery"}, "numberofemployees": {"value": "860"},
            "country": {"value": "DE"}, "tech_stack": {"value": "SAP ECC;Excel"}}}
        for version in ("v2", "v3"):
            answer = expect(hubspot.send("/v1/webhooks/hubspot", contact, version), 200).json
            same = shop.score_of({"id": "512", "title": "Head of Operations", "company": {
                "industry": "Machinery", "employees": "860", "country": "DE",
                "technologies": ["SAP ECC", "Excel"]}})
            for member in ("lead_id", "icp", "score", "grade", "coverage", "reason_1"):
                equal(answer[member], same[member], member)
        other = HubSpot(shop.server.port, "another-secret-altogether")
        expect(other.send("/v1/webhooks/hubspot", contact), 401, "bad_signature")


def test_hubspot_action(program):
    definition = tried("hubspot-action")
    check_action(definition)
    with Shop(program) as shop:
        hubspot = HubSpot(shop.server.port, SECRETS["CLIENT_SECRET"])
        state, outputs = hubspot.run_action(definition, {
            "title": "Head of Operations", "industry": "Machinery", "employees": 860, "country": "DE"}, 1)
        same = shop.score_of({"id": 904, "title": "Head of Operations", "company": {
            "industry": "Machinery", "employees": 860, "country": "DE"}})
        equal((state, outputs["score"], outputs["grade"]), ("SUCCESS", same["score"], same["grade"]),
              "what the workflow goes on with")
        again = hubspot.run_action(definition, {
            "title": "Head of Operations", "industry": "Machinery", "employees": 860, "country": "DE"}, 1)
        equal(again, (state, outputs), "the same run again")
        scores = expect(shop.client().get("/v1/leads/904/scores"), 200).json["scores"]
        equal(len({one["score_id"] for one in scores}), 1, "scores of the contact")


def test_salesforce_callout(program):
    request, response = tried("salesforce-request"), tried("salesforce-response")
    with Shop(program) as shop:
        key = shop.answers["keys"]["key"]
        flow = Callout(shop.server.port, key, "/v1/webhooks/salesforce", response)
        found = flow.call(request)
        same = shop.score_of({"id": request["Id"], "title": request["Title"], "company": {
            "name": request["Company"], "industry": request["Industry"], "employees": 860,
            "annual_revenue": 140000000, "country": "DE"}})
        for member in ("icp", "score", "grade", "reason_1"):
            equal(found[member], same[member], member)
        flow.call(LEAD)
        flow.call({"Id": "00Q5e00001AbCdFEAV", "Status": "Open"})      # little is known: the types stay
        several = post(shop.server.port, "/v1/webhooks/salesforce", json.dumps(
            [dict(LEAD, Id="00Q5e0000%d" % at) for at in range(3)]).encode(),
            {"Authorization": "Bearer " + key})
        equal([one["lead_id"] for one in expect(several, 200).json["scores"]],
              ["00Q5e0000%d" % at for at in range(3)], "order of several")


def test_salesforce_external_services(program):
    service = ExternalService(load())
    equal(len(service.operations) > 40, True, "operations")
    with Shop(program) as shop:
        key = shop.answers["keys"]["key"]
        answer = service.call(shop.server.port, key, "receiveWebhook", LEAD, source="salesforce")
        equal(expect(answer, 200).json["lead_id"], LEAD["Id"], "lead_id")
        answer = service.call(shop.server.port, key, "scoreLead", {"lead": {"id": "L-1", "title": "COO"}})
        equal(expect(answer, 200).json["lead_id"], "L-1", "lead_id")
        answer = service.call(shop.server.port, key, "receiveWebhook", {}, source="no-such")
        equal(expect(answer, 404, "source_not_found").json["request_id"],
              answer.headers["X-Request-Id"], "the request's id, in the body")


def test_pipedrive(program):
    with Shop(program) as shop:
        crm = Pipedrive(shop.server.port, "/v1/webhooks/pipedrive", "leadfit", SECRETS["PASSWORD"])
        industry = "1f0c3a5b7d9e2f4a6b8c0d1e2f3a4b5c6d7e8f90"
        employees = "2a0c3a5b7d9e2f4a6b8c0d1e2f3a4b5c6d7e8f91"
        person = {"id": 4711, "name": "Ada Roth", "job_title": "Head of Operations", "custom_fields": {
            industry: {"type": "enum", "id": 12}, employees: {"type": "double", "value": 860}}}
        first = expect(crm.send("person", "change", 4711, person, 1), 200)
        same = shop.score_of({"id": "4711", "title": "Head of Operations", "company": {
            "industry": "Machinery", "employees": 860}})
        for member in ("icp", "score", "grade"):
            equal(first.json[member], same[member], member)
        again = crm.send("person", "change", 4711, person, 1, attempt=2)
        equal(again.body, first.body, "the same delivery again")
        gone = expect(crm.send("person", "delete", 4711, None, 2), 200)
        equal(gone.json["recorded"], False, "a deletion")
        for at in range(12):                             # ten failures would ban the endpoint
            odd = expect(crm.send("person", "change", 1, {"id": {"no": "id"}}, 10 + at), 200)
            equal((odd.json["recorded"], odd.json["problem"]["status"]), (False, 422), "unscorable")
        # The way back: an event, filled into README's body.
        client = shop.client()
        made = expect(client.ask("PUT", "/v1/subscriptions/crm-grades", {
            "url": shop.receiver.url(), "events": ["score.recorded"]}), 200)
        equal(made.json["secret"], "", "the secret stays")
        crm.send("person", "change", 4711, person, 40)
        event = shop.receiver.next()
        crm.patch_person(event["data"]["lead_id"], fill(tried("pipedrive-patch"), event))
        equal(list(crm.persons["4711"].values()), [same["score"]], "the score at the person")


def test_dynamics(program):
    with Shop(program) as shop:
        row = {"leadid": "00aa00aa-bb11-cc22-dd33-44ee44ee44ee", "jobtitle": "Head of Operations",
               "companyname": "Beispiel GmbH", "industrycode": 14, "numberofemployees": 860,
               "revenue": 140000000.0, "address1_country": "DE", "statecode": 0, "emailaddress1": None}
        answer = expect(post(shop.server.port, "/v1/webhooks/dynamics", json.dumps(row).encode(),
                             {"Authorization": "Bearer " + shop.key}), 200).json
        same = shop.score_of({"id": row["leadid"], "title": "Head of Operations", "company": {
            "name": "Beispiel GmbH", "industry": "Machinery", "employees": 860,
            "annual_revenue": 140000000, "country": "DE"}})
        equal((answer["score"], answer["grade"]), (same["score"], same["grade"]), "score")
        dataverse, template = Dataverse(), tried("dynamics-score")
        dataverse.post(PowerAutomate({"Leadfit": answer}).fill(template))
        equal(dataverse.scores[row["leadid"]]["msdyn_score"], int(answer["score"] + 0.5), "in the form")
        for grade, number in (("A", 0), ("D", 3), ("DQ", 3)):
            filled = PowerAutomate({"Leadfit": dict(answer, grade=grade)}).fill(template)
            equal(filled["msdyn_grade"], number, "grade " + grade)


def test_mautic(program):
    with Shop(program) as shop:
        def contact(number):
            return {"contact": {"id": number, "points": 10, "fields": {"core": {
                "position": {"alias": "position", "type": "text", "value": "Head of Operations"},
                "company": {"alias": "company", "type": "text", "value": "Beispiel GmbH"},
                "country": {"alias": "country", "type": "country", "value": "Germany"}}}},
                "timestamp": "2026-11-22T09:30:00+00:00"}

        body = json.dumps({"mautic.lead_post_save_update": [contact(7), contact(8)]}).encode()
        headers = mautic_headers(SECRETS["SECRET"], body)
        answer = expect(post(shop.server.port, "/v1/webhooks/mautic", body, headers), 200).json
        equal([one["lead_id"] for one in answer["scores"]], ["7", "8"], "contacts")
        wrong = post(shop.server.port, "/v1/webhooks/mautic", body + b" ", headers)
        expect(wrong, 401, "bad_signature")


def test_flat_answers_for_tools_that_read_nothing_else(program):
    """Zapier, Make, n8n, Marketo: keys of letters, digits and _, values that are no containers."""
    with Shop(program) as shop:
        for path, headers in (("zapier", {"Authorization": "Bearer " + shop.key}),
                              ("website", {"X-Leadfit-Secret": SECRETS["SECRET"]})):
            answer = expect(post(shop.server.port, "/v1/webhooks/" + path,
                                 b'{"id": "Z-9", "title": "COO"}', headers), 200).json
            for name, value in answer.items():
                equal(bool(re.fullmatch(r"[A-Za-z0-9_]+", name)), True, "a key: " + name)
                equal(isinstance(value, (str, int, float, bool)), True, "flat: " + name)
            for name in ("score", "grade", "reason_1", "reason_2", "reason_3"):
                equal(name in answer, True, name)


def test_grades_that_change_are_told(program):
    with Shop(program) as shop:
        key = shop.answers["keys"]["key"]
        flow = Callout(shop.server.port, key, "/v1/webhooks/salesforce", tried("salesforce-response"))
        poor = flow.call({"Id": "00Q1", "Title": "Intern", "NumberOfEmployees": 1})
        client = shop.client()
        expect(client.ask("PUT", "/v1/subscriptions/crm-grades", {
            "url": shop.receiver.url(), "events": ["score.grade_changed"]}), 200)
        better = flow.call(dict(LEAD, Id="00Q1"))
        events = {}
        while better["icp"] not in events:
            event = shop.receiver.next()
            events[event["data"]["icp"]] = event
        told = events[better["icp"]]["data"]
        equal((told["lead_id"], told["to"], told["score"], told["score_id"]),
              ("00Q1", better["grade"], better["score"], better["id"]), "the event")
        equal(told["from"] != told["to"], True, "a change, the first being %s" % poor["grade"])


run(globals())
