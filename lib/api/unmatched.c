/*
 * unmatched.c - GET /v1/stats/unmatched: the commonest values that no rule took.
 *
 * Its ETag is made of all that the answer follows from, so that an unchanged one costs no replay: the newest score and
 * how many there are, the audit's newest entry (an erasure is one), the active version, the lists that it asks, what is
 * kept of leads, and the parameters.
 */
#include "api/handlers.h"

#include "app/replay.h"
#include "app/unmatched.h"
#include "base/hash.h"

#include <string.h>

enum { VALUES = 20, VALUES_MAX = 1000 };

/* One request. */
struct asking {
    struct lf_request *request;
    struct lf_service *service;
    struct lf_store_reader *reader;
    struct lf_live_set *set;
    const char *icp;
    struct lf_unmatched_options options;
    int version; /* the active one; 0: none, and no entry */
    const struct lf_cataloged *entry;
};

static bool
read_query(struct asking *asking)
{
    static const char *const QUERY[] = {"icp", "attribute", "limit", "leads", NULL};
    struct lf_request *request = asking->request;
    int64_t limit = 0, leads = 0;
    struct lf_error error;

    if (!lf_request_allow_query(request, QUERY) ||
        !lf_api_query_number(request, "limit", 1, VALUES_MAX, VALUES, &limit) ||
        !lf_api_query_number(request, "leads", 1, LF_REPLAY_LEADS_MAX, LF_REPLAY_LEADS_MAX, &leads))
        return false;
    asking->icp = lf_request_query(request, "icp");
    asking->options = (struct lf_unmatched_options){
        .attribute = lf_request_query(request, "attribute"), .limit = (size_t)limit, .leads = (size_t)leads};
    if (asking->icp != NULL && asking->icp[0] != '\0')
        return true;
    (void)lf_fail(&error, LF_INVALID_PARAMETER, "icp is missing: the key of the ICP belongs here");
    lf_reply_problem(request, &error);
    return false;
}

/* Holds the active version. */
static enum lf_status
find_version(struct asking *asking, struct lf_error *error)
{
    struct lf_arena *arena = lf_request_scratch(asking->request);
    struct lf_stored_version version;
    struct lf_stored_icp icp;
    enum lf_status status = lf_store_icp(asking->reader, arena, asking->icp, &icp, error);

    if (status != LF_OK || icp.active_version == 0)
        return status;
    status = lf_store_version(asking->reader, arena, asking->icp, icp.active_version, &version, error);
    if (status == LF_OK)
        status =
            lf_catalog_hold(lf_service_catalog(asking->service), asking->reader, version.id, &asking->entry, error);
    if (status == LF_OK)
        asking->version = version.version;
    return status;
}

static enum lf_status
check_attribute(const struct asking *asking, struct lf_error *error)
{
    if (asking->entry != NULL)
        return lf_unmatched_check(asking->entry->icp, asking->options.attribute, error);
    if (asking->options.attribute == NULL)
        return LF_OK;
    return lf_fail(error, LF_INVALID_PARAMETER, "attribute: \"%s\" was never published and has no attributes yet",
                   asking->icp);
}

static enum lf_status
make_etag(const struct asking *asking, char ret_etag[LF_API_ETAG_SIZE], struct lf_error *error)
{
    const struct lf_icp *icp = asking->entry != NULL ? asking->entry->icp : NULL;
    const struct lf_privacy *privacy = lf_service_privacy(asking->service);
    char last[LF_ULID_TEXT_SIZE];
    struct lf_ulid id;
    struct lf_buf buf;
    int64_t count = 0, audit = 0;
    enum lf_status status = lf_store_last_score(asking->reader, &id, &count, error);

    if (status == LF_OK)
        status = lf_store_last_audit(asking->reader, &audit, error);
    if (status != LF_OK)
        return status;
    lf_ulid_format(id, last);
    lf_buf_init(&buf, lf_request_scratch(asking->request), LF_REPLY_MAX);
    lf_buf_printf(&buf, "%s %lld %lld %s %lld %zu %zu %s\n", last, (long long)count, (long long)audit, asking->icp,
                  (long long)(asking->entry != NULL ? asking->entry->version_id : 0), asking->options.limit,
                  asking->options.leads, asking->options.attribute != NULL ? asking->options.attribute : "");
    for (size_t i = 0; icp != NULL && i < icp->lists.count; i++) {
        const struct lf_named_list *list = lf_profiles_find_list(asking->set->profiles, icp->lists.paths[i]);

        lf_buf_printf(&buf, "%s %lld\n", icp->lists.paths[i], (long long)(list != NULL ? list->revision : 0));
    }
    for (size_t f = 0; icp != NULL && f < icp->fields.count; f++)
        lf_buf_char(&buf, lf_privacy_withholds(privacy, icp->fields.paths[f]) ? '1' : '0');
    if (lf_buf_failed(&buf) || !lf_api_make_etag(buf.data, buf.len, ret_etag))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking for unmatched values");
    return LF_OK;
}

static enum lf_status
find_values(const struct asking *asking, struct lf_unmatched *ret_unmatched, struct lf_error *error)
{
    struct lf_list_source lists = lf_profiles_lists(asking->set->profiles);

    if (asking->entry == NULL)
        return LF_OK;
    return lf_unmatched_find(asking->reader, lf_request_scratch(asking->request), asking->entry->icp, &lists,
                             lf_service_privacy(asking->service), &asking->options, ret_unmatched, error);
}

static void
put_unmatched(struct lf_buf *body, const struct asking *asking, const struct lf_unmatched *unmatched)
{
    lf_buf_lit(body, "{\"icp\":");
    lf_api_put_text(body, asking->icp);
    lf_buf_printf(body, ",\"version\":%d,\"leads\":%zu,\"dropped\":%zu,\"values\":[", asking->version, unmatched->leads,
                  unmatched->dropped);
    for (size_t i = 0; i < unmatched->count; i++) {
        const struct lf_unmatched_value *value = &unmatched->values[i];

        lf_buf_text(body, i > 0 ? ",{\"attribute\":" : "{\"attribute\":");
        lf_api_put_text(body, value->attribute);
        lf_buf_lit(body, ",\"field\":");
        lf_api_put_text(body, value->field);
        lf_buf_lit(body, ",\"value\":");
        lf_json_put_text(body, value->value, value->value_len);
        lf_buf_printf(body, ",\"count\":%lld,\"near\":", (long long)value->count);
        lf_json_put_text(body, value->near, value->near_len);
        lf_buf_printf(body, ",\"invalid\":%s}", value->invalid ? "true" : "false");
    }
    lf_buf_lit(body, "]}");
}

/* Looks for the values and answers, unless the caller has the answer. */
static enum lf_status
answer(const struct asking *asking, struct lf_error *error)
{
    struct lf_unmatched unmatched = {.leads = 0};
    char etag[LF_API_ETAG_SIZE];
    struct lf_buf body;
    enum lf_status status = check_attribute(asking, error);

    if (status == LF_OK)
        status = make_etag(asking, etag, error);
    if (status == LF_OK && !lf_api_is_known(asking->request, etag))
        status = find_values(asking, &unmatched, error);
    if (status != LF_OK)
        return status;
    lf_reply_header(asking->request, "Cache-Control", "private, no-cache");
    if (lf_api_not_modified(asking->request, etag))
        return LF_OK;
    lf_buf_init(&body, lf_request_arena(asking->request), LF_REPLY_MAX);
    put_unmatched(&body, asking, &unmatched);
    lf_reply_json(asking->request, 200, &body);
    return LF_OK;
}

void
lf_api_unmatched(struct lf_request *request, void *context)
{
    struct asking asking = {.request = request, .service = context};
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (!read_query(&asking))
        return;
    asking.set = lf_live_acquire(lf_service_live(context));
    status = lf_service_borrow_reader(context, &asking.reader, &error);
    if (status == LF_OK) {
        status = find_version(&asking, &error);
        if (status == LF_OK)
            status = answer(&asking, &error);
        lf_catalog_release(lf_service_catalog(context), asking.entry);
        lf_service_return_reader(context, asking.reader);
    }
    lf_live_release(lf_service_live(context), asking.set);
    if (status != LF_OK)
        lf_reply_problem(request, &error);
}
