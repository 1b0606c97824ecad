"""POST /v1/outcomes: one as JSON, many as NDJSON."""

import json
import sqlite3

from harness import equal, expect, run
from editing import Crowd, Desk, definition

LINES = "application/x-ndjson"


def stored(desk):
    """lead_id -> (outcome, millionths, at) as the database has it."""
    with sqlite3.connect("file:%s?mode=ro" % desk.place.db, uri=True) as database:
        rows = database.execute("SELECT lead_id, outcome, value, outcome_at_ms FROM lead WHERE outcome <> ''").fetchall()
    database.close()
    return {row[0]: row[1:] for row in rows}


def lines(desk, text, status=200):
    body = text if isinstance(text, bytes) else text.encode("utf-8")
    return expect(desk.client.post("/v1/outcomes", body, headers={"Content-Type": LINES}),
                  status).json


def test_one(program):
    with Desk(program) as desk:
        cases = [({"lead_id": "a", "outcome": "won"}, "a", ("won", 0)),
                 ({"lead_id": "b", "outcome": "lost", "value": 12000}, "b", ("lost", 12000000000)),
                 ({"lead_id": "c", "outcome": "open", "value": 0.000001}, "c", ("open", 1)),
                 ({"lead_id": 17, "outcome": "won", "value": 1e12}, "17", ("won", 10 ** 18)),
                 ({"lead_id": 12345678901234567890123, "outcome": "won", "value": 0.1},
                  "12345678901234567890123", ("won", 100000)),
                 ({"lead_id": "🏭" * 200, "outcome": "won", "value": 999999999999.125},
                  "🏭" * 200, ("won", 999999999999125000)),
                 ({"lead_id": "d", "outcome": "won", "value": 123456789.123456, "at": None},
                  "d", ("won", 123456789123456)),
                 ({"lead_id": "e", "outcome": "won", "value": None}, "e", ("won", 0))]
        for body, lead, wanted in cases:
            answer = expect(desk.client.post("/v1/outcomes", body), 200)
            equal(answer.json, {"accepted": 1, "errors": []}, "answer to %r" % body)
            equal(stored(desk)[lead][:2], wanted, "what is kept of %r" % body)
        for at, ms in (("2026-01-31T09:30:00Z", 1769851800000), ("2026-01-31", 1769817600000),
                       ("2026-01-31T10:30:00.123999+01:00", 1769851800123)):
            body = {"lead_id": "at " + at, "outcome": "won", "at": at}
            expect(desk.client.post("/v1/outcomes", body), 200)
            equal(stored(desk)["at " + at][2], ms, at)
        equal(len(desk.audit()), 1, "no change of rules: the key of the command line")


def test_the_latest_counts(program):
    with Desk(program) as desk:
        def say(outcome, at):
            expect(desk.client.post("/v1/outcomes",
                                    {"lead_id": "x", "outcome": outcome, "at": at}), 200)
            return stored(desk)["x"][0]
        equal(say("open", "2026-01-02"), "open", "first")
        equal(say("won", "2026-01-01"), "open", "an earlier one")
        equal(say("won", "2026-01-03"), "won", "a later one")
        equal(say("lost", "2026-01-03"), "lost", "as late: the last word")
        text = "\n".join(json.dumps({"lead_id": "y", "outcome": outcome, "at": at}) for outcome, at
                         in (("won", "2026-01-05"), ("lost", "2026-01-04"), ("open", "2026-01-05")))
        equal(lines(desk, text)["accepted"], 3, "accepted")
        equal(stored(desk)["y"][0], "open", "in the order of the lines")
        desk.restart(kill=True)
        equal((stored(desk)["x"][0], stored(desk)["y"][0]), ("lost", "open"), "after a kill")


def test_faults(program):
    cases = [({}, [("/lead_id", "required"), ("/outcome", "required")]),
             ({"lead_id": "", "outcome": "won"}, [("/lead_id", "too_few")]),
             ({"lead_id": None, "outcome": None}, [("/lead_id", "wrong_type"),
                                                   ("/outcome", "wrong_type")]),
             ({"lead_id": 1.5, "outcome": "win"}, [("/lead_id", "out_of_range"),
                                                   ("/outcome", "invalid_value")]),
             ({"lead_id": ["a"], "outcome": 1}, [("/lead_id", "wrong_type"),
                                                 ("/outcome", "wrong_type")]),
             ({"lead_id": "x" * 201, "outcome": "won"}, [("/lead_id", "too_many")]),
             ({"lead_id": "x", "outcome": "won", "value": "1"}, [("/value", "wrong_type")]),
             ({"lead_id": "x", "outcome": "won", "value": -1}, [("/value", "out_of_range")]),
             ({"lead_id": "x", "outcome": "won", "value": 1.1e12}, [("/value", "out_of_range")]),
             ({"lead_id": "x", "outcome": "won", "value": 0.0000001},
              [("/value", "too_many_places")]),
             ({"lead_id": "x", "outcome": "won", "value": 1.2345678},
              [("/value", "too_many_places")]),
             ({"lead_id": "x", "outcome": "won", "at": 1}, [("/at", "wrong_type")]),
             ({"lead_id": "x", "outcome": "won", "at": "soon", "stage": 1},
              [("/at", "invalid_date"), ("/stage", "unknown_member")]),
             ([], [("", "wrong_type")])]
    with Desk(program) as desk:
        for body, errors in cases:
            expect(desk.client.post("/v1/outcomes", body), 422, "invalid_request", errors=errors)
            told = lines(desk, json.dumps(body))
            equal((told["accepted"], len(told["errors"])), (0, 1), "as a line: %r" % body)
            (one,) = told["errors"]
            equal((one["line"], (one["pointer"], one["code"]) in errors), (1, True),
                  "the first of %s: %r" % (errors, one))
            if len(errors) > 1:
                equal("1 more fault" in one["detail"], True, one["detail"])
        for body in (b"", b"{", b'{"lead_id": "a", "lead_id": "b"}', b"{}{}"):
            expect(desk.client.post("/v1/outcomes", body), 400, "invalid_json")
        expect(desk.client.post("/v1/outcomes", b"a,b", headers={"Content-Type": "text/csv"}), 415,
               "unsupported_media_type")
        equal(stored(desk), {}, "nothing is kept")


def test_many(program):
    with Desk(program) as desk:
        good = ['{"lead_id": "lead-%d", "outcome": "%s", "value": %d}' % (
            at, ("won", "lost", "open")[at % 3], at) for at in range(5000)]
        answer = lines(desk, "\n".join(good))
        equal(answer, {"accepted": 5000, "errors": []}, "all of them")
        kept = stored(desk)
        equal(len(kept), 5000, "kept")
        equal(kept["lead-4999"][:2], ("won" if 4999 % 3 == 0 else "lost", 4999000000), "the last")
        mixed = ["", "  \t ", '{"lead_id": "m", "outcome": "won"}\r', "{", "null", "\r",
                 '{"lead_id": "n", "outcome": "gone"}', '{"lead_id": "o", "outcome": "lost"}',
                 "[" * 70 + "]" * 70, '{"lead_id": "p", "outcome": "won", "value": 1e999}',
                 '{"lead_id": "%s", "outcome": "won"}' % ("x" * 66000),
                 '{"lead_id": "q", "outcome": "won"}']
        answer = lines(desk, "\n".join(mixed) + "\n")
        equal(answer["accepted"], 3, "accepted")
        equal([(one["line"], one["code"]) for one in answer["errors"]],
              [(4, "invalid_json"), (5, "wrong_type"), (7, "invalid_value"), (9, "too_deep"),
               (10, "number_out_of_range"), (11, "body_too_large")], "lines and codes")
        equal({"m", "o", "q"} <= set(stored(desk)), True, "the good ones are kept")
        equal(lines(desk, ""), {"accepted": 0, "errors": []}, "nothing")
        answer = lines(desk, b'\xff\n{"lead_id": "r", "outcome": "won"}')
        equal((answer["accepted"], answer["errors"][0]["code"]), (1, "invalid_json"), "a bad byte")


def test_bounds(program):
    with Desk(program) as desk:
        text = "{}\n" * 3000 + '{"lead_id": "last", "outcome": "won"}\n' + "x\n" * 3000
        answer = lines(desk, text)
        equal((answer["accepted"], len(answer["errors"])), (1, 1000), "accepted and told")
        equal(answer["errors"][-1]["line"], 1000, "the first thousand")
        line = '{"lead_id": "%06d", "outcome": "won"' + " " * (1024 - 40) + "}\n"
        count = (16 << 20) // len(line % 0)
        body = "".join(line % at for at in range(count))
        equal(len(body), 16 << 20, "just 16 MiB")
        equal(lines(desk, body)["accepted"], count, "16 MiB of them")
        equal(len(stored(desk)), count + 1, "kept")
        expect(desk.client.post("/v1/outcomes", b" " * ((16 << 20) + 1),
                                headers={"Content-Type": LINES}), 413, "body_too_large")
        # lines that are long, and many trees of them, are noted early: memory stays bounded
        wide = '{"lead_id": "%d", "outcome": "won", "x": [' + "0," * 9000 + "0]}"
        answer = lines(desk, "\n".join(wide % at for at in range(800)))
        equal((answer["accepted"], len(answer["errors"])), (0, 800), "all with an unknown member")


def test_scores_are_recorded_meanwhile(program):
    """Outcomes go to the disk in slices: a score need not wait for all of them."""
    with Desk(program) as desk:
        desk.publish(definition("one"))
        crowd = Crowd(desk.server, desk.key, {"lead": {"points": 5}}, lambda answer, begun: None, 4)
        body = "".join('{"lead_id": "%d", "outcome": "won"}\n' % at for at in range(100000))
        equal(lines(desk, body)["accepted"], 100000, "accepted")
        equal(crowd.stop() > 4, True, "scores meanwhile")
        desk.place.command("check", "--db", desk.place.db)


run(globals())
