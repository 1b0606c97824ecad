/* test_post_url.c - which URLs may be posted to; what passes is read by libcurl as it was read here. */
#include "app/post.h"

#include "base/address.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum verdict {
    FINE,
    PRIVATE,  /* only where private targets are allowed; told as private */
    INSECURE, /* only where private targets are allowed */
    NEVER,
};

static const struct {
    const char *url;
    enum verdict verdict;
    const char *why; /* a piece of it */
} URLS[] = {
    {"https://crm.example.com/hooks/leadfit", FINE, ""},
    {"https://crm.example.com", FINE, ""},
    {"https://crm.example.com?token=a%20b&c=d", FINE, ""},
    {"HTTPS://CRM.example.com./a/../b;c=d,e:f@g!$&'()*+=~_-", FINE, ""},
    {"https://crm.example.com:8443/x", FINE, ""},
    {"https://crm.example.com:1/", FINE, ""},
    {"https://crm.example.com:65535", FINE, ""},
    {"https://8.8.8.8/x", FINE, ""},
    {"https://[2606:4700:4700::1111]:8443/x", FINE, ""},
    {"https://xn--mnchen-3ya.example/", FINE, ""},
    {"https://a_b.example-c.com/", FINE, ""},
    {"http://crm.example.com/", INSECURE, "https alone"},
    {"HTTP://8.8.8.8/", INSECURE, "https alone"},
    {"https://localhost/", PRIVATE, "allow_private_targets"},
    {"https://LOCALHOST.:8443/", PRIVATE, "allow_private_targets"},
    {"http://localhost/", PRIVATE, "allow_private_targets"},
    {"https://127.0.0.1/", PRIVATE, "allow_private_targets"},
    {"https://127.1/", PRIVATE, "allow_private_targets"},
    {"https://0x7f000001/", PRIVATE, "allow_private_targets"},
    {"https://2130706433/", PRIVATE, "allow_private_targets"},
    {"https://0177.0.0.1/", PRIVATE, "allow_private_targets"},
    {"https://169.254.169.254/latest/meta-data/", PRIVATE, "allow_private_targets"},
    {"https://[::1]/", PRIVATE, "allow_private_targets"},
    {"https://[::ffff:10.0.0.1]/", PRIVATE, "allow_private_targets"},
    {"https://[fe80::1]/", PRIVATE, "allow_private_targets"},
    {"https://metadata.google.internal/", PRIVATE, "allow_private_targets"},
    {"", NEVER, "https://"},
    {"h", NEVER, "https://"},
    {"https:", NEVER, "https://"},
    {"https:/crm.example.com", NEVER, "https://"},
    {"https://", NEVER, "no host"},
    {"https:///x", NEVER, "no host"},
    {"https://?x", NEVER, "no host"},
    {"https://:443/", NEVER, "no host"},
    {"crm.example.com/x", NEVER, "https://"},
    {"//crm.example.com/x", NEVER, "https://"},
    {"ftp://crm.example.com/", NEVER, "https://"},
    {"file:///etc/passwd", NEVER, "https://"},
    {"gopher://crm.example.com/", NEVER, "https://"},
    {"javascript:alert(1)", NEVER, "https://"},
    {"https://user@crm.example.com/", NEVER, "user"},
    {"https://user:word@crm.example.com/", NEVER, "user"},
    {"https://@crm.example.com/", NEVER, "user"},
    {"https://crm.example.com@127.0.0.1/", NEVER, "user"},
    {"https://crm.example.com/#here", NEVER, "fragment"},
    {"https://crm.example.com#@127.0.0.1/", NEVER, "fragment"},
    {"https://crm.example.com\\@127.0.0.1/", NEVER, "%XX"},
    {"https://crm.example.com/a b", NEVER, "%XX"},
    {" https://crm.example.com/", NEVER, "%XX"},
    {"https://crm.example.com/\t", NEVER, "%XX"},
    {"https://crm.example.com/\r\nHost: 127.0.0.1", NEVER, "%XX"},
    {"https://crm.example.com/\x01", NEVER, "%XX"},
    {"https://crm.example.com/\x7f", NEVER, "%XX"},
    {"https://m\xc3\xbcnchen.example/", NEVER, "xn--"},
    {"https://crm.example.com/\xc3\xbc", NEVER, "%XX"},
    {"https://\xef\xbd\x8c\xef\xbd\x8f\x63\x61lhost/", NEVER, "xn--"}, /* full-width letters */
    {"https://crm.example.com/{id}", NEVER, "%XX"},
    {"https://crm.example.com/|", NEVER, "%XX"},
    {"https://crm.example.com/%", NEVER, "hexadecimal"},
    {"https://crm.example.com/%4", NEVER, "hexadecimal"},
    {"https://crm.example.com/%4g", NEVER, "hexadecimal"},
    {"https://%6c%6f%63%61%6c%68%6f%73%74/", NEVER, "no host"},
    {"https://127.0.0.%31/", NEVER, "port"},
    {"https://crm.example.com:/", NEVER, "port"},
    {"https://crm.example.com:0/", NEVER, "port"},
    {"https://crm.example.com:00000/", NEVER, "port"},
    {"https://crm.example.com:65536/", NEVER, "port"},
    {"https://crm.example.com:000443/", NEVER, "port"},
    {"https://crm.example.com:443x/", NEVER, "port"},
    {"https://crm.example.com:+443/", NEVER, "port"},
    {"https://crm.example.com:443:443/", NEVER, "port"},
    {"https://crm.example.com!/", NEVER, "port"},
    {"https://crm..example.com/", NEVER, "no host"},
    {"https://.example.com/", NEVER, "no host"},
    {"https://-a.example.com/", NEVER, "no host"},
    {"https://./", NEVER, "no host"},
    {"https://[::1/", NEVER, "no host"},
    {"https://[]/", NEVER, "no host"},
    {"https://[1:2]/", NEVER, "no host"},
    {"https://[:::]/", NEVER, "no host"},
    {"https://[fe80::1%25eth0]/", NEVER, "no host"},
    {"https://[::1]x/", NEVER, "port"},
    {"https://[127.0.0.1]/", NEVER, "no host"},
    {"https://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/", NEVER, "no host"},
};

static void
expect(const char *url, bool allow_private, enum verdict verdict, const char *part)
{
    char why[LF_POST_ERROR_MAX];
    bool told_private = true, expected = verdict == FINE || (allow_private && verdict != NEVER);

    memset(why, '?', sizeof why);
    if (lf_post_url_check(url, allow_private, why, &told_private) != expected)
        fail_msg("%s: expected %s", url, expected ? "that it passes" : "that it is refused");
    assert_int_equal(told_private, verdict == PRIVATE && !allow_private);
    if (expected)
        return;
    assert_non_null(memchr(why, '\0', sizeof why));
    if (strstr(why, part) == NULL)
        fail_msg("%s: %s", url, why);
    assert_true(strlen(why) < sizeof why - 1); /* none is cut */
}

static void
test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        expect(URLS[i].url, false, URLS[i].verdict, URLS[i].why);
        expect(URLS[i].url, true, URLS[i].verdict, URLS[i].why);
    }
}

static void
test_lengths(void **state)
{
    char url[2100];

    (void)state;
    memset(url, 'a', sizeof url);
    memcpy(url, "https://crm.example.com/", 24);
    url[2000] = '\0';
    expect(url, false, FINE, "");
    url[2000] = 'a';
    url[2001] = '\0';
    expect(url, false, NEVER, "2,000");
    memset(url, 'a', sizeof url);
    memcpy(url, "https://", 8);
    url[1000] = '\0';
    url[8 + 253] = '/';
    expect(url, false, FINE, "");
    url[8 + 253] = 'a';
    url[8 + 254] = '/';
    expect(url, false, NEVER, "no host");
}

/* libcurl reads the same host, port and scheme out of what passes: here in random URLs of pieces that tempt readers. */
static void
test_read_by_curl(void **state)
{
    static const char *const PIECES[] = {
        "https://", "http://", "crm.example", "127.0.0.1", "[::1]", ":",    "443", "@",         "/", "?", "#",  "\\",
        "%2f",      "%40",     ".",           "localhost", "x=1",   "0x7f", "1",   "[2606::1]", "&", ";", "//", "user"};
    uint64_t seed = 8;
    size_t passed = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char url[400], why[LF_POST_ERROR_MAX], *host = NULL, *port = NULL, *user = NULL, *fragment = NULL;
        size_t len = 0, count = 0;
        bool is_private = false;
        CURLU *handle = NULL;

        (void)snprintf(url, sizeof url, "%s", i % 4 == 0 ? "" : i % 4 == 1 ? "http://" : "https://");
        seed = seed * 6364136223846793005 + 1442695040888963407;
        for (count = seed >> 60, len = strlen(url); count > 0; count--) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            len += (size_t)snprintf(url + len, sizeof url - len, "%s",
                                    PIECES[(seed >> 33) % (sizeof PIECES / sizeof PIECES[0])]);
        }
        if (!lf_post_url_check(url, false, why, &is_private))
            continue;
        passed++;
        handle = curl_url();
        assert_non_null(handle);
        if (curl_url_set(handle, CURLUPART_URL, url, 0) != CURLUE_OK)
            fail_msg("%s: libcurl does not take it", url);
        assert_int_equal(curl_url_get(handle, CURLUPART_HOST, &host, 0), CURLUE_OK);
        assert_int_equal(curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT), CURLUE_OK);
        assert_int_equal(curl_url_get(handle, CURLUPART_USER, &user, 0), CURLUE_NO_USER);
        assert_int_equal(curl_url_get(handle, CURLUPART_FRAGMENT, &fragment, 0), CURLUE_NO_FRAGMENT);
        if (lf_host_is_private(host))
            fail_msg("%s: libcurl reads %s", url, host);
        assert_true(strtol(port, NULL, 10) > 0);
        curl_free(host);
        curl_free(port);
        curl_url_cleanup(handle);
    }
    assert_true(passed > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_read_by_curl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
