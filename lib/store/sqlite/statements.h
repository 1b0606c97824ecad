/* statements.h - every statement that a connection keeps prepared. One list; X(name, SQL). */
#ifndef LF_STORE_SQLITE_STATEMENTS_H
#define LF_STORE_SQLITE_STATEMENTS_H

#define LF_SQL_ICP_COLUMNS                                                                                    \
    "SELECT i.key, ifnull(v.name, ifnull(d.name, '')), ifnull(v.purpose, ifnull(d.purpose, '')), i.archived," \
    " i.active_version, (SELECT count(*) FROM icp_version n WHERE n.icp_id = i.id), d.revision, d.hash,"      \
    " i.created_at_ms, i.updated_at_ms"                                                                       \
    " FROM icp i LEFT JOIN icp_version v ON v.icp_id = i.id AND v.version = i.active_version"                 \
    " LEFT JOIN draft d ON d.icp_id = i.id"

/* The document is another one where none is wanted. */
#define LF_SQL_VERSION_COLUMNS(document)                                                              \
    "SELECT v.id, i.key, v.version, v.name, v.purpose, " document ", v.hash, v.note, v.published_by," \
    " v.published_at_ms FROM icp_version v JOIN icp i ON i.id = v.icp_id"

#define LF_SQL_AUDIT_COLUMNS \
    "SELECT id, at_ms, by, key_id, action, icp, subject, version, note, before, after, chain FROM audit"

#define LF_SQL_LIST_COLUMNS "SELECT key, revision, generation, entries, hash, updated_at_ms FROM list"

#define LF_SQL_LIST(X)                                                                                                \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                       \
    X(COMMIT, "COMMIT")                                                                                               \
    X(ROLLBACK, "ROLLBACK")                                                                                           \
    X(BEGIN_READ, "BEGIN DEFERRED")                                                                                   \
    X(PROBE, "UPDATE meta SET value = value + 1 WHERE name = 'probes'")                                               \
    /* recorded scores */                                                                                             \
    X(APPEND_BLOCK, "INSERT INTO score_block (first_id, last_id, count, position, body) VALUES (?1, ?2, ?3, ?4, ?5)") \
    X(LAST_BLOCK, "SELECT last_id, count, position,"                                                                  \
                  " (SELECT position FROM score_block ORDER BY id LIMIT 1)"                                           \
                  " FROM score_block ORDER BY id DESC LIMIT 1")                                                       \
    X(BLOCK_RANGE, "SELECT (SELECT min(id) FROM score_block), (SELECT max(id) FROM score_block)")                     \
    X(BLOCK_ID, "SELECT id, first_id FROM score_block WHERE id <= ?1 ORDER BY id DESC LIMIT 1")                       \
    X(BLOCK, "SELECT body FROM score_block WHERE id = ?1")                                                            \
    X(BLOCK_BEFORE, "SELECT id, body FROM score_block WHERE id < ?1 ORDER BY id DESC LIMIT 1")                        \
    X(BLOCK_AFTER, "SELECT id, first_id, last_id, count, position, body FROM score_block WHERE id > ?1"               \
                   " ORDER BY id LIMIT 1")                                                                            \
    /* ICPs */                                                                                                        \
    X(ICPS, LF_SQL_ICP_COLUMNS " ORDER BY i.key")                                                                     \
    X(ICP, LF_SQL_ICP_COLUMNS " WHERE i.key = ?1")                                                                    \
    X(ICP_TO_CHANGE, "SELECT i.id, i.archived, i.active_version, v.hash,"                                             \
                     " (SELECT max(n.version) FROM icp_version n WHERE n.icp_id = i.id),"                             \
                     " (SELECT ifnull(max(m.id), 0) + 1 FROM icp_version m)"                                          \
                     " FROM icp i LEFT JOIN icp_version v ON v.icp_id = i.id AND v.version = i.active_version"        \
                     " WHERE i.key = ?1")                                                                             \
    X(ADD_ICP, "INSERT INTO icp (key, created_at_ms, updated_at_ms) VALUES (?1, ?2, ?2)")                             \
    X(DELETE_ICP, "DELETE FROM icp WHERE id = ?1")                                                                    \
    X(ADD_VERSION, "INSERT INTO icp_version (id, icp_id, version, name, purpose, document, hash, note, published_by," \
                   " published_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                              \
    X(SET_ACTIVE, "UPDATE icp SET active_version = ?2, updated_at_ms = ?3 WHERE id = ?1")                             \
    X(SET_ARCHIVED, "UPDATE icp SET archived = ?2, updated_at_ms = ?3 WHERE id = ?1")                                 \
    X(TOUCH_ICP, "UPDATE icp SET updated_at_ms = ?2 WHERE id = ?1")                                                   \
    X(VERSION_HASH, "SELECT hash FROM icp_version WHERE icp_id = ?1 AND version = ?2")                                \
    X(VERSION, LF_SQL_VERSION_COLUMNS("v.document") " WHERE i.key = ?1 AND v.version = ?2")                           \
    X(VERSION_BY_ID, LF_SQL_VERSION_COLUMNS("v.document") " WHERE v.id = ?1")                                         \
    X(VERSION_AFTER, LF_SQL_VERSION_COLUMNS("v.document") " WHERE v.id > ?1 ORDER BY v.id LIMIT 1")                   \
    X(ACTIVE_VERSIONS,                                                                                                \
      LF_SQL_VERSION_COLUMNS("v.document") " AND i.active_version = v.version WHERE i.archived = 0 ORDER BY i.key")   \
    X(VERSIONS, LF_SQL_VERSION_COLUMNS("''") " WHERE i.key = ?1 ORDER BY v.version")                                  \
    /* drafts */                                                                                                      \
    X(DRAFT_TO_CHANGE, "SELECT revision, hash, updated_by, updated_at_ms FROM draft WHERE icp_id = ?1")               \
    X(DRAFT_TO_PUBLISH, "SELECT name, purpose, document FROM draft WHERE icp_id = ?1")                                \
    X(COUNT_DRAFT, "UPDATE meta SET value = value + 1 WHERE name = 'draft_revisions'")                                \
    X(DRAFT_REVISION, "SELECT value FROM meta WHERE name = 'draft_revisions'")                                        \
    X(ADD_DRAFT, "INSERT INTO draft (icp_id, revision, name, purpose, document, hash, updated_by, updated_at_ms)"     \
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                          \
    X(DELETE_DRAFT, "DELETE FROM draft WHERE icp_id = ?1")                                                            \
    X(DRAFT, "SELECT i.key, d.document, d.hash, d.revision, d.updated_by, d.updated_at_ms,"                           \
             " (SELECT ifnull(max(n.version), 0) + 1 FROM icp_version n WHERE n.icp_id = i.id),"                      \
             " (SELECT ifnull(max(m.id), 0) + 1 FROM icp_version m), i.active_version"                                \
             " FROM icp i LEFT JOIN draft d ON d.icp_id = i.id WHERE i.key = ?1")                                     \
    /* the audit */                                                                                                   \
    X(AUDIT_HEAD, "SELECT entries, chain FROM audit_head WHERE id = 1")                                               \
    X(MOVE_AUDIT_HEAD, "UPDATE audit_head SET entries = ?1, chain = ?2 WHERE id = 1")                                 \
    X(ADD_AUDIT,                                                                                                      \
      "INSERT INTO audit (id, at_ms, by, key_id, action, icp, subject, version, note, before, after, chain)"          \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO NOTHING")                      \
    X(AUDIT, LF_SQL_AUDIT_COLUMNS " WHERE id > ?1 ORDER BY id LIMIT ?2")                                              \
    X(AUDIT_OF_ICP, LF_SQL_AUDIT_COLUMNS " WHERE icp = ?3 AND id > ?1 ORDER BY id LIMIT ?2")                          \
    /* lists */                                                                                                       \
    X(LISTS, LF_SQL_LIST_COLUMNS " ORDER BY key")                                                                     \
    X(LIST, LF_SQL_LIST_COLUMNS " WHERE key = ?1")                                                                    \
    X(LIST_AFTER, LF_SQL_LIST_COLUMNS " WHERE key > ?1 ORDER BY key LIMIT 1")                                         \
    X(ADD_LIST, "INSERT INTO list (key, revision, generation, entries, hash, updated_at_ms)"                          \
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                                                   \
    X(CHANGE_LIST, "UPDATE list SET revision = ?2, generation = ?3, entries = ?4, hash = ?5, updated_at_ms = ?6"      \
                   " WHERE key = ?1")                                                                                 \
    X(PAST_LIST, "SELECT revision FROM list_past WHERE key = ?1")                                                     \
    X(KEEP_PAST_LIST, "INSERT INTO list_past (key, revision) VALUES (?1, ?2)"                                         \
                      " ON CONFLICT (key) DO UPDATE SET revision = excluded.revision")                                \
    X(DELETE_LIST, "DELETE FROM list WHERE key = ?1")                                                                 \
    X(NEXT_GENERATION, "UPDATE meta SET value = value + 1 WHERE name = 'list_generations'")                           \
    X(LAST_GENERATION, "SELECT value FROM meta WHERE name = 'list_generations'")                                      \
    X(GENERATION_IS_USED, "SELECT 1 FROM list WHERE generation = ?1")                                                 \
    X(GENERATION_AFTER, "SELECT generation FROM list_item WHERE generation > ?1 ORDER BY generation LIMIT 1")         \
    X(LIST_ITEMS, "SELECT entry, folded FROM list_item WHERE generation = ?1 ORDER BY folded")                        \
    X(LIST_ITEM, "SELECT entry FROM list_item WHERE generation = ?1 AND folded = ?2")                                 \
    X(LIST_ITEM_AT, "SELECT folded FROM list_item WHERE generation = ?1 ORDER BY folded LIMIT 1 OFFSET ?2")           \
    X(ADD_LIST_ITEM, "INSERT INTO list_item (generation, folded, entry) VALUES (?1, ?2, ?3)"                          \
                     " ON CONFLICT (generation, folded) DO NOTHING")                                                  \
    X(DELETE_LIST_ITEM, "DELETE FROM list_item WHERE generation = ?1 AND folded = ?2")                                \
    X(DELETE_LIST_ITEMS, "DELETE FROM list_item WHERE generation = ?1")                                               \
    X(DELETE_LIST_ITEMS_BEFORE, "DELETE FROM list_item WHERE generation = ?1 AND folded < ?2")                        \
    /* API keys */                                                                                                    \
    X(KEYS, "SELECT id, name, scopes, secret_hash, created_at_ms, expires_at_ms, revoked_at_ms, last_used_at_ms"      \
            " FROM api_key ORDER BY created_at_ms, id")                                                               \
    X(ADD_KEY, "INSERT INTO api_key (id, name, scopes, secret_hash, created_at_ms, expires_at_ms, revoked_at_ms)"     \
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING")                                    \
    X(KEY_EXISTS, "SELECT 1 FROM api_key WHERE id = ?1")                                                              \
    X(REVOKE_KEY, "UPDATE api_key SET revoked_at_ms = ?2 WHERE id = ?1 AND revoked_at_ms = 0")                        \
    X(TOUCH_KEY, "UPDATE api_key SET last_used_at_ms = ?2 WHERE id = ?1 AND last_used_at_ms < ?2")                    \
    /* outcomes */                                                                                                    \
    X(OUTCOME, "SELECT outcome, value, at_ms FROM outcome WHERE lead_id = ?1")                                        \
    X(ADD_OUTCOME, "INSERT INTO outcome (lead_id, outcome, value, at_ms) VALUES (?1, ?2, ?3, ?4)"                     \
                   " ON CONFLICT (lead_id) DO NOTHING")                                                               \
    X(CHANGE_OUTCOME, "UPDATE outcome SET outcome = ?2, value = ?3, at_ms = ?4 WHERE lead_id = ?1 AND at_ms <= ?4")

#endif
