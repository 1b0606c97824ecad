/* test_idempotency_crowd.c - many threads ask the same again and again: each request happens once, and all get one
 * answer.
 */
#include "app/idempotency.h"
#include "store_fixture.h"

#include <pthread.h>
#include <semaphore.h>

#define NOW_MS INT64_C(1780000000000)

enum { KEEP_MS = 60000 };

static const char OWNER[] = "key:k1:lf_secret", TARGET[] = "/v1/score";

enum { THREADS = 6, KEYS = 40, TEXT_SIZE = 64 };

static struct {
    struct fixture *f;
    struct lf_idempotency *idempotency;
    pthread_mutex_t writing;
    int recorded[KEYS], failed[KEYS];
    char first[KEYS][TEXT_SIZE];
} crowd = {.writing = PTHREAD_MUTEX_INITIALIZER};

static void
post(struct lf_once_waiter *waiter)
{
    (void)sem_post(waiter->data);
}

/* The first two of a key fail, the third one records; on some thread of its own as a recorder would. */
static void
do_once(struct lf_arena *arena, int number, const struct lf_once_key *key, int who)
{
    char text[TEXT_SIZE];
    struct lf_once_answer answer = {.http_status = 200, .body = text};
    struct lf_stored_answer stored;
    const struct lf_stored_answer *answers[] = {&stored};
    const struct lf_recording recording = {.answers = answers, .answer_count = 1};
    struct lf_error error;

    (void)pthread_mutex_lock(&crowd.writing);
    if (crowd.failed[number]++ >= 2) {
        answer.body_len = (size_t)snprintf(text, sizeof text, "answer %d, made by %d", number, who);
        if (!lf_once_seal(arena, key, NOW_MS, &answer, &stored) ||
            lf_store_record(crowd.f->store, &recording, &error) != LF_OK)
            abort();
        crowd.recorded[number]++;
        memcpy(crowd.first[number], text, sizeof text);
    }
    (void)pthread_mutex_unlock(&crowd.writing);
    lf_idempotency_release(crowd.idempotency, key);
}

/* Until it is answered. */
static bool
repeat(struct lf_store_reader *reader, struct lf_arena *arena, int number, int who)
{
    char name[32], body[32];
    struct lf_once_key key;
    struct lf_once_answer answer;
    struct lf_error error;
    enum lf_once_state state = LF_ONCE_CLAIMED;

    (void)snprintf(name, sizeof name, "key %d", number);
    (void)snprintf(body, sizeof body, "{\"lead\":%d}", number);
    if (!lf_once_key_make(OWNER, name, strlen(name), TARGET, body, strlen(body), &key))
        return false;
    for (;;) {
        sem_t free_again;
        struct lf_once_waiter waiter = {.resume = post, .data = &free_again};

        if (sem_init(&free_again, 0, 0) != 0 || lf_idempotency_claim(crowd.idempotency, reader, arena, &key, NOW_MS,
                                                                     &waiter, &state, &answer, &error) != LF_OK)
            return false;
        if (state == LF_ONCE_ANSWERED)
            break;
        if (state == LF_ONCE_IN_FLIGHT)
            (void)sem_wait(&free_again);
        else
            do_once(arena, number, &key, who);
        (void)sem_destroy(&free_again);
    }
    return answer.body_len == strlen(crowd.first[number]) &&
           memcmp(answer.body, crowd.first[number], answer.body_len) == 0;
}

static void *
be_one_of_many(void *argument)
{
    int who = *(const int *)argument;
    struct lf_arena *arena = lf_arena_create(4096, 1 << 24);
    struct lf_store_reader *reader = NULL;
    struct lf_error error;
    bool fine = arena != NULL && lf_store_reader_open(crowd.f->store, &reader, &error) == LF_OK;

    for (int i = 0; fine && i < 3 * KEYS; i++) {
        fine = repeat(reader, arena, (i + who) % KEYS, who);
        lf_arena_reset(arena);
    }
    lf_store_reader_close(reader);
    lf_arena_destroy(arena);
    return fine ? argument : NULL;
}

static void
test_a_crowd(void **state)
{
    pthread_t threads[THREADS];
    int names[THREADS];

    crowd.f = *state;
    crowd.idempotency = lf_idempotency_create(KEEP_MS);
    assert_non_null(crowd.idempotency);
    for (int i = 0; i < THREADS; i++) {
        names[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, be_one_of_many, &names[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *fine = NULL;

        assert_int_equal(pthread_join(threads[i], &fine), 0);
        assert_non_null(fine);
    }
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(crowd.recorded[i], 1);
        assert_int_equal(crowd.failed[i], 3);
    }
    assert_int_equal(lf_idempotency_in_flight(crowd.idempotency), 0);
    assert_int_equal(lf_idempotency_repeats(crowd.idempotency), THREADS * 3 * KEYS);
    lf_idempotency_destroy(crowd.idempotency);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test_setup_teardown(test_a_crowd, setup, teardown),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
