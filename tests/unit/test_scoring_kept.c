/*
 * test_scoring_kept.c - scores of which not everything is kept: told again and computed again all the same, and proved
 * with the lead given once more.
 */
#include "scoring_fixture.h"

/* Ways of keeping a lead. */
static const struct {
    enum lf_kept kept;
    const char *never;
} WAYS[] = {
    {LF_KEPT_WHOLE, ""},      {LF_KEPT_WHOLE, "*.name, company.employees"},
    {LF_KEPT_FIELDS, ""},     {LF_KEPT_FIELDS, "people"},
    {LF_KEPT_HASHES, ""},     {LF_KEPT_HASHES, "company.domain"},
    {LF_KEPT_NOTHING, ""},    {LF_KEPT_WHOLE, "*.employees, *.title, *.domain"},
    {LF_KEPT_FIELDS, "seen"},
};

enum { WAY_COUNT = sizeof WAYS / sizeof *WAYS };

#define MILL                                                                         \
    "{'id':'L-1','company':{'name':'Mill','employees':860,'domain':'mill.example'}," \
    "'people':[{'name':'Ann','title':'VP Operations'},{'name':'Bo'}]}"

/* Leads of all kinds for PLAIN_ATTRIBUTES. */
static const char *const LEADS[] = {
    MILL,
    "{}",
    "{'company':{'employees':'a lot','domain':'RIVAL.example '},'people':{'title':['Chief','\\u0007']}}",
    "{'company':[{'employees':250.5},{'employees':null,'domain':''},7],'people':[[],'x']}",
    "{'company':{'employees':[1,'',{}],'domain':[]},'people':[{'title':''}]}",
};

enum { LEAD_COUNT = sizeof LEADS / sizeof *LEADS };

static struct lf_score_request
request_for(struct fixture *f, const char *lead)
{
    return request_of(f, lf_arena_printf(f->arena, "{'lead':%s,'as_of':'2026-06-01'}", lead));
}

/* The answer as it is told where these of its values are not kept: of an attribute whose field is withheld the value is
 * empty, and no sentence repeats it. */
static const char *
without_values(struct fixture *f, const char *answer, const struct lf_privacy *privacy)
{
    const struct lf_json *root = NULL;
    const char *text = answer;

    OK(lf_json_parse(f->arena, answer, strlen(answer), &LF_JSON_DOCUMENT_LIMITS, &root, &f->error));
    for (const struct lf_json *r = lf_json_first(lf_json_member(root, "results")); r != NULL; r = lf_json_next(r))
        for (const struct lf_json *a = lf_json_first(lf_json_member(r, "attributes")); a != NULL; a = lf_json_next(a)) {
            size_t len = 0;
            const char *field = lf_json_text(lf_json_member(a, "field"), &len);
            const char *label = lf_json_text(lf_json_member(a, "label"), &len);
            const struct lf_json *value = lf_json_member(a, "value");
            struct lf_buf quoted, out;
            const char *at = text, *hit = NULL;

            if (!lf_privacy_withholds(privacy, field) || lf_json_text(value, &len)[0] == '\0')
                continue;
            lf_buf_init(&quoted, f->arena, 1 << 16);
            lf_json_put_text(&quoted, lf_json_text(value, &len), len);
            const char *escaped = lf_arena_copy(f->arena, quoted.data + 1, quoted.len - 2);
            const char *member = lf_arena_printf(f->arena, "\"value\":\"%s\"", escaped);
            const char *sentence = lf_arena_printf(f->arena, "%s %s: ", label, escaped);

            lf_buf_init(&out, f->arena, 1 << 22);
            while (*at != '\0') {
                if (strncmp(at, member, strlen(member)) == 0) {
                    lf_buf_lit(&out, "\"value\":\"\"");
                    hit = at;
                    at += strlen(member);
                } else if (strncmp(at, sentence, strlen(sentence)) == 0) {
                    lf_buf_printf(&out, "%s: ", label);
                    at += strlen(sentence);
                } else {
                    lf_buf_char(&out, *at++);
                }
            }
            assert_non_null(hit == NULL ? strstr(text, "\"value\":\"\"") : hit);
            text = lf_buf_terminate(&out);
        }
    return text;
}

/* Told again it is the same but for the values that were not kept; computed again it is the same, to the byte; and so
 * it is with the lead given once more. */
static void
test_told_without_values(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t w = 0; w < WAY_COUNT; w++)
        for (size_t l = 0; l < LEAD_COUNT; l++) {
            const struct lf_privacy *privacy = keeping(f, WAYS[w].kept, WAYS[w].never);
            struct lf_score_request request = request_for(f, LEADS[l]);
            struct lf_scoring scoring = run(f, profiles, &request);
            struct lf_repetition repetition;
            struct lf_stored_score score;
            struct lf_ulid id;
            const char *answer = record_keeping(f, &scoring, privacy, &id);

            assert_string_equal(retell(f, id), without_values(f, answer, privacy));
            assert_true(repeats(f, id));
            score = fetch(f, id);
            OK(lf_scoring_repeat(f->reader, f->arena, &score, request.lead, privacy, true, &repetition, &f->error));
            if (!repetition.agrees)
                fail_msg("way %zu, lead %zu: %s", w, l, repetition.what);
            assert_int_equal(repetition.kept, WAYS[w].kept);
            assert_string_equal(repetition.what, "");
            assert_string_equal(repetition.icp, "");
            assert_string_equal(repetition.recorded, retell(f, id));
            assert_string_equal(repetition.computed, repetition.recorded);
        }
    lf_profiles_destroy(profiles);
}

/* How it reads. */
static void
test_sentences(void **state)
{
    static const struct {
        const char *lead, *reason;
    } ROWS[] = {
        {"{'company':{'employees':860}}", "Company size: 500-5,000 people (+20 of 20)"},
        {"{'company':{'employees':7}}", "Company size: no rule matches (0 of 20)"},
        {"{'company':{'employees':'a lot'}}", "Company size: not readable as the rules need it (0 of 20)"},
        {"{'company':{'employees':[7,null]}}", "Company size: company.employees is missing in part (0 of 20)"},
        {"{'company':{}}", "Company size: company.employees is missing (0 of 20)"},
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (size_t w = 0; w < 3; w++) {
            static const enum lf_kept KEPT[] = {LF_KEPT_WHOLE, LF_KEPT_HASHES, LF_KEPT_NOTHING};
            struct lf_score_request request = request_for(f, ROWS[i].lead);
            struct lf_scoring scoring = run(f, profiles, &request);
            struct lf_ulid id;
            const char *told = NULL;

            (void)record_keeping(f, &scoring, keeping(f, KEPT[w], "*.employees"), &id);
            told = retell(f, id);
            if (strstr(told, lf_arena_printf(f->arena, "\"reason_1\":\"%s\"", ROWS[i].reason)) == NULL)
                fail_msg("%s: %s", ROWS[i].reason, told);
            assert_non_null(strstr(told, "\"field\":\"company.employees\",\"value\":\"\""));
            assert_null(strstr(told, "  "));
            assert_null(strstr(told, "\\\"\\\""));
        }
    lf_profiles_destroy(profiles);
}

/* The definitions that come along, leads of all kinds, fields that are withheld at random. */
static void
test_at_random(void **state)
{
    struct fixture *f = *state;
    struct support_random random = {.state = 20260602};
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS];
    struct lf_profiles *profiles = NULL;
    size_t withheld = 0;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++) {
        size_t len = 0;
        const char *text = support_file(f->arena, SUPPORT_CONFIG_PATHS[i], &len);
        struct lf_new_version v;
        struct lf_change change = by_ops(NOW_MS);
        int number = 0;
        bool unchanged = false;

        icps[i] = support_config_icp(f->arena, i);
        v = version(icps[i]->key, text, 0);
        memcpy(v.hash, icps[i]->hash, sizeof v.hash);
        OK(lf_store_publish(f->store, &v, &change, &number, &unchanged, &f->error));
    }
    profiles = load_profiles(f);
    for (int i = 0; i < 120; i++) {
        const struct lf_fields *fields = &icps[support_random(&random, SUPPORT_CONFIG_ICPS)]->fields;
        const char *never =
            lf_arena_printf(f->arena, "%s, *.%s", fields->paths[support_random(&random, (uint32_t)fields->count)],
                            fields->paths[support_random(&random, (uint32_t)fields->count)]);
        const struct lf_privacy *privacy = keeping(f, (enum lf_kept)(i % 4), never);
        struct lf_score_request request = request_of(f, "{'lead':{}}");
        struct lf_scoring scoring;
        struct lf_repetition repetition;
        struct lf_stored_score score;
        struct lf_ulid id;

        request.lead = support_random_lead(f->arena, &random, icps, SUPPORT_CONFIG_ICPS);
        request.has_as_of = true;
        request.as_of_ms = support_ms("2026-06-01") + (int64_t)support_random(&random, 1000000) * 1000;
        scoring = run(f, profiles, &request);
        (void)record_keeping(f, &scoring, privacy, &id);
        assert_true(repeats(f, id));
        score = fetch(f, id);
        OK(lf_scoring_repeat(f->reader, f->arena, &score, request.lead, privacy, true, &repetition, &f->error));
        if (!repetition.agrees)
            fail_msg("never %s: %s", never, repetition.what);
        assert_string_equal(repetition.computed, repetition.recorded);
        for (size_t p = 0; p < profiles->count; p++)
            for (size_t n = 0; n < profiles->items[p].icp->fields.count; n++)
                withheld += lf_privacy_never(privacy, profiles->items[p].icp->fields.paths[n]);
    }
    assert_true(withheld > 100);
    lf_profiles_destroy(profiles);
}

/* ---- another lead ---- */

#define OTHER "the lead is not the one that was scored: "

static void
test_another_lead(void **state)
{
    static const struct {
        enum lf_kept kept;
        const char *never, *lead, *what;
    } ROWS[] = {
        {LF_KEPT_WHOLE, "", "{'id':'L','company':{'employees':861,'domain':'d'},'x':1}",
         OTHER "company.employees differs"},
        {LF_KEPT_WHOLE, "", "{'id':'L','company':{'domain':'d'},'x':1}", OTHER "company.employees is missing"},
        {LF_KEPT_WHOLE, "", "{'id':'L','company':{'employees':860,'domain':'d','y':0},'x':1}",
         OTHER "company.y was not there"},
        {LF_KEPT_WHOLE, "", "{'id':'L','company':{'employees':860,'domain':'d'},'x':2}", OTHER "x differs"},
        {LF_KEPT_WHOLE, "", "{'id':'L','company':{'employees':'860','domain':'d'},'x':1}",
         OTHER "company.employees differs"},
        {LF_KEPT_WHOLE, "", "{'id':'L','company':[],'x':1}", OTHER "company differs"},
        {LF_KEPT_WHOLE, "", "{'id':'L','x':1}", OTHER "company is missing"},
        /* The order of members does not count, nor how a number is written. */
        {LF_KEPT_WHOLE, "", "{'x':1.0,'company':{'domain':'d','employees':8.6e2},'id':'L'}", ""},
        /* What is not kept cannot be told apart, but for what it does to the answer. */
        {LF_KEPT_WHOLE, "*.x", "{'id':'L','company':{'employees':860,'domain':'d'},'x':2}", ""},
        {LF_KEPT_WHOLE, "*.x", "{'id':'L','company':{'employees':860,'domain':'d'}}", ""},
        {LF_KEPT_WHOLE, "company", "{'id':'L','company':{'employees':700,'domain':'d'},'x':1}", ""},
        {LF_KEPT_WHOLE, "company", "{'id':'L','company':{'employees':300,'domain':'d'},'x':1}",
         "size: matched 500-5,000 people, now matched 200 and more"},
        {LF_KEPT_WHOLE, "company", "{'id':'L','x':1}", "size: matched 500-5,000 people, now unknown"},
        {LF_KEPT_WHOLE, "*.domain", "{'id':'L','company':{'employees':860},'x':1}",
         "company.domain: there, now missing"},
        {LF_KEPT_FIELDS, "", "{'id':'M','company':{'employees':860,'domain':'d'},'x':2}", ""},
        {LF_KEPT_FIELDS, "", "{'company':{'employees':860,'domain':'e'}}", OTHER "company.domain differs"},
        {LF_KEPT_FIELDS, "", "{'company':{'employees':860,'domain':'d'},'people':{}}", OTHER "people was not there"},
        {LF_KEPT_FIELDS, "*.employees", "{'company':{'employees':600,'domain':'d'}}", ""},
        {LF_KEPT_FIELDS, "*.employees", "{'company':{'employees':10,'domain':'d'}}",
         "size: matched 500-5,000 people, now unmatched"},
        {LF_KEPT_HASHES, "", "{'company':{'employees':860,'domain':'d'},'more':7}", ""},
        {LF_KEPT_HASHES, "", "{'company':{'employees':861,'domain':'d'}}", OTHER "company.employees differs"},
        {LF_KEPT_HASHES, "", "{'company':{'employees':860,'domain':'D'}}", OTHER "company.domain differs"},
        {LF_KEPT_HASHES, "", "{'company':{'employees':860}}", OTHER "company.domain is missing"},
        {LF_KEPT_HASHES, "*.employees", "{'company':{'employees':861,'domain':'d'}}", ""},
        {LF_KEPT_NOTHING, "", "{'company':{'employees':700,'domain':'e'}}", ""},
        {LF_KEPT_NOTHING, "", "{'company':{'employees':10,'domain':'e'}}",
         "size: matched 500-5,000 people, now unmatched"},
        {LF_KEPT_NOTHING, "", "{'company':{'employees':700}}", "company.domain: there, now missing"},
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_privacy *privacy = keeping(f, ROWS[i].kept, ROWS[i].never);
        struct lf_score_request request = request_for(f, "{'id':'L','company':{'employees':860,'domain':'d'},'x':1}");
        struct lf_scoring scoring = run(f, profiles, &request);
        struct lf_repetition repetition;
        struct lf_stored_score score;
        struct lf_ulid id;

        (void)record_keeping(f, &scoring, privacy, &id);
        score = fetch(f, id);
        OK(lf_scoring_repeat(f->reader, f->arena, &score, support_json(f->arena, ROWS[i].lead), privacy, true,
                             &repetition, &f->error));
        if (strcmp(repetition.what, ROWS[i].what) != 0 || repetition.agrees != (ROWS[i].what[0] == '\0'))
            fail_msg("row %zu: %s", i, repetition.what);
        assert_string_equal(repetition.recorded, retell(f, id));
        if (repetition.agrees)
            assert_string_equal(repetition.computed, repetition.recorded);
        assert_null(strstr(repetition.what, "86"));
    }
    lf_profiles_destroy(profiles);
}

/* Settings that have changed since the score was recorded make no other lead of it. */
static void
test_settings_changed(void **state)
{
    static const struct {
        enum lf_kept was;
        const char *never_was;
        enum lf_kept is;
        const char *never_is;
    } ROWS[] = {
        {LF_KEPT_WHOLE, "", LF_KEPT_WHOLE, "*.name, *.employees"},
        {LF_KEPT_WHOLE, "*.employees", LF_KEPT_WHOLE, "*.title"},
        {LF_KEPT_WHOLE, "", LF_KEPT_HASHES, "company"},
        {LF_KEPT_WHOLE, "", LF_KEPT_NOTHING, ""},
        {LF_KEPT_FIELDS, "company", LF_KEPT_FIELDS, ""},
        {LF_KEPT_FIELDS, "", LF_KEPT_NOTHING, "*.title"},
        {LF_KEPT_HASHES, "", LF_KEPT_WHOLE, "*.title"},
        {LF_KEPT_NOTHING, "", LF_KEPT_WHOLE, ""},
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_score_request request = request_for(f, LEADS[0]);
        struct lf_scoring scoring = run(f, profiles, &request);
        struct lf_repetition repetition;
        struct lf_stored_score score;
        struct lf_ulid id;

        (void)record_keeping(f, &scoring, keeping(f, ROWS[i].was, ROWS[i].never_was), &id);
        score = fetch(f, id);
        OK(lf_scoring_repeat(f->reader, f->arena, &score, request.lead, keeping(f, ROWS[i].is, ROWS[i].never_is), true,
                             &repetition, &f->error));
        if (!repetition.agrees)
            fail_msg("row %zu: %s", i, repetition.what);
        assert_int_equal(repetition.kept, ROWS[i].was);
        assert_string_equal(repetition.computed, repetition.recorded);
        assert_string_equal(repetition.recorded, retell(f, id));
    }
    lf_profiles_destroy(profiles);
}

/* ---- nothing of the person ---- */

/* What is never stored is nowhere in a record, and of hashes and nothing no value is. */
static void
test_no_trace(void **state)
{
    static const char *const SECRETS[] = {"Ann", "860", "mill.example", "VP Operations", "s3cret"};
    static const struct {
        enum lf_kept kept;
        const char *never;
        const char *left; /* which of these may be there */
    } ROWS[] = {
        {LF_KEPT_WHOLE, "people, *.secret", "01100"},
        {LF_KEPT_FIELDS, "*.title", "01100"},
        {LF_KEPT_WHOLE, "*.name,*.employees,*.domain,*.title,*.secret", "00000"},
        {LF_KEPT_HASHES, "", "00000"},
        {LF_KEPT_NOTHING, "", "00000"},
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_score_request request =
            request_for(f, "{'company':{'employees':860,'domain':'mill.example','secret':'s3cret'},"
                           "'people':[{'name':'Ann','title':'VP Operations'}]}");
        struct lf_scoring scoring = run(f, profiles, &request);
        struct lf_stored_score score;
        struct lf_ulid id;

        (void)record_keeping(f, &scoring, keeping(f, ROWS[i].kept, ROWS[i].never), &id);
        score = fetch(f, id);
        for (size_t s = 0; s < sizeof SECRETS / sizeof *SECRETS; s++)
            if ((memmem(score.body, score.body_len, SECRETS[s], strlen(SECRETS[s])) != NULL) !=
                (ROWS[i].left[s] == '1'))
                fail_msg("row %zu: %s", i, SECRETS[s]);
    }
    lf_profiles_destroy(profiles);
}

static void
test_erased(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_for(f, LEADS[0]);
    struct lf_scoring scoring = run(f, profiles, &request);
    struct lf_repetition repetition = {.agrees = false};
    struct lf_stored_score score;
    struct lf_buf body, buf;
    struct lf_ulid id;

    (void)record(f, &scoring, true, &id);
    score = fetch(f, id);
    lf_buf_init(&body, f->arena, 1 << 20);
    lf_buf_init(&buf, f->arena, 1 << 20);
    OK(lf_record_anonymise(&body, score.body, score.body_len, &f->error));
    score.body = body.data;
    score.body_len = body.len;
    score.lead_id_len = 0;
    FAILS(lf_scoring_retell(f->reader, f->arena, &score, &buf, &f->error), LF_ERASED);
    assert_string_equal(f->error.detail, "the lead of this score was erased; statistics keep it without a name");
    assert_int_equal(buf.len, 0);
    FAILS(lf_scoring_repeat(f->reader, f->arena, &score, NULL, NULL, true, &repetition, &f->error), LF_ERASED);
    FAILS(lf_scoring_repeat(f->reader, f->arena, &score, request.lead, keeping(f, LF_KEPT_WHOLE, ""), false,
                            &repetition, &f->error),
          LF_ERASED);
    assert_false(repetition.agrees);
    lf_profiles_destroy(profiles);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        STORE_TEST(test_told_without_values),
        STORE_TEST(test_sentences),
        STORE_TEST(test_at_random),
        STORE_TEST(test_another_lead),
        STORE_TEST(test_settings_changed),
        STORE_TEST(test_no_trace),
        STORE_TEST(test_erased),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
