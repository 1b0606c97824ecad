/* score_request.c - reads what is asked of a scoring; see scoring.h. */
#include "app/scoring.h"

#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "core/document.h"

#include <math.h>
#include <string.h>

/* An optional member that is absent or null counts as not given: many tools send null for what they leave out. */
static const struct lf_json *
given(const struct lf_json *body, const char *name)
{
    const struct lf_json *member = lf_json_member(body, name);

    return lf_json_kind(member) == LF_JSON_NULL ? NULL : member;
}

/* An integer as text: with the digits it came with where a double would not keep them. NULL: not an integer, or too
 * long to be an id; or memory is out, which the document notes. */
static const char *
integer_text(struct lf_document *document, const struct lf_json *node)
{
    const char *digits = lf_json_long_digits(node), *copy = NULL;
    double number = lf_json_number(node);
    char text[LF_NUMBER_TEXT_MAX];
    size_t len = 0;

    if (digits != NULL)
        return strlen(digits) <= LF_LEAD_ID_MAX ? digits : NULL;
    if (number != floor(number) || fabs(number) >= 1e21)
        return NULL;
    len = lf_number_format(number, text);
    copy = lf_arena_copy(document->arena, text, len);
    if (copy == NULL)
        lf_document_out_of_memory(document);
    return copy;
}

bool
lf_lead_id_read(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                const char **ret_id, size_t *ret_len)
{
    size_t len = 0;
    const char *text = "";

    switch (lf_json_kind(node)) {
    case LF_JSON_ABSENT:
    case LF_JSON_NULL:
        break;
    case LF_JSON_TEXT:
        text = lf_json_text(node, &len);
        if (lf_text_length(text, len) > LF_LEAD_ID_MAX) {
            lf_document_fault(document, place, "too_many", "an id has at most %d characters", LF_LEAD_ID_MAX);
            return false;
        }
        if (memchr(text, '\0', len) != NULL) { /* whoever had it could not be exported or erased: no URL takes it */
            lf_document_fault(document, place, "invalid_value", "an id is free of U+0000, which no URL can hold");
            return false;
        }
        break;
    case LF_JSON_NUMBER:
        text = integer_text(document, node);
        if (text == NULL) {
            lf_document_fault(document, place, "out_of_range", "an id is a text or a whole number of at most %d digits",
                              LF_LEAD_ID_MAX);
            return false;
        }
        len = strlen(text);
        break;
    case LF_JSON_BOOLEAN:
    case LF_JSON_ARRAY:
    case LF_JSON_OBJECT:
        lf_document_fault(document, place, "wrong_type", "an id is a text or a whole number");
        return false;
    }
    *ret_id = text;
    *ret_len = len;
    return true;
}

static enum lf_status
conclude(const struct lf_findings *findings, struct lf_error *error)
{
    size_t count = findings->count + findings->dropped;

    if (findings->out_of_memory)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a request");
    if (count > 0)
        return lf_fail(
            error, LF_INVALID_REQUEST, "the request has %zu fault%s, the first at %s: %s", count, count == 1 ? "" : "s",
            findings->items[0].pointer[0] != '\0' ? findings->items[0].pointer : "its root", findings->items[0].detail);
    return LF_OK;
}

/* The lead and its id, at `place`. */
static enum lf_status
read_lead(struct lf_document *document, const struct lf_json *lead, const struct lf_place *place,
          struct lf_score_request *request, struct lf_error *error)
{
    struct lf_place id = LF_PLACE_MEMBER(place, "id");
    const char *pointer = NULL;

    request->lead_id = "";
    if (lead == NULL) {
        lf_document_fault(document, place, "required", "lead is missing: the record to score stands here");
        return LF_OK;
    }
    if (lf_json_kind(lead) != LF_JSON_OBJECT) {
        lf_document_fault(document, place, "wrong_type", "a lead is an object of fields");
        return LF_OK;
    }
    request->lead = lead;
    (void)lf_lead_id_read(document, lf_json_member(lead, "id"), &id, &request->lead_id, &request->lead_id_len);
    if (lf_json_check_lead_size(lead, "", NULL) == LF_OK)
        return LF_OK;
    pointer = lf_place_pointer(document->arena, place);
    return lf_json_check_lead_size(lead, pointer != NULL ? pointer : "", error);
}

static bool
is_named(const struct lf_score_request *request, const char *key)
{
    for (size_t i = 0; i < request->icp_count; i++)
        if (strcmp(request->icps[i], key) == 0)
            return true;
    return false;
}

static void
read_icps(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
          struct lf_score_request *request)
{
    size_t index = 0;

    if (node == NULL || !lf_document_array(document, node, place, 0, LF_ICPS_NAMED_MAX))
        return;
    request->icps = lf_arena_calloc(document->arena, lf_json_count(node), sizeof *request->icps);
    if (request->icps == NULL) {
        lf_document_out_of_memory(document);
        return;
    }
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index);
        const char *key = lf_document_key(document, entry, &at);

        if (key[0] != '\0' && is_named(request, key))
            lf_document_fault(document, &at, "duplicate", "%s is named twice", key);
        request->icps[request->icp_count++] = key;
    }
}

static void
read_as_of(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
           struct lf_score_request *request)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);
    int64_t us = 0;

    if (node == NULL)
        return;
    if (text == NULL) {
        lf_document_fault(document, place, "wrong_type", "a time belongs here: \"2026-01-31T09:30:00Z\"");
        return;
    }
    if (!lf_time_parse(text, len, &us)) {
        lf_document_fault(document, place, "invalid_date",
                          "not a time that can be read: write 2026-01-31T09:30:00Z or 2026-01-31");
        return;
    }
    request->has_as_of = true;
    request->as_of_ms = lf_time_us_to_ms(us);
}

static void
read_explain(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
             struct lf_score_request *request)
{
    static const char *const WORDS[] = {"full", "summary", "none", NULL};

    request->explain = (enum lf_explain)lf_document_word(document, node, place, false, WORDS, LF_EXPLAIN_FULL);
}

static void
read_record(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
            struct lf_score_request *request)
{
    request->record = node == NULL || lf_json_is_true(node);
    if (node != NULL && lf_json_kind(node) != LF_JSON_BOOLEAN)
        lf_document_fault(document, place, "wrong_type", "true or false belongs here");
}

enum lf_status
lf_score_request_read(struct lf_arena *arena, const struct lf_json *body, bool with_definition,
                      struct lf_findings *findings, struct lf_score_request *ret_request, struct lf_error *error)
{
    static const char *const MEMBERS[] = {"lead", "icps", "as_of", "explain", "record", NULL},
                             *const WITH_DEFINITION[] = {"definition", "lead", "as_of", "explain", NULL};
    struct lf_document document = {.arena = arena, .findings = findings};
    struct lf_score_request request = {.lead_id = ""};
    struct lf_place root = LF_PLACE_ROOT, at = LF_PLACE_MEMBER(&root, "lead");
    enum lf_status status = LF_OK;

    if (lf_document_object(&document, body, &root, with_definition ? WITH_DEFINITION : MEMBERS)) {
        status = read_lead(&document, lf_json_member(body, "lead"), &at, &request, error);
        at.name = "as_of";
        read_as_of(&document, given(body, "as_of"), &at, &request);
        at.name = "explain";
        read_explain(&document, given(body, "explain"), &at, &request);
        if (!with_definition) {
            at.name = "icps";
            read_icps(&document, given(body, "icps"), &at, &request);
            at.name = "record";
            read_record(&document, given(body, "record"), &at, &request);
        }
    }
    if (status == LF_OK)
        status = conclude(findings, error);
    if (status == LF_OK)
        *ret_request = request;
    return status;
}

enum lf_status
lf_score_request_lead(struct lf_arena *arena, const struct lf_json *lead, const char *member,
                      struct lf_findings *findings, struct lf_score_request *request, struct lf_error *error)
{
    struct lf_document document = {.arena = arena, .findings = findings};
    struct lf_place root = LF_PLACE_ROOT, at = LF_PLACE_MEMBER(&root, member);
    enum lf_status status = read_lead(&document, lead, member[0] != '\0' ? &at : &root, request, error);

    return status != LF_OK ? status : conclude(findings, error);
}
