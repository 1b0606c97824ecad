/* test_base64.c - base 64: the vectors of RFC 4648, and that a row of bytes has one text alone. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *bytes, *text;
} VECTORS[] = {
    /* RFC 4648, section 10 */
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    /* section 9 */
    {"\x14\xfb\x9c\x03\xd9\x7e", "FPucA9l+"},
    {"\x14\xfb\x9c\x03\xd9", "FPucA9k="},
    {"\x14\xfb\x9c\x03", "FPucAw=="},
    /* RFC 7617, section 2 */
    {"Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
};

static void
test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        size_t len = strlen(VECTORS[i].bytes), text_len = strlen(VECTORS[i].text), got = 99;
        char text[64];
        uint8_t bytes[64];

        assert_int_equal(lf_base64_encode(VECTORS[i].bytes, len, text), text_len);
        assert_string_equal(text, VECTORS[i].text);
        assert_int_equal(LF_BASE64_TEXT_MAX(len), text_len + 1);
        assert_true(lf_base64_decode(VECTORS[i].text, text_len, bytes, len, &got));
        assert_int_equal(got, len);
        assert_memory_equal(bytes, VECTORS[i].bytes, len);
    }
}

static void
test_what_is_none(void **state)
{
    static const char *const TEXTS[] = {
        "Z",     "Zg",       "Zg=",      "Zm8",     "Zm9vYg",   "=",           "==",       "===",
        "====",  "Z===",     "=Zg=",     "Z=g=",    "Zg=Z",     "Zg==Zg==",    "Zg===",    "Zm8==",
        "Zm9v=", "Zm9v====", " Zg==",    "Zg== ",   "Zg==\n",   "Z\ng==",      "Zm9v\r\n", "Zm 9v",
        "Zm9-",  "Zm9_",     "FPucA9l-", "Zm9\xC3", "Zm9.",     "Zm9,",        "Zm9@",     "Zm9[",
        "Zm9`",  "Zm9{",     "Zm9:",     "Zh==",    "Zi==",     "Zo==",        "Zw==Z",    "Zm9=",
        "Zm+=",  "Zm8=Zg==", "/w==/w==", "Zm9v%3D", "Zg%3D%3D", "Zg=\x3D\x01",
    };
    uint8_t bytes[64];
    size_t len = 99;

    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        if (lf_base64_decode(TEXTS[i], strlen(TEXTS[i]), bytes, sizeof bytes, &len))
            fail_msg("%s was read", TEXTS[i]);
    assert_false(lf_base64_decode("Zg\0=", 4, bytes, sizeof bytes, &len));
    assert_int_equal(len, 99); /* written on success only */
}

static void
test_no_more_than_there_is_room_for(void **state)
{
    uint8_t bytes[4] = {0, 0, 0, 0xEE};
    size_t len = 99;

    (void)state;
    assert_false(lf_base64_decode("Zm9v", 4, bytes, 2, &len));
    assert_false(lf_base64_decode("Zm8=", 4, bytes, 1, &len));
    assert_false(lf_base64_decode("Zg==", 4, bytes, 0, &len));
    assert_int_equal(len, 99);
    assert_int_equal(bytes[0], 0);
    assert_true(lf_base64_decode("", 0, bytes, 0, &len));
    assert_int_equal(len, 0);
    assert_true(lf_base64_decode("Zm9v", 4, bytes, 3, &len));
    assert_int_equal(len, 3);
    assert_int_equal(bytes[3], 0xEE);
}

/* All texts of four characters that come near to base 64: each that is read is what its bytes are written as, and there
 * are as many as there are rows of one, two and three bytes. So none is read that should not be, and none is missing.
 */
static void
test_each_row_of_bytes_has_one_text(void **state)
{
    static const char NEAR[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-";
    const size_t count = sizeof NEAR - 1;
    size_t read_count = 0;

    (void)state;
    for (size_t n = 0; n < count * count * count * count; n++) {
        char text[4] = {NEAR[n % count], NEAR[n / count % count], NEAR[n / count / count % count],
                        NEAR[n / count / count / count]};
        char again[LF_BASE64_TEXT_MAX(3)];
        uint8_t bytes[3];
        size_t len = 0;

        if (!lf_base64_decode(text, sizeof text, bytes, sizeof bytes, &len))
            continue;
        read_count++;
        if (lf_base64_encode(bytes, len, again) != 4 || memcmp(again, text, 4) != 0)
            fail_msg("%.4s is written as %s", text, again);
    }
    assert_int_equal(read_count, 256 * 256 * 256 + 256 * 256 + 256);
}

static void
test_of_any_length(void **state)
{
    enum { LEN_MAX = 300 };
    uint8_t bytes[LEN_MAX], *back = NULL;
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + i / 7);
    for (size_t len = 0; len <= LEN_MAX; len++) {
        size_t got = 0, text_len = 0;

        text = malloc(LF_BASE64_TEXT_MAX(len)); /* of just this size, for a sanitizer to see what goes beyond */
        back = malloc(len + 1);
        assert_non_null(text);
        assert_non_null(back);
        text_len = lf_base64_encode(bytes, len, text);
        assert_int_equal(text_len, LF_BASE64_TEXT_MAX(len) - 1);
        assert_int_equal(text[text_len], '\0');
        assert_true(lf_base64_decode(text, text_len, back, len, &got));
        assert_int_equal(got, len);
        assert_memory_equal(back, bytes, len);
        free(text);
        free(back);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_no_more_than_there_is_room_for),
        cmocka_unit_test(test_each_row_of_bytes_has_one_text),
        cmocka_unit_test(test_of_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
