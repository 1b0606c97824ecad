/* once.c - see once.h. */
#include "api/once.h"

#include "app/idempotency.h"
#include "base/time.h"

#include <string.h>
#include <strings.h>

struct lf_api_once {
    struct lf_idempotency *idempotency;
    struct lf_arena *arena; /* the request's */
    struct lf_once_key key;
    struct lf_stored_answer stored;
    bool ended;
};

/* A request that waits for the first one; in its arena. */
struct waiting {
    struct lf_once_waiter waiter;
    struct lf_request *request;
    lf_handler again;
    bool busy; /* there was no room to wait: `error` says so */
    struct lf_error error;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking for what was answered before");
}

/* ---- waiting for the first one ---- */

/* On the HTTP thread, when the first one has ended. */
static void
ask_again(struct lf_request *request, void *context)
{
    struct waiting *waiting = lf_request_data(request);

    if (waiting->busy)
        lf_reply_problem(request, &waiting->error);
    else
        waiting->again(request, context);
}

/* On whatever thread gives the claim up. */
static void
resume(struct lf_once_waiter *waiter)
{
    struct waiting *waiting = waiter->data;

    lf_request_resume(waiting->request);
}

/* Waits. The request is suspended before it stands in the table, from where anybody may resume it; so the key is asked
 * for once more, and where that does not end in waiting the request resumes itself, to ask from the beginning. */
static enum lf_status
wait_for_first(struct lf_request *request, struct lf_store_reader *reader, const struct lf_api_once *once,
               lf_handler again, struct lf_error *error)
{
    struct waiting *waiting = lf_arena_calloc(once->arena, 1, sizeof *waiting);
    enum lf_once_state state = LF_ONCE_IN_FLIGHT;
    struct lf_once_answer answer;
    enum lf_status status = LF_OK;

    if (waiting == NULL)
        return out_of_memory(error);
    waiting->waiter.resume = resume;
    waiting->waiter.data = waiting;
    waiting->request = request;
    waiting->again = again;
    lf_request_set_data(request, waiting);
    lf_request_suspend(request, ask_again);
    status = lf_idempotency_claim(once->idempotency, reader, once->arena, &once->key, lf_time_now_ms(),
                                  &waiting->waiter, &state, &answer, error);
    if (status == LF_OK && state == LF_ONCE_IN_FLIGHT)
        return LF_OK; /* from here on it may be running again */
    if (status == LF_OK && state == LF_ONCE_CLAIMED)
        lf_idempotency_release(once->idempotency, &once->key);
    waiting->busy = status == LF_BUSY;
    if (waiting->busy)
        waiting->error = *error;
    lf_request_resume(request);
    return LF_OK;
}

/* ---- claiming ---- */

static void
answer_again(struct lf_request *request, const struct lf_once_answer *answer)
{
    lf_reply_header(request, "Idempotency-Replayed", "true");
    lf_reply_bytes(request, answer->http_status, "application/json", answer->body, answer->body_len);
}

/* The key with what is asked; NULL when memory is out. */
static struct lf_api_once *
make_once(struct lf_request *request, struct lf_service *service, const struct lf_api_once_claim *claim)
{
    struct lf_arena *arena = lf_request_arena(request);
    struct lf_api_once *once = lf_arena_calloc(arena, 1, sizeof *once);
    size_t len = claim->asked_len;
    const void *asked = claim->asked != NULL ? claim->asked : lf_request_body(request, &len);

    if (once == NULL ||
        !lf_once_key_make(claim->owner, claim->key, claim->len, lf_request_target(request), asked, len, &once->key))
        return NULL;
    once->idempotency = lf_service_idempotency(service);
    once->arena = arena;
    return once;
}

/* With the key made, and a reader to look with. */
static enum lf_status
claim_key(struct lf_request *request, struct lf_store_reader *reader, struct lf_api_once *once, lf_handler again,
          enum lf_api_once_state *ret_state, struct lf_error *error)
{
    enum lf_once_state state = LF_ONCE_CLAIMED;
    struct lf_once_answer answer;
    enum lf_status status = lf_idempotency_claim(once->idempotency, reader, once->arena, &once->key, lf_time_now_ms(),
                                                 NULL, &state, &answer, error);

    if (status != LF_OK)
        return status;
    switch (state) {
    case LF_ONCE_CLAIMED:
        *ret_state = LF_API_ONCE_CLAIMED;
        return LF_OK;
    case LF_ONCE_ANSWERED:
        *ret_state = LF_API_ONCE_ANSWERED;
        answer_again(request, &answer);
        return LF_OK;
    case LF_ONCE_IN_FLIGHT:
        break;
    }
    if (again == NULL)
        return lf_fail(
            error, LF_IN_FLIGHT,
            "the first request with this Idempotency-Key is still being answered: send it again in a second, "
            "and you get its answer");
    *ret_state = LF_API_ONCE_WAITS;
    return wait_for_first(request, reader, once, again, error);
}

enum lf_status
lf_api_once_claim(struct lf_request *request, struct lf_service *service, const struct lf_api_once_claim *claim,
                  enum lf_api_once_state *ret_state, struct lf_api_once **ret_once, struct lf_error *error)
{
    struct lf_store_reader *reader = NULL;
    struct lf_api_once *once = NULL;
    enum lf_api_once_state state = LF_API_ONCE_CLAIMED;
    enum lf_status status = LF_OK;

    if (claim->len > 0) {
        once = make_once(request, service, claim);
        if (once == NULL)
            return out_of_memory(error);
        status = lf_service_borrow_reader(service, &reader, error);
        if (status != LF_OK)
            return status;
        status = claim_key(request, reader, once, claim->again, &state, error);
        lf_service_return_reader(service, reader);
        if (status != LF_OK)
            return status;
    }
    *ret_state = state;
    *ret_once = state == LF_API_ONCE_CLAIMED ? once : NULL;
    return LF_OK;
}

/* ---- Idempotency-Key ---- */

bool
lf_api_once_key(struct lf_request *request, const char **ret_key, size_t *ret_len)
{
    const char *key = lf_request_header(request, "Idempotency-Key");
    size_t len = key != NULL ? strlen(key) : 0, seen = 0;
    struct lf_error error;

    if (len >= 2 && key[0] == '"' && key[len - 1] == '"') { /* a string, as the IETF draft has it */
        key++;
        len -= 2;
    }
    while (seen < len && key[seen] >= ' ' && key[seen] <= '~')
        seen++;
    if (key == NULL || (len >= 1 && len <= LF_IDEMPOTENCY_KEY_MAX && seen == len)) {
        *ret_key = key;
        *ret_len = len;
        return true;
    }
    if (seen < len)
        (void)lf_fail(&error, LF_BAD_REQUEST,
                      "Idempotency-Key: character %zu is not visible ASCII; a UUID makes a good key", seen + 1);
    else
        (void)lf_fail(&error, LF_BAD_REQUEST,
                      "Idempotency-Key: 1 to %d characters belong here, not %zu; a UUID makes a good key",
                      LF_IDEMPOTENCY_KEY_MAX, len);
    lf_reply_problem(request, &error);
    return false;
}

/* Whose keys they are that come with the request's API key. The text of that is in it, of which the database has but a
 * hash: so whoever has the database cannot find out by trying whose answer is whose. The text comes by either header
 * (http/admit.c), and is the same by both. */
static const char *
owner_of(struct lf_request *request)
{
    const char *token = lf_request_header(request, "Authorization");

    if (token != NULL && strncasecmp(token, "bearer ", 7) == 0)
        token += 7 + strspn(token + 7, " ");
    else
        token = lf_request_header(request, "X-Api-Key");
    return lf_arena_printf(lf_request_scratch(request), "key:%s:%s", lf_request_identity(request)->key_id,
                           token != NULL ? token : "");
}

bool
lf_api_once_begin(struct lf_request *request, struct lf_service *service, struct lf_api_once **ret_once)
{
    struct lf_api_once_claim claim = {.again = NULL};
    enum lf_api_once_state state = LF_API_ONCE_CLAIMED;
    const char *key = NULL;
    struct lf_error error;
    enum lf_status status = LF_OK;

    *ret_once = NULL;
    if (!lf_api_once_key(request, &key, &claim.len))
        return false;
    if (claim.len == 0)
        return true;
    claim.key = key;
    claim.owner = owner_of(request);
    status = claim.owner != NULL ? lf_api_once_claim(request, service, &claim, &state, ret_once, &error)
                                 : out_of_memory(&error);
    if (status == LF_OK)
        return state == LF_API_ONCE_CLAIMED;
    if (status == LF_IN_FLIGHT)
        lf_reply_header(request, "Retry-After", "1");
    lf_reply_problem(request, &error);
    return false;
}

/* ---- the answer ---- */

const struct lf_stored_answer *
lf_api_once_keep(struct lf_api_once *once, int http_status, const void *body, size_t len, const struct lf_ulid *first,
                 const struct lf_ulid *last)
{
    const struct lf_once_answer answer = {.http_status = http_status, .body = body, .body_len = len};

    if (!lf_once_seal(once->arena, &once->key, lf_time_now_ms(), &answer, &once->stored))
        return NULL;
    if (first != NULL && last != NULL) {
        once->stored.first_score = *first;
        once->stored.last_score = *last;
    }
    return &once->stored;
}

void
lf_api_once_end(struct lf_api_once *once)
{
    if (once == NULL || once->ended)
        return;
    once->ended = true;
    lf_idempotency_release(once->idempotency, &once->key);
}
