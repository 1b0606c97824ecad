/*
 * post_url.c - which URLs may be posted to.
 *
 * Stricter than whoever reads the URL afterwards: what two readers could take apart in two ways (user info, back
 * slashes, escaped or foreign letters in a host, white space) is refused, so that the host that is looked at here is
 * the one that is connected to. That the address behind a name is a public one is seen when it is connected to
 * (post.c).
 */
#include "app/post.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 2000, HOST_MAX = 253 };

static const char DIGITS[] = "0123456789";
static const char HEX[] = "0123456789abcdefABCDEF";
static const char NAME[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";

static bool
refuse(char ret_why[LF_POST_ERROR_MAX], const char *why)
{
    (void)snprintf(ret_why, LF_POST_ERROR_MAX, "%s", why);
    return false;
}

/* Characters, before anything is taken apart. */
static bool
check_characters(const char *url, char ret_why[LF_POST_ERROR_MAX])
{
    size_t len = strnlen(url, URL_MAX + 1);

    if (len > URL_MAX)
        return refuse(ret_why, "a URL has at most 2,000 characters");
    for (const char *at = url; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`{|}", *at) != NULL)
            return refuse(ret_why, "a URL holds no spaces, control characters, letters beyond ASCII or any of "
                                   "\"<>\\^`{|}: write them as %XX, and an international name as xn--…");
        if (*at == '%' && (strspn(at + 1, HEX) == 0 || strspn(at + 2, HEX) == 0))
            return refuse(ret_why, "a % in a URL is followed by two hexadecimal digits");
        if (*at == '#')
            return refuse(ret_why, "a URL that events are sent to has no fragment (#…)");
    }
    return true;
}

/* What stands behind the host: nothing, or a colon and 1 to 65535. */
static bool
is_port(const char *text, size_t len)
{
    unsigned port = 0;

    if (len == 0)
        return true;
    if (text[0] != ':' || len < 2 || len > 6 || strspn(text + 1, DIGITS) < len - 1)
        return false;
    for (size_t i = 1; i < len; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    return port >= 1 && port <= 65535;
}

/* host: in brackets. */
static bool
is_ipv6(const char *host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t len = strlen(host) - 2;

    if (len >= sizeof text)
        return false;
    memcpy(text, host + 1, len);
    text[len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* Takes the host off an authority, IPv6 addresses with their brackets. false: it is none. */
static bool
take_host(const char *authority, size_t len, char ret_host[HOST_MAX + 1], size_t *ret_len)
{
    size_t host = 0;

    if (authority[0] == '[') {
        host = 1 + strspn(authority + 1, "0123456789abcdefABCDEF:.");
        if (host >= len || authority[host] != ']' || host == 1)
            return false;
        host++;
    } else {
        host = strspn(authority, NAME);
        if (host == 0 || authority[0] == '.' || authority[0] == '-')
            return false;
    }
    if (host > len || host > HOST_MAX)
        return false;
    memcpy(ret_host, authority, host);
    ret_host[host] = '\0';
    *ret_len = host;
    return strstr(ret_host, "..") == NULL && (ret_host[0] != '[' || is_ipv6(ret_host));
}

bool
lf_post_url_check(const char *url, bool allow_private, char ret_why[LF_POST_ERROR_MAX], bool *ret_private)
{
    bool secure = strncasecmp(url, "https://", 8) == 0;
    const char *authority = NULL;
    char host[HOST_MAX + 1];
    size_t len = 0, host_len = 0;

    *ret_private = false;
    if (!check_characters(url, ret_why))
        return false;
    if (!secure && strncasecmp(url, "http://", 7) != 0)
        return refuse(ret_why, "a URL begins with https://");
    authority = url + (secure ? 8 : 7);
    len = strcspn(authority, "/?");
    if (memchr(authority, '@', len) != NULL)
        return refuse(ret_why,
                      "a URL that events are sent to holds no user or password: the signature tells who sends");
    if (!take_host(authority, len, host, &host_len))
        return refuse(ret_why,
                      "there is no host that can be read: a name such as crm.example.com belongs behind https://");
    if (!is_port(authority + host_len, len - host_len))
        return refuse(ret_why, "the port of a URL is a number from 1 to 65535");
    if (allow_private)
        return true;
    if (lf_host_is_private(host)) {
        *ret_private = true;
        return refuse(
            ret_why,
            "the URL leads to this machine or its own network; the setting allow_private_targets permits that");
    }
    if (!secure)
        return refuse(ret_why, "events are sent by https alone; the setting allow_private_targets permits plain http");
    return true;
}
