/*
 * metrics.c - GET /metrics: what the service counts and knows of itself, in Prometheus' text format, version 0.0.4.
 * What passes between it and CRMs: metrics_exchange.c.
 *
 * Here stand the names, the labels and the words; counting is app/metrics.h, and what is only looked up comes from
 * where it is. Whoever asks wants to hear most when something is wrong: what cannot be read now (a disk that fails) is
 * left out, and the rest is told. Nothing in it is about a lead.
 */
#include "api/metrics_put.h"

#include "api/handlers.h"
#include "api/routes.h"
#include "app/trends.h"
#include "base/number.h"
#include "base/process.h"
#include "http/server.h"

#include <string.h>

static const char CONTENT_TYPE[] = "text/plain; version=0.0.4; charset=utf-8";

/* One answer. */
struct telling {
    struct lf_buf *buf;
    struct lf_arena *scratch;
    struct lf_service *service;
};

/* ---- the format ---- */

void
lf_metric_put_family(struct lf_buf *buf, const char *name, const char *type, const char *help)
{
    lf_buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
lf_metric_put_label(struct lf_buf *buf, bool first, const char *name, const char *value)
{
    lf_buf_printf(buf, "%s%s=\"", first ? "" : ",", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            lf_buf_lit(buf, "\\n");
        else if (*value == '\\' || *value == '"')
            lf_buf_printf(buf, "\\%c", *value);
        else
            lf_buf_char(buf, *value);
    }
    lf_buf_char(buf, '"');
}

static void
put_double(struct lf_buf *buf, double value)
{
    char text[LF_NUMBER_TEXT_MAX];

    lf_buf_add(buf, text, lf_number_format(value, text));
}

void
lf_metric_put_single(struct lf_buf *buf, const char *name, const char *type, const char *help, int64_t value,
                     int places)
{
    lf_metric_put_family(buf, name, type, help);
    lf_buf_printf(buf, "%s ", name);
    lf_buf_decimal(buf, value, places);
    lf_buf_char(buf, '\n');
}

/* The samples of a histogram. labels: as text, "" for none; places: of the decimals that bounds and sum are. */
static void
put_histogram(struct lf_buf *buf, const char *name, const char *labels, const struct lf_histogram *histogram,
              const int64_t *bounds, size_t count, int places)
{
    bool bare = labels[0] == '\0';
    int64_t so_far = 0;

    for (size_t i = 0; i < count; i++) {
        so_far += histogram->buckets[i];
        lf_buf_printf(buf, "%s_bucket{%s%sle=\"", name, labels, bare ? "" : ",");
        lf_buf_decimal(buf, bounds[i], places);
        lf_buf_printf(buf, "\"} %lld\n", (long long)so_far);
    }
    lf_buf_printf(buf, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", name, labels, bare ? "" : ",", (long long)histogram->count);
    lf_buf_printf(buf, bare ? "%s_sum%s " : "%s_sum{%s} ", name, labels);
    lf_buf_decimal(buf, histogram->sum, places);
    lf_buf_printf(buf, bare ? "\n%s_count%s %lld\n" : "\n%s_count{%s} %lld\n", name, labels,
                  (long long)histogram->count);
}

/* ---- requests ---- */

/* The labels of a route as text; NULL: out of memory. */
static const char *
route_labels(struct lf_arena *arena, const struct lf_route *route)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 4096);
    lf_metric_put_label(&buf, true, "method", route != NULL ? route->method : "none");
    lf_metric_put_label(&buf, false, "route", route != NULL ? route->path : "none");
    return lf_buf_terminate(&buf);
}

struct route_line {
    struct lf_buf *buf;
    const char *labels;
};

static void
put_status(void *context, int status, int64_t count)
{
    const struct route_line *line = context;

    lf_buf_printf(line->buf, "leadfit_http_requests_total{%s,status=\"%d\"} %lld\n", line->labels, status,
                  (long long)count);
}

/* Routes that nobody has asked have no lines: fifteen each would be most of the answer. */
static void
put_requests(const struct telling *telling)
{
    struct lf_metrics *metrics = lf_service_metrics(telling->service);
    size_t count = 0;
    const struct lf_route *routes = lf_api_routes(lf_service_open_metrics(telling->service), &count);
    const char **labels = lf_arena_calloc(telling->scratch, count + 1, sizeof *labels);

    for (size_t i = 0; i <= count && labels != NULL; i++) {
        labels[i] = route_labels(telling->scratch, i < count ? &routes[i] : NULL);
        if (labels[i] == NULL)
            labels = NULL;
    }
    if (labels == NULL) {
        telling->buf->failed = true;
        return;
    }
    lf_metric_put_family(
        telling->buf, "leadfit_http_requests_total", "counter",
        "Answered requests; status 0: the client went before its answer. Route none: no such path or method.");
    for (size_t i = 0; i <= count; i++)
        lf_metrics_each_status(metrics, i, put_status, &(struct route_line){.buf = telling->buf, .labels = labels[i]});
    lf_metric_put_family(telling->buf, "leadfit_http_request_duration_seconds", "histogram",
                         "From a request's head to the end of its answer, recording included.");
    for (size_t i = 0; i <= count; i++) {
        struct lf_histogram histogram;

        lf_metrics_durations(metrics, i, &histogram);
        if (histogram.count > 0)
            put_histogram(telling->buf, "leadfit_http_request_duration_seconds", labels[i], &histogram,
                          LF_DURATION_BOUNDS_US, LF_DURATION_BUCKETS, 6);
    }
}

/* ---- recording ---- */

static void
put_score_count(void *context, const char *icp, int version, const char *grade, int64_t count)
{
    struct lf_buf *buf = context;

    lf_buf_lit(buf, "leadfit_scores_total{");
    lf_metric_put_label(buf, true, "icp", icp);
    lf_buf_printf(buf, ",version=\"%d\"", version);
    lf_metric_put_label(buf, false, "grade", grade);
    lf_buf_printf(buf, "} %lld\n", (long long)count);
}

static void
put_recording(const struct telling *telling)
{
    struct lf_recorder *recorder = lf_service_recorder(telling->service);
    struct lf_histogram sizes, durations;

    lf_metric_put_family(telling->buf, "leadfit_scores_total", "counter",
                         "Recorded scores by ICP, version and grade (DQ: disqualified), since the start.");
    lf_ledger_each_count(lf_service_ledger(telling->service), put_score_count, telling->buf);

    lf_metrics_commits(lf_service_metrics(telling->service), &sizes, &durations);
    lf_metric_put_family(telling->buf, "leadfit_commit_batch_size", "histogram",
                         "Scored leads that shared one commit.");
    put_histogram(telling->buf, "leadfit_commit_batch_size", "", &sizes, LF_SIZE_BOUNDS, LF_SIZE_BUCKETS, 0);
    lf_metric_put_family(telling->buf, "leadfit_commit_duration_seconds", "histogram",
                         "How long a commit of scores took, until it was on the disk.");
    put_histogram(telling->buf, "leadfit_commit_duration_seconds", "", &durations, LF_DURATION_BOUNDS_US,
                  LF_DURATION_BUCKETS, 6);

    lf_metric_put_single(telling->buf, "leadfit_queue_depth", "gauge", "Scored leads that wait to be recorded.",
                         (int64_t)lf_recorder_depth(recorder), 0);
    lf_metric_put_single(telling->buf, "leadfit_queue_limit", "gauge",
                         "How many may wait; one more is refused with 503.", (int64_t)lf_recorder_limit(recorder), 0);
    lf_metric_put_single(telling->buf, "leadfit_ledger_depth", "gauge",
                         "Leads that wait to be settled, which is what statistics of leads and outcomes are told from.",
                         (int64_t)lf_ledger_depth(lf_service_ledger(telling->service)), 0);
}

/* ---- ICPs ---- */

static void
put_versions(const struct telling *telling, const struct lf_profiles *profiles)
{
    lf_metric_put_family(telling->buf, "leadfit_icp_active_version", "gauge", "The version in service.");
    for (size_t i = 0; i < profiles->count; i++) {
        lf_buf_lit(telling->buf, "leadfit_icp_active_version{");
        lf_metric_put_label(telling->buf, true, "icp", profiles->items[i].icp->key);
        lf_buf_printf(telling->buf, "} %d\n", profiles->items[i].version);
    }
}

static void
put_count_by_icp(struct lf_buf *buf, const char *name, const char *icp, int64_t count)
{
    lf_buf_printf(buf, "%s{", name);
    lf_metric_put_label(buf, true, "icp", icp);
    lf_buf_printf(buf, "} %lld\n", (long long)count);
}

static void
put_trends(const struct telling *telling, const struct lf_trend *trends, size_t count)
{
    struct lf_buf *buf = telling->buf;

    lf_metric_put_family(
        buf, "leadfit_drift_psi", "gauge",
        "How far the scores of the last 24 hours have moved from the active version's baseline: below 0.1 they "
        "are stable, from 0.25 on they have shifted (population stability index).");
    for (size_t i = 0; i < count; i++) {
        lf_buf_lit(buf, "leadfit_drift_psi{");
        lf_metric_put_label(buf, true, "icp", trends[i].icp);
        lf_buf_lit(buf, "} ");
        put_double(buf, trends[i].psi);
        lf_buf_char(buf, '\n');
    }
    lf_metric_put_family(buf, "leadfit_drift_window_scores", "gauge",
                         "Scores under the active version in the last 24 hours.");
    for (size_t i = 0; i < count; i++)
        put_count_by_icp(buf, "leadfit_drift_window_scores", trends[i].icp, trends[i].scored);
    lf_metric_put_family(buf, "leadfit_drift_baseline_scores", "gauge",
                         "Scores in the active version's baseline; it is complete with 1000.");
    for (size_t i = 0; i < count; i++)
        put_count_by_icp(buf, "leadfit_drift_baseline_scores", trends[i].icp, trends[i].baseline);
    lf_metric_put_family(
        buf, "leadfit_penetration_ratio", "gauge",
        "Share of the last 24 hours' scores under the active version that are at its two best grades; nothing "
        "where there were none.");
    for (size_t i = 0; i < count; i++) {
        if (trends[i].scored == 0)
            continue;
        lf_buf_lit(buf, "leadfit_penetration_ratio{");
        lf_metric_put_label(buf, true, "icp", trends[i].icp);
        lf_metric_put_label(buf, false, "purpose", trends[i].purpose);
        lf_buf_lit(buf, "} ");
        put_double(buf, (double)trends[i].best / (double)trends[i].scored);
        lf_buf_char(buf, '\n');
    }
}

/* ---- the storage, and what is read from it ---- */

static void
put_storage(const struct telling *telling, const struct lf_store_facts *facts)
{
    lf_metric_put_family(telling->buf, "leadfit_storage_bytes", "gauge",
                         "Size of the database file and of its write-ahead log.");
    lf_buf_printf(telling->buf,
                  "leadfit_storage_bytes{file=\"database\"} %lld\nleadfit_storage_bytes{file=\"wal\"} %lld\n",
                  (long long)facts->database_bytes, (long long)facts->log_bytes);
    lf_metric_put_single(telling->buf, "leadfit_storage_free_bytes", "gauge", "Room left where the database is.",
                         facts->free_bytes, 0);
}

static void
put_build(const struct telling *telling, const char *engine)
{
    lf_metric_put_family(telling->buf, "leadfit_build_info", "gauge", "What runs here; always 1.");
    lf_buf_lit(telling->buf, "leadfit_build_info{version=\"" LF_VERSION "\"");
    lf_metric_put_label(telling->buf, false, "sqlite", engine);
    lf_metric_put_label(telling->buf, false, "libmicrohttpd", lf_server_library_version());
    lf_buf_lit(telling->buf, "} 1\n");
}

static void
put_stored(const struct telling *telling, const struct lf_profiles *profiles)
{
    struct lf_store_facts facts = {.engine = ""};
    struct lf_store_reader *reader = NULL;
    struct lf_trend *trends = NULL;
    struct lf_ulid last;
    struct lf_error error;
    size_t count = 0;
    int64_t scores = 0;

    lf_metric_put_single(telling->buf, "leadfit_storage_full", "gauge", "1 while there is no room to record.",
                         lf_recorder_full(lf_service_recorder(telling->service)), 0);
    if (lf_service_borrow_reader(telling->service, &reader, &error) == LF_OK) {
        if (lf_store_facts(reader, &facts, &error) == LF_OK)
            put_storage(telling, &facts);
        lf_metrics_put_outbox(telling->buf, telling->scratch, telling->service, reader);
        if (lf_store_last_score(reader, &last, &scores, &error) == LF_OK)
            lf_metric_put_single(telling->buf, "leadfit_recorded_scores", "gauge",
                                 "Scored leads that are in the database.", scores, 0);
        if (profiles != NULL &&
            lf_trends_read(lf_service_trends(telling->service), reader, lf_service_catalog(telling->service), profiles,
                           telling->scratch, &trends, &count, &error) == LF_OK)
            put_trends(telling, trends, count);
        lf_service_return_reader(telling->service, reader);
    }
    put_build(telling, facts.engine);
}

/* ---- the process: names as Prometheus' own clients have them ---- */

static void
put_process(const struct telling *telling)
{
    struct lf_buf *buf = telling->buf;
    struct lf_process process;
    struct lf_error error;

    if (lf_process_read(&process, &error) != LF_OK)
        return;
    lf_metric_put_single(buf, "process_cpu_seconds_total", "counter", "Processor time taken.", process.cpu_us, 6);
    lf_metric_put_single(buf, "process_resident_memory_bytes", "gauge", "Memory in use.", process.resident_bytes, 0);
    lf_metric_put_single(buf, "process_virtual_memory_bytes", "gauge", "Address space in use.", process.virtual_bytes,
                         0);
    lf_metric_put_single(buf, "process_start_time_seconds", "gauge", "When it was started, since 1970.",
                         process.started_ms, 3);
    lf_metric_put_single(buf, "process_open_fds", "gauge", "Open file descriptors.", process.open_fds, 0);
    lf_metric_put_single(buf, "process_max_fds", "gauge", "How many may be open.", process.max_fds, 0);
    lf_metric_put_single(buf, "process_threads", "gauge", "Threads.", process.threads, 0);
}

void
lf_api_metrics(struct lf_request *request, void *context)
{
    static const char *const NAMES[] = {NULL};
    struct lf_buf buf;
    struct telling telling = {.buf = &buf, .scratch = lf_request_scratch(request), .service = context};
    struct lf_live_set *set = NULL;
    struct lf_error error;

    if (!lf_request_allow_query(request, NAMES))
        return;
    lf_buf_init(&buf, lf_request_arena(request), LF_REPLY_MAX);
    put_requests(&telling);
    put_recording(&telling);
    lf_metrics_put_exchange(&buf, telling.scratch, telling.service);
    set = lf_live_acquire(lf_service_live(telling.service));
    if (set != NULL)
        put_versions(&telling, set->profiles);
    put_stored(&telling, set != NULL ? set->profiles : NULL);
    if (set != NULL)
        lf_live_release(lf_service_live(telling.service), set);
    put_process(&telling);
    if (lf_buf_failed(&buf)) {
        (void)lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while telling the metrics");
        lf_reply_problem(request, &error);
        return;
    }
    lf_reply_bytes(request, 200, CONTENT_TYPE, buf.data, buf.len);
}
