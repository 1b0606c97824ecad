/*
 * recording.h - from scored leads to a recorded answer: hands what was scored to the recorder, waits for the commit
 * without a thread, writes ids and times into the answer and sends it.
 *
 * What waits for the commit (the answer, the scores' bytes) is copied into the request's arena and goes with the
 * request. From the submit to `done` it is the recorder's thread's, which also gives up the claim of a key, in any
 * case; the HTTP thread gets it back when the request is resumed, and where the client has hung up nobody does.
 */
#ifndef LF_API_RECORDING_H
#define LF_API_RECORDING_H

#include "api/once.h"
#include "app/scoring.h"
#include "app/service.h"
#include "http/request.h"

#include <stddef.h>

/* One answer about one or more scored leads; all of it in scratch memory. */
struct lf_api_recording {
    const struct lf_scoring *scorings;
    size_t count;                         /* 1..LF_MAPPING_LEADS_MAX; recorded in one commit */
    const struct lf_buf *answer;          /* told, with places for ids and times */
    const struct lf_answer_stamp *stamps; /* of each scoring; with id_at 0 the answer does not tell it */
    int http_status;
    struct lf_api_once *once; /* ended here in any case; NULL: none */
    /* For who counts how it ends, or has another way of saying what is wrong: called once, on the HTTP thread, from
     * within lf_api_record or after the commit, but not when the client has hung up meanwhile. error is NULL when it is
     * recorded, and the answer goes out after this; else it answers. data lives in the request's arena. NULL: nobody,
     * and a problem is answered. */
    void (*ended)(struct lf_request *request, void *data, const struct lf_error *error);
    void *data;
};

/* Records and answers; a problem where it cannot. The last thing that a handler does; on an HTTP thread. */
void lf_api_record(struct lf_request *request, struct lf_service *service, const struct lf_api_recording *recording);

#endif
