/* audit.c - see audit.h. */
#include "store/audit.h"

#include "base/buf.h"

#include <inttypes.h>
#include <string.h>

/* The most an entry may take while it is hashed: notes and names are bounded far below that. */
enum { ENTRY_MAX = 64 * 1024 * 1024 };

/* ---- what is hashed ---- */

static void
put_number(struct lf_buf *buf, uint64_t value)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    lf_buf_add(buf, bytes, sizeof bytes);
}

static void
put_number_column(struct lf_buf *buf, int64_t value)
{
    put_number(buf, 8);
    put_number(buf, (uint64_t)value);
}

static void
put_text_column(struct lf_buf *buf, const char *text)
{
    size_t len = strlen(text);

    put_number(buf, len);
    lf_buf_add(buf, text, len);
}

bool
lf_audit_chain(const uint8_t before[LF_SHA256_SIZE], const struct lf_audit_entry *entry,
               uint8_t ret_chain[LF_SHA256_SIZE])
{
    struct lf_buf buf;
    bool fine = false;

    lf_buf_init(&buf, NULL, ENTRY_MAX);
    lf_buf_add(&buf, before, LF_SHA256_SIZE);
    put_number_column(&buf, entry->id);
    put_number_column(&buf, entry->at_ms);
    put_text_column(&buf, entry->by);
    put_text_column(&buf, entry->key_id);
    put_text_column(&buf, entry->action);
    put_text_column(&buf, entry->icp);
    put_text_column(&buf, entry->subject);
    put_number_column(&buf, entry->version);
    put_text_column(&buf, entry->note);
    put_text_column(&buf, entry->before);
    put_text_column(&buf, entry->after);
    fine = !lf_buf_failed(&buf) && lf_sha256(buf.data, buf.len, ret_chain);
    lf_buf_finish(&buf);
    return fine;
}

/* ---- the walk ----
 *
 * An entry follows when its chain is the hash over the stored chain of the one before. When it does not, what was done
 * shows at the next one: if that follows, this one was altered; if that follows the one before this, this one was put
 * in. Whoever takes an entry out or puts one in and renumbers the rest leaves ids that are not those that were hashed:
 * so the ids nearby are tried, too, and where one fits, all that follow are read with that shift. */

enum { SHIFT_MAX = 16 };

void
lf_audit_walk_init(struct lf_audit_walk *walk, const struct lf_audit_head *head, struct lf_findings *findings)
{
    *walk = (struct lf_audit_walk){.head = *head, .findings = findings};
    walk->met_head = head->entries == 0 && memcmp(head->chain, walk->last, LF_SHA256_SIZE) == 0;
}

static void
found_altered(struct lf_audit_walk *walk, int64_t id)
{
    lf_findings_add(walk->findings, "", "altered_audit_entry",
                    "audit entry %" PRId64 " is not what was written: it was altered afterwards", id);
}

static void
found_foreign(struct lf_audit_walk *walk, int64_t id)
{
    lf_findings_add(walk->findings, "", "foreign_audit_entry",
                    "audit entry %" PRId64 " was put in by somebody: leadfit did not write it there", id);
}

static void
found_missing(struct lf_audit_walk *walk, int64_t first, int64_t last)
{
    if (first == last)
        lf_findings_add(walk->findings, "", "missing_audit_entry", "audit entry %" PRId64 " is missing", first);
    else
        lf_findings_add(walk->findings, "", "missing_audit_entry",
                        "audit entries %" PRId64 " to %" PRId64 " are missing", first, last);
}

/* Says what the last entry turned out to be, where that was in doubt. */
static void
settle(struct lf_audit_walk *walk)
{
    if (walk->doubtful && walk->after_doubt)
        lf_findings_add(walk->findings, "", "altered_audit_entry",
                        "audit entry %" PRId64 " does not follow the one before, which was altered: it may have been"
                        " altered, too",
                        walk->last_id);
    else if (walk->doubtful)
        found_altered(walk, walk->last_id);
    walk->doubtful = false;
}

/* ret_hashed: what its chain should have been. */
static bool
follows(const uint8_t before[LF_SHA256_SIZE], const struct lf_audit_entry *entry, int64_t shift,
        uint8_t ret_hashed[LF_SHA256_SIZE], bool *ret_follows)
{
    struct lf_audit_entry as_written = *entry;

    as_written.id -= shift;
    if (!lf_audit_chain(before, &as_written, ret_hashed))
        return false;
    *ret_follows = memcmp(ret_hashed, entry->chain, LF_SHA256_SIZE) == 0;
    return true;
}

/* Looks for a shift other than the present one with which the entry follows `before`, between least and most away. */
static bool
follows_shifted(const struct lf_audit_walk *walk, const uint8_t before[LF_SHA256_SIZE],
                const struct lf_audit_entry *entry, int least, int most, int64_t *ret_shift, bool *ret_follows)
{
    uint8_t hashed[LF_SHA256_SIZE];

    *ret_follows = false;
    if (walk->findings->dropped > 0)
        return true; /* all is wrong here, and told: do not try each entry so often */
    for (int away = least; away <= most && !*ret_follows; away++) {
        if (away == 0)
            continue;
        *ret_shift = walk->shift + away;
        if (!follows(before, entry, *ret_shift, hashed, ret_follows))
            return false;
    }
    return true;
}

static void
go_on(struct lf_audit_walk *walk, const struct lf_audit_entry *entry)
{
    memcpy(walk->before_last, walk->last, LF_SHA256_SIZE);
    memcpy(walk->last, entry->chain, LF_SHA256_SIZE);
    walk->last_id = entry->id;
    if (entry->id - walk->shift == walk->head.entries)
        walk->met_head = memcmp(entry->chain, walk->head.chain, LF_SHA256_SIZE) == 0;
}

/* An entry that does not follow as it stands; hashed is what its chain should have been. */
static bool
explain(struct lf_audit_walk *walk, const struct lf_audit_entry *entry, const uint8_t hashed[LF_SHA256_SIZE])
{
    uint8_t other[LF_SHA256_SIZE];
    int64_t shift = 0;
    bool after_doubt = false, fits = false;

    /* Of the one before, nothing but its chain was altered. */
    if (walk->doubtful && !follows(walk->hashed, entry, walk->shift, other, &fits))
        return false;
    if (fits) {
        settle(walk);
        go_on(walk, entry);
        return true;
    }
    /* The one before this was put in, and all from here on moved by one. */
    if (walk->last_id > 0 && !follows_shifted(walk, walk->before_last, entry, 1, 1, &shift, &fits))
        return false;
    if (fits) {
        found_foreign(walk, walk->last_id);
        walk->doubtful = false;
        walk->shift = shift;
        memcpy(walk->last, walk->before_last, LF_SHA256_SIZE);
        go_on(walk, entry);
        return true;
    }
    /* It follows the one before, which followed nothing: between that and the one before it, some were taken out. */
    if (walk->doubtful && !follows_shifted(walk, walk->last, entry, -SHIFT_MAX, SHIFT_MAX, &shift, &fits))
        return false;
    if (fits) {
        lf_findings_add(walk->findings, "", "missing_audit_entry",
                        "before audit entry %" PRId64 " entries are missing, and those behind were given other ids",
                        walk->last_id);
        walk->doubtful = false;
        walk->shift = shift;
        go_on(walk, entry);
        return true;
    }
    after_doubt = walk->doubtful;
    settle(walk);
    walk->after_doubt = after_doubt;
    walk->doubtful = true;
    memcpy(walk->hashed, hashed, LF_SHA256_SIZE);
    go_on(walk, entry);
    return true;
}

bool
lf_audit_walk_entry(struct lf_audit_walk *walk, const struct lf_audit_entry *entry, bool readable)
{
    uint8_t hashed[LF_SHA256_SIZE];
    bool behind = entry->id - walk->shift > walk->head.entries, gap = entry->id > walk->last_id + 1, fits = false;

    if (entry->id < 1 || (behind && (walk->met_head || gap))) {
        found_foreign(walk, entry->id);
        return true;
    }
    if (gap) {
        settle(walk);
        found_missing(walk, walk->last_id + 1, entry->id - 1);
    }
    if (!readable) {
        settle(walk);
        found_altered(walk, entry->id);
    }
    if (gap || !readable) { /* what it should follow is gone, or cannot be hashed */
        go_on(walk, entry);
        return true;
    }
    if (!follows(walk->last, entry, walk->shift, hashed, &fits))
        return false;
    if (!fits)
        return explain(walk, entry, hashed);
    settle(walk);
    go_on(walk, entry);
    return true;
}

void
lf_audit_walk_end(struct lf_audit_walk *walk)
{
    int64_t there = walk->last_id - walk->shift;
    bool told = walk->doubtful;

    settle(walk);
    if (there < walk->head.entries)
        found_missing(walk, walk->last_id + 1, walk->head.entries + walk->shift);
    else if (there > walk->head.entries)
        lf_findings_add(walk->findings, "", "damaged_audit_head",
                        "the audit's head knows of %" PRId64 " entries, and there are %" PRId64 ": it was altered",
                        walk->head.entries, there);
    else if (!told && memcmp(walk->last, walk->head.chain, LF_SHA256_SIZE) != 0)
        lf_findings_add(walk->findings, "", "damaged_audit_head",
                        "the audit's head is not that of its last entry, %" PRId64 ": it was altered", walk->last_id);
}
