/*
 * handlers.h - the handlers that routes.c lists, and what they share. Each answers its request as the HTTP contract
 * says; the context is the struct lf_service.
 */
#ifndef LF_API_HANDLERS_H
#define LF_API_HANDLERS_H

#include "base/json.h"
#include "http/request.h"

/* system.c */
void lf_api_healthz(struct lf_request *request, void *context);
void lf_api_readyz(struct lf_request *request, void *context);
void lf_api_openapi(struct lf_request *request, void *context);

/* score.c */
void lf_api_score(struct lf_request *request, void *context);
void lf_api_get_score(struct lf_request *request, void *context);

/* explain.c */
void lf_api_explain(struct lf_request *request, void *context);

/* icps.c */
void lf_api_list_icps(struct lf_request *request, void *context);
void lf_api_get_icp(struct lf_request *request, void *context);
void lf_api_get_version(struct lf_request *request, void *context);

enum { LF_REPLY_MAX = 64 << 20 };

/* ---- shared (common.c) ---- */

/* The body as JSON, in scratch memory; answers the problem and returns NULL when it is none. limits->bytes does not
 * count: the server has seen to the body's size. */
const struct lf_json *lf_api_read_body(struct lf_request *request, const struct lf_json_limits *limits);

/* Answers 304 and returns true when the request's If-None-Match names this ETag (with its quotes). */
bool lf_api_not_modified(struct lf_request *request, const char *etag);

#endif
