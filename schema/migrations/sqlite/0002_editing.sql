-- What sales ops do: drafts, an audit of every change, lists that change without being rewritten, when a key was last
-- used, and what became of leads.

ALTER TABLE icp_version ADD COLUMN published_by TEXT NOT NULL DEFAULT '';
ALTER TABLE api_key ADD COLUMN last_used_at_ms INTEGER NOT NULL DEFAULT 0;

-- One draft an ICP. Its etag changes with every put and never comes back: revision counts all puts of all drafts
-- (meta.draft_revisions).
CREATE TABLE draft (
    icp_id        INTEGER PRIMARY KEY REFERENCES icp (id) ON DELETE CASCADE,
    revision      INTEGER NOT NULL UNIQUE CHECK (revision >= 1),
    name          TEXT NOT NULL,
    purpose       TEXT NOT NULL,
    document      TEXT NOT NULL,
    hash          BLOB NOT NULL CHECK (length(hash) = 32),
    updated_by    TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

INSERT INTO meta (name, value) VALUES ('draft_revisions', 0);

-- Append-only. chain is SHA-256 over the chain of the entry before (32 zero bytes for the first) and this entry's
-- columns, as lib/store/audit.h writes them: an entry that is altered, missing or put in between breaks it. audit_head
-- knows how many there are and the last chain, so that missing last ones are found as well. before and after are
-- "sha256:…" or "". icp is the ICP's key, "" where it is none; subject what was changed: an ICP, a list, an API key.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    by      TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    action  TEXT NOT NULL,
    icp     TEXT NOT NULL,
    subject TEXT NOT NULL,
    version INTEGER NOT NULL,
    note    TEXT NOT NULL,
    before  TEXT NOT NULL,
    after   TEXT NOT NULL,
    chain   BLOB NOT NULL CHECK (length(chain) = 32)
) STRICT;

CREATE INDEX audit_by_icp ON audit (icp, id);

CREATE TABLE audit_head (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    entries INTEGER NOT NULL,
    chain   BLOB NOT NULL CHECK (length(chain) = 32)
) STRICT;

INSERT INTO audit_head (id, entries, chain) VALUES (1, 0, zeroblob(32));

-- A list's entries belong to a generation. Replacing a list fills a new generation in small commits and then points the
-- list to it in one; the entries of generations that no list points to are leftovers, and are swept away in small
-- commits, too. folded is the entry as conditions compare it: two entries that fold alike are one. hash is the sum,
-- modulo 2^256, of the SHA-256 of each entry: it follows a change of a few entries without reading the others.
CREATE TABLE list_item (
    generation INTEGER NOT NULL,
    folded     BLOB NOT NULL CHECK (length(folded) > 0),
    entry      TEXT NOT NULL,
    PRIMARY KEY (generation, folded)
) STRICT, WITHOUT ROWID;

CREATE TABLE list_new (
    id            INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    generation    INTEGER NOT NULL UNIQUE,
    entries       INTEGER NOT NULL CHECK (entries >= 0),
    hash          BLOB NOT NULL CHECK (length(hash) = 32),
    updated_at_ms INTEGER NOT NULL
) STRICT;

-- The last revision of lists that were deleted: one that is put again goes on from there, so that a recorded score's
-- revision means one state of a list, ever.
CREATE TABLE list_past (
    key      TEXT PRIMARY KEY NOT NULL,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- leadfit_fold and leadfit_list_hash are functions that migrations have (lib/store/sqlite/functions.c).
INSERT OR IGNORE INTO list_item (generation, folded, entry)
    SELECT list_id, leadfit_fold(entry), entry FROM list_entry WHERE length(leadfit_fold(entry)) > 0
    ORDER BY list_id, position;
INSERT INTO list_new (id, key, revision, generation, entries, hash, updated_at_ms)
    SELECT id, key, revision, id,
           (SELECT count(*) FROM list_item i WHERE i.generation = list.id),
           (SELECT leadfit_list_hash(i.entry) FROM list_item i WHERE i.generation = list.id), updated_at_ms
    FROM list;
INSERT INTO meta (name, value) SELECT 'list_generations', ifnull(max(id), 0) FROM list;
DROP TABLE list_entry;
DROP TABLE list;
ALTER TABLE list_new RENAME TO list;

-- What became of a lead: the latest word by at_ms counts. value is in millionths.
CREATE TABLE outcome (
    lead_id TEXT PRIMARY KEY NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('won', 'lost', 'open')),
    value   INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
