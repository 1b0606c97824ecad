/*
 * text.h - text as sales people mean it: folded, trimmed, compared by characters.
 *
 * Folding is Unicode's NFKC_Casefold (libutf8proc: default-ignorable characters are dropped), then trimming, then
 * every run of Unicode white space becomes one space. Plain ASCII takes a fast path with the same result.
 * Pure; thread-safe; input is valid UTF-8 (the JSON and CSV doors see to that).
 */
#ifndef LF_BASE_TEXT_H
#define LF_BASE_TEXT_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of UTF-8; not NUL-terminated unless said. */
struct lf_text {
    const char *bytes;
    size_t len;
};

/* Folds into the arena. The result is the same for canonically equivalent texts (NFD is taken first, as Unicode's D147
 * does) and folding it again changes nothing. Linear time. false when memory is out. */
bool lf_text_fold(struct lf_arena *arena, const char *bytes, size_t len, struct lf_text *ret_folded) LF_MUST_CHECK;

/* The text without Unicode white space (property White_Space) at its ends; points into the input. */
struct lf_text lf_text_trim(const char *bytes, size_t len);

/* Whether the whole of it is valid UTF-8 (no surrogates, no overlong forms). *ret_bad (may be NULL) gets the offset
 * of the first byte that is not. */
bool lf_text_is_utf8(const char *bytes, size_t len, size_t *ret_bad);

/* Decodes the character at `at` (< len) of valid UTF-8; *ret_next gets the offset behind it. */
int32_t lf_text_char(const char *bytes, size_t len, size_t at, size_t *ret_next);

/* How many bytes at the beginning are ASCII. */
size_t lf_text_ascii_prefix(const char *bytes, size_t len);

/* Whether the character has Unicode's property White_Space. */
bool lf_text_is_space(int32_t codepoint);

/* Whether the character is a word character: a letter, mark, number, or `_` (general categories L*, M*, N*). */
bool lf_text_is_word(int32_t codepoint);

/* Number of characters (code points). */
size_t lf_text_length(const char *bytes, size_t len);

/* The longest beginning of at most `characters` code points, in bytes. */
size_t lf_text_prefix(const char *bytes, size_t len, size_t characters);

/* 64-bit hash of bytes under a seed (SipHash-1-3 or as strong): for sets of texts that come from outside. */
uint64_t lf_text_hash(const char *bytes, size_t len, const uint64_t seed[2]);

/* How many slips (a character too many, too few, another one, or two neighbours that changed places) lie between two
 * folded texts, at most `limit` + 1 (then it stops). For "did you
 * mean". Texts over 200 bytes count as limit + 1. */
unsigned lf_text_distance(struct lf_text a, struct lf_text b, unsigned limit);

#endif
