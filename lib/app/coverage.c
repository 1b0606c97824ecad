/* coverage.c - see coverage.h. Each version is parsed once in a run; of it the fields that both read are kept. */
#include "app/coverage.h"

#include "core/text_set.h"

#include <string.h>

/* What is kept of a version. */
struct note {
    bool own;
    bool *fields; /* by field of the definition */
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking up which fields were recorded");
}

/* Whether one of the paths is the field, or holds it. */
static bool
is_covered(const struct lf_text_set *paths, const char *field)
{
    for (const char *end = field; end != NULL;) {
        end = strchr(end, '.');
        if (lf_text_set_has(paths, (struct lf_text){field, end != NULL ? (size_t)(end - field) : strlen(field)}))
            return true;
        end = end != NULL ? end + 1 : NULL;
    }
    return false;
}

static enum lf_status
describe(void *context, const struct lf_stored_version *version, struct lf_arena *scratch, void **ret_note,
         struct lf_error *error)
{
    struct lf_coverage *coverage = context;
    size_t fields = coverage->icp->fields.count;
    struct note *note = lf_arena_calloc(coverage->versions.arena, 1, sizeof *note);
    const struct lf_icp *icp = NULL;
    struct lf_text_set paths;
    enum lf_status status = note == NULL ? out_of_memory(error) : lf_version_parse(scratch, version, &icp, error);

    if (status != LF_OK)
        return status;
    note->own = strcmp(version->icp, coverage->icp->key) == 0;
    note->fields = lf_arena_calloc(coverage->versions.arena, fields, sizeof *note->fields);
    if (note->fields == NULL || !lf_text_set_init(&paths, scratch, icp->fields.count))
        return out_of_memory(error);
    for (size_t i = 0; i < icp->fields.count; i++)
        lf_text_set_add(&paths, (struct lf_text){icp->fields.paths[i], strlen(icp->fields.paths[i])});
    for (size_t i = 0; i < fields; i++)
        note->fields[i] = is_covered(&paths, coverage->icp->fields.paths[i]);
    *ret_note = note;
    return LF_OK;
}

bool
lf_coverage_init(struct lf_coverage *coverage, struct lf_store_reader *reader, const struct lf_privacy *privacy,
                 struct lf_arena *arena, const struct lf_icp *icp)
{
    *coverage = (struct lf_coverage){
        .icp = icp,
        .versions = {.reader = reader, .arena = arena, .describe = describe, .context = coverage},
        .fields = lf_arena_calloc(arena, icp->fields.count, sizeof *coverage->fields),
        .never = lf_arena_calloc(arena, icp->fields.count, sizeof *coverage->never),
    };
    if (coverage->fields == NULL || coverage->never == NULL)
        return false;
    for (size_t f = 0; privacy != NULL && f < icp->fields.count; f++)
        coverage->never[f] = lf_privacy_never(privacy, icp->fields.paths[f]);
    return true;
}

enum lf_status
lf_coverage_look(struct lf_coverage *coverage, const struct lf_record *record, struct lf_error *error)
{
    size_t fields = coverage->icp->fields.count;

    coverage->own = false;
    memset(coverage->fields, record->kept == LF_KEPT_WHOLE, fields * sizeof *coverage->fields);
    for (size_t i = 0; record->kept == LF_KEPT_FIELDS && i < record->result_count; i++) {
        void *known = NULL;
        enum lf_status status = lf_versions_find(&coverage->versions, record->results[i].version_id, &known, error);
        const struct note *note = known;

        if (status != LF_OK)
            return status;
        coverage->own = coverage->own || note->own;
        for (size_t f = 0; f < fields; f++)
            coverage->fields[f] = coverage->fields[f] || note->fields[f];
    }
    for (size_t f = 0; f < fields; f++)
        coverage->fields[f] = coverage->fields[f] && !coverage->never[f];
    return LF_OK;
}

void
lf_coverage_finish(struct lf_coverage *coverage)
{
    lf_versions_finish(&coverage->versions);
}
