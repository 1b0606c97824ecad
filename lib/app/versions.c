/* versions.c - see versions.h. */
#include "app/versions.h"

#include <string.h>

enum { CHUNK = 1 << 16, SCRATCH_MAX = 256 << 20, SLOTS_LEAST = 64 };

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking up the versions of ICPs");
}

static struct lf_known_version *
find_place(const struct lf_versions *versions, int64_t id)
{
    size_t at = (size_t)((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15) >> 32) & versions->mask;

    while (versions->slots[at].id != 0 && versions->slots[at].id != id)
        at = (at + 1) & versions->mask;
    return &versions->slots[at];
}

static bool
make_room(struct lf_versions *versions)
{
    struct lf_versions grown = *versions;

    if (versions->slots != NULL && versions->count * 2 <= versions->mask)
        return true;
    grown.mask = versions->slots == NULL ? SLOTS_LEAST - 1 : versions->mask * 2 + 1;
    grown.slots = lf_arena_calloc(versions->arena, grown.mask + 1, sizeof *grown.slots);
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; versions->slots != NULL && i <= versions->mask; i++)
        if (versions->slots[i].id != 0)
            *find_place(&grown, versions->slots[i].id) = versions->slots[i];
    *versions = grown;
    return true;
}

enum lf_status
lf_version_fetch(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                 struct lf_stored_version *ret_version, struct lf_error *error)
{
    enum lf_status status =
        id == 0 ? LF_VERSION_NOT_FOUND : lf_store_version_by_id(reader, arena, id, ret_version, error);

    if (status == LF_VERSION_NOT_FOUND)
        return lf_fail(error, LF_STORAGE_CORRUPT,
                       "a recorded score is damaged: the version it was made under is not there");
    return status;
}

static enum lf_status
look_up(struct lf_versions *versions, int64_t id, void **ret_note, struct lf_error *error)
{
    struct lf_stored_version version;
    enum lf_status status = lf_version_fetch(versions->reader, versions->scratch, id, &version, error);

    if (status == LF_OK)
        status = versions->describe(versions->context, &version, versions->scratch, ret_note, error);
    return status;
}

enum lf_status
lf_versions_find(struct lf_versions *versions, int64_t id, void **ret_note, struct lf_error *error)
{
    struct lf_known_version known = {.id = id}, *place = NULL;
    enum lf_status status = LF_OK;

    if (!make_room(versions) ||
        (versions->scratch == NULL && (versions->scratch = lf_arena_create(CHUNK, SCRATCH_MAX)) == NULL))
        return out_of_memory(error);
    place = find_place(versions, id);
    if (place->id == 0) {
        status = look_up(versions, id, &known.note, error);
        lf_arena_reset(versions->scratch);
        if (status != LF_OK)
            return status;
        *place = known;
        versions->count++;
    }
    *ret_note = place->note;
    return LF_OK;
}

void
lf_versions_finish(struct lf_versions *versions)
{
    lf_arena_destroy(versions->scratch);
    versions->scratch = NULL;
}

enum lf_status
lf_version_parse(struct lf_arena *arena, const struct lf_stored_version *version, const struct lf_icp **ret_icp,
                 struct lf_error *error)
{
    struct lf_findings findings;
    const struct lf_icp *icp = NULL;
    enum lf_status status = LF_OK;

    lf_findings_init(&findings, arena);
    status = lf_icp_parse_text(arena, version->document, version->document_len, &findings, &icp, error);
    if (status == LF_OUT_OF_MEMORY)
        return status;
    if (status != LF_OK || memcmp(icp->hash, version->hash, LF_SHA256_SIZE) != 0)
        return lf_fail(error, LF_STORAGE_CORRUPT, "version %d of the ICP %s is not what was published",
                       version->version, version->icp);
    *ret_icp = icp;
    return LF_OK;
}
