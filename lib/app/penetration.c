/* penetration.c - see penetration.h. */
#include "app/penetration.h"

#include "core/score.h"

#include <stdlib.h>
#include <string.h>

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading penetration");
}

/* The names of the two best grades of the active version, which may have scored nothing in the window. */
static enum lf_status
tell_grades(struct lf_catalog *catalog, struct lf_store_reader *reader, struct lf_arena *arena, int64_t version_id,
            struct lf_penetration *told, struct lf_error *error)
{
    const struct lf_cataloged *entry = NULL;
    enum lf_status status = lf_catalog_hold(catalog, reader, version_id, &entry, error);

    for (size_t g = 0; status == LF_OK && g < entry->icp->grade_count && g < 2; g++) {
        const char *name = entry->icp->grades[g].name;

        told->grades[g] = lf_arena_copy(arena, name, strlen(name));
        told->grade_count = g + 1;
        if (told->grades[g] == NULL)
            status = out_of_memory(error);
    }
    lf_catalog_release(catalog, entry);
    return status;
}

static enum lf_status
add_version(struct lf_catalog *catalog, struct lf_store_reader *reader, struct lf_arena *arena, struct lf_window window,
            int64_t version_id, struct lf_icp_penetration *told, struct lf_error *error)
{
    struct lf_window_version version = {.version_id = version_id};
    enum lf_status status = lf_window_sum(catalog, reader, arena, window, true, &version, error);

    if (status == LF_OK && version.entry != NULL) {
        told->scored += version.tally.scored;
        told->leads += version.tally.leads;
        for (size_t g = 0; g < version.entry->icp->grade_count && g < 2; g++)
            told->penetration.count += version.tally.grades[g];
    }
    lf_catalog_release(catalog, version.entry);
    return status;
}

static enum lf_status
compute_one(struct lf_catalog *catalog, struct lf_store_reader *reader, struct lf_arena *arena, struct lf_window window,
            const struct lf_stored_icp *icp, struct lf_icp_penetration *told, struct lf_error *error)
{
    struct lf_stored_version *versions = NULL;
    int64_t reference = 0;
    size_t count = 0;
    enum lf_status status = lf_store_versions(reader, arena, icp->key, &versions, &count, error);

    *told =
        (struct lf_icp_penetration){.icp = icp->key, .name = icp->name, .purpose = icp->purpose, .state = icp->state};
    for (size_t i = 0; i < count && status == LF_OK; i++) {
        if (reference == 0 || versions[i].version <= icp->active_version || icp->active_version == 0)
            reference = versions[i].id;
        status = add_version(catalog, reader, arena, window, versions[i].id, told, error);
    }
    if (status == LF_OK)
        status = tell_grades(catalog, reader, arena, reference, &told->penetration, error);
    told->penetration.pct = lf_percent(told->penetration.count, told->scored);
    return status;
}

static int
compare_icps(const void *a, const void *b)
{
    const struct lf_icp_penetration *left = a, *right = b;
    bool core = strcmp(left->purpose, "core") == 0;

    if (core != (strcmp(right->purpose, "core") == 0))
        return core ? -1 : 1;
    return strcmp(left->icp, right->icp);
}

static enum lf_status
compute(struct lf_store_reader *reader, struct lf_catalog *catalog, struct lf_arena *arena, struct lf_window window,
        struct lf_icp_penetration **ret_icps, size_t *ret_count, struct lf_error *error)
{
    struct lf_icp_penetration *told = NULL;
    struct lf_stored_icp *icps = NULL;
    size_t stored = 0, count = 0;
    enum lf_status status = lf_store_icps(reader, arena, &icps, &stored, error);

    if (status != LF_OK)
        return status;
    told = lf_arena_calloc(arena, stored, sizeof *told);
    if (told == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < stored && status == LF_OK; i++)
        if (icps[i].versions > 0)
            status = compute_one(catalog, reader, arena, window, &icps[i], &told[count++], error);
    if (status != LF_OK)
        return status;
    qsort(told, count, sizeof *told, compare_icps);
    *ret_icps = told;
    *ret_count = count;
    return LF_OK;
}

enum lf_status
lf_penetration_compute(struct lf_store_reader *reader, struct lf_catalog *catalog, struct lf_arena *arena,
                       struct lf_window window, struct lf_icp_penetration **ret_icps, size_t *ret_count,
                       struct lf_error *error)
{
    enum lf_status status = lf_store_hold(reader, error);

    if (status != LF_OK)
        return status;
    status = compute(reader, catalog, arena, window, ret_icps, ret_count, error);
    lf_store_let_go(reader);
    return status;
}
