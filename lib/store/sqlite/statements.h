/* statements.h - every statement that a connection keeps prepared. One list; X(name, SQL). */
#ifndef LF_STORE_SQLITE_STATEMENTS_H
#define LF_STORE_SQLITE_STATEMENTS_H

#define LF_SQL_ICP_COLUMNS                                                                          \
    "SELECT i.key, v.name, v.purpose, i.archived, i.active_version,"                                \
    " (SELECT count(*) FROM icp_version n WHERE n.icp_id = i.id), i.created_at_ms, i.updated_at_ms" \
    " FROM icp i JOIN icp_version v ON v.icp_id = i.id AND v.version = i.active_version"

#define LF_SQL_VERSION_COLUMNS                                                     \
    "SELECT v.id, i.key, v.version, v.document, v.hash, v.note, v.published_at_ms" \
    " FROM icp_version v JOIN icp i ON i.id = v.icp_id"

#define LF_SQL_LIST(X)                                                                                                 \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                        \
    X(COMMIT, "COMMIT")                                                                                                \
    X(ROLLBACK, "ROLLBACK")                                                                                            \
    X(BEGIN_READ, "BEGIN DEFERRED")                                                                                    \
    X(PROBE, "UPDATE meta SET value = value + 1 WHERE name = 'probes'")                                                \
    /* recorded scores */                                                                                              \
    X(APPEND_BLOCK, "INSERT INTO score_block (first_id, last_id, count, position, body) VALUES (?1, ?2, ?3, ?4, ?5)")  \
    X(LAST_BLOCK, "SELECT last_id, count, position,"                                                                   \
                  " (SELECT position FROM score_block ORDER BY id LIMIT 1)"                                            \
                  " FROM score_block ORDER BY id DESC LIMIT 1")                                                        \
    X(BLOCK_RANGE, "SELECT (SELECT min(id) FROM score_block), (SELECT max(id) FROM score_block)")                      \
    X(BLOCK_ID, "SELECT id, first_id FROM score_block WHERE id <= ?1 ORDER BY id DESC LIMIT 1")                        \
    X(BLOCK, "SELECT body FROM score_block WHERE id = ?1")                                                             \
    X(BLOCK_BEFORE, "SELECT id, body FROM score_block WHERE id < ?1 ORDER BY id DESC LIMIT 1")                         \
    X(BLOCK_AFTER, "SELECT id, first_id, last_id, count, position, body FROM score_block WHERE id > ?1"                \
                   " ORDER BY id LIMIT 1")                                                                             \
    /* ICPs */                                                                                                         \
    X(ICPS, LF_SQL_ICP_COLUMNS " ORDER BY i.key")                                                                      \
    X(ICP, LF_SQL_ICP_COLUMNS " WHERE i.key = ?1")                                                                     \
    X(ICP_TO_PUBLISH, "SELECT i.id, i.active_version, v.hash,"                                                         \
                      " (SELECT max(n.version) FROM icp_version n WHERE n.icp_id = i.id)"                              \
                      " FROM icp i LEFT JOIN icp_version v ON v.icp_id = i.id AND v.version = i.active_version"        \
                      " WHERE i.key = ?1")                                                                             \
    X(ADD_ICP, "INSERT INTO icp (key, created_at_ms, updated_at_ms) VALUES (?1, ?2, ?2)")                              \
    X(ADD_VERSION, "INSERT INTO icp_version (icp_id, version, name, purpose, document, hash, note, published_at_ms)"   \
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                         \
    X(SET_ACTIVE, "UPDATE icp SET active_version = ?2, updated_at_ms = ?3 WHERE id = ?1")                              \
    X(ICP_EXISTS, "SELECT 1 FROM icp WHERE key = ?1")                                                                  \
    X(SET_ARCHIVED, "UPDATE icp SET archived = ?2, updated_at_ms = ?3 WHERE key = ?1 AND archived <> ?2")              \
    X(VERSION, LF_SQL_VERSION_COLUMNS " WHERE i.key = ?1 AND v.version = ?2")                                          \
    X(VERSION_BY_ID, LF_SQL_VERSION_COLUMNS " WHERE v.id = ?1")                                                        \
    X(VERSION_AFTER, LF_SQL_VERSION_COLUMNS " WHERE v.id > ?1 ORDER BY v.id LIMIT 1")                                  \
    X(ACTIVE_VERSIONS, LF_SQL_VERSION_COLUMNS " AND i.active_version = v.version WHERE i.archived = 0 ORDER BY i.key") \
    /* lists */                                                                                                        \
    X(LISTS, "SELECT l.id, l.key, l.revision, (SELECT count(*) FROM list_entry e WHERE e.list_id = l.id)"              \
             " FROM list l ORDER BY l.key")                                                                            \
    X(LIST_ENTRIES, "SELECT entry FROM list_entry WHERE list_id = ?1 ORDER BY position")                               \
    X(LIST_ID, "SELECT id FROM list WHERE key = ?1")                                                                   \
    X(ADD_LIST, "INSERT INTO list (key, revision, updated_at_ms) VALUES (?1, 1, ?2)")                                  \
    X(REVISE_LIST, "UPDATE list SET revision = revision + 1, updated_at_ms = ?2 WHERE id = ?1")                        \
    X(CLEAR_LIST, "DELETE FROM list_entry WHERE list_id = ?1")                                                         \
    X(ADD_LIST_ENTRY, "INSERT INTO list_entry (list_id, position, entry) VALUES (?1, ?2, ?3)")                         \
    /* API keys */                                                                                                     \
    X(KEYS, "SELECT id, name, scopes, secret_hash, created_at_ms, expires_at_ms, revoked_at_ms FROM api_key"           \
            " ORDER BY created_at_ms, id")                                                                             \
    X(ADD_KEY, "INSERT INTO api_key (id, name, scopes, secret_hash, created_at_ms, expires_at_ms, revoked_at_ms)"      \
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING")                                     \
    X(KEY_EXISTS, "SELECT 1 FROM api_key WHERE id = ?1")                                                               \
    X(REVOKE_KEY, "UPDATE api_key SET revoked_at_ms = ?2 WHERE id = ?1 AND revoked_at_ms = 0")

#endif
