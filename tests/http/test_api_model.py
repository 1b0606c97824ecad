"""Thousands of random steps of editing and scoring against a small model of what must be so.

The model (class Model) knows ICPs, drafts, versions, lists, keys and the audit as plain Python
values, and foretells each answer's status, code and what counts in its body; scores come from
tests/oracle. After a fault the seed and the last steps are told: the same seed takes the same
steps. LEADFIT_MODEL_STEPS and LEADFIT_MODEL_SEED in the environment say how many, and which.
"""

import os
import random
import sys
from decimal import Decimal
from fractions import Fraction

from contract import ROOT
from harness import Place, equal, expect, run
from editing import Desk, list_hash
from test_api_explain import FixedLists
from test_api_impact import check as check_impact, expected as expected_impact

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
import oracle  # noqa: E402
from values import fold  # noqa: E402

STEPS = int(os.environ.get("LEADFIT_MODEL_STEPS", "10000"))
KEYS = ["alpha", "beta", "gamma", "delta"]
NAMES = ["competitors", "free-mail", "target-accounts"]
POOL = 24                    # definitions, and as many leads for each
RESTART_EVERY = 1500
SCOPES = {"PUT": "icp:write", "DELETE": "icp:write", "PATCH": "icp:write", "POST": "icp:write",
          "GET": "icp:read"}
IMPLIED = {"icp:write": {"icp:read"}, "admin": {"icp:read", "icp:write", "score", "admin"}}


class Icp:
    def __init__(self):
        self.versions = []       # (definition, note, by)
        self.active = 0
        self.archived = False
        self.draft = None        # (definition, ETag, by)

    def definition(self):
        """What says its name and purpose."""
        return self.versions[self.active - 1][0] if self.active else self.draft[0]

    def active_hash(self):
        return digest(self.versions[self.active - 1][0]) if self.active else ""

    def state(self):
        return "archived" if self.archived else "active" if self.active else "draft"


class List:
    def __init__(self):
        self.entries = {}        # folded -> as it was put
        self.etag, self.revision = "", 0

    def hash(self):
        return list_hash(self.entries.values())


HASHES = {}                  # of definitions, by what they are in memory: they never change


def digest(document):
    known = HASHES.get(id(document))
    if known is None or known[0] is not document:
        HASHES[id(document)] = known = (document, oracle.definition_hash(document))
    return known[1]


def lists_of(node):
    """The named lists that a definition asks."""
    if isinstance(node, dict):
        own = {node["in_list"]} if "in_list" in node else set()
        return own.union(*(lists_of(one) for one in node.values()))
    return set().union(*map(lists_of, node)) if isinstance(node, list) else set()


def folded(entries):
    """The entries that count: by their folded form, the first of each."""
    made = {}
    for one in entries:
        if fold(one):
            made.setdefault(fold(one), one)
    return made


class Model:
    """The state, and what each step of it must answer. A step is a method named do_…"""

    def __init__(self, desk, seed):
        self.desk, self.random = desk, random.Random(seed)
        self.maker = FixedLists(seed)
        self.icps, self.lists, self.keys = {}, {}, {}
        self.past = {}           # name -> the last revision of a list that was deleted
        self.etags, self.audit, self.records, self.told = set(), [], [], []
        self.cursor, self.seen, self.steps = "", 0, []
        self.stale = ['"d1-0000000000000000"', '"l1-0000000000000000"', '"x"']
        self.made = {}           # (place in the pool, key) -> definition
        self.pool = self.make_pool()

    def make_pool(self):
        """Definitions that can be published as soon as their lists are there, and leads."""
        for name, entries in self.maker.fixed.items():
            self.desk.put_list(name, entries)
        pool = []
        while len(pool) < POOL:
            request = self.maker.request()
            document = request["definition"]
            document.update(purpose=self.pick(["core", "core", "experimental"]),
                            name="Name %d" % len(pool))
            if self.desk.ask("POST", "/v1/lint", document, 200).json["errors"] == 0:
                leads = [self.maker.lead(document) for _ in range(POOL)]
                pool.append((document, request["as_of"], leads))
        for name in self.maker.fixed:
            self.desk.ask("DELETE", "/v1/lists/" + name, status=204)
        self.audit = [None] * len(self.desk.audit())     # what came before the first step
        return pool

    # ------------------------------------------------------------- dice

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, share):
        return self.random.random() < share

    def key(self):
        return self.pick(KEYS)

    def document(self, key):
        """A definition of the pool under this key; the same one is the same object."""
        at = self.random.randrange(len(self.pool))
        known = self.pool[at][0]
        return self.made.setdefault((at, key), dict(known, key=key))

    def actor(self):
        """(key's text, name, scopes) of who does the next step; mostly it may do all."""
        if self.chance(0.85) or not self.keys:
            return self.desk.key, "desk", IMPLIED["admin"]
        text, name, scopes, live = self.keys[self.pick(sorted(self.keys))]
        allowed = set(scopes).union(*(IMPLIED.get(one, set()) for one in scopes))
        return text, name, allowed if live else None

    def say(self, method, path, body=None, scope=None, **headers):
        """Asks as somebody; (answer, name), or (None, "") where the key is not let in."""
        text, name, scopes = self.actor()
        self.steps.append((method, path, headers, name))
        answer = self.desk.ask(method, path, body, key=text, **headers)
        scope = scope or SCOPES[method]
        if scopes is None:
            expect(answer, 401, "unauthorized")
            return None, ""
        if scope not in scopes:
            expect(answer, 403, "forbidden")
            return None, ""
        return answer, name

    def note(self, action, icp, subject, by, version=0, note="", before="", after=""):
        self.audit.append((action, icp, subject, version, note, before, after, by))

    def new_etag(self, etag):
        equal(etag in self.etags, False, "an ETag that came back: " + etag)
        self.etags.add(etag)

    def condition(self, present):
        """(headers, what becomes of a change): "" goes on, "missing" or "failed"."""
        way = self.pick(["right"] * 5 + ["stale", "missing", "star", "none", "weak"])
        if way == "missing":
            return {}, "missing" if present else ""
        if way == "none":
            return {"if_none_match": "*"}, "failed" if present else ""
        if way == "star":
            return {"if_match": "*"}, "" if present else "failed"
        if way == "stale":
            return {"if_match": self.pick(self.stale)}, "failed"
        if not present:
            return {}, ""
        if way == "weak":
            return {"if_match": "W/" + present}, "failed"
        return {"if_match": present if self.chance(0.5) else '"a", %s, "b"' % present}, ""

    # ------------------------------------------------------------ drafts

    def do_put_draft(self):
        key = self.key()
        icp, document = self.icps.get(key), self.document(key)
        draft = icp.draft if icp else None
        headers, bar = self.condition(draft[1] if draft else "")
        answer, by = self.say("PUT", "/v1/icps/%s/draft" % key, document, **headers)
        if answer is None:
            return
        if icp is not None and icp.archived:
            expect(answer, 409, "icp_archived")
        elif bar:
            expect(answer, *((428, "precondition_required") if bar == "missing" else
                             (412, "precondition_failed")))
        else:
            body = expect(answer, 200 if draft else 201).json
            equal((body["definition"], body["updated_by"], body["etag"]),
                  (document, by, answer.headers["ETag"]), "the draft")
            equal(body["etag"].endswith(digest(document)[7:23] + '"'), True, "hash in the ETag")
            self.new_etag(body["etag"])
            self.note("draft.put", key, key, by, before=digest(draft[0]) if draft else "",
                      after=digest(document))
            if draft:
                self.stale.append(draft[1])
            self.icps.setdefault(key, Icp()).draft = (document, body["etag"], by)

    def do_get_draft(self):
        key = self.key()
        icp = self.icps.get(key)
        answer, _ = self.say("GET", "/v1/icps/%s/draft" % key)
        if answer is None:
            return
        if icp is None or icp.draft is None:
            expect(answer, 404, "draft_not_found" if icp else "icp_not_found")
            return
        body = expect(answer, 200).json
        equal((body["definition"], body["etag"], body["updated_by"]), icp.draft, "the draft")
        unknown = sum(one["code"] == "unknown_list" for one in body["lint"])
        equal(unknown > 0, bool(lists_of(icp.draft[0]) - set(self.lists)), "unknown lists")

    def do_delete_draft(self):
        key = self.key()
        icp = self.icps.get(key)
        draft = icp.draft if icp else None
        headers, bar = self.condition(draft[1] if draft else "")
        if "if_none_match" in headers:
            return
        answer, by = self.say("DELETE", "/v1/icps/%s/draft" % key, **headers)
        if answer is None:
            return
        if draft is None:
            expect(answer, 404, "draft_not_found" if icp else "icp_not_found")
        elif bar == "failed":
            expect(answer, 412, "precondition_failed")
        else:
            expect(answer, 204)
            self.note("draft.delete", key, key, by, before=digest(draft[0]))
            self.stale.append(draft[1])
            icp.draft = None
            if not icp.versions:
                del self.icps[key]

    # ---------------------------------------------------------- versions

    def do_publish(self):
        key = self.key()
        icp = self.icps.get(key)
        draft = icp.draft if icp else None
        headers, bar = self.condition(draft[1] if draft else "")
        if "if_none_match" in headers:
            return
        note = self.pick(["", "why", "Größe 🏭"])
        answer, by = self.say("POST", "/v1/icps/%s/publish" % key, {"note": note}, **headers)
        if answer is None:
            return
        if draft is None:
            expect(answer, 404, "draft_not_found" if icp else "icp_not_found")
        elif icp.archived:
            expect(answer, 409, "icp_archived")
        elif bar:
            expect(answer, *((428, "precondition_required") if bar == "missing" else
                             (412, "precondition_failed")))
        elif lists_of(draft[0]) - set(self.lists):
            expect(answer, 422, "lint_errors")
        else:
            body = expect(answer, 201).json
            before = icp.active_hash()
            icp.versions.append((draft[0], note, by))
            icp.active, icp.draft = len(icp.versions), None
            self.stale.append(draft[1])
            equal((body["version"], body["definition_hash"], body["note"]),
                  (icp.active, icp.active_hash(), note), "the publication")
            self.note("publish", key, key, by, icp.active, note, before, icp.active_hash())

    def do_activate(self):
        key, note = self.key(), self.pick(["", "back"])
        icp = self.icps.get(key)
        count = len(icp.versions) if icp else 0
        version = self.random.randint(1, count + 1)
        answer, by = self.say("POST", "/v1/icps/%s/activate" % key,
                              {"version": version, "note": note})
        if answer is None:
            return
        if icp is None:
            expect(answer, 404, "icp_not_found")
        elif version > count:
            expect(answer, 404, "version_not_found")
        elif icp.archived:
            expect(answer, 409, "icp_archived")
        elif self.missing_lists(icp, version):
            expect(answer, 409, "conflict")
        else:
            body = expect(answer, 200).json
            before, same = icp.active_hash(), version == icp.active
            icp.active = version
            equal((body["version"], body["definition_hash"], body["unchanged"]),
                  (version, icp.active_hash(), same), "the activation")
            if not same:
                self.note("activate", key, key, by, version, note, before, icp.active_hash())

    def missing_lists(self, icp, version):
        return lists_of(icp.versions[version - 1][0]) - set(self.lists)

    def do_archive(self):
        self.set_archived(True)

    def do_restore(self):
        self.set_archived(False)

    def set_archived(self, archived):
        key = self.key()
        icp = self.icps.get(key)
        answer, by = self.say("DELETE", "/v1/icps/" + key) if archived else \
            self.say("POST", "/v1/icps/%s/restore" % key, {"note": "again"})
        if answer is None:
            return
        if icp is None:
            expect(answer, 404, "icp_not_found")
            return
        if icp.archived and not archived and icp.active and self.missing_lists(icp, icp.active):
            expect(answer, 409, "conflict")
            return
        expect(answer, 204 if archived else 200)
        if icp.archived != archived:
            icp.archived = archived
            if archived:
                self.note("archive", key, key, by, before=icp.active_hash())
            else:
                self.note("restore", key, key, by, note="again", after=icp.active_hash())
        if not archived:
            self.check_icp(answer.json)

    def check_icp(self, told):
        icp = self.icps[told["key"]]
        document = icp.definition()
        equal((told["name"], told["purpose"], told["state"], told["active_version"],
               told["versions"], told["draft_etag"]),
              (document["name"], document["purpose"], icp.state(), icp.active, len(icp.versions),
               icp.draft[1] if icp.draft else ""), "ICP " + told["key"])

    def do_get_icps(self):
        answer, _ = self.say("GET", "/v1/icps")
        if answer is not None:
            told = expect(answer, 200).json["icps"]
            equal([one["key"] for one in told], sorted(self.icps), "keys")
            for one in told:
                self.check_icp(one)

    def do_get_versions(self):
        key = self.key()
        icp = self.icps.get(key)
        answer, _ = self.say("GET", "/v1/icps/%s/versions" % key)
        if answer is None:
            return
        if icp is None:
            expect(answer, 404, "icp_not_found")
            return
        told = expect(answer, 200).json
        equal((told["active_version"],
               [(one["version"], one["definition_hash"], one["note"], one["published_by"],
                 one["active"], one["name"]) for one in told["versions"]]),
              (icp.active,
               [(at, digest(document), note, by, at == icp.active, document["name"])
                for at, (document, note, by) in enumerate(icp.versions, 1)]), "versions")

    def do_get_version(self):
        key = self.key()
        icp = self.icps.get(key)
        count = len(icp.versions) if icp else 0
        version = self.random.randint(1, count + 1)
        answer, _ = self.say("GET", "/v1/icps/%s/versions/%d" % (key, version))
        if answer is None:
            return
        if version > count:
            expect(answer, 404, "version_not_found" if icp else "icp_not_found")
        else:
            body = expect(answer, 200).json
            equal((body["definition"], body["note"]), icp.versions[version - 1][:2], "a version")

    def do_diff(self):
        key = self.key()
        icp = self.icps.get(key)
        sides = ["draft", "1", str(max(1, len(icp.versions)) if icp else 1)]
        before, after = self.pick(sides), self.pick(sides)
        answer, _ = self.say("GET", "/v1/icps/%s/diff?from=%s&to=%s" % (key, before, after))
        if answer is None:
            return
        if icp is None:
            expect(answer, 404, "icp_not_found")
            return
        documents = []
        for side in (before, after):
            if side == "draft":
                documents.append(icp.draft and icp.draft[0])
            else:
                documents.append(icp.versions[int(side) - 1][0]
                                 if 0 < int(side) <= len(icp.versions) else None)
        if None in documents:
            missing = (before, after)[documents.index(None)]
            expect(answer, 404, "draft_not_found" if missing == "draft" else "version_not_found")
            return
        changes = expect(answer, 200).json["changes"]
        if documents[0]["name"] == documents[1]["name"]:
            equal(changes, [], "the same")
        else:
            equal("/name" in [one["path"] for one in changes], True, "another name")

    def do_impact(self):
        drafts = [key for key, icp in self.icps.items() if icp.draft and icp.active]
        if not drafts:
            return
        key = self.pick(drafts)
        icp = self.icps[key]
        told = self.desk.get("/v1/icps/%s/draft/impact?sample=15" % key)
        equal(told["from_version"], icp.active, "from")
        check_impact(told, expected_impact(self.records, icp.versions[icp.active - 1][0],
                                           icp.draft[0], self.entries(), 15))

    # ------------------------------------------------------------- lists

    def entries(self):
        return {name: list(one.entries.values()) for name, one in self.lists.items()}

    def words(self):
        return [self.maker.word() for _ in range(self.random.randint(0, 4))]

    def changed_list(self, name, answer, action, by, note=""):
        """Holds the answer to a change against the list as it is now; before: its hash."""
        one = self.lists[name]
        body = answer.json
        before = one.etag and "sha256:" + one.known_hash
        same = bool(one.etag) and one.known_hash == one.hash() and one.count == len(one.entries)
        equal(body["count"], len(one.entries), "count")
        if same:
            equal((body["etag"], body["revision"], body["added"], body["removed"]),
                  (one.etag, one.revision, 0, 0), "nothing changed")
            return
        if one.etag:
            self.stale.append(one.etag)
        equal(body["revision"] > (one.revision or self.past.get(name, 0)), True, "revision")
        one.etag, one.revision = body["etag"], body["revision"]
        one.known_hash, one.count = one.hash(), len(one.entries)
        equal(one.etag, '"l%d-%s"' % (one.revision, one.known_hash[:16]), "ETag")
        equal(answer.headers["ETag"], one.etag, "ETag's header")
        self.note(action, "", name, by, note=note, before=before or "",
                  after="sha256:" + one.known_hash)

    def do_put_list(self):
        name, words = self.pick(NAMES), self.words()
        one = self.lists.get(name)
        headers, bar = self.condition(one.etag if one else "")
        answer, by = self.say("PUT", "/v1/lists/" + name, words, **headers)
        if answer is None:
            return
        if bar == "failed":
            expect(answer, 412, "precondition_failed")
            return
        expect(answer, 200 if one else 201)
        count = len(one.entries) if one else 0
        one = self.lists.setdefault(name, List())
        one.entries = folded(words)
        self.changed_list(name, answer, "list.put", by)
        if answer.json["added"] + answer.json["removed"] > 0:
            equal((answer.json["added"], answer.json["removed"]), (len(one.entries), count),
                  "entries now and before")

    def do_patch_list(self):
        name, add, remove = self.pick(NAMES), self.words(), self.words()
        one = self.lists.get(name)
        if one is not None and one.entries and self.chance(0.5):
            remove.append(self.pick(sorted(one.entries.values())))
        headers, bar = self.condition(one.etag if one else "")
        if "if_none_match" in headers:
            return
        answer, by = self.say("PATCH", "/v1/lists/" + name,
                              {"add": add, "remove": remove, "note": "some"}, **headers)
        if answer is None:
            return
        if set(folded(add)) & set(folded(remove)):
            expect(answer, 422, "invalid_request")
        elif one is None:
            expect(answer, 404, "list_not_found")
        elif bar == "failed":
            expect(answer, 412, "precondition_failed")
        else:
            expect(answer, 200)
            gone = set(folded(remove)) & set(one.entries)
            for entry in gone:
                del one.entries[entry]
            new = {entry: text for entry, text in folded(add).items() if entry not in one.entries}
            one.entries.update(new)
            equal((answer.json["added"], answer.json["removed"]), (len(new), len(gone)), "patched")
            self.changed_list(name, answer, "list.patch", by, "some")

    def do_delete_list(self):
        name = self.pick(NAMES)
        one = self.lists.get(name)
        headers, bar = self.condition(one.etag if one else "")
        if "if_none_match" in headers:
            return
        answer, by = self.say("DELETE", "/v1/lists/" + name, **headers)
        if answer is None:
            return
        users = [key for key, icp in self.icps.items() if icp.active and not icp.archived
                 and name in lists_of(icp.versions[icp.active - 1][0])]
        if one is None:
            expect(answer, 404, "list_not_found")
        elif bar == "failed" and users:
            equal(answer.status in (409, 412), True, repr(answer))
        elif users:
            detail = expect(answer, 409, "list_in_use").json["detail"]
            wanted = ", ".join('"%s"' % key for key in sorted(users)[:3])
            if len(users) > 3:
                wanted += " and %d more" % (len(users) - 3)
            equal("(%s)" % wanted in detail, True, "who uses it: " + detail)
        elif bar == "failed":
            expect(answer, 412, "precondition_failed")
        else:
            expect(answer, 204)
            self.note("list.delete", "", name, by, before="sha256:" + one.known_hash)
            self.stale.append(one.etag)
            self.past[name] = self.lists.pop(name).revision

    def do_get_list(self):
        name = self.pick(NAMES)
        one = self.lists.get(name)
        answer, _ = self.say("GET", "/v1/lists/" + name)
        if answer is None:
            return
        if one is None:
            expect(answer, 404, "list_not_found")
        else:
            body = expect(answer, 200).json
            order = sorted(one.entries, key=lambda text: text.encode("utf-8"))
            equal((body["entries"], body["etag"], body["revision"]),
                  ([one.entries[entry] for entry in order], one.etag, one.revision), "a list")

    # -------------------------------------------------------------- keys

    def do_create_key(self):
        if len(self.keys) > 60:
            return
        name = "key %d" % len(self.keys)
        scopes = sorted(self.random.sample(["score", "icp:read", "icp:write", "admin"],
                                           self.random.randint(1, 2)))
        answer, by = self.say("POST", "/v1/keys", {"name": name, "scopes": scopes}, scope="admin")
        if answer is not None:
            made = expect(answer, 201).json
            self.keys[made["id"]] = [made["key"], name, scopes, True]
            self.note("key.create", "", made["id"], by)

    def do_revoke_key(self):
        if not self.keys:
            return
        key_id = self.pick(sorted(self.keys))
        answer, by = self.say("DELETE", "/v1/keys/" + key_id, scope="admin")
        if answer is not None:
            expect(answer, 204)
            if self.keys[key_id][3]:
                self.note("key.revoke", "", key_id, by)
            self.keys[key_id][3] = False

    # ------------------------------------------------------------ scores

    def do_score(self):
        _, as_of, leads = self.pick(self.pool)
        lead = dict(self.pick(leads), id="lead-%d" % self.random.randrange(40))
        named = self.random.sample(KEYS, self.random.randint(1, 2)) if self.chance(0.4) else []
        record = self.chance(0.8)
        body = {"lead": lead, "as_of": as_of, "icps": named, "record": record}
        answer, _ = self.say("POST", "/v1/score", body, scope="score")
        if answer is None:
            return
        for key in named:
            icp = self.icps.get(key)
            if icp is None or not (icp.active or icp.archived):
                expect(answer, 404, "icp_not_found")
                return
            if icp.archived:
                expect(answer, 409, "icp_archived")
                return
        asked = named or [key for key, icp in self.icps.items()
                          if icp.state() == "active" and icp.definition()["purpose"] == "core"]
        live = [key for key, icp in self.icps.items() if icp.state() == "active"]
        if not asked:
            expect(answer, 409, "no_active_icp")
            return
        told = expect(answer, 200).json
        equal(sorted(one["icp"] for one in told["results"]), sorted(asked), "who scores")
        for result in told["results"]:
            self.check_result(result, lead, as_of)
        if record:
            equal(bool(live), True, "something is live")
            self.records.append((told["lead_id"], told["id"], lead, as_of))
            self.told.append(told)

    def check_result(self, result, lead, as_of):
        icp = self.icps[result["icp"]]
        document = icp.versions[icp.active - 1][0]
        revisions = {name: one.revision for name, one in self.lists.items()}
        wanted = oracle.evaluate(document, lead, as_of, self.entries(), revisions)
        equal((result["version"], result["definition_hash"]), (icp.active, icp.active_hash()),
              "the version that scores")
        for name in ("score", "coverage", "points", "max_points"):
            equal(Fraction(Decimal(str(result[name]))), Fraction(wanted[name]), name)
        for name in ("grade", "qualified", "label", "disqualifiers", "unverified", "lists",
                     "next_best_field"):
            equal(result[name], wanted[name], name)

    def do_get_score(self):
        if self.told:
            told = self.pick(self.told[-500:])
            answer = self.desk.ask("GET", "/v1/scores/" + told["id"], status=200)
            equal(answer.json, told, "a score as it was told")

    # ------------------------------------------------------------- whole

    def do_audit(self):
        """What came since the last look, in pages whose cursors are kept."""
        while True:
            page = self.desk.get("/v1/audit?limit=7" + self.cursor)
            for one in page["entries"]:
                self.check_entry(one)
            if not page["next"]:
                break
            self.seen += len(page["entries"])
            self.cursor = "&after=" + page["next"]
        equal(self.seen + len(page["entries"]), len(self.audit), "entries of the audit")

    def check_entry(self, one):
        at = int(one["id"]) - 1
        equal(at < len(self.audit), True, "an entry too many: %r" % one)
        wanted = self.audit[at]
        if wanted is not None:
            equal((one["action"], one["icp"], one["subject"], one["version"], one["note"],
                   one["before"], one["after"], one["key"]), wanted, "entry %d" % (at + 1))

    def do_restart(self):
        if self.chance(RESTART_EVERY ** -1.0 * 20):
            kill = self.chance(0.5)
            self.steps.append(("kill" if kill else "restart",))
            self.desk.restart(kill=kill)
            self.do_audit()
            self.do_get_icps()

    def run(self, steps):
        often = {"put_draft": 14, "get_draft": 4, "delete_draft": 3, "publish": 12, "activate": 5,
                 "archive": 2, "restore": 4, "get_icps": 2, "get_versions": 3, "get_version": 3,
                 "diff": 4, "impact": 1, "put_list": 4, "patch_list": 7, "delete_list": 2,
                 "get_list": 4, "create_key": 1, "revoke_key": 1, "score": 20, "get_score": 4,
                 "audit": 2, "restart": 1}
        choices = [name for name, weight in often.items() for _ in range(weight)]
        done = dict.fromkeys(often, 0)
        for _ in range(steps):
            name = self.pick(choices)
            self.steps.append(name)
            getattr(self, "do_" + name)()
            done[name] += 1
            del self.steps[:-40]
        return done


def test_random_steps(program):
    seed = int(os.environ.get("LEADFIT_MODEL_SEED", random.randrange(1 << 32)))
    with Place(program) as place, Desk(program, place=place) as desk:
        model = Model(desk, seed)
        try:
            model.run(STEPS)
            model.do_audit()
            model.do_get_icps()
            desk.client.close()
            equal(desk.server.stop(), 0, "exit code")
            place.command("check", "--db", place.db)
            desk.start()
            model.do_audit()
        except Exception as trouble:
            raise AssertionError("LEADFIT_MODEL_SEED=%d: %s\nlast steps:\n  %s" % (
                seed, trouble, "\n  ".join(map(repr, model.steps[-12:])))) from trouble


run(globals())
