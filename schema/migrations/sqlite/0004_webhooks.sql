-- What passes between Leadfit and CRMs: sources that send leads, answers that are given again, subscriptions to events
-- and the outbox they are delivered from.

-- Who sends leads to /v1/webhooks/{key}. document is the source as it was put, canonical JSON without its secrets.
CREATE TABLE source (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    key           TEXT NOT NULL UNIQUE,
    document      TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

-- Two at most, for a rotation: what a signature is made with, or the SHA-256 of what is only compared.
CREATE TABLE source_secret (
    source_id INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL CHECK (position IN (0, 1)),
    value     BLOB NOT NULL,
    PRIMARY KEY (source_id, position)
) STRICT, WITHOUT ROWID;

-- The last deliveries that a source was refused, newest first; never anything of a body. bytes: of the body.
CREATE TABLE refusal (
    source_id  INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL CHECK (position BETWEEN 0 AND 49),
    at_ms      INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    status     INTEGER NOT NULL,
    code       TEXT NOT NULL,
    pointer    TEXT NOT NULL,
    detail     TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (source_id, position)
) STRICT, WITHOUT ROWID;

-- Answers that are given again to whoever repeats a request. name is a hash of whose it is and of its key, request one
-- of what was asked. sealed is the answer, readable with that key alone (lib/app/idempotency.h); null, and request
-- zeros, once one of the leads it tells of was erased. It tells of the scores from first_score to last_score, null for
-- none.
CREATE TABLE answer (
    id          INTEGER PRIMARY KEY,
    name        BLOB NOT NULL UNIQUE CHECK (length(name) = 32),
    request     BLOB NOT NULL CHECK (length(request) = 32),
    at_ms       INTEGER NOT NULL,
    http_status INTEGER NOT NULL,
    first_score BLOB CHECK (length(first_score) = 16),
    last_score  BLOB CHECK (length(last_score) = 16),
    sealed      BLOB,
    CHECK ((first_score IS NULL) = (last_score IS NULL) AND ifnull(first_score <= last_score, 1))
) STRICT;

CREATE INDEX answer_by_score ON answer (first_score) WHERE first_score IS NOT NULL;
CREATE INDEX answer_by_time ON answer (at_ms);

-- Who wants to be told of what. events: bits of the types below. icp is '' for all; grades a JSON array, [] for all.
-- state: 0 active, 1 paused (nothing is sent, what happens is gathered), 2 disabled (nothing is gathered either); reason
-- says why in words. failing_since_ms: the first of the failures since the last success, 0 for none.
CREATE TABLE subscription (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    key              TEXT NOT NULL UNIQUE,
    url              TEXT NOT NULL,
    secret           BLOB NOT NULL,
    events           INTEGER NOT NULL,
    icp              TEXT NOT NULL,
    grades           TEXT NOT NULL,
    state            INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    reason           TEXT NOT NULL,
    failing_since_ms INTEGER NOT NULL,
    delivered_at_ms  INTEGER NOT NULL,
    created_at_ms    INTEGER NOT NULL,
    updated_at_ms    INTEGER NOT NULL
) STRICT;

-- The outbox: an event on its way to one subscription; id is also its sequence. type: 0 score.recorded,
-- 1 score.grade_changed, 2 icp.published, 3 drift.shifted. state: 0 pending (before its first attempt has ended),
-- 1 retrying, 2 delivered, 3 failed, 4 erased. lane: first attempts of one lane go out in order; 0 for none. data is a
-- JSON object, '' once its lead was erased. attempts: a JSON array of {"at", "status", "error"}. Rows of a subscription
-- that was deleted are swept away.
CREATE TABLE delivery (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription_id INTEGER NOT NULL,
    type            INTEGER NOT NULL CHECK (type BETWEEN 0 AND 3),
    at_ms           INTEGER NOT NULL,
    score_id        BLOB CHECK (length(score_id) = 16),
    lane            INTEGER NOT NULL,
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
    due_ms          INTEGER NOT NULL,
    attempts        TEXT NOT NULL,
    data            TEXT NOT NULL
) STRICT;

CREATE INDEX delivery_by_subscription ON delivery (subscription_id, id);
CREATE INDEX delivery_pending ON delivery (subscription_id, id) WHERE state = 0;
CREATE INDEX delivery_due ON delivery (subscription_id, due_ms, id) WHERE state = 1;
CREATE INDEX delivery_ended ON delivery (subscription_id, id) WHERE state >= 2;
CREATE INDEX delivery_by_score ON delivery (score_id) WHERE score_id IS NOT NULL;

-- How far the scores of a version were found to have moved, so that each shift is told once. level: 0 stable, 1 watch,
-- 2 shifted.
CREATE TABLE drift (
    version_id INTEGER PRIMARY KEY REFERENCES icp_version (id),
    level      INTEGER NOT NULL CHECK (level BETWEEN 0 AND 2),
    at_ms      INTEGER NOT NULL
) STRICT;
