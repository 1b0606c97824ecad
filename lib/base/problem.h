/*
 * problem.h - an error told as a problem document (RFC 9457): the body of an error reply, and what a batch says of a
 * line that could not be scored. Pure.
 */
#ifndef LF_BASE_PROBLEM_H
#define LF_BASE_PROBLEM_H

#include "base/buf.h"
#include "base/findings.h"
#include "base/status.h"

/* Appends the problem as one JSON object. request_id: "" where no request is at fault; instance is made from it.
 * findings: what `errors` lists; with none (or NULL) it is the error's own place, where it has one. */
void lf_problem_put(struct lf_buf *buf, const struct lf_error *error, const char *request_id,
                    const struct lf_findings *findings);

#endif
