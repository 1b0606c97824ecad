/*
 * bench_recorder.c - how fast scores are recorded, and what one costs.
 *
 *     bench_recorder DATABASE [scores [in_flight [body_bytes [threads [answer_bytes]]]]]
 *
 * Producers keep in_flight jobs going between them, as connections that wait for their answers do: a job that is done
 * is handed in again. With answer_bytes an answer of that size is kept with each, as for an Idempotency-Key. Prints
 * commits and scores a second, CPU of the recording thread and of the process, bytes on disk, and resident memory at
 * the end. The database is made anew.
 */
#include "app/recorder.h"
#include "base/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, LEAD_ID_MAX = 64 };

struct slot {
    struct lf_record_job job;
    struct lf_stored_answer answer;
    char lead_id[LEAD_ID_MAX];
    struct producer *producer;
    struct slot *next;
};

struct producer {
    struct lf_recorder *recorder;
    struct slot *slots;
    size_t count;
    _Atomic(struct slot *) finished; /* a stack that `done` pushes on and the producer takes whole */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_bool sleeping;
    pthread_t thread;
};

static atomic_long left;        /* scores still to be handed in */
static atomic_long failures;    /* jobs that were not recorded */
static int64_t recorder_cpu_ns; /* of the recording thread, at its last done */
static long commits;            /* told apart by the recording thread's clock */
static char *body;
static size_t body_len = 500;
static char *sealed; /* of an answer; NULL: none is kept */
static size_t sealed_len;

static int64_t
cpu_ns(clockid_t clock)
{
    struct timespec now = {.tv_sec = 0};

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
on_done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct slot *slot = job->data;
    struct producer *producer = slot->producer;

    if (status != LF_OK && atomic_fetch_add(&failures, 1) == 0)
        (void)fprintf(stderr, "not recorded: %s\n", error->detail);
    if (job->next == NULL) { /* the last of its batch */
        commits++;
        recorder_cpu_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    }
    slot->next = atomic_load(&producer->finished);
    while (!atomic_compare_exchange_weak(&producer->finished, &slot->next, slot))
        continue;
    if (atomic_exchange(&producer->sleeping, false)) {
        (void)pthread_mutex_lock(&producer->lock);
        (void)pthread_cond_signal(&producer->wake);
        (void)pthread_mutex_unlock(&producer->lock);
    }
}

/* All that finished, waiting for one at least. */
static struct slot *
take_finished(struct producer *producer)
{
    struct slot *slots = atomic_exchange(&producer->finished, NULL);

    if (slots != NULL)
        return slots;
    (void)pthread_mutex_lock(&producer->lock);
    for (;;) {
        atomic_store(&producer->sleeping, true);
        slots = atomic_exchange(&producer->finished, NULL);
        if (slots != NULL)
            break;
        (void)pthread_cond_wait(&producer->wake, &producer->lock);
    }
    atomic_store(&producer->sleeping, false);
    (void)pthread_mutex_unlock(&producer->lock);
    return slots;
}

/* Under a name as far from the last one as a hash is. */
static enum lf_status
make_answer(struct lf_record_job *job, struct lf_error *error)
{
    struct slot *slot = job->data;
    const uint8_t *id = job->score.id.bytes;

    (void)error;
    slot->answer = (struct lf_stored_answer){.at_ms = job->score.as_of_ms,
                                             .http_status = 200,
                                             .first_score = job->score.id,
                                             .last_score = job->score.id,
                                             .sealed = sealed,
                                             .sealed_len = sealed_len};
    for (size_t i = 0; i < LF_ULID_SIZE; i++)
        slot->answer.name[i] = (uint8_t)(id[LF_ULID_SIZE - 1 - i] * 167 + i);
    job->answer = &slot->answer;
    return LF_OK;
}

static size_t
hand_in(struct producer *producer, struct slot *slots)
{
    struct lf_error error;
    size_t count = 0;

    while (slots != NULL) {
        struct slot *slot = slots;

        slots = slot->next;
        if (atomic_fetch_sub(&left, 1) <= 0)
            continue;
        slot->job = (struct lf_record_job){
            .score = {.as_of_ms = lf_time_now_ms(),
                      .lead_id = slot->lead_id,
                      .lead_id_len = strlen(slot->lead_id),
                      .body = body,
                      .body_len = body_len},
            .prepare = sealed != NULL ? make_answer : NULL,
            .done = on_done,
            .data = slot,
        };
        if (lf_recorder_submit(producer->recorder, &slot->job, &error) != LF_OK) {
            (void)fprintf(stderr, "refused: %s\n", error.detail);
            exit(1);
        }
        count++;
    }
    return count;
}

static void *
producer_main(void *argument)
{
    struct producer *producer = argument;
    struct slot *slots = NULL;
    size_t in_flight = 0;

    for (size_t i = 0; i < producer->count; i++) {
        producer->slots[i].next = slots;
        slots = &producer->slots[i];
    }
    in_flight = hand_in(producer, slots);
    while (in_flight > 0) {
        slots = take_finished(producer);
        for (struct slot *slot = slots; slot != NULL; slot = slot->next)
            in_flight--;
        in_flight += hand_in(producer, slots);
    }
    return NULL;
}

static long
resident_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (file != NULL)
        (void)fclose(file);
    return kib;
}

static void
remove_database(const char *path)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".lock"};
    char name[4096];

    for (size_t i = 0; i < sizeof SUFFIXES / sizeof *SUFFIXES; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, SUFFIXES[i]);
        (void)unlink(name);
    }
}

/* Opens it again, as a start would. */
static double
reopen_ms(const char *path)
{
    struct lf_store_options options = {.path = path};
    struct lf_error error;
    struct lf_store *store = NULL;
    int64_t begin = lf_time_monotonic_ns(), end = 0;

    if (lf_store_open(&options, &store, &error) != LF_OK)
        return -1;
    end = lf_time_monotonic_ns();
    lf_store_close(store);
    return (double)(end - begin) / 1e6;
}

static void
report(const char *path, long scores, int64_t wall_ns, int64_t process_ns)
{
    struct stat is = {.st_size = 0};

    (void)stat(path, &is);
    (void)printf("%ld scores in %ld commits (%.1f each): %.0f scores/s, %.0f commits/s\n", scores, commits,
                 (double)scores / (double)commits, (double)scores * 1e9 / (double)wall_ns,
                 (double)commits * 1e9 / (double)wall_ns);
    (void)printf("CPU a score: recorder %.2f us, whole process %.2f us; a commit: %.0f us\n",
                 (double)recorder_cpu_ns / 1e3 / (double)scores, (double)process_ns / 1e3 / (double)scores,
                 (double)recorder_cpu_ns / 1e3 / (double)commits);
    (void)printf("disk: %.1f bytes a score beside %zu of body; open again: %.1f ms\n",
                 (double)is.st_size / (double)scores, body_len, reopen_ms(path));
}

int
main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "bench.db";
    long scores = argc > 2 ? atol(argv[2]) : 1000000;
    size_t in_flight = argc > 3 ? (size_t)atol(argv[3]) : 64;
    size_t threads = argc > 5 ? (size_t)atol(argv[5]) : 2;
    struct lf_store_options store_options = {.path = path};
    struct lf_recorder_options options = {.queue = 100000, .batch = 1024, .stall_ms = 30000};
    struct producer producers[THREADS_MAX] = {0};
    struct lf_store *store = NULL;
    struct lf_recorder *recorder = NULL;
    struct lf_error error;
    int64_t begin = 0, wall_ns = 0, process_ns = 0;

    body_len = argc > 4 ? (size_t)atol(argv[4]) : body_len;
    sealed_len = argc > 6 ? (size_t)atol(argv[6]) : 0;
    sealed = sealed_len > 0 ? calloc(1, sealed_len) : NULL;
    body = calloc(1, body_len + 1);
    if (body == NULL || (sealed_len > 0 && sealed == NULL) || threads == 0 || threads > THREADS_MAX ||
        in_flight < threads)
        return 2;
    for (size_t i = 0; i < body_len; i++)
        body[i] = (char)(i * 37);
    remove_database(path);
    if (lf_store_open(&store_options, &store, &error) != LF_OK ||
        lf_recorder_start(store, &options, &recorder, &error) != LF_OK) {
        (void)fprintf(stderr, "%s\n", error.detail);
        return 1;
    }
    atomic_store(&left, scores);
    begin = lf_time_monotonic_ns();
    process_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t t = 0; t < threads; t++) {
        struct producer *producer = &producers[t];

        producer->recorder = recorder;
        producer->count = in_flight / threads;
        producer->slots = calloc(producer->count, sizeof *producer->slots);
        if (producer->slots == NULL)
            return 1;
        for (size_t i = 0; i < producer->count; i++) {
            producer->slots[i].producer = producer;
            (void)snprintf(producer->slots[i].lead_id, LEAD_ID_MAX, "lead-%zu-%zu", t, i);
        }
        (void)pthread_mutex_init(&producer->lock, NULL);
        (void)pthread_cond_init(&producer->wake, NULL);
        if (pthread_create(&producer->thread, NULL, producer_main, producer) != 0)
            return 1;
    }
    for (size_t t = 0; t < threads; t++)
        (void)pthread_join(producers[t].thread, NULL);
    wall_ns = lf_time_monotonic_ns() - begin;
    process_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - process_ns;
    (void)printf("resident after the last score: %ld KiB\n", resident_kib());
    lf_recorder_stop(recorder);
    lf_store_close(store);
    report(path, scores, wall_ns, process_ns);
    for (size_t t = 0; t < threads; t++)
        free(producers[t].slots);
    free(sealed);
    free(body);
    return atomic_load(&failures) == 0 ? 0 : 1;
}
