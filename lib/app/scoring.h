/*
 * scoring.h - the use case of one lead: read the request, score it under the ICPs it names, keep it, tell it.
 *
 * HTTP, the command line and (later) webhooks and batches share these steps:
 *   lf_score_request_read   the body into a request, with every finding
 *   lf_scoring_run          evaluates the lead under the chosen ICPs and, unasked, under the experimental ones
 *   lf_scoring_record       what is to be kept, for the recorder
 *   lf_scoring_tell         the answer
 * All memory comes from the request's arena. A scoring belongs to one thread at a time.
 */
#ifndef LF_APP_SCORING_H
#define LF_APP_SCORING_H

#include "app/profiles.h"
#include "base/arena.h"
#include "base/findings.h"
#include "base/json.h"
#include "base/status.h"
#include "core/answer.h"
#include "core/document.h"
#include "core/privacy.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_LEAD_ID_MAX = 200 /* characters */, LF_ICPS_NAMED_MAX = 1000 };

/* What is asked. */
struct lf_score_request {
    const struct lf_json *lead; /* an object */
    const char *lead_id;        /* "" for none */
    size_t lead_id_len;
    const char **icps; /* keys; none named: all active core ones */
    size_t icp_count;
    bool has_as_of;
    int64_t as_of_ms;
    enum lf_explain explain;
    bool record;
};

/* Reads {"lead", "icps", "as_of", "explain", "record"}. Faults go into findings, the status is INVALID_REQUEST then;
 * TOO_MANY_MEMBERS for a lead over the limits. with_definition: "definition" is a member too (for its reader), and
 * "icps" and "record" are not. */
enum lf_status lf_score_request_read(struct lf_arena *arena, const struct lf_json *body, bool with_definition,
                                     struct lf_findings *findings, struct lf_score_request *ret_request,
                                     struct lf_error *error) LF_MUST_CHECK;

/* Reads lead and lead.id into the request: a string or an integer; "" where there is none. For leads that come without
 * a body of ours around them. member: the name under which the lead stands, for pointers; "" where it is the whole. */
enum lf_status lf_score_request_lead(struct lf_arena *arena, const struct lf_json *lead, const char *member,
                                     struct lf_findings *findings, struct lf_score_request *request,
                                     struct lf_error *error) LF_MUST_CHECK;

/* Reads a lead's id: a text of at most LF_LEAD_ID_MAX characters, none of them U+0000, or a whole number, as text; ""
 * for none or null. false after a fault, and nothing is written. */
bool lf_lead_id_read(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                     const char **ret_id, size_t *ret_len);

/* A lead scored. */
struct lf_scoring {
    const struct lf_profiles *profiles;
    struct lf_evaluation *evaluation;
    struct lf_result *results; /* what is answered; unsorted */
    size_t result_count;
    struct lf_result *shadow; /* experimental ones, kept only */
    size_t shadow_count;
    const struct lf_json *lead;
    const char *lead_id;
    size_t lead_id_len;
    int64_t as_of_ms;
    enum lf_explain explain;
};

/* Scores. now_ms stands for an as_of that was not given. Statuses: ICP_NOT_FOUND, ICP_ARCHIVED, NO_ACTIVE_ICP,
 * OUT_OF_MEMORY. The profiles stay until the scoring has been told. */
enum lf_status
lf_scoring_run(struct lf_arena *arena, const struct lf_profiles *profiles, const struct lf_score_request *request,
               int64_t now_ms, struct lf_scoring *ret_scoring, struct lf_error *error) LF_MUST_CHECK;

/* Fills what is to be recorded (all but its id), with as much of the lead as may be kept; the profiles' program
 * withholds by the same privacy (lf_program_withhold). BODY_TOO_LARGE for more than the store takes. */
enum lf_status
lf_scoring_record(struct lf_arena *arena, const struct lf_scoring *scoring, const struct lf_privacy *privacy,
                  struct lf_stored_score *ret_score, struct lf_error *error) LF_MUST_CHECK;

/* Appends the answer. id: NULL when it was not recorded. line: for a batch, else 0. */
void lf_scoring_tell(struct lf_buf *buf, struct lf_arena *arena, struct lf_scoring *scoring, const struct lf_ulid *id,
                     int64_t scored_at_ms, int64_t line);

/* The same for a score that is about to be recorded: lf_answer_stamp writes its id into the answer afterwards. */
void lf_scoring_tell_pending(struct lf_buf *buf, struct lf_arena *arena, struct lf_scoring *scoring,
                             struct lf_answer_stamp *ret_stamp);

/* Appends the answer of a recorded score, as it was given, with the full explanation; values that were not kept are "".
 * ERASED when its lead was erased; STORAGE_CORRUPT when the record, its input or a version it was made under is not
 * what it was. */
enum lf_status
lf_scoring_retell(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_score *score,
                  struct lf_buf *buf, struct lf_error *error) LF_MUST_CHECK;

/* A recorded score computed again from what was stored: versions, input, answers of lists and of fields not kept. */
struct lf_repetition {
    bool agrees;                     /* every member of every result is the same */
    enum lf_kept kept;               /* what of the lead was there to compute from */
    const char *icp;                 /* key of the first result that differs, "" for none */
    const char *what;                /* in words, what differs; "" for nothing; lives in the arena */
    const char *recorded, *computed; /* both answers, JSON, as lf_scoring_retell tells them; NULL when not asked for.
                                      * Values are those that were stored, but of a lead that differs its own. */
};

/* ERASED, STORAGE_CORRUPT as above. lead: given once more by the caller, to compute from in place of what was stored
 * (NULL: none); it must then be the same as far as what was stored can tell, or it does not agree. The order of its
 * members does not count. privacy: as of now; NULL where no lead is given. */
enum lf_status
lf_scoring_repeat(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_score *score,
                  const struct lf_json *lead, const struct lf_privacy *privacy, bool tell,
                  struct lf_repetition *ret_repetition, struct lf_error *error) LF_MUST_CHECK;

#endif
