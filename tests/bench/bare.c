/*
 * bare.c - the floor: libmicrohttpd (epoll, one internal thread) reads a POST, drops it, answers a constant.
 *
 *     bare PORT
 *
 * Nothing is parsed, checked, scored or recorded; it sets no limits and serves nothing but the comparison.
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char ANSWER[] = "{\"ok\":true}\n";

static enum MHD_Result
handle(void *response, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
       const char *body, size_t *body_len, void **request)
{
    static char head_seen;

    (void)url, (void)method, (void)version, (void)body;
    if (*request == NULL) {
        *request = &head_seen;
        return MHD_YES;
    }
    if (*body_len != 0) {
        *body_len = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

int
main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer[sizeof ANSWER];
    struct MHD_Response *response = NULL;

    if (argc != 2) {
        (void)fputs("usage: bare PORT\n", stderr);
        return 2;
    }
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    for (size_t i = 0; i < sizeof ANSWER; i++)
        answer[i] = ANSWER[i];
    response = MHD_create_response_from_buffer(sizeof ANSWER - 1, answer, MHD_RESPMEM_MUST_COPY);
    if (response == NULL || MHD_add_response_header(response, "Content-Type", "application/json") != MHD_YES)
        return 1;
    if (MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, response, MHD_OPTION_SOCK_ADDR, &address,
                         MHD_OPTION_CONNECTION_LIMIT, 1024u, MHD_OPTION_END) == NULL) {
        (void)fputs("bare: the port cannot be had\n", stderr);
        return 1;
    }
    for (;;)
        (void)pause();
}
