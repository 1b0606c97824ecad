/* test_idempotency.c - one answer for whoever repeats a request: claims, what is kept, and that it is kept shut. */
#include "app/idempotency.h"
#include "faults.h"
#include "store_fixture.h"

#include <pthread.h>
#include <semaphore.h>

#define NOW_MS INT64_C(1780000000000)

enum { KEEP_MS = 60000 };

static const char UUID[] = "8e03978e-40d5-43dd-bc93-6894a57f9324", OWNER[] = "key:k1:lf_secret", TARGET[] = "/v1/score";

static struct lf_once_key
key_of(const char *key, const char *body)
{
    struct lf_once_key made;

    assert_true(lf_once_key_make(OWNER, key, strlen(key), TARGET, body, strlen(body), &made));
    return made;
}

static struct lf_idempotency *
create(void)
{
    struct lf_idempotency *idempotency = lf_idempotency_create(KEEP_MS);

    assert_non_null(idempotency);
    assert_int_equal(lf_idempotency_keep_ms(idempotency), KEEP_MS);
    return idempotency;
}

/* Puts an answer in place as a commit would. */
static void
keep(struct fixture *f, const struct lf_stored_answer *stored)
{
    const struct lf_stored_answer *answers[] = {stored};
    const struct lf_recording recording = {.answers = answers, .answer_count = 1};

    OK(lf_store_record(f->store, &recording, &f->error));
}

static void
keep_text(struct fixture *f, const struct lf_once_key *key, int64_t at_ms, const char *text)
{
    const struct lf_once_answer answer = {.http_status = 200, .body = text, .body_len = strlen(text)};
    struct lf_stored_answer stored;

    assert_true(lf_once_seal(f->arena, key, at_ms, &answer, &stored));
    assert_int_equal(stored.at_ms, at_ms);
    assert_int_equal(stored.http_status, 200);
    assert_false(stored.erased);
    keep(f, &stored);
}

static enum lf_once_state
claim_at(struct fixture *f, struct lf_idempotency *idempotency, const struct lf_once_key *key, int64_t now_ms,
         struct lf_once_answer *ret_answer)
{
    enum lf_once_state state = LF_ONCE_IN_FLIGHT;

    OK(lf_idempotency_claim(idempotency, f->reader, f->arena, key, now_ms, NULL, &state, ret_answer, &f->error));
    return state;
}

static enum lf_once_state
claim(struct fixture *f, struct lf_idempotency *idempotency, const struct lf_once_key *key)
{
    struct lf_once_answer answer;

    return claim_at(f, idempotency, key, NOW_MS, &answer);
}

static void
assert_answered(struct fixture *f, struct lf_idempotency *idempotency, const struct lf_once_key *key, int64_t now_ms,
                const char *text)
{
    struct lf_once_answer answer;

    assert_int_equal(claim_at(f, idempotency, key, now_ms, &answer), LF_ONCE_ANSWERED);
    assert_int_equal(answer.http_status, 200);
    assert_int_equal(answer.body_len, strlen(text));
    assert_memory_equal(answer.body, text, strlen(text));
}

static void
assert_refused(struct fixture *f, struct lf_idempotency *idempotency, const struct lf_once_key *key,
               enum lf_status expected)
{
    enum lf_once_state state = LF_ONCE_CLAIMED;
    struct lf_once_answer answer;

    FAILS(lf_idempotency_claim(idempotency, f->reader, f->arena, key, NOW_MS, NULL, &state, &answer, &f->error),
          expected);
}

/* ---- keys ---- */

static void
assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
    char text[2 * 64 + 1];

    for (size_t i = 0; i < len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(text, expected);
}

/* Computed by Python's hmac and pyca/cryptography: what is kept in databases stays readable. */
static void
test_known_bytes(void **state)
{
    static const uint8_t SEALED[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
                                     0x0c, 0x0d, 0x0e, 0x0f, 0x49, 0x17, 0xc4, 0x6e, 0xcb, 0xe7, 0x8f, 0xa2,
                                     0x08, 0x2b, 0xdb, 0x46, 0x52, 0xae, 0x33, 0xce, 0xdf, 0xe3, 0x14, 0x74,
                                     0xc0, 0xa4, 0x11, 0x2d, 0x03, 0xcf, 0xe4, 0xa6, 0x6e, 0x90, 0x62};
    struct fixture *f = *state;
    struct lf_idempotency *idempotency = create();
    struct lf_once_key key = key_of(UUID, "{\"lead\":{}}");
    struct lf_stored_answer stored = {
        .at_ms = NOW_MS, .http_status = 200, .sealed = SEALED, .sealed_len = sizeof SEALED};

    assert_hex(key.name, sizeof key.name, "3b5121956d3ab0c970a98027eec70a777745e312fd33f67cf38c7a4c90ad259f");
    assert_hex(key.request, sizeof key.request, "9c78956722e3be2b55cd78b0669223e15c59e7b97043c49e7a3ae670009741e2");
    assert_hex(key.seal, sizeof key.seal, "46f8d615803059dfed8d36816c2df13545e8f9776eb54a96aa68609a86b5531b");
    memcpy(stored.name, key.name, sizeof stored.name);
    memcpy(stored.request, key.request, sizeof stored.request);
    keep(f, &stored);
    assert_answered(f, idempotency, &key, NOW_MS, "{\"score\":87.25}");
    lf_idempotency_destroy(idempotency);
}

/* Name: owner and key. Request and seal: all of it. */
static void
test_what_makes_a_key(void **state)
{
    static const struct {
        const char *owner, *key, *target, *body;
        bool same_name;
    } OTHERS[] = {
        {"key:k2:lf_secret", "abc", "/v1/score", "{}", false}, {"key:k1:lf_secret", "abd", "/v1/score", "{}", false},
        {"key:k1:lf_secreta", "bc", "/v1/score", "{}", false}, {"key:k1:lf_secret", "abc", "/v1/outcomes", "{}", true},
        {"key:k1:lf_secret", "abc", "/v1/score?", "{}", true}, {"key:k1:lf_secret", "abc", "/v1/score", "{} ", true},
        {"key:k1:lf_secret", "abc", "/v1/score{", "}", true},  {"key:k1:lf_secret", "abc", "/v1/score", "", true},
    };
    struct lf_once_key one, other;

    (void)state;
    assert_true(lf_once_key_make("key:k1:lf_secret", "abc", 3, "/v1/score", "{}", 2, &one));
    assert_memory_not_equal(one.name, one.request, sizeof one.name);
    assert_memory_not_equal(one.seal, one.request, sizeof one.seal);
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        assert_true(lf_once_key_make(OTHERS[i].owner, OTHERS[i].key, strlen(OTHERS[i].key), OTHERS[i].target,
                                     OTHERS[i].body, strlen(OTHERS[i].body), &other));
        assert_true((memcmp(one.name, other.name, sizeof one.name) == 0) == OTHERS[i].same_name);
        assert_memory_not_equal(one.request, other.request, sizeof one.request);
        assert_memory_not_equal(one.seal, other.seal, sizeof one.seal);
    }
    assert_true(lf_once_key_make("key:k1:lf_secret", "abc", 3, "/v1/score", "{}", 2, &other));
    assert_memory_equal(&one, &other, sizeof one);
}

static bool
holds(const void *bytes, size_t len, const char *text)
{
    return memmem(bytes, len, text, strlen(text)) != NULL;
}

/* The same answer sealed again has nothing in common with itself. */
static void
test_no_key_seals_twice(void **state)
{
    static const char TEXT[] = "an answer of which not a word is to be read";
    const struct lf_once_answer answer = {.http_status = 200, .body = TEXT, .body_len = sizeof TEXT - 1};
    struct fixture *f = *state;
    struct lf_once_key key = key_of(UUID, "{}");
    struct lf_stored_answer first, second;

    assert_true(lf_once_seal(f->arena, &key, NOW_MS, &answer, &first));
    assert_true(lf_once_seal(f->arena, &key, NOW_MS, &answer, &second));
    assert_int_equal(first.sealed_len, second.sealed_len);
    for (size_t at = 0; at + 8 <= first.sealed_len; at += 8)
        assert_memory_not_equal((const char *)first.sealed + at, (const char *)second.sealed + at, 8);
    assert_false(holds(first.sealed, first.sealed_len, "answer"));
    assert_memory_equal(first.name, key.name, sizeof first.name);
    assert_memory_equal(first.request, key.request, sizeof first.request);
    assert_memory_not_equal(first.request, key.seal, sizeof first.request);
}

/* ---- a claim's life ---- */

static void
test_a_claim(void **state)
{
    struct fixture *f = *state;
    struct lf_idempotency *idempotency = create();
    struct lf_once_key one = key_of(UUID, "{}"), other = key_of("another", "{}"), changed = key_of(UUID, "{ }");

    assert_int_equal(claim(f, idempotency, &one), LF_ONCE_CLAIMED);
    assert_int_equal(lf_idempotency_in_flight(idempotency), 1);
    assert_int_equal(claim(f, idempotency, &one), LF_ONCE_IN_FLIGHT);
    assert_refused(f, idempotency, &changed, LF_KEY_REUSED);
    assert_int_equal(claim(f, idempotency, &other), LF_ONCE_CLAIMED);
    assert_int_equal(lf_idempotency_in_flight(idempotency), 2);
    lf_idempotency_release(idempotency, &one);
    assert_int_equal(lf_idempotency_in_flight(idempotency), 1);
    /* Nothing was kept: it is as new, also for another request. */
    assert_int_equal(claim(f, idempotency, &changed), LF_ONCE_CLAIMED);
    lf_idempotency_release(idempotency, &changed);
    lf_idempotency_release(idempotency, &other);
    assert_int_equal(lf_idempotency_repeats(idempotency), 0);
    lf_idempotency_destroy(idempotency);
    lf_idempotency_destroy(NULL);
}

static void
test_an_answer(void **state)
{
    struct fixture *f = *state;
    struct lf_idempotency *idempotency = create();
    struct lf_once_key one = key_of(UUID, "{}"), changed = key_of(UUID, "{ }"), other = key_of("another", "{}");

    assert_int_equal(claim(f, idempotency, &one), LF_ONCE_CLAIMED);
    keep_text(f, &one, NOW_MS, "the first answer");
    lf_idempotency_release(idempotency, &one);
    for (int i = 1; i <= 3; i++) {
        assert_answered(f, idempotency, &one, NOW_MS + i, "the first answer");
        assert_int_equal(lf_idempotency_repeats(idempotency), i);
    }
    assert_refused(f, idempotency, &changed, LF_KEY_REUSED);
    assert_int_equal(claim(f, idempotency, &other), LF_ONCE_CLAIMED);
    lf_idempotency_release(idempotency, &other);
    assert_int_equal(lf_idempotency_in_flight(idempotency), 0);
    assert_int_equal(lf_idempotency_repeats(idempotency), 3);
    keep_text(f, &other, NOW_MS, "");
    assert_answered(f, idempotency, &other, NOW_MS, "");
    lf_idempotency_destroy(idempotency);

    idempotency = create(); /* as after a restart */
    assert_answered(f, idempotency, &one, NOW_MS, "the first answer");
    lf_idempotency_destroy(idempotency);
}

static void
test_expiry(void **state)
{
    struct fixture *f = *state;
    struct lf_idempotency *idempotency = create();
    struct lf_once_key one = key_of(UUID, "{}"), changed = key_of(UUID, "{ }");
    struct lf_once_answer answer;

    keep_text(f, &one, NOW_MS, "of yesterday");
    assert_answered(f, idempotency, &one, NOW_MS + KEEP_MS - 1, "of yesterday");
    assert_answered(f, idempotency, &one, NOW_MS - KEEP_MS, "of yesterday"); /* the clock was set back */
    assert_int_equal(claim_at(f, idempotency, &changed, NOW_MS + KEEP_MS, &answer), LF_ONCE_CLAIMED);
    keep_text(f, &changed, NOW_MS + KEEP_MS, "of today");
    lf_idempotency_release(idempotency, &changed);
    assert_answered(f, idempotency, &changed, NOW_MS + KEEP_MS, "of today");
    assert_refused(f, idempotency, &one, LF_KEY_REUSED);
    lf_idempotency_destroy(idempotency);
}

static void
test_what_was_altered(void **state)
{
    static const char *const CHANGES[] = {
        "UPDATE answer SET at_ms = at_ms + 1",
        "UPDATE answer SET http_status = 201",
        "UPDATE answer SET sealed = substr(sealed, 1, 40)",
        "UPDATE answer SET sealed = x'00'",
        "UPDATE answer SET sealed = CAST(sealed || x'00' AS BLOB)",
        /* the salt's first byte: to another one, whatever it is */
        "UPDATE answer SET sealed = CAST(iif(substr(sealed, 1, 1) = x'01', x'02', x'01') || substr(sealed, 2) AS BLOB)",
    };
    struct fixture *f = *state;
    struct lf_idempotency *idempotency = create();
    struct lf_once_key key = key_of(UUID, "{}");

    for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++) {
        keep_text(f, &key, NOW_MS, "what nobody may alter");
        run_sql(f->path, CHANGES[i]);
        assert_refused(f, idempotency, &key, LF_STORAGE_CORRUPT);
        assert_false(holds(f->error.detail, strlen(f->error.detail), UUID));
    }
    run_sql(f->path, "UPDATE answer SET sealed = NULL");
    assert_refused(f, idempotency, &key, LF_ERASED);
    assert_int_equal(lf_idempotency_in_flight(idempotency), 0);
    assert_int_equal(lf_idempotency_repeats(idempotency), 0);
    lf_idempotency_destroy(idempotency);
}

/* ---- who waits ---- */

struct guest {
    struct lf_once_waiter waiter;
    struct fixture *f;
    struct lf_idempotency *idempotency;
    const struct lf_once_key *key;
    int *order, place; /* in which they were resumed; 0: not yet */
    bool asks_again;
    enum lf_once_state state;
};

static void
be_resumed(struct lf_once_waiter *waiter)
{
    struct guest *guest = waiter->data;

    assert_int_equal(guest->place, 0);
    guest->place = ++*guest->order;
    if (guest->asks_again)
        guest->state = claim(guest->f, guest->idempotency, guest->key);
}

static enum lf_status
wait_for(struct guest *guest)
{
    struct fixture *f = guest->f;
    struct lf_once_answer answer;

    guest->waiter.resume = be_resumed;
    guest->waiter.data = guest;
    return lf_idempotency_claim(guest->idempotency, f->reader, f->arena, guest->key, NOW_MS, &guest->waiter,
                                &guest->state, &answer, &f->error);
}

static void
test_who_waits(void **state)
{
    enum { GUESTS = 5 };
    struct fixture *f = *state;
    struct lf_idempotency *idempotency = create();
    struct lf_once_key one = key_of(UUID, "{}"), changed = key_of(UUID, "{ }");
    struct guest guests[GUESTS], stranger = {.f = f, .idempotency = idempotency, .key = &changed};
    int order = 0;

    assert_int_equal(claim(f, idempotency, &one), LF_ONCE_CLAIMED);
    for (int i = 0; i < GUESTS; i++) {
        guests[i] =
            (struct guest){.f = f, .idempotency = idempotency, .key = &one, .order = &order, .asks_again = i > 0};
        OK(wait_for(&guests[i]));
        assert_int_equal(guests[i].state, LF_ONCE_IN_FLIGHT);
    }
    FAILS(wait_for(&stranger), LF_KEY_REUSED);
    assert_int_equal(order, 0);
    /* Nothing is kept. The first does not come back (its client has gone): the second is at it then, and the others
     * would wait for that one. */
    lf_idempotency_release(idempotency, &one);
    for (int i = 0; i < GUESTS; i++)
        assert_int_equal(guests[i].place, i + 1);
    assert_int_equal(guests[1].state, LF_ONCE_CLAIMED);
    for (int i = 2; i < GUESTS; i++)
        assert_int_equal(guests[i].state, LF_ONCE_IN_FLIGHT);
    for (int i = 2; i < GUESTS; i++) {
        guests[i].place = 0;
        OK(wait_for(&guests[i]));
    }
    order = 0;
    keep_text(f, &one, NOW_MS, "at last");
    lf_idempotency_release(idempotency, &one);
    for (int i = 2; i < GUESTS; i++) {
        assert_int_equal(guests[i].place, i - 1);
        assert_int_equal(guests[i].state, LF_ONCE_ANSWERED);
    }
    assert_int_equal(lf_idempotency_in_flight(idempotency), 0);
    lf_idempotency_destroy(idempotency);
}

static void
test_bounds(void **state)
{
    enum { WAITERS = 10000, CLAIMS = 100000 };
    struct fixture *f = *state;
    struct lf_idempotency *idempotency = create();
    struct guest *guests = calloc(WAITERS + 1, sizeof *guests);
    struct lf_once_key key = key_of(UUID, "{}"), many = key;
    int order = 0;

    assert_non_null(guests);
    assert_int_equal(claim(f, idempotency, &key), LF_ONCE_CLAIMED);
    for (int i = 0; i <= WAITERS; i++) {
        guests[i] = (struct guest){.f = f, .idempotency = idempotency, .key = &key, .order = &order};
        if (i < WAITERS)
            OK(wait_for(&guests[i]));
        else
            FAILS(wait_for(&guests[i]), LF_BUSY);
    }
    assert_int_equal(claim(f, idempotency, &key), LF_ONCE_IN_FLIGHT); /* who does not wait is told so */
    lf_idempotency_release(idempotency, &key);
    assert_int_equal(order, WAITERS);
    assert_int_equal(guests[WAITERS].place, 0);
    assert_int_equal(claim(f, idempotency, &key), LF_ONCE_CLAIMED);
    OK(wait_for(&guests[WAITERS])); /* there is room again */

    for (uint32_t i = 1; i <= CLAIMS; i++) {
        memcpy(many.name, &i, sizeof i);
        if (i < CLAIMS)
            assert_int_equal(claim(f, idempotency, &many), LF_ONCE_CLAIMED);
        else
            assert_refused(f, idempotency, &many, LF_BUSY);
    }
    assert_int_equal(lf_idempotency_in_flight(idempotency), CLAIMS);
    for (uint32_t i = 1; i < CLAIMS; i++) {
        memcpy(many.name, &i, sizeof i);
        lf_idempotency_release(idempotency, &many);
    }
    lf_idempotency_release(idempotency, &key);
    assert_int_equal(order, WAITERS + 1);
    free(guests);
    lf_idempotency_destroy(idempotency);
}

/* ---- while others look ---- */

/* A store where something happens whenever somebody looks for an answer. */
static struct {
    struct lf_store_backend backend;
    enum lf_status (*real)(struct lf_store_reader *reader, struct lf_arena *arena, const uint8_t name[LF_SHA256_SIZE],
                           bool *ret_found, struct lf_stored_answer *ret_answer, struct lf_error *error);
    void (*happens)(int look); /* after the look */
    enum lf_status answer;     /* of every look; LF_OK: the real one's */
    atomic_int looks;
} peek;

static struct {
    struct fixture *f;
    struct lf_idempotency *idempotency;
    struct lf_once_key key, changed;
    struct guest guest;
    enum lf_once_state nested;
    int order;
} scene;

static enum lf_status
peeked_answer(struct lf_store_reader *reader, struct lf_arena *arena, const uint8_t name[LF_SHA256_SIZE],
              bool *ret_found, struct lf_stored_answer *ret_answer, struct lf_error *error)
{
    enum lf_status status = peek.real(reader, arena, name, ret_found, ret_answer, error);

    if (peek.happens != NULL)
        peek.happens(++peek.looks);
    return peek.answer != LF_OK ? lf_fail(error, peek.answer, "the store says so") : status;
}

static void
set_scene(struct fixture *f, void (*happens)(int look))
{
    if (peek.real == NULL || f->reader->backend != &peek.backend) {
        peek.backend = *f->reader->backend;
        peek.real = peek.backend.answer;
        peek.backend.answer = peeked_answer;
        f->reader->backend = &peek.backend;
    }
    peek.happens = happens;
    peek.looks = 0;
    scene.f = f;
    scene.idempotency = create();
    scene.key = key_of(UUID, "{}");
    scene.changed = key_of(UUID, "{ }");
    scene.order = 0;
    scene.guest = (struct guest){
        .f = f, .idempotency = scene.idempotency, .key = &scene.key, .order = &scene.order, .asks_again = true};
}

static void
ask_in_between(int look)
{
    if (look == 1)
        scene.nested = claim(scene.f, scene.idempotency, &scene.key);
}

static void
wait_in_between(int look)
{
    if (look == 1)
        assert_int_equal(wait_for(&scene.guest), LF_OK);
}

static void
ask_for_changed_in_between(int look)
{
    struct fixture *f = scene.f;

    if (look == 1)
        assert_refused(f, scene.idempotency, &scene.changed, LF_KEY_REUSED);
}

static void
test_two_who_look(void **state)
{
    struct fixture *f = *state;

    /* Both look and find nothing: one has the claim. */
    set_scene(f, ask_in_between);
    assert_int_equal(claim(f, scene.idempotency, &scene.key), LF_ONCE_CLAIMED);
    assert_int_equal(scene.nested, LF_ONCE_IN_FLIGHT);
    assert_int_equal(peek.looks, 2);
    /* Now that it is known that there is nothing, nobody else looks. */
    assert_int_equal(claim(f, scene.idempotency, &scene.key), LF_ONCE_IN_FLIGHT);
    assert_int_equal(peek.looks, 2);
    lf_idempotency_release(scene.idempotency, &scene.key);
    lf_idempotency_destroy(scene.idempotency);

    /* The other one waits. */
    set_scene(f, wait_in_between);
    assert_int_equal(claim(f, scene.idempotency, &scene.key), LF_ONCE_CLAIMED);
    assert_int_equal(scene.guest.state, LF_ONCE_IN_FLIGHT);
    assert_int_equal(scene.guest.place, 0);
    lf_idempotency_release(scene.idempotency, &scene.key);
    assert_int_equal(scene.guest.place, 1);
    assert_int_equal(scene.guest.state, LF_ONCE_CLAIMED);
    lf_idempotency_release(scene.idempotency, &scene.key);
    lf_idempotency_destroy(scene.idempotency);

    /* Another request under the key. */
    set_scene(f, ask_for_changed_in_between);
    assert_int_equal(claim(f, scene.idempotency, &scene.key), LF_ONCE_CLAIMED);
    assert_int_equal(peek.looks, 2);
    lf_idempotency_release(scene.idempotency, &scene.key);
    lf_idempotency_destroy(scene.idempotency);
}

/* One has the claim and looks. Another one looks without it, finds nothing, and by then the first one has ended: it
 * has the claim now, looks once more, and finds the answer. */
static struct {
    sem_t other_looks, first_ended;
    struct lf_store_reader *reader;
    struct lf_arena *arena;
    enum lf_once_state state;
    pthread_t thread;
} late;

static void *
come_late(void *argument)
{
    struct lf_once_answer answer;
    struct lf_error error;

    if (lf_idempotency_claim(scene.idempotency, late.reader, late.arena, &scene.key, NOW_MS, NULL, &late.state, &answer,
                             &error) != LF_OK)
        return NULL;
    return argument;
}

static void
let_another_look(int look)
{
    if (look == 1) {
        assert_int_equal(pthread_create(&late.thread, NULL, come_late, &late), 0);
        (void)sem_wait(&late.other_looks);
    } else if (look == 2) {
        (void)sem_post(&late.other_looks);
        (void)sem_wait(&late.first_ended);
    }
}

static void
test_one_who_looks_in_vain(void **state)
{
    struct fixture *f = *state;
    void *fine = NULL;

    set_scene(f, let_another_look);
    OK(lf_store_reader_open(f->store, &late.reader, &f->error));
    late.reader->backend = &peek.backend;
    late.arena = lf_arena_create(4096, 1 << 20);
    assert_non_null(late.arena);
    assert_int_equal(sem_init(&late.other_looks, 0, 0), 0);
    assert_int_equal(sem_init(&late.first_ended, 0, 0), 0);
    assert_int_equal(claim(f, scene.idempotency, &scene.key), LF_ONCE_CLAIMED);
    keep_text(f, &scene.key, NOW_MS, "made meanwhile");
    lf_idempotency_release(scene.idempotency, &scene.key);
    (void)sem_post(&late.first_ended);
    assert_int_equal(pthread_join(late.thread, &fine), 0);
    assert_non_null(fine);
    assert_int_equal(late.state, LF_ONCE_ANSWERED);
    assert_int_equal(peek.looks, 3);
    assert_int_equal(lf_idempotency_in_flight(scene.idempotency), 0);
    lf_idempotency_destroy(scene.idempotency);
    lf_store_reader_close(late.reader);
    lf_arena_destroy(late.arena);
}

/* Of an answer that is there nobody is told that it is in flight, and nobody is refused for the sake of another body
 * that will be refused itself. */
static void
test_two_who_find(void **state)
{
    struct fixture *f = *state;

    set_scene(f, ask_in_between);
    keep_text(f, &scene.key, NOW_MS, "it is there");
    assert_answered(f, scene.idempotency, &scene.key, NOW_MS, "it is there");
    assert_int_equal(scene.nested, LF_ONCE_ANSWERED);
    lf_idempotency_destroy(scene.idempotency);

    set_scene(f, ask_in_between);
    assert_refused(f, scene.idempotency, &scene.changed, LF_KEY_REUSED);
    assert_int_equal(scene.nested, LF_ONCE_ANSWERED);
    assert_int_equal(lf_idempotency_in_flight(scene.idempotency), 0);
    lf_idempotency_destroy(scene.idempotency);
}

static void
test_a_store_that_fails(void **state)
{
    struct fixture *f = *state;

    set_scene(f, NULL);
    peek.answer = LF_STORAGE_FAILED;
    assert_refused(f, scene.idempotency, &scene.key, LF_STORAGE_FAILED);
    assert_int_equal(lf_idempotency_in_flight(scene.idempotency), 0);
    peek.happens = wait_in_between; /* nobody waits for a claim that came to nothing */
    peek.answer = LF_OK;
    assert_int_equal(claim(f, scene.idempotency, &scene.key), LF_ONCE_CLAIMED);
    lf_idempotency_release(scene.idempotency, &scene.key);
    assert_int_equal(scene.guest.place, 1);
    lf_idempotency_release(scene.idempotency, &scene.key); /* of the guest, who asked again */
    lf_idempotency_destroy(scene.idempotency);
}

/* ---- without memory ---- */

static void
test_without_memory(void **state)
{
    struct fixture *f = *state;
    struct lf_idempotency *idempotency = NULL;
    const struct lf_once_answer told = {.http_status = 200, .body = "told", .body_len = 4};
    struct lf_once_key key = key_of(UUID, "{}");
    struct lf_stored_answer stored;
    struct lf_once_answer answer;
    enum lf_once_state once = LF_ONCE_IN_FLIGHT;
    bool failed = true;

    for (long n = 0; failed; n++) {
        arm(n);
        idempotency = lf_idempotency_create(KEEP_MS);
        failed = disarm();
        assert_true(failed == (idempotency == NULL));
    }
    failed = true;
    for (long n = 0; failed; n++) { /* a claim, and then nothing is claimed */
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_idempotency_claim(idempotency, f->reader, f->arena, &key, NOW_MS, NULL, &once, &answer, &f->error);
        failed = disarm();
        assert_string_equal(lf_status_word(status), lf_status_word(failed ? LF_OUT_OF_MEMORY : LF_OK));
        assert_int_equal(lf_idempotency_in_flight(idempotency), failed ? 0 : 1);
    }
    assert_int_equal(once, LF_ONCE_CLAIMED);
    failed = true;
    for (long n = 0; failed; n++) {
        bool sealed = false;

        arm(n);
        sealed = lf_once_seal(f->arena, &key, NOW_MS, &told, &stored);
        failed = disarm();
        assert_true(sealed == !failed);
    }
    keep(f, &stored);
    lf_idempotency_release(idempotency, &key);
    failed = true;
    for (long n = 0; failed; n++) { /* an answer */
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_idempotency_claim(idempotency, f->reader, f->arena, &key, NOW_MS, NULL, &once, &answer, &f->error);
        failed = disarm();
        assert_string_equal(lf_status_word(status), lf_status_word(failed ? LF_OUT_OF_MEMORY : LF_OK));
        assert_int_equal(lf_idempotency_in_flight(idempotency), 0);
    }
    assert_int_equal(once, LF_ONCE_ANSWERED);
    assert_memory_equal(answer.body, "told", 4);
    lf_idempotency_destroy(idempotency);
}

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        STORE_TEST(test_known_bytes),
        STORE_TEST(test_what_makes_a_key),
        STORE_TEST(test_no_key_seals_twice),
        STORE_TEST(test_a_claim),
        STORE_TEST(test_an_answer),
        STORE_TEST(test_expiry),
        STORE_TEST(test_what_was_altered),
        STORE_TEST(test_who_waits),
        STORE_TEST(test_bounds),
        STORE_TEST(test_two_who_look),
        STORE_TEST(test_one_who_looks_in_vain),
        STORE_TEST(test_two_who_find),
        STORE_TEST(test_a_store_that_fails),
        STORE_TEST(test_without_memory),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
