/*
 * post.c - see post.h.
 *
 * One multi handle of libcurl, one easy handle for each post. What libcurl would do of its own accord (proxies from the
 * environment, other schemes, "Expect") is switched off; what it does not do without being asked (redirects, cookies,
 * .netrc) is not asked for. Every socket is made by open_socket, which sees the very address that is connected to.
 */
#include "app/post.h"

#include "base/address.h"
#include "base/time.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECT_TIMEOUT_MS = 5000, /* for name, connection and TLS: what takes longer will hardly answer in time */
    WAIT_MS_MAX = 3600000,
    STATUS_MIN = 100, /* libcurl takes any three digits; HTTP has no others than these */
    STATUS_MAX = 599,
    IDLE_MS = 100,        /* instead of a wait that fails */
    CONNECTIONS_MAX = 64, /* that are kept open for the next posts */
    BUFFER = 4096, /* answers are short and thrown away; libcurl's own 16 KiB for each would be memory for nothing */
    UPLOAD_BUFFER = 16384, /* the least that libcurl takes */
};

/* What OpenSSL says of a certificate (X509_V_ERR_…): its header is not ours. Names are compared by libcurl itself, and
 * then it is the first of these or, with some versions, the second. */
enum {
    CERTIFICATE_FINE = 0,
    CERTIFICATE_UNKNOWN = 1,
    CERTIFICATE_NO_ISSUER = 2,
    CERTIFICATE_NOT_YET = 9,
    CERTIFICATE_EXPIRED = 10,
    CERTIFICATE_SELF_SIGNED = 18,
    CERTIFICATE_SELF_SIGNED_CHAIN = 19,
    CERTIFICATE_NO_LOCAL_ISSUER = 20,
    CERTIFICATE_NO_CHAIN = 21,
};

struct post {
    struct post *next, *previous;
    struct lf_poster *poster;
    CURL *easy;
    struct curl_slist *headers;
    void (*done)(void *data, const struct lf_posted *posted);
    void *data;
    bool plain_http;
    bool refused, opened; /* an address was not public; a socket was made for one that was */
    bool head_ended;      /* of the answer: to libcurl a head that breaks off is one as well */
    size_t head_len, body_len;
    int64_t retry_after_ms;
};

struct lf_poster {
    struct lf_poster_options options;
    char *ca_file;   /* NULL: the system's */
    bool one_bundle; /* there is a file of all certificates: no folder is looked at besides */
    CURLM *multi;
    struct post *first;
    size_t active;
};

/* ---- what libcurl calls ---- */

/* Makes the socket for an address that has just been looked up, or does not. */
static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct post *post = context;
    int fd = -1;

    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!post->poster->options.allow_private && !lf_address_is_public(&address->addr, address->addrlen)) {
        post->refused = true;
        return CURL_SOCKET_BAD;
    }
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    post->opened = post->opened || fd >= 0;
    return fd;
}

/* Seconds, or the time of a date, as milliseconds from now; -1 for neither. The value ends with the line. */
static int64_t
read_retry_after(const char *value, size_t len)
{
    char text[64];
    int64_t seconds = 0;
    time_t date = 0;

    while (len > 0 &&
           (value[len - 1] == '\r' || value[len - 1] == '\n' || value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    while (len > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }
    if (len == 0 || len >= sizeof text)
        return -1;
    memcpy(text, value, len);
    text[len] = '\0';
    if (strspn(text, "0123456789") == len) {
        for (size_t i = 0; i < len && seconds < INT32_MAX; i++)
            seconds = seconds * 10 + (text[i] - '0');
        return (seconds < INT32_MAX ? seconds : INT32_MAX) * 1000;
    }
    if (!isalpha((unsigned char)text[0])) /* libcurl reads much more as a date than HTTP has */
        return -1;
    date = curl_getdate(text, NULL);
    if (date < 0)
        return -1;
    seconds = (int64_t)date - lf_time_now_ms() / 1000;
    return seconds > 0 ? (seconds < INT32_MAX ? seconds : INT32_MAX) * 1000 : 0;
}

/* A line of a head. A head that does not end is no answer. */
static size_t
take_head(char *line, size_t size, size_t count, void *context)
{
    static const char RETRY_AFTER[] = "retry-after:";
    struct post *post = context;
    size_t len = size * count, name = sizeof RETRY_AFTER - 1;

    post->head_len += len;
    if (post->head_len > LF_POST_ANSWER_MAX)
        return 0;
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* what came before was none of the answer */
        post->head_ended = false;
        post->retry_after_ms = -1;
    } else if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
        post->head_ended = true; /* what comes now is behind the body */
    else if (!post->head_ended && len > name && strncasecmp(line, RETRY_AFTER, name) == 0)
        post->retry_after_ms = read_retry_after(line + name, len - name);
    return len;
}

static bool
has_enough(const struct post *post)
{
    return post->body_len > LF_POST_ANSWER_MAX;
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct post *post = context;

    (void)bytes;
    post->body_len += size * count;
    return has_enough(post) ? 0 : size * count;
}

/* ---- how a post ended ---- */

static const char *
certificate_words(CURL *easy)
{
    long result = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
    switch (result) {
    case CERTIFICATE_FINE:
    case CERTIFICATE_UNKNOWN:
        return "the target's certificate is for another name";
    case CERTIFICATE_NOT_YET:
    case CERTIFICATE_EXPIRED:
        return "the target's certificate has expired, or is not valid yet";
    case CERTIFICATE_NO_ISSUER:
    case CERTIFICATE_SELF_SIGNED:
    case CERTIFICATE_SELF_SIGNED_CHAIN:
    case CERTIFICATE_NO_LOCAL_ISSUER:
    case CERTIFICATE_NO_CHAIN:
        return "the target's certificate is of nobody who is trusted here; the setting ca_file names those who are";
    default:
        return "the target's certificate is not valid";
    }
}

static const char *
connect_words(const struct post *post)
{
    long os_errno = 0;

    if (post->refused && !post->opened)
        return "the target's address is not public; the setting allow_private_targets permits such";
    (void)curl_easy_getinfo(post->easy, CURLINFO_OS_ERRNO, &os_errno);
    return os_errno == ECONNREFUSED ? "the target refused the connection" : "the target cannot be reached";
}

static const char *
timeout_words(CURL *easy)
{
    curl_off_t begun_us = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &begun_us);
    return begun_us > 0 ? "no whole answer came in time" : "no connection came about in time";
}

/* A failure in our words. NULL: there are none for it. */
static const char *
words(const struct post *post, CURLcode code)
{
    switch ((int)code) { /* there are a hundred */
    case CURLE_COULDNT_RESOLVE_HOST:
        return "the target's name cannot be resolved";
    case CURLE_COULDNT_CONNECT:
        return connect_words(post);
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_words(post->easy);
    case CURLE_UNSUPPORTED_PROTOCOL:
        return post->plain_http && !post->poster->options.allow_private
                   ? "events are sent by https alone; the setting allow_private_targets permits plain http"
                   : "the target does not speak HTTP";
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return "the target does not speak HTTP";
    case CURLE_WRITE_ERROR: /* take_head's */
        return "the head of the answer has no end";
    case CURLE_GOT_NOTHING:
        return "the target closed the connection without an answer";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return "the connection broke off before the answer was whole";
    case CURLE_PEER_FAILED_VERIFICATION:
        return certificate_words(post->easy);
    case CURLE_SSL_CACERT_BADFILE:
        return "the certificates of those who are trusted cannot be read (the setting ca_file)";
    case CURLE_SSL_CONNECT_ERROR:
        return "no secure connection (TLS) came about";
    case CURLE_OUT_OF_MEMORY:
        return "out of memory";
    default:
        return NULL;
    }
}

static void
fill_posted(const struct post *post, CURLcode code, struct lf_posted *ret_posted)
{
    long http_status = 0;
    const char *error = NULL;

    *ret_posted = (struct lf_posted){.retry_after_ms = -1};
    (void)curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &http_status);
    if (code == CURLE_OK && !post->head_ended)
        code = CURLE_RECV_ERROR;
    if (code == CURLE_WRITE_ERROR && has_enough(post))
        code = CURLE_OK;
    if (code == CURLE_OK && (http_status < STATUS_MIN || http_status > STATUS_MAX))
        code = CURLE_WEIRD_SERVER_REPLY;
    if (code == CURLE_OK) {
        ret_posted->http_status = (int)http_status;
        ret_posted->retry_after_ms = post->retry_after_ms;
        return;
    }
    error = words(post, code);
    if (error != NULL)
        (void)snprintf(ret_posted->error, sizeof ret_posted->error, "%s", error);
    else /* a fixed text of libcurl's, which knows no URL */
        (void)snprintf(ret_posted->error, sizeof ret_posted->error, "the post failed (libcurl: %s)",
                       curl_easy_strerror(code));
}

/* ---- posts ---- */

/* Takes it off the list and frees it. */
static void
end_post(struct post *post)
{
    struct lf_poster *poster = post->poster;

    (void)curl_multi_remove_handle(poster->multi, post->easy);
    if (post->previous != NULL)
        post->previous->next = post->next;
    else
        poster->first = post->next;
    if (post->next != NULL)
        post->next->previous = post->previous;
    poster->active--;
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(post->headers);
    free(post);
}

static bool
add_headers(struct post *post, const char *const *headers, size_t count)
{
    static const char EXPECT[] = "Expect:"; /* without a value: it is not sent */

    for (size_t i = 0; i <= count; i++) {
        struct curl_slist *longer = curl_slist_append(post->headers, i < count ? headers[i] : EXPECT);

        if (longer == NULL)
            return false;
        post->headers = longer;
    }
    return true;
}

#define SET(option, value)                                    \
    do {                                                      \
        if (code == CURLE_OK)                                 \
            code = curl_easy_setopt(easy, (option), (value)); \
    } while (0)

/* Who is spoken to, and how carefully. */
static CURLcode
set_target(struct post *post, const char *url)
{
    const struct lf_poster *poster = post->poster;
    CURL *easy = post->easy;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, poster->options.allow_private ? "http,https" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, post);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* or newer */
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (poster->ca_file != NULL)
        SET(CURLOPT_CAINFO, poster->ca_file);
    if (poster->ca_file != NULL || poster->one_bundle)
        SET(CURLOPT_CAPATH, NULL); /* without it libcurl reads all certificates once, not for each connection: 25 ms */
    return code;
}

/* Time, memory, and where things go. */
static CURLcode
set_limits(struct post *post)
{
    const struct lf_poster_options *options = &post->poster->options;
    CURL *easy = post->easy;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        (long)(options->timeout_ms < CONNECT_TIMEOUT_MS ? options->timeout_ms : CONNECT_TIMEOUT_MS));
    SET(CURLOPT_QUICK_EXIT, 1L); /* or giving up would wait for a name server that does not answer */
    SET(CURLOPT_BUFFERSIZE, (long)BUFFER);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
    SET(CURLOPT_HEADERFUNCTION, take_head);
    SET(CURLOPT_HEADERDATA, post);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, post);
    SET(CURLOPT_PRIVATE, post);
    return code;
}

static CURLcode
set_body(struct post *post, const void *body, size_t body_len)
{
    CURL *easy = post->easy;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_len);
    SET(CURLOPT_POSTFIELDS, (const char *)body); /* is not copied */
    SET(CURLOPT_HTTPHEADER, post->headers);
    return code;
}

enum lf_status
lf_poster_start(struct lf_poster *poster, const char *url, const char *const *headers, size_t header_count,
                const void *body, size_t body_len, void (*done)(void *data, const struct lf_posted *posted), void *data,
                struct lf_error *error)
{
    struct post *post = calloc(1, sizeof *post);
    CURLcode code = CURLE_OUT_OF_MEMORY;

    if (post == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "no memory to send an event");
    post->poster = poster;
    post->done = done;
    post->data = data;
    post->plain_http = strncasecmp(url, "http:", 5) == 0;
    post->retry_after_ms = -1;
    post->easy = curl_easy_init();
    if (post->easy != NULL && add_headers(post, headers, header_count))
        code = set_target(post, url);
    if (code == CURLE_OK)
        code = set_limits(post);
    if (code == CURLE_OK)
        code = set_body(post, body, body_len);
    if (code == CURLE_OK && curl_multi_add_handle(poster->multi, post->easy) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    if (code != CURLE_OK) {
        curl_easy_cleanup(post->easy);
        curl_slist_free_all(post->headers);
        free(post);
        return code == CURLE_OUT_OF_MEMORY
                   ? lf_fail(error, LF_OUT_OF_MEMORY, "no memory to send an event")
                   : lf_fail(error, LF_INTERNAL, "cannot send an event (libcurl: %s)", curl_easy_strerror(code));
    }
    post->next = poster->first;
    if (poster->first != NULL)
        poster->first->previous = post;
    poster->first = post;
    poster->active++;
    return LF_OK;
}

/* ---- going on ---- */

/* Tells what has ended; whether anything has. */
static bool
tell_ended(struct lf_poster *poster)
{
    const struct CURLMsg *message = NULL;
    int left = 0;
    bool any = false;

    while ((message = curl_multi_info_read(poster->multi, &left)) != NULL) {
        char *context = NULL;
        struct post *post = NULL;
        struct lf_posted posted;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
        post = (struct post *)(void *)context;
        fill_posted(post, message->data.result, &posted);
        void (*done)(void *data, const struct lf_posted *posted) = post->done;
        void *data = post->data;
        end_post(post);
        done(data, &posted); /* which may start the next one */
        any = true;
    }
    return any;
}

void
lf_poster_run(struct lf_poster *poster, int64_t wait_ms)
{
    struct timespec idle = {.tv_nsec = IDLE_MS * 1000000L};
    int running = 0;
    int wait = wait_ms < 0 ? 0 : wait_ms < WAIT_MS_MAX ? (int)wait_ms : WAIT_MS_MAX;

    (void)curl_multi_perform(poster->multi, &running); /* what fails shows in the post that it was about */
    if (tell_ended(poster))
        return;
    if (curl_multi_poll(poster->multi, NULL, 0, wait, NULL) != CURLM_OK)
        (void)nanosleep(&idle, NULL); /* no memory to wait with: better than to spin */
    (void)curl_multi_perform(poster->multi, &running);
    (void)tell_ended(poster);
}

void
lf_poster_wake(struct lf_poster *poster)
{
    (void)curl_multi_wakeup(poster->multi); /* a wake that is lost is one that comes with the next look */
}

size_t
lf_poster_active(const struct lf_poster *poster)
{
    return poster->active;
}

/* ---- life ---- */

static CURLcode global_code = CURLE_FAILED_INIT; /* how it went, once */

static void
init_global(void)
{
    global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum lf_status
lf_poster_create(const struct lf_poster_options *options, struct lf_poster **ret_poster, struct lf_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *ca_file = options->ca_file != NULL ? options->ca_file : "";
    const curl_version_info_data *version = NULL;
    struct lf_poster *poster = NULL;

    if (ca_file[0] != '\0' && access(ca_file, R_OK) != 0)
        return lf_fail(error, LF_CONFIG, "ca_file: %s cannot be read: %s", ca_file, strerror(errno));
    if (pthread_once(&once, init_global) != 0 || global_code != CURLE_OK)
        return lf_fail(error, LF_INTERNAL, "libcurl cannot be set up: %s", curl_easy_strerror(global_code));
    version = curl_version_info(CURLVERSION_NOW);
    poster = calloc(1, sizeof *poster);
    if (poster == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "no memory to send events");
    poster->options = *options;
    poster->one_bundle = version->cainfo != NULL;
    poster->multi = curl_multi_init();
    poster->ca_file = ca_file[0] != '\0' ? strdup(ca_file) : NULL;
    if (poster->multi == NULL || (ca_file[0] != '\0' && poster->ca_file == NULL) ||
        curl_multi_setopt(poster->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX) != CURLM_OK) {
        lf_poster_destroy(poster);
        return lf_fail(error, LF_OUT_OF_MEMORY, "no memory to send events");
    }
    *ret_poster = poster;
    return LF_OK;
}

void
lf_poster_destroy(struct lf_poster *poster)
{
    if (poster == NULL)
        return;
    while (poster->first != NULL)
        end_post(poster->first);
    (void)curl_multi_cleanup(poster->multi);
    free(poster->ca_file);
    free(poster);
}
