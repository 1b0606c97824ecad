-- What Leadfit keeps: ICPs and their versions, named lists, API keys, recorded scores.
-- Times are milliseconds since 1970-01-01T00:00:00Z. The number of this file is the schema's version (user_version).

-- One row of numbers by name. probes: how often the store was asked whether it can write.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES ('probes', 0);

-- active_version is null as long as nothing has been published.
CREATE TABLE icp (
    id             INTEGER PRIMARY KEY,
    key            TEXT NOT NULL UNIQUE,
    archived       INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    active_version INTEGER,
    created_at_ms  INTEGER NOT NULL,
    updated_at_ms  INTEGER NOT NULL,
    FOREIGN KEY (id, active_version) REFERENCES icp_version (icp_id, version) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- Immutable. document is the definition as it was put; hash is SHA-256 of its canonical form.
CREATE TABLE icp_version (
    id              INTEGER PRIMARY KEY,
    icp_id          INTEGER NOT NULL REFERENCES icp (id),
    version         INTEGER NOT NULL CHECK (version >= 1),
    name            TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    document        TEXT NOT NULL,
    hash            BLOB NOT NULL CHECK (length(hash) = 32),
    note            TEXT NOT NULL,
    published_at_ms INTEGER NOT NULL,
    UNIQUE (icp_id, version)
) STRICT;

CREATE TABLE list (
    id            INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    updated_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE list_entry (
    list_id  INTEGER NOT NULL REFERENCES list (id) ON DELETE CASCADE,
    position INTEGER NOT NULL CHECK (position >= 0),
    entry    TEXT NOT NULL,
    PRIMARY KEY (list_id, position)
) STRICT, WITHOUT ROWID;

-- The secret is never here, only its SHA-256. expires_at_ms and revoked_at_ms are 0 where that has no date.
CREATE TABLE api_key (
    id            TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL,
    scopes        INTEGER NOT NULL CHECK (scopes BETWEEN 0 AND 4294967295),
    secret_hash   BLOB NOT NULL CHECK (length(secret_hash) = 32),
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Recorded scores, many to a row: one commit appends one row (a few, where it is large). Ids ascend within a block
-- and from block to block, as the rows' own ids do: a score is found by halving the range of rows, and an index on
-- first_id, which would cost every commit one more page to write, is not needed. position is how many scores were
-- recorded before the block, ever: the number of scores there are is (position + count) of the last block less
-- position of the first, without counting any. body comes last, so that the small columns are read without it;
-- lib/store/block.h says what it holds.
CREATE TABLE score_block (
    id       INTEGER PRIMARY KEY,
    first_id BLOB NOT NULL CHECK (length(first_id) = 16),
    last_id  BLOB NOT NULL CHECK (length(last_id) = 16),
    count    INTEGER NOT NULL CHECK (count >= 1),
    position INTEGER NOT NULL CHECK (position >= 0),
    body     BLOB NOT NULL
) STRICT;
