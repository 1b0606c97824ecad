/* test_privacy.c - which fields are never kept, and what is left of a lead. */
#include "core/privacy.h"

#include "base/config.h"
#include "support.h"

static const uint8_t KEY[LF_SHA256_SIZE] = "the key of this test, 32 bytes..";

static const struct lf_privacy *
keeping(struct lf_arena *arena, enum lf_kept kept, const char *never)
{
    const struct lf_privacy *privacy = NULL;
    struct lf_error error;

    if (lf_privacy_create(arena, kept, never, KEY, &privacy, &error) != LF_OK)
        fail_msg("%s: %s", never, error.detail);
    assert_int_equal(lf_privacy_kept(privacy), kept);
    return privacy;
}

static const char *
put(struct lf_arena *arena, const struct lf_privacy *privacy, const struct lf_json *lead)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 24);
    lf_privacy_put(privacy, lead, &buf);
    assert_non_null(lf_buf_terminate(&buf));
    return buf.data;
}

/* ---- patterns ---- */

static void
test_fields(void **state)
{
    static const struct {
        const char *never, *path;
        bool is;
    } ROWS[] = {
        {"", "email", false},
        {"email", "email", true},
        {"email", "person.email", false},
        {"email", "emails", false},
        {"email", "mail", false},
        {"email", "email.work", true}, /* what stands below goes with it */
        {"email", "email.work.main", true},
        {"*.email", "email", true},
        {"*.email", "person.email", true},
        {"*.email", "company.people.email", true},
        {"*.email", "company.email.domain", true},
        {"*.email", "company.people", false},
        {"*.email", "company.emails", false},
        {"*.mail", "person.email", false},
        {"company.phone", "company.phone", true},
        {"company.phone", "company.phone.0", true},
        {"company.phone", "company", false},
        {"company.phone", "phone", false},
        {"company.phone", "parent.company.phone", false},
        {"company.phone", "company.fax.phone", false},
        {"*.company.phone", "parent.company.phone", true},
        {"*.company.phone", "company.phone", true},
        {"*.company.phone", "phone", false},
        {"*.company.phone", "company.x.phone", false},
        /* Letters and digits alone count, without case. */
        {"*.first_name", "FirstName", true},
        {"*.first_name", "lead.first-name", true},
        {"*.first_name", "First Name", true},
        {"*.first_name", "__first__name__", true},
        {"*.first_name", "FIRST NAME", true},
        {"*.FirstName", "first_name", true},
        {"*.first_name", "first", false},
        {"*.first_name", "first.name", false},
        {"*.first_name", "name", false},
        {"*.first_name", "myfirst_name", false},
        {"first_name", "a.first_name", false},
        {"line2", "LINE_2", true},
        {"line2", "line", false},
        {"x", "x", true},
        {"x", "_X_", true},
        {"x", "ax", false},
        {"x", "", false},
        {"x", "_", false},
        {"x", "$", false},
        /* Any script; written apart or composed; what cannot be seen does not count. */
        {"*.prénom", "contact.PRÉNOM", true},
        {"*.prénom", "contact.pre\xCC\x81nom", true},
        {"*.prénom", "contact.prenom", false},
        {"*.pre\xCC\x81nom", "prénom", true},
        {"straße", "STRASSE", true},
        {"strasse", "Straße", true},
        {"*.téléphoné", "TÉLÉPHONÉ", true},
        {"*.téléphoné", "téléphone", false},
        {"имя", "ИМЯ", true},
        {"имя", "имени", false},
        {"email", "e\xE2\x80\x8Bmail", true},                      /* a space of no width */
        {"email", "\xEF\xBD\x85\xEF\xBD\x8D\xEF\xBD\x81il", true}, /* wide letters */
        {"email", "emai\xEF\xBD\x8C", true},
        {"email", "\xD0\xB5mail", false}, /* a Cyrillic е is another letter */
        {"电话", "电话", true},
        {"电话", "电", false},
        /* Several. */
        {"a, b", "b", true},
        {"a,b,", "a", true},
        {" ,a ,\t*.b\n", "x.b", true},
        {"a, b", "a, b", false},
        {"a.c, *.c", "b.c", true},
        {"name, person.name, people.name", "company.name", false},
        {"name, person.name, people.name", "people.name", true},
        {"name, person.name, people.name", "name", true},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_privacy *privacy = keeping(*state, LF_KEPT_WHOLE, ROWS[i].never);

        if (lf_privacy_never(privacy, ROWS[i].path) != ROWS[i].is ||
            lf_privacy_withholds(privacy, ROWS[i].path) != ROWS[i].is ||
            lf_privacy_withholds(keeping(*state, LF_KEPT_FIELDS, ROWS[i].never), ROWS[i].path) != ROWS[i].is)
            fail_msg("row %zu: %s, %s", i, ROWS[i].never, ROWS[i].path);
        assert_true(lf_privacy_withholds(keeping(*state, LF_KEPT_HASHES, ROWS[i].never), ROWS[i].path));
        assert_true(lf_privacy_withholds(keeping(*state, LF_KEPT_NOTHING, ROWS[i].never), ROWS[i].path));
        assert_true(lf_privacy_never(keeping(*state, LF_KEPT_HASHES, ROWS[i].never), ROWS[i].path) == ROWS[i].is);
    }
}

static void
test_no_patterns(void **state)
{
    static const struct {
        const char *never, *named;
    } ROWS[] = {
        {"*", "\"*\""},
        {"email,*", "\"*\""},
        {"*.", "\"*.\""},
        {"*.*", "\"*.*\""},
        {"company.*", "\"company.*\" names no field: * stands only in front"},
        {"a.*.b", "\"a.*.b\""},
        {"**.a", "\"**.a\""},
        {"*a", "\"*a\""},
        {"*. .a", "\"*. .a\""},
        {"a..b", "\"a..b\" names no field: each name between dots has a letter or a digit"},
        {".a", "\".a\""},
        {"a.", "\"a.\""},
        {"$.a", "\"$.a\""},
        {"ok, _ , x", "\"_\""},
        {"a; b", "\"a; b\" names no field: write a path as company.phone, and a comma before the next one"},
        {"people[].email", "\"people[].email\""},
        {"'email'", "\"'email'\""},
        {"/a/b", "\"/a/b\""},
        {"e?", "\"e?\""},
        {"\xFF", "UTF-8"},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_privacy *privacy = NULL;
        struct lf_error error = {.status = LF_OK};

        assert_int_equal(lf_privacy_create(*state, LF_KEPT_WHOLE, ROWS[i].never, KEY, &privacy, &error), LF_CONFIG);
        assert_null(privacy);
        if (strstr(error.detail, ROWS[i].named) == NULL)
            fail_msg("%s: %s", ROWS[i].never, error.detail);
    }
}

/* What is never stored as it comes: what names or reaches a person, not what names a company. */
static void
test_default(void **state)
{
    static const char *const NEVER[] = {
        "email",        "Email",         "person.email", "contact.mail",   "company.email",
        "EmailAddress", "email_address", "FirstName",    "lead.last_name", "people.full_name",
        "given-name",   "familyName",    "Phone",        "MobilePhone",    "mobile",
        "name",         "Name",          "person.name",  "people.name",    "contact.name",
        "contacts.name"};
    static const char *const KEPT[] = {"company.name", "account.name", "title", "people.title", "emails_replied",
                                       "lead_source",  "company",      "id",    "username",     "product.name"};
    const struct lf_privacy *privacy = keeping(*state, LF_KEPT_WHOLE, LF_NEVER_STORE_DEFAULT);

    for (size_t i = 0; i < sizeof NEVER / sizeof *NEVER; i++)
        if (!lf_privacy_never(privacy, NEVER[i]))
            fail_msg("%s would be stored", NEVER[i]);
    for (size_t i = 0; i < sizeof KEPT / sizeof *KEPT; i++)
        if (lf_privacy_never(privacy, KEPT[i]))
            fail_msg("%s would not be stored", KEPT[i]);
}

/* ---- what is left ---- */

static void
test_left(void **state)
{
    static const struct {
        const char *lead, *never, *left;
    } ROWS[] = {
        {"{}", "a", "{}"},
        {"{'a':1}", "a", "{}"},
        {"{'a':1,'b':2,'c':3}", "a", "{'b':2,'c':3}"},
        {"{'a':1,'b':2,'c':3}", "b", "{'a':1,'c':3}"},
        {"{'a':1,'b':2,'c':3}", "c", "{'a':1,'b':2}"},
        {"{'a':1,'b':2,'c':3}", "a,b,c", "{}"},
        {"{'a':1,'b':2}", "", "{'a':1,'b':2}"},
        {"{'a':{'b':1,'c':2},'b':3}", "a.b", "{'a':{'c':2},'b':3}"},
        {"{'a':{'b':1,'c':2},'b':3}", "*.b", "{'a':{'c':2}}"},
        {"{'a':{'b':1}}", "a.b", "{'a':{}}"},
        /* Through arrays, one in another as well; elements stay. */
        {"{'a':[{'b':1,'c':2},7,'b',{'b':3},[{'b':4}],null]}", "a.b", "{'a':[{'c':2},7,'b',{},[{}],null]}"},
        {"{'a':[[[{'x':[{'b':1}]}]]]}", "*.x.b", "{'a':[[[{'x':[{}]}]]]}"},
        /* A name with dots is a path. */
        {"{'a.b':1,'a.c':2}", "a.b", "{'a.c':2}"},
        {"{'lead.person.email':1,'lead':{'a.Email':2,'emails':3}}", "*.email", "{'lead':{'emails':3}}"},
        {"{'person':{'x.name':1,'name':2},'x':{'person.name':3}}", "person.name",
         "{'person':{'x.name':1},'x':{'person.name':3}}"},
        {"{'a.':1,'.a':2,'':3,'.':4,'a':5}", "a", "{'.a':2,'':3,'.':4}"},
        /* All of these are one name. */
        {"{'First Name':1,'first_name':2,'FIRSTNAME':3,'firstnames':4,'name':5,'\\uFF46irst name':6}", "*.first-name",
         "{'firstnames':4,'name':5}"},
        /* Values as they stand. */
        {"{'a':1.50,'b':'\\u0000\\n','c':12345678901234567890,'d':[true,null,{},[],-0],'e':1e300}", "x",
         "{'a':1.5,'b':'\\u0000\\n','c':12345678901234567890,'d':[true,null,{},[],0],'e':1e+300}"},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_json *lead = support_json(*state, ROWS[i].lead);

        assert_string_equal(put(*state, keeping(*state, LF_KEPT_WHOLE, ROWS[i].never), lead),
                            support_quoted(*state, ROWS[i].left));
        assert_string_equal(put(*state, keeping(*state, LF_KEPT_FIELDS, ROWS[i].never), lead),
                            support_quoted(*state, ROWS[i].left));
        assert_string_equal(put(*state, keeping(*state, LF_KEPT_NOTHING, ROWS[i].never), lead), "{}");
        assert_string_equal(
            put(*state, lf_privacy_as(*state, keeping(*state, LF_KEPT_NOTHING, ROWS[i].never), LF_KEPT_WHOLE, false),
                lead),
            support_quoted(*state, ROWS[i].left));
        struct lf_buf whole;
        lf_buf_init(&whole, *state, 1 << 20);
        lf_json_put_tree(&whole, lead);
        assert_string_equal(
            put(*state, lf_privacy_as(*state, keeping(*state, LF_KEPT_NOTHING, ROWS[i].never), LF_KEPT_WHOLE, true),
                lead),
            lf_buf_terminate(&whole));
    }
}

/* "hmac:" and the first 32 hex digits of HMAC-SHA-256 of the value's canonical JSON. */
static const char *
hash_of(struct lf_arena *arena, const char *json)
{
    struct lf_hmac_key key;
    uint8_t digest[LF_SHA256_SIZE];
    char text[LF_HASH_TEXT_MAX];

    assert_true(lf_hmac_prepare(&key, KEY, sizeof KEY));
    assert_true(lf_hmac_sha256(&key, json, strlen(json), digest));
    lf_hash_text(digest, text);
    return lf_arena_printf(arena, "\"hmac:%.32s\"", text + strlen("sha256:"));
}

static void
test_hashes(void **state)
{
    const struct lf_json *lead = support_json(
        *state,
        "{'a':'x','b':1.0,'c':true,'d':null,'e':[],'f':{},'g':['x','1',1,{'h':'\\u00E4\\n'}],'email':'y','i':1}");
    const char *expected = lf_arena_printf(
        *state, "{\"a\":%s,\"b\":%s,\"c\":%s,\"d\":null,\"e\":[],\"f\":{},\"g\":[%s,%s,%s,{\"h\":%s}],\"i\":%s}",
        hash_of(*state, "\"x\""), hash_of(*state, "1"), hash_of(*state, "true"), hash_of(*state, "\"x\""),
        hash_of(*state, "\"1\""), hash_of(*state, "1"), hash_of(*state, "\"\xC3\xA4\\n\""), hash_of(*state, "1"));
    const struct lf_privacy *privacy = keeping(*state, LF_KEPT_HASHES, "*.email"), *other = NULL;
    static const uint8_t OTHER[LF_SHA256_SIZE] = {1};
    struct lf_error error;

    assert_string_equal(put(*state, privacy, lead), expected);
    assert_string_equal(
        put(*state, lf_privacy_as(*state, keeping(*state, LF_KEPT_WHOLE, "*.email"), LF_KEPT_HASHES, false), lead),
        expected);
    assert_int_equal(lf_privacy_create(*state, LF_KEPT_HASHES, "*.email", OTHER, &other, &error), LF_OK);
    assert_string_not_equal(put(*state, other, lead), expected);
}

/* On the heap as well, and when there is no room. */
static void
test_room(void **state)
{
    static const enum lf_kept KEPT[] = {LF_KEPT_WHOLE, LF_KEPT_HASHES};
    const struct lf_json *lead = support_json(*state, "{'a':'0123456789','prénom':[1,{'b':'x'}],'b':2}");

    for (size_t k = 0; k < 2; k++) {
        const struct lf_privacy *privacy = keeping(*state, KEPT[k], "*.b");
        size_t len = strlen(put(*state, privacy, lead));

        for (size_t max = 0; max <= len; max++) {
            struct lf_buf buf;

            lf_buf_init(&buf, NULL, max);
            lf_privacy_put(privacy, lead, &buf);
            assert_true(lf_buf_failed(&buf) == (max < len));
            lf_buf_finish(&buf);
        }
    }
}

/* ---- by chance ---- */

static const char *const WORDS[] = {"a", "A",   "_a",       "ab",        "aB",  "a_b",
                                    "b", "b a", "\xC3\xA4", "a\xCC\x88", "a.b", "b."};
enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS };

static void
random_object(struct lf_buf *buf, struct support_random *random, int depth)
{
    unsigned used = 0;
    bool first = true;

    lf_buf_lit(buf, "{");
    for (int i = 0; i < 4; i++) {
        unsigned word = support_random(random, WORD_COUNT);
        bool list = support_random(random, 3) == 0;

        if ((used >> word & 1) != 0)
            continue;
        used |= 1u << word;
        lf_buf_printf(buf, "%s\"%s\":%s", first ? "" : ",", WORDS[word], list ? "[" : "");
        first = false;
        if (depth > 0 && support_random(random, 2) == 0)
            random_object(buf, random, depth - 1);
        else
            lf_buf_lit(buf, "7");
        if (list)
            lf_buf_lit(buf, "]");
    }
    lf_buf_lit(buf, "}");
}

/* The slow way: every member asked by its path from the top, whatever the lead's names are. */
static void
put_slowly(const struct lf_privacy *privacy, const char *path, const struct lf_json *value, struct lf_arena *arena,
           struct lf_buf *buf)
{
    bool first = true, object = lf_json_kind(value) == LF_JSON_OBJECT;

    if (!object && lf_json_kind(value) != LF_JSON_ARRAY) {
        lf_json_put_tree(buf, value);
        return;
    }
    lf_buf_text(buf, object ? "{" : "[");
    for (const struct lf_json *at = lf_json_first(value); at != NULL; at = lf_json_next(at)) {
        const char *here =
            object ? lf_arena_printf(arena, "%s%s%s", path, path[0] != '\0' ? "." : "", lf_json_name(at)) : path;

        if (object && lf_privacy_never(privacy, here))
            continue;
        lf_buf_text(buf, first ? "" : ",");
        first = false;
        if (object) {
            lf_json_put_text(buf, lf_json_name(at), strlen(lf_json_name(at)));
            lf_buf_lit(buf, ":");
        }
        put_slowly(privacy, here, at, arena, buf);
    }
    lf_buf_text(buf, object ? "}" : "]");
}

/* What is dropped of a lead is exactly what stands at the fields that are never kept, and below them. */
static void
test_by_chance(void **state)
{
    struct support_random random = {4};
    size_t dropped = 0, kept = 0;

    (void)state;
    for (int turn = 0; turn < 3000; turn++) {
        struct lf_arena *arena = lf_arena_create(16384, 1 << 24);
        struct lf_buf text, never, left;
        const struct lf_privacy *privacy = NULL;
        const struct lf_json *lead = NULL;
        struct lf_error error;

        lf_buf_init(&text, arena, 1 << 20);
        lf_buf_init(&never, arena, 1 << 20);
        lf_buf_init(&left, arena, 1 << 20);
        random_object(&text, &random, 3);
        for (unsigned patterns = support_random(&random, 4); patterns > 0; patterns--) {
            lf_buf_text(&never, support_random(&random, 2) == 0 ? "*." : "");
            for (unsigned names = support_random(&random, 3); names > 0; names--)
                lf_buf_printf(&never, "%s.", WORDS[support_random(&random, WORD_COUNT - 2)]);
            lf_buf_printf(&never, "%s,", WORDS[support_random(&random, WORD_COUNT - 2)]);
        }
        assert_non_null(lf_buf_terminate(&never));
        privacy = keeping(arena, LF_KEPT_WHOLE, never.data);
        if (lf_json_parse(arena, text.data, text.len, &LF_JSON_LEAD_LIMITS, &lead, &error) != LF_OK)
            fail_msg("%s", error.detail);
        put_slowly(privacy, "", lead, arena, &left);
        assert_non_null(lf_buf_terminate(&left));
        assert_string_equal(put(arena, privacy, lead), left.data);
        dropped += left.len < text.len;
        kept += left.len == text.len;
        lf_arena_destroy(arena);
    }
    assert_true(dropped > 500 && kept > 500);
}

/* Names as long as a body, of characters that are folded, under many patterns: no longer than it takes to read them. */
static void
test_long_names(void **state)
{
    enum { LONG = 1 << 19 };
    struct lf_buf text, never, left;
    const struct lf_json *lead = NULL;
    struct lf_error error;

    lf_buf_init(&text, *state, 4 << 20);
    lf_buf_init(&never, *state, 1 << 20);
    lf_buf_init(&left, *state, 4 << 20);
    for (int i = 0; i < 1000; i++)
        lf_buf_printf(&never, "p%d.name,", i);
    assert_non_null(lf_buf_terminate(&never));
    lf_buf_lit(&text, "{\"");
    while (text.len < LONG)
        lf_buf_lit(&text, "\xC3\xA4\xE1\xBA\xA5");
    lf_buf_lit(&text, "\":{");
    for (int i = 0; i < 400; i++)
        lf_buf_printf(&text, "%s\"%*sname\":1", i > 0 ? "," : "", i + 1, "_");
    lf_buf_lit(&text, "}}");
    if (lf_json_parse(*state, text.data, text.len, &LF_JSON_LEAD_LIMITS, &lead, &error) != LF_OK)
        fail_msg("%s", error.detail);
    lf_privacy_put(keeping(*state, LF_KEPT_WHOLE, never.data), lead, &left);
    assert_int_equal(left.len, text.len);
    assert_memory_equal(left.data, text.data, text.len);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_fields),    SUPPORT_TEST(test_no_patterns), SUPPORT_TEST(test_default),
        SUPPORT_TEST(test_left),      SUPPORT_TEST(test_hashes),      SUPPORT_TEST(test_room),
        SUPPORT_TEST(test_by_chance), SUPPORT_TEST(test_long_names),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
