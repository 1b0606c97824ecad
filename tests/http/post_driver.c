/*
 * post_driver.c - posts what it is told to, for test_post.py: lib/app/post.c and nothing else.
 *
 *   post_driver [timeout_ms=N] [allow_private=1] [ca_file=PATH] [at_once=N] [cut_after=N] [wakes=1] [public=ADDRESS]
 *               [name=HOST=ADDRESS,ADDRESS…/ADDRESS…]…
 *
 * Each line of standard input is "URL BODY"; line N is answered by "N STATUS RETRY_AFTER_MS ERROR" as soon as its post
 * has ended. public: that address counts as public. name: what a host is resolved to, the first time and (behind a
 * slash) from then on; an address `slow` takes ten seconds, and none is there then. wakes: another thread wakes the
 * poster all the time. cut_after: destroys the poster once so many have ended, whatever is under way. A post that is
 * answered in any other way than once ends the program with a failure.
 */
#include "app/post.h"
#include "base/address.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_MAX = 8, LINES_MAX = 20000, LINE_SIZE = 8192 };

static in_addr_t public_address;
static struct {
    char text[256]; /* "HOST=…" as it was given */
    _Atomic int lookups;
} names[NAMES_MAX];
static size_t name_count;

struct line {
    size_t number;
    char *text; /* the URL, a NUL, the body */
    int answers;
};

static struct line lines[LINES_MAX];
static struct lf_poster *poster;
static size_t ended;
static atomic_bool ending;

/* ---- what the world looks like ---- */

bool __real_lf_address_is_public(const struct sockaddr *address, socklen_t len);
bool __wrap_lf_address_is_public(const struct sockaddr *address, socklen_t len);

bool
__wrap_lf_address_is_public(const struct sockaddr *address, socklen_t len)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

    if (address->sa_family == AF_INET && public_address != 0 && in->sin_addr.s_addr == public_address)
        return true;
    return __real_lf_address_is_public(address, len);
}

typedef int (*resolver)(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result);

static resolver
real_resolver(void)
{
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    resolver found = NULL;

    memcpy(&found, &symbol, sizeof found);
    return found;
}

/* The addresses of "A,B/C", one after the other, each resolved in turn. */
static int
resolve_listed(char *list, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    struct addrinfo **end = result;
    char *rest = NULL;

    *result = NULL;
    for (char *one = strtok_r(list, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        if (strcmp(one, "slow") == 0) {
            (void)sleep(10);
            return EAI_AGAIN;
        }
        if (real_resolver()(one, service, hints, end) != 0)
            return EAI_NONAME;
        while (*end != NULL)
            end = &(*end)->ai_next;
    }
    return *result == NULL ? EAI_NONAME : 0;
}

/* In front of the C library's, for libcurl too. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    for (size_t i = 0; node != NULL && i < name_count; i++) {
        size_t len = strcspn(names[i].text, "=");
        char list[256], *later = NULL;

        if (strlen(node) != len || strncasecmp(names[i].text, node, len) != 0)
            continue;
        (void)snprintf(list, sizeof list, "%s", names[i].text + len + 1);
        later = strchr(list, '/');
        if (later != NULL)
            *later++ = '\0';
        return resolve_listed(atomic_fetch_add(&names[i].lookups, 1) > 0 && later != NULL ? later : list, service,
                              hints, result);
    }
    return real_resolver()(node, service, hints, result);
}

/* ---- posting ---- */

static void
done(void *data, const struct lf_posted *posted)
{
    struct line *line = data;

    line->answers++;
    ended++;
    (void)printf("%zu %d %lld %s\n", line->number, posted->http_status, (long long)posted->retry_after_ms,
                 posted->error);
    (void)fflush(stdout);
}

static bool
start(struct line *line)
{
    static const char *const HEADERS[] = {"Content-Type: application/json", "User-Agent: leadfit/test",
                                          "webhook-id: msg_1"};
    struct lf_error error;
    const char *body = line->text + strlen(line->text) + 1;
    char *url = strdup(line->text);
    enum lf_status status = LF_OK;

    if (url == NULL)
        return false;
    status = lf_poster_start(poster, url, HEADERS, 3, body, strlen(body), done, line, &error);
    memset(url, '#', strlen(url)); /* it was copied */
    free(url);
    if (status != LF_OK)
        (void)fprintf(stderr, "%s\n", error.detail);
    return status == LF_OK;
}

static size_t
read_lines(void)
{
    static char text[LINE_SIZE];
    size_t count = 0;

    while (count < LINES_MAX && fgets(text, sizeof text, stdin) != NULL) {
        char *space = strchr(text, ' ');

        text[strcspn(text, "\n")] = '\0';
        if (space == NULL)
            return 0;
        lines[count].text = strdup(text);
        if (lines[count].text == NULL)
            return 0;
        lines[count].text[space - text] = '\0';
        lines[count].number = count + 1;
        count++;
    }
    return count;
}

static void *
wake_main(void *argument)
{
    (void)argument;
    while (!atomic_load(&ending)) {
        lf_poster_wake(poster);
        (void)usleep(500);
    }
    return NULL;
}

static int
post_all(size_t count, size_t at_once, size_t cut_after)
{
    size_t next = 0;

    while (ended < cut_after && (next < count || lf_poster_active(poster) > 0)) {
        while (next < count && lf_poster_active(poster) < at_once) {
            if (!start(&lines[next++]))
                return 1;
        }
        lf_poster_run(poster, 1000);
    }
    if (ended < cut_after)
        lf_poster_run(poster, 0);
    for (size_t i = 0; i < count; i++) {
        if (lines[i].answers > 1 || (lines[i].answers == 0 && ended < cut_after))
            return 2;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct lf_poster_options options = {.timeout_ms = 20000};
    struct lf_error error;
    size_t at_once = LINES_MAX, cut_after = SIZE_MAX, count = 0;
    bool wakes = false;
    pthread_t waker;
    int code = 0;

    (void)signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');

        if (value == NULL)
            return 64;
        value++;
        if (strncmp(argv[i], "timeout_ms=", 11) == 0)
            options.timeout_ms = atoll(value);
        else if (strncmp(argv[i], "allow_private=", 14) == 0)
            options.allow_private = *value == '1';
        else if (strncmp(argv[i], "ca_file=", 8) == 0)
            options.ca_file = value;
        else if (strncmp(argv[i], "at_once=", 8) == 0)
            at_once = (size_t)atoll(value);
        else if (strncmp(argv[i], "cut_after=", 10) == 0)
            cut_after = (size_t)atoll(value);
        else if (strncmp(argv[i], "wakes=", 6) == 0)
            wakes = *value == '1';
        else if (strncmp(argv[i], "public=", 7) == 0)
            public_address = inet_addr(value);
        else if (strncmp(argv[i], "name=", 5) == 0 && name_count < NAMES_MAX)
            (void)snprintf(names[name_count++].text, sizeof names[0].text, "%s", value);
        else
            return 64;
    }
    if (lf_poster_create(&options, &poster, &error) != LF_OK) {
        (void)fprintf(stderr, "%s\n", error.detail);
        return 3;
    }
    count = read_lines();
    if (wakes && pthread_create(&waker, NULL, wake_main, NULL) != 0)
        return 3;
    code = post_all(count, at_once, cut_after);
    if (wakes) {
        atomic_store(&ending, true);
        (void)pthread_join(waker, NULL);
    }
    lf_poster_destroy(poster);
    for (size_t i = 0; i < count; i++)
        free(lines[i].text);
    return code;
}
