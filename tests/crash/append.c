/*
 * append.c - the victim of crash.py.
 *
 *     append DATABASE           records scores without end, some of them several at once, some with an answer that is
 *                               kept with them; prints a line for each job once it is acknowledged
 *     append --verify DATABASE  opens the database, looks it over, and looks for every job on standard input
 *
 * A line is the ids of a job's scores, and "+" where it has an answer. Verifying prints "open_ms N", "scores N", a line
 * "lost ID", "wrong ID" or "unanswered ID" for each fault, "damaged …" for what the check finds (an answer without its
 * scores among it), and at last "done". Of the newest scores those whose answer is missing are told as well, whether
 * anybody was told of them or not.
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

enum { IN_FLIGHT = 48, BODY_MAX = 3000, MORE_MAX = 5, LINE_MAX_LEN = (1 + MORE_MAX) * LF_ULID_TEXT_SIZE + 2 };
enum { LINES_SIZE = 64 * 1024, SEALED_MAX = (1 + MORE_MAX) * LF_ULID_SIZE, NEWEST = 5000 };

static const char ASKED[] = "asked"; /* the lead of a job's first score when it has an answer */

/* A job, and what it points to. */
struct slot {
    struct lf_record_job job;
    struct lf_stored_score more[MORE_MAX];
    char bodies[1 + MORE_MAX][BODY_MAX];
    struct lf_stored_answer answer;
    uint8_t sealed[SEALED_MAX]; /* the ids of the scores */
};

static struct lf_recorder *recorder;
static struct slot slots[IN_FLIGHT];
static char lines[LINES_SIZE]; /* acknowledgements of one batch; the recorder's thread alone */
static size_t lines_len;

/* A body that can be told from its length alone, so that --verify knows what it should be. */
static void
fill_body(char *body, size_t len)
{
    for (size_t i = 0; i < len; i++)
        body[i] = (char)(i * 31 + len);
}

/* Under which the answer that tells of a score and those behind it is found. */
static void
name_answer(struct lf_ulid first, uint8_t ret_name[LF_SHA256_SIZE])
{
    for (size_t i = 0; i < LF_ULID_SIZE; i++) {
        ret_name[i] = first.bytes[LF_ULID_SIZE - 1 - i]; /* what is chance comes first, as in a hash */
        ret_name[LF_ULID_SIZE + i] = (uint8_t)~first.bytes[i];
    }
}

static const struct lf_stored_score *
score_at(const struct lf_record_job *job, size_t i)
{
    return i == 0 ? &job->score : &job->more[i - 1];
}

static enum lf_status
make_answer(struct lf_record_job *job, struct lf_error *error)
{
    struct slot *slot = job->data;

    (void)error;
    slot->answer = (struct lf_stored_answer){
        .http_status = 200, .first_score = job->score.id, .last_score = score_at(job, job->more_count)->id};
    name_answer(job->score.id, slot->answer.name);
    for (size_t i = 0; i <= job->more_count; i++)
        memcpy(slot->sealed + i * LF_ULID_SIZE, score_at(job, i)->id.bytes, LF_ULID_SIZE);
    slot->answer.sealed = slot->sealed;
    slot->answer.sealed_len = (1 + job->more_count) * LF_ULID_SIZE;
    job->answer = &slot->answer;
    return LF_OK;
}

static struct lf_stored_score
make_score(char *body, unsigned number)
{
    size_t len = number * 2654435761U % BODY_MAX;

    fill_body(body, len);
    return (struct lf_stored_score){
        .as_of_ms = (int64_t)len, .lead_id = "lead", .lead_id_len = 4, .body = body, .body_len = len};
}

static void
hand_in(struct slot *slot, unsigned number)
{
    struct lf_error error;

    slot->job.more_count = number % 5 == 0 ? number / 5 % (1 + MORE_MAX) : 0;
    slot->job.more = slot->more;
    slot->job.score = make_score(slot->bodies[0], number);
    for (size_t i = 0; i < slot->job.more_count; i++)
        slot->more[i] = make_score(slot->bodies[1 + i], number + (unsigned)i + 1);
    slot->job.prepare = number % 3 == 0 ? make_answer : NULL;
    if (slot->job.prepare != NULL) {
        slot->job.score.lead_id = ASKED;
        slot->job.score.lead_id_len = strlen(ASKED);
    }
    slot->job.answer = NULL;
    if (lf_recorder_submit(recorder, &slot->job, &error) != LF_OK) {
        (void)fprintf(stderr, "refused: %s\n", error.detail);
        _exit(3);
    }
}

/* Adds the job's line to those that wait to be printed. */
static void
acknowledge(const struct lf_record_job *job)
{
    for (size_t i = 0; i <= job->more_count; i++) {
        lf_ulid_format(score_at(job, i)->id, lines + lines_len);
        lines_len += LF_ULID_TEXT_SIZE;
        lines[lines_len - 1] = ' ';
    }
    if (job->answer != NULL) {
        lines[lines_len++] = '+';
        lines[lines_len++] = ' ';
    }
    lines[lines_len - 1] = '\n';
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
    acknowledge(job);
    if (last || lines_len > LINES_SIZE / 2) {
        if (write(STDOUT_FILENO, lines, lines_len) != (ssize_t)lines_len)
            _exit(3);
        lines_len = 0;
    }
    hand_in(job->data, ++number);
}

static int
append(struct lf_store *store)
{
    struct lf_recorder_options options = {.queue = IN_FLIGHT * (1 + MORE_MAX), .batch = 20, .stall_ms = 30000};
    struct lf_error error;

    if (lf_recorder_start(store, &options, &recorder, &error) != LF_OK) {
        (void)fprintf(stderr, "%s\n", error.detail);
        return 3;
    }
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        slots[i].job.done = on_done;
        slots[i].job.data = &slots[i];
    }
    for (size_t i = 0; i < IN_FLIGHT; i++)
        hand_in(&slots[i], (unsigned)i);
    for (;;)
        (void)pause(); /* until it is killed */
}

/* ---- verifying ---- */

static const char *
judge_score(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_ulid id)
{
    struct lf_error error;
    struct lf_stored_score score;
    char body[BODY_MAX];
    enum lf_status status = lf_store_score(reader, arena, id, &score, &error);

    if (status == LF_SCORE_NOT_FOUND)
        return "lost";
    if (status != LF_OK || score.body_len >= BODY_MAX || score.as_of_ms != (int64_t)score.body_len)
        return "wrong";
    fill_body(body, score.body_len);
    return memcmp(body, score.body, score.body_len) == 0 ? NULL : "wrong";
}

/* The answer tells of just these scores. */
static const char *
judge_answer(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_ulid *ids, size_t count)
{
    struct lf_error error;
    struct lf_stored_answer answer;
    uint8_t name[LF_SHA256_SIZE];
    bool found = false;

    name_answer(ids[0], name);
    if (lf_store_answer(reader, arena, name, &found, &answer, &error) != LF_OK)
        return "wrong";
    if (!found)
        return "unanswered";
    if (answer.erased || answer.http_status != 200 || answer.sealed_len != count * LF_ULID_SIZE ||
        memcmp(answer.sealed, ids, answer.sealed_len) != 0 || memcmp(&answer.first_score, &ids[0], LF_ULID_SIZE) != 0 ||
        memcmp(&answer.last_score, &ids[count - 1], LF_ULID_SIZE) != 0)
        return "wrong";
    return NULL;
}

/* What is wrong with the job of a line, NULL for nothing. */
static const char *
judge(struct lf_store_reader *reader, struct lf_arena *arena, const char *line)
{
    struct lf_ulid ids[1 + MORE_MAX];
    const char *fault = NULL;
    bool answered = false;
    size_t count = 0, len = 0;

    lf_arena_reset(arena);
    for (const char *at = line; fault == NULL && *at != '\0'; at += len + strspn(at + len, " ")) {
        len = strcspn(at, " ");
        if (*at == '+')
            answered = true;
        else if (count > MORE_MAX || !lf_ulid_parse(at, len, &ids[count]))
            return "unreadable";
        else
            fault = judge_score(reader, arena, ids[count++]);
    }
    if (count == 0)
        return "unreadable";
    return fault == NULL && answered ? judge_answer(reader, arena, ids, count) : fault;
}

/* The newest scores that came with an answer. */
struct asked {
    struct lf_ulid ids[NEWEST];
    size_t count;
};

static enum lf_status
note_asked(void *context, const struct lf_stored_score *score)
{
    struct asked *asked = context;

    if (score->lead_id_len == strlen(ASKED) && memcmp(score->lead_id, ASKED, score->lead_id_len) == 0)
        asked->ids[asked->count++] = score->id;
    return LF_OK;
}

/* Whether each of them has it: one that nobody was told of, too. */
static void
verify_newest(struct lf_store_reader *reader, struct lf_arena *arena)
{
    static struct asked asked;
    struct lf_error error;

    if (lf_store_each_score(reader, arena, 0, INT64_MAX, NEWEST, note_asked, &asked, &error) != LF_OK)
        (void)printf("damaged: %s\n", error.detail);
    for (size_t i = 0; i < asked.count; i++) {
        struct lf_stored_answer answer;
        uint8_t name[LF_SHA256_SIZE];
        char text[LF_ULID_TEXT_SIZE];
        bool found = false;

        lf_arena_reset(arena);
        name_answer(asked.ids[i], name);
        if (lf_store_answer(reader, arena, name, &found, &answer, &error) == LF_OK && found)
            continue;
        lf_ulid_format(asked.ids[i], text);
        (void)printf("unanswered %s\n", text);
    }
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
    char line[LINE_MAX_LEN + 2];

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
    verify_newest(reader, arena);
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
