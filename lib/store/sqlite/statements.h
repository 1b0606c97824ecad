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
    " v.published_at_ms, v.icp_id FROM icp_version v JOIN icp i ON i.id = v.icp_id"

#define LF_SQL_AUDIT_COLUMNS \
    "SELECT id, at_ms, by, key_id, action, icp, subject, version, note, before, after, chain FROM audit"

/* Without the lead itself. */
#define LF_SQL_LEAD_SCORE_COLUMNS(result)                                                                      \
    "SELECT s.icp_id, s.version_id, i.key, v.version, s.score_id, s.latest, s.qualified, s.score, s.coverage," \
    " s.engagement, s.grade, s.label, " result

/* Leads by their latest score under one ICP (?1), those that stand behind a place (?6, by score also ?8), at most ?7.
 * A filter is null or -1 where anything goes. The join goes from the index to what it names, in the order written. */
#define LF_SQL_LEADS(behind, order)                                                                       \
    LF_SQL_LEAD_SCORE_COLUMNS("'', l.lead_id")                                                            \
    " FROM lead_score s CROSS JOIN lead l CROSS JOIN icp i CROSS JOIN icp_version v"                      \
    " WHERE s.latest = 1 AND s.icp_id = ?1 AND " behind " AND s.score >= ?5"                              \
    " AND (?2 IS NULL OR s.grade = ?2) AND (?3 IS NULL OR s.label = ?3) AND (?4 < 0 OR s.qualified = ?4)" \
    " AND l.id = s.lead AND l.lead_id IS NOT NULL AND i.id = s.icp_id AND v.id = s.version_id"            \
    " ORDER BY " order " LIMIT ?7"

#define LF_SQL_LIST_COLUMNS "SELECT key, revision, generation, entries, hash, updated_at_ms FROM list"

#define LF_SQL_DELIVERY_COLUMNS                                                              \
    "SELECT id, subscription_id, type, at_ms, score_id, lane, state, due_ms, attempts, data" \
    " FROM delivery"

/* What waits for a subscription (?1). */
#define LF_SQL_PENDING " FROM delivery INDEXED BY delivery_pending WHERE subscription_id = ?1 AND state = 0"
#define LF_SQL_RETRYING " FROM delivery INDEXED BY delivery_due WHERE subscription_id = ?1 AND state = 1"

#define LF_SQL_LIST(X)                                                                                                 \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                        \
    X(COMMIT, "COMMIT")                                                                                                \
    X(ROLLBACK, "ROLLBACK")                                                                                            \
    X(BEGIN_READ, "BEGIN DEFERRED")                                                                                    \
    X(PROBE, "UPDATE meta SET value = value + 1 WHERE name = 'probes'")                                                \
    /* recorded scores */                                                                                              \
    X(APPEND_BLOCK, "INSERT INTO score_block (id, first_id, last_id, count, position, body)"                           \
                    " VALUES (?6, ?1, ?2, ?3, ?4, ?5)")                                                                \
    X(LAST_BLOCK, "SELECT last_id, count, position,"                                                                   \
                  " (SELECT position FROM score_block ORDER BY id LIMIT 1), id"                                        \
                  " FROM score_block ORDER BY id DESC LIMIT 1")                                                        \
    X(BLOCK_RANGE, "SELECT (SELECT min(id) FROM score_block), (SELECT max(id) FROM score_block)")                      \
    X(BLOCK_ID, "SELECT id, first_id FROM score_block WHERE id <= ?1 ORDER BY id DESC LIMIT 1")                        \
    X(BLOCK, "SELECT body FROM score_block WHERE id = ?1")                                                             \
    X(BLOCK_BEFORE, "SELECT id, body FROM score_block WHERE id < ?1 ORDER BY id DESC LIMIT 1")                         \
    X(BLOCK_AFTER, "SELECT id, first_id, last_id, count, position, body FROM score_block WHERE id > ?1"                \
                   " ORDER BY id LIMIT 1")                                                                             \
    X(BLOCK_END, "SELECT last_id FROM score_block WHERE id = ?1")                                                      \
    X(REWRITE_BLOCK, "UPDATE score_block SET body = ?2 WHERE id = ?1")                                                 \
    X(DELETE_BLOCK, "DELETE FROM score_block WHERE id = ?1")                                                           \
    /* ICPs */                                                                                                         \
    X(ICPS, LF_SQL_ICP_COLUMNS " ORDER BY i.key")                                                                      \
    X(ICP, LF_SQL_ICP_COLUMNS " WHERE i.key = ?1")                                                                     \
    X(ICP_TO_CHANGE, "SELECT i.id, i.archived, i.active_version, v.hash,"                                              \
                     " (SELECT max(n.version) FROM icp_version n WHERE n.icp_id = i.id),"                              \
                     " (SELECT ifnull(max(m.id), 0) + 1 FROM icp_version m)"                                           \
                     " FROM icp i LEFT JOIN icp_version v ON v.icp_id = i.id AND v.version = i.active_version"         \
                     " WHERE i.key = ?1")                                                                              \
    X(ADD_ICP, "INSERT INTO icp (key, created_at_ms, updated_at_ms) VALUES (?1, ?2, ?2)")                              \
    X(DELETE_ICP, "DELETE FROM icp WHERE id = ?1")                                                                     \
    X(ADD_VERSION, "INSERT INTO icp_version (id, icp_id, version, name, purpose, document, hash, note, published_by,"  \
                   " published_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                               \
    X(SET_ACTIVE, "UPDATE icp SET active_version = ?2, updated_at_ms = ?3 WHERE id = ?1")                              \
    X(SET_ARCHIVED, "UPDATE icp SET archived = ?2, updated_at_ms = ?3 WHERE id = ?1")                                  \
    X(TOUCH_ICP, "UPDATE icp SET updated_at_ms = ?2 WHERE id = ?1")                                                    \
    X(VERSION_HASH, "SELECT hash FROM icp_version WHERE icp_id = ?1 AND version = ?2")                                 \
    X(VERSION, LF_SQL_VERSION_COLUMNS("v.document") " WHERE i.key = ?1 AND v.version = ?2")                            \
    X(VERSION_BY_ID, LF_SQL_VERSION_COLUMNS("v.document") " WHERE v.id = ?1")                                          \
    X(VERSION_AFTER, LF_SQL_VERSION_COLUMNS("v.document") " WHERE v.id > ?1 ORDER BY v.id LIMIT 1")                    \
    X(ACTIVE_VERSIONS,                                                                                                 \
      LF_SQL_VERSION_COLUMNS("v.document") " AND i.active_version = v.version WHERE i.archived = 0 ORDER BY i.key")    \
    X(VERSIONS, LF_SQL_VERSION_COLUMNS("''") " WHERE i.key = ?1 ORDER BY v.version")                                   \
    /* drafts */                                                                                                       \
    X(DRAFT_TO_CHANGE, "SELECT revision, hash, updated_by, updated_at_ms FROM draft WHERE icp_id = ?1")                \
    X(DRAFT_TO_PUBLISH, "SELECT name, purpose, document FROM draft WHERE icp_id = ?1")                                 \
    X(COUNT_DRAFT, "UPDATE meta SET value = value + 1 WHERE name = 'draft_revisions'")                                 \
    X(DRAFT_REVISION, "SELECT value FROM meta WHERE name = 'draft_revisions'")                                         \
    X(ADD_DRAFT, "INSERT INTO draft (icp_id, revision, name, purpose, document, hash, updated_by, updated_at_ms)"      \
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                           \
    X(DELETE_DRAFT, "DELETE FROM draft WHERE icp_id = ?1")                                                             \
    X(DRAFT, "SELECT i.key, d.document, d.hash, d.revision, d.updated_by, d.updated_at_ms,"                            \
             " (SELECT ifnull(max(n.version), 0) + 1 FROM icp_version n WHERE n.icp_id = i.id),"                       \
             " (SELECT ifnull(max(m.id), 0) + 1 FROM icp_version m), i.active_version"                                 \
             " FROM icp i LEFT JOIN draft d ON d.icp_id = i.id WHERE i.key = ?1")                                      \
    /* the audit */                                                                                                    \
    X(AUDIT_HEAD, "SELECT entries, chain FROM audit_head WHERE id = 1")                                                \
    X(MOVE_AUDIT_HEAD, "UPDATE audit_head SET entries = ?1, chain = ?2 WHERE id = 1")                                  \
    X(ADD_AUDIT,                                                                                                       \
      "INSERT INTO audit (id, at_ms, by, key_id, action, icp, subject, version, note, before, after, chain)"           \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO NOTHING")                       \
    X(AUDIT, LF_SQL_AUDIT_COLUMNS " WHERE id > ?1 ORDER BY id LIMIT ?2")                                               \
    X(AUDIT_OF_ICP, LF_SQL_AUDIT_COLUMNS " WHERE icp = ?3 AND id > ?1 ORDER BY id LIMIT ?2")                           \
    /* lists */                                                                                                        \
    X(LISTS, LF_SQL_LIST_COLUMNS " ORDER BY key")                                                                      \
    X(LIST, LF_SQL_LIST_COLUMNS " WHERE key = ?1")                                                                     \
    X(LIST_AFTER, LF_SQL_LIST_COLUMNS " WHERE key > ?1 ORDER BY key LIMIT 1")                                          \
    X(ADD_LIST, "INSERT INTO list (key, revision, generation, entries, hash, updated_at_ms)"                           \
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                                                    \
    X(CHANGE_LIST, "UPDATE list SET revision = ?2, generation = ?3, entries = ?4, hash = ?5, updated_at_ms = ?6"       \
                   " WHERE key = ?1")                                                                                  \
    X(PAST_LIST, "SELECT revision FROM list_past WHERE key = ?1")                                                      \
    X(KEEP_PAST_LIST, "INSERT INTO list_past (key, revision) VALUES (?1, ?2)"                                          \
                      " ON CONFLICT (key) DO UPDATE SET revision = excluded.revision")                                 \
    X(DELETE_LIST, "DELETE FROM list WHERE key = ?1")                                                                  \
    X(NEXT_GENERATION, "UPDATE meta SET value = value + 1 WHERE name = 'list_generations'")                            \
    X(LAST_GENERATION, "SELECT value FROM meta WHERE name = 'list_generations'")                                       \
    X(GENERATION_IS_USED, "SELECT 1 FROM list WHERE generation = ?1")                                                  \
    X(GENERATION_AFTER, "SELECT generation FROM list_item WHERE generation > ?1 ORDER BY generation LIMIT 1")          \
    X(LIST_ITEMS, "SELECT entry, folded FROM list_item WHERE generation = ?1 ORDER BY folded")                         \
    X(LIST_ITEM, "SELECT entry FROM list_item WHERE generation = ?1 AND folded = ?2")                                  \
    X(LIST_ITEM_AT, "SELECT folded FROM list_item WHERE generation = ?1 ORDER BY folded LIMIT 1 OFFSET ?2")            \
    X(ADD_LIST_ITEM, "INSERT INTO list_item (generation, folded, entry) VALUES (?1, ?2, ?3)"                           \
                     " ON CONFLICT (generation, folded) DO NOTHING")                                                   \
    X(DELETE_LIST_ITEM, "DELETE FROM list_item WHERE generation = ?1 AND folded = ?2")                                 \
    X(DELETE_LIST_ITEMS, "DELETE FROM list_item WHERE generation = ?1")                                                \
    X(DELETE_LIST_ITEMS_BEFORE, "DELETE FROM list_item WHERE generation = ?1 AND folded < ?2")                         \
    /* API keys */                                                                                                     \
    X(KEYS, "SELECT id, name, scopes, secret_hash, created_at_ms, expires_at_ms, revoked_at_ms, last_used_at_ms"       \
            " FROM api_key ORDER BY created_at_ms, id")                                                                \
    X(ADD_KEY, "INSERT INTO api_key (id, name, scopes, secret_hash, created_at_ms, expires_at_ms, revoked_at_ms)"      \
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING")                                     \
    X(KEY_EXISTS, "SELECT 1 FROM api_key WHERE id = ?1")                                                               \
    X(REVOKE_KEY, "UPDATE api_key SET revoked_at_ms = ?2 WHERE id = ?1 AND revoked_at_ms = 0")                         \
    X(TOUCH_KEY, "UPDATE api_key SET last_used_at_ms = ?2 WHERE id = ?1 AND last_used_at_ms < ?2")                     \
    /* sources */                                                                                                      \
    X(SOURCES, "SELECT s.id, s.key, s.document, s.created_at_ms, s.updated_at_ms,"                                     \
               " (SELECT a.value FROM source_secret a WHERE a.source_id = s.id AND a.position = 0),"                   \
               " (SELECT b.value FROM source_secret b WHERE b.source_id = s.id AND b.position = 1)"                    \
               " FROM source s ORDER BY s.key")                                                                        \
    X(SOURCE_TO_CHANGE, "SELECT id, document FROM source WHERE key = ?1")                                              \
    X(SOURCE_EXISTS, "SELECT 1 FROM source WHERE id = ?1")                                                             \
    X(COUNT_SOURCES, "SELECT count(*) FROM source")                                                                    \
    X(ADD_SOURCE, "INSERT INTO source (key, document, created_at_ms, updated_at_ms) VALUES (?1, ?2, ?3, ?3)")          \
    X(CHANGE_SOURCE, "UPDATE source SET document = ?2, updated_at_ms = ?3 WHERE id = ?1")                              \
    X(DELETE_SOURCE, "DELETE FROM source WHERE id = ?1")                                                               \
    X(ADD_SOURCE_SECRET, "INSERT INTO source_secret (source_id, position, value) VALUES (?1, ?2, ?3)")                 \
    X(DELETE_SOURCE_SECRETS, "DELETE FROM source_secret WHERE source_id = ?1")                                         \
    X(REFUSALS, "SELECT at_ms, request_id, status, code, pointer, detail, bytes FROM refusal WHERE source_id = ?1"     \
                " ORDER BY position")                                                                                  \
    X(ADD_REFUSAL,                                                                                                     \
      "INSERT INTO refusal (source_id, position, at_ms, request_id, status, code, pointer, detail, bytes)"             \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                                                  \
    X(DELETE_REFUSALS, "DELETE FROM refusal WHERE source_id = ?1")                                                     \
    /* what scores add up to */                                                                                        \
    X(CHANGE_ROLLUP, "UPDATE rollup SET body = ?5 WHERE version_id = ?1 AND kind = ?2 AND span = ?3"                   \
                     " AND start_hour = ?4")                                                                           \
    X(ADD_ROLLUP, "INSERT INTO rollup (version_id, kind, span, start_hour, body) VALUES (?1, ?2, ?3, ?4, ?5)")         \
    X(ROLLUPS, "SELECT start_hour, body FROM rollup WHERE version_id = ?1 AND kind = ?2 AND span = ?3"                 \
               " AND start_hour >= ?4 AND start_hour < ?5 ORDER BY start_hour")                                        \
    X(RAISE_META, "UPDATE meta SET value = ?2 WHERE name = ?1 AND value < ?2")                                         \
    X(META, "SELECT value FROM meta WHERE name = ?1")                                                                  \
    X(SECRET, "SELECT value FROM secret WHERE name = ?1")                                                              \
    /* answers that are given again */                                                                                 \
    X(ANSWER, "SELECT request, at_ms, http_status, first_score, last_score, sealed FROM answer WHERE name = ?1")       \
    X(DELETE_ANSWER, "DELETE FROM answer WHERE name = ?1")                                                             \
    X(ADD_ANSWER, "INSERT INTO answer (name, request, at_ms, http_status, first_score, last_score, sealed)"            \
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                              \
    X(ERASE_ANSWER, "UPDATE answer SET sealed = NULL, request = zeroblob(32) WHERE id = (SELECT id FROM answer WHERE " \
                    "first_score <= ?1"                                                                                \
                    " ORDER BY first_score DESC LIMIT 1) AND last_score >= ?1 AND sealed IS NOT NULL")                 \
    X(DROP_ANSWERS, "DELETE FROM answer WHERE first_score <= ?1")                                                      \
    X(ERASE_OLD_DELIVERIES, "UPDATE delivery SET state = 4, due_ms = 0, lane = 0, data = ''"                           \
                            " WHERE score_id <= ?1 AND state <> 4")                                                    \
    X(DROP_OLD_ANSWERS, "DELETE FROM answer WHERE id IN (SELECT id FROM answer WHERE at_ms < ?1"                       \
                        " ORDER BY at_ms, id LIMIT ?2)")                                                               \
    /* how far scores have moved */                                                                                    \
    X(DRIFT, "SELECT level FROM drift WHERE version_id = ?1")                                                          \
    X(ADD_DRIFT, "INSERT INTO drift (version_id, level, at_ms) VALUES (?1, ?2, ?3)")                                   \
    X(CHANGE_DRIFT, "UPDATE drift SET level = ?2, at_ms = ?3 WHERE version_id = ?1")                                   \
    /* subscriptions and the outbox */                                                                                 \
    X(SUBSCRIPTIONS, "SELECT id, key, url, secret, events, icp, grades, state, reason, failing_since_ms,"              \
                     " delivered_at_ms, created_at_ms, updated_at_ms FROM subscription ORDER BY key")                  \
    X(SUBSCRIPTION_TO_PUT, "SELECT (SELECT id FROM subscription WHERE key = ?1), (SELECT count(*) FROM subscription)") \
    X(SUBSCRIPTION_THERE, "SELECT 1 FROM subscription WHERE id = ?1")                                                  \
    X(SUBSCRIPTION_KEY, "SELECT key FROM subscription WHERE id = ?1")                                                  \
    X(ADD_SUBSCRIPTION, "INSERT INTO subscription (key, url, secret, events, icp, grades, state, reason,"              \
                        " failing_since_ms, delivered_at_ms, created_at_ms, updated_at_ms)"                            \
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, '', 0, 0, ?7, ?7)")                                       \
    X(CHANGE_SUBSCRIPTION, "UPDATE subscription SET url = ?2, secret = ?3, events = ?4, icp = ?5, grades = ?6,"        \
                           " state = 0, reason = '', failing_since_ms = 0, updated_at_ms = ?7 WHERE key = ?1")         \
    X(DELETE_SUBSCRIPTION, "DELETE FROM subscription WHERE key = ?1")                                                  \
    X(STOP_SUBSCRIPTION, "UPDATE subscription SET state = ?2, reason = ?3 WHERE id = ?1")                              \
    X(NOTE_SUCCESS, "UPDATE subscription SET failing_since_ms = 0, delivered_at_ms = max(delivered_at_ms, ?2)"         \
                    " WHERE id = ?1")                                                                                  \
    X(NOTE_FAILURE, "UPDATE subscription SET failing_since_ms = ?2 WHERE id = ?1 AND failing_since_ms = 0")            \
    X(ADD_DELIVERY,                                                                                                    \
      "INSERT INTO delivery (subscription_id, type, at_ms, score_id, lane, state, due_ms, attempts, data)"             \
      " VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '[]', ?6)")                                                                  \
    X(ERASE_DELIVERIES, "UPDATE delivery SET state = 4, due_ms = 0, lane = 0, data = '' WHERE score_id = ?1")          \
    X(DELIVERIES_NEWEST, LF_SQL_DELIVERY_COLUMNS " WHERE subscription_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3")  \
    /* What waits and what has ended have indexes of their own; SQLite does not always see by itself which is best. */ \
    X(DELIVERIES_PENDING,                                                                                              \
      LF_SQL_DELIVERY_COLUMNS " INDEXED BY delivery_pending"                                                           \
                              " WHERE subscription_id = ?1 AND state = 0 AND id > ?2 ORDER BY id LIMIT ?3")            \
    X(DELIVERIES_DUE, LF_SQL_DELIVERY_COLUMNS                                                                          \
      " INDEXED BY delivery_due"                                                                                       \
      " WHERE subscription_id = ?1 AND state = 1 AND due_ms <= ?2 ORDER BY due_ms, id LIMIT ?3")                       \
    X(DELIVERY, LF_SQL_DELIVERY_COLUMNS " WHERE id = ?2 AND subscription_id = ?1")                                     \
    X(OUTBOX, "SELECT (SELECT count(*)" LF_SQL_PENDING ") + (SELECT count(*)" LF_SQL_RETRYING "),"                     \
              " (SELECT min(at_ms) FROM delivery"                                                                      \
              " WHERE id IN ((SELECT min(id)" LF_SQL_PENDING "), (SELECT min(id)" LF_SQL_RETRYING ")))")               \
    X(DELIVERY_TO_NOTE, "SELECT state, attempts FROM delivery WHERE id = ?2 AND subscription_id = ?1")                 \
    X(NOTE_ATTEMPT, "UPDATE delivery SET state = ?2, due_ms = ?3, attempts = ?4 WHERE id = ?1")                        \
    X(RETRY_DELIVERY, "UPDATE delivery SET state = 1, due_ms = ?2 WHERE id = ?1")                                      \
    X(DELIVERIES_OF_NEXT, "SELECT subscription_id FROM delivery WHERE subscription_id > ?1 ORDER BY subscription_id"   \
                          " LIMIT 1")                                                                                  \
    X(DELIVERY_BEHIND, "SELECT id FROM delivery WHERE subscription_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2")        \
    X(DROP_DELIVERIES, "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE subscription_id = ?1"          \
                       " ORDER BY id LIMIT ?2)")                                                                       \
    X(PRUNE_DELIVERIES,                                                                                                \
      "DELETE FROM delivery WHERE id IN (SELECT id FROM (SELECT id, at_ms FROM delivery INDEXED BY delivery_ended"     \
      " WHERE subscription_id = ?1 AND state >= 2 ORDER BY id LIMIT ?2) WHERE id <= ?3 OR at_ms < ?4)")                \
    /* leads */                                                                                                        \
    X(LEAD_ROW, "SELECT id FROM lead WHERE lead_id = ?1")                                                              \
    X(LEAD, "SELECT id, outcome, value, outcome_at_ms FROM lead WHERE lead_id = ?1")                                   \
    X(ADD_LEAD, "INSERT INTO lead (lead_id) VALUES (?1)")                                                              \
    X(CHANGE_OUTCOME, "UPDATE lead SET outcome = ?2, value = ?3, outcome_at_ms = ?4 WHERE lead_id = ?1"                \
                      " AND (outcome = '' OR outcome_at_ms <= ?4)")                                                    \
    X(ADD_OUTCOME, "INSERT INTO lead (lead_id, outcome, value, outcome_at_ms) VALUES (?1, ?2, ?3, ?4)"                 \
                   " ON CONFLICT (lead_id) DO NOTHING")                                                                \
    X(LEAD_SCORES,                                                                                                     \
      LF_SQL_LEAD_SCORE_COLUMNS(                                                                                       \
          "s.result") " FROM lead_score s JOIN icp i ON i.id = s.icp_id JOIN icp_version v ON v.id = s.version_id"     \
                      " WHERE s.lead = ?1 ORDER BY i.key, v.version")                                                  \
    X(KNOWS_LEAD, "SELECT 1 FROM lead_score WHERE lead = (SELECT id FROM lead WHERE lead_id = ?1) AND icp_id = ?2"     \
                  " LIMIT 1")                                                                                          \
    X(LAST_GRADE, "SELECT grade FROM lead_score WHERE lead = (SELECT id FROM lead WHERE lead_id = ?1) AND icp_id = ?2" \
                  " AND latest = 1")                                                                                   \
    X(CHANGE_LEAD_SCORE,                                                                                               \
      "UPDATE lead_score SET score_id = ?4, latest = ?5, qualified = ?6, score = ?7, coverage = ?8,"                   \
      " engagement = ?9, grade = ?10, label = ?11, result = ?12 WHERE lead = ?1 AND icp_id = ?2 AND version_id = ?3")  \
    X(ADD_LEAD_SCORE,                                                                                                  \
      "INSERT INTO lead_score (lead, icp_id, version_id, score_id, latest, qualified, score, coverage,"                \
      " engagement, grade, label, result) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")                 \
    X(LEAD_BLOCKS_AT, "SELECT c.first_block, c.last_block, c.body, p.next FROM (SELECT"                                \
                      " (SELECT max(first_block) FROM lead_blocks WHERE lead = ?1 AND first_block <= ?2) AS at,"       \
                      " (SELECT min(first_block) FROM lead_blocks WHERE lead = ?1 AND first_block > ?2) AS next) p"    \
                      " LEFT JOIN lead_blocks c ON c.lead = ?1 AND c.first_block = p.at")                              \
    X(CHANGE_LEAD_BLOCKS, "UPDATE lead_blocks SET last_block = ?3, body = ?4 WHERE lead = ?1 AND first_block = ?2")    \
    X(ADD_LEAD_BLOCKS, "INSERT INTO lead_blocks (lead, first_block, last_block, body) VALUES (?1, ?2, ?3, ?4)")        \
    X(DELETE_LEAD_BLOCKS, "DELETE FROM lead_blocks WHERE lead = ?1 AND first_block = ?2")                              \
    X(LEAD_AFTER, "SELECT id, outcome, value, outcome_at_ms, lead_id FROM lead WHERE id > ?1 ORDER BY id LIMIT 1")     \
    X(LEAD_BLOCKS_FIRST, "SELECT first_block, last_block, body FROM lead_blocks WHERE lead = ?1"                       \
                         " ORDER BY first_block LIMIT 1")                                                              \
    X(LEAD_BLOCKS_BEFORE, "SELECT first_block, last_block, body FROM lead_blocks WHERE lead = ?1 AND first_block < ?2" \
                          " ORDER BY first_block DESC LIMIT 1")                                                        \
    X(DROP_LEAD_BLOCKS, "DELETE FROM lead_blocks WHERE lead = ?1 AND last_block <= ?2")                                \
    X(HAS_LEAD_BLOCKS, "SELECT 1 FROM lead_blocks WHERE lead = ?1 LIMIT 1")                                            \
    X(HAS_LEAD_SCORES, "SELECT 1 FROM lead_score WHERE lead = ?1 LIMIT 1")                                             \
    X(UNNAME_LEAD, "UPDATE lead SET lead_id = NULL WHERE id = ?1")                                                     \
    X(DELETE_LEAD, "DELETE FROM lead WHERE id = ?1")                                                                   \
    X(DROP_LEAD_SCORES, "DELETE FROM lead_score WHERE lead = ?1 AND score_id <= ?2")                                   \
    X(FIND_LATEST, "UPDATE lead_score SET latest = 1 WHERE lead = ?1 AND NOT EXISTS"                                   \
                   " (SELECT 1 FROM lead_score o WHERE o.lead = lead_score.lead AND o.icp_id = lead_score.icp_id AND"  \
                   " (o.latest = 1 OR (o.score_id, o.version_id) > (lead_score.score_id, lead_score.version_id)))")    \
    X(DROP_NAMELESS_SCORES, "DELETE FROM lead_score WHERE score_id <= ?1"                                              \
                            " AND lead IN (SELECT id FROM lead WHERE lead_id IS NULL)")                                \
    X(DROP_NAMELESS_LEADS, "DELETE FROM lead WHERE lead_id IS NULL"                                                    \
                           " AND NOT EXISTS (SELECT 1 FROM lead_score s WHERE s.lead = lead.id)")                      \
    X(DROP_OLD_OUTCOMES,                                                                                               \
      "DELETE FROM lead WHERE id IN (SELECT l.id FROM lead l WHERE l.outcome <> '' AND l.outcome_at_ms < ?1"           \
      " AND NOT EXISTS (SELECT 1 FROM lead_score s WHERE s.lead = l.id)"                                               \
      " AND NOT EXISTS (SELECT 1 FROM lead_blocks b WHERE b.lead = l.id) LIMIT ?2)")                                   \
    X(ICP_IDS, "SELECT id, key FROM icp ORDER BY key")                                                                 \
    X(ICP_ID, "SELECT id, key FROM icp WHERE key = ?1")                                                                \
    X(LEADS_BY_SCORE, LF_SQL_LEADS("(s.score, s.score_id) < (?8, ?6)", "s.score DESC, s.score_id DESC"))               \
    X(LEADS_BY_TIME, LF_SQL_LEADS("s.score_id < ?6", "s.score_id DESC"))

#endif
