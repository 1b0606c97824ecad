/*
 * post.h - posts bodies to other people's servers, many at once, on one thread: the room of libcurl.
 *
 * Nothing is followed or reused that was not asked for: no redirects, no proxy, no cookies, only http and https. The
 * address that is connected to is the one that was checked (base/address.h), in the moment of connecting: no second
 * lookup can come in between. Time and size are bounded. A poster belongs to one thread at a time, but for
 * lf_poster_wake. The program ignores SIGPIPE.
 */
#ifndef LF_APP_POST_H
#define LF_APP_POST_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_poster;

struct lf_poster_options {
    bool allow_private;  /* private addresses, and plain http */
    const char *ca_file; /* NULL or "": the system's */
    int64_t timeout_ms;  /* of a whole post */
};

/* CONFIG for a ca_file that cannot be read. The first one sets libcurl up. */
enum lf_status lf_poster_create(const struct lf_poster_options *options, struct lf_poster **ret_poster,
                                struct lf_error *error) LF_MUST_CHECK;
void lf_poster_destroy(struct lf_poster *poster); /* what is under way is cut; NULL is fine */

enum { LF_POST_HEADERS_MAX = 8, LF_POST_ERROR_MAX = 200 };

/* How a post ended. With the whole of an answer's head and LF_POST_ANSWER_MAX bytes of its body its status counts: the
 * rest is not waited for. Of a shorter body every byte that was announced has to come. */
enum { LF_POST_ANSWER_MAX = 64 << 10 };
struct lf_posted {
    int http_status;               /* 0: no whole answer */
    int64_t retry_after_ms;        /* as the answer asked; -1 for nothing */
    char error[LF_POST_ERROR_MAX]; /* in words, "" when there was an answer; never the URL or what was answered */
};

/* Begins a post. The body stays until `done`, which is called from lf_poster_run, once, with `data`; url and headers
 * ("name: value") are copied. OUT_OF_MEMORY. */
enum lf_status
lf_poster_start(struct lf_poster *poster, const char *url, const char *const *headers, size_t header_count,
                const void *body, size_t body_len, void (*done)(void *data, const struct lf_posted *posted), void *data,
                struct lf_error *error) LF_MUST_CHECK;

/* Goes on with what is under way, waiting at most so long for something to happen; a wake ends the wait. */
void lf_poster_run(struct lf_poster *poster, int64_t wait_ms);
void lf_poster_wake(struct lf_poster *poster); /* from any thread */

/* Posts under way. */
size_t lf_poster_active(const struct lf_poster *poster);

/* Whether a URL may be posted to: http or https, a host, no user, no fragment, at most 2,000 characters; unless
 * allow_private, https and no host that is private as it is written. false with a sentence. */
bool lf_post_url_check(const char *url, bool allow_private, char ret_why[LF_POST_ERROR_MAX], bool *ret_private);

#endif
