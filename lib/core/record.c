/*
 * record.c - see record.h.
 *
 * record  = 2 (format), flags (1: whole), varint results, result…, input to the end
 * result  = varint version_id, flags (1: shadow), varint bytes that follow,
 *           attribute…, disqualifier byte…, (list answer byte, varint the list's revision)…
 * attribute = bits 0-1 status, 2 invalid, 3 a fit follows, 4 a missing field follows; varint rule + 1; varint field;
 *           [zigzag varint fit]; [varint missing]
 * A fit is written only where fading has changed it; everywhere else it follows from the definition.
 * Counts of attributes, disqualifiers and lists are those of the definition; a list is asked once for each condition.
 *
 * The first format had 1 for its format, no flags of the whole, and no revisions.
 */
#include "core/record.h"

#include "core/program_types.h"

#include <string.h>

enum {
    FORMAT_WITHOUT_REVISIONS = 1,
    FORMAT = 2,
    FLAG_WHOLE = 1,  /* of a record */
    FLAG_SHADOW = 1, /* of a result */
    BIT_INVALID = 4,
    BIT_FIT = 8,
    BIT_MISSING = 16,
    RESULTS_MAX = 10000
};

/* ---- writing ---- */

static void
put_varint(struct lf_buf *buf, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;

    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    lf_buf_add(buf, bytes, len);
}

void
lf_record_begin(struct lf_buf *buf, size_t count, bool whole)
{
    lf_buf_char(buf, FORMAT);
    lf_buf_char(buf, whole ? FLAG_WHOLE : 0);
    put_varint(buf, count);
}

/* The fit that an outcome has when nothing fades. */
static int32_t
plain_fit(const struct lf_attribute *attribute, enum lf_attribute_status status, int rule)
{
    switch (status) {
    case LF_ATTRIBUTE_MATCHED:
        return attribute->rules[rule].fit;
    case LF_ATTRIBUTE_UNMATCHED:
        return attribute->otherwise;
    case LF_ATTRIBUTE_UNKNOWN:
        return attribute->skip_missing ? 0 : attribute->missing;
    }
    return 0;
}

static void
put_attribute(struct lf_buf *buf, const struct lf_attribute *attribute, const struct lf_attribute_outcome *outcome)
{
    bool fit = outcome->fit != plain_fit(attribute, outcome->status, outcome->rule);
    unsigned bits = (unsigned)outcome->status | (outcome->invalid ? BIT_INVALID : 0) | (fit ? BIT_FIT : 0) |
                    (outcome->missing != LF_NO_FIELD ? BIT_MISSING : 0);

    lf_buf_char(buf, (char)bits);
    put_varint(buf, (uint64_t)(outcome->rule + 1));
    put_varint(buf, outcome->field);
    if (fit)
        put_varint(buf, (uint64_t)outcome->fit << 1 ^ (uint64_t)((int64_t)outcome->fit >> 63));
    if (outcome->missing != LF_NO_FIELD)
        put_varint(buf, outcome->missing);
}

void
lf_record_put_result(struct lf_buf *buf, const struct lf_evaluation *evaluation, size_t index,
                     const struct lf_outcome *outcome, bool shadow)
{
    const struct compiled_icp *compiled = &evaluation->program->icps[index];
    const struct lf_icp *icp = compiled->source.icp;
    struct lf_buf body;

    lf_buf_init(&body, evaluation->arena, 1 << 20);
    for (size_t i = 0; i < icp->attribute_count; i++)
        put_attribute(&body, &icp->attributes[i], &outcome->attributes[i]);
    lf_buf_add(&body, outcome->disqualifiers, icp->disqualifier_count);
    for (size_t i = 0; i < compiled->list_count; i++) {
        uint32_t leaf = compiled->lists[i];

        lf_buf_char(&body, (char)evaluation->states[leaf]);
        put_varint(&body, (uint64_t)list_revision(evaluation, evaluation->program->leaves[leaf].asked));
    }
    put_varint(buf, (uint64_t)compiled->source.version_id);
    lf_buf_char(buf, shadow ? FLAG_SHADOW : 0);
    put_varint(buf, body.len);
    lf_buf_add(buf, body.data, body.len);
    if (lf_buf_failed(&body))
        buf->failed = true;
}

void
lf_record_put_input(struct lf_buf *buf, const struct lf_evaluation *evaluation, const struct lf_json *lead,
                    const bool *wanted, bool whole)
{
    if (whole)
        lf_json_put_tree(buf, lead);
    else
        lf_evaluation_put_input(evaluation, lead, wanted, buf);
}

/* ---- reading ---- */

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static uint8_t
get_byte(struct reader *reader)
{
    if (reader->at == reader->end) {
        reader->bad = true;
        return 0;
    }
    return *reader->at++;
}

static uint64_t
get_varint(struct reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = get_byte(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    reader->bad = true;
    return 0;
}

static enum lf_status
damaged(struct lf_error *error, const char *what)
{
    return lf_fail(error, LF_STORAGE_CORRUPT, "a recorded score is damaged: %s", what);
}

enum lf_status
lf_record_read(struct lf_arena *arena, const void *bytes, size_t len, struct lf_record *ret_record,
               struct lf_error *error)
{
    struct reader reader = {.at = bytes, .end = (const uint8_t *)bytes + len};
    struct lf_record record = {0};
    uint8_t format = get_byte(&reader), flags = format == FORMAT ? get_byte(&reader) : 0;

    if ((format != FORMAT && format != FORMAT_WITHOUT_REVISIONS) || (flags & ~FLAG_WHOLE) != 0)
        return damaged(error, "its format is unknown");
    record.whole = (flags & FLAG_WHOLE) != 0;
    record.result_count = get_varint(&reader);
    if (reader.bad || record.result_count == 0 || record.result_count > RESULTS_MAX)
        return damaged(error, "its number of results makes no sense");
    record.results = lf_arena_calloc(arena, record.result_count, sizeof *record.results);
    if (record.results == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a recorded score");
    for (size_t i = 0; i < record.result_count; i++) {
        struct lf_recorded_result *result = &record.results[i];
        result->revisions = format != FORMAT_WITHOUT_REVISIONS;
        result->version_id = (int64_t)get_varint(&reader);
        result->shadow = (get_byte(&reader) & FLAG_SHADOW) != 0;
        result->len = get_varint(&reader);
        if (reader.bad || result->len > (size_t)(reader.end - reader.at))
            return damaged(error, "a result is cut short");
        result->bytes = reader.at;
        reader.at += result->len;
    }
    record.input = (const char *)reader.at;
    record.input_len = (size_t)(reader.end - reader.at);
    *ret_record = record;
    return LF_OK;
}

/* The input was let in as a lead once, and written anew (1e20 takes more room then): its size is no fault now. */
enum lf_status
lf_record_parse_input(struct lf_arena *arena, const struct lf_record *record, const struct lf_json **ret_input,
                      struct lf_error *error)
{
    struct lf_json_limits limits = LF_JSON_DOCUMENT_LIMITS;
    enum lf_status status = LF_OK;

    limits.bytes = SIZE_MAX;
    status = lf_json_parse(arena, record->input, record->input_len, &limits, ret_input, error);
    if (status == LF_OK && lf_json_kind(*ret_input) != LF_JSON_OBJECT)
        return damaged(error, "its input is not a lead");
    return status == LF_OK || status == LF_OUT_OF_MEMORY ? status : damaged(error, "its input cannot be read");
}

static bool
get_attribute(struct reader *reader, const struct lf_icp *icp, const struct lf_attribute *attribute,
              struct lf_attribute_outcome *outcome)
{
    unsigned bits = get_byte(reader);
    uint64_t rule = get_varint(reader), field = get_varint(reader), fit = 0, missing = LF_NO_FIELD;

    if ((bits & BIT_FIT) != 0)
        fit = get_varint(reader);
    if ((bits & BIT_MISSING) != 0)
        missing = get_varint(reader);
    if (reader->bad || (bits & 3) > LF_ATTRIBUTE_UNKNOWN || rule > attribute->rule_count ||
        field >= icp->fields.count || (missing != LF_NO_FIELD && missing >= icp->fields.count) ||
        ((bits & 3) == LF_ATTRIBUTE_MATCHED) != (rule > 0))
        return false;
    *outcome = (struct lf_attribute_outcome){
        .status = (enum lf_attribute_status)(bits & 3),
        .invalid = (bits & BIT_INVALID) != 0,
        .rule = (int)rule - 1,
        .field = (uint32_t)field,
        .missing = (uint32_t)missing,
    };
    outcome->fit = plain_fit(attribute, outcome->status, outcome->rule);
    if ((bits & BIT_FIT) != 0) {
        int64_t value = (int64_t)(fit >> 1) ^ -(int64_t)(fit & 1);

        if (value < -LF_FIT_ONE || value > LF_FIT_ONE)
            return false;
        outcome->fit = (int32_t)value;
    }
    return true;
}

/* Reads past the attributes, keeping them where outcome is not NULL. */
static bool
get_attributes(struct reader *reader, const struct lf_icp *icp, struct lf_attribute_outcome *outcomes)
{
    struct lf_attribute_outcome passed;

    for (size_t i = 0; i < icp->attribute_count; i++)
        if (!get_attribute(reader, icp, &icp->attributes[i], outcomes != NULL ? &outcomes[i] : &passed))
            return false;
    return (size_t)(reader->end - reader->at) >= icp->disqualifier_count;
}

enum lf_status
lf_record_outcome(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_recorded_result *result,
                  const struct lf_outcome **ret_outcome, struct lf_error *error)
{
    struct reader reader = {.at = result->bytes, .end = result->bytes + result->len};
    struct lf_outcome *outcome = lf_arena_calloc(arena, 1, sizeof *outcome);

    if (outcome == NULL ||
        (outcome->attributes = lf_arena_calloc(arena, icp->attribute_count, sizeof *outcome->attributes)) == NULL ||
        (outcome->disqualifiers = lf_arena_calloc(arena, icp->disqualifier_count, 1)) == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a recorded score");
    if (!get_attributes(&reader, icp, outcome->attributes))
        return damaged(error, "an attribute does not belong to its definition");
    for (size_t i = 0; i < icp->disqualifier_count; i++) {
        outcome->disqualifiers[i] = get_byte(&reader);
        if (outcome->disqualifiers[i] > LF_VERDICT_UNKNOWN)
            return damaged(error, "a disqualifier does not belong to its definition");
    }
    *ret_outcome = outcome;
    return LF_OK;
}

/* Whether a leaf can have answered this, or was not asked. */
static bool
is_state(uint8_t state)
{
    bool caused = (state & (STATE_MISSING | STATE_INVALID)) != 0;

    return state == STATE_FALSE || state == STATE_TRUE || state == STATE_UNTESTED ||
           (caused && (state & ~(STATE_MISSING | STATE_INVALID)) == STATE_UNKNOWN);
}

/* Gives the evaluation revisions of its own, at first those that the program's lists have. */
static bool
own_revisions(struct lf_evaluation *evaluation)
{
    size_t count = evaluation->program->list_count;
    int64_t *revisions = NULL;

    if (evaluation->revisions != NULL)
        return true;
    revisions = lf_arena_alloc(evaluation->arena, count * sizeof *revisions);
    for (size_t i = 0; revisions != NULL && i < count; i++)
        revisions[i] = list_revision(evaluation, (uint32_t)i);
    evaluation->revisions = revisions;
    return revisions != NULL;
}

enum lf_status
lf_record_restore_lists(struct lf_evaluation *evaluation, size_t index, const struct lf_recorded_result *result,
                        struct lf_error *error)
{
    const struct compiled_icp *compiled = &evaluation->program->icps[index];
    struct reader reader = {.at = result->bytes, .end = result->bytes + result->len};

    if (!get_attributes(&reader, compiled->source.icp, NULL))
        return damaged(error, "an attribute does not belong to its definition");
    reader.at += compiled->source.icp->disqualifier_count;
    if (compiled->list_count > 0 && !own_revisions(evaluation))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a recorded score");
    for (size_t i = 0; i < compiled->list_count; i++) {
        uint32_t leaf = compiled->lists[i];
        uint8_t state = get_byte(&reader);
        uint64_t revision = result->revisions ? get_varint(&reader) : 0;

        if (reader.bad || !is_state(state) || revision > INT64_MAX)
            return damaged(error, "a list's answer is none");
        evaluation->states[leaf] = state;
        evaluation->revisions[evaluation->program->leaves[leaf].asked] = (int64_t)revision;
    }
    return reader.at == reader.end ? LF_OK : damaged(error, "its lists are not those of its definition");
}

bool
lf_outcome_equal(const struct lf_icp *icp, const struct lf_outcome *a, const struct lf_outcome *b)
{
    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute_outcome *x = &a->attributes[i], *y = &b->attributes[i];
        if (x->status != y->status || x->invalid != y->invalid || x->rule != y->rule || x->fit != y->fit ||
            x->field != y->field || x->missing != y->missing)
            return false;
    }
    return icp->disqualifier_count == 0 || memcmp(a->disqualifiers, b->disqualifiers, icp->disqualifier_count) == 0;
}
