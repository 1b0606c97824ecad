-- What dashboards poll: counts rolled up by version, hour, day and month; which lead was scored when, and how last; what
-- became of it.

-- What is counted, in the bytes of lib/core/tally.h (kind 0) and lib/core/wins.h (kind 1: each lead by its latest score
-- under the version; kind 2: each lead by its latest score under the ICP). Spans: 0 the version's baseline (its first
-- scores, start_hour 0), 1 an hour, 2 a day, 3 a month, all in UTC and each complete at any time. start_hour counts hours
-- since 1970-01-01T00:00:00Z. Rows stand in the order in which they are read: a year of days is some fifty pages in a row.
CREATE TABLE rollup (
    version_id INTEGER NOT NULL REFERENCES icp_version (id),
    kind       INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
    span       INTEGER NOT NULL CHECK (span BETWEEN 0 AND 3),
    start_hour INTEGER NOT NULL,
    body       BLOB NOT NULL,
    PRIMARY KEY (version_id, kind, span, start_hour)
) STRICT, WITHOUT ROWID;

-- Who was scored, or said to be won or lost. lead_id is null once the person was erased: what stays counts, and names
-- nobody. outcome is '' as long as nobody has said; of several the latest by outcome_at_ms counts. value is in
-- millionths.
CREATE TABLE lead (
    id            INTEGER PRIMARY KEY,
    lead_id       TEXT UNIQUE,
    outcome       TEXT NOT NULL DEFAULT '' CHECK (outcome IN ('', 'won', 'lost', 'open')),
    value         INTEGER NOT NULL DEFAULT 0,
    outcome_at_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

-- For the retention of outcomes.
CREATE INDEX lead_by_outcome ON lead (outcome_at_ms) WHERE outcome <> '';

INSERT INTO lead (lead_id, outcome, value, outcome_at_ms) SELECT lead_id, outcome, value, at_ms FROM outcome
    ORDER BY at_ms, lead_id;
DROP TABLE outcome;

-- A lead's latest score under each version that scored it; latest: also the latest under the ICP. Scores and percentages
-- are in hundredths. result is the score's result as it was recorded (lib/core/record.h), without any value of the lead.
CREATE TABLE lead_score (
    lead       INTEGER NOT NULL REFERENCES lead (id) ON DELETE CASCADE,
    icp_id     INTEGER NOT NULL REFERENCES icp (id),
    version_id INTEGER NOT NULL REFERENCES icp_version (id),
    score_id   BLOB NOT NULL CHECK (length(score_id) = 16),
    latest     INTEGER NOT NULL CHECK (latest IN (0, 1)),
    qualified  INTEGER NOT NULL CHECK (qualified IN (0, 1)),
    score      INTEGER NOT NULL,
    coverage   INTEGER NOT NULL,
    engagement INTEGER NOT NULL,
    grade      TEXT NOT NULL,
    label      TEXT NOT NULL,
    result     BLOB NOT NULL,
    PRIMARY KEY (lead, icp_id, version_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX lead_score_by_score ON lead_score (icp_id, score DESC, score_id DESC) WHERE latest = 1;
CREATE INDEX lead_score_by_time ON lead_score (icp_id, score_id DESC) WHERE latest = 1;

-- The blocks that hold a lead's scores, many to a row: ids ascending, each as its difference to the one before (LEB128),
-- the first as it is. first_block is the first of them.
CREATE TABLE lead_blocks (
    lead        INTEGER NOT NULL REFERENCES lead (id) ON DELETE CASCADE,
    first_block INTEGER NOT NULL,
    last_block  INTEGER NOT NULL,
    body        BLOB NOT NULL,
    PRIMARY KEY (lead, first_block)
) STRICT, WITHOUT ROWID;

-- With store_lead = hashes values are kept as their keyed hash.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO secret (name, value) VALUES ('lead_hash', randomblob(32));

-- Blocks up to settled_block are in lead, lead_score and lead_blocks; those up to rolled_block are counted in rollup.
-- Scores are counted in the commit that records them: only what was recorded before this migration, up to due_block, is
-- counted afterwards, at the next start. What was recorded before pruned_ms (milliseconds) may be gone.
INSERT INTO meta (name, value) VALUES ('settled_block', 0), ('rolled_block', 0), ('pruned_ms', 0);
INSERT INTO meta (name, value) SELECT 'due_block', ifnull(max(id), 0) FROM score_block;
