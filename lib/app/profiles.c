/* profiles.c - see profiles.h. */
#include "app/profiles.h"

#include <stdlib.h>
#include <string.h>

enum { PROFILES_BYTES_MAX = 1 << 30 };

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading ICPs");
}

enum lf_status
lf_profiles_create(size_t capacity, struct lf_profiles **ret_profiles, struct lf_error *error)
{
    struct lf_arena *arena = lf_arena_create(16384, PROFILES_BYTES_MAX);
    struct lf_profiles *profiles = arena == NULL ? NULL : lf_arena_calloc(arena, 1, sizeof *profiles);

    if (profiles == NULL || (profiles->items = lf_arena_calloc(arena, capacity, sizeof *profiles->items)) == NULL) {
        lf_arena_destroy(arena);
        return out_of_memory(error);
    }
    profiles->arena = arena;
    profiles->live.profiles = profiles;
    atomic_init(&profiles->live.readers, 0);
    *ret_profiles = profiles;
    return LF_OK;
}

enum lf_status
lf_profiles_add_icp(struct lf_profiles *profiles, const struct lf_icp *icp, int64_t version_id, int version,
                    struct lf_error *error)
{
    struct lf_profile profile = {
        .icp = icp,
        .scorer = lf_scorer_create(profiles->arena, icp),
        .teller = lf_teller_create(profiles->arena, icp, version),
        .version_id = version_id,
        .version = version,
    };

    if (profile.scorer == NULL || profile.teller == NULL)
        return out_of_memory(error);
    profiles->items[profiles->count++] = profile;
    return LF_OK;
}

enum lf_status
lf_profiles_add(struct lf_profiles *profiles, const char *document, size_t len, int64_t version_id, int version,
                struct lf_findings *findings, struct lf_error *error)
{
    const char *text = lf_arena_copy(profiles->arena, document, len);
    const struct lf_icp *icp = NULL;
    struct lf_findings found;
    enum lf_status status = LF_OK;

    if (text == NULL)
        return out_of_memory(error);
    lf_findings_init(&found, profiles->arena);
    status = lf_icp_parse_text(profiles->arena, text, len, &found, &icp, error);
    if (findings != NULL)
        lf_findings_append(findings, "", &found);
    return status != LF_OK ? status : lf_profiles_add_icp(profiles, icp, version_id, version, error);
}

struct lf_named_list *
lf_profiles_find_list(const struct lf_profiles *profiles, const char *key)
{
    size_t low = 0, high = profiles->list_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, profiles->lists[middle]->key);

        if (order == 0)
            return profiles->lists[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static const struct lf_named_list *
find_list(void *context, const char *key)
{
    return lf_profiles_find_list(context, key);
}

struct lf_list_source
lf_profiles_lists(const struct lf_profiles *profiles)
{
    union { /* the source only reads, but its context is shared with sources that do not */
        const void *in;
        void *out;
    } context = {.in = profiles};

    return (struct lf_list_source){.find = find_list, .context = context.out};
}

/* Two sources, the set's own first. */
struct both {
    const struct lf_profiles *profiles;
    const struct lf_list_source *more;
};

static const struct lf_named_list *
find_in_both(void *context, const char *key)
{
    const struct both *both = context;
    const struct lf_named_list *list = lf_profiles_find_list(both->profiles, key);

    return list == NULL && both->more != NULL ? both->more->find(both->more->context, key) : list;
}

enum lf_status
lf_profiles_compile(struct lf_profiles *profiles, const struct lf_list_source *more, struct lf_error *error)
{
    struct both both = {profiles, more};
    struct lf_list_source source = {find_in_both, &both};
    struct lf_program_source *members = lf_arena_calloc(profiles->arena, profiles->count, sizeof *members);

    if (members == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < profiles->count; i++)
        members[i] = (struct lf_program_source){
            .icp = profiles->items[i].icp,
            .version_id = profiles->items[i].version_id,
            .version = profiles->items[i].version,
        };
    return lf_program_create(members, profiles->count, &source, &profiles->program, error);
}

void
lf_profiles_destroy(struct lf_profiles *profiles)
{
    if (profiles == NULL)
        return;
    lf_program_destroy(profiles->program);
    for (size_t i = 0; i < profiles->list_count; i++)
        lf_named_list_destroy(profiles->lists[i]);
    lf_arena_destroy(profiles->arena);
}
