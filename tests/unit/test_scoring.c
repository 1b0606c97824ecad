/* test_scoring.c - one lead from request to answer, kept in a real store, told again and computed again. */
#include "scoring_fixture.h"

static const char *
indexes(struct fixture *f, const struct lf_profiles *profiles, const struct lf_result *results, size_t count)
{
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 4096);
    for (size_t i = 0; i < count; i++)
        lf_buf_printf(&buf, "%s%s", i > 0 ? "," : "", profiles->items[results[i].index].icp->key);
    return lf_buf_terminate(&buf);
}

/* ---- what is chosen ---- */

static void
test_chosen(void **state)
{
    static const struct {
        const char *request;
        const char *answered, *shadow; /* in the order of evaluation: by key */
    } ROWS[] = {
        {"{" LEAD "}", "core-a,core-b", "bet-a,bet-b"},
        {"{" LEAD ",'icps':[]}", "core-a,core-b", "bet-a,bet-b"},
        {"{" LEAD ",'record':false}", "core-a,core-b", ""}, /* nothing is kept: nobody would see a shadow */
        {"{" LEAD ",'icps':['core-b']}", "core-b", ""},
        {"{" LEAD ",'icps':['bet-b']}", "bet-b", ""},
        {"{" LEAD ",'icps':['core-b','bet-a','core-a']}", "bet-a,core-a,core-b", ""},
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_score_request request = request_of(f, ROWS[i].request);
        struct lf_scoring scoring = run(f, profiles, &request);

        assert_string_equal(indexes(f, profiles, scoring.results, scoring.result_count), ROWS[i].answered);
        assert_string_equal(indexes(f, profiles, scoring.shadow, scoring.shadow_count), ROWS[i].shadow);
        assert_int_equal(scoring.as_of_ms, NOW_MS);
    }
    lf_profiles_destroy(profiles);
}

static void
test_not_to_be_had(void **state)
{
    static const struct {
        const char *icps;
        enum lf_status status;
        const char *pointer, *named;
    } ROWS[] = {
        {"['nobody']", LF_ICP_NOT_FOUND, "/icps/0", "no ICP nobody"},
        {"['core-a','bet-a','nobody']", LF_ICP_NOT_FOUND, "/icps/2", "no ICP nobody"},
        {"['old']", LF_ICP_ARCHIVED, "/icps/0", "the ICP old is archived"},
        {"['core-a','old','nobody']", LF_ICP_ARCHIVED, "/icps/1", "the ICP old is archived"},
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_score_request request =
            request_of(f, lf_arena_printf(f->arena, "{" LEAD ",'icps':%s}", ROWS[i].icps));
        struct lf_scoring scoring;

        FAILS(lf_scoring_run(f->arena, profiles, &request, NOW_MS, &scoring, &f->error), ROWS[i].status);
        assert_string_equal(f->error.pointer, ROWS[i].pointer);
        assert_non_null(strstr(f->error.detail, ROWS[i].named));
    }
    lf_profiles_destroy(profiles);
}

/* The thousandth key still has its pointer. */
static void
test_last_of_a_thousand(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{" LEAD "}");
    struct lf_scoring scoring;
    const char *keys[LF_ICPS_NAMED_MAX];

    for (size_t i = 0; i < LF_ICPS_NAMED_MAX; i++)
        keys[i] = i + 1 < LF_ICPS_NAMED_MAX ? "core-a" : "missing";
    request.icps = keys;
    request.icp_count = LF_ICPS_NAMED_MAX;
    FAILS(lf_scoring_run(f->arena, profiles, &request, NOW_MS, &scoring, &f->error), LF_ICP_NOT_FOUND);
    assert_string_equal(f->error.pointer, "/icps/999");
    lf_profiles_destroy(profiles);
}

static void
test_no_active_icp(void **state)
{
    struct fixture *f = *state;
    struct lf_score_request request = request_of(f, "{" LEAD "}"), named = request_of(f, "{" LEAD ",'icps':['bet']}");
    struct lf_scoring scoring;
    struct lf_profiles *profiles = load_profiles(f);

    FAILS(lf_scoring_run(f->arena, profiles, &request, NOW_MS, &scoring, &f->error), LF_NO_ACTIVE_ICP);
    lf_profiles_destroy(profiles);
    /* Experimental ones alone answer only when they are named. */
    publish_icp(f, "bet", "experimental", PLAIN_ATTRIBUTES, 1);
    profiles = load_profiles(f);
    FAILS(lf_scoring_run(f->arena, profiles, &request, NOW_MS, &scoring, &f->error), LF_NO_ACTIVE_ICP);
    scoring = run(f, profiles, &named);
    assert_int_equal(scoring.result_count, 1);
    lf_profiles_destroy(profiles);
}

/* ---- kept and told again ---- */

/* A score told again is byte for byte what was told, whatever was asked, with either form of input; and computing it
 * again agrees. */
static void
test_told_again(void **state)
{
    static const char *const REQUESTS[] = {
        "{" LEAD "}",
        "{" LEAD ",'as_of':'2020-02-29T12:34:56.789Z'}",
        "{" LEAD ",'as_of':'1950-01-01'}",
        "{" LEAD ",'icps':['bet-a','core-b']}",
        "{'lead':{}}",
        "{'lead':{'id':12345678901234567890,'company':null}}",
        "{'lead':{'id':'x\\u0001\\n\\uD83D\\uDE42','company':{'domain':'RIVAL.example ','employees':'a lot'}}}",
        "{'lead':{'company':{'employees':[1e2,250.50,null,{}]},'people':{'title':['Chief','\\u0007']}}}",
        "{'lead':{'company':[{'employees':12345678901234567890},{'employees':1e-7,'domain':''},7],'people':[[],'x']}}",
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++)
        for (int whole = 0; whole < 2; whole++) {
            struct lf_score_request request = request_of(f, REQUESTS[i]);
            struct lf_scoring scoring = run(f, profiles, &request);
            struct lf_ulid id;
            const char *answer = record(f, &scoring, whole != 0, &id);

            assert_non_null(strstr(answer, "\"recorded\":true"));
            assert_string_equal(retell(f, id), answer);
            assert_string_equal(told_icps(f, retell(f, id)), i == 3 ? told_icps(f, answer) : "core-a,core-b");
            assert_true(repeats(f, id));
        }
    lf_profiles_destroy(profiles);
}

/* The definitions that come along, and leads of all kinds. */
static void
test_told_again_at_random(void **state)
{
    struct fixture *f = *state;
    struct support_random random = {.state = 20260601};
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS];
    struct lf_profiles *profiles = NULL;

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
    for (int i = 0; i < 60; i++) {
        struct lf_score_request request = request_of(f, "{'lead':{}}");
        struct lf_scoring scoring;
        struct lf_ulid id;
        const char *answer = NULL;

        request.lead = support_random_lead(f->arena, &random, icps, SUPPORT_CONFIG_ICPS);
        request.has_as_of = true;
        request.as_of_ms = support_ms("2026-06-01") + (int64_t)support_random(&random, 1000000) * 1000;
        scoring = run(f, profiles, &request);
        answer = record(f, &scoring, i % 2 == 0, &id);
        assert_string_equal(retell(f, id), answer);
        assert_true(repeats(f, id));
    }
    lf_profiles_destroy(profiles);
}

/* What is not recorded says so. */
static void
test_told_unrecorded(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{" LEAD ",'record':false,'explain':'none'}");
    struct lf_scoring scoring = run(f, profiles, &request);
    const char *answer = tell(f, &scoring, NULL);

    assert_non_null(strstr(answer, "{\"id\":\"\",\"lead_id\":\"L-1\",\"scored_at\":\"2026-05-28T20:26:40.000Z\""));
    assert_non_null(strstr(answer, "\"recorded\":false"));
    assert_non_null(strstr(answer, "\"results\":[]"));
    lf_profiles_destroy(profiles);
}

/* An answer may have been short; what is kept is not. */
static void
test_told_again_in_full(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request full = request_of(f, "{" LEAD "}"), brief = request_of(f, "{" LEAD ",'explain':'none'}");
    struct lf_scoring scoring = run(f, profiles, &brief);
    struct lf_ulid id;
    const char *answer = record(f, &scoring, false, &id);

    assert_non_null(strstr(answer, "\"results\":[]"));
    scoring = run(f, profiles, &full);
    assert_string_equal(retell(f, id), tell(f, &scoring, &id));
    lf_profiles_destroy(profiles);
}

/* The versions that a score was made under speak, not those of today; an archived ICP as well. */
static void
test_told_again_after_changes(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{" LEAD "}");
    struct lf_scoring scoring = run(f, profiles, &request);
    struct lf_ulid id;
    const char *answer = record(f, &scoring, false, &id);

    lf_profiles_destroy(profiles);
    publish_icp(f, "core-a", "experimental",
                "'attributes':[{'key':'x','label':'X','category':'need','weight':1,'rules':[{'when':{'field':'x',"
                "'is':1}}]}]",
                2);
    archive_icp(f, "core-b");
    assert_string_equal(retell(f, id), answer);
    assert_true(repeats(f, id));
}

/* Each named list's answer and revision are part of what is kept: a list that changed since, or that is gone, changes
 * nothing. */
static void
test_lists_changed_since(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_ulid listed, unlisted, unknown;
    const char *answers[3];
    struct lf_score_request rival = request_of(f, "{'lead':{'company':{'domain':'rival.example'}}}"),
                            other = request_of(f, "{'lead':{'company':{'domain':'mill.example'}}}"),
                            none = request_of(f, "{'lead':{'company':{'domain':''}}}");
    struct lf_scoring scoring = run(f, profiles, &rival);

    answers[0] = record(f, &scoring, false, &listed);
    assert_non_null(strstr(answers[0], "\"grade\":\"DQ\""));
    assert_non_null(strstr(answers[0], "\"caps\":[],\"lists\":[{\"key\":\"competitors\",\"revision\":"));
    assert_null(strstr(answers[0], "\"revision\":0"));
    scoring = run(f, profiles, &other);
    answers[1] = record(f, &scoring, false, &unlisted);
    assert_null(strstr(answers[1], "\"grade\":\"DQ\""));
    scoring = run(f, profiles, &none);
    answers[2] = record(f, &scoring, false, &unknown);
    assert_non_null(strstr(answers[2], "\"unverified\":[\"competitor\"]"));
    lf_profiles_destroy(profiles);

    for (int change = 0; change < 2; change++) {
        if (change == 0)
            put_list(f, "competitors", "mill.example");
        else
            run_sql(f->path, "DELETE FROM list_item; DELETE FROM list");
        assert_string_equal(retell(f, listed), answers[0]);
        assert_string_equal(retell(f, unlisted), answers[1]);
        assert_string_equal(retell(f, unknown), answers[2]);
        assert_true(repeats(f, listed));
        assert_true(repeats(f, unlisted));
        assert_true(repeats(f, unknown));
    }
}

/* Scores kept in the first format, which had no revisions: they are told with 0 for them, and all else as it was. */
static void
test_first_format(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{" LEAD ",'icps':['core-a']}");
    struct lf_scoring scoring = run(f, profiles, &request);
    struct lf_stored_score score;
    const struct lf_stored_score *scores[] = {&score};
    struct lf_ulid id;
    const char *answer = record(f, &scoring, false, &id), *revision = NULL;
    const uint8_t *now = NULL;
    uint8_t *then = NULL;
    struct lf_buf expected;

    /* 3, kept, 1 | version, flags, length | …, missing, one list's answer, its revision | input: a byte each. */
    score = fetch(f, id);
    now = score.body;
    assert_true(now[0] == 3 && now[1] == 0 && now[2] == 1 && now[3] < 128 && now[5] < 128);
    then = lf_arena_alloc(f->arena, score.body_len);
    assert_non_null(then);
    then[0] = 1;
    memcpy(then + 1, now + 2, 4u + now[5] - 3);
    then[4] = (uint8_t)(now[5] - 2);
    then[2 + now[5]] = now[4 + now[5]];
    memcpy(then + 3 + now[5], now + 6 + now[5], score.body_len - 6 - now[5]);
    score.body = then;
    score.body_len -= 3;
    assert_true(lf_ulid_next(&f->mint, NOW_MS + 43, &score.id));
    OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, NULL, &f->error));

    answer = tell(f, &scoring, &score.id);
    revision = strstr(answer, "\"revision\":");
    assert_non_null(revision);
    lf_buf_init(&expected, f->arena, 1 << 20);
    lf_buf_add(&expected, answer, (size_t)(revision - answer));
    lf_buf_lit(&expected, "\"revision\":0");
    lf_buf_text(&expected, strchr(revision, '}'));
    assert_string_equal(retell(f, score.id), lf_buf_terminate(&expected));
    assert_true(repeats(f, score.id));
    lf_profiles_destroy(profiles);
}

/* ---- what is kept of the lead ---- */

static void
test_input_kept(void **state)
{
    static const struct {
        const char *lead, *whole, *fields;
    } ROWS[] = {
        {"{}", "{}", "{}"},
        {"{'secret':'s','company':{'name':'n','employees':860.0,'domain':'d'},'people':[{'title':'t','mail':'m'},'x',{}"
         "]}",
         "{'secret':'s','company':{'name':'n','employees':860,'domain':'d'},'people':[{'title':'t','mail':'m'},'x',{}]"
         "}",
         "{'company':{'employees':860,'domain':'d'},'people':[{'title':'t'},{}]}"},
        {"{'id':'L','company.employees':7,'company':'text','people':[]}",
         "{'id':'L','company.employees':7,'company':'text','people':[]}", "{'people':[]}"},
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (int whole = 0; whole < 2; whole++) {
            struct lf_score_request request = request_of(f, lf_arena_printf(f->arena, "{'lead':%s}", ROWS[i].lead));
            struct lf_scoring scoring = run(f, profiles, &request);
            struct lf_ulid id;

            (void)record(f, &scoring, whole != 0, &id);
            assert_string_equal(kept_input(f, id),
                                support_quoted(f->arena, whole != 0 ? ROWS[i].whole : ROWS[i].fields));
        }
    lf_profiles_destroy(profiles);
}

/* Only what the ICPs read that the score is for, shadow ones among them. */
static void
test_input_of_chosen_icps(void **state)
{
    static const char OTHER[] = "'attributes':[{'key':'x','label':'X','category':'need','weight':1,'rules':[{'when':"
                                "{'field':'secret','is':'s'}}]}]";
    struct fixture *f = *state;
    struct lf_profiles *profiles = NULL;
    struct lf_score_request request = request_of(f, "{'lead':{'secret':'s','company':{'domain':'d'}},'icps':['core']}"),
                            all = request_of(f, "{'lead':{'secret':'s','company':{'domain':'d'}}}");
    struct lf_scoring scoring;
    struct lf_ulid id;

    publish_icp(f, "core", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "bet", "experimental", OTHER, 1);
    profiles = load_profiles(f);
    scoring = run(f, profiles, &request);
    (void)record(f, &scoring, false, &id);
    assert_string_equal(kept_input(f, id), "{\"company\":{\"domain\":\"d\"}}");
    scoring = run(f, profiles, &all);
    (void)record(f, &scoring, false, &id);
    assert_string_equal(kept_input(f, id), "{\"secret\":\"s\",\"company\":{\"domain\":\"d\"}}");
    assert_true(repeats(f, id));
    lf_profiles_destroy(profiles);
}

/* A lead that is larger once it is written out than it was as it came (1e20 has 21 digits), beyond the size of a
 * document: it was taken, so it can be told again. */
static void
test_large_lead(void **state)
{
    enum { TEXT = 1 << 20 };
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{'lead':{}}");
    struct lf_json_limits limits = LF_JSON_LEAD_LIMITS;
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 4 << 20);
    lf_buf_lit(&buf, "{\"company\":{\"employees\":[1e20");
    for (int i = 1; i < 5000; i++)
        lf_buf_lit(&buf, ",1e20");
    lf_buf_lit(&buf, "]},\"people\":{\"title\":\"");
    while (buf.len < TEXT)
        lf_buf_lit(&buf, "vp and more ");
    lf_buf_lit(&buf, "\"}}");
    limits.bytes = SIZE_MAX;
    OK(lf_json_parse(f->arena, buf.data, buf.len, &limits, &request.lead, &f->error));
    for (int whole = 0; whole < 2; whole++) {
        struct lf_scoring scoring = run(f, profiles, &request);
        struct lf_ulid id;
        const char *answer = record(f, &scoring, whole != 0, &id);

        assert_string_equal(retell(f, id), answer);
        assert_true(repeats(f, id));
    }
    lf_profiles_destroy(profiles);
}

/* More than the store takes is refused before it gets there: in a commit it would take others with it. */
static void
test_too_large_a_lead(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{'lead':{}}");
    struct lf_json_limits limits = LF_JSON_LEAD_LIMITS;
    struct lf_stored_score score;
    struct lf_scoring scoring;
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 32 << 20);
    lf_buf_lit(&buf, "{\"unread\":\"");
    while (buf.len < LF_SCORE_BODY_MAX)
        lf_buf_lit(&buf, "as long a text as there can be, and longer than that; ");
    lf_buf_lit(&buf, "\"}");
    limits.bytes = SIZE_MAX;
    OK(lf_json_parse(f->arena, buf.data, buf.len, &limits, &request.lead, &f->error));
    scoring = run(f, profiles, &request);
    FAILS(lf_scoring_record(f->arena, &scoring, keeping(f, LF_KEPT_WHOLE, ""), &score, &f->error), LF_BODY_TOO_LARGE);
    /* What was read of it is little; and what is never stored takes no room. */
    OK(lf_scoring_record(f->arena, &scoring, keeping(f, LF_KEPT_FIELDS, ""), &score, &f->error));
    OK(lf_scoring_record(f->arena, &scoring, keeping(f, LF_KEPT_WHOLE, "unread"), &score, &f->error));
    lf_profiles_destroy(profiles);
}

/* ---- what was changed behind our back ---- */

/* A version changed by hand is noticed, whether its hash was left, or changed as well and the outcome is another. */
static void
test_changed_version(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{" LEAD ",'icps':['core-a']}");
    struct lf_scoring scoring = run(f, profiles, &request);
    struct lf_stored_score score;
    struct lf_buf buf;
    struct lf_ulid id;
    struct lf_repetition repetition = {.agrees = true};
    const struct lf_icp *forged = NULL;
    const char *answer = record(f, &scoring, false, &id), *text = NULL;

    lf_profiles_destroy(profiles);
    run_sql(f->path, "CREATE TABLE kept AS SELECT id, document, hash FROM icp_version");
    score = fetch(f, id);
    lf_buf_init(&buf, f->arena, 1 << 20);

    /* A weight: the outcome would be the same, the score another. */
    run_sql(f->path, "UPDATE icp_version SET document = replace(document, '\"weight\":20', '\"weight\":21')");
    FAILS(lf_scoring_repeat(f->reader, f->arena, &score, NULL, NULL, true, &repetition, &f->error), LF_STORAGE_CORRUPT);
    FAILS(lf_scoring_retell(f->reader, f->arena, &score, &buf, &f->error), LF_STORAGE_CORRUPT);
    assert_true(repetition.agrees); /* not touched */
    assert_int_equal(buf.len, 0);

    /* The hash with it. */
    text = definition(f, "core-a", "core",
                      "'attributes':[{'key':'size','label':'Company size','category':'firmographic','weight':20,"
                      "'rules':[{'when':{'field':'company.employees','between':[500,800]},'label':'500-5,000 people'},"
                      "{'when':{'field':'company.employees','gte':200},'fit':0.5,'label':'200 and more'}]},"
                      "{'key':'title','label':'Title','category':'decision_maker','weight':10,'rules':["
                      "{'when':{'field':'people.title','has_word':['vp','chief']}}],'missing':'skip'}],"
                      "'disqualifiers':[{'key':'competitor','reason':'Competitor','when':{'field':'company.domain',"
                      "'in_list':'competitors'}}]");
    forged = support_icp(f->arena, text);
    {
        char hash[LF_HASH_TEXT_MAX];

        lf_hash_text(forged->hash, hash);
        run_sql(f->path, lf_arena_printf(f->arena, "UPDATE icp_version SET document = '%s', hash = x'%s'", text,
                                         hash + strlen("sha256:")));
    }
    OK(lf_scoring_repeat(f->reader, f->arena, &score, NULL, NULL, true, &repetition, &f->error));
    assert_false(repetition.agrees);
    assert_string_equal(repetition.icp, "core-a");
    assert_string_equal(repetition.what, "size: matched 500-5,000 people, now matched 200 and more");
    assert_string_not_equal(repetition.recorded, repetition.computed);

    /* Gone, or not readable. */
    run_sql(f->path, "UPDATE icp_version SET document = 'x'");
    FAILS(lf_scoring_repeat(f->reader, f->arena, &score, NULL, NULL, true, &repetition, &f->error), LF_STORAGE_CORRUPT);
    run_sql(f->path, "PRAGMA foreign_keys = OFF; DELETE FROM icp; DELETE FROM icp_version");
    FAILS(lf_scoring_repeat(f->reader, f->arena, &score, NULL, NULL, true, &repetition, &f->error), LF_STORAGE_CORRUPT);

    run_sql(f->path, "PRAGMA foreign_keys = OFF; INSERT INTO icp SELECT id, 'key-' || id, 0, NULL, 0, 0 FROM kept;"
                     " INSERT INTO icp_version SELECT id, id, 1, 'n', 'core', document, hash, '', 0, '' FROM kept");
    assert_true(repeats(f, id));
    assert_string_equal(retell(f, id), answer);
}

/* A record with any byte changed, or cut anywhere: told, refused as damaged or found to disagree, and never a crash.
 * (In the store a check sum stands before this.) */
static void
test_damaged_record(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{" LEAD "}");
    struct lf_scoring scoring = run(f, profiles, &request);
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 28);
    struct lf_stored_score score;
    uint8_t *bytes = NULL;
    size_t refused = 0;

    OK(lf_scoring_record(f->arena, &scoring, keeping(f, LF_KEPT_FIELDS, ""), &score, &f->error));
    for (size_t at = 0; at < score.body_len; at++)
        for (int how = 0; how < 4; how++) {
            static const uint8_t FLIPS[] = {0x01, 0x80, 0xFF};
            struct lf_stored_score damaged = score;
            struct lf_buf buf;
            struct lf_repetition repetition = {.agrees = false};
            enum lf_status told = LF_OK, repeated = LF_OK;

            /* In memory of just that length. */
            damaged.body_len = how < 3 ? score.body_len : at;
            bytes = malloc(damaged.body_len + (damaged.body_len == 0));
            assert_non_null(bytes);
            memcpy(bytes, score.body, damaged.body_len);
            if (how < 3)
                bytes[at] ^= FLIPS[how];
            damaged.body = bytes;
            lf_buf_init(&buf, arena, 1 << 24);
            told = lf_scoring_retell(f->reader, arena, &damaged, &buf, &f->error);
            repeated = lf_scoring_repeat(f->reader, arena, &damaged, NULL, NULL, true, &repetition, &f->error);
            assert_true(told == LF_OK || told == LF_STORAGE_CORRUPT || told == LF_ERASED);
            assert_int_equal(repeated, told);
            refused += told != LF_OK || repeated != LF_OK || !repetition.agrees;
            assert_true(how < 3 || told == LF_STORAGE_CORRUPT); /* cut short is never fine */
            free(bytes);
            lf_arena_reset(arena);
        }
    assert_true(refused > score.body_len * 2);
    lf_arena_destroy(arena);
    lf_profiles_destroy(profiles);
}

/* A score of nothing but shadows cannot have been recorded: nothing would have been answered. */
static void
test_nothing_but_shadows(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_score_request request = request_of(f, "{" LEAD "}");
    struct lf_scoring scoring = run(f, profiles, &request);
    struct lf_stored_score score;
    struct lf_buf buf;

    scoring.result_count = 0;
    OK(lf_scoring_record(f->arena, &scoring, keeping(f, LF_KEPT_FIELDS, ""), &score, &f->error));
    lf_buf_init(&buf, f->arena, 1 << 20);
    FAILS(lf_scoring_retell(f->reader, f->arena, &score, &buf, &f->error), LF_STORAGE_CORRUPT);
    lf_profiles_destroy(profiles);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        STORE_TEST(test_chosen),
        STORE_TEST(test_not_to_be_had),
        STORE_TEST(test_last_of_a_thousand),
        STORE_TEST(test_no_active_icp),
        STORE_TEST(test_told_again),
        STORE_TEST(test_told_again_at_random),
        STORE_TEST(test_told_unrecorded),
        STORE_TEST(test_told_again_in_full),
        STORE_TEST(test_told_again_after_changes),
        STORE_TEST(test_lists_changed_since),
        STORE_TEST(test_first_format),
        STORE_TEST(test_input_kept),
        STORE_TEST(test_input_of_chosen_icps),
        STORE_TEST(test_large_lead),
        STORE_TEST(test_too_large_a_lead),
        STORE_TEST(test_changed_version),
        STORE_TEST(test_damaged_record),
        STORE_TEST(test_nothing_but_shadows),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
