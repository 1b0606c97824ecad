/* test_editing_lists.c - named lists through the service: live at once, in slices, or not at all. */
#include "core/named_list.h"
#include "editing_fixture.h"

enum { SLICE = 2000 };

/* ---- short ways ---- */

static struct lf_text *
texts_of(struct editing *e, const char *const *texts, size_t count)
{
    struct lf_text *made = lf_arena_calloc(e->arena, count, sizeof *made);

    assert_non_null(made);
    for (size_t i = 0; i < count; i++)
        made[i] = (struct lf_text){texts[i], strlen(texts[i])};
    return made;
}

/* Texts between the separators. */
static struct lf_text *
split(struct editing *e, const char *text, size_t *ret_count)
{
    const char *texts[64];
    char *copy = lf_arena_copy(e->arena, text, strlen(text)), *rest = copy;

    *ret_count = 0;
    if (text[0] == '\0')
        return texts_of(e, texts, 0);
    for (const char *word = NULL; (word = strsep(&rest, ",")) != NULL;)
        texts[(*ret_count)++] = word;
    return texts_of(e, texts, *ret_count);
}

static enum lf_status
put(struct editing *e, const char *key, const char *text, const struct lf_precondition *precondition,
    struct lf_list_edit *ret_edit)
{
    struct lf_change change = by_key(NOW_MS);
    size_t count = 0;
    struct lf_text *texts = split(e, text, &count);

    e->error.status = LF_OK;
    return lf_edit_put_list(e->service, e->arena, key, texts, count, precondition, &change, ret_edit, &e->error);
}

static enum lf_status
patch(struct editing *e, const char *key, const char *add, const char *remove,
      const struct lf_precondition *precondition, struct lf_list_edit *ret_edit)
{
    struct lf_change change = by_key(NOW_MS);
    size_t added = 0, removed = 0;
    struct lf_text *adds = split(e, add, &added), *removes = split(e, remove, &removed);

    e->error.status = LF_OK;
    return lf_edit_patch_list(e->service, e->arena, key, adds, added, removes, removed, precondition, &change, ret_edit,
                              &e->error);
}

static enum lf_status delete (struct editing *e, const char *key, const struct lf_precondition *precondition) {
    struct lf_change change = by_key(NOW_MS);

    e->error.status = LF_OK;
    return lf_edit_delete_list(e->service, e->arena, key, precondition, &change, &e->error);
}

/* ---- what there is ---- */

struct listing {
    struct lf_buf buf;
    const struct lf_named_list *live; /* which has to have each of them */
};

static enum lf_status
list_entry(void *context, const struct lf_list_entry *entry)
{
    struct listing *listing = context;

    lf_buf_add(&listing->buf, entry->text, entry->len);
    lf_buf_lit(&listing->buf, ",");
    assert_true(lf_named_list_has(listing->live, (struct lf_text){entry->folded, entry->folded_len}));
    return LF_OK;
}

/* The entries in the store, each with a comma; that the live list is the same; and that the edit tells of it. */
static const char *
entries(struct editing *e, const char *key, const struct lf_list_edit *edit)
{
    struct lf_store_reader *reader = NULL;
    struct lf_stored_list list;
    struct lf_live_set *set = acquire(e);
    struct listing listing = {.live = lf_profiles_find_list(set->profiles, key)};
    const char *text = NULL;

    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    OK(lf_store_list(reader, e->arena, key, &list, &e->error));
    assert_non_null(listing.live);
    assert_string_equal(edit->list.key, key);
    assert_string_equal(edit->list.etag, list.etag);
    assert_int_equal(edit->list.count, list.count);
    assert_int_equal(edit->list.revision, list.revision);
    assert_int_equal(edit->list.updated_at_ms, list.updated_at_ms);
    assert_int_equal(listing.live->revision, list.revision);
    assert_int_equal(listing.live->count, list.count);
    lf_buf_init(&listing.buf, e->arena, 1 << 20);
    OK(lf_store_each_list_entry(reader, list.generation, list_entry, &listing, &e->error));
    lf_service_return_reader(e->service, reader);
    release(e, set);
    text = lf_buf_terminate(&listing.buf);
    assert_non_null(text);
    return text;
}

static bool
is_live(struct editing *e, const char *key)
{
    struct lf_live_set *set = acquire(e);
    bool live = lf_profiles_find_list(set->profiles, key) != NULL;

    release(e, set);
    return live;
}

/* Until so many entries are left of all generations. */
static void
await_items(struct editing *e, int64_t items)
{
    for (int waited = 0; int_of(e, "SELECT count(*) FROM list_item") != items; waited += 5) {
        if (waited >= PATIENCE_MS)
            fail_msg("never %d entries, but %d", (int)items, (int)int_of(e, "SELECT count(*) FROM list_item"));
        pause_ms(5);
    }
}

/* Whether the lead of that domain is disqualified, as a score that begins now would say. */
static bool
is_competitor(struct editing *e, const char *domain)
{
    struct lf_live_set *set = acquire(e);
    struct lf_score_request request =
        request_of(e->f, lf_arena_printf(e->arena, "{'lead':{'company':{'domain':'%s'}},'icps':['one']}", domain));
    struct lf_scoring scoring;
    bool disqualified = false;

    OK(lf_scoring_run(e->arena, set->profiles, &request, NOW_MS, &scoring, &e->error));
    disqualified = scoring.results[0].outcome->disqualifiers[0] == LF_VERDICT_TRUE;
    release(e, set);
    return disqualified;
}

/* ---- putting ---- */

static void
test_put(void **state)
{
    struct editing *e = *state;
    struct lf_list_edit edit;
    struct lf_live_set *before = NULL;
    const char *was = NULL;

    publish_icp(e->f, "one", "core", PLAIN_ATTRIBUTES, 1);
    begin_editing(e);
    /* Folded alike is one, and the first one stays; what folds to nothing is passed over. */
    OK(put(e, "fresh", "b,  A ,a,,Z z, ,Z  Z,B", &NOTHING_SAID, &edit));
    assert_true(edit.created);
    assert_int_equal(edit.added, 3);
    assert_int_equal(edit.removed, 0);
    assert_int_equal(edit.list.revision, 1);
    assert_string_equal(entries(e, "fresh", &edit), "  A ,b,Z z,");

    /* The same again, in another order: nothing happens. */
    was = stored(e);
    before = acquire(e);
    OK(put(e, "fresh", "Z z,b,  A ", &NOTHING_SAID, &edit));
    assert_false(edit.created);
    assert_int_equal(edit.added, 0);
    assert_int_equal(edit.removed, 0);
    assert_string_equal(entries(e, "fresh", &edit), "  A ,b,Z z,");
    assert_string_equal(stored(e), was);
    release(e, before);
    assert_ptr_equal(acquire(e), before);
    release(e, before);

    OK(put(e, "fresh", "c", &NOTHING_SAID, &edit));
    assert_int_equal(edit.list.revision, 2);
    assert_int_equal(edit.added, 1);
    assert_int_equal(edit.removed, 3);
    assert_string_equal(entries(e, "fresh", &edit), "c,");
    OK(put(e, "fresh", "", &NOTHING_SAID, &edit));
    assert_int_equal(edit.removed, 1);
    assert_string_equal(entries(e, "fresh", &edit), "");
    await_items(e, 2); /* those of `competitors`: all else is swept */

    /* A score that begins afterwards sees it. */
    assert_true(is_competitor(e, "RIVAL.example"));
    assert_false(is_competitor(e, "new.example"));
    OK(put(e, "competitors", "New.Example", &NOTHING_SAID, &edit));
    assert_false(is_competitor(e, "rival.example"));
    assert_true(is_competitor(e, "new.example"));
    assert_live_is_stored(e);
}

/* What will be refused is refused before anything is written. */
static void
test_put_refused(void **state)
{
    struct editing *e = *state;
    struct lf_list_edit edit;
    static const char *const STALE = "\"l9-0000000000000000\"";
    static const struct lf_precondition WRONG = {.etags = &STALE, .etag_count = 1}, ABSENT = {.absent = true};
    struct lf_text *many = lf_arena_calloc(e->arena, LF_NAMED_LIST_ENTRIES_MAX + 1, sizeof *many);
    struct lf_change change = by_key(NOW_MS);
    struct lf_precondition right = {.etag_count = 1};
    const char *was = NULL, *etag = NULL;

    begin_editing(e);
    was = stored(e);
    FAILS(put(e, "competitors", "a", &WRONG, &edit), LF_PRECONDITION_FAILED);
    FAILS(put(e, "competitors", "a", &ABSENT, &edit), LF_PRECONDITION_FAILED);
    FAILS(put(e, "none", "a", &WRONG, &edit), LF_PRECONDITION_FAILED);
    FAILS(put(e, "none", "a", &ANY, &edit), LF_PRECONDITION_FAILED);
    for (size_t i = 0; i <= LF_NAMED_LIST_ENTRIES_MAX; i++)
        many[i] = (struct lf_text){"x", 1};
    FAILS(lf_edit_put_list(e->service, e->arena, "none", many, LF_NAMED_LIST_ENTRIES_MAX + 1, &NOTHING_SAID, &change,
                           &edit, &e->error),
          LF_CONFLICT);
    assert_non_null(strstr(e->error.detail, "1000000"));
    assert_int_equal(atomic_load(&gate.writes), 0);
    assert_string_equal(stored(e), was);
    OK(put(e, "none", "a", &ABSENT, &edit));
    OK(put(e, "none", "b", &ANY, &edit));
    etag = edit.list.etag;
    right.etags = &etag;
    OK(put(e, "none", "c", &right, &edit));
    assert_string_equal(entries(e, "none", &edit), "c,");
}

/* ---- patching ---- */

static void
test_patch(void **state)
{
    struct editing *e = *state;
    static const struct {
        const char *add, *remove;
        size_t added, removed;
        const char *entries;
    } ROWS[] = {
        {"c,d", "", 2, 0, "A,b,c,d,"}, {"C, B ,a", "", 0, 0, "A,b,c,d,"}, /* all there already */
        {"", "x,y", 0, 0, "A,b,c,d,"},                                    /* none there */
        {"", " a ,D", 0, 2, "b,c,"},   {"e,E,e", "c,C", 1, 1, "b,e,"},    /* each once */
        {"B", "b", 1, 1, "B,e,"},                                         /* first goes, then comes */
        {",  ", "", 0, 0, "B,e,"},                                        /* nothing at all */
        {"f", "", 1, 0, "B,e,f,"},     {"", "B,e,f", 0, 3, ""},           {"g", "", 1, 0, "g,"},
    };
    static const char *const STALE = "\"l9-0000000000000000\"";
    static const struct lf_precondition WRONG = {.etags = &STALE, .etag_count = 1};
    struct lf_list_edit edit;

    begin_editing(e);
    OK(put(e, "l", "A,b", &NOTHING_SAID, &edit));
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        int64_t revision = edit.list.revision;
        const char *was = stored(e);
        struct lf_live_set *before = acquire(e), *now = NULL;
        bool changes = ROWS[i].added + ROWS[i].removed > 0;

        FAILS(patch(e, "l", ROWS[i].add, ROWS[i].remove, &WRONG, &edit), LF_PRECONDITION_FAILED);
        assert_string_equal(stored(e), was);
        OK(patch(e, "l", ROWS[i].add, ROWS[i].remove, &ANY, &edit));
        assert_int_equal(edit.added, ROWS[i].added);
        assert_int_equal(edit.removed, ROWS[i].removed);
        assert_false(edit.created);
        assert_string_equal(entries(e, "l", &edit), ROWS[i].entries);
        assert_int_equal(edit.list.revision, revision + changes);
        now = acquire(e);
        assert_true((now != before) == changes);
        release(e, now);
        release(e, before);
        if (!changes)
            assert_string_equal(stored(e), was);
    }
    FAILS(patch(e, "none", "a", "", &NOTHING_SAID, &edit), LF_LIST_NOT_FOUND);
    assert_live_is_stored(e);

    /* A start finds what the patches came to. */
    lf_service_stop(e->service);
    start_service(e);
    assert_string_equal(entries(e, "l", &edit), "g,");
}

/* Random patches, against a set that is kept by hand. */
static void
test_patch_at_random(void **state)
{
    enum { WORDS = 60, PATCHES = 120 };
    struct editing *e = *state;
    struct support_random random = {.state = 20261122};
    bool there[WORDS] = {false};
    struct lf_list_edit edit;

    begin_editing(e);
    OK(put(e, "l", "", &NOTHING_SAID, &edit));
    for (int i = 0; i < PATCHES; i++) {
        const char *add = "", *remove = "", *expected = "";
        size_t added = 0, removed = 0;
        bool before[WORDS];

        for (uint32_t n = support_random(&random, 8); n > 0; n--) {
            uint32_t word = support_random(&random, WORDS);

            remove = lf_arena_printf(e->arena, "%s%sw%02u", remove, remove[0] != '\0' ? "," : "", word);
            removed += there[word];
            there[word] = false;
        }
        memcpy(before, there, sizeof before);
        for (uint32_t n = support_random(&random, 8); n > 0; n--) {
            uint32_t word = support_random(&random, WORDS);

            add = lf_arena_printf(e->arena, "%s%sw%02u", add, add[0] != '\0' ? "," : "", word);
            added += !there[word];
            there[word] = true;
        }
        OK(patch(e, "l", add, remove, &NOTHING_SAID, &edit));
        assert_int_equal(edit.added, added);
        assert_int_equal(edit.removed, removed);
        for (int word = 0; word < WORDS; word++)
            if (there[word])
                expected = lf_arena_printf(e->arena, "%sw%02d,", expected, word);
        assert_string_equal(entries(e, "l", &edit), expected);
    }
    assert_live_is_stored(e);
}

/* ---- deleting ---- */

static void
test_delete(void **state)
{
    struct editing *e = *state;
    static const char IN_RULE[] =
        "'attributes':[{'key':'a','label':'A','category':'need','weight':10,'rules':[{'when':{'all':[{'field':'x',"
        "'is':1},{'not':{'field':'f','in_list':'deep'}}]}}]}]";
    static const char NO_LIST[] =
        "'attributes':[{'key':'a','label':'A','category':'need','weight':10,'rules':[{'when':{'field':'f','is':1}}]}]";
    struct lf_change change = by_key(NOW_MS);
    struct lf_publication publication;
    struct lf_list_edit edit;
    const char *was = NULL, *stale = "\"l9-0000000000000000\"";
    struct lf_precondition wrong = {.etags = &stale, .etag_count = 1};

    publish_icp(e->f, "one", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(e->f, "two", "experimental", IN_RULE, 1);
    put_list(e->f, "deep", "x");
    put_list(e->f, "idle", "x");
    begin_editing(e);
    was = stored(e);
    FAILS(delete (e, "none", &NOTHING_SAID), LF_LIST_NOT_FOUND);
    FAILS(delete (e, "competitors", &NOTHING_SAID), LF_LIST_IN_USE);
    assert_non_null(strstr(e->error.detail, "\"one\""));
    assert_null(strstr(e->error.detail, "\"two\""));
    FAILS(delete (e, "deep", &NOTHING_SAID), LF_LIST_IN_USE);
    assert_non_null(strstr(e->error.detail, "\"two\""));
    FAILS(delete (e, "idle", &wrong), LF_PRECONDITION_FAILED);
    assert_string_equal(stored(e), was);
    assert_true(is_live(e, "idle"));

    OK(delete (e, "idle", &ANY));
    assert_false(is_live(e, "idle"));
    await_items(e, 4);
    FAILS(delete (e, "idle", &NOTHING_SAID), LF_LIST_NOT_FOUND);
    /* Once nothing that is active asks it, it may go: an archived ICP, or one whose other version is active. */
    OK(lf_edit_set_archived(e->service, e->arena, "two", true, &change, &e->error));
    OK(delete (e, "deep", &NOTHING_SAID));
    FAILS(lf_edit_set_archived(e->service, e->arena, "two", false, &change, &e->error), LF_CONFLICT);
    assert_non_null(strstr(e->error.detail, "\"deep\"")); /* nothing comes back without the lists it asks */
    publish_new(e, "one", NO_LIST, 2);
    OK(delete (e, "competitors", &NOTHING_SAID));
    FAILS(lf_edit_activate(e->service, e->arena, "one", 1, &change, &publication, &e->error), LF_CONFLICT);
    assert_non_null(strstr(e->error.detail, "\"competitors\""));
    await_items(e, 0);
    assert_live_is_stored(e);
    /* A list that comes back is a new one. */
    OK(put(e, "idle", "y", &NOTHING_SAID, &edit));
    assert_true(edit.created);
    assert_string_equal(entries(e, "idle", &edit), "y,");
}

/* Of many that ask it a few are named. */
static void
test_delete_asked_by_many(void **state)
{
    struct editing *e = *state;

    for (int i = 0; i < 40; i++)
        publish_icp(e->f,
                    lf_arena_printf(e->arena, "icp-%02d-with-a-key-that-is-as-long-as-keys-may-be-xxxxxxxxxxxxx", i),
                    "core", PLAIN_ATTRIBUTES, 1);
    begin_editing(e);
    FAILS(delete (e, "competitors", &NOTHING_SAID), LF_LIST_IN_USE);
    assert_non_null(strstr(e->error.detail, "40 active ICPs"));
    assert_non_null(strstr(e->error.detail, "icp-00-"));
    assert_non_null(strstr(e->error.detail, "and 37 more"));
}

/* ---- commits that fail ---- */

/* A text list of many entries, longer than a slice. */
static struct lf_text *
many_texts(struct editing *e, size_t count)
{
    struct lf_text *texts = lf_arena_calloc(e->arena, count, sizeof *texts);

    assert_non_null(texts);
    for (size_t i = 0; i < count; i++) {
        /* In no order, so that sorting has something to do. */
        char *text = lf_arena_printf(e->arena, "N%07zu.example", i * 7919 % count);

        assert_non_null(text);
        texts[i] = (struct lf_text){text, strlen(text)};
    }
    return texts;
}

/* Wherever it fails, nothing is changed, and what was written is swept. */
static void
test_failing_put(void **state)
{
    enum { ENTRIES = 4 * SLICE + 1 };
    struct editing *e = *state;
    static const struct {
        const char *verb;
        int let_through;
    } ROWS[] = {
        {"begin_list", 0}, {"add_list_entries", 0}, {"add_list_entries", 3}, {"add_list_entries", 4}, {"put_list", 0}};
    struct lf_text *texts = many_texts(e, ENTRIES);
    struct lf_change change = by_key(NOW_MS);
    struct lf_list_edit edit;

    begin_editing(e);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (int fresh = 0; fresh < 2; fresh++) {
            struct lf_live_set *before = acquire(e);
            const char *was = stored(e);

            gate_refuse(ROWS[i].verb, ROWS[i].let_through);
            FAILS(lf_edit_put_list(e->service, e->arena, fresh ? "fresh" : "competitors", texts, ENTRIES, &NOTHING_SAID,
                                   &change, &edit, &e->error),
                  LF_STORAGE_FULL);
            assert_non_null(strstr(e->error.detail, ROWS[i].verb));
            assert_string_equal(stored(e), was);
            release(e, before);
            assert_ptr_equal(acquire(e), before);
            release(e, before);
            await_items(e, 2);
        }
    gate_refuse(NULL, 0);
    OK(lf_edit_put_list(e->service, e->arena, "fresh", texts, ENTRIES, &NOTHING_SAID, &change, &edit, &e->error));
    assert_int_equal(edit.list.count, ENTRIES);
    assert_int_equal(atomic_load(&gate.largest), SLICE);
    assert_live_is_stored(e);
    await_items(e, ENTRIES + 2); /* what is used is not swept */
}

static void
test_failing_patch_and_delete(void **state)
{
    struct editing *e = *state;
    struct lf_list_edit edit;
    struct lf_live_set *before = NULL;
    const char *was = NULL;

    begin_editing(e);
    was = stored(e);
    before = acquire(e);
    gate_refuse("patch_list", 0);
    FAILS(patch(e, "competitors", "new.example", "", &NOTHING_SAID, &edit), LF_STORAGE_FULL);
    gate_refuse("delete_list", 0);
    FAILS(delete (e, "competitors", &NOTHING_SAID), LF_STORAGE_FULL);
    assert_string_equal(stored(e), was);
    release(e, before);
    assert_ptr_equal(acquire(e), before);
    release(e, before);
    gate_refuse(NULL, 0);
    OK(patch(e, "competitors", "new.example", "", &NOTHING_SAID, &edit));
    assert_string_equal(entries(e, "competitors", &edit), "another.example,new.example,rival.example,");
    OK(delete (e, "competitors", &NOTHING_SAID));
}

/* The service stops while a list is on its way to the disk: the put gives up, and nothing else begins. */
static void
test_given_up(void **state)
{
    struct editing *e = *state;
    const size_t count = 4 * SLICE;
    struct lf_text *texts = many_texts(e, count);
    struct lf_change change = by_key(NOW_MS);
    struct lf_list_edit edit;
    const char *was = NULL;

    begin_editing(e);
    was = stored(e);
    lf_service_drain(e->service);
    lf_service_give_up_in(e->service, 60000); /* there is time */
    OK(patch(e, "competitors", "new.example", "", &NOTHING_SAID, &edit));
    OK(patch(e, "competitors", "", "new.example", &NOTHING_SAID, &edit));
    was = stored(e);
    atomic_store(&gate.service, e->service);
    FAILS(lf_edit_put_list(e->service, e->arena, "large", texts, count, &NOTHING_SAID, &change, &edit, &e->error),
          LF_NOT_READY);
    assert_non_null(strstr(e->error.detail, "nothing was changed"));
    assert_int_equal(atomic_load(&gate.event_count), 1); /* the slice at whose time it was said */
    FAILS(put(e, "small", "a", &NOTHING_SAID, &edit), LF_NOT_READY);
    FAILS(patch(e, "competitors", "new.example", "", &NOTHING_SAID, &edit), LF_NOT_READY);
    FAILS(delete (e, "competitors", &NOTHING_SAID), LF_NOT_READY);
    assert_string_equal(stored(e), was);
    lf_service_stop(e->service);
    start_service(e);
    assert_string_equal(stored(e), was);
    OK(put(e, "small", "a", &NOTHING_SAID, &edit));
}

/* ---- many at once ---- */

/* The largest list there can be, put while scores are recorded: a score that comes in the middle of a slice is recorded
 * before the next one begins. */
static void
test_million(void **state)
{
    struct editing *e = *state;
    const size_t count = LF_NAMED_LIST_ENTRIES_MAX;
    size_t slices = (count + SLICE - 1) / SLICE;
    struct lf_text *texts = many_texts(e, count);
    struct lf_change change = by_key(NOW_MS);
    struct lf_list_edit edit;

    gate.score = score_of_lead(e->f);
    begin_editing(e);
    atomic_store(&gate.recorder, lf_service_recorder(e->service));
    OK(lf_edit_put_list(e->service, e->arena, "large", texts, count, &NOTHING_SAID, &change, &edit, &e->error));
    atomic_store(&gate.recorder, NULL);
    assert_int_equal(edit.list.count, count);
    assert_int_equal(edit.added, count);
    assert_int_equal(atomic_load(&gate.largest), SLICE);
    lf_service_stop(e->service);
    e->service = NULL;
    assert_int_equal(atomic_load(&gate.event_count), 2 * slices);
    for (size_t i = 0; i < 2 * slices; i++)
        assert_int_equal(gate.events[i], i % 2 == 0 ? 'l' : 'a');
    assert_int_equal(int_of(e, "SELECT count(*) FROM list_item"), count + 2);
}

enum { RIVALS = 20 };

struct rivals {
    struct editing *e;
    const char *etag;
    bool patch;
    atomic_int won, lost, number;
};

static void *
rival_main(void *argument)
{
    struct rivals *rivals = argument;
    struct lf_arena *arena = lf_arena_create(1 << 14, 1 << 26);
    struct lf_precondition meant = {.etags = &rivals->etag, .etag_count = 1};
    struct lf_change change = by_key(NOW_MS);
    char own[16];
    struct lf_text text = {own, (size_t)snprintf(own, sizeof own, "own %d", atomic_fetch_add(&rivals->number, 1))};
    struct lf_list_edit edit;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (rivals->patch)
        status = lf_edit_patch_list(rivals->e->service, arena, "l", &text, 1, NULL, 0, &meant, &change, &edit, &error);
    else
        status = lf_edit_put_list(rivals->e->service, arena, "l", &text, 1, &meant, &change, &edit, &error);
    if (status == LF_OK)
        atomic_fetch_add(&rivals->won, 1);
    else if (status == LF_PRECONDITION_FAILED)
        atomic_fetch_add(&rivals->lost, 1);
    lf_arena_destroy(arena);
    return NULL;
}

static void
test_one_of_many_wins(void **state)
{
    struct editing *e = *state;

    begin_editing(e);
    for (int round = 0; round < 6; round++) {
        struct rivals rivals = {.e = e, .patch = round % 2 == 1};
        pthread_t threads[RIVALS];
        struct lf_list_edit edit;

        atomic_init(&rivals.won, 0);
        atomic_init(&rivals.lost, 0);
        atomic_init(&rivals.number, 0);
        OK(put(e, "l", round % 3 == 0 ? "a" : "b", &NOTHING_SAID, &edit));
        rivals.etag = edit.list.etag;
        for (size_t i = 0; i < RIVALS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, rival_main, &rivals), 0);
        for (size_t i = 0; i < RIVALS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&rivals.won), 1);
        assert_int_equal(atomic_load(&rivals.lost), RIVALS - 1);
    }
    assert_live_is_stored(e);
}

/* Threads that ask the list while it is patched: each answer is that of a whole list. */
struct asking {
    struct editing *e;
    atomic_bool stop;
    atomic_long asked;
};

static void *
asker_main(void *argument)
{
    struct asking *asking = argument;
    struct lf_live *live = lf_service_live(asking->e->service);

    while (!atomic_load(&asking->stop)) {
        struct lf_live_set *set = lf_live_acquire(live);
        const struct lf_named_list *list = lf_profiles_find_list(set->profiles, "l");
        bool even = lf_named_list_has(list, (struct lf_text){"even", 4});

        assert_true(even != lf_named_list_has(list, (struct lf_text){"odd", 3}));
        assert_true(even == (list->revision % 2 == 0));
        assert_int_equal(list->count, 2);
        atomic_fetch_add(&asking->asked, 1);
        lf_live_release(live, set);
    }
    return NULL;
}

static void
test_asked_while_patched(void **state)
{
    enum { ASKERS = 3, PATCHES = 150 };
    struct editing *e = *state;
    struct asking asking = {.e = e};
    pthread_t threads[ASKERS];
    struct lf_list_edit edit;

    atomic_init(&asking.stop, false);
    atomic_init(&asking.asked, 0);
    begin_editing(e);
    OK(put(e, "l", "odd,always", &NOTHING_SAID, &edit));
    for (size_t i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, asker_main, &asking), 0);
    for (int i = 0; i < PATCHES; i++) {
        if (i % 10 == 9)
            OK(put(e, "l", i % 2 == 0 ? "even,always" : "odd,always", &NOTHING_SAID, &edit));
        else
            OK(patch(e, "l", i % 2 == 0 ? "even" : "odd", i % 2 == 0 ? "odd" : "even", &NOTHING_SAID, &edit));
        assert_int_equal(edit.list.revision, i + 2);
    }
    atomic_store(&asking.stop, true);
    for (size_t i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(atomic_load(&asking.asked) > 0);
    assert_live_is_stored(e);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        EDITING_TEST(test_put),
        EDITING_TEST(test_put_refused),
        EDITING_TEST(test_patch),
        EDITING_TEST(test_patch_at_random),
        EDITING_TEST(test_delete),
        EDITING_TEST(test_delete_asked_by_many),
        EDITING_TEST(test_failing_put),
        EDITING_TEST(test_failing_patch_and_delete),
        EDITING_TEST(test_given_up),
        EDITING_TEST(test_one_of_many_wins),
        EDITING_TEST(test_asked_while_patched),
        EDITING_TEST(test_million),
    };

    return cmocka_run_group_tests(TESTS, editing_group_setup, NULL);
}
