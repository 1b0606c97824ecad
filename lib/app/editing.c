/*
 * editing.c - drafts, and what is in service: publishing, activating, archiving; see editing.h. Lists are
 * editing_lists.c's, API keys editing_keys.c's.
 *
 * What the store refuses it says in its own words, and before it changes anything: such a change is not looked at any
 * closer here, but goes on to the store as it is.
 */
#include "app/editing.h"

#include "app/advice.h"
#include "app/edit.h"
#include "app/events.h"
#include "app/versions.h"
#include "base/buf.h"
#include "base/time.h"
#include "core/document.h"

#include <string.h>

/* ---- drafts ---- */

/* Parses what is put, with every finding. */
static enum lf_status
read_definition(struct lf_arena *arena, const char *icp, const char *document, size_t len, struct lf_findings *findings,
                const struct lf_icp **ret_icp, struct lf_error *error)
{
    const struct lf_json *node = NULL;
    const char *key = NULL;
    size_t key_len = 0;
    enum lf_status status = lf_json_parse(arena, document, len, &LF_JSON_DOCUMENT_LIMITS, &node, error);

    if (status != LF_OK)
        return status;
    status = lf_icp_parse(arena, node, findings, ret_icp, error);
    if (status != LF_OK && status != LF_INVALID_DEFINITION)
        return status;
    key = lf_json_text(lf_json_member(node, "key"), &key_len);
    if (key == NULL || !lf_is_key(key, key_len) || strcmp(key, icp) == 0)
        return status;
    lf_findings_add(findings, "/key", "invalid_value", "this is the draft of the ICP \"%s\", so its key is \"%s\"", icp,
                    icp);
    return lf_fail(error, LF_INVALID_DEFINITION, "the definition is that of another ICP: its key is \"%s\"", key);
}

struct put_draft {
    const struct lf_new_draft *draft;
    const struct lf_precondition *precondition;
    const struct lf_change *change;
    char etag[LF_ETAG_MAX];
    bool created;
};

static enum lf_status
put_draft(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct put_draft *put = argument;

    return lf_store_put_draft(store, put->draft, put->precondition, put->change, put->etag, &put->created, error);
}

/* What the draft will be besides: all that could fail is read before the commit. */
static enum lf_status
foretell_draft(struct lf_edit *edit, struct lf_arena *arena, const struct lf_new_draft *draft,
               struct lf_stored_draft *ret_draft, struct lf_error *error)
{
    struct lf_stored_icp icp = {.versions = 0};
    enum lf_status status = lf_store_icp(edit->reader, arena, draft->icp, &icp, error);

    if (status != LF_OK && status != LF_ICP_NOT_FOUND)
        return status;
    *ret_draft = (struct lf_stored_draft){
        .icp = draft->icp,
        .document = draft->document,
        .document_len = draft->document_len,
        .updated_by = edit->change.by,
        .updated_at_ms = edit->change.at_ms,
        .next_version = icp.versions + 1,
        .active_version = icp.active_version,
    };
    memcpy(ret_draft->hash, draft->hash, sizeof ret_draft->hash);
    return LF_OK;
}

enum lf_status
lf_edit_put_draft(struct lf_service *service, struct lf_arena *arena, const char *icp, const char *document, size_t len,
                  const struct lf_precondition *precondition, const struct lf_change *change,
                  struct lf_findings *findings, struct lf_stored_draft *ret_draft, bool *ret_created,
                  struct lf_error *error)
{
    const struct lf_icp *definition = NULL;
    struct lf_new_draft draft = {.icp = icp, .document = document, .document_len = len};
    struct put_draft put = {.draft = &draft, .precondition = precondition};
    struct lf_stored_draft foretold;
    struct lf_edit edit;
    enum lf_status status = read_definition(arena, icp, document, len, findings, &definition, error);

    if (status != LF_OK)
        return status;
    draft.name = definition->name;
    draft.purpose = lf_purpose_word(definition->purpose);
    memcpy(draft.hash, definition->hash, sizeof draft.hash);
    status = lf_edit_begin(service, change, &edit, error);
    if (status != LF_OK)
        return status;
    put.change = &edit.change;
    status = foretell_draft(&edit, arena, &draft, &foretold, error);
    if (status == LF_OK)
        status = lf_edit_commit(&edit, put_draft, &put, error);
    lf_edit_end(&edit);
    if (status != LF_OK)
        return status;
    memcpy(foretold.etag, put.etag, sizeof foretold.etag);
    *ret_draft = foretold;
    *ret_created = put.created;
    lf_edit_log(change, "draft.put", icp, 0);
    return LF_OK;
}

struct delete_draft {
    const char *icp;
    const struct lf_precondition *precondition;
    const struct lf_change *change;
};

static enum lf_status
delete_draft(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct delete_draft *delete = argument;

    return lf_store_delete_draft(store, delete->icp, delete->precondition, delete->change, error);
}

enum lf_status
lf_edit_delete_draft(struct lf_service *service, const char *icp, const struct lf_precondition *precondition,
                     const struct lf_change *change, struct lf_error *error)
{
    const struct lf_live_change gone = {.icp = icp};
    struct lf_stored_icp stored;
    struct lf_edit edit;
    struct delete_draft delete = {icp, precondition, &edit.change};
    enum lf_status status = lf_edit_begin(service, change, &edit, error);

    if (status != LF_OK)
        return status;
    status = lf_store_icp(edit.reader, edit.scratch, icp, &stored, error);
    /* With its only draft an ICP goes; where it was archived, the live set knows it so. */
    if (status == LF_OK && stored.state == LF_ICP_STATE_ARCHIVED && stored.versions == 0)
        status = lf_edit_prepare(&edit, &gone, error);
    if (status == LF_OK)
        status = lf_edit_commit(&edit, delete_draft, &delete, error);
    if (status == LF_OK)
        lf_edit_put_live(&edit);
    lf_edit_end(&edit);
    if (status == LF_OK)
        lf_edit_log(change, "draft.delete", icp, 0);
    return status;
}

/* ---- publishing ---- */

struct publishing {
    struct lf_edit edit;
    int max_grade_change; /* hundredths of a percent; -1: no matter */
    const struct lf_precondition *precondition;
    struct lf_findings *findings;
    struct lf_stored_draft draft;
    struct lf_stored_version version; /* what the draft will be */
};

/* Who is to be told of it is looked up on this thread, where subscriptions change as well. */
static enum lf_status
publish_draft(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct publishing *publishing = argument;
    const struct lf_stored_version *version = &publishing->version;
    struct lf_subscriptions *subscriptions = lf_service_subscriptions(publishing->edit.service);
    struct lf_change change = publishing->edit.change;
    struct lf_event_batch events;
    enum lf_status status = lf_events_of_publication(subscriptions, publishing->edit.scratch, version->icp,
                                                     version->version, change.at_ms, &events, error);

    if (status != LF_OK)
        return status;
    change.deliveries = events.items;
    change.delivery_count = events.count;
    status = lf_store_publish_draft(store, version->icp, version->version, version->id, publishing->precondition,
                                    &change, error);
    if (status == LF_OK && events.count > 0)
        lf_subscriptions_committed(subscriptions, events.items, events.count);
    lf_event_batch_end(subscriptions, &events);
    return status;
}

/* Whether the store will refuse it anyway, because of the ICP's state or of the precondition. */
static enum lf_status
is_refused(struct publishing *publishing, bool *ret_refused, struct lf_error *error)
{
    const struct lf_precondition *precondition = publishing->precondition;
    struct lf_stored_icp icp;
    bool named = precondition->any;
    enum lf_status status =
        lf_store_icp(publishing->edit.reader, publishing->edit.scratch, publishing->draft.icp, &icp, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; i < precondition->etag_count; i++)
        named = named || strcmp(precondition->etags[i], publishing->draft.etag) == 0;
    *ret_refused = icp.state == LF_ICP_STATE_ARCHIVED || precondition->absent || !named;
    return LF_OK;
}

static enum lf_status
check_lint(struct publishing *publishing, const struct lf_icp *draft, const struct lf_list_source *lists,
           struct lf_error *error)
{
    struct lf_lint lint;
    size_t leads = 0;
    enum lf_status status =
        lf_advise(publishing->edit.reader, lf_service_privacy(publishing->edit.service), publishing->edit.scratch,
                  draft, lists, publishing->edit.change.at_ms * 1000, &lint, &leads, error);

    if (status != LF_OK || lint.counts[LF_LINT_ERROR] == 0)
        return status;
    for (size_t i = 0; i < lint.count && lint.items[i].severity == LF_LINT_ERROR; i++)
        lf_findings_add(publishing->findings, lint.items[i].pointer, lint.items[i].code, "%s. %s", lint.items[i].detail,
                        lint.items[i].fix);
    return lf_fail(error, LF_LINT_ERRORS, "the draft has %zu %s, to be mended before it can be published",
                   lint.counts[LF_LINT_ERROR], lint.counts[LF_LINT_ERROR] == 1 ? "error" : "errors");
}

/* 1234567 as 1,234,567. */
static void
put_grouped(struct lf_buf *buf, size_t number)
{
    if (number >= 1000) {
        put_grouped(buf, number / 1000);
        lf_buf_printf(buf, ",%03zu", number % 1000);
    } else {
        lf_buf_printf(buf, "%zu", number);
    }
}

static enum lf_status
refuse_change(struct publishing *publishing, const struct lf_impact *impact, struct lf_error *error)
{
    struct lf_buf buf;
    const char *detail = NULL;

    lf_buf_init(&buf, publishing->edit.scratch, LF_DETAIL_MAX);
    lf_buf_decimal(&buf, impact->changed_pct, 2);
    lf_buf_lit(&buf, " % of the latest ");
    put_grouped(&buf, impact->leads);
    lf_buf_lit(&buf, " leads would change their grade, more than the ");
    lf_buf_decimal(&buf, publishing->max_grade_change, 2);
    lf_buf_printf(&buf, " %% allowed; see GET /v1/icps/%s/draft/impact", publishing->draft.icp);
    detail = lf_buf_terminate(&buf);
    return lf_fail(error, LF_GRADE_CHANGE_TOO_LARGE, "%s",
                   detail != NULL ? detail : "more leads would change their grade than allowed");
}

static enum lf_status
check_impact(struct publishing *publishing, const struct lf_icp *draft, const struct lf_list_source *lists,
             struct lf_error *error)
{
    struct lf_edit *edit = &publishing->edit;
    int active_version = publishing->draft.active_version;
    struct lf_stored_version stored;
    const struct lf_icp *active = NULL;
    struct lf_impact impact;
    enum lf_status status = LF_OK;

    if (publishing->max_grade_change < 0 || active_version == 0)
        return LF_OK;
    status = lf_store_version(edit->reader, edit->scratch, publishing->draft.icp, active_version, &stored, error);
    if (status == LF_OK)
        status = lf_version_parse(edit->scratch, &stored, &active, error);
    if (status == LF_OK)
        status = lf_impact_compute(edit->reader, edit->scratch,
                                   &(struct lf_impact_options){.draft = draft,
                                                               .active = active,
                                                               .active_version = active_version,
                                                               .lists = lists,
                                                               .privacy = lf_service_privacy(edit->service),
                                                               .sample = LF_IMPACT_SAMPLE},
                                   &impact, error);
    if (status != LF_OK)
        return status;
    return impact.changed_pct > publishing->max_grade_change ? refuse_change(publishing, &impact, error) : LF_OK;
}

/* The version that the store will make of the draft. */
static void
foretell_version(struct publishing *publishing)
{
    const struct lf_stored_draft *draft = &publishing->draft;
    const struct lf_change *change = &publishing->edit.change;

    publishing->version = (struct lf_stored_version){
        .id = draft->next_version_id,
        .icp = draft->icp,
        .version = draft->next_version,
        .document = draft->document,
        .document_len = draft->document_len,
        .note = change->note,
        .published_by = change->by,
        .published_at_ms = change->at_ms,
    };
    memcpy(publishing->version.hash, draft->hash, sizeof publishing->version.hash);
}

static enum lf_status
publish(struct publishing *publishing, const char *icp, struct lf_error *error)
{
    struct lf_edit *edit = &publishing->edit;
    struct lf_list_source lists = lf_profiles_lists(edit->set->profiles);
    struct lf_live_change live = {.icp = icp, .version = &publishing->version};
    const struct lf_icp *definition = NULL;
    bool refused = false;
    enum lf_status status = lf_store_draft(edit->reader, edit->scratch, icp, &publishing->draft, error);

    if (status != LF_OK)
        return status;
    foretell_version(publishing);
    status = is_refused(publishing, &refused, error);
    if (status == LF_OK && !refused) {
        status = lf_version_parse(edit->scratch, &publishing->version, &definition, error);
        if (status == LF_OK)
            status = check_lint(publishing, definition, &lists, error);
        if (status == LF_OK)
            status = check_impact(publishing, definition, &lists, error);
    }
    if (status == LF_OK)
        status = lf_edit_prepare(edit, &live, error);
    if (status == LF_OK)
        status = lf_edit_commit(edit, publish_draft, publishing, error);
    if (status == LF_OK)
        lf_edit_put_live(edit);
    return status;
}

enum lf_status
lf_edit_publish(struct lf_service *service, struct lf_arena *arena, const char *icp, int max_grade_change,
                const struct lf_precondition *precondition, const struct lf_change *change,
                struct lf_findings *findings, struct lf_publication *ret_publication, struct lf_error *error)
{
    struct publishing publishing = {
        .max_grade_change = max_grade_change, .precondition = precondition, .findings = findings};
    enum lf_status status = lf_edit_begin(service, change, &publishing.edit, error);

    (void)arena; /* what is returned needs none */
    if (status != LF_OK)
        return status;
    status = publish(&publishing, icp, error);
    if (status == LF_OK) {
        *ret_publication =
            (struct lf_publication){.version = publishing.version.version, .at_ms = publishing.edit.change.at_ms};
        memcpy(ret_publication->hash, publishing.version.hash, sizeof ret_publication->hash);
    }
    lf_edit_end(&publishing.edit);
    if (status == LF_OK)
        lf_edit_log(change, "publish", icp, publishing.version.version);
    return status;
}

/* ---- activating ---- */

/* What comes back into service must find the lists it asks: they can be deleted while nobody in service asks them, and
 * a rule that asks a missing one would be false without a word. */
static enum lf_status
check_lists(struct lf_edit *edit, const struct lf_stored_version *version, struct lf_error *error)
{
    const struct lf_icp *icp = NULL;
    enum lf_status status = lf_version_parse(edit->scratch, version, &icp, error);

    for (size_t i = 0; status == LF_OK && i < icp->lists.count; i++)
        if (lf_profiles_find_list(edit->set->profiles, icp->lists.paths[i]) == NULL)
            status = lf_fail(error, LF_CONFLICT,
                             "version %d of \"%s\" asks the list \"%s\", which is not there: put it first",
                             version->version, version->icp, icp->lists.paths[i]);
    return status;
}

struct activation {
    const char *icp;
    int version;
    const struct lf_change *change;
    bool unchanged;
};

static enum lf_status
activate(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct activation *activation = argument;

    return lf_store_activate(store, activation->icp, activation->version, activation->change, &activation->unchanged,
                             error);
}

enum lf_status
lf_edit_activate(struct lf_service *service, struct lf_arena *arena, const char *icp, int version,
                 const struct lf_change *change, struct lf_publication *ret_publication, struct lf_error *error)
{
    struct lf_stored_version stored;
    struct lf_stored_icp owner;
    const struct lf_live_change live = {.icp = icp, .version = &stored};
    struct lf_edit edit;
    struct activation activation = {.icp = icp, .version = version, .change = &edit.change};
    enum lf_status status = lf_edit_begin(service, change, &edit, error);

    if (status != LF_OK)
        return status;
    status = lf_store_version(edit.reader, arena, icp, version, &stored, error);
    if (status == LF_OK)
        status = lf_store_icp(edit.reader, edit.scratch, icp, &owner, error);
    if (status == LF_OK && owner.state != LF_ICP_STATE_ARCHIVED)
        status = check_lists(&edit, &stored, error);
    if (status == LF_OK)
        status = lf_edit_prepare(&edit, &live, error);
    if (status == LF_OK)
        status = lf_edit_commit(&edit, activate, &activation, error);
    if (status == LF_OK && !activation.unchanged)
        lf_edit_put_live(&edit);
    lf_edit_end(&edit);
    if (status != LF_OK)
        return status;
    *ret_publication =
        (struct lf_publication){.version = version, .at_ms = edit.change.at_ms, .unchanged = activation.unchanged};
    memcpy(ret_publication->hash, stored.hash, sizeof ret_publication->hash);
    if (!activation.unchanged)
        lf_edit_log(change, "activate", icp, version);
    return LF_OK;
}

/* ---- archiving ---- */

struct archiving {
    const char *icp;
    bool archived;
    const struct lf_change *change;
};

static enum lf_status
set_archived(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct archiving *archiving = argument;

    return lf_store_set_archived(store, archiving->icp, archiving->archived, archiving->change, error);
}

enum lf_status
lf_edit_set_archived(struct lf_service *service, struct lf_arena *arena, const char *icp, bool archived,
                     const struct lf_change *change, struct lf_error *error)
{
    struct lf_live_change live = {.icp = icp, .archived = archived};
    struct lf_stored_icp stored;
    struct lf_stored_version version;
    struct lf_edit edit;
    struct archiving archiving = {.icp = icp, .archived = archived, .change = &edit.change};
    bool changes = false;
    enum lf_status status = lf_edit_begin(service, change, &edit, error);

    if (status != LF_OK)
        return status;
    status = lf_store_icp(edit.reader, arena, icp, &stored, error);
    changes = status == LF_OK && (stored.state == LF_ICP_STATE_ARCHIVED) != archived;
    if (changes && !archived && stored.active_version > 0) {
        status = lf_store_version(edit.reader, arena, icp, stored.active_version, &version, error);
        if (status == LF_OK)
            status = check_lists(&edit, &version, error);
        live.version = &version;
    }
    if (changes && status == LF_OK)
        status = lf_edit_prepare(&edit, &live, error);
    if (changes && status == LF_OK)
        status = lf_edit_commit(&edit, set_archived, &archiving, error);
    if (changes && status == LF_OK)
        lf_edit_put_live(&edit);
    lf_edit_end(&edit);
    if (changes && status == LF_OK)
        lf_edit_log(change, archived ? "archive" : "restore", icp, 0);
    return status;
}
