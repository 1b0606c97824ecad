/*
 * verify.c - POST /v1/scores/{id}/verify: a recorded score computed again, and both answers compared.
 *
 * The lead may be given once more, for a score of which its values were not kept. Two hashes stand for the answers: a
 * value that was not kept is in neither of them.
 */
#include "api/leads.h"

#include "app/scoring.h"

#include <string.h>

/* Reads the lead that was given, NULL where none was. Answers the problem and returns false where it is none. */
static bool
read_lead(struct lf_request *request, struct lf_score_request *asked)
{
    static const char *const NAMES[] = {"lead", NULL};
    struct lf_api_input input;
    struct lf_error error;

    *asked = (struct lf_score_request){.lead_id = ""};
    if (!lf_api_input_begin(request, &input, true, NAMES))
        return false;
    if (lf_api_input_member(&input, "lead") != NULL &&
        lf_score_request_lead(input.document.arena, lf_api_input_member(&input, "lead"), "lead", &input.findings, asked,
                              &error) != LF_OK &&
        !lf_findings_any(&input.findings)) {
        lf_reply_problem(request, &error);
        return false;
    }
    return lf_api_input_end(request, &input);
}

static enum lf_status
hash_answer(const char *answer, uint8_t digest[LF_SHA256_SIZE], struct lf_error *error)
{
    return lf_sha256(answer, strlen(answer), digest)
               ? LF_OK
               : lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while comparing two answers");
}

/* Computes the score again. A lead that says to be another one is another one. */
static enum lf_status
repeat(struct lf_request *request, struct lf_service *service, struct lf_store_reader *reader,
       const struct lf_stored_score *score, const struct lf_score_request *asked, struct lf_repetition *ret_repetition,
       struct lf_error *error)
{
    enum lf_status status = lf_scoring_repeat(reader, lf_request_scratch(request), score, asked->lead,
                                              lf_service_privacy(service), true, ret_repetition, error);

    if (status == LF_OK && asked->lead_id_len > 0 &&
        (asked->lead_id_len != score->lead_id_len || memcmp(asked->lead_id, score->lead_id, score->lead_id_len) != 0)) {
        ret_repetition->agrees = false;
        if (ret_repetition->what[0] == '\0')
            ret_repetition->what = "the lead is not the one that was scored: id differs";
    }
    return status;
}

static enum lf_status
put_repetition(struct lf_buf *body, struct lf_ulid id, const struct lf_repetition *repetition, struct lf_error *error)
{
    uint8_t recorded[LF_SHA256_SIZE], computed[LF_SHA256_SIZE];
    char text[LF_ULID_TEXT_SIZE];
    enum lf_status status = hash_answer(repetition->recorded, recorded, error);
    bool agrees = false;

    if (status == LF_OK)
        status = hash_answer(repetition->computed, computed, error);
    if (status != LF_OK)
        return status;
    lf_ulid_format(id, text);
    agrees = repetition->agrees && memcmp(recorded, computed, sizeof recorded) == 0;
    lf_buf_printf(body, "{\"id\":\"%s\",\"agrees\":%s,\"kept\":\"%s\",\"icp\":", text, agrees ? "true" : "false",
                  lf_api_kept_word(repetition->kept));
    lf_api_put_text(body, repetition->icp);
    lf_buf_lit(body, ",\"what\":");
    lf_api_put_text(body, !agrees && repetition->what[0] == '\0' ? "the answers differ" : repetition->what);
    lf_buf_lit(body, ",\"recorded_hash\":");
    lf_api_put_hash(body, recorded);
    lf_buf_lit(body, ",\"computed_hash\":");
    lf_api_put_hash(body, computed);
    lf_buf_lit(body, "}");
    return LF_OK;
}

void
lf_api_verify_score(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    const char *text = lf_request_param(request, "id");
    struct lf_store_reader *reader = NULL;
    struct lf_score_request asked;
    struct lf_repetition repetition;
    struct lf_stored_score score;
    struct lf_error error;
    struct lf_buf body;
    struct lf_ulid id;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) || !read_lead(request, &asked))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    if (!lf_ulid_parse(text, strlen(text), &id))
        status = lf_fail(&error, LF_SCORE_NOT_FOUND,
                         "there is no score of that id: an id has 26 characters, as the answer of POST /v1/score gave "
                         "it");
    if (status == LF_OK)
        status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_score(reader, lf_request_scratch(request), id, &score, &error);
        if (status == LF_OK)
            status = repeat(request, context, reader, &score, &asked, &repetition, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        status = put_repetition(&body, id, &repetition, &error);
    lf_api_conclude(request, 200, status, &body, &error);
}
