/* test_events.c - who is told of what, in which words; and that it is always the same words. */
#include "event_fixture.h"
#include "support.h"

#define EVENT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct lf_ulid
id_of(const char *text)
{
    struct lf_ulid id;

    assert_true(lf_ulid_parse(text, strlen(text), &id));
    return id;
}

static struct lf_event_batch
begin(struct fixture *f, struct lf_subscriptions *subscriptions)
{
    struct lf_event_batch batch;

    OK(lf_event_batch_begin(subscriptions, f->arena, &batch, &f->error));
    return batch;
}

/* ---- words ---- */

static void
test_words(void **state)
{
    (void)state;
    assert_string_equal(lf_event_word(LF_EVENT_SCORE_RECORDED), "score.recorded");
    assert_string_equal(lf_event_word(LF_EVENT_GRADE_CHANGED), "score.grade_changed");
    assert_string_equal(lf_event_word(LF_EVENT_ICP_PUBLISHED), "icp.published");
    assert_string_equal(lf_event_word(LF_EVENT_DRIFT_SHIFTED), "drift.shifted");
    assert_string_equal(lf_event_word(LF_EVENT_COUNT), "");
}

/* Every member is always there. */
static void
test_data(void **state)
{
    static const struct {
        struct lf_event event;
        const char *score_id, *data;
    } ROWS[] = {
        {{.type = LF_EVENT_SCORE_RECORDED,
          .lead_id = "person-31",
          .lead_id_len = 9,
          .icp = "plain",
          .version = 3,
          .score = 8725,
          .to = "A"},
         "01KAZXM9XSVTV0YZ4EGWR1K5YE",
         "{'lead_id':'person-31','icp':'plain','version':3,'score_id':'01KAZXM9XSVTV0YZ4EGWR1K5YE','score':87.25,"
         "'from':'','to':'A','psi':0}"},
        {{.type = LF_EVENT_SCORE_RECORDED, .icp = "plain", .version = 3, .score = 10000, .to = "DQ"},
         "01KAZXM9XSVTV0YZ4EGWR1K5YE",
         "{'lead_id':'','icp':'plain','version':3,'score_id':'01KAZXM9XSVTV0YZ4EGWR1K5YE','score':100,'from':'',"
         "'to':'DQ','psi':0}"},
        {{.type = LF_EVENT_GRADE_CHANGED,
          .lead_id = "\"\xC3\xA4\n\0z",
          .lead_id_len = 6,
          .icp = "plain",
          .version = 1,
          .score = 10,
          .from = "Gr\xC3\xBC\xC3\x9F\"e",
          .to = "B"},
         "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
         "{'lead_id':'\\\"\xC3\xA4\\n\\u0000z','icp':'plain','version':1,'score_id':'7ZZZZZZZZZZZZZZZZZZZZZZZZZ',"
         "'score':0.1,'from':'Gr\xC3\xBC\xC3\x9F\\\"e','to':'B','psi':0}"},
        {{.type = LF_EVENT_ICP_PUBLISHED, .icp = "plain", .version = 4},
         NULL,
         "{'lead_id':'','icp':'plain','version':4,'score_id':'','score':0,'from':'','to':'','psi':0}"},
        {{.type = LF_EVENT_DRIFT_SHIFTED,
          .icp = "plain",
          .version = 4,
          .from = "watch",
          .to = "shifted",
          .psi = 0.31234567},
         NULL,
         "{'lead_id':'','icp':'plain','version':4,'score_id':'','score':0,'from':'watch','to':'shifted',"
         "'psi':0.312346}"},
        {{.type = LF_EVENT_DRIFT_SHIFTED, .icp = "p", .version = 1, .from = "stable", .to = "shifted", .psi = 2.5},
         NULL,
         "{'lead_id':'','icp':'p','version':1,'score_id':'','score':0,'from':'stable','to':'shifted','psi':2.5}"},
    };
    struct fixture *f = *state;
    struct lf_subscriptions *subscriptions = NULL;

    (void)put_subscription(f->store, "all", ALL_EVENTS, "", "[]");
    subscriptions = load_subscriptions(f->reader);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_event_batch batch = begin(f, subscriptions);
        struct lf_event event = ROWS[row].event;

        event.at_ms = 1780000000123;
        if (ROWS[row].score_id != NULL)
            event.score_id = id_of(ROWS[row].score_id);
        OK(lf_event_add(&batch, &event, &f->error));
        assert_int_equal(batch.count, 1);
        assert_string_equal(lf_arena_copy(f->arena, batch.items[0].data, batch.items[0].data_len),
                            support_quoted(f->arena, ROWS[row].data));
        assert_int_equal(batch.items[0].type, event.type);
        assert_int_equal(batch.items[0].at_ms, event.at_ms);
        assert_memory_equal(batch.items[0].score_id.bytes, event.score_id.bytes, LF_ULID_SIZE);
        lf_event_batch_end(subscriptions, &batch);
        assert_int_equal(batch.count, 1); /* deliveries outlive the holding */
    }
    lf_subscriptions_destroy(subscriptions);
}

/* What is sent: the same bytes at each attempt. */
static void
test_put(void **state)
{
    static const struct {
        struct lf_stored_delivery delivery;
        const char *text;
    } ROWS[] = {
        {{.id = 1, .type = LF_EVENT_SCORE_RECORDED, .at_ms = 0, .data = "{}", .data_len = 2},
         "{'type':'score.recorded','timestamp':'1970-01-01T00:00:00.000Z','sequence':1,'data':{}}"},
        {{.id = INT64_MAX,
          .type = LF_EVENT_GRADE_CHANGED,
          .at_ms = 1795339800123,
          .state = LF_DELIVERY_RETRYING,
          .due_ms = 5,
          .attempts = "[1]",
          .attempts_len = 3,
          .data = "{\"lead_id\":\"x\"} behind",
          .data_len = 15},
         "{'type':'score.grade_changed','timestamp':'2026-11-22T09:30:00.123Z','sequence':9223372036854775807,"
         "'data':{'lead_id':'x'}}"},
        {{.id = 77, .type = LF_EVENT_ICP_PUBLISHED, .at_ms = 1795339800000, .data = "{}", .data_len = 2},
         "{'type':'icp.published','timestamp':'2026-11-22T09:30:00.000Z','sequence':77,'data':{}}"},
        {{.id = 78, .type = LF_EVENT_DRIFT_SHIFTED, .at_ms = 1795339800001, .data = "{}", .data_len = 2},
         "{'type':'drift.shifted','timestamp':'2026-11-22T09:30:00.001Z','sequence':78,'data':{}}"},
    };
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        for (int attempt = 0; attempt < 3; attempt++) {
            struct lf_stored_delivery delivery = ROWS[row].delivery;
            struct lf_buf buf;

            lf_buf_init(&buf, f->arena, 4096);
            lf_buf_lit(&buf, "behind what there is:");
            delivery.state = attempt == 0 ? delivery.state : LF_DELIVERY_RETRYING;
            delivery.due_ms += attempt;
            lf_event_put(&buf, &delivery);
            assert_string_equal(lf_buf_terminate(&buf) + strlen("behind what there is:"),
                                support_quoted(f->arena, ROWS[row].text));
        }
    }
}

/* ---- who is told ---- */

static void
test_filters(void **state)
{
    enum { WHO = 9 };
    static const struct {
        const char *key;
        uint32_t events;
        const char *icp, *grades;
        enum lf_subscription_state state;
    } SUBSCRIPTIONS[WHO] = {
        {"a-all", ALL_EVENTS, "", "[]", LF_SUBSCRIPTION_ACTIVE},
        {"b-recorded", BIT(SCORE_RECORDED), "", "[]", LF_SUBSCRIPTION_ACTIVE},
        {"c-changed", BIT(GRADE_CHANGED), "", "[]", LF_SUBSCRIPTION_ACTIVE},
        {"d-one-icp", ALL_EVENTS, "plain", "[]", LF_SUBSCRIPTION_ACTIVE},
        {"e-grades", ALL_EVENTS, "", "[\"A\",\"DQ\"]", LF_SUBSCRIPTION_ACTIVE},
        {"f-both", SCORE_EVENTS, "other", "[\"B\"]", LF_SUBSCRIPTION_ACTIVE},
        {"g-paused", ALL_EVENTS, "", "[]", LF_SUBSCRIPTION_PAUSED},
        {"h-disabled", ALL_EVENTS, "", "[]", LF_SUBSCRIPTION_DISABLED},
        {"i-icps", BIT(ICP_PUBLISHED) | BIT(DRIFT_SHIFTED), "", "[\"shifted\"]", LF_SUBSCRIPTION_ACTIVE},
    };
    static const struct {
        enum lf_event_type type;
        const char *icp, *from, *to;
        const char *who; /* the first letters of whom it is for */
    } ROWS[] = {
        {LF_EVENT_SCORE_RECORDED, "plain", "", "A", "abdeg"},
        {LF_EVENT_SCORE_RECORDED, "plain", "", "B", "abdg"},
        {LF_EVENT_SCORE_RECORDED, "other", "", "B", "abfg"},
        {LF_EVENT_SCORE_RECORDED, "other", "", "DQ", "abeg"},
        {LF_EVENT_GRADE_CHANGED, "plain", "A", "B", "acdg"}, /* the new grade is meant */
        {LF_EVENT_GRADE_CHANGED, "plain", "B", "A", "acdeg"},
        {LF_EVENT_GRADE_CHANGED, "other", "DQ", "B", "acfg"},
        {LF_EVENT_GRADE_CHANGED, "plainer", "C", "AA", "acg"},
        {LF_EVENT_ICP_PUBLISHED, "plain", NULL, NULL, "adegi"},
        {LF_EVENT_ICP_PUBLISHED, "other", NULL, NULL, "aegi"},
        {LF_EVENT_DRIFT_SHIFTED, "plain", "watch", "shifted", "adegi"}, /* a level is no grade */
        {LF_EVENT_DRIFT_SHIFTED, "other", "stable", "shifted", "aegi"},
    };
    struct fixture *f = *state;
    struct lf_subscriptions *subscriptions = NULL;
    struct lf_event_batch batch;
    int64_t ids[WHO];
    size_t at = 0;

    for (size_t i = 0; i < WHO; i++) {
        ids[i] = put_subscription(f->store, SUBSCRIPTIONS[i].key, SUBSCRIPTIONS[i].events, SUBSCRIPTIONS[i].icp,
                                  SUBSCRIPTIONS[i].grades);
        if (SUBSCRIPTIONS[i].state != LF_SUBSCRIPTION_ACTIVE)
            stop_subscription(f->store, ids[i], SUBSCRIPTIONS[i].state);
    }
    subscriptions = load_subscriptions(f->reader);
    batch = begin(f, subscriptions);
    assert_int_equal(batch.subscription_count, WHO);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        const struct lf_event event = {
            .type = ROWS[row].type, .icp = ROWS[row].icp, .from = ROWS[row].from, .to = ROWS[row].to};
        char who[WHO + 1] = "";

        OK(lf_event_add(&batch, &event, &f->error));
        for (size_t n = 0; at < batch.count; at++) { /* behind those of before */
            size_t i = 0;

            while (ids[i] != batch.items[at].subscription_id)
                i++;
            who[n++] = SUBSCRIPTIONS[i].key[0];
            assert_int_equal(batch.items[at].type, ROWS[row].type);
        }
        print_message("%s %s\n", lf_event_word(ROWS[row].type), ROWS[row].icp);
        assert_string_equal(who, ROWS[row].who);
    }
    lf_event_batch_end(subscriptions, &batch);
    lf_event_batch_end(subscriptions, &batch); /* does nothing more */
    lf_subscriptions_destroy(subscriptions);
}

/* All that is of one lead is of one lane, today and after every restart; what is of none of none. */
static void
test_lanes(void **state)
{
    /* The first eight bytes of SHA-256 over "abc": FIPS 180-2, appendix B.1. */
    static const struct {
        const char *lead_id;
        uint64_t lane;
    } ROWS[] = {{"abc", UINT64_C(0xba7816bf8f01cfea)}, {"", 0}};
    struct fixture *f = *state;
    struct lf_subscriptions *subscriptions = NULL;
    struct lf_event_batch batch;

    (void)put_subscription(f->store, "all", ALL_EVENTS, "", "[]");
    (void)put_subscription(f->store, "all-too", ALL_EVENTS, "", "[]");
    subscriptions = load_subscriptions(f->reader);
    batch = begin(f, subscriptions);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        const struct lf_event event = {.type = LF_EVENT_SCORE_RECORDED,
                                       .icp = "x",
                                       .to = "A",
                                       .lead_id = ROWS[row].lead_id,
                                       .lead_id_len = strlen(ROWS[row].lead_id)};

        batch.count = 0;
        OK(lf_event_add(&batch, &event, &f->error));
        assert_int_equal(batch.count, 2);
        assert_int_equal(batch.items[0].lane, (int64_t)ROWS[row].lane);
        assert_int_equal(batch.items[1].lane, (int64_t)ROWS[row].lane);
        assert_ptr_equal(batch.items[0].data, batch.items[1].data); /* one text for all */
    }
    lf_event_batch_end(subscriptions, &batch);
    lf_subscriptions_destroy(subscriptions);
}

/* Many events stay in order, and in one piece. */
static void
test_many(void **state)
{
    enum { EVENTS = 1000 };
    struct fixture *f = *state;
    struct lf_subscriptions *subscriptions = NULL;
    struct lf_event_batch batch;
    int64_t id = put_subscription(f->store, "all", ALL_EVENTS, "", "[]");

    subscriptions = load_subscriptions(f->reader);
    batch = begin(f, subscriptions);
    for (int i = 0; i < EVENTS; i++) {
        const struct lf_event event = {.type = LF_EVENT_ICP_PUBLISHED, .icp = "x", .version = i, .at_ms = 7000 + i};

        OK(lf_event_add(&batch, &event, &f->error));
    }
    assert_int_equal(batch.count, EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        const char *version = lf_arena_printf(f->arena, "\"version\":%d,", i);

        assert_int_equal(batch.items[i].at_ms, 7000 + i);
        assert_int_equal(batch.items[i].subscription_id, id);
        assert_non_null(strstr(lf_arena_copy(f->arena, batch.items[i].data, batch.items[i].data_len), version));
    }
    lf_event_batch_end(subscriptions, &batch);
    lf_subscriptions_destroy(subscriptions);
}

/* ---- publications ---- */

static void
test_publication(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *nobody = load_subscriptions(f->reader), *somebody = NULL;
    struct lf_event_batch batch;

    OK(lf_events_of_publication(nobody, f->arena, "plain", 2, 5, &batch, &f->error));
    assert_int_equal(batch.count, 0);
    assert_int_equal(batch.subscription_count, 0);
    lf_event_batch_end(nobody, &batch);
    lf_subscriptions_destroy(nobody);

    (void)put_subscription(f->store, "a", BIT(ICP_PUBLISHED), "other", "[]");
    (void)put_subscription(f->store, "b", BIT(ICP_PUBLISHED), "plain", "[]");
    (void)put_subscription(f->store, "c", SCORE_EVENTS, "", "[]");
    somebody = load_subscriptions(f->reader);
    OK(lf_events_of_publication(somebody, f->arena, "plain", 2, 5, &batch, &f->error));
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.items[0].type, LF_EVENT_ICP_PUBLISHED);
    assert_int_equal(batch.items[0].at_ms, 5);
    assert_int_equal(batch.items[0].lane, 0);
    assert_string_equal(
        lf_arena_copy(f->arena, batch.items[0].data, batch.items[0].data_len),
        support_quoted(f->arena, "{'lead_id':'','icp':'plain','version':2,'score_id':'','score':0,'from':'','to':'',"
                                 "'psi':0}"));
    lf_event_batch_end(somebody, &batch);
    lf_subscriptions_destroy(somebody);
}

/* ---- too little memory ---- */

/* However little there is: it says so, and gives the subscriptions back, which are in use else when they go. */
static void
test_out_of_memory(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *subscriptions = NULL;
    size_t refused = 0, max = 0;
    enum lf_status status = LF_OUT_OF_MEMORY;

    for (int i = 0; i < 40; i++)
        (void)put_subscription(f->store, lf_arena_printf(f->arena, "s%d", i), ALL_EVENTS, "", "[]");
    subscriptions = load_subscriptions(f->reader);
    for (; status != LF_OK; max += 64) {
        struct lf_arena *arena = lf_arena_create(256, max);
        struct lf_event_batch batch = {.arena = NULL};

        if (arena == NULL)
            continue;
        status = lf_events_of_publication(subscriptions, arena, "plain", 1, 5, &batch, &f->error);
        if (status == LF_OK) {
            assert_int_equal(batch.count, 40);
        } else {
            FAILS(status, LF_OUT_OF_MEMORY);
            assert_int_equal(batch.count, 0); /* not written */
            refused++;
        }
        lf_event_batch_end(subscriptions, &batch);
        lf_arena_destroy(arena);
        assert_true(max < 1 << 20);
    }
    assert_true(refused > 3);
    lf_subscriptions_destroy(subscriptions);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        EVENT_TEST(test_words), EVENT_TEST(test_data), EVENT_TEST(test_put),         EVENT_TEST(test_filters),
        EVENT_TEST(test_lanes), EVENT_TEST(test_many), EVENT_TEST(test_publication), EVENT_TEST(test_out_of_memory),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
