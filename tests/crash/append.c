/*
 * append.c - the victim of crash.py.
 *
 *     append DATABASE           records scores without end, and prints the id of each once it is acknowledged
 *     append --verify DATABASE  opens the database, looks it over, and looks for every id on standard input
 *
 * Verifying prints "open_ms N", "scores N", a line "lost ID" or "wrong ID" for each fault, "damaged …" for what the
 * check finds, and at last "done".
 */
#include "app/recorder.h"
#include "base/time.h"
#include "base/ulid.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN_FLIGHT = 48, BODY_MAX = 3000, LINES_SIZE = 64 * 1024 };

static struct lf_recorder *recorder;
static struct lf_record_job jobs[IN_FLIGHT];
static char bodies[IN_FLIGHT][BODY_MAX];
static char lines[LINES_SIZE]; /* acknowledgements of one batch; the recorder's thread alone */
static size_t lines_len;

/* A body that can be told from its length alone, so that --verify knows what it should be. */
static void
fill_body(char *body, size_t len)
{
    for (size_t i = 0; i < len; i++)
        body[i] = (char)(i * 31 + len);
}

static void
hand_in(size_t slot, unsigned number)
{
    struct lf_error error;
    size_t len = number * 2654435761U % BODY_MAX;

    fill_body(bodies[slot], len);
    jobs[slot].score = (struct lf_stored_score){
        .as_of_ms = (int64_t)len, .lead_id = "lead", .lead_id_len = 4, .body = bodies[slot], .body_len = len};
    if (lf_recorder_submit(recorder, &jobs[slot], &error) != LF_OK) {
        (void)fprintf(stderr, "refused: %s\n", error.detail);
        _exit(3);
    }
}

static void
on_done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    static unsigned number;
    bool last = job->next == NULL; /* of its batch */

    if (status != LF_OK) {
        (void)fprintf(stderr, "not recorded: %s\n", error->detail);
        _exit(3);
    }
    lf_ulid_format(job->score.id, lines + lines_len);
    lines_len += LF_ULID_TEXT_SIZE;
    lines[lines_len - 1] = '\n';
    if (last || lines_len > LINES_SIZE / 2) {
        if (write(STDOUT_FILENO, lines, lines_len) != (ssize_t)lines_len)
            _exit(3);
        lines_len = 0;
    }
    hand_in((size_t)(job - jobs), ++number);
}

static int
append(struct lf_store *store)
{
    struct lf_recorder_options options = {.queue = IN_FLIGHT, .batch = 20, .stall_ms = 30000};
    struct lf_error error;

    if (lf_recorder_start(store, &options, &recorder, &error) != LF_OK) {
        (void)fprintf(stderr, "%s\n", error.detail);
        return 3;
    }
    for (size_t i = 0; i < IN_FLIGHT; i++)
        jobs[i].done = on_done;
    for (size_t i = 0; i < IN_FLIGHT; i++)
        hand_in(i, (unsigned)i);
    for (;;)
        (void)pause(); /* until it is killed */
}

/* ---- verifying ---- */

static const char *
judge(struct lf_store_reader *reader, struct lf_arena *arena, const char *text)
{
    struct lf_error error;
    struct lf_stored_score score;
    struct lf_ulid id;
    char body[BODY_MAX];
    enum lf_status status = LF_OK;

    if (!lf_ulid_parse(text, strlen(text), &id))
        return "unreadable";
    lf_arena_reset(arena);
    status = lf_store_score(reader, arena, id, &score, &error);
    if (status == LF_SCORE_NOT_FOUND)
        return "lost";
    if (status != LF_OK || score.body_len >= BODY_MAX || score.as_of_ms != (int64_t)score.body_len)
        return "wrong";
    fill_body(body, score.body_len);
    return memcmp(body, score.body, score.body_len) == 0 ? NULL : "wrong";
}

static int
verify(struct lf_store *store, int64_t open_ns)
{
    struct lf_store_reader *reader = NULL;
    struct lf_arena *arena = lf_arena_create(64 * 1024, 64 * 1024 * 1024);
    struct lf_findings findings;
    struct lf_error error;
    struct lf_ulid last;
    int64_t count = 0;
    char line[64];

    if (arena == NULL || lf_store_reader_open(store, &reader, &error) != LF_OK ||
        lf_store_last_score(reader, &last, &count, &error) != LF_OK)
        return 3;
    (void)printf("open_ms %" PRId64 "\nscores %" PRId64 "\n", open_ns / 1000000, count);
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *fault = NULL;

        line[strcspn(line, "\n")] = '\0';
        fault = judge(reader, arena, line);
        if (fault != NULL)
            (void)printf("%s %s\n", fault, line);
    }
    lf_arena_reset(arena);
    lf_findings_init(&findings, arena);
    if (lf_store_check(reader, false, NULL, &findings, &error) != LF_OK)
        (void)printf("damaged: %s\n", error.detail);
    for (size_t i = 0; i < findings.count; i++)
        (void)printf("damaged: %s\n", findings.items[i].detail);
    (void)puts("done");
    lf_store_reader_close(reader);
    lf_arena_destroy(arena);
    return 0;
}

int
main(int argc, char **argv)
{
    bool verifying = argc == 3 && strcmp(argv[1], "--verify") == 0;
    struct lf_store_options options = {.path = argv[argc - 1]};
    struct lf_store *store = NULL;
    struct lf_error error;
    int64_t begin = lf_time_monotonic_ns();
    int result = 0;

    if (argc != 2 && !verifying)
        return 2;
    if (lf_store_open(&options, &store, &error) != LF_OK) {
        (void)fprintf(stderr, "%s\n", error.detail);
        return 3;
    }
    result = verifying ? verify(store, lf_time_monotonic_ns() - begin) : append(store);
    lf_store_close(store);
    return result;
}
