/*
 * bench_lists.c - how fast lists are put, patched, read, checked and swept.
 *
 *     bench_lists DATABASE [entries [slice [patch]]]
 *
 * Puts a list of that many entries in slices, in the order of their folded forms and then in none, with the checkpoints
 * between slices that a server makes; patches the list; walks through it; looks the database over; sweeps what is left.
 * Prints entries a second, the longest commit, what was written to the WAL, the size of the file, and resident memory.
 * The database is made anew.
 */
#include "base/time.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATCHES = 10, TEXT_MAX = 48 };

static const struct lf_precondition NOTHING_SAID = {.any = false};
static const struct lf_change CHANGE = {.by = "bench", .key_id = "", .note = "", .at_ms = 1780000000000};

static struct lf_store *store;
static struct lf_store_reader *reader;
static struct lf_arena *arena;

static void
must(enum lf_status status, const struct lf_error *error)
{
    if (status == LF_OK)
        return;
    (void)fprintf(stderr, "%s\n", error->detail);
    exit(1);
}

static double
seconds_since(int64_t begin)
{
    return (double)(lf_time_monotonic_ns() - begin) / 1e9;
}

static long
status_kib(const char *what)
{
    char line[256];
    long kib = 0;
    size_t len = strlen(what);
    FILE *file = fopen("/proc/self/status", "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, what, len) == 0 && sscanf(line + len, ": %ld", &kib) == 1)
            break;
    if (file != NULL)
        (void)fclose(file);
    return kib;
}

/* Bytes this process has written so far. */
static double
written_mb(void)
{
    char line[256];
    double bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "wchar: %lf", &bytes) == 1)
            break;
    if (file != NULL)
        (void)fclose(file);
    return bytes / 1e6;
}

static void
remove_database(const char *path)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".lock"};
    char name[4096];

    for (size_t i = 0; i < sizeof SUFFIXES / sizeof *SUFFIXES; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, SUFFIXES[i]);
        (void)unlink(name);
    }
}

/* count entries that ascend, kept until the process ends; `kind` keeps the sets of them apart. */
static struct lf_list_entry *
make_entries(size_t count, char kind)
{
    struct lf_list_entry *entries = calloc(count, sizeof *entries);
    char *texts = calloc(count, TEXT_MAX);

    if (entries == NULL || texts == NULL)
        exit(2);
    for (size_t i = 0; i < count; i++) {
        char *text = texts + i * TEXT_MAX;
        size_t len = (size_t)snprintf(text, TEXT_MAX, "company-%09zu%c.example", i * 7919, kind);

        entries[i] = (struct lf_list_entry){.text = text, .len = len, .folded = text, .folded_len = len};
    }
    return entries;
}

static void
shuffle(struct lf_list_entry *entries, size_t count)
{
    uint64_t random = 88172645463325252U;

    for (size_t i = count; i > 1; i--) {
        struct lf_list_entry held = entries[i - 1];
        size_t other = 0;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        other = (size_t)(random % i);
        entries[i - 1] = entries[other];
        entries[other] = held;
    }
}

static void
bench_put(const char *what, const struct lf_list_entry *entries, size_t count, size_t slice)
{
    struct lf_error error;
    struct lf_list_state state;
    struct lf_stored_list list;
    bool created = false, unchanged = false;
    double longest = 0, written = written_mb(), took = 0;
    int64_t begin = lf_time_monotonic_ns();

    must(lf_store_begin_list(store, &state, &error), &error);
    for (size_t at = 0; at < count; at += slice) {
        int64_t slice_begin = lf_time_monotonic_ns();
        double slice_took = 0;

        must(lf_store_add_list_entries(store, &state, entries + at, count - at < slice ? count - at : slice, &error),
             &error);
        slice_took = seconds_since(slice_begin);
        longest = slice_took > longest ? slice_took : longest;
        must(lf_store_checkpoint(store, false, &error), &error);
    }
    must(lf_store_put_list(store, "accounts", &state, &NOTHING_SAID, &CHANGE, arena, &list, &created, &unchanged,
                           &error),
         &error);
    took = seconds_since(begin);
    (void)printf("put %zu %s: %.2f s, %.0f entries/s, longest commit %.1f ms, %.0f MB written; resident %ld KiB\n",
                 list.count, what, took, (double)count / took, longest * 1e3, written_mb() - written,
                 status_kib("VmRSS"));
}

static void
bench_patch(const struct lf_list_entry *fresh, size_t patch, const struct lf_list_entry *entries, size_t count)
{
    struct lf_error error;
    struct lf_stored_list list;
    struct lf_list_entry *removed = calloc(patch, sizeof *removed);
    size_t added = 0, gone = 0;
    double written = written_mb();
    int64_t begin = lf_time_monotonic_ns();

    if (removed == NULL)
        exit(2);
    for (size_t i = 0; i < PATCHES; i++) {
        for (size_t j = 0; j < patch; j++)
            removed[j] = entries[(i * patch + j) % count];
        must(lf_store_patch_list(store, "accounts", fresh + i * patch, patch, removed, patch, &NOTHING_SAID, &CHANGE,
                                 arena, &list, &added, &gone, &error),
             &error);
        must(lf_store_checkpoint(store, false, &error), &error);
    }
    (void)printf("patch +%zu -%zu: %.1f ms each, %.1f MB written each; resident %ld KiB\n", added, gone,
                 seconds_since(begin) * 1e3 / PATCHES, (written_mb() - written) / PATCHES, status_kib("VmRSS"));
    free(removed);
}

static enum lf_status
count_bytes(void *context, const struct lf_list_entry *entry)
{
    size_t *bytes = context;

    *bytes += entry->len;
    return LF_OK;
}

static void
bench_read(void)
{
    struct lf_error error;
    struct lf_stored_list list;
    struct lf_findings findings;
    size_t bytes = 0;
    int64_t begin = lf_time_monotonic_ns();
    double took = 0;

    must(lf_store_list(reader, arena, "accounts", &list, &error), &error);
    must(lf_store_each_list_entry(reader, list.generation, count_bytes, &bytes, &error), &error);
    took = seconds_since(begin);
    (void)printf("walk: %.2f s, %.0f entries/s, %.1f MB of texts\n", took, (double)list.count / took,
                 (double)bytes / 1e6);
    lf_findings_init(&findings, arena);
    begin = lf_time_monotonic_ns();
    must(lf_store_check(reader, false, NULL, &findings, &error), &error);
    (void)printf("check: %.2f s, %zu findings\n", seconds_since(begin), findings.count);
}

static void
bench_sweep(size_t slice)
{
    struct lf_error error;
    size_t calls = 0;
    double longest = 0, written = written_mb();
    int64_t begin = lf_time_monotonic_ns();
    bool more = true;

    for (; more; calls++) {
        int64_t call_begin = lf_time_monotonic_ns();
        double call_took = 0;

        must(lf_store_sweep_lists(store, slice, 0, &more, &error), &error);
        call_took = seconds_since(call_begin);
        longest = call_took > longest ? call_took : longest;
        must(lf_store_checkpoint(store, false, &error), &error);
    }
    (void)printf("sweep in %zu commits: %.2f s, longest %.1f ms, %.0f MB written; resident %ld KiB\n", calls,
                 seconds_since(begin), longest * 1e3, written_mb() - written, status_kib("VmRSS"));
}

int
main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "bench.db";
    size_t count = argc > 2 ? (size_t)atol(argv[2]) : 1000000, slice = argc > 3 ? (size_t)atol(argv[3]) : 10000;
    size_t patch = argc > 4 ? (size_t)atol(argv[4]) : 1000;
    struct lf_store_options options = {.path = path};
    struct lf_error error;
    struct lf_list_entry *entries = NULL, *others = NULL, *fresh = NULL;
    struct stat is = {.st_size = 0};

    if (count == 0 || slice == 0 || patch == 0 || count < patch)
        return 2;
    remove_database(path);
    must(lf_hash_setup(&error), &error);
    must(lf_store_open(&options, &store, &error), &error);
    must(lf_store_reader_open(store, &reader, &error), &error);
    arena = lf_arena_create(1 << 16, 1 << 24);
    if (arena == NULL)
        return 2;
    entries = make_entries(count, 'a');
    others = make_entries(count, 'b');
    fresh = make_entries(patch * PATCHES, 'c');
    shuffle(fresh, patch * PATCHES);
    (void)printf("resident before: %ld KiB\n", status_kib("VmRSS"));
    bench_put("in order", entries, count, slice);
    must(lf_store_checkpoint(store, true, &error), &error);
    (void)stat(path, &is);
    (void)printf("disk: %.1f bytes an entry of %zu\n", (double)is.st_size / (double)count, entries[0].len);
    shuffle(entries, count);
    bench_patch(fresh, patch, entries, count);
    bench_read();
    shuffle(others, count);
    bench_put("in no order", others, count, slice);
    bench_sweep(slice);
    lf_store_reader_close(reader);
    lf_store_close(store);
    lf_arena_destroy(arena);
    return 0;
}
