/* test_process.c - what the system says of this process is held against what the process knows of itself. */
#include "base/process.h"

#include "base/time.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct lf_process
read_process(void)
{
    struct lf_process process;
    struct lf_error error = {.detail = ""};

    if (lf_process_read(&process, &error) != LF_OK)
        fail_msg("%s", error.detail);
    return process;
}

static void
test_descriptors(void **state)
{
    struct lf_process before = read_process();
    struct rlimit limit;
    int pair[2];

    (void)state;
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(read_process().open_fds, before.open_fds + 2);
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
    assert_int_equal(read_process().open_fds, before.open_fds); /* reading leaves none open */

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(before.max_fds, limit.rlim_cur);
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(read_process().max_fds, 64);
}

static void
test_memory(void **state)
{
    enum { SIZE = 64 << 20 };
    struct lf_process before = read_process(), after;
    char *memory = malloc(SIZE);

    (void)state;
    assert_non_null(memory);
    for (size_t i = 0; i < SIZE; i += 4096)
        ((volatile char *)memory)[i] = 1;
    after = read_process();
    assert_in_range(before.resident_bytes, 65536, before.virtual_bytes);
    assert_true(after.resident_bytes - before.resident_bytes > SIZE / 2);
    assert_true(after.virtual_bytes > after.resident_bytes);
    free(memory);
}

static void
test_time(void **state)
{
    struct lf_process before = read_process(), after;
    int64_t until_ns = lf_time_monotonic_ns() + INT64_C(200000000);
    struct timespec cpu;

    (void)state;
    while (lf_time_monotonic_ns() < until_ns)
        continue;
    after = read_process();
    assert_true(after.cpu_us > before.cpu_us);
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu), 0);
    assert_true(after.cpu_us <= (int64_t)cpu.tv_sec * 1000000 + cpu.tv_nsec / 1000);
    assert_int_equal(after.started_ms, before.started_ms); /* the same at each look */
    assert_in_range(after.started_ms, lf_time_now_ms() - 600000, lf_time_now_ms() + 2000);
}

static void *
wait_for_lock(void *lock)
{
    (void)pthread_mutex_lock(lock);
    (void)pthread_mutex_unlock(lock);
    return NULL;
}

/* A sanitizer may have threads of its own: they are there before as well. */
static void
test_threads(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[4];
    int64_t before = 0;

    (void)state;
    assert_int_equal(pthread_create(&threads[0], NULL, wait_for_lock, &lock), 0);
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    before = read_process().threads;
    (void)pthread_mutex_lock(&lock);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_lock, &lock), 0);
    assert_in_range(read_process().threads, 5, before + 4); /* one that was joined may be seen a moment longer */
    (void)pthread_mutex_unlock(&lock);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* Whoever names a program as he likes does not move its fields. */
static void
test_names(void **state)
{
    static const char *const NAMES[] = {"a b", ") R 1 2", "((", "))))"};
    struct lf_process before = read_process();

    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        assert_int_equal(prctl(PR_SET_NAME, NAMES[i]), 0);
        assert_int_equal(read_process().started_ms, before.started_ms);
        assert_int_equal(read_process().threads, before.threads);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time),  cmocka_unit_test(test_threads),     cmocka_unit_test(test_memory),
        cmocka_unit_test(test_names), cmocka_unit_test(test_descriptors),
    };

    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
