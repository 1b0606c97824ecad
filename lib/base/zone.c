/*
 * zone.c - see zone.h.
 *
 * A TZif file has a block of four-byte times, which version 2 and later files repeat with eight-byte ones, followed by
 * a TZ string for all that comes after the last of them. Types (an offset each) and times are checked and copied; names
 * and whether a time is daylight saving do not matter here. Files that count leap seconds (right/…) are refused: Unix
 * time has none.
 */
#include "base/zone.h"

#include "base/zone_rule.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DAY = 86400,
    NAME_MAX_LEN = 64,  /* the longest there is has 32 */
    FILE_MAX = 1 << 18, /* the largest there is has 4 KB */
    HEAD_SIZE = 44,
    TYPE_SIZE = 6,
    OFFSET_MAX = 26 * 3600, /* RFC 9636, 3.2: from -25 to 26 hours */
};

static const int64_t TIME_MAX = INT64_C(1) << 59; /* s; the same: the Big Bang, and as far the other way */

struct lf_zone {
    int64_t *times;   /* ascending: when the offset changes */
    int32_t *offsets; /* from then on */
    size_t count;
    int32_t first; /* before them all */
    bool has_rule; /* from the last of them on */
    struct lf_zone_rule rule;
};

static const struct lf_zone UTC = {.count = 0};

static enum lf_status
damaged(struct lf_error *error, const char *what)
{
    return lf_fail(error, LF_FILE, "a file of the time zone database is damaged: %s", what);
}

static enum lf_status
no_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a time zone");
}

/* ---- TZif ---- */

struct bytes {
    const uint8_t *at;
    size_t len;
};

/* One of a file's two blocks. */
struct block {
    int version;
    size_t time_size; /* bytes of a time: 4 or 8 */
    uint32_t utc_count, standard_count, leap_count, time_count, type_count, char_count;
    const uint8_t *times, *indexes, *types;
};

static uint32_t
read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t
read_time(const uint8_t *at, size_t size)
{
    if (size == 4)
        return (int32_t)read_be32(at);
    return (int64_t)((uint64_t)read_be32(at) << 32 | read_be32(at + 4));
}

/* Takes a block's head and body off the bytes. */
static bool
take_block(struct bytes *bytes, size_t time_size, struct block *ret_block)
{
    struct block block = {.time_size = time_size};
    const uint8_t *head = bytes->at;
    uint64_t size = 0;

    if (bytes->len < HEAD_SIZE || memcmp(head, "TZif", 4) != 0)
        return false;
    block.version = head[4];
    block.utc_count = read_be32(head + 20);
    block.standard_count = read_be32(head + 24);
    block.leap_count = read_be32(head + 28);
    block.time_count = read_be32(head + 32);
    block.type_count = read_be32(head + 36);
    block.char_count = read_be32(head + 40);
    size = HEAD_SIZE + (uint64_t)block.time_count * (time_size + 1) + (uint64_t)block.type_count * TYPE_SIZE +
           block.char_count + (uint64_t)block.leap_count * (time_size + 4) + block.standard_count + block.utc_count;
    if (size > bytes->len)
        return false;
    block.times = head + HEAD_SIZE;
    block.indexes = block.times + block.time_count * time_size;
    block.types = block.indexes + block.time_count;
    bytes->at += size;
    bytes->len -= (size_t)size;
    *ret_block = block;
    return true;
}

static bool
read_offset(const struct block *block, size_t type, int32_t *ret_offset)
{
    *ret_offset = (int32_t)read_be32(block->types + type * TYPE_SIZE);
    return *ret_offset >= -OFFSET_MAX && *ret_offset <= OFFSET_MAX;
}

static const char *
read_times(const struct block *block, struct lf_zone *zone)
{
    if (!read_offset(block, 0, &zone->first))
        return "an offset is too large";
    for (size_t i = 0; i < block->time_count; i++) {
        zone->times[i] = read_time(block->times + i * block->time_size, block->time_size);
        if (zone->times[i] < -TIME_MAX || zone->times[i] > TIME_MAX || (i > 0 && zone->times[i] <= zone->times[i - 1]))
            return "its times do not ascend";
        if (block->indexes[i] >= block->type_count)
            return "a type is not there";
        if (!read_offset(block, block->indexes[i], &zone->offsets[i]))
            return "an offset is too large";
    }
    zone->count = block->time_count;
    return NULL;
}

/* The TZ string between two line ends; an empty one tells nothing. */
static bool
read_rule(struct bytes bytes, struct lf_zone *zone)
{
    const uint8_t *end = bytes.len > 1 ? memchr(bytes.at + 1, '\n', bytes.len - 1) : NULL;
    size_t len = 0;

    if (end == NULL || bytes.at[0] != '\n')
        return false;
    len = (size_t)(end - bytes.at) - 1;
    zone->has_rule = len > 0;
    return len == 0 || (lf_zone_rule_parse((const char *)bytes.at + 1, len, &zone->rule) &&
                        abs(zone->rule.standard_s) <= OFFSET_MAX && abs(zone->rule.daylight_s) <= OFFSET_MAX);
}

enum lf_status
lf_zone_read(struct lf_arena *arena, const void *bytes, size_t len, const struct lf_zone **ret_zone,
             struct lf_error *error)
{
    struct lf_zone *zone = lf_arena_calloc(arena, 1, sizeof *zone);
    struct bytes rest = {bytes, len};
    struct block block;
    const char *fault = NULL;
    bool has_rule = false;

    if (zone == NULL)
        return no_memory(error);
    if (!take_block(&rest, 4, &block))
        return damaged(error, "it is cut off, or no TZif");
    has_rule = block.version != 0;
    if (has_rule && !take_block(&rest, 8, &block))
        return damaged(error, "it is cut off");
    if (block.type_count == 0)
        return damaged(error, "it has no types");
    if (block.leap_count > 0)
        return damaged(error, "it counts leap seconds, which Unix time does not");
    zone->times = lf_arena_calloc(arena, block.time_count, sizeof *zone->times);
    zone->offsets = lf_arena_calloc(arena, block.time_count, sizeof *zone->offsets);
    if (zone->times == NULL || zone->offsets == NULL)
        return no_memory(error);
    fault = read_times(&block, zone);
    if (fault != NULL)
        return damaged(error, fault);
    if (has_rule && !read_rule(rest, zone))
        return damaged(error, "its rule cannot be read");
    *ret_zone = zone;
    return LF_OK;
}

/* ---- the database ---- */

static const char *
folder(void)
{
    const char *named = getenv("TZDIR");

    return named != NULL && *named != '\0' ? named : "/usr/share/zoneinfo";
}

/* Names of letters, digits and ._+-, joined by slashes; none is empty or begins with a dot. */
static bool
is_name(const char *name)
{
    size_t len = strnlen(name, NAME_MAX_LEN + 1);

    if (len == 0 || len > NAME_MAX_LEN || name[len - 1] == '/')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool begins = i == 0 || name[i - 1] == '/';

        if (begins && (c == '/' || c == '.'))
            return false;
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("._+-/", c) != NULL))
            return false;
    }
    return true;
}

static enum lf_status
no_zone(struct lf_error *error)
{
    return lf_fail(error, LF_INVALID_PARAMETER,
                   "there is no time zone of that name; write one of the IANA database, as in tz=Europe/Berlin");
}

/* Why a file that could not be opened could not. */
static enum lf_status
not_opened(const char *database, struct lf_error *error)
{
    int reason = errno;
    struct stat status;

    if (reason == ENOMEM)
        return no_memory(error);
    if (reason != ENOENT && reason != ENOTDIR && reason != ENAMETOOLONG && reason != ELOOP && reason != EISDIR)
        return lf_fail(error, LF_FILE, "the time zone database cannot be read: %s", strerror(reason));
    if (stat(database, &status) != 0)
        return lf_fail(error, LF_FILE, "the time zone database is not installed (package tzdata): no %s", database);
    return no_zone(error);
}

/* Reads up to `max` bytes; -1 on failure. */
static ssize_t
read_all(int fd, uint8_t *bytes, size_t max)
{
    size_t len = 0;

    while (len < max) {
        ssize_t got = read(fd, bytes + len, max - len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

static enum lf_status
read_file(struct lf_arena *arena, int fd, const struct lf_zone **ret_zone, struct lf_error *error)
{
    struct stat status;
    uint8_t *bytes = NULL;
    ssize_t len = 0;
    enum lf_status result = LF_OK;

    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return no_zone(error); /* a folder, as Europe */
    if (status.st_size > FILE_MAX)
        return damaged(error, "it is too large");
    bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL)
        return no_memory(error);
    len = read_all(fd, bytes, (size_t)status.st_size);
    if (len < 0)
        result = lf_fail(error, LF_FILE, "the time zone database cannot be read: %s", strerror(errno));
    else if (len < 4 || memcmp(bytes, "TZif", 4) != 0)
        result = no_zone(error); /* one of the other files there, as zone.tab */
    else
        result = lf_zone_read(arena, bytes, (size_t)len, ret_zone, error);
    free(bytes);
    return result;
}

enum lf_status
lf_zone_open(struct lf_arena *arena, const char *name, const struct lf_zone **ret_zone, struct lf_error *error)
{
    const char *database = folder();
    enum lf_status result = LF_OK;
    char *path = NULL;
    int fd = -1;

    if (strcmp(name, "UTC") == 0) {
        *ret_zone = &UTC;
        return LF_OK;
    }
    /* Neither zones with leap seconds nor those that mean another one on each machine. */
    if (!is_name(name) || strncmp(name, "right/", 6) == 0 || strcmp(name, "localtime") == 0 ||
        strcmp(name, "posixrules") == 0)
        return no_zone(error);
    path = lf_arena_printf(arena, "%s/%s", database, name);
    if (path == NULL)
        return no_memory(error);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return not_opened(database, error);
    result = read_file(arena, fd, ret_zone, error);
    (void)close(fd);
    return result;
}

/* ---- looking ---- */

/* How many of the changes lie at or before the moment. */
static size_t
changes_until(const struct lf_zone *zone, int64_t unix_s)
{
    size_t low = 0, high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->times[middle] <= unix_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The offset at that moment, and the first moment after it at which that may change; INT64_MAX for never. */
static int32_t
look(const struct lf_zone *zone, int64_t unix_s, int64_t *ret_until_s)
{
    size_t passed = changes_until(zone, unix_s);

    if (passed == zone->count && zone->has_rule)
        return lf_zone_rule_look(&zone->rule, unix_s, ret_until_s);
    *ret_until_s = passed < zone->count ? zone->times[passed] : INT64_MAX;
    return passed > 0 ? zone->offsets[passed - 1] : zone->first;
}

/* Within what sums of times and offsets may be. */
static int64_t
bounded(int64_t unix_s)
{
    if (unix_s > TIME_MAX)
        return TIME_MAX;
    return unix_s < -TIME_MAX ? -TIME_MAX : unix_s;
}

int
lf_zone_offset_s(const struct lf_zone *zone, int64_t unix_s)
{
    int64_t until = 0;

    return look(zone, bounded(unix_s), &until);
}

/* The first moment at which the local clock shows midnight of that day (since 1970), or more. Before, every offset is
 * too small for it. */
static int64_t
day_begin(const struct lf_zone *zone, int64_t day)
{
    int64_t midnight = day * DAY, at = midnight - OFFSET_MAX, until = 0;

    for (;;) {
        int64_t begin = midnight - look(zone, at, &until);

        if (begin < at)
            begin = at;
        if (begin < until)
            return begin;
        at = until;
    }
}

void
lf_zone_day(const struct lf_zone *zone, int64_t unix_s, int64_t *ret_begin_s, int64_t *ret_end_s)
{
    int64_t at = bounded(unix_s), local = at + lf_zone_offset_s(zone, at);
    int64_t day = local / DAY - (local % DAY < 0), end = day_begin(zone, day + 1);

    /* A clock that goes back over midnight shows the old day once more; the new one has begun. */
    while (end <= at) {
        day++;
        end = day_begin(zone, day + 1);
    }
    *ret_begin_s = day_begin(zone, day);
    *ret_end_s = end;
}
