/*
 * privacy.c - see privacy.h.
 *
 * Every lead that is kept is walked with this, and nearly no name in it is one that must not be kept: a name is first
 * looked at by its two last letters alone, which tells most names apart in a few steps. Only where these fit is the
 * name looked up among the patterns' last names, and only where it is one do the names above it count.
 */
#include "core/privacy.h"

#include "base/text.h"

#include <string.h>

enum {
    LETTERS = 36, /* a..z, 0..9 */
    NO_LETTER = -1,
    KEPT_HEX = 16,          /* bytes of a hash that are kept, as hex digits */
    NAME_MAX_BYTES = 256,   /* no path is longer; a longer name matches nothing, so that it takes no time either */
    FOLD_CHUNK = 1 << 14,   /* room for one that is folded */
    SCALAR_BYTES = 16 << 20 /* a text of a lead, escaped */
};

struct pattern {
    struct lf_text *names; /* folded letters and digits alone; the last one first */
    size_t count;
    bool anywhere;
    uint32_t next; /* the next one of the same last name, as in lf_privacy.slots */
};

struct lf_privacy {
    enum lf_kept kept;
    struct pattern *patterns;
    size_t count;
    /* By the last letter of a pattern's last name: a bit for each letter before it, and the highest one always. */
    uint64_t ends[LETTERS];
    uint32_t *slots; /* by hash of the last name: the first pattern's index + 1; open addressing, 0 for a free place */
    size_t mask;
    struct lf_hmac_key key;
};

static int
letter_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '0' && c <= '9' ? 26 + c - '0' : NO_LETTER;
}

/* ---- names ---- */

/* Compares a name's ASCII letters and digits with those of a pattern, from the end. */
static bool
same_ascii(struct lf_text name, struct lf_text wanted)
{
    size_t at = name.len, left = wanted.len;

    while (at > 0) {
        char c = name.bytes[--at];

        if (letter_of(c) == NO_LETTER)
            continue;
        if (left == 0 || (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != wanted.bytes[--left])
            return false;
    }
    return left == 0;
}

/* The letters and digits of a name, folded. false: out of memory. */
static bool
plain_name(struct lf_arena *arena, struct lf_text name, struct lf_text *ret_plain)
{
    struct lf_text folded = {NULL, 0};
    char *plain = NULL;
    size_t len = 0;

    if (!lf_text_fold(arena, name.bytes, name.len, &folded) || (plain = lf_arena_alloc(arena, folded.len + 1)) == NULL)
        return false;
    for (size_t at = 0; at < folded.len;) {
        size_t next = 0;
        int32_t c = lf_text_char(folded.bytes, folded.len, at, &next);

        if (c != '_' && lf_text_is_word(c)) {
            memcpy(plain + len, folded.bytes + at, next - at);
            len += next - at;
        }
        at = next;
    }
    *ret_plain = (struct lf_text){plain, len};
    return true;
}

/* A name as it is compared. */
struct known_name {
    struct lf_text text;
    bool folded;            /* to letters and digits alone; else these are picked out of it */
    struct lf_arena *arena; /* where that was done */
};

static bool
is_ascii(struct lf_text name)
{
    unsigned bits = 0;

    for (size_t i = 0; i < name.len; i++)
        bits |= (unsigned char)name.bytes[i];
    return bits < 0x80;
}

/* Names that are all ASCII stay as they are; of overlong ones nothing is left. false: out of memory. */
static bool
know_name(struct lf_text name, struct known_name *ret_known)
{
    struct known_name known = {.text = name};

    if (name.len > NAME_MAX_BYTES) {
        known.text.len = 0;
    } else if (!is_ascii(name)) {
        known.arena = lf_arena_create(FOLD_CHUNK, (size_t)FOLD_CHUNK * 4);
        if (known.arena == NULL || !plain_name(known.arena, name, &known.text)) {
            lf_arena_destroy(known.arena);
            return false;
        }
        known.folded = true;
    }
    *ret_known = known;
    return true;
}

/* A hash of names as they are compared, letter by letter. Patterns are the operator's: nobody gains by names that
 * collide. */
static inline uint32_t
hash_on(uint32_t hash, unsigned letter)
{
    return (hash ^ letter) * UINT32_C(0x01000193);
}

static uint32_t
hash_name(const struct known_name *name)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < name->text.len; i++) {
        char c = name->text.bytes[i];
        int letter = letter_of(c);

        if (letter != NO_LETTER)
            hash = hash_on(hash, (unsigned)letter);
        else if (name->folded)
            hash = hash_on(hash, (unsigned char)c);
    }
    return hash;
}

static bool
same_name(const struct known_name *name, struct lf_text wanted)
{
    if (!name->folded)
        return same_ascii(name->text, wanted);
    return name->text.len == wanted.len && memcmp(name->text.bytes, wanted.bytes, wanted.len) == 0;
}

/* ---- places ---- */

/* Names upwards from a place; a dot in a name parts it. */
struct climb {
    const struct lf_privacy_place *place;
    size_t end; /* of what is left of place's name */
};

static bool
climb_next(struct climb *climb, struct lf_text *ret_name)
{
    const char *dot = NULL;
    size_t begin = 0;

    if (climb->place == NULL)
        return false;
    dot = climb->end > 0 && climb->end <= NAME_MAX_BYTES ? memrchr(climb->place->name, '.', climb->end) : NULL;
    begin = dot != NULL ? (size_t)(dot - climb->place->name) + 1 : 0;
    *ret_name = (struct lf_text){climb->place->name + begin, climb->end - begin};
    if (dot != NULL) {
        climb->end = begin - 1;
    } else {
        climb->place = climb->place->parent;
        climb->end = climb->place != NULL ? climb->place->len : 0;
    }
    return true;
}

enum answer { NO, YES, NO_MEMORY };

/* Whether the rest of a pattern, from its name `at` on, stands there. */
static enum answer
matches_above(const struct pattern *pattern, size_t at, struct climb climb)
{
    struct lf_text text = {NULL, 0};

    for (size_t i = at; i < pattern->count; i++) {
        struct known_name name;
        bool same = false;

        if (!climb_next(&climb, &text))
            return NO;
        if (!know_name(text, &name))
            return NO_MEMORY;
        same = same_name(&name, pattern->names[i]);
        lf_arena_destroy(name.arena);
        if (!same)
            return NO;
    }
    return pattern->anywhere || climb.place == NULL ? YES : NO;
}

/* Whether one of the patterns of a last name, from `found` on, has what stands above. The name above is known once for
 * all of them. */
static enum answer
match_any(const struct lf_privacy *privacy, uint32_t found, struct climb climb)
{
    struct lf_text text = {NULL, 0};
    bool top = climb.place == NULL;
    struct climb above = climb;
    struct known_name name = {.folded = false};
    enum answer answer = NO;

    if (!top && (!climb_next(&above, &text) || !know_name(text, &name)))
        return NO_MEMORY;
    for (; found != 0 && answer == NO; found = privacy->patterns[found - 1].next) {
        const struct pattern *pattern = &privacy->patterns[found - 1];

        if (pattern->count == 1)
            answer = pattern->anywhere || top ? YES : NO;
        else if (!top && same_name(&name, pattern->names[1]))
            answer = matches_above(pattern, 2, above);
    }
    lf_arena_destroy(name.arena);
    return answer;
}

/* Where the patterns of that last name are, or would be. */
static uint32_t *
find_last_name(const struct lf_privacy *privacy, const struct known_name *name, uint32_t hash)
{
    size_t at = (hash ^ hash >> 16) & privacy->mask;

    while (privacy->slots[at] != 0 && !same_name(name, privacy->patterns[privacy->slots[at] - 1].names[0]))
        at = (at + 1) & privacy->mask;
    return &privacy->slots[at];
}

/* Looks up the last name of a place; *ret_above is what stands above it. The names that nearly all leads have, ASCII
 * without a dot, take one walk over their letters. */
static enum answer
look_up(const struct lf_privacy *privacy, const struct lf_privacy_place *place, uint32_t *ret_found,
        struct climb *ret_above)
{
    struct climb climb = {place->parent, place->parent != NULL ? place->parent->len : 0};
    struct known_name name = {.text = {place->name, place->len}};
    uint32_t hash = 0;
    size_t at = 0;

    for (; at < place->len; at++) {
        int letter = letter_of(place->name[at]);

        if (letter != NO_LETTER)
            hash = hash_on(hash, (unsigned)letter);
        else if (place->name[at] == '.' || (unsigned char)place->name[at] >= 0x80)
            break;
    }
    if (at < place->len) {
        climb = (struct climb){place, place->len};
        if (!climb_next(&climb, &name.text) || !know_name(name.text, &name))
            return NO_MEMORY;
        hash = hash_name(&name);
    }
    *ret_above = climb;
    *ret_found = *find_last_name(privacy, &name, hash);
    lf_arena_destroy(name.arena);
    return *ret_found != 0 ? YES : NO;
}

static enum answer
is_never(const struct lf_privacy *privacy, const struct lf_privacy_place *place)
{
    struct climb above = {NULL, 0};
    uint32_t found = 0;
    enum answer answer = look_up(privacy, place, &found, &above);

    return answer == YES ? match_any(privacy, found, above) : answer;
}

/* Whether a member of that name can be one that is never kept, by the last letters: what folding and marks in between
 * make of a name, two ASCII letters at its end stay what they are. */
static inline bool
may_match(const struct lf_privacy *privacy, const char *name, size_t len)
{
    int last = len > 0 ? letter_of(name[len - 1]) : NO_LETTER, before = NO_LETTER;

    if (last == NO_LETTER)
        return len > 0 && privacy->count > 0;
    if (privacy->ends[last] == 0)
        return false;
    before = len > 1 ? letter_of(name[len - 2]) : NO_LETTER;
    return before == NO_LETTER || (privacy->ends[last] >> before & 1) != 0;
}

/* dotted: the name has dots, so that it is several: what stands below one that is never kept goes as well. */
static enum answer
drops(const struct lf_privacy *privacy, const struct lf_privacy_place *place, bool dotted)
{
    struct lf_privacy_place part = *place;
    enum answer answer = NO;

    if (place->len > NAME_MAX_BYTES)
        return NO;
    for (size_t i = 0; dotted && i < place->len && answer == NO; i++)
        if (place->name[i] == '.') {
            part.len = i;
            answer = may_match(privacy, part.name, part.len) ? is_never(privacy, &part) : NO;
        }
    return answer == NO && may_match(privacy, place->name, place->len) ? is_never(privacy, place) : answer;
}

bool
lf_privacy_drops(const struct lf_privacy *privacy, const struct lf_privacy_place *place, struct lf_buf *buf)
{
    enum answer answer = drops(privacy, place, place->len > 0 && memchr(place->name, '.', place->len) != NULL);

    if (answer == NO_MEMORY)
        buf->failed = true;
    return answer != NO;
}

/* Without memory to tell, the answer of a condition is recorded although its value is: no harm. */
bool
lf_privacy_never(const struct lf_privacy *privacy, const char *path)
{
    struct lf_privacy_place place = {.name = path, .len = strlen(path)};

    return drops(privacy, &place, true) != NO;
}

bool
lf_privacy_withholds(const struct lf_privacy *privacy, const char *path)
{
    return (privacy->kept != LF_KEPT_FIELDS && privacy->kept != LF_KEPT_WHOLE) || lf_privacy_never(privacy, path);
}

/* ---- making ---- */

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading which fields are never stored");
}

static enum lf_status
wrong_pattern(struct lf_text pattern, const char *why, struct lf_error *error)
{
    return lf_fail(error, LF_CONFIG, "\"%.*s\" names no field: %s",
                   (int)lf_text_prefix(pattern.bytes, pattern.len, 100), pattern.bytes, why);
}

/* Reads the names of a pattern into its places, the last one first. */
static enum lf_status
read_names(struct lf_arena *arena, struct lf_text whole, struct lf_text names, struct pattern *pattern,
           struct lf_error *error)
{
    const char *end = names.bytes + names.len, *name = names.bytes;
    size_t at = 1;

    for (const char *c = name; c < end; c++)
        at += *c == '.';
    pattern->count = at;
    pattern->names = lf_arena_calloc(arena, pattern->count, sizeof *pattern->names);
    if (pattern->names == NULL)
        return out_of_memory(error);
    while (at > 0) {
        const char *dot = name < end ? memchr(name, '.', (size_t)(end - name)) : NULL;
        struct lf_text one = {name, (size_t)((dot != NULL ? dot : end) - name)}, *plain = &pattern->names[--at];

        if (!plain_name(arena, one, plain))
            return out_of_memory(error);
        if (plain->len == 0)
            return wrong_pattern(whole, "each name between dots has a letter or a digit", error);
        name = dot != NULL ? dot + 1 : end;
    }
    return LF_OK;
}

static enum lf_status
read_pattern(struct lf_arena *arena, struct lf_text whole, struct pattern *pattern, struct lf_error *error)
{
    struct lf_text names = whole;

    if (names.len >= 2 && names.bytes[0] == '*' && names.bytes[1] == '.') {
        pattern->anywhere = true;
        names.bytes += 2;
        names.len -= 2;
    }
    for (size_t i = 0; i < names.len; i++) {
        if (names.bytes[i] == '*')
            return wrong_pattern(whole,
                                 "* stands only in front, as in *.email; what is below a field goes with it, so that "
                                 "`company` takes in all of company",
                                 error);
        if (strchr("?[]{}\"';/\\", names.bytes[i]) != NULL)
            return wrong_pattern(whole, "write a path as company.phone, and a comma before the next one", error);
    }
    return read_names(arena, whole, names, pattern, error);
}

/* Notes the pattern before others of its last name, and how that ends. */
static void
note_pattern(struct lf_privacy *privacy, struct pattern *pattern)
{
    struct lf_text name = pattern->names[0];
    struct known_name known = {.text = name, .folded = true};
    uint32_t *slot = find_last_name(privacy, &known, hash_name(&known));
    int last = letter_of(name.bytes[name.len - 1]);
    int before = name.len > 1 ? letter_of(name.bytes[name.len - 2]) : NO_LETTER;

    pattern->next = *slot;
    *slot = (uint32_t)++privacy->count;
    if (last == NO_LETTER) /* names that end so are always looked at closely */
        return;
    privacy->ends[last] |= UINT64_C(1) << 63;
    if (before != NO_LETTER)
        privacy->ends[last] |= UINT64_C(1) << before;
}

enum lf_status
lf_privacy_create(struct lf_arena *arena, enum lf_kept kept, const char *never, const uint8_t *hash_key,
                  const struct lf_privacy **ret_privacy, struct lf_error *error)
{
    struct lf_privacy *privacy = lf_arena_calloc(arena, 1, sizeof *privacy);
    size_t most = 1, slots = 4;

    for (const char *c = never; c != NULL && *c != '\0'; c++)
        most += *c == ',';
    while (slots < 8 * most) /* so that a name that is none of them mostly meets a free place */
        slots *= 2;
    if (privacy == NULL || (privacy->patterns = lf_arena_calloc(arena, most, sizeof *privacy->patterns)) == NULL ||
        (privacy->slots = lf_arena_calloc(arena, slots, sizeof *privacy->slots)) == NULL)
        return out_of_memory(error);
    privacy->mask = slots - 1;
    privacy->kept = kept;
    if (!lf_hmac_prepare(&privacy->key, hash_key, hash_key != NULL ? LF_SHA256_SIZE : 0))
        return out_of_memory(error);
    for (const char *at = never; at != NULL;) {
        const char *comma = strchr(at, ',');
        struct lf_text pattern = lf_text_trim(at, comma != NULL ? (size_t)(comma - at) : strlen(at));
        struct pattern *place = &privacy->patterns[privacy->count];

        at = comma != NULL ? comma + 1 : NULL;
        if (pattern.len == 0) /* a comma too many */
            continue;
        if (!lf_text_is_utf8(pattern.bytes, pattern.len, NULL))
            return lf_fail(error, LF_CONFIG, "the fields that are never stored are not written in UTF-8");
        enum lf_status status = read_pattern(arena, pattern, place, error);
        if (status != LF_OK)
            return status;
        note_pattern(privacy, place);
    }
    *ret_privacy = privacy;
    return LF_OK;
}

const struct lf_privacy *
lf_privacy_as(struct lf_arena *arena, const struct lf_privacy *privacy, enum lf_kept kept, bool all)
{
    struct lf_privacy *other = lf_arena_calloc(arena, 1, sizeof *other);

    if (other == NULL)
        return NULL;
    *other = *privacy;
    other->kept = kept;
    if (all) {
        other->count = 0;
        memset(other->ends, 0, sizeof other->ends);
    }
    return other;
}

enum lf_kept
lf_privacy_kept(const struct lf_privacy *privacy)
{
    return privacy->kept;
}

/* ---- putting ---- */

struct putting {
    const struct lf_privacy *privacy;
    struct lf_buf *buf;
    struct lf_buf scalar; /* one value at a time, to be hashed */
};

static void
put_hash(struct putting *putting, const struct lf_json *value)
{
    static const char HEX[] = "0123456789abcdef";
    uint8_t digest[LF_SHA256_SIZE];
    char text[2 * KEPT_HEX];

    putting->scalar.len = 0;
    /* A value without members needs no room to sort them in. */
    if (!lf_json_put_canonical(&putting->scalar, NULL, value) || lf_buf_failed(&putting->scalar) ||
        !lf_hmac_sha256(&putting->privacy->key, putting->scalar.data, putting->scalar.len, digest)) {
        putting->buf->failed = true;
        return;
    }
    for (int i = 0; i < KEPT_HEX; i++) {
        text[2 * i] = HEX[digest[i] >> 4];
        text[2 * i + 1] = HEX[digest[i] & 15];
    }
    lf_buf_lit(putting->buf, "\"hmac:");
    lf_buf_add(putting->buf, text, sizeof text);
    lf_buf_lit(putting->buf, "\"");
}

static void put_value(struct putting *putting, const struct lf_privacy_place *place, const struct lf_json *value);

/* As deep as a lead is let in. */
static void
put_object(struct putting *putting, const struct lf_privacy_place *place, const struct lf_json *object)
{
    struct lf_buf *buf = putting->buf;
    bool first = true;

    lf_buf_lit(buf, "{");
    for (const struct lf_json *value = lf_json_first(object); value != NULL; value = lf_json_next(value)) {
        struct lf_privacy_place here = {.parent = place, .name = lf_json_name(value)};
        const char *dot = strchrnul(here.name, '.');
        bool dotted = *dot != '\0';
        enum answer answer = NO;

        here.len = (size_t)(dot - here.name) + (dotted ? strlen(dot) : 0);
        if (dotted || may_match(putting->privacy, here.name, here.len))
            answer = drops(putting->privacy, &here, dotted);
        if (answer == NO_MEMORY)
            buf->failed = true;
        if (answer != NO)
            continue;
        if (!first)
            lf_buf_lit(buf, ",");
        first = false;
        lf_json_put_text(buf, here.name, here.len);
        lf_buf_lit(buf, ":");
        put_value(putting, &here, value);
    }
    lf_buf_lit(buf, "}");
}

static void
put_value(struct putting *putting, const struct lf_privacy_place *place, const struct lf_json *value)
{
    enum lf_json_kind kind = lf_json_kind(value);

    if (kind == LF_JSON_OBJECT) {
        put_object(putting, place, value);
    } else if (kind == LF_JSON_ARRAY) {
        lf_buf_lit(putting->buf, "[");
        for (const struct lf_json *item = lf_json_first(value); item != NULL; item = lf_json_next(item)) {
            if (item != lf_json_first(value))
                lf_buf_lit(putting->buf, ",");
            put_value(putting, place, item);
        }
        lf_buf_lit(putting->buf, "]");
    } else if (putting->privacy->kept == LF_KEPT_HASHES && kind != LF_JSON_NULL) {
        put_hash(putting, value);
    } else {
        lf_json_put_tree(putting->buf, value);
    }
}

void
lf_privacy_put_at(const struct lf_privacy *privacy, const struct lf_privacy_place *place, const struct lf_json *value,
                  struct lf_buf *buf)
{
    struct putting putting = {.privacy = privacy, .buf = buf};

    switch (privacy->kept) {
    case LF_KEPT_NOTHING:
    case LF_KEPT_ERASED:
        lf_buf_lit(buf, "{}");
        return;
    case LF_KEPT_FIELDS:
    case LF_KEPT_WHOLE:
        if (privacy->count == 0) {
            lf_json_put_tree(buf, value);
            return;
        }
        break;
    case LF_KEPT_HASHES:
        break;
    }
    lf_buf_init(&putting.scalar, NULL, SCALAR_BYTES);
    put_value(&putting, place, value);
    lf_buf_finish(&putting.scalar);
}

void
lf_privacy_put(const struct lf_privacy *privacy, const struct lf_json *lead, struct lf_buf *buf)
{
    lf_privacy_put_at(privacy, NULL, lead, buf);
}
