/* difference.c - see difference.h. */
#include "app/difference.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

enum { WORDS_MAX = 4096, PATH_MAX_BYTES = 16 << 20, PATH_TOLD = 200 /* characters */ };

static const char NONE[] = "";

/* ---- outcomes ---- */

static void
put_status(struct lf_buf *buf, const struct lf_attribute *attribute, const struct lf_attribute_outcome *outcome)
{
    static const char *const WORDS[] = {"matched ", "unmatched", "unknown"};

    lf_buf_text(buf, WORDS[outcome->status]);
    if (outcome->status == LF_ATTRIBUTE_MATCHED)
        lf_buf_text(buf, attribute->rules[outcome->rule].label);
}

static const char *
field_name(const struct lf_icp *icp, uint32_t field)
{
    return field != LF_NO_FIELD ? icp->fields.paths[field] : "no field";
}

/* Puts what differs; nothing where nothing does. */
static void
put_attribute(struct lf_buf *buf, const struct lf_icp *icp, size_t at, const struct lf_attribute_outcome *was,
              const struct lf_attribute_outcome *now)
{
    const struct lf_attribute *attribute = &icp->attributes[at];
    size_t begin = buf->len, head = 0;

    lf_buf_text(buf, attribute->key);
    lf_buf_lit(buf, ": ");
    head = buf->len;
    if (was->status != now->status || was->rule != now->rule || was->fit != now->fit) {
        put_status(buf, attribute, was);
        if (was->status == now->status && was->rule == now->rule) {
            lf_buf_lit(buf, " with a fit of ");
            lf_buf_decimal(buf, was->fit, 6);
        }
        lf_buf_lit(buf, ", now ");
        if (was->status == now->status && was->rule == now->rule)
            lf_buf_decimal(buf, now->fit, 6);
        else
            put_status(buf, attribute, now);
    } else if (was->field != now->field) {
        lf_buf_printf(buf, "decided by %s, now by %s", field_name(icp, was->field), field_name(icp, now->field));
    } else if (was->missing != now->missing) {
        lf_buf_printf(buf, "for want of %s, now of %s", field_name(icp, was->missing), field_name(icp, now->missing));
    } else if (was->invalid != now->invalid) {
        lf_buf_text(buf, was->invalid ? "not readable as the rules need it, now it is"
                                      : "readable as the rules need it, now it is not");
    }
    if (buf->len == head)
        buf->len = begin;
}

const char *
lf_outcome_difference(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_outcome *recorded,
                      const struct lf_outcome *computed)
{
    static const char *const VERDICTS[] = {"false", "true", "unknown"};
    struct lf_buf buf;

    lf_buf_init(&buf, arena, WORDS_MAX);
    for (size_t i = 0; i < icp->attribute_count && buf.len == 0 && !lf_buf_failed(&buf); i++)
        put_attribute(&buf, icp, i, &recorded->attributes[i], &computed->attributes[i]);
    for (size_t i = 0; i < icp->disqualifier_count && buf.len == 0; i++)
        if (recorded->disqualifiers[i] != computed->disqualifiers[i])
            lf_buf_printf(&buf, "disqualifier %s: %s, now %s", icp->disqualifiers[i].key,
                          VERDICTS[recorded->disqualifiers[i]], VERDICTS[computed->disqualifiers[i]]);
    for (size_t i = 0; i < icp->fields.count && buf.len == 0 && recorded->missing != NULL && computed->missing != NULL;
         i++) {
        bool was = (recorded->missing[i / 8] >> i % 8 & 1) != 0, now = (computed->missing[i / 8] >> i % 8 & 1) != 0;

        if (was != now)
            lf_buf_printf(&buf, "%s: %s, now %s", icp->fields.paths[i], was ? "missing" : "there",
                          now ? "missing" : "there");
    }
    return lf_buf_terminate(&buf);
}

/* ---- leads ---- */

struct comparing {
    const struct lf_unkept *unkept;
    struct lf_buf path;
    const char *how; /* the first difference, "" for none; it is at the path */
};

/* Whether one path is the other, or stands above it. */
static bool
is_on(const char *above, const char *path)
{
    size_t len = strlen(above);

    return strncmp(above, path, len) == 0 && (path[len] == '\0' || path[len] == '.');
}

/* Whether the given lead may have what stands at the path, and the stored one not. */
static bool
may_be_extra(struct comparing *comparing)
{
    const struct lf_unkept *unkept = comparing->unkept;
    const char *path = lf_buf_terminate(&comparing->path);

    if (path == NULL || lf_privacy_never(unkept->privacy, path))
        return true;
    for (size_t i = 0; i < unkept->count; i++)
        if (is_on(unkept->fields[i], path) || is_on(path, unkept->fields[i]))
            return true;
    return false;
}

static bool
same_scalar(const struct lf_json *stored, const struct lf_json *given)
{
    const char *digits = lf_json_long_digits(stored), *more = lf_json_long_digits(given), *text = NULL, *other = NULL;
    size_t len = 0, other_len = 0;

    switch (lf_json_kind(stored)) {
    case LF_JSON_BOOLEAN:
        return lf_json_is_true(stored) == lf_json_is_true(given);
    case LF_JSON_NUMBER:
        return digits != NULL && more != NULL ? strcmp(digits, more) == 0
                                              : lf_json_number(stored) == lf_json_number(given);
    case LF_JSON_TEXT:
        text = lf_json_text(stored, &len);
        other = lf_json_text(given, &other_len);
        return len == other_len && memcmp(text, other, len) == 0;
    case LF_JSON_ABSENT:
    case LF_JSON_NULL:
    case LF_JSON_ARRAY:
    case LF_JSON_OBJECT:
        return true;
    }
    return true;
}

static void compare(struct comparing *comparing, const struct lf_json *stored, const struct lf_json *given);

/* Compares what stands below a name, and leaves the path at it where that differs. */
static void
compare_member(struct comparing *comparing, const char *name, const struct lf_json *stored, const struct lf_json *given)
{
    size_t begin = comparing->path.len;

    if (begin > 0)
        lf_buf_lit(&comparing->path, ".");
    lf_buf_text(&comparing->path, name);
    if (given == NULL)
        comparing->how = "is missing";
    else if (stored != NULL)
        compare(comparing, stored, given);
    else if (!may_be_extra(comparing))
        comparing->how = "was not there";
    if (comparing->how[0] == '\0' && !lf_buf_failed(&comparing->path))
        comparing->path.len = begin;
}

/* As deep as a lead is let in. Members mostly stand in the same order: looked up is only what does not. */
static void
compare_objects(struct comparing *comparing, const struct lf_json *stored, const struct lf_json *given)
{
    const struct lf_json *beside = lf_json_first(given);

    for (const struct lf_json *at = lf_json_first(stored); at != NULL && comparing->how[0] == '\0';
         at = lf_json_next(at), beside = lf_json_next(beside)) {
        bool same = beside != NULL && strcmp(lf_json_name(beside), lf_json_name(at)) == 0;

        compare_member(comparing, lf_json_name(at), at, same ? beside : lf_json_member(given, lf_json_name(at)));
    }
    beside = lf_json_first(stored);
    for (const struct lf_json *at = lf_json_first(given); at != NULL && comparing->how[0] == '\0';
         at = lf_json_next(at), beside = lf_json_next(beside))
        if ((beside == NULL || strcmp(lf_json_name(beside), lf_json_name(at)) != 0) &&
            lf_json_member(stored, lf_json_name(at)) == NULL)
            compare_member(comparing, lf_json_name(at), NULL, at);
}

static void
compare(struct comparing *comparing, const struct lf_json *stored, const struct lf_json *given)
{
    const struct lf_json *beside = lf_json_first(given);

    if (lf_json_kind(stored) != lf_json_kind(given)) {
        comparing->how = "differs";
    } else if (lf_json_kind(stored) == LF_JSON_OBJECT) {
        compare_objects(comparing, stored, given);
    } else if (lf_json_kind(stored) == LF_JSON_ARRAY) {
        for (const struct lf_json *at = lf_json_first(stored);
             (at != NULL || beside != NULL) && comparing->how[0] == '\0';
             at = lf_json_next(at), beside = lf_json_next(beside)) {
            if (at == NULL || beside == NULL)
                comparing->how = "differs";
            else
                compare(comparing, at, beside);
        }
    } else if (!same_scalar(stored, given)) {
        comparing->how = "differs";
    }
}

const char *
lf_lead_difference(struct lf_arena *arena, const struct lf_json *stored, const struct lf_json *given,
                   const struct lf_unkept *unkept)
{
    struct comparing comparing = {.unkept = unkept, .how = NONE};
    const char *path = NULL;

    lf_buf_init(&comparing.path, arena, PATH_MAX_BYTES);
    compare(&comparing, stored, given);
    path = lf_buf_terminate(&comparing.path);
    if (path == NULL || comparing.how[0] == '\0')
        return path == NULL ? NULL : NONE;
    comparing.path.len = lf_text_prefix(path, comparing.path.len, PATH_TOLD);
    lf_buf_lit(&comparing.path, " ");
    lf_buf_text(&comparing.path, comparing.how);
    return lf_buf_terminate(&comparing.path);
}
