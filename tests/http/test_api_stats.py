"""GET /v1/stats and /v1/stats/penetration: counted over from the answers of POST /v1/score by
statistics_model.py, polled while scores come in, and asked wrongly."""

import datetime
import random
import threading
import zoneinfo

from harness import equal, expect, run
from editing import Crowd, Desk, changed, definition
from statistics_model import Event, Model, check

PATH = "/v1/stats?icp=main"
HOUR = datetime.timedelta(hours=1)


def rich(**more):
    """A definition with rules in words, engagement, skipping, fading and disqualifiers."""
    return dict({
        "key": "main", "name": "Main", "framework": "pain_points",
        "attributes": [
            {"key": "size", "label": "Company size", "category": "firmographic", "weight": 40,
             "otherwise": -0.1, "rules": [
                 {"when": {"field": "company.employees", "between": [500, 5000]}, "label": "500-5,000 people"},
                 {"when": {"field": "company.employees", "gte": 200}, "fit": 0.333333, "label": "200 and more"}]},
            {"key": "title", "label": "Title", "category": "decision_maker", "weight": 30, "missing": "skip",
             "rules": [{"when": {"field": "people.title", "has_word": ["vp", "chief"]}, "label": "In charge"},
                       {"when": {"field": "people.title", "has_word": "head"}, "fit": 0.5, "label": "A head"}]},
            {"key": "visits", "label": "Visits", "category": "behavioral", "axis": "engagement", "weight": 10,
             "rules": [{"when": {"field": "visits", "gte": 3}, "label": "often"},
                       {"when": {"field": "visits", "gte": 1}, "fit": 0.4, "label": "now and then"}]}],
        "disqualifiers": [
            {"key": "rival", "reason": "Competitor", "when": {"field": "rival", "is": True}},
            {"key": "tiny", "reason": "Too small", "when": {"field": "company.employees", "lt": 2}}],
        "grades": [{"grade": "A", "min": 75}, {"grade": "B", "min": 40}, {"grade": "C", "min": 0}]}, **more)


def random_lead(chance, ids):
    lead = {}
    if chance.random() < 0.8:
        lead["id"] = "lead-%d" % chance.randrange(ids)
    if chance.random() < 0.8:
        lead["company"] = {"employees": chance.choice([1, 50, 300, 1000, 9000, "many", None])}
    if chance.random() < 0.7:
        titles = chance.choices(["VP Sales", "Clerk", "Head of IT", "", None], k=chance.randrange(3))
        lead["people"] = [{"title": title} for title in titles]
    if chance.random() < 0.7:
        lead["visits"] = chance.randrange(5)
    if chance.random() < 0.1:
        lead["rival"] = True
    return lead


def score_some(desk, model, chance, count, ids=60):
    for _ in range(count):
        lead = random_lead(chance, ids)
        answer = desk.score(lead)
        model.events.append(Event(lead, answer, answer["results"][0]))


def say_outcomes(desk, model, chance):
    """Says what became of most leads, again and again: the latest counts."""
    for lead_id in sorted({e.lead_id for e in model.events if e.lead_id}):
        for _ in range(chance.randrange(3)):
            word = chance.choice(["won", "won", "lost", "open"])
            value = chance.choice([0, 0.1, 1250.75, 99999.999999]) if word == "won" else 0
            expect(desk.client.post("/v1/outcomes", {"lead_id": lead_id, "outcome": word, "value": value}), 200)
            model.outcomes[lead_id] = (word, value)


def stats(desk, query="", **headers):
    return desk.get(PATH + query, **headers)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


# ------------------------------------------------------------ every number


def test_every_number(program):
    chance = random.Random(4)
    with Desk(program) as desk:
        desk.publish(rich())
        model = Model({1: rich()}, 1)
        equal(check(model, stats(desk), 0), [], "before the first score")
        score_some(desk, model, chance, 150)
        equal(check(model, stats(desk), 0), [], "without outcomes")
        say_outcomes(desk, model, chance)
        score_some(desk, model, chance, 100)     # leads move after their outcome is known
        desk.score({"id": "not recorded", "company": {"employees": 900}}, record=False)
        for version in (0, 1):
            equal(check(model, stats(desk, "&version=1" if version else ""), version), [], "version %d" % version)
        desk.restart(kill=True)
        equal(check(model, stats(desk), 0), [], "after a crash")


def test_versions_side_by_side(program):
    """Three versions that differ in their attributes' weights, then in grades, rules and
    attributes; then back to the first."""
    chance = random.Random(5)
    second = rich()
    second["attributes"][0]["weight"] = 10
    with Desk(program) as desk:
        desk.publish(rich())
        model = Model({1: rich(), 2: second}, 1)
        score_some(desk, model, chance, 60)
        desk.publish(second)
        model.active = 2
        score_some(desk, model, chance, 60)
        say_outcomes(desk, model, chance)
        for version in (0, 1, 2):
            equal(check(model, stats(desk, "&version=%d" % version if version else ""), version), [],
                  "version %d" % version)
        desk.ask("POST", "/v1/icps/main/activate", {"version": 1}, 200)
        model.active = 1
        equal(check(model, stats(desk), 0), [], "rolled back")
        told = stats(desk)
        equal([(v["version"], v["scored"]) for v in told["versions"]], [(1, 60), (2, 60)], "versions")
        equal(told["drift"]["version"], 1, "drift is of the active one")

        third = rich(grades=[{"grade": "Gold", "min": 60}, {"grade": "A", "min": 30}, {"grade": "Rest", "min": 0}])
        third["attributes"] = [
            {"key": "title", "label": "Job title", "category": "demographic", "weight": 10, "rules": [
                {"when": {"field": "people.title", "has_word": "clerk"}, "label": "A clerk"},
                {"when": {"field": "people.title", "has_word": ["vp", "chief"]}, "label": "In charge"}]}]
        third["disqualifiers"] = [{"key": "visitor", "reason": "Comes often", "when": {"field": "visits", "gte": 4}}]
        desk.publish(third)
        events = model.events
        for _ in range(80):
            lead = random_lead(chance, 60)
            answer = desk.score(lead)
            events.append(Event(lead, answer, answer["results"][0]))
        told = stats(desk)
        equal(told["scored"], 200, "scored")
        equal([g["grade"] for g in told["grades"]], ["Gold", "A", "Rest", "B", "C", "DQ"], "order of grades")
        for grade in told["grades"]:
            equal(grade["count"], sum(e.result["grade"] == grade["grade"] for e in events), grade["grade"])
        equal(sum(label["count"] for label in told["labels"]), 200, "labels")
        for label in told["labels"]:
            equal(label["count"], sum(e.result["label"] == label["label"] for e in events), label["label"])
        equal([a["key"] for a in told["attributes"]], ["title", "size", "visits"], "order of attributes")
        equal([d["key"] for d in told["disqualifiers"]][0], "visitor", "the active version's first")
        title = told["attributes"][0]
        equal((title["label"], title["category"]), ("Job title", "demographic"), "the active version's words")
        equal([r["label"] for r in title["rules"]], ["A clerk", "In charge", "A head"], "rules by label")
        for rule in title["rules"]:
            equal(rule["count"], sum(a["rule"] == rule["label"] for e in events for a in e.result["attributes"]
                                     if a["key"] == "title" and a["status"] == "matched"), rule["label"])
        equal(told["penetration"]["grades"], ["Gold", "A"], "best grades")
        best = {1: "AB", 2: "AB", 3: ("Gold", "A")}
        equal(told["penetration"]["count"], sum(e.result["grade"] in best[e.version] for e in events), "penetration")


# -------------------------------------------------------------------- time


def test_windows(program):
    with Desk(program) as desk:
        desk.publish(definition("main"))
        first = moment(desk.score({"id": "a", "points": 5})["scored_at"])
        last = moment(desk.score({"id": "b", "points": 9})["scored_at"])
        begin, end = first.replace(minute=0, second=0, microsecond=0), last.replace(
            minute=0, second=0, microsecond=0) + HOUR

        def window(since, until, **more):
            query = "".join("&%s=%s" % (name, value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(
                value, datetime.datetime) else value) for name, value in (("from", since), ("to", until)) if value)
            return stats(desk, query + "".join("&%s=%s" % pair for pair in more.items()))

        def said(time):
            return time.strftime("%Y-%m-%dT%H:00:00.000Z")
        told = window(None, None)
        equal((told["scored"], told["from"], told["to"], told["tz"], told["bucket"]), (2, "", "", "UTC", "day"), "all")
        told = window(first, last + datetime.timedelta(seconds=1))     # outward, to whole hours
        equal((told["scored"], told["from"], told["to"]), (2, said(begin), said(end)), "moved outward")
        for since, until, scored in ((begin, None, 2), (None, end, 2), (end, None, 0), (None, begin, 0),
                                     (begin - 40 * 24 * HOUR, end + 400 * 24 * HOUR, 2),
                                     (begin - 5 * HOUR, begin, 0)):
            told = window(since, until)
            equal(told["scored"], scored, "from %s to %s" % (since, until))
            equal(sum(point["scored"] for point in told["series"]), scored, "its series")
        told = window("2025-12-31T23:30:00.5%2B05:30", "9999-12-31T23:59:59.999999Z", tz="Asia/Kolkata")
        equal((told["from"], told["to"], told["tz"]),
              ("2025-12-31T18:00:00.000Z", "9999-12-31T23:00:00.000Z", "Asia/Kolkata"), "ends")
        equal(window("0000-01-01", None, tz="Asia/Tokyo")["from"], "0000-01-01T00:00:00.000Z", "the first moment")

        for name in ("Europe/Berlin", "America/New_York", "Asia/Kathmandu"):
            zone = zoneinfo.ZoneInfo(name)
            local = first.astimezone(zone).date()
            told = window(local.isoformat(), (local + datetime.timedelta(days=2)).isoformat(), tz=name)
            midnight = datetime.datetime.combine(local, datetime.time(), zone).astimezone(datetime.timezone.utc)
            equal(told["from"], said(midnight), "local midnight, moved back to the hour")
            hour = begin.astimezone(zone).date()     # an hour belongs to the day in which it begins
            equal(told["series"][0]["start"], datetime.datetime.combine(hour, datetime.time(), zone).astimezone(
                datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:00.000Z"), "the day in " + name)
        told = window(None, None, bucket="hour")
        equal(told["series"][0]["start"], said(begin), "the hour")
        equal(told["bucket"], "hour", "bucket")


# ----------------------------------------------------------------- polling


def test_a_score_counts_in_the_next_poll(program):
    with Desk(program) as desk:
        desk.publish(definition("main"))
        for count in range(1, 41):
            desk.score({"id": "lead-%d" % (count // 2), "points": count % 10})
            told = stats(desk)
            equal((told["scored"], told["leads"]), (count, count // 2 + 1), "after %d scores" % count)
            equal(told["outcomes"]["leads"], count // 2 + 1, "leads by their latest score")


def adds_up(told):
    """What has to fit together in one answer, whatever happens meanwhile."""
    scored = told["scored"]
    equal(sum(g["count"] for g in told["grades"]), scored, "grades")
    equal(sum(one["count"] for one in told["labels"]), scored, "labels")
    equal(sum(told["histogram"]["counts"]), scored, "histogram")
    equal(told["qualified"] + told["disqualified"], scored, "qualified")
    equal(sum(v["scored"] for v in told["versions"]), scored, "versions")
    equal(sum(v["leads"] for v in told["versions"]), told["leads"], "leads of versions")
    equal(sum(p["scored"] for p in told["series"]), scored, "series")
    for attribute in told["attributes"]:
        equal(attribute["matched"] + attribute["unmatched"] + attribute["unknown"], scored, attribute["key"])
        equal(sum(rule["count"] for rule in attribute["rules"]), attribute["matched"], "rules")
    equal(told["drift"]["window"]["scored"] <= scored, True, "drift")
    equal(sum(g["leads"] for g in told["outcomes"]["grades"]), told["outcomes"]["leads"], "outcomes")


def test_polls_while_scores_come_in(program):
    with Desk(program) as desk:
        desk.publish(definition("main"))
        crowd = Crowd(desk.server, desk.key, {"lead": {"points": 7}}, lambda answer, begun: None)
        before, polls = 0, []
        try:
            for at in range(60):
                told = stats(desk, "&bucket=hour" if at % 2 else "")
                adds_up(told)
                equal(told["scored"] >= before, True, "never fewer than before")
                before = told["scored"]
                polls.append(before)
                if at == 20:
                    desk.publish(changed(definition("main"), name="Another name"))
                if at == 40:
                    desk.ask("POST", "/v1/icps/main/activate", {"version": 1}, 200)
        finally:
            crowd.stop()
        told = stats(desk)
        adds_up(told)
        equal(told["scored"], crowd.answers, "every answer counts, and nothing else")
        equal(len(set(polls)) > 5, True, "polls saw it grow: %r" % polls)


def test_several_pollers(program):
    """Pollers at once see the same; each sees its own scores."""
    with Desk(program) as desk:
        desk.publish(definition("main"))
        faults = []

        def poll(number):
            try:
                client = desk.server.client(desk.key)
                for at in range(10):
                    client.score({"id": "%d-%d" % (number, at), "points": 3})
                    told = client.get(PATH).json
                    adds_up(told)
                    if told["leads"] < at + 1:
                        raise AssertionError("own scores are missing: %d of %d" % (told["leads"], at + 1))
                client.close()
            except Exception as fault:   # told below
                faults.append(fault)
        threads = [threading.Thread(target=poll, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        equal(faults, [], "faults")
        equal(stats(desk)["leads"], 60, "leads")


def test_etags(program):
    with Desk(program) as desk:
        desk.publish(definition("main"))
        desk.score({"id": "a", "points": 4})
        for path in (PATH, PATH + "&bucket=hour&tz=Europe/Berlin", "/v1/stats/penetration"):
            first = desk.ask("GET", path, status=200)
            tag = first.headers["ETag"]
            equal(desk.ask("GET", path, status=200).headers["ETag"], tag, "the same again")
            for known in (tag, "W/" + tag, '"x", ' + tag, "*"):
                answer = desk.ask("GET", path, status=304, if_none_match=known)
                equal((answer.body, answer.headers["ETag"], answer.headers["Cache-Control"]),
                      (b"", tag, "private, no-cache"), "304")
            desk.ask("GET", path, status=200, if_none_match='"x"')
            head = desk.ask("HEAD", path)
            equal((head.status, head.headers["ETag"]), (200, tag), "HEAD")
        tag = desk.ask("GET", PATH).headers["ETag"]
        shares = desk.ask("GET", "/v1/stats/penetration").headers["ETag"]
        desk.score({"id": "b", "points": 4})
        changed_tag = desk.ask("GET", PATH, status=200, if_none_match=tag).headers["ETag"]
        equal(changed_tag != tag, True, "a score changes it")
        desk.ask("GET", "/v1/stats/penetration", status=200, if_none_match=shares)
        expect(desk.client.post("/v1/outcomes", {"lead_id": "b", "outcome": "won"}), 200)
        desk.ask("GET", PATH, status=200, if_none_match=changed_tag)
        desk.restart()
        equal(desk.ask("GET", PATH).headers["ETag"],
              desk.ask("GET", PATH).headers["ETag"], "after a restart")


# -------------------------------------------------------------- bad queries


def test_bad_parameters(program):
    said = [
        ("/v1/stats", "icp is missing"),
        ("/v1/stats?icp=", "icp is missing"),
        (PATH + "&version=0", "version: the number of a version belongs here"),
        (PATH + "&version=x", "not \"x\""),
        (PATH + "&version=", "version: the number"),
        (PATH + "&version=1.0", "version: the number"),
        (PATH + "&bucket=week", "bucket: hour or day belongs here, not \"week\""),
        (PATH + "&bucket=", "bucket: hour or day"),
        (PATH + "&tz=Berlin", "no time zone of that name"),
        (PATH + "&tz=", "tz"),
        (PATH + "&tz=../../etc/passwd", "tz"),
        (PATH + "&tz=Europe/Berlin%00", None),
        (PATH + "&from=yesterday", "from: a date or time belongs here"),
        (PATH + "&to=2026-02-30", "to: a date or time belongs here"),
        (PATH + "&from=2026-01-01T00:00:00+01:00", "a + is written %2B"),
        (PATH + "&from=", "from: a date or time"),
        (PATH + "&from=2026-01-01T10:00:00&tz=Europe/Berlin", "from: a time says how far it is from UTC"),
        (PATH + "&to=2026-01-01T10:00:00.5&tz=Europe/Berlin", "to: a time says how far it is from UTC"),
        (PATH + "&from=2026-01-02&to=2026-01-02", "from does not lie before to"),
        (PATH + "&from=2026-01-02&to=2026-01-01", "from does not lie before to"),
        (PATH + "&baseline_from=2026-01-01", "baseline_from stands alone: baseline_to belongs beside it"),
        (PATH + "&baseline_to=2026-01-01", "baseline_to stands alone: baseline_from belongs beside it"),
        (PATH + "&baseline_from=2026-01-02&baseline_to=2026-01-01", "baseline_from does not lie before baseline_to"),
        (PATH + "&baseline_from=x&baseline_to=2026-01-01", "baseline_from: a date"),
        (PATH + "&limit=3", "limit"),
        (PATH + "&icp=main", None),
        ("/v1/stats/penetration?icp=main", "icp"),
        ("/v1/stats/penetration?from=2026-01-02&to=2026-01-02", "from does not lie before to"),
        ("/v1/stats/penetration?tz=Nowhere", "no time zone of that name"),
        ("/v1/stats/penetration?bucket=day", "bucket"),
    ]
    with Desk(program) as desk:
        desk.publish(definition("main"))
        for path, piece in said:
            answer = desk.ask("GET", path)
            code = "invalid_parameter" if piece else answer.json["code"]
            expect(answer, 400, code)
            if piece and piece not in answer.json["detail"]:
                raise AssertionError("%s: %r does not say %r" % (path, answer.json["detail"], piece))
            equal(answer.headers.get("ETag"), None, "no ETag on a problem")
        for path in ("/v1/stats?icp=nobody", "/v1/stats?icp=No%20Key", "/v1/stats?icp=nobody&version=1"):
            expect(desk.ask("GET", path), 404, "icp_not_found")
        expect(desk.ask("GET", PATH + "&version=2"), 404, "version_not_found")
        expect(desk.ask("GET", PATH + "&version=999999999"), 404, "version_not_found")


def test_who_may_ask(program):
    with Desk(program) as desk:
        desk.publish(definition("main"))
        narrow, enough = desk.place, None
        for path in (PATH, "/v1/stats/penetration", "/v1/stats/unmatched?icp=main"):
            expect(desk.server.client("").get(path), 401)
        desk.client.close()
        equal(desk.server.stop(), 0, "exit code")
        narrow, enough = desk.place.key("score,icp:write,leads:write"), desk.place.key("stats:read")
        desk.start()
        for path in (PATH, "/v1/stats/penetration", "/v1/stats/unmatched?icp=main"):
            expect(desk.server.client(narrow).get(path), 403)
            expect(desk.server.client(enough).get(path), 200)


# -------------------------------------------------------------- other ICPs


def test_never_published_and_archived(program):
    with Desk(program) as desk:
        desk.put_draft(definition("main"))
        told = stats(desk)
        equal((told["scored"], told["grades"], told["versions"], told["series"], told["attributes"]),
              (0, [], [], [], []), "zeros")
        equal((told["drift"]["version"], told["drift"]["notes"], told["outcomes"]["grades"]), (0, [], []), "nothing")
        expect(desk.ask("GET", PATH + "&version=1"), 404, "version_not_found")
        equal(desk.get("/v1/stats/penetration")["icps"], [], "never published")
        draft = desk.ask("GET", "/v1/icps/main/draft", status=200)
        desk.ask("POST", "/v1/icps/main/publish", {}, 201, if_match=draft.headers["ETag"])
        desk.score({"id": "a", "points": 10})
        before = stats(desk)
        equal(before["scored"], 1, "scored")
        desk.ask("DELETE", "/v1/icps/main", status=204)
        equal(stats(desk), before, "archived ICPs keep their statistics")
        equal([(one["state"], one["scored"]) for one in desk.get("/v1/stats/penetration")["icps"]],
              [("archived", 1)], "penetration of an archived one")


def test_penetration(program):
    with Desk(program) as desk:
        desk.publish(definition("zeta"))
        desk.publish(definition("main"))
        desk.publish(changed(definition("bet"), purpose="experimental"))
        desk.publish(changed(definition("all"), purpose="experimental", grades=[{"grade": "One", "min": 0}]))
        for points in (10, 9, 6, 5, 1, 10):
            desk.score({"id": "lead-%d" % points, "points": points})
        desk.score({"id": "more", "points": 10}, icps=["main"])
        desk.score({"id": "not recorded", "points": 10}, record=False)
        told = desk.get("/v1/stats/penetration")
        equal((told["from"], told["to"]), ("", ""), "window")
        equal([(one["icp"], one["purpose"], one["state"], one["scored"], one["leads"], one["grades"], one["count"],
                one["pct"]) for one in told["icps"]],
              [("main", "core", "active", 7, 6, ["A", "B"], 5, 71.43), ("zeta", "core", "active", 6, 5, ["A", "B"], 4, 66.67),
               ("all", "experimental", "active", 6, 5, ["One"], 6, 100),
               ("bet", "experimental", "active", 6, 5, ["A", "B"], 4, 66.67)], "by ICP")
        for one in told["icps"]:
            alone = desk.get("/v1/stats?icp=" + one["icp"])
            equal((alone["scored"], alone["leads"], alone["penetration"]),
                  (one["scored"], one["leads"], {name: one[name] for name in ("grades", "count", "pct")}), "alone")
        nothing = desk.get("/v1/stats/penetration?from=2001-01-01&to=2002-01-01&tz=Europe/Berlin")
        equal((nothing["from"], nothing["to"]), ("2000-12-31T23:00:00.000Z", "2001-12-31T23:00:00.000Z"), "window")
        equal({(one["scored"], one["count"], one["pct"]) for one in nothing["icps"]}, {(0, 0, 0)}, "nothing then")


def test_another_baseline(program):
    with Desk(program) as desk:
        desk.publish(definition("main"))
        scored = [moment(desk.score({"points": at % 11})["scored_at"]) for at in range(120)]
        begin = scored[0].replace(minute=0, second=0, microsecond=0)
        query = "&baseline_from=%s&baseline_to=%s" % (begin.strftime("%Y-%m-%dT%H:00:00Z"),
                                                      (begin + 3 * HOUR).strftime("%Y-%m-%dT%H:00:00Z"))
        drift = stats(desk, query)["drift"]
        equal((drift["baseline"]["from"], drift["baseline"]["scored"], drift["psi"], drift["notes"]),
              (begin.strftime("%Y-%m-%dT%H:00:00.000Z"), 120, 0, []), "the same scores")
        drift = stats(desk)["drift"]
        equal(drift["notes"], ["the baseline is not complete yet: 120 of 1,000 scores"], "notes")
        drift = stats(desk, "&baseline_from=2001-01-01&baseline_to=2002-01-01")["drift"]
        equal((drift["baseline"]["scored"], drift["psi"], drift["level"], drift["notes"]),
              (0, 0, "stable", ["no scores in the baseline"]), "nothing to compare with")


run(globals())
