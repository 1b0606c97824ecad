/*
 * once.h - Idempotency-Key, and delivery ids of webhooks, for handlers: who repeats a request gets the first answer
 * again (app/idempotency.h).
 *
 * What is what, and whose: a struct lf_api_once lives in its request's arena, as all that it makes, and goes with it.
 * The claim behind it is the table's and lives until lf_api_once_end, which therefore is called in any case: by the
 * handler on its own thread, or once a job was submitted, on the recorder's thread (api/recording.h), because a handler
 * whose client has hung up in the meantime does not come back (http/request.h). Who waits for a claim is suspended, and
 * resumed by whoever gives the claim up; where its client has hung up, nothing runs and nothing hangs on it, for all
 * who wait are resumed at once. At the end of the server nobody waits for ever: claims end with their requests' jobs,
 * which the recorder finishes.
 */
#ifndef LF_API_ONCE_H
#define LF_API_ONCE_H

#include "app/service.h"
#include "http/request.h"
#include "store/exchange.h"

#include <stdbool.h>
#include <stddef.h>

struct lf_api_once; /* lives in the request's arena */

/* The request's Idempotency-Key, without the quotes around it; NULL and 0 for none. Answers 400 bad_request and returns
 * false where it is none that may be. */
bool lf_api_once_key(struct lf_request *request, const char **ret_key, size_t *ret_len) LF_MUST_CHECK;

/* What is to happen once. */
struct lf_api_once_claim {
    const char *owner; /* whose keys they are: "key:…" or "source:…" */
    const void *key;
    size_t len;        /* 0: there is no key, and it is claimed at once */
    const void *asked; /* what the key stands for, beside path and query, where that is not the body; NULL: the body */
    size_t asked_len;
    lf_handler again; /* called anew from the beginning when the first one has ended; NULL: IN_FLIGHT */
};

enum lf_api_once_state {
    LF_API_ONCE_CLAIMED,  /* go on; *ret_once is NULL without a key */
    LF_API_ONCE_ANSWERED, /* with what was answered before */
    LF_API_ONCE_WAITS,    /* for `again`: nothing of the request may be touched any more */
};

/* Claims a key; what the claim points to is needed during the call alone. Where it fails nothing is answered: as of
 * lf_idempotency_claim, and IN_FLIGHT. With `again` on HTTP threads alone. */
enum lf_status lf_api_once_claim(struct lf_request *request, struct lf_service *service,
                                 const struct lf_api_once_claim *claim, enum lf_api_once_state *ret_state,
                                 struct lf_api_once **ret_once, struct lf_error *error) LF_MUST_CHECK;

/* The same for a request that came with an API key: claims its Idempotency-Key, if it has one. true: go on, *ret_once
 * is NULL without a key. false: it is answered, with what was answered before or a problem. */
bool
lf_api_once_begin(struct lf_request *request, struct lf_service *service, struct lf_api_once **ret_once) LF_MUST_CHECK;

/* What is recorded with the scores, from the whole answer; as of lf_once_seal. It tells of the scores from first to
 * last (NULL: of none). Any thread, as long as the request is nobody else's: its arena is used. NULL: out of memory. */
const struct lf_stored_answer *lf_api_once_keep(struct lf_api_once *once, int http_status, const void *body, size_t len,
                                                const struct lf_ulid *first, const struct lf_ulid *last) LF_MUST_CHECK;

/* The request has been recorded, or records nothing: gives the claim up. To be called in any case, and before the
 * request is resumed; a second call does nothing. Any thread; NULL is fine. */
void lf_api_once_end(struct lf_api_once *once);

#endif
