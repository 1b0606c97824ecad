/*
 * editing_sources.c - sources: put and deleted while deliveries come in; see sources.h.
 *
 * A source is read and made whole before the commit, so that nothing is ever committed and then not there: after the
 * commit it is only put in place. Secrets that were read on the way are wiped.
 */
#include "app/source_parts.h"

#include "app/edit.h"

#include <string.h>

enum { DOCUMENT_MAX = 1 << 28 }; /* bytes; the server's limit for a body is far below */

/* ---- putting ---- */

struct put {
    struct lf_stored_source stored;
    struct lf_source_secrets secrets; /* that stored points to */
    const struct lf_change *change;
    bool created;
};

static enum lf_status
put_source(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct put *put = argument;

    return lf_store_put_source(store, &put->stored, put->change, &put->stored.id, &put->created, error);
}

/* One sentence over all faults; OUT_OF_MEMORY where they are not complete. */
static enum lf_status
sum_up(const struct lf_findings *findings, struct lf_error *error)
{
    size_t count = findings->count + findings->dropped;

    if (findings->out_of_memory)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a source; nothing was changed");
    return lf_fail(
        error, LF_INVALID_REQUEST, "the source has %zu fault%s, the first at %s: %s", count, count == 1 ? "" : "s",
        findings->items[0].pointer[0] != '\0' ? findings->items[0].pointer : "its root", findings->items[0].detail);
}

/* Reads the body into what is to be stored. present: the source of that key there is; NULL for none. */
static enum lf_status
read_put(struct lf_arena *arena, const char *key, const struct lf_json *body, const struct lf_source *present,
         struct lf_findings *findings, struct put *put, struct lf_error *error)
{
    struct lf_document document = {.arena = arena, .findings = findings};
    struct lf_source source = {.crm = LF_CRM_COUNT};
    struct lf_buf text;

    if (!lf_is_key(key, strlen(key)))
        lf_findings_add(findings, "", "invalid_key",
                        "the key of a source, in the path, has 1 to 64 of a-z, 0-9 and -, and does not begin with -");
    lf_source_read(&document, body, &source);
    if (source.crm != LF_CRM_COUNT)
        lf_source_read_secrets(&document, body, source.crm,
                               present != NULL && present->crm == source.crm ? present : NULL, &put->secrets);
    if (lf_findings_any(findings))
        return sum_up(findings, error);
    lf_buf_init(&text, arena, DOCUMENT_MAX);
    if (!lf_source_put_document(&text, arena, body))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a source; nothing was changed");
    put->stored.key = key;
    put->stored.document = text.data;
    put->stored.document_len = text.len;
    lf_source_secrets_show(&put->secrets, put->stored.secrets);
    put->stored.secret_count = put->secrets.count;
    put->stored.created_at_ms = present != NULL ? present->created_at_ms : put->change->at_ms;
    put->stored.updated_at_ms = put->change->at_ms;
    return LF_OK;
}

enum lf_status
lf_edit_put_source(struct lf_service *service, struct lf_arena *arena, const char *key, const struct lf_json *body,
                   const struct lf_change *change, struct lf_findings *findings, const struct lf_source **ret_source,
                   bool *ret_created, struct lf_error *error)
{
    struct lf_sources *sources = lf_service_sources(service);
    struct put put = {.change = change};
    const struct lf_source *present = NULL;
    struct lf_source *source = NULL;
    enum lf_status status = LF_OK;

    lf_service_lock_keys(service);
    present = lf_sources_hold(sources, key);
    status = read_put(arena, key, body, present, findings, &put, error);
    lf_sources_release(sources, present);
    if (status == LF_OK)
        status = lf_source_create(&put.stored, &source, error);
    if (status == LF_OK)
        status = lf_recorder_run(lf_service_recorder(service), put_source, &put, error);
    if (status == LF_OK) {
        source->id = put.stored.id;
        lf_sources_put_take(sources, source);
    }
    lf_service_unlock_keys(service);
    explicit_bzero(&put.secrets, sizeof put.secrets);
    if (status != LF_OK) {
        lf_source_destroy(source);
        return status;
    }
    *ret_source = source;
    *ret_created = put.created;
    lf_edit_log(change, "source.put", key, 0);
    return LF_OK;
}

/* ---- deleting ---- */

struct delete_source {
    const char *key;
    const struct lf_change *change;
};

static enum lf_status
delete_source(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct delete_source *deletion = argument;

    return lf_store_delete_source(store, deletion->key, deletion->change, error);
}

enum lf_status
lf_edit_delete_source(struct lf_service *service, const char *key, const struct lf_change *change,
                      struct lf_error *error)
{
    struct delete_source deletion = {key, change};
    enum lf_status status = LF_OK;

    lf_service_lock_keys(service);
    status = lf_recorder_run(lf_service_recorder(service), delete_source, &deletion, error);
    if (status == LF_OK)
        lf_sources_remove(lf_service_sources(service), key);
    lf_service_unlock_keys(service);
    if (status == LF_OK)
        lf_edit_log(change, "source.delete", key, 0);
    return status;
}
