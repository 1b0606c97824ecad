/*
 * record.c - see record.h.
 *
 * record  = 3 (format), kept (enum lf_kept), varint results, result…, input to the end (none of NOTHING and ERASED)
 * result  = varint version_id, flags (1: shadow, 2: fields withheld, 4 and 8: the bytes are of format 1, 2), varint
 *           bytes that follow,
 *           attribute…, disqualifier byte…, missing, [withheld, answer…], (list answer byte, varint the list's
 *           revision)…
 * attribute = bits 0-1 status, 2 invalid, 3 a fit follows, 4 a missing field follows; varint rule + 1; varint field;
 *           [zigzag varint fit]; [varint missing]
 * missing, withheld = a bit for each of the definition's fields, the lowest of the first byte first: nothing stood in
 *           it; its value is not kept
 * answer  = half a byte, the lower half first: what a leaf about a withheld field came to, STATE_UNTESTED as 15
 * A fit is written only where fading has changed it; everywhere else it follows from the definition. Counts of
 * attributes, disqualifiers, fields, leaves and lists are those of the definition; leaves and lists stand in reading
 * order, once for each time that the definition asks them. A leaf that asks a list has its answer there alone.
 *
 * What of a lead is withheld takes nothing away from a repeat: where the value is not kept, the answers of the leaves
 * about it are, and whether it was there. Fading is the third thing that a value can do: the fit of a rule that matched
 * stands in its attribute, and of one whose date could not be read an attribute keeps no more than that it was invalid.
 *
 * The second format had 1 or 0 for kept (whole or not), no missing and nothing withheld. The first had no kept either
 * and no revisions. Results of both live on in the third where their lead was erased.
 */
#include "core/record.h"

#include "core/record_types.h"

#include <string.h>

enum {
    FLAG_SHADOW = 1, /* of a result */
    FLAG_WITHHELD = 2,
    FLAG_FORMATS = 12, /* an earlier format, times 4 */
    BIT_INVALID = 4,
    BIT_FIT = 8,
    BIT_MISSING = 16,
    VARINT_MAX = 10,
    ATTRIBUTE_MAX = 1 + 4 * VARINT_MAX,
    RESULTS_MAX = 10000
};

/* ---- writing ---- */

/* At most VARINT_MAX bytes; returns what is behind them. */
static inline uint8_t *
write_varint(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static void
put_varint(struct lf_buf *buf, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];

    lf_buf_add(buf, bytes, (size_t)(write_varint(bytes, value) - bytes));
}

void
lf_record_begin(struct lf_buf *buf, size_t count, enum lf_kept kept)
{
    lf_buf_char(buf, FORMAT);
    lf_buf_char(buf, (char)kept);
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

/* At most ATTRIBUTE_MAX bytes; returns what is behind them. */
static uint8_t *
write_attribute(uint8_t *to, const struct lf_attribute *attribute, const struct lf_attribute_outcome *outcome)
{
    bool fit = outcome->fit != plain_fit(attribute, outcome->status, outcome->rule);
    unsigned bits = (unsigned)outcome->status | (outcome->invalid ? BIT_INVALID : 0) | (fit ? BIT_FIT : 0) |
                    (outcome->missing != LF_NO_FIELD ? BIT_MISSING : 0);

    *to++ = (uint8_t)bits;
    to = write_varint(to, (uint64_t)(outcome->rule + 1));
    to = write_varint(to, outcome->field);
    if (fit)
        to = write_varint(to, (uint64_t)outcome->fit << 1 ^ (uint64_t)((int64_t)outcome->fit >> 63));
    return outcome->missing != LF_NO_FIELD ? write_varint(to, outcome->missing) : to;
}

static void
put_attributes(struct lf_buf *buf, const struct lf_icp *icp, const struct lf_attribute_outcome *outcomes)
{
    char *begin = lf_buf_reserve(buf, icp->attribute_count * ATTRIBUTE_MAX);
    uint8_t *to = (uint8_t *)begin;

    if (begin == NULL)
        return;
    for (size_t i = 0; i < icp->attribute_count; i++)
        to = write_attribute(to, &icp->attributes[i], &outcomes[i]);
    buf->len += (size_t)((char *)to - begin);
}

/* The withheld fields, and the answers of the leaves about them. */
static void
put_withheld(struct lf_buf *buf, const struct lf_evaluation *evaluation, const struct compiled_icp *compiled)
{
    unsigned pair = 0;

    lf_buf_add(buf, compiled->withheld, bits_size(compiled->source.icp->fields.count));
    for (size_t i = 0; i < compiled->withheld_leaf_count; i++) {
        unsigned half = evaluation->states[compiled->withheld_leaves[i]] & 15u;

        pair |= half << (i % 2 == 0 ? 0 : 4);
        if (i % 2 == 0 && i + 1 < compiled->withheld_leaf_count)
            continue;
        lf_buf_char(buf, (char)pair);
        pair = 0;
    }
}

static void
put_result_head(struct lf_buf *buf, int64_t version_id, unsigned flags)
{
    put_varint(buf, (uint64_t)version_id);
    lf_buf_char(buf, (char)flags);
}

void
lf_record_put_result(struct lf_buf *buf, const struct lf_evaluation *evaluation, size_t index,
                     const struct lf_outcome *outcome, bool shadow)
{
    const struct compiled_icp *compiled = &evaluation->program->icps[index];
    const struct lf_icp *icp = compiled->source.icp;
    struct lf_buf body;

    lf_buf_init(&body, evaluation->arena, 1 << 20);
    put_attributes(&body, icp, outcome->attributes);
    lf_buf_add(&body, outcome->disqualifiers, icp->disqualifier_count);
    lf_buf_add(&body, outcome->missing, bits_size(icp->fields.count));
    if (compiled->withholds)
        put_withheld(&body, evaluation, compiled);
    for (size_t i = 0; i < compiled->list_count; i++) {
        uint32_t leaf = compiled->lists[i];

        lf_buf_char(&body, (char)evaluation->states[leaf]);
        put_varint(&body, (uint64_t)list_revision(evaluation, evaluation->program->leaves[leaf].asked));
    }
    put_result_head(buf, compiled->source.version_id,
                    (shadow ? FLAG_SHADOW : 0) | (compiled->withholds ? FLAG_WITHHELD : 0));
    put_varint(buf, body.len);
    lf_buf_add(buf, body.data, body.len);
    if (lf_buf_failed(&body))
        buf->failed = true;
}

enum lf_status
lf_record_put_input(struct lf_buf *buf, const struct lf_evaluation *evaluation, const struct lf_json *lead,
                    const bool *wanted, const struct lf_privacy *privacy, struct lf_error *error)
{
    switch (lf_privacy_kept(privacy)) {
    case LF_KEPT_FIELDS:
    case LF_KEPT_HASHES:
        lf_evaluation_put_input(evaluation, lead, wanted, privacy, buf);
        break;
    case LF_KEPT_WHOLE:
        lf_privacy_put(privacy, lead, buf);
        break;
    case LF_KEPT_NOTHING:
    case LF_KEPT_ERASED:
        break;
    }
    return lf_buf_failed(buf) ? lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while recording a score") : LF_OK;
}

static unsigned
flags_of(const struct lf_recorded_result *result)
{
    return (result->shadow ? FLAG_SHADOW : 0) | (result->withheld ? FLAG_WITHHELD : 0) |
           (result->format != FORMAT ? result->format * 4u : 0);
}

void
lf_recorded_result_put(struct lf_buf *buf, const struct lf_recorded_result *result)
{
    put_result_head(buf, result->version_id, flags_of(result));
    lf_buf_add(buf, result->bytes, result->len);
}

/* ---- reading ---- */

uint8_t
record_get_byte(struct record_reader *reader)
{
    if (reader->at == reader->end) {
        reader->bad = true;
        return 0;
    }
    return *reader->at++;
}

uint64_t
record_get_varint(struct record_reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = record_get_byte(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    reader->bad = true;
    return 0;
}

enum lf_status
record_damaged(struct lf_error *error, const char *what)
{
    return lf_fail(error, LF_STORAGE_CORRUPT, "a recorded score is damaged: %s", what);
}

enum lf_status
record_out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a recorded score");
}

/* Reads a version's id and the flags. format: of the record. false: damaged. */
static bool
get_result_head(struct record_reader *reader, uint8_t format, struct lf_recorded_result *result)
{
    uint64_t version_id = record_get_varint(reader);
    unsigned flags = record_get_byte(reader), earlier = (flags & FLAG_FORMATS) / 4;

    if (reader->bad || version_id > INT64_MAX)
        return false;
    *result = (struct lf_recorded_result){
        .version_id = (int64_t)version_id,
        .shadow = (flags & FLAG_SHADOW) != 0,
        .withheld = (flags & FLAG_WITHHELD) != 0,
        .format = earlier != 0 ? (uint8_t)earlier : format,
    };
    return (flags & ~(unsigned)(FLAG_SHADOW | FLAG_WITHHELD | FLAG_FORMATS)) == 0 && earlier < FORMAT &&
           (!result->withheld || result->format == FORMAT) && (earlier == 0 || format == FORMAT);
}

/* Reads the beginning of a record: its format, and what of the lead is kept. false: it is none. */
static bool
get_head(struct record_reader *reader, uint8_t *ret_format, enum lf_kept *ret_kept)
{
    uint8_t format = record_get_byte(reader),
            kept = format == FORMAT_WITHOUT_REVISIONS ? LF_KEPT_FIELDS : record_get_byte(reader);

    *ret_format = format;
    *ret_kept = (enum lf_kept)kept;
    return !reader->bad && format >= FORMAT_WITHOUT_REVISIONS && format <= FORMAT &&
           kept <= (format == FORMAT ? LF_KEPT_ERASED : LF_KEPT_WHOLE);
}

enum lf_status
lf_record_read(struct lf_arena *arena, const void *bytes, size_t len, struct lf_record *ret_record,
               struct lf_error *error)
{
    struct record_reader reader = {.at = bytes, .end = (const uint8_t *)bytes + len};
    struct lf_record record = {.input = "{}", .input_len = 2};
    uint8_t format = 0;

    if (!get_head(&reader, &format, &record.kept))
        return record_damaged(error, "its format is unknown");
    record.result_count = record_get_varint(&reader);
    if (reader.bad || record.result_count == 0 || record.result_count > RESULTS_MAX)
        return record_damaged(error, "its number of results makes no sense");
    record.results = lf_arena_calloc(arena, record.result_count, sizeof *record.results);
    if (record.results == NULL)
        return record_out_of_memory(error);
    for (size_t i = 0; i < record.result_count; i++) {
        struct lf_recorded_result *result = &record.results[i];

        if (!get_result_head(&reader, format, result))
            return record_damaged(error, "a result does not begin as one");
        result->len = record_get_varint(&reader);
        if (reader.bad || result->len > (size_t)(reader.end - reader.at))
            return record_damaged(error, "a result is cut short");
        result->bytes = reader.at;
        reader.at += result->len;
    }
    if (record.kept != LF_KEPT_NOTHING && record.kept != LF_KEPT_ERASED) {
        record.input = (const char *)reader.at;
        record.input_len = (size_t)(reader.end - reader.at);
    } else if (reader.at != reader.end) {
        return record_damaged(error, "it has an input, of which nothing is kept");
    }
    *ret_record = record;
    return LF_OK;
}

enum lf_status
lf_recorded_result_read(const void *bytes, size_t len, struct lf_recorded_result *ret_result, struct lf_error *error)
{
    struct record_reader reader = {.at = bytes, .end = (const uint8_t *)bytes + len};
    struct lf_recorded_result result;

    if (!get_result_head(&reader, FORMAT, &result))
        return record_damaged(error, "a result does not begin as one");
    result.bytes = reader.at;
    result.len = (size_t)(reader.end - reader.at);
    *ret_result = result;
    return LF_OK;
}

enum lf_status
lf_record_anonymise(struct lf_buf *buf, const void *bytes, size_t len, struct lf_error *error)
{
    struct record_reader reader = {.at = bytes, .end = (const uint8_t *)bytes + len};
    enum lf_kept kept = LF_KEPT_ERASED;
    uint64_t count = 0;
    uint8_t format = 0;

    if (!get_head(&reader, &format, &kept))
        return record_damaged(error, "its format is unknown");
    count = record_get_varint(&reader);
    if (reader.bad || count == 0 || count > RESULTS_MAX)
        return record_damaged(error, "its number of results makes no sense");
    lf_record_begin(buf, count, LF_KEPT_ERASED);
    for (uint64_t i = 0; i < count; i++) {
        struct lf_recorded_result result;

        if (!get_result_head(&reader, format, &result))
            return record_damaged(error, "a result does not begin as one");
        result.len = record_get_varint(&reader);
        if (reader.bad || result.len > (size_t)(reader.end - reader.at))
            return record_damaged(error, "a result is cut short");
        put_result_head(buf, result.version_id, flags_of(&result));
        put_varint(buf, result.len);
        lf_buf_add(buf, reader.at, result.len);
        reader.at += result.len;
    }
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
        return record_damaged(error, "its input is not a lead");
    return status == LF_OK || status == LF_OUT_OF_MEMORY ? status : record_damaged(error, "its input cannot be read");
}

static bool
get_attribute(struct record_reader *reader, const struct lf_icp *icp, const struct lf_attribute *attribute,
              struct lf_attribute_outcome *outcome)
{
    unsigned bits = record_get_byte(reader);
    uint64_t rule = record_get_varint(reader), field = record_get_varint(reader), fit = 0, missing = LF_NO_FIELD;

    if ((bits & BIT_FIT) != 0)
        fit = record_get_varint(reader);
    if ((bits & BIT_MISSING) != 0)
        missing = record_get_varint(reader);
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

/* Reads past the attributes, keeping them where outcomes is not NULL. */
bool
record_get_attributes(struct record_reader *reader, const struct lf_icp *icp, struct lf_attribute_outcome *outcomes)
{
    struct lf_attribute_outcome passed;

    for (size_t i = 0; i < icp->attribute_count; i++)
        if (!get_attribute(reader, icp, &icp->attributes[i], outcomes != NULL ? &outcomes[i] : &passed))
            return false;
    return (size_t)(reader->end - reader->at) >= icp->disqualifier_count;
}

/* A bit for each of the definition's fields, borrowed; NULL: damaged. */
const uint8_t *
record_get_bits(struct record_reader *reader, const struct lf_icp *icp)
{
    size_t count = icp->fields.count, size = bits_size(count);
    const uint8_t *bits = reader->at;

    if ((size_t)(reader->end - reader->at) < size || (count % 8 != 0 && bits[size - 1] >> count % 8 != 0))
        return NULL;
    reader->at += size;
    return bits;
}

enum lf_status
lf_record_outcome(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_recorded_result *result,
                  const struct lf_outcome **ret_outcome, struct lf_error *error)
{
    struct record_reader reader = {.at = result->bytes, .end = result->bytes + result->len};
    struct lf_outcome *outcome = lf_arena_calloc(arena, 1, sizeof *outcome);
    size_t size = bits_size(icp->fields.count);
    const uint8_t *missing = NULL;

    if (outcome == NULL ||
        (outcome->attributes = lf_arena_calloc(arena, icp->attribute_count, sizeof *outcome->attributes)) == NULL ||
        (outcome->disqualifiers = lf_arena_calloc(arena, icp->disqualifier_count + size, 1)) == NULL)
        return record_out_of_memory(error);
    if (!record_get_attributes(&reader, icp, outcome->attributes))
        return record_damaged(error, "an attribute does not belong to its definition");
    for (size_t i = 0; i < icp->disqualifier_count; i++) {
        outcome->disqualifiers[i] = record_get_byte(&reader);
        if (outcome->disqualifiers[i] > LF_VERDICT_UNKNOWN)
            return record_damaged(error, "a disqualifier does not belong to its definition");
    }
    if (result->format == FORMAT) {
        missing = record_get_bits(&reader, icp);
        if (missing == NULL)
            return record_damaged(error, "its fields are not those of its definition");
        outcome->missing = outcome->disqualifiers + icp->disqualifier_count;
        memcpy(outcome->missing, missing, size);
    }
    *ret_outcome = outcome;
    return LF_OK;
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
    return (icp->disqualifier_count == 0 || memcmp(a->disqualifiers, b->disqualifiers, icp->disqualifier_count) == 0) &&
           (a->missing == NULL || b->missing == NULL ||
            memcmp(a->missing, b->missing, bits_size(icp->fields.count)) == 0);
}
