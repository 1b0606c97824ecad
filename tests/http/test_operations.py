#!/usr/bin/env python3
"""What is in config/ and docker/ for watching the service: that Prometheus, Grafana and
Docker's compose can read it, and that it speaks of what there is.

usage: test_operations.py LEADFIT

promtool (Debian's package prometheus) and Python's yaml are used where they are there.
"""

import json
import os
import re
import shutil
import subprocess

from contract import ROOT
from exposition import Exposition
from harness import CONTRACT, DEADLINE_S, Place, equal, expect, run

try:
    import yaml
except ImportError:
    yaml = None

RULES, RULES_TEST = "config/prometheus-rules.yml", "config/prometheus-rules-test.yml"
SCRAPED = {"up": {"job", "instance"}}      # what Prometheus itself says of each target
HERE = {"leadfit": "docker/Dockerfile"}    # images that are built here


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def parsed(path):
    if yaml is None:
        print("python3-yaml is not here: %s is looked at less closely" % path, flush=True)
        return None
    return yaml.safe_load(read(path))


def promtool(*arguments):
    """Runs promtool, which must find nothing wrong; False where it is not installed."""
    if shutil.which("promtool") is None:
        print("promtool is not here: left out: %s" % " ".join(arguments[:2]), flush=True)
        return False
    done = subprocess.run(["promtool", *arguments], cwd=ROOT, text=True, check=False, timeout=10 * DEADLINE_S,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError("promtool %s: %s" % (" ".join(arguments), done.stdout[-3000:]))
    return True


def metrics_of(program):
    """{name: labels} of all that a running service tells once somebody has used it."""
    with Place(program) as place:
        place.publish(os.path.join(ROOT, "config", "icps", "b2b-saas.json"))
        key = place.key("admin")
        with place.serve() as server:
            client = server.client(key)
            expect(client.ask("PUT", "/v1/subscriptions/crm", {
                "url": "https://hooks.example.invalid/", "events": ["drift.shifted"]}), 201)
            client.score({"id": "a"})
            expect(client.get("/metrics"), 200)
            body = expect(client.get("/metrics"), 200).body.decode("utf-8")
    told = dict(SCRAPED)
    metrics = Exposition(body, busy=True)
    for name in metrics.names():
        labels = {label for found in metrics.each(name) for label, _ in found}
        if not metrics.each(name):
            raise AssertionError("no sample of %s to look at" % name)
        told[name] = labels | {"job", "instance"}
    return told


def rules():
    """[(kind, name, expr)] of all rules, in any of the ways in which they are written."""
    found, text = [], read(RULES)
    for block in re.split(r"\n\s+- (?=alert:|record:)", text)[1:]:
        kind, name = re.match(r"(alert|record): (\S+)", block).groups()
        expr = re.search(r"\n\s+expr: (>\n(?:\s{10,}\S.*\n)+|.*\n)", block)[1]
        found.append((kind, name, " ".join(expr.lstrip(">").split())))
    return found


def used_names(expr):
    """Names of metrics in an expression: what is no function, no word of the language and
    no label. Ours all have a prefix, so that is what tells them."""
    bare = re.sub(r'"(\\.|[^"])*"', '""', expr)
    return set(re.findall(r"(?<![\w:$])(?:leadfit_\w+|process_\w+|job_instance:[\w:]+|up)(?![\w:])", bare))


def hold_names(expr, told, where):
    """Each metric exists, and each label that is chosen or grouped by is one of theirs."""
    names = used_names(expr)
    if not names:
        raise AssertionError("%s asks for nothing: %s" % (where, expr))
    missing = names - set(told)
    if missing:
        raise AssertionError("%s asks for %s, which /metrics has not" % (where, sorted(missing)))
    bare = re.sub(r'"(\\.|[^"])*"', '""', expr)
    for name, chosen in re.findall(r"([\w:]+)\{([^}]*)\}", bare):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen):
            if label not in told[name]:
                raise AssertionError("%s: %s has no label %s" % (where, name, label))
    known = set().union(*(told[name] for name in names))
    for grouped in re.findall(r"\b(?:by|on|ignoring)\s*\(([^)]*)\)", bare):
        for label in re.findall(r"\w+", grouped):
            if label not in known:
                raise AssertionError("%s: nothing there has a label %s" % (where, label))


# ------------------------------------------------------------------- Prometheus


def test_prometheus_reads_the_rules(_program):
    promtool("check", "rules", RULES)


def test_rules_fire_and_are_silent_as_they_should(_program):
    promtool("test", "rules", RULES_TEST)


def test_prometheus_reads_the_configuration(program):
    with Place(program) as place:
        key = place.path("key", "lf_x\n")
        place.path("prometheus-rules.yml", read(RULES))
        text = read("config/prometheus.yml")
        equal(text.count("/run/secrets/leadfit_metrics_key"), 1, "the key's file")
        promtool("check", "config",
                 place.path("prometheus.yml", text.replace("/run/secrets/leadfit_metrics_key", key)))


def test_every_rule_is_tried(_program):
    tried = read(RULES_TEST)
    alerts = [name for kind, name, _ in rules() if kind == "alert"]
    equal(len(alerts), len(set(alerts)), "alerts, each once")
    if len(alerts) < 15:
        raise AssertionError("only %d alerts were found" % len(alerts))
    for kind, name, _ in rules():
        lines = [at for at in tried.split("- ") if name in at] if kind == "alert" else []
        fires = [at for at in lines if re.search(r"exp_(samples: \[\{|alerts:\s*$)|exp_samples:\s*$", at, re.M)]
        silent = [at for at in lines if re.search(r"exp_(samples|alerts): \[\]", at)]
        # Two that are looked at together, by all that may fire.
        if kind == "record" and name not in tried:
            raise AssertionError("%s is tried nowhere" % name)
        if kind == "alert" and not fires:
            raise AssertionError("%s is never seen to fire" % name)
        if kind == "alert" and not silent and name not in QUIET_WITH_ALL:
            raise AssertionError("%s is never seen to be silent" % name)


# Silent in the time in which nothing at all may fire, and looked at for no other silence.
QUIET_WITH_ALL = {"LeadfitCommitsSlow", "LeadfitStorageFilling", "LeadfitStorageLow"}


def test_alerts_say_what_to_do(_program):
    for block in re.split(r"\n\s+- (?=alert:|record:)", read(RULES))[1:]:
        if not block.startswith("alert:"):
            continue
        name = block.split()[1]
        severity = re.search(r"severity: (\w+)", block)
        if severity is None or severity[1] not in ("critical", "warning", "info"):
            raise AssertionError("%s has no severity" % name)
        description = block.split("description:")[1] if "description:" in block else ""
        if "summary:" not in block or len(description.split()) < 12:
            raise AssertionError("%s does not say what to do" % name)
        for path in re.findall(r"(?:GET|POST) (/[\w/{}]+)", block):
            if CONTRACT.operation("GET", path)[0] is None:
                raise AssertionError("%s names %s, which there is not" % (name, path))


def test_rules_ask_for_what_there_is(program):
    told = metrics_of(program)
    told.update({name: {"job", "instance"} for kind, name, _ in rules() if kind == "record"})
    for _, name, expr in rules():
        hold_names(expr, told, name)


# --------------------------------------------------------------------- Grafana


def dashboard():
    return json.loads(read("config/grafana-dashboard.json"))


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def asked():
    """[(where, expression)] of all that the dashboard asks Prometheus."""
    found = [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]
    found += [(one["name"], one["expr"]) for one in dashboard()["annotations"]["list"] if "expr" in one]
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            query = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            found.append((variable["name"], query[1]))
    return found


def test_dashboard_asks_for_what_there_is(program):
    told = metrics_of(program)
    for where, expr in asked():
        hold_names(expr, told, where)
    shown = set().union(*(used_names(expr) for _, expr in asked()))
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in told}
    equal(families - shown, {"process_virtual_memory_bytes"}, "what the dashboard does not show")


def test_dashboard_is_whole(_program):
    board = dashboard()
    equal(board["id"], None, "id: Grafana gives one")
    equal(board["schemaVersion"] >= 36, True, "for Grafana 10")
    ids = [panel["id"] for panel in board["panels"]]
    equal(len(ids), len(set(ids)), "ids, each once")
    variables = {variable["name"] for variable in board["templating"]["list"]}
    taken = {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            raise AssertionError("%s is too far to the right" % panel["title"])
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                equal(taken.setdefault((x, y), panel["title"]), panel["title"], "who has a place")
    for panel in panels():
        for target in [panel] + panel["targets"]:
            equal(target["datasource"], {"type": "prometheus", "uid": "${datasource}"}, panel["title"])
        references = [target["refId"] for target in panel["targets"]]
        equal(len(references), len(set(references)), "refIds of " + panel["title"])
    for where, expr in asked():
        unknown = {name for name in re.findall(r"\$\{?(\w+)", expr) if not name.startswith("__")} - variables
        equal(unknown, set(), "variables of " + where)
        for legend in [target.get("legendFormat", "") for panel in panels() if panel["title"] == where
                       for target in panel["targets"] if target["expr"] == expr]:
            grouped = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", expr))))
            for label in re.findall(r"\{\{(\w+)\}\}", legend):
                if grouped and label not in grouped:
                    raise AssertionError("%s names %s, which its sum has not" % (where, label))


def test_dashboard_is_promql(program):
    """Prometheus reads each of its expressions, with something in place of the variables."""
    lines = ["groups:", "  - name: dashboard", "    rules:"]
    for at, (_, expr) in enumerate(asked()):
        expr = re.sub(r"\$__(rate_)?interval", "5m", expr)
        lines += ["      - record: one:%d" % at, "        expr: " + json.dumps(expr)]
    with Place(program) as place:
        promtool("check", "rules", place.path("dashboard.yml", "\n".join(lines) + "\n"))


# --------------------------------------------------------------------- compose


def test_compose_names_files_that_are_there(_program):
    """By the text alone, so that it is done with or without yaml."""
    text = read("docker/compose.yml")
    mounts = re.findall(r"- (\.{1,2}/[^:\s]+):(/[^:\s]+):ro$", text, re.M)
    equal(len(mounts), 4, "what is mounted: %r" % mounts)
    for source, _ in mounts:
        if not os.path.exists(os.path.join(ROOT, "docker", source)):
            raise AssertionError("%s is not there" % source)
    targets = dict(mounts)
    provider = read("docker/grafana/provisioning/dashboards/leadfit.yml")
    folder = re.search(r"path: (\S+)", provider)[1]
    equal(targets["../config/grafana-dashboard.json"].startswith(folder + "/"), True, "the provider's folder")
    equal(targets["./grafana/provisioning"], "/etc/grafana/provisioning", "where Grafana looks")
    rules_at = re.search(r"rule_files:\n\s+- (\S+)", read("config/prometheus.yml"))[1]
    equal(targets["../config/prometheus-rules.yml"],
          os.path.join(os.path.dirname(targets["../config/prometheus.yml"]), rules_at), "the rules")
    equal("--config.file=%s\n" % targets["../config/prometheus.yml"] in text, True, "Prometheus' file")


def test_compose_pins_its_images(_program):
    for image in re.findall(r"image: (\S+)", read("docker/compose.yml")):
        if image not in HERE and not re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", image):
            raise AssertionError("%s is not pinned, or names where it comes from" % image)


def test_compose_keeps_to_itself(_program):
    compose = parsed("docker/compose.yml")
    if compose is None:
        return
    secrets = {"/run/secrets/" + name: one["file"] for name, one in compose["secrets"].items()}
    prometheus = parsed("config/prometheus.yml")
    [scrape] = prometheus["scrape_configs"]
    key = secrets[scrape["authorization"]["credentials_file"]]
    equal(key.startswith("./"), True, "the key's file")
    equal("/docker/" + key[2:] in read(".gitignore").splitlines(), True, "git does not see the key")
    equal([name.rsplit("/", 1)[1] for name in secrets], compose["services"]["prometheus"]["secrets"], "who has it")
    equal([target for one in scrape["static_configs"] for target in one["targets"]], ["leadfit:8080"])
    for name, service in compose["services"].items():
        for port in service["ports"]:
            equal(port.startswith("127.0.0.1:"), True, "where %s is reached" % name)
        made = read(HERE[service["image"]]) if service["image"] in HERE else ""
        if not re.match(r"[1-9]", str(service.get("user", "0"))) and not re.search(r"^USER (?!root|0)", made, re.M):
            raise AssertionError("%s runs as root" % name)
        equal(service["cap_drop"], ["ALL"], "privileges of %s" % name)
        equal("healthcheck" in service or "\nHEALTHCHECK" in made, True, "health of %s" % name)
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            equal(source.startswith(".") or source in compose["volumes"], True, "volume %s" % volume)
        for other in service.get("depends_on", {}):
            equal(other in compose["services"], True, "%s waits for %s" % (name, other))
    build = compose["services"]["leadfit"]["build"]
    equal(os.path.exists(os.path.join(ROOT, "docker", build["context"], build["dockerfile"])), True, "Dockerfile")


def test_provisioning(_program):
    source = parsed("docker/grafana/provisioning/datasources/prometheus.yml")
    provider = parsed("docker/grafana/provisioning/dashboards/leadfit.yml")
    if source is None or provider is None:
        return
    [one] = source["datasources"]
    equal((one["type"], one["url"], one["isDefault"]), ("prometheus", "http://prometheus:9090", True))
    compose = parsed("docker/compose.yml")
    equal("prometheus" in compose["services"], True, "whom it asks")
    [one] = provider["providers"]
    equal((one["type"], one["options"]["path"]), ("file", "/etc/grafana/dashboards"))
    home = compose["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    equal(any(volume.split(":")[1] == home for volume in compose["services"]["grafana"]["volumes"]), True, home)


def test_other_files_are_yaml(_program):
    for path in (RULES, RULES_TEST):
        parsed(path)


run(globals())
