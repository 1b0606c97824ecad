/*
 * test_allocation.c - each allocation fails in turn: nothing crashes, nothing leaks, and the status says OUT_OF_MEMORY.
 * How: faults.h.
 */
#include "app/editing.h"
#include "app/keys.h"
#include "app/service.h"
#include "app_fixture.h"
#include "base/log.h"
#include "faults.h"

#define NOW_MS INT64_C(1780000000000)

/* ---- what is tried ---- */

/* Ways of keeping a lead. */
enum { PRIVACIES = 4 };

struct trial {
    struct fixture *f;
    struct lf_arena *arena; /* fresh for each time */
    const struct lf_profiles *profiles;
    const struct lf_privacy *privacies[PRIVACIES];
    struct lf_stored_score score;
    const char *answer;
    const struct lf_json *lead; /* given again; NULL: none */
    bool differs;               /* it is another one */
    bool may_do_without; /* not every allocation is needed: the pointer of a parent serves where its child's fails */
};

/* Runs it until no allocation fails any more. It returns the status; what it made it has to have freed. */
static void
try_each(struct trial *trial, const char *what, enum lf_status (*run)(struct trial *trial, struct lf_error *error))
{
    for (long n = 0;; n++) {
        struct lf_error error = {.status = LF_OK};
        enum lf_status status = LF_OK;
        bool failed = false;

        trial->arena = lf_arena_create(64, 1 << 24);
        assert_non_null(trial->arena);
        arm(n);
        status = run(trial, &error);
        failed = disarm();
        lf_arena_destroy(trial->arena);
        if (!failed) {
            if (status != LF_OK)
                fail_msg("%s: %s", what, error.detail);
            assert_true(n > 0);
            return;
        }
        if (status == LF_OK && trial->may_do_without)
            continue;
        if (status != LF_OUT_OF_MEMORY)
            fail_msg("%s, allocation %ld: %s: %s", what, n, lf_status_word(status), error.detail);
        assert_int_equal(error.status, LF_OUT_OF_MEMORY);
        assert_true(strlen(error.detail) > 0);
    }
}

#define TRY(trial, run) try_each(trial, #run, run)

static const char MEMBERS[] = PLAIN_ATTRIBUTES ",'caps':[{'category':'firmographic','max':15}]";
static const char LEAD[] =
    "{'lead':{'id':'L-1','company':{'employees':860,'domain':'mill.example'},'people':[{'title':'VP Operations'},"
    "{'title':['Chief','x']}]},'as_of':'2026-06-01','icps':['one','two']}";

static enum lf_status
make_profiles(struct trial *trial, struct lf_error *error)
{
    static char text[4096];
    struct lf_profiles *profiles = NULL;
    struct lf_findings findings;
    enum lf_status status = LF_OK;

    if (text[0] == '\0') {
        atomic_store(&fault.armed, false); /* the first time only, for the text itself */
        (void)snprintf(text, sizeof text, "%s", definition(trial->f, "one", "core", MEMBERS));
        atomic_store(&fault.armed, true);
    }
    lf_findings_init(&findings, trial->arena);
    status = lf_profiles_create(2, &profiles, error);
    if (status != LF_OK)
        return status;
    status = lf_profiles_add(profiles, text, strlen(text), 1, 1, &findings, error);
    if (status == LF_OK)
        status = lf_profiles_add(profiles, text, strlen(text), 2, 1, NULL, error);
    if (status == LF_OK)
        status = lf_profiles_compile(profiles, NULL, error);
    lf_profiles_destroy(profiles);
    return status;
}

/* A list made of texts, changed with its base shared, and changed so much that it gets a base of its own. */
static enum lf_status
change_list(struct trial *trial, struct lf_error *error)
{
    enum { MANY = 1100 };
    static const char *const ENTRIES[] = {"  Acme ", "GR\xc3\x96SSE", "a"};
    static struct lf_text many[MANY];
    static char texts[MANY][8];
    struct lf_text gone = {"a", 1};
    struct lf_named_list *list = NULL, *changed = NULL;
    enum lf_status status = LF_OK;

    (void)trial;
    for (int i = 0; many[MANY - 1].bytes == NULL && i < MANY; i++)
        many[i] = (struct lf_text){texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "n%d", i)};
    status = lf_named_list_create("list", 1, ENTRIES, 3, &list, error);
    if (status != LF_OK)
        return status;
    for (size_t count = 3; status == LF_OK && count <= MANY; count += MANY - 3) {
        status = lf_named_list_patch(list, 2, many, count, &gone, 1, &changed, error);
        if (status == LF_OK) {
            assert_int_equal(changed->count, count + 2);
            assert_true((changed->base == list->base) == (count == 3));
            lf_named_list_destroy(changed);
        }
    }
    assert_int_equal(list->count, 3);
    lf_named_list_destroy(list);
    return status;
}

static enum lf_status
load_live(struct trial *trial, struct lf_error *error)
{
    struct lf_live live;
    struct lf_profiles *profiles = NULL;
    enum lf_status status = LF_OK;

    lf_live_init(&live);
    status = lf_live_load(trial->f->reader, trial->privacies[0], &profiles, error);
    if (status == LF_OK)
        lf_live_replace(&live, profiles);
    lf_live_finish(&live);
    return status;
}

static enum lf_status
load_keyring(struct trial *trial, struct lf_error *error)
{
    struct lf_keyring *keyring = NULL;
    enum lf_status status = lf_keyring_load(trial->f->reader, 5, &keyring, error);

    if (status == LF_OK)
        lf_keyring_destroy(keyring);
    return status;
}

/* The whole way of a lead: read, scored, recorded, told. */
static enum lf_status
score(struct trial *trial, struct lf_error *error)
{
    static const char *text;
    const struct lf_json *body = NULL;
    struct lf_findings findings;
    struct lf_score_request request;
    struct lf_scoring scoring;
    struct lf_stored_score stored;
    struct lf_buf buf;
    enum lf_status status = LF_OK;

    if (text == NULL) {
        atomic_store(&fault.armed, false);
        text = support_quoted(trial->f->arena, LEAD);
        atomic_store(&fault.armed, true);
    }
    lf_findings_init(&findings, trial->arena);
    status = lf_json_parse(trial->arena, text, strlen(text), &LF_JSON_DOCUMENT_LIMITS, &body, error);
    if (status == LF_OK)
        status = lf_score_request_read(trial->arena, body, false, &findings, &request, error);
    if (status == LF_OK)
        status = lf_scoring_run(trial->arena, trial->profiles, &request, NOW_MS, &scoring, error);
    for (size_t i = 0; status == LF_OK && i < PRIVACIES; i++)
        status = lf_scoring_record(trial->arena, &scoring, trial->privacies[i], &stored, error);
    if (status != LF_OK)
        return status;
    lf_buf_init(&buf, trial->arena, 1 << 20);
    lf_scoring_tell(&buf, trial->arena, &scoring, NULL, NOW_MS, 0);
    return lf_buf_failed(&buf) ? lf_fail(error, LF_OUT_OF_MEMORY, "the answer") : LF_OK;
}

/* A refused request: however little of it can be told, it is not taken for another fault. */
static enum lf_status
refuse(struct trial *trial, struct lf_error *error)
{
    static const struct lf_json *body;
    struct lf_findings findings;
    struct lf_score_request request;
    enum lf_status status = LF_OK;

    if (body == NULL) {
        atomic_store(&fault.armed, false);
        body = support_json(trial->f->arena, "{'lead':{'id':true},'as_of':'x','icps':['a','a'],'led':1}");
        atomic_store(&fault.armed, true);
    }
    lf_findings_init(&findings, trial->arena);
    status = lf_score_request_read(trial->arena, body, false, &findings, &request, error);
    return status == LF_INVALID_REQUEST && findings.count == 4 ? LF_OK : status;
}

static enum lf_status
retell(struct trial *trial, struct lf_error *error)
{
    struct lf_buf buf;
    enum lf_status status = LF_OK;

    lf_buf_init(&buf, trial->arena, 1 << 20);
    status = lf_scoring_retell(trial->f->reader, trial->arena, &trial->score, &buf, error);
    if (status == LF_OK && lf_buf_failed(&buf))
        return lf_fail(error, LF_OUT_OF_MEMORY, "the answer");
    if (status == LF_OK)
        assert_memory_equal(buf.data, trial->answer, buf.len);
    return status;
}

static enum lf_status
repeat(struct trial *trial, struct lf_error *error)
{
    struct lf_repetition repetition = {.agrees = false};
    enum lf_status status = lf_scoring_repeat(trial->f->reader, trial->arena, &trial->score, trial->lead,
                                              trial->privacies[0], true, &repetition, error);

    assert_true(repetition.agrees == (status == LF_OK && !trial->differs));
    if (status == LF_OK)
        assert_true((strcmp(repetition.recorded, repetition.computed) == 0) != trial->differs);
    return status;
}

static void
prepare(struct fixture *f)
{
    struct lf_stored_key key;
    char text[LF_API_KEY_TEXT_MAX];

    publish_icp(f, "one", "core", MEMBERS, 1);
    publish_icp(f, "two", "experimental", MEMBERS, 1);
    publish_icp(f, "three", "core", MEMBERS, 1);
    archive_icp(f, "three");
    put_list(f, "competitors", "rival.example");
    put_list(f, "others", "other.example");
    for (int i = 0; i < 3; i++)
        put_key(f, LF_SCOPE_SCORE, 0, text, &key);
}

static void
keep_in_all_ways(struct trial *trial)
{
    trial->privacies[0] = keeping(trial->f, LF_KEPT_WHOLE, "*.title, Pr\xc3\xa9nom");
    trial->privacies[1] = keeping(trial->f, LF_KEPT_FIELDS, "");
    trial->privacies[2] = keeping(trial->f, LF_KEPT_HASHES, "*.phone");
    trial->privacies[3] = keeping(trial->f, LF_KEPT_NOTHING, "");
}

static void
test_loading(void **state)
{
    struct fixture *f = *state;
    struct trial trial = {.f = f};

    prepare(f);
    keep_in_all_ways(&trial);
    TRY(&trial, make_profiles);
    TRY(&trial, change_list);
    TRY(&trial, load_live);
    TRY(&trial, load_keyring);
}

static void
test_scoring(void **state)
{
    struct fixture *f = *state;
    struct trial trial = {.f = f};
    struct lf_profiles *profiles = NULL;
    struct lf_score_request request;
    struct lf_scoring scoring;
    struct lf_buf buf;

    prepare(f);
    keep_in_all_ways(&trial);
    profiles = load_profiles_keeping(f, trial.privacies[0]);
    trial.profiles = profiles;
    TRY(&trial, score);
    trial.may_do_without = true;
    TRY(&trial, refuse);
    trial.may_do_without = false;

    request = request_of(f, LEAD);
    OK(lf_scoring_run(f->arena, profiles, &request, NOW_MS, &scoring, &f->error));
    OK(lf_scoring_record(f->arena, &scoring, trial.privacies[1], &trial.score, &f->error));
    assert_true(lf_ulid_next(&f->mint, NOW_MS, &trial.score.id));
    lf_buf_init(&buf, f->arena, 1 << 20);
    lf_scoring_tell(&buf, f->arena, &scoring, &trial.score.id, lf_ulid_ms(trial.score.id), 0);
    trial.answer = lf_buf_terminate(&buf);
    assert_non_null(trial.answer);
    TRY(&trial, retell);
    TRY(&trial, repeat);
    trial.lead = request.lead;
    TRY(&trial, repeat);
    for (size_t i = 0; i < PRIVACIES; i++) {
        struct lf_ulid id = trial.score.id;

        lf_program_withhold(profiles->program, trial.privacies[i]);
        OK(lf_scoring_run(f->arena, profiles, &request, NOW_MS, &scoring, &f->error));
        OK(lf_scoring_record(f->arena, &scoring, trial.privacies[i], &trial.score, &f->error));
        trial.score.id = id;
        trial.lead = request.lead;
        TRY(&trial, repeat);
        trial.lead = support_json(f->arena, "{'company':{'employees':7},'people':[]}");
        trial.differs = true;
        TRY(&trial, repeat);
        trial.differs = false;
    }
    lf_profiles_destroy(profiles);
}

/* Its threads allocate as well, so that which allocation fails is not always the same; and what the look over the
 * database lacks does not stop a service from starting. */
static void
test_service(void **state)
{
    struct fixture *f = *state;
    struct lf_service_options options = {.db = f->path, .queue = 10, .batch = 5, .stall_ms = 60000, .rate_limit = 5};
    bool failed = true;

    prepare(f);
    close_store(f);
    for (long n = 0; failed; n++) {
        struct lf_service *service = NULL;
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_service_start(&options, &service, &f->error);
        if (status == LF_OK)
            lf_service_stop(service);
        else
            assert_string_equal(lf_status_word(status), "out_of_memory");
        failed = disarm();
        assert_true(failed || status == LF_OK);
    }
    open_store(f);
}

/* ---- changes ---- */

/* A change that is tried; what it needs is made before each time. */
struct edit_trial {
    struct fixture *f;
    struct lf_service *service;
    struct lf_arena *arena;     /* fresh for each time */
    const char *first, *second; /* definitions */
    struct lf_error error;
};

static const struct lf_precondition NOTHING_SAID = {.any = false}, ANY = {.any = true};

#define MUST(call)                                          \
    do {                                                    \
        if ((call) != LF_OK)                                \
            fail_msg("%s: %s", #call, trial->error.detail); \
    } while (0)

static enum lf_status
put_draft(struct edit_trial *trial, const char *text)
{
    struct lf_change change = by_ops(NOW_MS);
    struct lf_findings findings;
    struct lf_stored_draft draft;
    bool created = false;
    enum lf_status status = LF_OK;

    lf_findings_init(&findings, trial->arena);
    status = lf_edit_put_draft(trial->service, trial->arena, "one", text, strlen(text), &ANY, &change, &findings,
                               &draft, &created, &trial->error);
    if (status == LF_PRECONDITION_FAILED) /* there is none */
        status = lf_edit_put_draft(trial->service, trial->arena, "one", text, strlen(text), &NOTHING_SAID, &change,
                                   &findings, &draft, &created, &trial->error);
    return status;
}

static void
draft_first(struct edit_trial *trial)
{
    MUST(put_draft(trial, trial->first));
}

static enum lf_status
draft_second(struct edit_trial *trial)
{
    return put_draft(trial, trial->second);
}

static enum lf_status
publish_draft(struct edit_trial *trial)
{
    struct lf_change change = by_ops(NOW_MS);
    struct lf_findings findings;
    struct lf_publication publication;

    lf_findings_init(&findings, trial->arena);
    return lf_edit_publish(trial->service, trial->arena, "one", 10000, &ANY, &change, &findings, &publication,
                           &trial->error);
}

static enum lf_status
activate(struct edit_trial *trial, int version)
{
    struct lf_change change = by_ops(NOW_MS);
    struct lf_publication publication;

    return lf_edit_activate(trial->service, trial->arena, "one", version, &change, &publication, &trial->error);
}

static void
activate_first(struct edit_trial *trial)
{
    MUST(activate(trial, 1));
}

static enum lf_status
activate_second(struct edit_trial *trial)
{
    return activate(trial, 2);
}

static enum lf_status
set_archived(struct edit_trial *trial, bool archived)
{
    struct lf_change change = by_ops(NOW_MS);

    return lf_edit_set_archived(trial->service, trial->arena, "one", archived, &change, &trial->error);
}

static void
have_archived(struct edit_trial *trial)
{
    MUST(set_archived(trial, true));
}

static enum lf_status
restore(struct edit_trial *trial)
{
    return set_archived(trial, false);
}

static enum lf_status
put_texts_of_list(struct edit_trial *trial, const char *only)
{
    struct lf_text texts[] = {{only, strlen(only)}, {" Both ", 6}, {"BOTH", 4}};
    struct lf_change change = by_ops(NOW_MS);
    struct lf_list_edit edit;

    return lf_edit_put_list(trial->service, trial->arena, "idle", texts, 3, &NOTHING_SAID, &change, &edit,
                            &trial->error);
}

static void
list_first(struct edit_trial *trial)
{
    MUST(put_texts_of_list(trial, "first"));
}

static enum lf_status
list_second(struct edit_trial *trial)
{
    return put_texts_of_list(trial, "second");
}

static enum lf_status
patch_list(struct edit_trial *trial)
{
    struct lf_text add[] = {{"\xc3\x84 third", 8}, {"fourth", 6}}, remove[] = {{"FIRST", 5}};
    struct lf_change change = by_ops(NOW_MS);
    struct lf_list_edit edit;

    return lf_edit_patch_list(trial->service, trial->arena, "idle", add, 2, remove, 1, &NOTHING_SAID, &change, &edit,
                              &trial->error);
}

static enum lf_status
delete_list(struct edit_trial *trial)
{
    struct lf_change change = by_ops(NOW_MS);

    return lf_edit_delete_list(trial->service, trial->arena, "idle", &NOTHING_SAID, &change, &trial->error);
}

static enum lf_status
create_key(struct edit_trial *trial)
{
    struct lf_change change = by_ops(NOW_MS);
    struct lf_stored_key key;
    char text[LF_API_KEY_TEXT_MAX];

    return lf_edit_create_key(trial->service, "name", LF_SCOPE_SCORE, 0, &change, &key, text, &trial->error);
}

static void
nothing_needed(struct edit_trial *trial)
{
    (void)trial;
}

/* What the database holds, in a number that changes with every change: each leaves a trace in the audit. */
static int64_t
traces(struct edit_trial *trial)
{
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;
    struct lf_store_reader *reader = NULL;

    MUST(lf_service_borrow_reader(trial->service, &reader, &trial->error));
    MUST(lf_store_audit(reader, trial->arena, NULL, 0, 1000000, &entries, &count, &trial->error));
    lf_service_return_reader(trial->service, reader);
    return (int64_t)count;
}

/* Each allocation of a change fails in turn: it says so, and neither the database nor what is live is another. */
static void
try_change(struct edit_trial *trial, const char *what, void (*have)(struct edit_trial *trial),
           enum lf_status (*run)(struct edit_trial *trial))
{
    bool failed = true;

    for (long n = 0; failed; n++) {
        struct lf_live *live = lf_service_live(trial->service);
        struct lf_live_set *before = NULL, *after = NULL;
        size_t keys = 0;
        int64_t was = 0;
        enum lf_status status = LF_OK;

        trial->arena = lf_arena_create(1 << 16, 1 << 26);
        assert_non_null(trial->arena);
        have(trial);
        was = traces(trial);
        before = lf_live_acquire(live);
        keys = lf_keyring_live(lf_service_keyring(trial->service), NOW_MS);
        trial->error = (struct lf_error){.status = LF_OK};
        arm(n);
        status = run(trial);
        failed = disarm();
        after = lf_live_acquire(live);
        if (status != LF_OK) {
            if (status != LF_OUT_OF_MEMORY)
                fail_msg("%s, allocation %ld: %s: %s", what, n, lf_status_word(status), trial->error.detail);
            assert_true(failed && strlen(trial->error.detail) > 0);
            assert_ptr_equal(after, before);
            assert_int_equal(traces(trial), was);
            assert_int_equal(lf_keyring_live(lf_service_keyring(trial->service), NOW_MS), keys);
        } else {
            assert_int_equal(traces(trial), was + 1);
        }
        lf_live_release(live, after);
        lf_live_release(live, before);
        lf_arena_destroy(trial->arena);
        assert_true(failed || n > 0);
    }
}

#define TRY_CHANGE(trial, have, run) try_change(trial, #run, have, run)

static void
test_changes(void **state)
{
    static const char FIRST[] = "'attributes':[{'key':'a','label':'A','category':'need','weight':10,'rules':[{'when':"
                                "{'field':'company.employees','gte':5}}]}]";
    static const char SECOND[] = "'attributes':[{'key':'a','label':'A','category':'need','weight':10,'rules':[{'when':"
                                 "{'field':'company.employees','gte':9}}]}]";
    struct fixture *f = *state;
    struct lf_service_options options = {.db = f->path, .queue = 10, .batch = 5, .stall_ms = 60000};
    struct edit_trial trial = {.f = f};
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "one", "core", FIRST, 1);
    publish_icp(f, "one", "core", SECOND, 2);
    trial.first = definition(f, "one", "core", FIRST);
    trial.second = definition(f, "one", "core", SECOND);
    put_list(f, "competitors", "rival.example");
    /* Leads for the guard and for the lint to look at. */
    profiles = load_profiles(f);
    for (int i = 0; i < 25; i++) {
        struct lf_score_request request =
            request_of(f, lf_arena_printf(f->arena, "{'lead':{'company':{'employees':%d}}}", i));
        struct lf_scoring scoring;
        struct lf_stored_score stored;
        const struct lf_stored_score *scores[] = {&stored};

        OK(lf_scoring_run(f->arena, profiles, &request, NOW_MS, &scoring, &f->error));
        OK(lf_scoring_record(f->arena, &scoring, keeping(f, LF_KEPT_WHOLE, ""), &stored, &f->error));
        assert_true(lf_ulid_next(&f->mint, NOW_MS, &stored.id));
        OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, NULL, &f->error));
    }
    lf_profiles_destroy(profiles);
    close_store(f);
    OK(lf_service_start(&options, &trial.service, &f->error));
    TRY_CHANGE(&trial, draft_first, draft_second);
    TRY_CHANGE(&trial, draft_first, publish_draft);
    TRY_CHANGE(&trial, activate_first, activate_second);
    TRY_CHANGE(&trial, have_archived, restore);
    TRY_CHANGE(&trial, list_first, list_second);
    TRY_CHANGE(&trial, list_first, patch_list);
    TRY_CHANGE(&trial, list_first, delete_list);
    TRY_CHANGE(&trial, nothing_needed, create_key);
    lf_service_stop(trial.service);
    open_store(f);
}

static int
group_setup(void **state)
{
    lf_log_set_level(LF_LOG_ERROR); /* what cannot be done for lack of memory is logged, on purpose */
    return support_group_setup(state);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        STORE_TEST(test_loading),
        STORE_TEST(test_scoring),
        STORE_TEST(test_service),
        STORE_TEST(test_changes),
    };

    return cmocka_run_group_tests(TESTS, group_setup, NULL);
}
