/*
 * catalog.c - see catalog.h.
 *
 * Entries stand in a table by id; those that nobody holds are also in a list, the one used last in front. Reading and
 * parsing happen outside of the lock: when two ask for the same new version at once both parse it, and the second one
 * throws its own away.
 */
#include "app/catalog.h"

#include "app/versions.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    BUCKETS = 512,         /* twice what is kept */
    CHUNK = 1 << 14,       /* a usual definition with its parse tree */
    ENTRY_MAX = 256 << 20, /* far above what a definition of the greatest size takes */
};

struct entry {
    struct lf_cataloged told; /* first: what holders see */
    struct lf_arena *arena;
    struct entry *next;          /* in its bucket */
    struct entry *newer, *older; /* among those that nobody holds */
    size_t holders;
};

struct lf_catalog {
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest; /* that nobody holds */
    size_t idle;                   /* how many these are */
};

struct lf_catalog *
lf_catalog_create(void)
{
    struct lf_catalog *catalog = calloc(1, sizeof *catalog);

    if (catalog != NULL)
        (void)pthread_mutex_init(&catalog->lock, NULL); /* cannot fail with default attributes */
    return catalog;
}

static void
destroy_entry(struct entry *entry)
{
    if (entry == NULL)
        return;
    lf_arena_destroy(entry->arena);
    free(entry);
}

void
lf_catalog_destroy(struct lf_catalog *catalog)
{
    if (catalog == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (catalog->buckets[i] != NULL) {
            struct entry *entry = catalog->buckets[i];

            catalog->buckets[i] = entry->next;
            destroy_entry(entry);
        }
    }
    (void)pthread_mutex_destroy(&catalog->lock);
    free(catalog);
}

/* ---- the table and the list, under the lock ---- */

static struct entry **
bucket_of(struct lf_catalog *catalog, int64_t version_id)
{
    return &catalog->buckets[(size_t)version_id % BUCKETS]; /* ids count up: they spread by themselves */
}

static struct entry *
find(struct lf_catalog *catalog, int64_t version_id)
{
    struct entry *entry = *bucket_of(catalog, version_id);

    while (entry != NULL && entry->told.version_id != version_id)
        entry = entry->next;
    return entry;
}

/* Takes it out of the list of those that nobody holds. */
static void
unlist(struct lf_catalog *catalog, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &catalog->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &catalog->oldest) = entry->newer;
    entry->newer = entry->older = NULL;
    catalog->idle--;
}

static void
take_hold(struct lf_catalog *catalog, struct entry *entry)
{
    if (entry->holders++ == 0)
        unlist(catalog, entry);
}

/* Takes the one that was used longest ago out of everything. */
static struct entry *
drop_oldest(struct lf_catalog *catalog)
{
    struct entry *entry = catalog->oldest, **place = bucket_of(catalog, entry->told.version_id);

    unlist(catalog, entry);
    while (*place != entry)
        place = &(*place)->next;
    *place = entry->next;
    return entry;
}

/* ---- reading ---- */

static enum lf_status
fill(struct entry *entry, struct lf_store_reader *reader, int64_t version_id, struct lf_error *error)
{
    struct lf_stored_version version;
    const struct lf_icp *icp = NULL;
    const struct lf_scorer *scorer = NULL;
    enum lf_status status = lf_version_fetch(reader, entry->arena, version_id, &version, error);

    if (status == LF_OK)
        status = lf_version_parse(entry->arena, &version, &icp, error);
    if (status == LF_OK && (scorer = lf_scorer_create(entry->arena, icp)) == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a version");
    if (status != LF_OK)
        return status;
    entry->told = (struct lf_cataloged){
        .version_id = version_id,
        .icp_id = version.icp_id,
        .version = version.version,
        .icp = icp,
        .scorer = scorer,
        .published_at_ms = version.published_at_ms,
    };
    return LF_OK;
}

static enum lf_status
load(struct lf_store_reader *reader, int64_t version_id, struct entry **ret_entry, struct lf_error *error)
{
    struct entry *entry = calloc(1, sizeof *entry);
    enum lf_status status = LF_OK;

    if (entry == NULL || (entry->arena = lf_arena_create(CHUNK, ENTRY_MAX)) == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a version");
    if (status == LF_OK)
        status = fill(entry, reader, version_id, error);
    if (status != LF_OK) {
        destroy_entry(entry);
        return status;
    }
    *ret_entry = entry;
    return LF_OK;
}

/* ---- for everybody ---- */

enum lf_status
lf_catalog_hold(struct lf_catalog *catalog, struct lf_store_reader *reader, int64_t version_id,
                const struct lf_cataloged **ret_entry, struct lf_error *error)
{
    struct entry *entry = NULL, *loaded = NULL;
    enum lf_status status = LF_OK;

    (void)pthread_mutex_lock(&catalog->lock);
    entry = find(catalog, version_id);
    if (entry != NULL)
        take_hold(catalog, entry);
    (void)pthread_mutex_unlock(&catalog->lock);
    if (entry != NULL) {
        *ret_entry = &entry->told;
        return LF_OK;
    }
    status = load(reader, version_id, &loaded, error);
    if (status != LF_OK)
        return status;
    (void)pthread_mutex_lock(&catalog->lock);
    entry = find(catalog, version_id);
    if (entry != NULL) { /* somebody was quicker */
        take_hold(catalog, entry);
    } else {
        struct entry **bucket = bucket_of(catalog, version_id);

        entry = loaded;
        entry->holders = 1;
        entry->next = *bucket;
        *bucket = entry;
        loaded = NULL;
    }
    (void)pthread_mutex_unlock(&catalog->lock);
    destroy_entry(loaded);
    *ret_entry = &entry->told;
    return LF_OK;
}

void
lf_catalog_release(struct lf_catalog *catalog, const struct lf_cataloged *told)
{
    struct entry *entry = NULL, *dropped = NULL;

    if (told == NULL)
        return;
    (void)pthread_mutex_lock(&catalog->lock);
    entry = find(catalog, told->version_id);
    if (entry != NULL && --entry->holders == 0) { /* held, so it is there */
        entry->older = catalog->newest;
        *(catalog->newest != NULL ? &catalog->newest->newer : &catalog->oldest) = entry;
        catalog->newest = entry;
        if (++catalog->idle > LF_CATALOG_KEPT)
            dropped = drop_oldest(catalog);
    }
    (void)pthread_mutex_unlock(&catalog->lock);
    destroy_entry(dropped);
}
