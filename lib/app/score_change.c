/* score_change.c - see score_change.h. */
#include "app/score_change.h"

#include "base/buf.h"
#include "core/program.h"
#include "core/score.h"

#include <string.h>

/* A comparison holds two leads as trees, and a version compiled for it may be large. */
enum { CHUNK = 1 << 16, CHANGE_MAX = 512 << 20, FOUND_MAX = 64 << 20 };

/* A change that is being told. */
struct telling {
    struct lf_score_changes *changes;
    const struct lf_scored *before, *after;
    const struct lf_json *inputs[2]; /* before, after; NULL: not parsed yet */
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while comparing scores");
}

enum lf_status
lf_score_changes_init(struct lf_score_changes *changes, const struct lf_list_source *lists,
                      const struct lf_privacy *privacy, struct lf_error *error)
{
    *changes =
        (struct lf_score_changes){.lists = *lists, .privacy = privacy, .arena = lf_arena_create(CHUNK, CHANGE_MAX)};
    return changes->arena == NULL ? out_of_memory(error) : LF_OK;
}

static void
drop_programs(struct lf_score_changes *changes)
{
    for (size_t i = 0; i < changes->program_count; i++)
        lf_program_destroy(changes->programs[i].program);
    changes->program_count = 0;
}

void
lf_score_changes_finish(struct lf_score_changes *changes)
{
    drop_programs(changes);
    lf_arena_destroy(changes->arena);
    changes->arena = NULL;
}

/* ---- a recorded score ---- */

static const struct lf_cataloged *
version_of(const struct lf_scored *scored)
{
    return scored->versions[scored->result];
}

static const struct lf_recorded_result *
result_of(const struct lf_scored *scored)
{
    return &scored->record->results[scored->result];
}

/* Whether the values of what was kept are there to be read. */
static bool
has_values(const struct lf_scored *scored)
{
    return scored->record->kept == LF_KEPT_WHOLE || scored->record->kept == LF_KEPT_FIELDS;
}

static bool
has_input(const struct lf_scored *scored)
{
    return has_values(scored) || scored->record->kept == LF_KEPT_HASHES;
}

static bool
same_input(const struct lf_scored *a, const struct lf_scored *b)
{
    return has_input(a) && a->record->kept == b->record->kept && a->record->input_len == b->record->input_len &&
           memcmp(a->record->input, b->record->input, a->record->input_len) == 0;
}

/* Whether the field is one that the version reads, or lies below one: these are kept with all that is in them. */
static bool
reads(const struct lf_icp *icp, const char *field)
{
    for (size_t i = 0; i < icp->fields.count; i++) {
        size_t len = strlen(icp->fields.paths[i]);

        if (strncmp(icp->fields.paths[i], field, len) == 0 && (field[len] == '\0' || field[len] == '.'))
            return true;
    }
    return false;
}

/* Whether all that the ICP reads would stand in the input, had it been there. */
static bool
shows_all(const struct lf_score_changes *changes, const struct lf_scored *scored, const struct lf_icp *icp)
{
    for (size_t f = 0; f < icp->fields.count; f++) {
        const char *field = icp->fields.paths[f];
        bool kept = scored->record->kept == LF_KEPT_WHOLE || version_of(scored)->icp == icp;

        if (changes->privacy != NULL && lf_privacy_never(changes->privacy, field))
            return false;
        for (size_t i = 0; !kept && i < scored->record->result_count; i++)
            kept = reads(scored->versions[i]->icp, field);
        if (!kept)
            return false;
    }
    return has_input(scored);
}

/* ---- a definition ---- */

/* Whether a leaf of the condition is one of those. */
static bool
any_leaf(const struct lf_condition *condition, bool (*is)(const struct lf_condition *leaf, void *context),
         void *context)
{
    if (condition->kind == LF_CONDITION_LEAF)
        return is(condition, context);
    for (size_t i = 0; i < condition->child_count; i++)
        if (any_leaf(condition->children[i], is, context))
            return true;
    return false;
}

static bool
any_leaf_of(const struct lf_icp *icp, bool (*is)(const struct lf_condition *leaf, void *context), void *context)
{
    for (size_t i = 0; i < icp->attribute_count; i++)
        for (size_t r = 0; r < icp->attributes[i].rule_count; r++)
            if (any_leaf(icp->attributes[i].rules[r].when, is, context))
                return true;
    for (size_t i = 0; i < icp->disqualifier_count; i++)
        if (any_leaf(icp->disqualifiers[i].when, is, context))
            return true;
    return false;
}

/* A bitmap of fields; NULL: all of them. */
struct among {
    const uint8_t *fields;
};

static bool
is_among(const struct among *among, size_t field)
{
    return among->fields == NULL || (among->fields[field / 8] >> field % 8 & 1) != 0;
}

static bool
counts_days(const struct lf_condition *leaf, void *context)
{
    return lf_operator_operand(leaf->op) == LF_OPERAND_DAYS && is_among(context, leaf->field);
}

/* Whether a score under it can change as time passes, by these fields. */
static bool
is_timed(const struct lf_icp *icp, const uint8_t *fields)
{
    struct among among = {fields};

    for (size_t i = 0; i < icp->attribute_count; i++)
        for (size_t r = 0; r < icp->attributes[i].rule_count; r++) {
            size_t field = icp->attributes[i].rules[r].fade_field;

            if (field != SIZE_MAX && is_among(&among, field))
                return true;
        }
    return any_leaf_of(icp, counts_days, &among);
}

/* ---- scores in the middle ---- */

/* The version by itself, compiled with the lists of now. */
static enum lf_status
find_program(struct lf_score_changes *changes, const struct lf_cataloged *version,
             const struct lf_program **ret_program, struct lf_error *error)
{
    struct lf_program_source source = {
        .icp = version->icp, .version_id = version->version_id, .version = version->version};
    size_t at = 0;
    enum lf_status status = LF_OK;

    while (at < changes->program_count && changes->programs[at].version_id != version->version_id)
        at++;
    if (at == LF_CHANGE_PROGRAMS) {
        drop_programs(changes);
        at = 0;
    }
    if (at == changes->program_count) {
        status = lf_program_create(&source, 1, &changes->lists, &changes->programs[at].program, error);
        if (status != LF_OK)
            return status;
        changes->programs[at].version_id = version->version_id;
        changes->program_count++;
    }
    *ret_program = changes->programs[at].program;
    return LF_OK;
}

static enum lf_status
create_evaluation(struct lf_score_changes *changes, const struct lf_cataloged *version, const struct lf_json *lead,
                  int64_t as_of_ms, struct lf_evaluation **ret_evaluation, struct lf_error *error)
{
    const struct lf_program *program = NULL;
    enum lf_status status = lead == NULL ? out_of_memory(error) : find_program(changes, version, &program, error);

    if (status != LF_OK)
        return status;
    *ret_evaluation = lf_evaluation_create(program, changes->arena, lead, as_of_ms);
    return *ret_evaluation == NULL ? out_of_memory(error) : LF_OK;
}

static enum lf_status
score(struct lf_evaluation *evaluation, const struct lf_cataloged *version, int *ret_score, struct lf_error *error)
{
    const struct lf_outcome *outcome = lf_evaluate(evaluation, 0);
    struct lf_brief brief;

    if (outcome == NULL)
        return out_of_memory(error);
    lf_score_brief(version->scorer, outcome, &brief);
    *ret_score = brief.score;
    return LF_OK;
}

/* The input of one side as a tree; an empty lead where it has no values. */
static enum lf_status
parse_input(struct telling *telling, bool after, struct lf_error *error)
{
    const struct lf_scored *scored = after ? telling->after : telling->before;
    const struct lf_json **input = &telling->inputs[after];

    if (*input != NULL)
        return LF_OK;
    if (has_values(scored))
        return lf_record_parse_input(telling->changes->arena, scored->record, input, error);
    *input = lf_json_new_object(telling->changes->arena);
    return *input == NULL ? out_of_memory(error) : LF_OK;
}

/* ---- lists ---- */

/* The lists that a version asks; recorded: with the revisions that the score's record has, else with those of now.
 * *ret_uses: as many as the version has. */
static enum lf_status
find_lists(struct lf_score_changes *changes, const struct lf_scored *scored, bool recorded,
           struct lf_list_use **ret_uses, struct lf_error *error)
{
    const struct lf_cataloged *version = version_of(scored);
    const struct lf_json *nothing = lf_json_new_object(changes->arena);
    struct lf_evaluation *evaluation = NULL;
    enum lf_status status = create_evaluation(changes, version, nothing, 0, &evaluation, error);

    if (status == LF_OK && recorded)
        status = lf_record_restore_lists(evaluation, 0, result_of(scored), error);
    if (status != LF_OK)
        return status;
    *ret_uses = lf_arena_calloc(changes->arena, version->icp->lists.count, sizeof **ret_uses);
    if (*ret_uses == NULL)
        return out_of_memory(error);
    (void)lf_evaluation_lists(evaluation, 0, *ret_uses);
    return LF_OK;
}

static bool
same_revisions(const struct lf_list_use *a, const struct lf_list_use *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i].revision != b[i].revision)
            return false;
    return true;
}

/* Whether the lists are now what they were when it was scored. */
static enum lf_status
has_lists_of_now(struct lf_score_changes *changes, const struct lf_scored *scored, bool *ret_has,
                 struct lf_error *error)
{
    struct lf_list_use *then = NULL, *now = NULL;
    enum lf_status status = find_lists(changes, scored, true, &then, error);

    if (status == LF_OK)
        status = find_lists(changes, scored, false, &now, error);
    if (status == LF_OK)
        *ret_has = same_revisions(then, now, version_of(scored)->icp->lists.count);
    return status;
}

/* Whether version and lists are the same. The first format did not say which lists these were. */
static enum lf_status
compare_profiles(const struct telling *telling, bool *ret_same, struct lf_error *error)
{
    const struct lf_scored *before = telling->before, *after = telling->after;
    size_t count = version_of(after)->icp->lists.count;
    struct lf_list_use *old = NULL, *new = NULL;
    enum lf_status status = LF_OK;

    *ret_same = version_of(before)->version_id == version_of(after)->version_id;
    if (!*ret_same || count == 0)
        return LF_OK;
    *ret_same = lf_record_knows_revisions(result_of(before)) && lf_record_knows_revisions(result_of(after));
    if (!*ret_same)
        return LF_OK;
    status = find_lists(telling->changes, before, true, &old, error);
    if (status == LF_OK)
        status = find_lists(telling->changes, after, true, &new, error);
    if (status == LF_OK)
        *ret_same = same_revisions(old, new, count);
    return status;
}

/* Appends all that stands at the path (as lookup.c of the core finds it). */
static void
put_found(struct lf_buf *buf, const struct lf_json *object, const char *path)
{
    size_t len = strcspn(path, ".");

    for (const struct lf_json *member = lf_json_first(object); member != NULL; member = lf_json_next(member)) {
        if (strncmp(lf_json_name(member), path, len) != 0 || lf_json_name(member)[len] != '\0')
            continue;
        if (path[len] == '\0') {
            lf_json_put_tree(buf, member);
            lf_buf_lit(buf, "\n");
        } else if (lf_json_kind(member) == LF_JSON_OBJECT) {
            put_found(buf, member, path + len + 1);
        } else if (lf_json_kind(member) == LF_JSON_ARRAY) {
            lf_buf_lit(buf, "[");
            for (const struct lf_json *inner = lf_json_first(member); inner != NULL; inner = lf_json_next(inner))
                if (lf_json_kind(inner) == LF_JSON_OBJECT)
                    put_found(buf, inner, path + len + 1);
        }
    }
}

/* Values that a list is asked for, of two leads. */
struct asked {
    const struct lf_icp *icp;
    const struct lf_json *const *inputs;
    struct lf_buf found[2];
};

/* Whether the leaf asks a list for other values than before. */
static bool
asks_other(const struct lf_condition *leaf, void *context)
{
    struct asked *asked = context;

    if (leaf->op != LF_OP_IN_LIST)
        return false;
    for (int i = 0; i < 2; i++) {
        asked->found[i].len = 0;
        put_found(&asked->found[i], asked->inputs[i], asked->icp->fields.paths[leaf->field]);
    }
    return asked->found[0].len != asked->found[1].len ||
           (asked->found[0].len > 0 && memcmp(asked->found[0].data, asked->found[1].data, asked->found[0].len) != 0);
}

/* Whether the old version asks its lists for the same values of both leads. Both inputs are parsed. */
static enum lf_status
asks_the_same(const struct telling *telling, bool *ret_same, struct lf_error *error)
{
    struct asked asked = {.icp = version_of(telling->before)->icp, .inputs = telling->inputs};

    for (int i = 0; i < 2; i++)
        lf_buf_init(&asked.found[i], telling->changes->arena, FOUND_MAX);
    *ret_same = !any_leaf_of(asked.icp, asks_other, &asked);
    return lf_buf_failed(&asked.found[0]) || lf_buf_failed(&asked.found[1]) ? out_of_memory(error) : LF_OK;
}

/* ---- the two steps ---- */

/* A score in the middle, as far as it is known. */
struct middle {
    int score;
    bool known;
};

/* The new lead under the new version as of the old time: by the new record, which knows all but what nobody had asked.
 */
static enum lf_status
compute_before_time(struct telling *telling, struct middle *middle, struct lf_error *error)
{
    struct lf_score_changes *changes = telling->changes;
    const struct lf_scored *after = telling->after;
    const struct lf_cataloged *version = version_of(after);
    struct lf_evaluation *evaluation = NULL;
    struct lf_asked_anew anew = {.lists = false};
    const uint8_t *withheld = NULL;
    bool current = false;
    enum lf_status status = lf_record_withheld(version->icp, result_of(after), &withheld, error);

    if (status != LF_OK || (result_of(after)->withheld && is_timed(version->icp, withheld)))
        return status;
    status = parse_input(telling, true, error);
    if (status == LF_OK)
        status = create_evaluation(changes, version, telling->inputs[1], telling->before->as_of_ms, &evaluation, error);
    if (status == LF_OK)
        status = lf_record_restore(evaluation, 0, result_of(after), error);
    if (status == LF_OK)
        status = score(evaluation, version, &middle->score, error);
    if (status == LF_OK)
        status = lf_record_asked_anew(evaluation, 0, result_of(after), &anew, error);
    if (status == LF_OK && anew.lists)
        status = has_lists_of_now(changes, after, &current, error);
    middle->known = status == LF_OK && !anew.withheld && (!anew.lists || current);
    return status;
}

/* The new lead under the old version as of the old time. Of lists, the old record's answers hold where the same was
 * asked; else those of now, if the lists are still the same. */
static enum lf_status
compute_after_data(struct telling *telling, struct middle *middle, struct lf_error *error)
{
    struct lf_score_changes *changes = telling->changes;
    const struct lf_scored *before = telling->before, *after = telling->after;
    const struct lf_cataloged *version = version_of(before);
    bool lists = version->icp->lists.count > 0, same = false, current = true;
    struct lf_asked_anew anew = {.lists = lists};
    struct lf_evaluation *evaluation = NULL;
    enum lf_status status = LF_OK;

    if (!has_values(after) || result_of(before)->withheld || !shows_all(changes, after, version->icp) ||
        (version->version_id == version_of(after)->version_id && result_of(after)->withheld))
        return LF_OK;
    status = parse_input(telling, true, error);
    if (status == LF_OK && lists)
        status = has_lists_of_now(changes, before, &current, error);
    if (status == LF_OK && lists && has_values(before)) {
        status = parse_input(telling, false, error);
        if (status == LF_OK)
            status = asks_the_same(telling, &same, error);
    }
    if (status == LF_OK)
        status = create_evaluation(changes, version, telling->inputs[1], before->as_of_ms, &evaluation, error);
    if (status == LF_OK && same)
        status = lf_record_restore_lists(evaluation, 0, result_of(before), error);
    if (status == LF_OK)
        status = score(evaluation, version, &middle->score, error);
    if (status == LF_OK && same)
        status = lf_record_asked_anew(evaluation, 0, result_of(before), &anew, error);
    middle->known = status == LF_OK && (!anew.lists || current);
    return status;
}

/* ---- the split ---- */

static struct lf_score_change
split(const struct telling *telling, const struct middle *data, const struct middle *profile, bool same_profile)
{
    int before = telling->before->score, after = telling->after->score;
    int rest = after - before; /* what cannot be told apart */
    struct lf_score_change change = {.exact = false};

    if (data->known && profile->known && (!same_profile || data->score == profile->score))
        return (struct lf_score_change){
            .data = data->score - before,
            .profile = profile->score - data->score,
            .time = after - profile->score,
            .exact = true,
        };
    if (data->known && !profile->known) {
        change.data = data->score - before;
        rest -= change.data;
    } else if (profile->known && !data->known) {
        change.time = after - profile->score;
        rest -= change.time;
    }
    if (!data->known && !same_input(telling->before, telling->after))
        change.data += rest;
    else if (!same_profile)
        change.profile += rest;
    else
        change.time += rest;
    return change;
}

static enum lf_status
tell(struct telling *telling, struct lf_score_change *ret_change, struct lf_error *error)
{
    const struct lf_scored *before = telling->before, *after = telling->after;
    const struct lf_cataloged *old = version_of(before), *new = version_of(after);
    /* After the new data, and after the new profile. */
    struct middle data = {.score = before->score}, profile = {.score = after->score};
    bool same_profile = false;
    enum lf_status status = compare_profiles(telling, &same_profile, error);

    data.known = same_input(before, after) && shows_all(telling->changes, after, old->icp) &&
                 (before->record->kept == LF_KEPT_HASHES || !result_of(before)->withheld);
    profile.known = before->as_of_ms == after->as_of_ms || !is_timed(new->icp, NULL);
    if (status == LF_OK && !profile.known && same_profile && data.known)
        profile = data;
    else if (status == LF_OK && !profile.known)
        status = compute_before_time(telling, &profile, error);
    if (status == LF_OK && !data.known && same_profile && profile.known)
        data = profile;
    else if (status == LF_OK && !data.known && !same_profile)
        status = compute_after_data(telling, &data, error);
    if (status == LF_OK)
        *ret_change = split(telling, &data, &profile, same_profile);
    return status;
}

enum lf_status
lf_score_changes_tell(struct lf_score_changes *changes, const struct lf_scored *before, const struct lf_scored *after,
                      struct lf_score_change *ret_change, struct lf_error *error)
{
    struct telling telling = {.changes = changes, .before = before, .after = after};

    lf_arena_reset(changes->arena);
    return tell(&telling, ret_change, error);
}
