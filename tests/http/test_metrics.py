#!/usr/bin/env python3
"""GET /metrics on the real program: that Prometheus can read it, that its numbers are
those of what was asked and recorded, and that it says nothing of anybody.

usage: test_metrics.py LEADFIT
"""

import json
import math
import os
import re
import shutil
import subprocess
import threading
import time

from exposition import Exposition
from harness import ICPS, Place, equal, expect, run, until

TYPE = "text/plain; version=0.0.4; charset=utf-8"
CORE = [path for path in ICPS if json.load(open(path, encoding="utf-8")).get("purpose", "core") == "core"]


def definition(key, grades=None, **more):
    """Scores company.size as it stands: 0 to 100."""
    rules = [{"when": {"field": "company.size", "between": [size, size]}, "fit": size / 100}
             for size in range(100, 0, -5)]
    made = {"key": key, "name": key, "framework": "use_cases", "purpose": "core",
            "attributes": [{"key": "size", "label": "Size", "category": "firmographic",
                            "weight": 100, "rules": rules}]}
    if grades:
        made["grades"] = grades
    return dict(made, **more)


def lead(number, size=50):
    return {"id": "L-%d" % number, "company": {"size": size}}


def scrape(server, key=None, busy=False):
    client = server.client(key)
    answer = expect(client.get("/metrics"), 200)
    client.close()
    equal(answer.headers["Content-Type"], TYPE, "type")
    return Exposition(answer.body.decode("utf-8"), busy)


def settled(server, key, fine, what):
    """Scrapes until what was asked before has been counted: an answer is counted when it
    has been sent, which its caller may notice earlier."""
    kept = []

    def look():
        kept[:] = [scrape(server, key)]
        return fine(kept[0])

    try:
        until(look, what, 5)
    except AssertionError:
        raise AssertionError("%s; the last scrape: %r" % (
            what, {name: family.samples for name, family in kept[0].families.items()
                   if name.startswith("leadfit_")})) from None
    return kept[0]


def requests_of(metrics):
    return {tuple(value for _, value in labels): count
            for labels, count in metrics.each("leadfit_http_requests_total").items()}


# -------------------------------------------------------------------- the format


def test_prometheus_can_read_it(program):
    with Place(program) as place:
        place.publish(*ICPS)
        key = place.key("score,stats:read,icp:read")
        with place.serve() as server:
            client = server.client(key)
            for number in range(20):
                client.score({"id": "x%d" % number, "company": {"employees": number * 100}})
            expect(client.get("/nowhere"), 404)
            body = expect(client.get("/metrics"), 200).body
            metrics = Exposition(body.decode("utf-8"))
            for family in metrics.families.values():
                if not family.name.startswith(("leadfit_", "process_")) or len(family.help) < 8:
                    raise AssertionError("%s: %s" % (family.name, family.help))
                if (family.kind == "counter") != family.name.endswith("_total"):
                    raise AssertionError("%s is a %s" % (family.name, family.kind))
            if shutil.which("promtool") is None:
                print("promtool is not here: Prometheus' own check is left out", flush=True)
                return
            done = subprocess.run(["promtool", "check", "metrics"], input=body, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            equal((done.returncode, done.stdout), (0, b""), "promtool check metrics")


def test_the_answer_itself(program):
    with Place(program) as place:
        key = place.key("stats:read")
        with place.serve() as server:
            client = server.client(key)
            expect(client.get("/metrics?match=up"), 400, "invalid_parameter")
            answer = client.ask("HEAD", "/metrics")
            equal((answer.status, answer.body, answer.headers["Content-Type"]), (200, b"", TYPE))
            expect(client.ask("POST", "/metrics", {}), 405, "method_not_allowed")
            metrics = scrape(server, key)      # without any ICP, and nothing recorded
            equal(metrics.one("leadfit_recorded_scores"), 0)
            equal(metrics.one("leadfit_commit_batch_size_count"), 0)
            equal(metrics.each("leadfit_scores_total"), {})
            equal(metrics.each("leadfit_drift_psi"), {})


# ---------------------------------------------------------------------- who may


def test_scope(program):
    with Place(program) as place:
        keys = {scopes: place.key(scopes, scopes.replace(":", "-").replace(",", "-"))
                for scopes in ("stats:read", "admin", "score,leads:read,icp:read,leads:write,icp:write")}
        with place.serve() as server:
            client = server.client()
            expect(client.get("/metrics"), 401, "unauthorized")
            expect(client.get("/metrics", key="lf_no-such-key"), 401, "unauthorized")
            for scopes, key in keys.items():
                expect(client.get("/metrics", key=key), 200 if scopes in ("stats:read", "admin") else 403)


def test_open(program):
    """Open to everybody, and nothing else is; each route counts under its own name."""
    with Place(program) as place:
        place.publish(*CORE)
        key = place.key("score,icp:read")
        with place.serve("--metrics-open", "yes") as server:
            client = server.client()
            expect(client.get("/metrics"), 200)
            expect(client.get("/metrics", key=key), 200)
            expect(client.get("/v1/icps"), 401)
            expect(client.post("/v1/score", {"lead": {}}), 401)
            expect(client.get("/v1/icps", key=key), 200)
            expect(client.post("/v1/score", {"lead": {}}, key=key), 200)
            expect(client.get("/healthz"), 200)
            expect(client.get("/v1/keys", key=key), 403)
            # The one that is being answered is not in it yet.
            metrics = settled(server, None, lambda m: m.sum("leadfit_http_requests_total", route="/v1/keys"), "counts")
            counted = requests_of(metrics)
            seen = counted.pop(("GET", "/metrics", "200"))
            equal(seen >= 2, True, "scrapes")
            equal(counted, {("GET", "/v1/icps", "401"): 1, ("GET", "/v1/icps", "200"): 1,
                            ("POST", "/v1/score", "401"): 1, ("POST", "/v1/score", "200"): 1,
                            ("GET", "/healthz", "200"): 1, ("GET", "/v1/keys", "403"): 1}, "requests")
        with place.serve("--metrics-open", "no") as server:
            expect(server.client().get("/metrics"), 401)


# --------------------------------------------------------------------- requests


def test_requests_by_route_and_status(program):
    with Place(program) as place:
        place.publish(*CORE)
        key = place.key("score,stats:read,leads:read,icp:read")
        with place.serve() as server:
            client = server.client(key)
            told = client.score({"id": "a"})
            for number in range(4):
                client.score({"id": "b%d" % number}, record=False)
            expect(client.post("/v1/score", {"lead": 7}), 422)
            expect(client.post("/v1/score", b"{"), 400)
            expect(client.get("/v1/scores/" + told["id"]), 200)
            expect(client.get("/v1/scores/" + "0" * 26), 404)
            expect(client.ask("HEAD", "/v1/icps"), 200)          # HEAD is GET's
            expect(client.get("/v1/icps"), 200)
            etag = client.get("/v1/icps/b2b-saas/versions/1").headers["ETag"]
            expect(client.get("/v1/icps/b2b-saas/versions/1", headers={"If-None-Match": etag}), 304)
            expect(client.get("/v1/no-such-route"), 404)
            expect(client.ask("DELETE", "/v1/score"), 405)
            server.raw(b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")     # refused at the door
            wanted = {("POST", "/v1/score", "200"): 5, ("POST", "/v1/score", "422"): 1,
                      ("POST", "/v1/score", "400"): 1, ("GET", "/v1/scores/{id}", "200"): 1,
                      ("GET", "/v1/scores/{id}", "404"): 1, ("GET", "/v1/icps", "200"): 2,
                      ("GET", "/v1/icps/{key}/versions/{n}", "200"): 1,
                      ("GET", "/v1/icps/{key}/versions/{n}", "304"): 1,
                      ("none", "none", "404"): 1, ("none", "none", "405"): 1, ("none", "none", "400"): 1}

            def others(metrics):
                counted = requests_of(metrics)
                counted.pop(("GET", "/metrics", "200"), None)
                return counted

            metrics = settled(server, key, lambda m: others(m) == wanted, "requests %r" % wanted)
            # Durations are counted with them: as many, by route.
            by_route = {}
            for (method, route, _), count in requests_of(metrics).items():
                by_route[(method, route)] = by_route.get((method, route), 0) + count
            for (method, route), count in by_route.items():
                labels = {"method": method, "route": route}
                equal(metrics.one("leadfit_http_request_duration_seconds_count", **labels), count, route)
                took = metrics.one("leadfit_http_request_duration_seconds_sum", **labels)
                if not (took > 0 or route == "none") or took > 5 * count:
                    raise AssertionError("%s took %s s" % (route, took))
            equal(len(metrics.each("leadfit_http_request_duration_seconds_count")), len(by_route), "routes")


# ---------------------------------------------------------------------- recording


def test_scores_and_commits(program):
    with Place(program) as place:
        place.publish(*CORE)
        for purpose in ("core", "experimental"):
            place.publish_definition(definition("size-" + purpose, purpose=purpose))
        key = place.key("score,stats:read,leads:write")
        expected, recorded = {}, 0
        with place.serve() as server:
            client = server.client(key)
            for number in range(60):
                company = {"size": number % 21 * 5, "employees": number * 90}
                told = client.score({"id": "x%d" % (number % 40), "company": company}, explain="summary")
                recorded += 1
                for one in told["results"]:
                    at = (one["grade"], one["icp"], str(one["version"]))
                    expected[at] = expected.get(at, 0) + 1
            for number in range(30):           # what is not recorded counts nowhere
                client.score(lead(number), record=False)
            client.post("/v1/outcomes", {"lead_id": "x1", "outcome": "won"})
            metrics = scrape(server, key)
            # Every grade has its line from an ICP's first score on, so that its first count is seen to come.
            counted = {tuple(value for _, value in labels): count
                       for labels, count in metrics.each("leadfit_scores_total").items()}
            equal({at[0] for at in counted if at[1] == "size-core"}, {"A", "B", "C", "D", "DQ"}, "grades")
            counted = {at: count for at, count in counted.items() if count}
            shadow = {at: counted.pop(at) for at in list(counted) if at[1] == "size-experimental"}
            equal(counted, expected, "scores")
            equal(sum(shadow.values()), recorded, "scores under the experimental ICP")
            equal({at[0] for at in shadow}, {at[0] for at in expected if at[1] == "size-core"}, "its grades")
            equal(metrics.one("leadfit_commit_batch_size_sum"), recorded, "sizes of all commits")
            equal(metrics.one("leadfit_recorded_scores"), recorded)
            equal(metrics.one("leadfit_commit_batch_size_count"), metrics.one("leadfit_commit_duration_seconds_count"))
            equal(metrics.one("leadfit_commit_batch_size_bucket", le="1"), recorded, "one by one")
            equal(metrics.one("leadfit_commit_duration_seconds_sum") > 0, True)
            equal(metrics.one("leadfit_queue_depth"), 0)
            equal(metrics.one("leadfit_queue_limit"), 8192)
            equal(metrics.one("leadfit_storage_full"), 0)
            settled(server, key, lambda m: m.one("leadfit_ledger_depth") == 0, "all to be settled")
        with place.serve("--queue", "77") as server:   # counters begin again; what is recorded stays
            metrics = scrape(server, key)
            equal(metrics.each("leadfit_scores_total"), {})
            equal(metrics.one("leadfit_commit_batch_size_sum"), 0)
            equal(metrics.one("leadfit_recorded_scores"), recorded)
            equal(metrics.one("leadfit_queue_limit"), 77)


def test_active_versions(program):
    with Place(program) as place:
        place.publish_definition(definition("one"))
        place.publish_definition(definition("two"))
        key = place.key("admin")
        with place.serve() as server:
            client = server.client(key)

            def versions():
                return {dict(labels)["icp"]: value
                        for labels, value in scrape(server, key).each("leadfit_icp_active_version").items()}

            equal(versions(), {"one": 1, "two": 1})
            expect(client.ask("PUT", "/v1/icps/one/draft", definition("one", name="Another")), 201)
            expect(client.post("/v1/icps/one/publish", {"note": ""}, headers={"If-Match": "*"}), 201)
            equal(versions(), {"one": 2, "two": 1})
            expect(client.post("/v1/icps/one/activate", {"version": 1}), 200)
            expect(client.ask("DELETE", "/v1/icps/two"), 204)
            equal(versions(), {"one": 1})
            expect(client.post("/v1/icps/two/restore", {}), 200)
            equal(versions(), {"one": 1, "two": 1})


# ------------------------------------------------------------------------- trends


def psi(baseline, window):
    """The population stability index over 20 bins of five points, half a count added."""
    def shares(scores):
        bins = [0] * 20
        for score in scores:
            bins[min(int(score // 5), 19)] += 1
        return [(count + 0.5) / (len(scores) + 10) for count in bins]
    return sum((now - before) * math.log(now / before)
               for before, now in zip(shares(baseline), shares(window)))


def test_trends(program):
    with Place(program) as place:
        place.publish_definition(definition("size"))
        place.publish_definition(definition("idle", purpose="experimental"))
        key = place.key("score,stats:read")
        with place.serve() as server:
            client = server.client(key)
            scores = []

            def send(count, size):
                for number in range(count):
                    scores.append(client.score(lead(len(scores), size(number)), icps=["size"], explain="none")["score"])

            def told(fine):
                return settled(server, key, fine, "trends")

            metrics = scrape(server, key)
            for name in ("psi", "window_scores", "baseline_scores"):
                equal(metrics.each("leadfit_drift_" + name), {(("icp", "idle"),): 0, (("icp", "size"),): 0}, name)
            equal(metrics.each("leadfit_penetration_ratio"), {}, "nothing of nothing")
            send(300, lambda number: number % 21 * 5)
            metrics = told(lambda m: m.one("leadfit_drift_window_scores", icp="size") == 300)
            equal(metrics.one("leadfit_drift_baseline_scores", icp="size"), 300)
            equal(metrics.one("leadfit_drift_psi", icp="size"), 0)
            best = sum(score >= 60 for score in scores)        # A and B
            equal(metrics.one("leadfit_penetration_ratio", icp="size", purpose="core"), best / 300)
            send(700, lambda number: number % 21 * 5)
            send(400, lambda number: 90 + number % 2 * 5)      # the baseline is complete, and they change
            metrics = told(lambda m: m.one("leadfit_drift_window_scores", icp="size") == 1400)
            equal(metrics.one("leadfit_drift_baseline_scores", icp="size"), 1000)
            found, wanted = metrics.one("leadfit_drift_psi", icp="size"), psi(scores[:1000], scores)
            if not math.isclose(found, wanted, rel_tol=1e-9) or wanted < 0.25:
                raise AssertionError("PSI: %r, not %r" % (found, wanted))
            best = sum(score >= 60 for score in scores)
            equal(metrics.one("leadfit_penetration_ratio", icp="size", purpose="core"), best / 1400)

            # The same as statistics tell of that day.
            day = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86400))
            stats = expect(client.get("/v1/stats?icp=size&version=1&from=" + day), 200).json
            equal(stats["drift"]["psi"], round(wanted, 6), "PSI of GET /v1/stats")
            equal(stats["penetration"]["pct"], round(best / 14, 2), "penetration of GET /v1/stats")


# ------------------------------------------------------------- labels, and nobody


def test_odd_labels(program):
    names = ['A"quoted"', "back\\slash", "b, c=\"d\"}", "Größe ★", "{x}", "n\\n", "'", "%s%n", "E"]
    grades = [{"grade": name, "min": 90 - 10 * at if at < 8 else 0} for at, name in enumerate(names)]
    key_of_64 = "a" + "-b" * 31 + "c"
    with Place(program) as place:
        for one in (key_of_64, "x-1"):
            place.publish_definition(definition(one, grades))
        key = place.key("score,stats:read")
        with place.serve() as server:
            client = server.client(key)
            for at in range(9):
                client.score(lead(at, 95 - 10 * at if at < 8 else 5))
            client.score(lead(9, 95))
            metrics = scrape(server, key)
            for icp in (key_of_64, "x-1"):
                for at, name in enumerate(names):
                    equal(metrics.one("leadfit_scores_total", icp=icp, version="1", grade=name), 1 + (at == 0), name)
                equal(metrics.one("leadfit_icp_active_version", icp=icp), 1)


def test_nothing_about_anybody(program):
    with Place(program) as place:
        place.publish_definition(definition("size", disqualifiers=[
            {"key": "rival", "reason": "Sells the same", "when": {"field": "company.name", "has_word": "Geheimwerk"}}]))
        key = place.key("score,stats:read,leads:write,leads:read", "Frieda's key")
        with place.serve() as server:
            client = server.client(key)
            client.score({"id": "Frieda Beispiel", "email": "frieda@beispiel.example", "name": "Frieda Beispiel",
                          "company": {"name": "Geheimwerk", "size": 40}})
            expect(client.post("/v1/outcomes", {"lead_id": "Frieda Beispiel", "outcome": "won"}), 200)
            client.get("/v1/leads/Frieda%20Beispiel")
            client.get("/v1/Frieda")
            client.get("/metrics?Frieda=1")
            scrape(server, key)
            text = client.get("/metrics").body.decode("utf-8")
            key_id = key.split("_")[1][:8]
            for secret in ("frieda", "beispiel", "geheimwerk", key, key_id, place.folder):
                if secret.lower() in text.lower():
                    raise AssertionError("%r stands in it" % secret)


# ------------------------------------------------------------------- under load


def test_scraped_under_load(program):
    callers, each, scrapers = 8, 60, 4
    with Place(program) as place:
        place.publish_definition(definition("size"))
        place.publish_definition(definition("bet", purpose="experimental"))
        key = place.key("score,stats:read")
        with place.serve() as server:
            over, troubles, scrapes = threading.Event(), [], []

            def guarded(work, *arguments):
                try:
                    work(*arguments)
                except Exception as trouble:           # told by the main thread
                    troubles.append(trouble)
                    over.set()

            def call(caller):
                client = server.client(key)
                for number in range(each):
                    client.score(lead(caller * each + number, number % 21 * 5), explain="none")
                client.close()

            def watch():
                before = {}
                while not over.is_set():
                    metrics = scrape(server, key, busy=True)
                    now = {(name, labels): value for family in metrics.families.values() if family.kind != "gauge"
                           for (name, labels), value in family.samples.items()}
                    fallen = [at for at, value in before.items() if now.get(at, -1) < value]
                    if fallen:
                        raise AssertionError("fell: %r" % fallen[:5])
                    before = now
                    scrapes.append(1)

            threads = [threading.Thread(target=guarded, args=(call, caller)) for caller in range(callers)]
            watchers = [threading.Thread(target=guarded, args=(watch,)) for _ in range(scrapers)]
            for thread in threads + watchers:
                thread.start()
            for thread in threads:
                thread.join()
            over.set()
            for thread in watchers:
                thread.join()
            if troubles:
                raise troubles[0]
            total = callers * each

            def answered(metrics, method, route):
                return metrics.get("leadfit_http_requests_total", method=method, route=route, status="200")

            metrics = settled(server, key, lambda m: answered(m, "POST", "/v1/score") == total, "all requests")
            equal(metrics.sum("leadfit_scores_total", icp="size"), total)
            equal(metrics.sum("leadfit_scores_total", icp="bet"), total)
            equal(metrics.one("leadfit_commit_batch_size_sum"), total)
            equal(metrics.one("leadfit_recorded_scores"), total)
            equal(metrics.one("leadfit_commit_batch_size_count") <= total, True)
            settled(server, key, lambda m: answered(m, "GET", "/metrics") >= len(scrapes), "all scrapes")


# -------------------------------------------------------------- process, storage


def test_process_and_storage(program):
    with Place(program) as place:
        place.publish(*CORE)
        key = place.key("score,stats:read")
        with place.serve() as server:
            client = server.client(key)
            client.score({"id": "a"})
            metrics = scrape(server, key)
            begun = metrics.one("process_start_time_seconds")
            if abs(begun - time.time()) > 120:
                raise AssertionError("started at %r" % begun)
            proc = "/proc/%d" % server.process.pid
            with open(proc + "/status", encoding="ascii") as file:
                status = dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)
            resident = int(status["VmRSS"].split()[0]) * 1024
            if not 0.5 < metrics.one("process_resident_memory_bytes") / resident < 2:
                raise AssertionError("resident %r" % resident)
            with open(proc + "/limits", encoding="ascii") as file:
                limit = re.search(r"Max open files\s+(\d+)", file.read())[1]
            equal(metrics.one("process_max_fds"), int(limit))
            if abs(metrics.one("process_open_fds") - len(os.listdir(proc + "/fd"))) > 3:
                raise AssertionError("%r descriptors" % metrics.one("process_open_fds"))
            equal(metrics.one("process_threads"), int(status["Threads"]))
            equal(0 < metrics.one("process_cpu_seconds_total") < 600, True, "processor time")
            equal(metrics.one("process_virtual_memory_bytes") > resident, True)

            later = settled(server, key, lambda m: m.one("process_cpu_seconds_total") >
                            metrics.one("process_cpu_seconds_total"), "time to pass")
            equal(later.one("process_start_time_seconds"), begun, "start")

            def sizes():
                return [os.path.getsize(place.db), os.path.getsize(place.db + "-wal")]

            def agree(metrics):
                return [metrics.one("leadfit_storage_bytes", file=name) for name in ("database", "wal")] == sizes()

            settled(server, key, agree, "sizes as of the files")
            free = os.statvfs(place.folder)
            told, there = metrics.one("leadfit_storage_free_bytes"), free.f_bavail * free.f_frsize
            if abs(told - there) > 1 << 30:
                raise AssertionError("%r bytes free, not %r" % (told, there))

            [(labels, value)] = metrics.each("leadfit_build_info").items()
            equal(value, 1)
            labels = dict(labels)
            out, _ = place.command("--version")
            equal(labels["version"] in out.split(), True, "version of %r" % out)
            for library in ("sqlite", "libmicrohttpd"):
                if not re.fullmatch(r"\d+\.\d+\.\d+", labels[library]):
                    raise AssertionError("%s %r" % (library, labels[library]))


run(globals())
