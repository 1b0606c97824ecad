"""GET /v1/stats over years: scores, outcomes, versions and erasures at chosen times, a good many
of them about changes of clocks and ends of hours and months, and random windows counted over from
the events (statistics_model.py, and Python's own time zones). The service's clock is clock.c."""

import datetime
import mmap
import os
import random
import struct
import zoneinfo

from harness import equal, expect, run
from editing import Desk
from statistics_model import Event, Model, check, mean
from test_api_stats import PATH, random_lead, rich

ZONES = {name: zoneinfo.ZoneInfo(name) for name in (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo",
    "America/Havana", "America/Santiago", "Pacific/Chatham")}
HOUR, DAY = 3600000, 86400000
BEGIN, END = 1709071200000, 1793534400000      # 2024-02-27T22:00:00Z, 2026-11-01T12:00:00Z
QUARTER = datetime.timedelta(minutes=15)


class Clock:
    def __init__(self, desk):
        self.library = os.path.join(os.path.dirname(desk.place.program), "tests", "http", "clock.so")
        equal(os.path.exists(self.library), True, "built (not with sanitizers): " + self.library)
        self.path = desk.place.path("clock", "\0" * 8)
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 8)

    def set(self, ms):
        self.map[:8] = struct.pack("=q", ms)

    def prepare(self):
        """In the new process of the service."""
        os.environ["LD_PRELOAD"], os.environ["LF_CLOCK"] = self.library, self.path


class Years(Desk):
    """A desk whose clock stands until it is set."""

    def start(self):
        if not hasattr(self, "clock"):
            self.clock = Clock(self)
            self.clock.set(BEGIN)
        self.server = self.place.serve(*self.options, prepare=self.clock.prepare)
        self.client = self.server.client(self.key)


def told(ms):
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (ms % 1000)


def local(ms, zone):
    return datetime.datetime.fromtimestamp(ms / 1000, ZONES[zone])


def midnight(date, zone):
    """When the day begins there: the first quarter of an hour of that date."""
    at = datetime.datetime.combine(date, datetime.time(), datetime.timezone.utc) - 64 * QUARTER
    while at.astimezone(ZONES[zone]).date() < date:
        at += QUARTER
    return round(at.timestamp() * 1000)


def moments(chance, count):
    found = {BEGIN + chance.randrange(END - BEGIN) for _ in range(count)}
    for zone in ZONES:
        for day in range(BEGIN, END, DAY):
            if local(day, zone).utcoffset() != local(day + DAY, zone).utcoffset():
                found |= {day + chance.randrange(DAY) for _ in range(2)}
    for at in chance.sample(sorted(found), count // 2):
        month = at - (local(at, "UTC").day - 1) * DAY
        found |= {at // HOUR * HOUR, at // HOUR * HOUR - 1, month // DAY * DAY, month // DAY * DAY - 1}
    return sorted(at for at in found if BEGIN <= at < END)


class Past:
    def __init__(self, desk, chance):
        self.desk, self.chance, self.erased, self.said = desk, chance, 0, {}
        later = rich()
        later["attributes"][0]["weight"] = 11
        self.versions = [rich(), later]
        desk.publish(rich())
        self.model = Model({1: rich()}, 1)

    def named(self):
        return sorted({e.lead_id for e in self.model.events if e.lead_id and not e.lead_id.startswith("erased")})

    def score(self, at):
        lead = random_lead(self.chance, 150)
        answer = self.desk.score(lead)
        equal(answer["scored_at"], told(at), "scored_at")
        self.model.events.append(Event(lead, answer, answer["results"][0]))

    def say(self, at):
        lead, word = self.chance.choice(self.named()), self.chance.choice(["won", "lost", "open"])
        value = self.chance.choice([0, 0.000001, 123456789.123457, 1e9]) if word == "won" else 0
        since = at + self.chance.randrange(-30 * DAY, 20 * HOUR)
        expect(self.desk.client.post("/v1/outcomes", {"lead_id": lead, "outcome": word, "value": value,
                                                      "at": told(since)}), 200)
        if since >= self.said.get(lead, BEGIN - 99 * DAY):
            self.said[lead], self.model.outcomes[lead] = since, (word, value)

    def erase(self):
        """The numbers stay, and the lead is a new one when it comes again."""
        lead, self.erased = self.chance.choice(self.named()), self.erased + 1
        self.desk.ask("DELETE", "/v1/leads/" + lead, status=204)
        for event in self.model.events:
            if event.lead_id == lead:
                event.lead_id = "erased %d" % self.erased
        self.said.pop(lead, None)
        if lead in self.model.outcomes:
            self.model.outcomes["erased %d" % self.erased] = self.model.outcomes.pop(lead)

    def live(self, times):
        for number, at in enumerate(times):
            self.desk.clock.set(at)
            if number == len(times) // 3:
                self.desk.publish(self.versions[1])
                self.model.definitions[2], self.model.active = self.versions[1], 2
            elif number > len(times) // 2 and self.chance.random() < 0.1:
                self.model.active = self.chance.choice([1, 2])
                self.desk.ask("POST", "/v1/icps/main/activate", {"version": self.model.active}, 200)
            for _ in range(self.chance.randrange(1, 4)):
                self.score(at)
            if self.named() and self.chance.random() < 0.4:
                self.say(at)
            if self.named() and self.chance.random() < 0.03:
                self.erase()
            if self.chance.random() < 0.01:
                self.desk.restart(kill=True)


def points(model, version, zone, by_hour):
    groups = {}
    for event in model.window(version):
        hour = datetime.datetime.fromisoformat(event.at[:13] + ":00:00+00:00")
        groups.setdefault(hour if by_hour else hour.astimezone(ZONES[zone]).date(), []).append(event)
    step, found = datetime.timedelta(hours=1) if by_hour else datetime.timedelta(days=1), []
    at = min(groups, default=None)
    while groups and at <= max(groups):
        these, start = groups.get(at, []), round(at.timestamp() * 1000) if by_hour else midnight(at, zone)
        found.append({"start": told(start), "scored": len(these), "mean": mean(e.result["score"] for e in these),
                      "coverage_mean": mean(e.result["coverage"] for e in these),
                      "grades": model.grades(version or model.active, these)})
        at += step
    return found


def ends(chance, times, zone):
    """Two moments, each as it is asked and as the whole hour it is moved to."""
    first, last = sorted(chance.choice(times) + chance.randrange(-2 * HOUR, 2 * HOUR) for _ in range(2))
    last += 2 * DAY                                 # whatever midnight lies between
    if chance.random() < 0.3:
        return [(local(at, zone).date().isoformat(), midnight(local(at, zone).date(), zone)) for at in (first, last)]
    return [(local(at, zone).isoformat(timespec="milliseconds").replace("+", "%2B"), at) for at in (first, last)]


def test_random_windows(program):
    chance = random.Random(17)
    times = moments(chance, 60)
    with Years(program) as desk:
        past = Past(desk, chance)
        past.live(times)
        model = past.model
        desk.clock.set(END)
        for _ in range(120):
            zone, version, by_hour = chance.choice(list(ZONES)), chance.randrange(3), chance.random() < 0.3
            (begin, first), (end, last) = ends(chance, times, zone)
            if by_hour and last - first > 4000 * HOUR:
                end, last = told(first + 4000 * HOUR), first + 4000 * HOUR
            query = "&tz=%s&bucket=%s&from=%s&to=%s" % (zone, "hour" if by_hour else "day", begin, end)
            model.between = (told(first // HOUR * HOUR), told(-(-last // HOUR) * HOUR))
            model.baseline = None
            if chance.random() < 0.4:
                (begin, first), (end, last) = ends(chance, times, zone)
                query += "&baseline_from=%s&baseline_to=%s" % (begin, end)
                model.baseline = (told(first // HOUR * HOUR), told(-(-last // HOUR) * HOUR))
            wide = desk.get("/v1/stats/penetration?from=%s&to=%s&tz=%s" % (*model.between, zone))["icps"][0]
            query += "&version=%d" % version if version else ""
            answer = desk.get(PATH + query)
            equal((answer["from"], answer["to"]), model.between, "ends of " + query)
            equal(check(model, answer, version), [], query)
            equal(answer["series"], points(model, version, zone, by_hour), "series of " + query)
            told_wide = {name: wide[name] for name in ("grades", "count", "pct")}
            equal((told_wide, wide["scored"] == answer["scored"] or version > 0), (model.stats(0)["penetration"], True),
                  "penetration, " + query)
        whole = desk.get(PATH)
        cuts = [""] + sorted(told(chance.randrange(BEGIN, END) // HOUR * HOUR) for _ in range(6)) + [""]
        parts = [desk.get(PATH + ("&from=" + a if a else "") + ("&to=" + b if b else ""))
                 for a, b in zip(cuts, cuts[1:]) if a != b or not a]
        for name in ("scored", "leads", "qualified"):
            equal(sum(part[name] for part in parts), whole[name], "windows add up: " + name)
        equal(sum(part["outcomes"]["won"] for part in parts), whole["outcomes"]["won"], "and what was won")


run(globals())
