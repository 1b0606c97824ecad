/*
 * source_parts.h - what sources.c, source_document.c and editing_sources.c share: reading a source, making one, putting
 * it in place of another.
 */
#ifndef LF_APP_SOURCE_PARTS_H
#define LF_APP_SOURCE_PARTS_H

#include "app/sources.h"
#include "base/buf.h"
#include "core/document.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- source_document.c: reading and making ---- */

enum { LF_SOURCE_SECRET_MAX = 800 /* bytes as they are kept: 200 characters in UTF-8 */ };

/* A source's secrets as they are kept. To be wiped when they go. */
struct lf_source_secrets {
    uint8_t bytes[LF_SOURCE_SECRETS_MAX][LF_SOURCE_SECRET_MAX];
    size_t lens[LF_SOURCE_SECRETS_MAX];
    size_t count;
};

/* Copies them; false where one is longer than a secret of ours can be. */
bool lf_source_secrets_copy(struct lf_source_secrets *secrets, const struct lf_stored_secret *from,
                            size_t count) LF_MUST_CHECK;

/* The same as the store and struct lf_source have them; they borrow. */
void lf_source_secrets_show(const struct lf_source_secrets *secrets,
                            struct lf_stored_secret ret_secrets[LF_SOURCE_SECRETS_MAX]);

/* Reads all members but the secrets into ret_source; every fault goes into the document's findings. What it points to
 * lives in the document's arena, or is a part of body. */
void lf_source_read(struct lf_document *document, const struct lf_json *body, struct lf_source *ret_source);

/* Reads the secrets, which the kind asks for in its own form. present: those of a source of the same kind, which stay
 * where none are named; NULL for none. */
void lf_source_read_secrets(struct lf_document *document, const struct lf_json *body, enum lf_crm crm,
                            const struct lf_source *present, struct lf_source_secrets *ret_secrets);

/* Appends the document as it is stored: the canonical form of all members but the secrets. false: out of memory. */
bool lf_source_put_document(struct lf_buf *buf, struct lf_arena *scratch, const struct lf_json *body) LF_MUST_CHECK;

/* A source, with what is nobody else's business. */
struct lf_held_source {
    struct lf_source source; /* first: a pointer to it is one to the whole */
    struct lf_source_secrets secrets;
    struct lf_arena *arena;
    size_t holders; /* the registry's; it counts as one while it is in place */
};

static inline struct lf_held_source *
lf_held_source(const struct lf_source *source)
{
    return (struct lf_held_source *)(uintptr_t)source;
}

/* Makes a source of what is stored. STORAGE_CORRUPT where that cannot be read. */
enum lf_status lf_source_create(const struct lf_stored_source *stored, struct lf_source **ret_source,
                                struct lf_error *error) LF_MUST_CHECK;

/* Wipes its secrets and frees it. Nobody holds it; NULL is fine. */
void lf_source_destroy(struct lf_source *source);

/* ---- sources.c: what is in place ---- */

/* Puts it in place of the one of its key. The registry's from now on; the caller holds it. Cannot fail. There is room,
 * for the store has no more than LF_SOURCES_MAX. */
void lf_sources_put_take(struct lf_sources *sources, struct lf_source *source);

/* Takes the one of that key out, with its refusals. */
void lf_sources_remove(struct lf_sources *sources, const char *key);

#endif
