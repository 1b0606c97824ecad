/*
 * advice.c - see advice.h.
 *
 * The leads are walked once: every path that holds something is looked up among the fields that the definition reads
 * and, of leads that were stored whole, noted as a field that there is. A lead that was not stored whole still tells of
 * the fields that the versions it was scored under read. Field names come from outside: how many are noted is bounded,
 * and the table is seeded anew each time.
 */
#include "app/advice.h"

#include "app/coverage.h"
#include "app/profiles.h"
#include "app/replay.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum {
    VAGUE_PCT = 80,
    PATHS_MAX = 4096, /* of leads, for "did you mean" */
    PATH_MAX_BYTES = 200,
    SCRATCH_CHUNK = 1 << 16,
    SCRATCH_MAX = 256 << 20,
    DETAIL_NUMBER_MAX = 32,
    MEANT_MAX = 100, /* fields for which the nearest one is sought: it is compared with each that leads have */
};

/* A path that the definition reads, or that leads have. */
struct path {
    const char *name; /* NULL: a free place */
    size_t len;
    uint64_t hash;
    struct lf_text folded;
    bool field;     /* the definition reads it */
    bool value;     /* a lead has it with a value, not only with something inside */
    size_t leads;   /* that had it */
    size_t looked;  /* leads that would show it */
    size_t counted; /* the last lead that was counted, from 1 */
};

struct paths {
    struct path *slots; /* open addressing, less than half full */
    size_t mask, count;
    uint64_t seed[2];
};

struct looking {
    const struct lf_icp *icp;
    struct lf_arena *scratch; /* goes when the run ends */
    struct lf_profiles *profiles;
    struct lf_coverage coverage; /* of the lead at hand */
    struct paths paths;
    struct path **fields; /* by field of the definition */
    size_t lead;          /* the lead at hand, from 1 */
    bool whole;           /* it was stored whole */
    size_t judged, tops;  /* leads with all that the definition reads; of these in the top grade */
    char path[PATH_MAX_BYTES + 1];
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking at recorded leads");
}

/* ---- paths ---- */

static struct path *
find_path(const struct paths *paths, const char *name, size_t len, uint64_t *ret_hash)
{
    uint64_t hash = lf_text_hash(name, len, paths->seed);
    size_t at = (size_t)hash & paths->mask;

    while (paths->slots[at].name != NULL && !(paths->slots[at].hash == hash && paths->slots[at].len == len &&
                                              memcmp(paths->slots[at].name, name, len) == 0))
        at = (at + 1) & paths->mask;
    *ret_hash = hash;
    return &paths->slots[at];
}

/* The path's entry, made where it is new. NULL: out of memory. */
static struct path *
add_path(struct lf_arena *arena, struct paths *paths, const char *name, size_t len)
{
    struct path path = {.len = len}, *place = find_path(paths, name, len, &path.hash);

    if (place->name != NULL)
        return place;
    path.name = lf_arena_copy(arena, name, len);
    if (path.name == NULL || !lf_text_fold(arena, name, len, &path.folded))
        return NULL;
    *place = path;
    paths->count++;
    return place;
}

static bool
prepare_paths(struct looking *looking)
{
    size_t fields = looking->icp->fields.count, slots = 64;

    while (slots < 2 * (fields + PATHS_MAX))
        slots *= 2;
    looking->paths.mask = slots - 1;
    looking->paths.slots = lf_arena_calloc(looking->scratch, slots, sizeof *looking->paths.slots);
    looking->fields = lf_arena_calloc(looking->scratch, fields, sizeof(struct path *));
    if (looking->paths.slots == NULL || looking->fields == NULL)
        return false;
    for (size_t i = 0; i < fields; i++) {
        const char *name = looking->icp->fields.paths[i];

        looking->fields[i] = add_path(looking->scratch, &looking->paths, name, strlen(name));
        if (looking->fields[i] == NULL)
            return false;
        looking->fields[i]->field = true;
    }
    return true;
}

/* Notes that the lead at hand has something at the path. false: out of memory. */
static bool
note_path(struct looking *looking, size_t len, bool value)
{
    uint64_t hash = 0;
    struct path *path = find_path(&looking->paths, looking->path, len, &hash);

    if (path->name == NULL) {
        if (!value || !looking->whole || looking->paths.count >= looking->icp->fields.count + PATHS_MAX)
            return true;
        path = add_path(looking->scratch, &looking->paths, looking->path, len);
        if (path == NULL)
            return false;
    }
    path->value = path->value || value;
    path->leads += path->counted != looking->lead;
    path->counted = looking->lead;
    return true;
}

/* ---- a lead ---- */

/* Whether a list holds anything but objects, which a path goes on into. */
static bool
holds_values(const struct lf_json *array)
{
    for (const struct lf_json *at = lf_json_first(array); at != NULL; at = lf_json_next(at))
        if (lf_json_kind(at) != LF_JSON_OBJECT)
            return true;
    return false;
}

static bool walk(struct looking *looking, const struct lf_json *object, size_t len, bool through_list);

/* What stands at the path of `len` bytes. A field is missing exactly when `exists` would say so: behind a list null and
 * "" are elements of what was found. */
static bool
walk_value(struct looking *looking, const struct lf_json *value, size_t len, bool through_list)
{
    size_t text_len = 0;

    switch (lf_json_kind(value)) {
    case LF_JSON_ABSENT:
        return true;
    case LF_JSON_NULL:
        return !through_list || note_path(looking, len, false);
    case LF_JSON_TEXT:
        (void)lf_json_text(value, &text_len);
        return (text_len == 0 && !through_list) || note_path(looking, len, text_len > 0);
    case LF_JSON_BOOLEAN:
    case LF_JSON_NUMBER:
        return note_path(looking, len, true);
    case LF_JSON_OBJECT:
        return note_path(looking, len, false) && walk(looking, value, len, through_list);
    case LF_JSON_ARRAY:
        if (lf_json_first(value) == NULL)
            return true;
        if (!note_path(looking, len, holds_values(value)))
            return false;
        for (const struct lf_json *at = lf_json_first(value); at != NULL; at = lf_json_next(at))
            if (lf_json_kind(at) == LF_JSON_OBJECT && !walk(looking, at, len, true))
                return false;
        return true;
    }
    return true;
}

/* The members of an object at the path of `len` bytes (0: the lead itself). As deep as a path may be long: names that
 * are empty or hold a dot are on no path. */
static bool
walk(struct looking *looking, const struct lf_json *object, size_t len, bool through_list)
{
    for (const struct lf_json *value = lf_json_first(object); value != NULL; value = lf_json_next(value)) {
        const char *name = lf_json_name(value);
        size_t name_len = strlen(name), begin = len > 0 ? len + 1 : 0;

        if (name_len == 0 || name_len > PATH_MAX_BYTES || begin + name_len > PATH_MAX_BYTES ||
            memchr(name, '.', name_len) != NULL)
            continue;
        if (len > 0)
            looking->path[len] = '.';
        memcpy(looking->path + begin, name, name_len);
        if (!walk_value(looking, value, begin + name_len, through_list))
            return false;
    }
    return true;
}

/* ---- the leads ---- */

static enum lf_status
judge(struct looking *looking, const struct lf_replayed *lead, struct lf_arena *arena, struct lf_error *error)
{
    struct lf_evaluation *evaluation =
        lf_evaluation_create(looking->profiles->program, arena, lead->input, lead->score->as_of_ms);
    const struct lf_outcome *outcome = evaluation == NULL ? NULL : lf_evaluate(evaluation, 0);
    struct lf_score score;

    if (outcome == NULL || !lf_score_outcome(looking->profiles->items[0].scorer, outcome, arena, &score))
        return out_of_memory(error);
    looking->judged++;
    looking->tops += score.qualified && score.grade == 0;
    return LF_OK;
}

/* Leads whose values were stored, or some of them. */
static enum lf_status
counts(void *context, const struct lf_record *record, bool *ret_counts, struct lf_error *error)
{
    (void)context;
    (void)error;
    *ret_counts = record->kept == LF_KEPT_WHOLE || record->kept == LF_KEPT_FIELDS;
    return LF_OK;
}

static enum lf_status
look_at_lead(void *context, const struct lf_replayed *lead, struct lf_arena *arena, struct lf_error *error)
{
    struct looking *looking = context;
    bool all = true;
    enum lf_status status = lf_coverage_look(&looking->coverage, lead->record, error);

    if (status != LF_OK)
        return status;
    looking->lead++;
    looking->whole = lead->record->kept == LF_KEPT_WHOLE;
    for (size_t f = 0; f < looking->icp->fields.count; f++) {
        looking->fields[f]->looked += looking->coverage.fields[f];
        all = all && looking->coverage.fields[f];
    }
    if (!walk(looking, lead->input, 0, false))
        return out_of_memory(error);
    return all ? judge(looking, lead, arena, error) : LF_OK;
}

/* ---- what is said ---- */

/* "1,234". */
static const char *
count_text(char text[DETAIL_NUMBER_MAX], size_t count)
{
    if (count < 1000)
        (void)snprintf(text, DETAIL_NUMBER_MAX, "%zu", count);
    else
        (void)snprintf(text, DETAIL_NUMBER_MAX, "%zu,%03zu", count / 1000, count % 1000);
    return text;
}

/* Adds an item; texts that are NULL mean that memory is out. */
static bool
say(struct lf_lint *lint, enum lf_lint_severity severity, const char *code, const char *pointer, const char *detail,
    const char *fix)
{
    struct lf_lint_item item = {severity, code, pointer, detail, fix};

    return pointer != NULL && detail != NULL && fix != NULL && lf_lint_add(lint, &item);
}

static bool
say_vague(const struct looking *looking, struct lf_lint *lint)
{
    const struct lf_icp *icp = looking->icp;
    char tops[DETAIL_NUMBER_MAX], judged[DETAIL_NUMBER_MAX];
    struct lf_buf share, least;

    if (looking->judged < LF_ADVICE_LEADS_LEAST || looking->tops * 100 <= looking->judged * VAGUE_PCT)
        return true;
    lf_buf_init(&share, lint->arena, 32);
    lf_buf_init(&least, lint->arena, 32);
    lf_buf_decimal(&share, lf_percent((int64_t)looking->tops, (int64_t)looking->judged), 2);
    lf_buf_decimal(&least, icp->grades[0].min, 2);
    if (lf_buf_terminate(&share) == NULL || lf_buf_terminate(&least) == NULL)
        return false;
    return say(lint, LF_LINT_WARNING, "vague_profile", icp->has_grades ? "/grades/0/min" : "/grades",
               lf_arena_printf(lint->arena,
                               "%s of the latest %s leads (%s %%) reach grade %s: a profile that fits nearly everybody "
                               "tells nobody apart",
                               count_text(tops, looking->tops), count_text(judged, looking->judged), share.data,
                               icp->grades[0].name),
               lf_arena_printf(lint->arena,
                               "Ask for more in the rules that most leads meet, say who it is not for in a "
                               "disqualifier, or let grade %s begin above %s",
                               icp->grades[0].name, least.data));
}

/* How different two field names may be to be taken for a slip of typing. */
static unsigned
slips_of(size_t len)
{
    return len < 4 ? 0 : len < 8 ? 1 : len < 16 ? 2 : 3;
}

static bool
same_last_name(const struct path *a, const struct path *b)
{
    const char *left = memrchr(a->folded.bytes, '.', a->folded.len);
    const char *right = memrchr(b->folded.bytes, '.', b->folded.len);
    size_t left_len = 0, right_len = 0;

    left = left != NULL ? left + 1 : a->folded.bytes;
    right = right != NULL ? right + 1 : b->folded.bytes;
    left_len = a->folded.len - (size_t)(left - a->folded.bytes);
    right_len = b->folded.len - (size_t)(right - b->folded.bytes);
    return left_len == right_len && memcmp(left, right, left_len) == 0;
}

/* The field that was probably meant: the one with the fewest slips of typing, else one with the same last name; of
 * equal ones that of the most leads, then the first by name. NULL: none comes near. */
static const struct path *
nearest(const struct looking *looking, const struct path *field)
{
    unsigned slips = slips_of(field->folded.len), best_distance = 0;
    const struct path *best = NULL;

    for (size_t i = 0; i <= looking->paths.mask; i++) {
        const struct path *path = &looking->paths.slots[i];
        unsigned distance = 0;

        if (path->name == NULL || path == field || !path->value || path->leads == 0)
            continue;
        distance = lf_text_distance(field->folded, path->folded, slips);
        if (distance > slips && !same_last_name(field, path))
            continue;
        if (best == NULL || distance < best_distance ||
            (distance == best_distance &&
             (path->leads > best->leads || (path->leads == best->leads && strcmp(path->name, best->name) < 0)))) {
            best = path;
            best_distance = distance;
        }
    }
    return best;
}

static const struct lf_condition *
find_leaf(const struct lf_condition *condition, size_t field)
{
    const struct lf_condition *leaf = NULL;

    if (condition->kind == LF_CONDITION_LEAF)
        return condition->field == field ? condition : NULL;
    for (size_t i = 0; i < condition->child_count && leaf == NULL; i++)
        leaf = find_leaf(condition->children[i], field);
    return leaf;
}

/* Where the definition first reads the field: *ret_pointer, and who reads it, in words. Both NULL: out of memory. */
static void
find_reader(struct lf_arena *arena, const struct lf_icp *icp, size_t field, const char **ret_pointer,
            const char **ret_owner)
{
    const struct lf_condition *leaf = NULL;

    *ret_pointer = *ret_owner = NULL;
    for (size_t i = 0; i < icp->attribute_count; i++)
        for (size_t r = 0; r < icp->attributes[i].rule_count; r++) {
            const struct lf_rule *rule = &icp->attributes[i].rules[r];
            bool fades = rule->fade_field == field;

            leaf = find_leaf(rule->when, field);
            if (leaf == NULL && !fades)
                continue;
            *ret_pointer = leaf != NULL ? lf_arena_printf(arena, "%s/field", leaf->pointer)
                                        : lf_arena_printf(arena, "/attributes/%zu/rules/%zu/fade/field", i, r);
            *ret_owner = lf_arena_printf(arena, "%s, rule \"%s\", %s", icp->attributes[i].label, rule->label,
                                         leaf != NULL ? "asks for" : "fades by");
            return;
        }
    for (size_t i = 0; i < icp->disqualifier_count; i++) {
        leaf = find_leaf(icp->disqualifiers[i].when, field);
        if (leaf == NULL)
            continue;
        *ret_pointer = lf_arena_printf(arena, "%s/field", leaf->pointer);
        *ret_owner = lf_arena_printf(arena, "Disqualifier \"%s\" asks for", icp->disqualifiers[i].reason);
        return;
    }
}

static bool
say_unseen(const struct looking *looking, struct lf_lint *lint)
{
    size_t unseen = 0;

    for (size_t i = 0; i < looking->icp->fields.count; i++) {
        const struct path *field = looking->fields[i], *meant = NULL;
        const char *pointer = NULL, *owner = NULL, *fix = NULL;
        char looked[DETAIL_NUMBER_MAX], leads[DETAIL_NUMBER_MAX];

        if (field->leads > 0 || field->looked < LF_ADVICE_LEADS_LEAST)
            continue;
        if (lint->count == LF_LINT_ITEMS_MAX) { /* counted, but not told: no need to find the words */
            if (!say(lint, LF_LINT_INFO, "unseen_field", "", "", ""))
                return false;
            continue;
        }
        find_reader(lint->arena, looking->icp, i, &pointer, &owner);
        if (unseen++ < MEANT_MAX)
            meant = nearest(looking, field);
        if (meant != NULL)
            fix = lf_arena_printf(lint->arena, "Did you mean %s? %s of them have it", meant->name,
                                  count_text(leads, meant->leads));
        else
            fix = "Send this field with the leads, correct its name, or take the condition out";
        if (owner == NULL || !say(lint, LF_LINT_INFO, "unseen_field", pointer,
                                  lf_arena_printf(lint->arena, "%s %s, which none of the latest %s leads had", owner,
                                                  field->name, count_text(looked, field->looked)),
                                  fix))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static enum lf_status
prepare(struct looking *looking, struct lf_store_reader *reader, const struct lf_privacy *privacy,
        const struct lf_list_source *lists, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    if (!lf_random_bytes(looking->paths.seed, sizeof looking->paths.seed))
        return lf_fail(error, LF_INTERNAL, "the system gives no random bytes");
    looking->scratch = lf_arena_create(SCRATCH_CHUNK, SCRATCH_MAX);
    if (looking->scratch == NULL || !prepare_paths(looking) ||
        !lf_coverage_init(&looking->coverage, reader, privacy, looking->scratch, looking->icp))
        return out_of_memory(error);
    status = lf_profiles_create(1, &looking->profiles, error);
    if (status == LF_OK)
        status = lf_profiles_add_icp(looking->profiles, looking->icp, 0, 0, error);
    if (status == LF_OK)
        status = lf_profiles_compile(looking->profiles, lists, error);
    return status;
}

static enum lf_status
look_at_leads(struct lf_store_reader *reader, const struct lf_privacy *privacy, const struct lf_icp *icp,
              const struct lf_list_source *lists, struct lf_lint *lint, size_t *ret_leads, struct lf_error *error)
{
    struct lf_replay_options options = {
        .from_ms = INT64_MIN, .to_ms = INT64_MAX, .leads = LF_ADVICE_LEADS, .inputs = true, .counts = counts};
    struct looking looking = {.icp = icp};
    enum lf_status status = prepare(&looking, reader, privacy, lists, error);

    if (status == LF_OK)
        status = lf_replay(reader, looking.scratch, &options, look_at_lead, &looking, ret_leads, error);
    if (status == LF_OK && (!say_vague(&looking, lint) || !say_unseen(&looking, lint)))
        status = out_of_memory(error);
    lf_coverage_finish(&looking.coverage);
    lf_profiles_destroy(looking.profiles);
    lf_arena_destroy(looking.scratch);
    return status;
}

enum lf_status
lf_advise(struct lf_store_reader *reader, const struct lf_privacy *privacy, struct lf_arena *arena,
          const struct lf_icp *icp, const struct lf_list_source *lists, int64_t now_us, struct lf_lint *ret_lint,
          size_t *ret_leads, struct lf_error *error)
{
    struct lf_lint_context context = {.today_us = now_us};
    struct lf_lint lint;
    size_t leads = 0;
    enum lf_status status = LF_OK;

    if (lists != NULL)
        context.lists = *lists;
    status = lf_lint(arena, icp, &context, &lint, error);
    if (status == LF_OK && reader != NULL)
        status = look_at_leads(reader, privacy, icp, lists, &lint, &leads, error);
    if (status != LF_OK)
        return status;
    *ret_lint = lint;
    *ret_leads = leads;
    return LF_OK;
}
