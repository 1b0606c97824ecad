/* outcomes.c - see outcomes.h. */
#include "app/outcomes.h"

#include "app/scoring.h"
#include "base/number.h"
#include "base/time.h"
#include "core/document.h"

#include <string.h>

enum {
    VALUE_PLACES = 6,
    SLICE_CHUNK = 256 * 1024,
    SLICE_USED = 16 * 1024 * 1024, /* beyond which a slice is noted early: lines may be long */
    SLICE_MAX = 2 * SLICE_USED
};

static const int64_t DAY_MS = 86400000;         /* clocks differ, and zones are mistaken */
static const int64_t VALUE_MAX = 1000000000000; /* a million millions: more than any deal */

/* Millionths of the number, exactly, judged by its shortest decimal form; false where it has more places. The number is
 * 0..VALUE_MAX: lf_number_to_scaled ends at 9e15. */
static bool
to_millionths(double number, int64_t *ret_value)
{
    char text[LF_NUMBER_TEXT_MAX];
    size_t len = lf_number_format(number, text), at = 0;
    int64_t value = 0;
    int places = -1; /* behind the point; -1: before it */

    for (; at < len; at++) {
        if (text[at] == '.' && places < 0) {
            places = 0;
        } else if (text[at] >= '0' && text[at] <= '9' && places < VALUE_PLACES) {
            value = value * 10 + (text[at] - '0');
            places += places >= 0;
        } else {
            return false; /* a seventh place, or an exponent, which only a smaller number has */
        }
    }
    for (places = places < 0 ? 0 : places; places < VALUE_PLACES; places++)
        value *= 10;
    *ret_value = value;
    return true;
}

static int64_t
read_value(struct lf_document *document, const struct lf_json *node, const struct lf_place *place)
{
    double number = lf_json_number(node);
    int64_t value = 0;

    if (node == NULL)
        return 0;
    if (lf_json_kind(node) != LF_JSON_NUMBER)
        lf_document_fault(document, place, "wrong_type", "a number belongs here: what the deal is worth");
    else if (!(number >= 0 && number <= (double)VALUE_MAX))
        lf_document_fault(document, place, "out_of_range", "a number from 0 to %lld belongs here",
                          (long long)VALUE_MAX);
    else if (!to_millionths(number, &value))
        lf_document_fault(document, place, "too_many_places", "at most %d decimal places may stand here", VALUE_PLACES);
    return value;
}

static int64_t
read_at(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, int64_t now_ms)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);
    int64_t us = 0;

    if (node == NULL)
        return now_ms;
    if (text == NULL)
        lf_document_fault(document, place, "wrong_type", "a time belongs here: \"2026-01-31T09:30:00Z\"");
    else if (!lf_time_parse(text, len, &us))
        lf_document_fault(document, place, "invalid_date",
                          "not a time that can be read: write 2026-01-31T09:30:00Z or 2026-01-31");
    else if (lf_time_us_to_ms(us) > now_ms + DAY_MS)
        lf_document_fault(document, place, "invalid_value", "is in the future: what became of a lead has happened");
    return lf_time_us_to_ms(us);
}

static void
read_lead_id(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
             struct lf_stored_outcome *outcome)
{
    if (node == NULL) {
        lf_document_fault(document, place, "required", "lead_id is missing: the id that the lead was scored with");
        return;
    }
    if (lf_json_kind(node) == LF_JSON_NULL) {
        lf_document_fault(document, place, "wrong_type", "an id is a text or a whole number");
        return;
    }
    if (!lf_lead_id_read(document, node, place, &outcome->lead_id, &outcome->lead_id_len))
        return;
    if (outcome->lead_id_len == 0)
        lf_document_fault(document, place, "too_few", "an empty id stands for no lead");
}

/* An optional member that is null counts as absent. */
static const struct lf_json *
given(const struct lf_json *node, const char *name)
{
    const struct lf_json *member = lf_json_member(node, name);

    return lf_json_kind(member) == LF_JSON_NULL ? NULL : member;
}

enum lf_status
lf_outcome_read(struct lf_arena *arena, const struct lf_json *node, int64_t now_ms, struct lf_findings *findings,
                struct lf_stored_outcome *ret_outcome, struct lf_error *error)
{
    static const char *const MEMBERS[] = {"lead_id", "outcome", "value", "at", NULL}, *const WORDS[] = {"won", "lost",
                                                                                                        "open", NULL};
    static const enum lf_outcome_word OUTCOMES[] = {LF_OUTCOME_WON, LF_OUTCOME_LOST, LF_OUTCOME_OPEN};
    struct lf_document document = {.arena = arena, .findings = findings};
    struct lf_place root = LF_PLACE_ROOT, place = LF_PLACE_MEMBER(&root, "lead_id");
    struct lf_stored_outcome outcome = {.lead_id = ""};

    if (lf_document_object(&document, node, &root, MEMBERS)) {
        read_lead_id(&document, lf_json_member(node, "lead_id"), &place, &outcome);
        place.name = "outcome";
        outcome.outcome =
            OUTCOMES[lf_document_word(&document, lf_json_member(node, "outcome"), &place, true, WORDS, 0)];
        place.name = "value";
        outcome.value = read_value(&document, given(node, "value"), &place);
        place.name = "at";
        outcome.at_ms = read_at(&document, given(node, "at"), &place, now_ms);
    }
    if (findings->out_of_memory)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading an outcome");
    if (findings->count > 0)
        return lf_fail(error, LF_INVALID_REQUEST, "the outcome has %zu fault%s, the first at %s: %s", findings->count,
                       findings->count == 1 ? "" : "s",
                       findings->items[0].pointer[0] != '\0' ? findings->items[0].pointer : "its root",
                       findings->items[0].detail);
    *ret_outcome = outcome;
    return LF_OK;
}

/* ---- noting ---- */

struct slice {
    struct lf_ledger *ledger;
    const struct lf_stored_outcome *outcomes;
    size_t count;
};

/* On the recorder's thread. */
static enum lf_status
write_slice(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct slice *slice = argument;

    return lf_ledger_put_outcomes(slice->ledger, store, slice->outcomes, slice->count, error);
}

enum lf_status
lf_outcomes_put(struct lf_recorder *recorder, struct lf_ledger *ledger, const struct lf_stored_outcome *outcomes,
                size_t count, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    for (size_t at = 0; status == LF_OK && at < count; at += LF_OUTCOMES_SLICE) {
        struct slice slice = {.ledger = ledger,
                              .outcomes = outcomes + at,
                              .count = count - at < LF_OUTCOMES_SLICE ? count - at : LF_OUTCOMES_SLICE};

        status = lf_recorder_run(recorder, write_slice, &slice, error);
    }
    return status;
}

/* ---- lines ---- */

/* Notes what is wrong with a line, as long as there is room to tell it. */
static enum lf_status
refuse_line(struct lf_arena *arena, struct lf_outcomes_report *report, size_t line, const char *code,
            const char *pointer, const char *detail, size_t more, struct lf_error *error)
{
    struct lf_outcome_fault *fault = NULL;

    report->refused++;
    if (report->fault_count == LF_OUTCOMES_ERRORS_MAX)
        return LF_OK;
    fault = &report->faults[report->fault_count];
    fault->line = line;
    fault->code = code;
    fault->pointer = lf_arena_copy(arena, pointer, strlen(pointer));
    fault->detail =
        more > 0 ? lf_arena_printf(arena, "%s (and %zu more fault%s in this line)", detail, more, more == 1 ? "" : "s")
                 : lf_arena_copy(arena, detail, strlen(detail));
    if (fault->pointer == NULL || fault->detail == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading outcomes");
    report->fault_count++;
    return LF_OK;
}

/* Reads a line into the slice; what is wrong with it goes into the report. */
static enum lf_status
read_line(struct lf_arena *arena, struct lf_arena *slice_arena, const char *text, size_t len, size_t line,
          int64_t now_ms, struct lf_outcomes_report *report, struct lf_stored_outcome *outcomes, size_t *count,
          struct lf_error *error)
{
    struct lf_json_limits limits = LF_JSON_LEAD_LIMITS;
    const struct lf_json *node = NULL;
    struct lf_findings findings;
    struct lf_error found;
    enum lf_status status = LF_OK;

    limits.bytes = LF_OUTCOME_LINE_MAX;
    lf_findings_init(&findings, slice_arena);
    status = lf_json_parse(slice_arena, text, len, &limits, &node, &found);
    if (status == LF_OK)
        status = lf_outcome_read(slice_arena, node, now_ms, &findings, &outcomes[*count], &found);
    if (status == LF_OK) {
        (*count)++;
        return LF_OK;
    }
    if (status == LF_OUT_OF_MEMORY)
        return lf_fail(error, status, "out of memory while reading outcomes");
    if (findings.count > 0)
        return refuse_line(arena, report, line, findings.items[0].code, findings.items[0].pointer,
                           findings.items[0].detail, findings.count + findings.dropped - 1, error);
    return refuse_line(arena, report, line, lf_status_word(status), found.pointer, found.detail, 0, error);
}

static bool
is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

enum lf_status
lf_outcomes_put_lines(struct lf_recorder *recorder, struct lf_ledger *ledger, struct lf_arena *arena, const char *text,
                      size_t len, int64_t now_ms, struct lf_outcomes_report *ret_report, struct lf_error *error)
{
    struct lf_arena *slice_arena = lf_arena_create(SLICE_CHUNK, SLICE_MAX);
    struct lf_stored_outcome *outcomes = lf_arena_calloc(arena, LF_OUTCOMES_SLICE, sizeof *outcomes);
    struct lf_outcomes_report report = {.faults =
                                            lf_arena_calloc(arena, LF_OUTCOMES_ERRORS_MAX, sizeof *report.faults)};
    const char *end = text + len;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (slice_arena == NULL || outcomes == NULL || report.faults == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading outcomes");
    for (size_t line = 1; status == LF_OK && text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t line_len = (size_t)((stop != NULL ? stop : end) - text);

        if (!is_blank(text, line_len))
            status = read_line(arena, slice_arena, text, line_len, line, now_ms, &report, outcomes, &count, error);
        text = stop != NULL ? stop + 1 : end;
        if (status == LF_OK && count > 0 &&
            (count == LF_OUTCOMES_SLICE || text == end || lf_arena_used(slice_arena) > SLICE_USED)) {
            status = lf_outcomes_put(recorder, ledger, outcomes, count, error);
            report.accepted += status == LF_OK ? count : 0;
            count = 0;
        }
        if (count == 0)
            lf_arena_reset(slice_arena);
    }
    lf_arena_destroy(slice_arena);
    *ret_report = report;
    return status;
}
