"""GET on ICPs and their versions."""

import json
import os
import sys

from contract import ROOT
from harness import ICPS, Place, equal, expect, run
from test_api_score import definition

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
from oracle import definition_hash  # noqa: E402


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def test_the_list(program):
    with Place(program) as place:
        key = place.key()
        with place.serve() as server:
            equal(server.client(key).get("/v1/icps").json, {"icps": []}, "no ICPs")
        place.publish(*ICPS)
        with place.serve() as server:
            client = server.client(key)
            icps = client.get("/v1/icps").json["icps"]
            equal([one["key"] for one in icps], sorted(read(path)["key"] for path in ICPS), "keys")
            for one in icps:
                document = read(next(p for p in ICPS if read(p)["key"] == one["key"]))
                equal({name: one[name] for name in ("name", "purpose", "state", "active_version",
                                                    "versions", "draft_etag")},
                      {"name": document["name"], "purpose": document.get("purpose", "core"),
                       "state": "active", "active_version": 1, "versions": 1, "draft_etag": ""},
                      one["key"])
                equal(client.get("/v1/icps/" + one["key"]).json, one, "the ICP by itself")


def test_versions(program):
    with Place(program) as place:
        place.publish(*ICPS)
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            for path in ICPS:
                document = read(path)
                where = "/v1/icps/%s/versions/1" % document["key"]
                answer = expect(client.get(where), 200)
                equal(answer.json["definition"], document, "definition")
                digest = definition_hash(document)
                equal(answer.json["definition_hash"], digest, "hash as the oracle has it")
                etag = '"%s"' % digest
                equal((answer.json["etag"], answer.headers["ETag"]), (etag, etag), "etag")
                equal((answer.json["icp"], answer.json["version"]), (document["key"], 1), "names")
                equal(answer.headers["Cache-Control"], "private, max-age=31536000, immutable",
                      "Cache-Control")
                said = client.post("/v1/score", {"lead": {}, "icps": [document["key"]]}).json
                equal(said["results"][0]["definition_hash"], digest, "hash in a score")


def test_not_modified(program):
    with Place(program) as place:
        place.publish_definition(definition("one"))
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            where = "/v1/icps/one/versions/1"
            etag = client.get(where).headers["ETag"]
            for same in (etag, "W/" + etag, '"x", ' + etag, etag + ' , "x"', "*",
                         '"a","b",' + etag):
                for method in ("GET", "HEAD"):
                    answer = expect(client.ask(method, where, headers={"If-None-Match": same}), 304)
                    equal((answer.body, answer.headers["ETag"]), (b"", etag), "a 304")
            for other in ('"x"', "", etag[:-2] + '"', etag.strip('"'), "W/", ",,"):
                expect(client.get(where, headers={"If-None-Match": other}), 200)
            expect(client.get(where, headers={"If-None-Match": etag}, key="lf_no"), 401)
            expect(client.get("/v1/icps/one/versions/2", headers={"If-None-Match": "*"}), 404)


def test_versions_that_are_not_there(program):
    with Place(program) as place:
        place.publish_definition(definition("one"))
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            for n in ("2", "0", "-1", "01", "1.0", "x", "%20", "999999999", "4294967297",
                      "99999999999999999999", "draft", "1%2F"):
                expect(client.get("/v1/icps/one/versions/" + n), 404, "version_not_found")
            expect(client.get("/v1/icps/two/versions/1"), 404, "icp_not_found")


def test_new_versions(program):
    with Place(program) as place:
        for weight in (1, 2, 3):
            document = definition("one", name="Name %d" % weight)
            document["attributes"][0]["weight"] = weight
            place.publish_definition(document)
        place.publish_definition(document)       # the same again is no new version
        key = place.key()
        with place.serve() as server:
            client = server.client(key)
            icp = client.get("/v1/icps/one").json
            equal((icp["active_version"], icp["versions"], icp["name"]), (3, 3, "Name 3"), "ICP")
            for n in (1, 2, 3):
                kept = client.get("/v1/icps/one/versions/%d" % n).json
                equal(kept["definition"]["attributes"][0]["weight"], n, "weight")
            equal(client.score({})["version"], 3, "the one that scores")


def test_archived_ones(program):
    with Place(program) as place:
        place.publish_definition(definition("old"))
        place.publish_definition(definition("new"))
        key = place.key("admin")
        with place.serve() as server:
            client = server.client(key)
            before = client.score({}, icps=["old"])
            expect(client.ask("DELETE", "/v1/icps/old"), 204)
        with place.serve() as server:
            client = server.client(key)
            expect(client.post("/v1/score", {"lead": {}, "icps": ["new", "old"]}), 409,
                   "icp_archived", errors=[("/icps/1", "icp_archived")])
            equal([one["icp"] for one in client.score({})["results"]], ["new"], "who scores")
            equal(client.get("/v1/icps/old").json["state"], "archived", "state")
            equal([one["state"] for one in client.get("/v1/icps").json["icps"]],
                  ["active", "archived"], "states")
            expect(client.get("/v1/icps/old/versions/1"), 200)
            equal(client.get("/v1/scores/" + before["id"]).json, before, "its scores stay")
            expect(client.ask("DELETE", "/v1/icps/new"), 204)
        with place.serve() as server:
            expect(server.client(key).post("/v1/score", {"lead": {}}), 409, "no_active_icp")


run(globals())
