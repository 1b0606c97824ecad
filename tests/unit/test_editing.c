/* test_editing.c - drafts, publications, API keys: live at once and whole, or not at all. */
#include "editing_fixture.h"

#define OTHER_ATTRIBUTES                                                                                \
    "'summary':'changed','attributes':[{'key':'size','label':'Company size','category':'firmographic'," \
    "'weight':20,'rules':[{'when':{'field':'company.employees','gte':5},'label':'five and more'}]}]"

/* ---- drafts ---- */

static enum lf_status
try_put_draft(struct editing *e, const char *key, const char *text, const struct lf_precondition *precondition,
              struct lf_stored_draft *ret_draft, bool *ret_created)
{
    struct lf_change change = by_key(NOW_MS + 5);

    lf_findings_init(&e->findings, e->arena);
    e->error.status = LF_OK;
    return lf_edit_put_draft(e->service, e->arena, key, text, strlen(text), precondition, &change, &e->findings,
                             ret_draft, ret_created, &e->error);
}

/* What is told of the draft is what the store says of it. */
static void
assert_draft_is_stored(struct editing *e, const struct lf_stored_draft *told)
{
    struct lf_store_reader *reader = NULL;
    struct lf_stored_draft draft;

    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    OK(lf_store_draft(reader, e->arena, told->icp, &draft, &e->error));
    lf_service_return_reader(e->service, reader);
    assert_string_equal(told->icp, draft.icp);
    assert_int_equal(told->document_len, draft.document_len);
    assert_memory_equal(told->document, draft.document, draft.document_len);
    assert_memory_equal(told->hash, draft.hash, sizeof draft.hash);
    assert_string_equal(told->etag, draft.etag);
    assert_string_equal(told->updated_by, draft.updated_by);
    assert_int_equal(told->updated_at_ms, draft.updated_at_ms);
    assert_int_equal(told->next_version, draft.next_version);
    assert_int_equal(told->active_version, draft.active_version);
}

static void
test_put_draft(void **state)
{
    struct editing *e = *state;
    const char *first = definition(e->f, "one", "core", PLAIN_ATTRIBUTES);
    const char *second = definition(e->f, "one", "experimental", OTHER_ATTRIBUTES);
    struct lf_stored_draft draft, kept;
    struct lf_publication publication;
    struct lf_precondition meant = {.etag_count = 1};
    const char *etag = kept.etag;
    bool created = false;

    begin_editing(e);
    OK(try_put_draft(e, "one", first, &NOTHING_SAID, &kept, &created));
    assert_true(created);
    assert_draft_is_stored(e, &kept);
    assert_int_equal(live_version(e, "one"), 0);
    meant.etags = &etag;

    created = true;
    FAILS(try_put_draft(e, "one", second, &NOTHING_SAID, &draft, &created), LF_PRECONDITION_REQUIRED);
    OK(try_put_draft(e, "one", second, &meant, &draft, &created));
    assert_false(created);
    assert_draft_is_stored(e, &draft);
    assert_string_not_equal(draft.etag, kept.etag);
    FAILS(try_put_draft(e, "one", first, &meant, &draft, &created), LF_PRECONDITION_FAILED);

    /* Beside a version that is active. */
    OK(try_publish(e, "one", &ANY, -1, &publication));
    OK(try_put_draft(e, "one", first, &NOTHING_SAID, &draft, &created));
    assert_true(created);
    assert_int_equal(draft.active_version, 1);
    assert_draft_is_stored(e, &draft);
    assert_int_equal(live_version(e, "one"), 1);
}

/* Everything that is wrong with it, that it is another ICP's being one such thing; and nothing is kept. */
static void
test_put_invalid_draft(void **state)
{
    struct editing *e = *state;
    static const struct {
        const char *text, *pointers; /* each with a comma */
        enum lf_status status;
    } ROWS[] = {
        {"{'key':'two','name':'N','framework':'pain_points'," PLAIN_ATTRIBUTES "}", "/key,", LF_INVALID_DEFINITION},
        {"{'key':'two','name':'','framework':'pain_points'," PLAIN_ATTRIBUTES "}", "/name,/key,",
         LF_INVALID_DEFINITION},
        {"{'key':'one','name':'','framework':'pain_points'," PLAIN_ATTRIBUTES "}", "/name,", LF_INVALID_DEFINITION},
        {"{'key':'T W O','name':'N','framework':'pain_points'," PLAIN_ATTRIBUTES "}", "/key,", LF_INVALID_DEFINITION},
        {"{'key':2,'name':'N','framework':'pain_points'," PLAIN_ATTRIBUTES "}", "/key,", LF_INVALID_DEFINITION},
        {"{'name':'N','framework':'pain_points'," PLAIN_ATTRIBUTES "}", "/key,", LF_INVALID_DEFINITION},
        {"[]", ",", LF_INVALID_DEFINITION},
        {"{", "", LF_INVALID_JSON},
    };
    const char *before = NULL;

    begin_editing(e);
    before = stored(e);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_stored_draft draft;
        bool created = false;
        const char *pointers = "";

        FAILS(try_put_draft(e, "one", support_quoted(e->arena, ROWS[i].text), &NOTHING_SAID, &draft, &created),
              ROWS[i].status);
        for (size_t n = 0; n < e->findings.count; n++)
            pointers = lf_arena_printf(e->arena, "%s%s,", pointers, e->findings.items[n].pointer);
        assert_string_equal(pointers, ROWS[i].pointers);
        assert_string_equal(stored(e), before);
    }
    assert_int_equal(atomic_load(&gate.writes), 0);
}

static void
test_delete_draft(void **state)
{
    struct editing *e = *state;
    struct lf_change change = by_key(NOW_MS);
    const char *etag = NULL;
    struct lf_precondition meant = {.etags = &etag, .etag_count = 1};
    struct lf_live_set *before = NULL;

    publish_icp(e->f, "one", "core", PLAIN_ATTRIBUTES, 1);
    begin_editing(e);
    before = acquire(e);
    FAILS(lf_edit_delete_draft(e->service, "none", &NOTHING_SAID, &change, &e->error), LF_ICP_NOT_FOUND);
    FAILS(lf_edit_delete_draft(e->service, "one", &NOTHING_SAID, &change, &e->error), LF_DRAFT_NOT_FOUND);
    etag = put_draft(e, "one", OTHER_ATTRIBUTES);
    (void)put_draft(e, "one", PLAIN_ATTRIBUTES);
    FAILS(lf_edit_delete_draft(e->service, "one", &meant, &change, &e->error), LF_PRECONDITION_FAILED);
    OK(lf_edit_delete_draft(e->service, "one", &NOTHING_SAID, &change, &e->error));
    (void)put_draft(e, "fresh", PLAIN_ATTRIBUTES);
    OK(lf_edit_delete_draft(e->service, "fresh", &ANY, &change, &e->error));
    assert_int_equal(int_of(e, "SELECT count(*) FROM draft"), 0);
    assert_int_equal(int_of(e, "SELECT count(*) FROM icp"), 1);
    /* No draft is any matter of the live set. */
    release(e, before);
    assert_ptr_equal(acquire(e), before);
    release(e, before);
}

/* ---- publishing ---- */

static void
test_publish(void **state)
{
    struct editing *e = *state;
    struct lf_publication publication;
    struct lf_live_set *old = NULL, *now = NULL;
    const char *etag = NULL;
    struct lf_precondition meant = {.etags = &etag, .etag_count = 1};

    publish_icp(e->f, "one", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(e->f, "two", "core", PLAIN_ATTRIBUTES, 1);
    begin_editing(e);
    old = acquire(e);
    etag = put_draft(e, "one", OTHER_ATTRIBUTES);
    OK(try_publish(e, "one", &meant, -1, &publication));
    assert_int_equal(publication.version, 2);
    assert_int_equal(publication.at_ms, NOW_MS);
    assert_false(publication.unchanged);

    /* Whoever comes now has it; who was there before goes on with what he has. */
    now = acquire(e);
    assert_ptr_not_equal(now, old);
    assert_int_equal(live_version(e, "one"), 2);
    assert_int_equal(live_version(e, "two"), 1);
    assert_memory_equal(now->profiles->items[0].icp->hash, publication.hash, LF_SHA256_SIZE);
    assert_int_equal(old->profiles->items[0].version, 1);
    assert_string_equal(old->profiles->items[0].icp->summary, "");
    assert_int_equal(atomic_load(&old->readers), 1);
    assert_ptr_equal(now->profiles->lists[0], old->profiles->lists[0]); /* unchanged, and shared */
    release(e, old);
    assert_true(lf_named_list_has(now->profiles->lists[0], (struct lf_text){"rival.example", 13}));
    release(e, now);

    assert_live_is_stored(e);
    assert_int_equal(int_of(e, "SELECT count(*) FROM draft"), 0);
    FAILS(try_publish(e, "one", &meant, -1, &publication), LF_DRAFT_NOT_FOUND);
    /* One that nobody had before. */
    publish_new(e, "three", PLAIN_ATTRIBUTES, 1);
    assert_int_equal(live_version(e, "three"), 1);
    /* The same definition once more is a version, too. */
    publish_new(e, "three", PLAIN_ATTRIBUTES, 2);
    assert_int_equal(live_version(e, "three"), 2);
    assert_live_is_stored(e);
}

/* What is refused, in this order of weight; nothing of it changes anything. */
static void
test_publish_refused(void **state)
{
    struct editing *e = *state;
    static const char UNKNOWN_LIST[] =
        "'attributes':[{'key':'a','label':'A','category':'need','weight':10,'rules':[{'when':{'field':'f',"
        "'in_list':'nowhere'}}]},{'key':'b','label':'B','category':'need','weight':10,'rules':[{'when':{'field':'g',"
        "'between':[5,1]}}]}]";
    static const char *const STALE = "\"d1-0000000000000000\"";
    static const struct lf_precondition WRONG = {.etags = &STALE, .etag_count = 1}, ABSENT = {.absent = true};
    struct lf_change change = by_key(NOW_MS);
    struct lf_publication publication;
    struct lf_live_set *before = NULL;
    const char *was = NULL;

    publish_icp(e->f, "bare", "core", PLAIN_ATTRIBUTES, 1);
    begin_editing(e);
    (void)put_draft(e, "kept", UNKNOWN_LIST);
    (void)put_draft(e, "gone", UNKNOWN_LIST);
    OK(lf_edit_set_archived(e->service, e->arena, "gone", true, &change, &e->error));
    was = stored(e);
    before = acquire(e);

    FAILS(try_publish(e, "none", &NOTHING_SAID, -1, &publication), LF_ICP_NOT_FOUND);
    FAILS(try_publish(e, "bare", &NOTHING_SAID, -1, &publication), LF_DRAFT_NOT_FOUND);
    FAILS(try_publish(e, "gone", &NOTHING_SAID, -1, &publication), LF_ICP_ARCHIVED);
    FAILS(try_publish(e, "gone", &ANY, -1, &publication), LF_ICP_ARCHIVED);
    FAILS(try_publish(e, "kept", &NOTHING_SAID, -1, &publication), LF_PRECONDITION_REQUIRED);
    FAILS(try_publish(e, "kept", &WRONG, -1, &publication), LF_PRECONDITION_FAILED);
    FAILS(try_publish(e, "kept", &ABSENT, -1, &publication), LF_PRECONDITION_FAILED);
    assert_int_equal(e->findings.count, 0);
    FAILS(try_publish(e, "kept", &ANY, -1, &publication), LF_LINT_ERRORS);
    assert_non_null(strstr(e->error.detail, "2 errors"));
    assert_int_equal(e->findings.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct lf_finding *finding = &e->findings.items[i];
        bool list = strcmp(finding->code, "unknown_list") == 0;

        assert_true(list || strcmp(finding->code, "impossible_condition") == 0);
        assert_memory_equal(finding->pointer, list ? "/attributes/0/rules/0" : "/attributes/1/rules/0", 21);
        assert_true(strlen(finding->detail) > 10);
    }
    assert_string_equal(stored(e), was);
    release(e, before);
    assert_ptr_equal(acquire(e), before);
    release(e, before);
}

/* ---- the guard ---- */

/* Records leads of so many people each through the service, scored under what is live. */
struct recorded {
    atomic_int done;
};

static void
count_done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct recorded *recorded = job->data;

    (void)error;
    assert_int_equal(status, LF_OK);
    atomic_fetch_add(&recorded->done, 1);
}

static void
record_leads(struct editing *e, const int *employees, size_t count)
{
    struct recorded recorded;
    struct lf_record_job *jobs = lf_arena_calloc(e->arena, count, sizeof *jobs);

    atomic_init(&recorded.done, 0);
    for (size_t i = 0; i < count; i++) {
        struct lf_live_set *set = acquire(e);
        struct lf_score_request request = request_of(
            e->f, lf_arena_printf(e->arena, "{'lead':{'id':'L%zu','company':{'employees':%d}}}", i, employees[i]));
        struct lf_scoring scoring;

        OK(lf_scoring_run(e->arena, set->profiles, &request, NOW_MS, &scoring, &e->error));
        OK(lf_scoring_record(e->arena, &scoring, lf_service_privacy(e->service), &jobs[i].score, &e->error));
        jobs[i].done = count_done;
        jobs[i].data = &recorded;
        OK(lf_recorder_submit(lf_service_recorder(e->service), &jobs[i], &e->error));
        release(e, set);
    }
    for (int waited = 0; atomic_load(&recorded.done) < (int)count; waited += 2) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(2);
    }
}

/* One lead of eight changes its grade: 12.5 %. */
static void
test_guard(void **state)
{
    struct editing *e = *state;
    static const char ACTIVE[] =
        "'attributes':[{'key':'size','label':'Size','category':'firmographic','weight':10,'rules':["
        "{'when':{'field':'company.employees','gte':100}}]}]";
    static const char DRAFT[] =
        "'attributes':[{'key':'size','label':'Size','category':'firmographic','weight':10,'rules':["
        "{'when':{'field':'company.employees','gte':200}}]}]";
    static const int EMPLOYEES[] = {1, 2, 3, 150, 200, 300, 400, 500};
    struct lf_publication publication;
    struct lf_live_set *before = NULL;
    const char *was = NULL;

    begin_editing(e);
    /* Where nothing is active nothing changes. */
    (void)put_draft(e, "one", ACTIVE);
    OK(try_publish(e, "one", &ANY, 0, &publication));
    record_leads(e, EMPLOYEES, sizeof EMPLOYEES / sizeof *EMPLOYEES);
    (void)put_draft(e, "one", DRAFT);
    was = stored(e);
    before = acquire(e);
    FAILS(try_publish(e, "one", &ANY, 0, &publication), LF_GRADE_CHANGE_TOO_LARGE);
    FAILS(try_publish(e, "one", &ANY, 1249, &publication), LF_GRADE_CHANGE_TOO_LARGE);
    assert_string_equal(e->error.detail, "12.5 % of the latest 8 leads would change their grade, more than the 12.49 %"
                                         " allowed; see GET /v1/icps/one/draft/impact");
    assert_string_equal(stored(e), was);
    release(e, before);
    assert_ptr_equal(acquire(e), before);
    release(e, before);
    OK(try_publish(e, "one", &ANY, 1250, &publication));
    assert_int_equal(publication.version, 2);
    assert_int_equal(live_version(e, "one"), 2);
    /* The same again changes no lead. */
    (void)put_draft(e, "one", DRAFT);
    OK(try_publish(e, "one", &ANY, 0, &publication));
}

/* ---- activating, archiving ---- */

static void
test_activate(void **state)
{
    struct editing *e = *state;
    struct lf_change change = by_key(NOW_MS + 9);
    struct lf_publication publication;
    struct lf_live_set *before = NULL;
    const char *was = NULL;

    publish_icp(e->f, "one", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(e->f, "one", "core", OTHER_ATTRIBUTES, 2);
    publish_icp(e->f, "gone", "core", PLAIN_ATTRIBUTES, 1);
    archive_icp(e->f, "gone");
    begin_editing(e);
    OK(lf_edit_activate(e->service, e->arena, "one", 1, &change, &publication, &e->error));
    assert_int_equal(publication.version, 1);
    assert_int_equal(publication.at_ms, NOW_MS + 9);
    assert_false(publication.unchanged);
    assert_int_equal(live_version(e, "one"), 1);
    assert_live_is_stored(e);
    before = acquire(e);
    assert_memory_equal(before->profiles->items[0].icp->hash, publication.hash, LF_SHA256_SIZE);
    was = stored(e);

    OK(lf_edit_activate(e->service, e->arena, "one", 1, &change, &publication, &e->error));
    assert_true(publication.unchanged);
    assert_memory_equal(before->profiles->items[0].icp->hash, publication.hash, LF_SHA256_SIZE);
    FAILS(lf_edit_activate(e->service, e->arena, "one", 3, &change, &publication, &e->error), LF_VERSION_NOT_FOUND);
    FAILS(lf_edit_activate(e->service, e->arena, "none", 1, &change, &publication, &e->error), LF_ICP_NOT_FOUND);
    FAILS(lf_edit_activate(e->service, e->arena, "gone", 1, &change, &publication, &e->error), LF_ICP_ARCHIVED);
    assert_string_equal(stored(e), was);
    release(e, before);
    assert_ptr_equal(acquire(e), before);
    release(e, before);

    OK(lf_edit_activate(e->service, e->arena, "one", 2, &change, &publication, &e->error));
    assert_int_equal(live_version(e, "one"), 2);
    assert_live_is_stored(e);
}

static void
test_archive(void **state)
{
    struct editing *e = *state;
    struct lf_change change = by_key(NOW_MS);
    const char *was = NULL;

    publish_icp(e->f, "one", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(e->f, "two", "core", PLAIN_ATTRIBUTES, 1);
    begin_editing(e);
    for (int round = 0; round < 2; round++) {
        for (int twice = 0; twice < 2; twice++) {
            OK(lf_edit_set_archived(e->service, e->arena, "one", true, &change, &e->error));
            assert_int_equal(live_version(e, "one"), -1);
            assert_int_equal(live_version(e, "two"), 1);
            assert_live_is_stored(e);
            if (twice == 0)
                was = stored(e);
        }
        assert_string_equal(stored(e), was);
        for (int twice = 0; twice < 2; twice++) {
            OK(lf_edit_set_archived(e->service, e->arena, "one", false, &change, &e->error));
            assert_int_equal(live_version(e, "one"), 1);
            assert_live_is_stored(e);
        }
    }
    FAILS(lf_edit_set_archived(e->service, e->arena, "none", true, &change, &e->error), LF_ICP_NOT_FOUND);

    /* One that was never published is known as archived, until it is restored, or gone with its draft. */
    (void)put_draft(e, "fresh", PLAIN_ATTRIBUTES);
    OK(lf_edit_set_archived(e->service, e->arena, "fresh", true, &change, &e->error));
    assert_int_equal(live_version(e, "fresh"), -1);
    OK(lf_edit_set_archived(e->service, e->arena, "fresh", false, &change, &e->error));
    assert_int_equal(live_version(e, "fresh"), 0);
    OK(lf_edit_set_archived(e->service, e->arena, "fresh", true, &change, &e->error));
    OK(lf_edit_delete_draft(e->service, "fresh", &NOTHING_SAID, &change, &e->error));
    assert_int_equal(live_version(e, "fresh"), 0);
    assert_live_is_stored(e);
}

/* ---- a commit that fails ---- */

static void
test_failing_commits(void **state)
{
    struct editing *e = *state;
    static const char *const VERBS[] = {"put_draft",    "delete_draft", "publish_draft", "activate",
                                        "set_archived", "create_key",   "revoke_key"};
    struct lf_change change = by_key(NOW_MS);
    struct lf_stored_draft draft;
    struct lf_publication publication;
    struct lf_stored_key key, other;
    char text[LF_API_KEY_TEXT_MAX], made[LF_API_KEY_TEXT_MAX];
    const char *definition_text = definition(e->f, "one", "core", PLAIN_ATTRIBUTES), *was = NULL;
    struct lf_live_set *before = NULL;
    bool created = false;

    publish_icp(e->f, "one", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(e->f, "one", "core", OTHER_ATTRIBUTES, 2);
    put_key(e->f, LF_SCOPE_SCORE, 0, text, &key);
    begin_editing(e);
    (void)put_draft(e, "one", PLAIN_ATTRIBUTES);
    was = stored(e);
    before = acquire(e);
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        char id[LF_API_KEY_ID_MAX + 1];
        uint32_t scopes = 0;
        enum lf_status status = LF_OK;

        gate_refuse(VERBS[i], 0);
        switch (i) {
        case 0:
            status = try_put_draft(e, "one", definition_text, &ANY, &draft, &created);
            break;
        case 1:
            status = lf_edit_delete_draft(e->service, "one", &ANY, &change, &e->error);
            break;
        case 2:
            status = try_publish(e, "one", &ANY, -1, &publication);
            break;
        case 3:
            status = lf_edit_activate(e->service, e->arena, "one", 1, &change, &publication, &e->error);
            break;
        case 4:
            status = lf_edit_set_archived(e->service, e->arena, "one", true, &change, &e->error);
            break;
        case 5:
            memset(made, 0, sizeof made);
            status = lf_edit_create_key(e->service, "n", LF_SCOPE_SCORE, 0, &change, &other, made, &e->error);
            assert_string_equal(made, "");
            break;
        default:
            status = lf_edit_revoke_key(e->service, key.id, &change, &e->error);
            break;
        }
        FAILS(status, LF_STORAGE_FULL);
        assert_non_null(strstr(e->error.detail, VERBS[i]));
        assert_string_equal(stored(e), was);
        assert_ptr_equal(acquire(e), before);
        release(e, before);
        assert_int_equal(lf_service_admit(e->service, text, id, &scopes), LF_OK);
        assert_int_equal(lf_keyring_live(lf_service_keyring(e->service), NOW_MS), 1);
    }
    release(e, before);
    /* Afterwards all is as if nothing had been. */
    gate_refuse(NULL, 0);
    OK(try_publish(e, "one", &ANY, -1, &publication));
    assert_int_equal(publication.version, 3);
    assert_live_is_stored(e);
}

/* ---- API keys ---- */

static void
test_keys(void **state)
{
    struct editing *e = *state;
    struct lf_change change = by_key(NOW_MS);
    struct lf_stored_key key, found;
    char text[LF_API_KEY_TEXT_MAX], id[LF_API_KEY_ID_MAX + 1];
    uint32_t scopes = 0;
    struct lf_store_reader *reader = NULL;
    struct lf_stored_key *keys = NULL;
    size_t count = 0;

    begin_editing(e);
    for (int i = 0; i < 3; i++) { /* several of one name, as in a rotation */
        OK(lf_edit_create_key(e->service, "crm", LF_SCOPE_SCORE | LF_SCOPE_ICP_WRITE, 0, &change, &key, text,
                              &e->error));
        assert_string_equal(key.name, "crm");
        assert_int_equal(key.created_at_ms, NOW_MS);
        assert_int_equal(lf_service_admit(e->service, text, id, &scopes), LF_OK);
        assert_string_equal(id, key.id);
        assert_int_equal(scopes, LF_SCOPE_SCORE | LF_SCOPE_ICP_WRITE | LF_SCOPE_ICP_READ);
    }
    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    OK(lf_store_keys(reader, e->arena, &keys, &count, &e->error));
    lf_service_return_reader(e->service, reader);
    assert_int_equal(count, 3);

    FAILS(lf_edit_revoke_key(e->service, "unknown0", &change, &e->error), LF_KEY_NOT_FOUND);
    OK(lf_edit_revoke_key(e->service, key.id, &change, &e->error));
    assert_int_equal(lf_service_admit(e->service, text, id, &scopes), LF_UNAUTHORIZED);
    change.at_ms += 50;
    OK(lf_edit_revoke_key(e->service, key.id, &change, &e->error));
    assert_true(lf_keyring_find(lf_service_keyring(e->service), key.id, &found));
    assert_int_equal(found.revoked_at_ms, NOW_MS);
    assert_int_equal(lf_keyring_live(lf_service_keyring(e->service), NOW_MS), 2);
    assert_int_equal(int_of(e, "SELECT count(*) FROM audit WHERE action = 'key.revoke'"), 1);

    /* A start finds them as they were left. */
    lf_service_stop(e->service);
    start_service(e);
    assert_int_equal(lf_service_admit(e->service, text, id, &scopes), LF_UNAUTHORIZED);
    assert_int_equal(lf_keyring_live(lf_service_keyring(e->service), NOW_MS), 2);
    assert_int_equal(int_of(e, "SELECT count(*) FROM api_key WHERE last_used_at_ms > 0"), 3);
}

/* ---- the log ---- */

/* One line a change, which names no person and no note. */
static void
test_logged(void **state)
{
    struct editing *e = *state;
    static const char *const LINES[] = {
        "action=draft.put subject=one by=k1234567\n",
        "action=publish subject=one version=1 by=k1234567\n",
        "action=activate subject=one version=1 by=k1234567\n",
        "action=archive subject=one by=k1234567\n",
        "action=restore subject=one by=k1234567\n",
        "action=draft.delete subject=one by=k1234567\n",
        "action=key.create subject=",
        "action=key.revoke subject=",
    };
    struct lf_change change = by_key(NOW_MS);
    struct lf_publication publication;
    struct lf_stored_key key;
    char text[LF_API_KEY_TEXT_MAX];
    const char *lines = NULL;

    begin_editing(e);
    (void)logged();
    publish_new(e, "one", PLAIN_ATTRIBUTES, 1);
    publish_new(e, "one", OTHER_ATTRIBUTES, 2);
    OK(lf_edit_activate(e->service, e->arena, "one", 1, &change, &publication, &e->error));
    OK(lf_edit_activate(e->service, e->arena, "one", 1, &change, &publication, &e->error)); /* no change: no line */
    for (int twice = 0; twice < 2; twice++)
        OK(lf_edit_set_archived(e->service, e->arena, "one", true, &change, &e->error));
    for (int twice = 0; twice < 2; twice++)
        OK(lf_edit_set_archived(e->service, e->arena, "one", false, &change, &e->error));
    (void)put_draft(e, "one", PLAIN_ATTRIBUTES);
    OK(lf_edit_delete_draft(e->service, "one", &ANY, &change, &e->error));
    FAILS(lf_edit_delete_draft(e->service, "one", &ANY, &change, &e->error), LF_DRAFT_NOT_FOUND);
    OK(lf_edit_create_key(e->service, "crm", LF_SCOPE_SCORE, 0, &change, &key, text, &e->error));
    OK(lf_edit_revoke_key(e->service, key.id, &change, &e->error));
    lines = logged();
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
        if (strstr(lines, LINES[i]) == NULL)
            fail_msg("not logged: %s in %s", LINES[i], lines);
    {
        int count = 0;

        for (const char *at = lines; (at = strstr(at, " info changed ")) != NULL; at++)
            count++;
        assert_int_equal(count, 3 + 2 + 1 + 2 + 1 + 2);
    }
    assert_null(strstr(lines, "secret"));
    assert_null(strstr(lines, "the name"));
    assert_null(strstr(lines, "crm"));
    assert_null(strstr(lines, text + 11));
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        EDITING_TEST(test_put_draft),       EDITING_TEST(test_put_invalid_draft),
        EDITING_TEST(test_delete_draft),    EDITING_TEST(test_publish),
        EDITING_TEST(test_publish_refused), EDITING_TEST(test_guard),
        EDITING_TEST(test_activate),        EDITING_TEST(test_archive),
        EDITING_TEST(test_failing_commits), EDITING_TEST(test_keys),
        EDITING_TEST(test_logged),
    };

    return cmocka_run_group_tests(TESTS, editing_group_setup, NULL);
}
