/*
 * lists.c - GET /v1/lists; GET, PUT, PATCH and DELETE /v1/lists/{key}.
 *
 * A list goes in and out as a JSON array or as text, one entry a line. Its ETag is that of what it holds, in either
 * form.
 */
#include "api/handlers.h"

#include "app/editing.h"
#include "base/text.h"
#include "core/text_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LIST_REPLY_MAX = 256 << 20 };

static const char *const NO_QUERY[] = {NULL};

/* Entries as they came. */
struct entries {
    struct lf_text *items;
    size_t count;
};

/* ---- telling ---- */

/* Appends the members that every answer about a list begins with, behind its opening brace. */
static void
put_head(struct lf_buf *body, const struct lf_stored_list *list)
{
    lf_buf_printf(body, "{\"key\":\"%s\",\"revision\":%lld,\"count\":%zu,\"etag\":", list->key,
                  (long long)list->revision, list->count);
    lf_api_put_text(body, list->etag);
    lf_buf_lit(body, ",\"updated_at\":");
    lf_api_put_time(body, list->updated_at_ms);
}

static void
put_edit(struct lf_buf *body, const struct lf_list_edit *edit)
{
    put_head(body, &edit->list);
    lf_buf_printf(body, ",\"added\":%zu,\"removed\":%zu}", edit->added, edit->removed);
}

void
lf_api_list_lists(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_arena(request);
    struct lf_store_reader *reader = NULL;
    struct lf_stored_list *lists = NULL;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, arena, LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_lists(reader, arena, &lists, &count, &error);
        lf_service_return_reader(context, reader);
    }
    lf_buf_lit(&body, "{\"lists\":[");
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        if (i > 0)
            lf_buf_lit(&body, ",");
        put_head(&body, &lists[i]);
        lf_buf_lit(&body, "}");
    }
    lf_buf_lit(&body, "]}");
    lf_api_conclude(request, 200, status, &body, &error);
}

/* ---- GET /v1/lists/{key} ---- */

/* A quality value, "0.8", in thousandths. */
static int
read_quality(const char *text)
{
    int value = text[0] == '1' ? 1000 : 0, unit = 100;

    if (text[0] == '0' && text[1] == '.')
        for (text += 2; unit > 0 && *text >= '0' && *text <= '9'; text++, unit /= 10)
            value += (*text - '0') * unit;
    return value;
}

/* One element of an Accept header: its media type, and how much it is wanted. Returns what is behind it. */
static const char *
read_range(const char *at, struct lf_text *ret_type, int *ret_quality)
{
    size_t len = strcspn(at, ","), type_len = strcspn(at, ",; \t");

    *ret_type = (struct lf_text){.bytes = at, .len = type_len};
    *ret_quality = 1000;
    for (size_t i = type_len; i + 2 < len; i++) {
        if ((at[i] == ';' || at[i] == ' ' || at[i] == '\t') && (at[i + 1] == 'q' || at[i + 1] == 'Q') &&
            at[i + 2] == '=')
            *ret_quality = read_quality(at + i + 3);
    }
    return at + len;
}

static bool
is_type(struct lf_text type, const char *name)
{
    return type.len == strlen(name) && strncasecmp(type.bytes, name, type.len) == 0;
}

/* Whether text/plain is asked for by name, and not application/json as much: JSON is what most send who take all. */
static bool
wants_text(const char *accept)
{
    int text = 0, json = 0, quality = 0;
    struct lf_text type;

    for (const char *at = accept; at != NULL && *at != '\0';) {
        at += strspn(at, " \t,");
        at = read_range(at, &type, &quality);
        if (is_type(type, "text/plain"))
            text = quality;
        else if (is_type(type, "application/json"))
            json = quality;
    }
    return text > json;
}

/* Entries on their way into an answer. */
struct telling {
    struct lf_buf *body;
    bool as_text;
    size_t count;
};

static enum lf_status
tell_entry(void *context, const struct lf_list_entry *entry)
{
    struct telling *telling = context;
    char *line = NULL;

    if (!telling->as_text) {
        if (telling->count++ > 0)
            lf_buf_lit(telling->body, ",");
        lf_json_put_text(telling->body, entry->text, entry->len);
    } else {
        telling->count++;
        lf_buf_add(telling->body, entry->text, entry->len);
        /* An entry is a line: what would break it becomes a space, which means the same to conditions. */
        line = lf_buf_failed(telling->body) ? NULL : telling->body->data + telling->body->len - entry->len;
        for (size_t i = 0; line != NULL && i < entry->len; i++)
            if (line[i] == '\n' || line[i] == '\r')
                line[i] = ' ';
        lf_buf_lit(telling->body, "\n");
    }
    return lf_buf_failed(telling->body) ? LF_OUT_OF_MEMORY : LF_OK;
}

/* Writes a list with its entries, if it is still what `list` says; *ret_same false else. */
static enum lf_status
tell_list(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_list *list, bool as_text,
          struct lf_buf *body, bool *ret_same, struct lf_error *error)
{
    struct telling telling = {.body = body, .as_text = as_text};
    struct lf_stored_list now;
    enum lf_status status = LF_OK;

    body->len = 0;
    if (!as_text) {
        put_head(body, list);
        lf_buf_lit(body, ",\"entries\":[");
    }
    status = lf_store_each_list_entry(reader, list->generation, tell_entry, &telling, error);
    if (status == LF_OUT_OF_MEMORY)
        return lf_fail(error, LF_OUT_OF_MEMORY, "the list %s is too large to be told at once: memory is out",
                       list->key);
    if (!as_text)
        lf_buf_lit(body, "]}");
    if (status == LF_OK)
        status = lf_store_list(reader, arena, list->key, &now, error);
    *ret_same = status == LF_OK && now.revision == list->revision && telling.count == list->count;
    return status;
}

/* Answers with the list; what was put together on the heap goes into the request's arena, in its size. */
static void
answer_list(struct lf_request *request, const struct lf_stored_list *list, const struct lf_buf *body, bool as_text)
{
    const char *bytes = NULL;
    struct lf_error error;

    if (!lf_buf_failed(body))
        bytes = lf_arena_copy(lf_request_arena(request), body->len > 0 ? body->data : "", body->len);
    if (bytes == NULL) {
        (void)lf_fail(&error, LF_OUT_OF_MEMORY, "the list %s is too large to be told at once: memory is out",
                      list->key);
        lf_reply_problem(request, &error);
        return;
    }
    lf_reply_bytes(request, 200, as_text ? "text/plain; charset=utf-8" : "application/json", bytes, body->len);
}

/* Loads the list and tells it; *ret_known: the client has it already, and nothing is told. */
static enum lf_status
load_list(struct lf_request *request, struct lf_service *service, bool as_text, struct lf_stored_list *ret_list,
          struct lf_buf *body, bool *ret_known, struct lf_error *error)
{
    struct lf_arena *arena = lf_request_scratch(request);
    const char *key = lf_request_param(request, "key");
    struct lf_store_reader *reader = NULL;
    bool same = true;
    enum lf_status status = lf_service_borrow_reader(service, &reader, error);

    if (status != LF_OK)
        return status;
    status = lf_store_list(reader, arena, key, ret_list, error);
    *ret_known = status == LF_OK && lf_api_is_known(request, ret_list->etag);
    if (status == LF_OK && !*ret_known)
        status = tell_list(reader, arena, ret_list, as_text, body, &same, error);
    if (status == LF_OK && !same) {
        /* It changed meanwhile. Once more, while nobody may change it. */
        (void)lf_service_lock_editing(service);
        status = lf_store_list(reader, arena, key, ret_list, error);
        if (status == LF_OK)
            status = tell_list(reader, arena, ret_list, as_text, body, &same, error);
        lf_service_unlock_editing(service);
        if (status == LF_OK && !same)
            status = lf_fail(error, LF_STORAGE_CORRUPT, "the list %s has not the %zu entries that it should have", key,
                             ret_list->count);
    }
    lf_service_return_reader(service, reader);
    return status;
}

void
lf_api_get_list(struct lf_request *request, void *context)
{
    bool as_text = wants_text(lf_request_header(request, "Accept")), known = false;
    struct lf_stored_list list;
    struct lf_error error;
    struct lf_buf body;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, NULL, LIST_REPLY_MAX);
    if (load_list(request, context, as_text, &list, &body, &known, &error) != LF_OK) {
        lf_reply_problem(request, &error);
    } else {
        lf_reply_header(request, "ETag", list.etag);
        lf_reply_header(request, "Vary", "Accept");
        if (known)
            lf_reply_empty(request, 304);
        else
            answer_list(request, &list, &body, as_text);
    }
    lf_buf_finish(&body);
}

/* ---- PUT /v1/lists/{key} ---- */

/* One entry as it may be; else a fault. */
static void
check_entry(struct lf_document *document, const struct lf_place *place, struct lf_text entry)
{
    if (entry.len == 0)
        lf_document_fault(document, place, "too_few", "an empty text says nothing: write something or leave it out");
    else if (lf_text_length(entry.bytes, entry.len) > LF_LIST_ENTRY_MAX)
        lf_document_fault(document, place, "too_many", "an entry has at most %d characters", LF_LIST_ENTRY_MAX);
    else if (memchr(entry.bytes, '\0', entry.len) != NULL)
        lf_document_fault(document, place, "invalid_value", "the character U+0000 cannot stand here");
}

/* An array of texts. */
static void
read_array(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
           struct entries *ret_entries)
{
    struct lf_text *items = NULL;
    size_t count = 0;

    *ret_entries = (struct entries){.count = 0};
    if (!lf_document_array(document, node, place, 0, LF_NAMED_LIST_ENTRIES_MAX))
        return;
    items = lf_arena_calloc(document->arena, lf_json_count(node) + 1, sizeof *items);
    if (items == NULL) {
        lf_document_out_of_memory(document);
        return;
    }
    for (const struct lf_json *one = lf_json_first(node); one != NULL; one = lf_json_next(one), count++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, count);

        items[count].bytes = lf_json_text(one, &items[count].len);
        if (items[count].bytes == NULL)
            lf_document_fault(document, &at, "wrong_type", "an entry is a text");
        else
            check_entry(document, &at, items[count]);
    }
    *ret_entries = (struct entries){.items = items, .count = count};
}

/* A fault in a body of lines has no place in a document: it is told with the number of its line. */
static void
check_line(struct lf_findings *findings, size_t line, struct lf_text entry)
{
    size_t bad = 0;

    if (!lf_text_is_utf8(entry.bytes, entry.len, &bad))
        lf_findings_add(findings, "", "invalid_value", "line %zu: not UTF-8 from its byte %zu on", line, bad + 1);
    else if (lf_text_length(entry.bytes, entry.len) > LF_LIST_ENTRY_MAX)
        lf_findings_add(findings, "", "too_many", "line %zu: an entry has at most %d characters", line,
                        LF_LIST_ENTRY_MAX);
    else if (memchr(entry.bytes, '\0', entry.len) != NULL)
        lf_findings_add(findings, "", "invalid_value", "line %zu: the character U+0000 cannot stand here", line);
}

/* One entry a line; a byte order mark at the beginning, empty lines and the \r of a \r\n are passed over. */
static enum lf_status
read_lines(struct lf_arena *arena, const char *text, size_t len, struct lf_findings *findings,
           struct entries *ret_entries, struct lf_error *error)
{
    static const char MARK[] = "\xEF\xBB\xBF";
    const char *end = text + len;
    struct lf_text *items = NULL;
    size_t count = 0, line = 1;

    if (len >= 3 && memcmp(text, MARK, 3) == 0)
        text += 3;
    for (const char *p = text; p < end; p++)
        line += *p == '\n';
    items = lf_arena_calloc(arena, line < LF_NAMED_LIST_ENTRIES_MAX ? line : LF_NAMED_LIST_ENTRIES_MAX, sizeof *items);
    if (items == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a list");
    for (line = 1; text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        struct lf_text entry = {.bytes = text, .len = (size_t)((stop != NULL ? stop : end) - text)};

        text = stop != NULL ? stop + 1 : end;
        if (entry.len > 0 && entry.bytes[entry.len - 1] == '\r')
            entry.len--;
        if (entry.len == 0)
            continue;
        if (count == LF_NAMED_LIST_ENTRIES_MAX)
            return lf_fail(error, LF_TOO_MANY_MEMBERS, "line %zu: more than %d entries", line,
                           LF_NAMED_LIST_ENTRIES_MAX);
        check_line(findings, line, entry);
        items[count++] = entry;
    }
    *ret_entries = (struct entries){.items = items, .count = count};
    return LF_OK;
}

/* Whether the body is text; refuses a character set that is none of UTF-8. */
static enum lf_status
body_is_text(struct lf_request *request, bool *ret_text, struct lf_error *error)
{
    const char *type = lf_request_header(request, "Content-Type"), *charset = NULL;

    *ret_text = type != NULL && is_type((struct lf_text){.bytes = type, .len = strcspn(type, "; \t")}, "text/plain");
    charset = *ret_text ? strcasestr(type, "charset=") : NULL;
    if (charset == NULL)
        return LF_OK;
    charset += strlen("charset=");
    charset += *charset == '"';
    if (strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "us-ascii", 8) == 0)
        return LF_OK;
    return lf_fail(error, LF_UNSUPPORTED_MEDIA_TYPE,
                   "a list is read as UTF-8, not as \"%.40s\": write it so, and say text/plain; charset=utf-8",
                   charset);
}

/* Reads the entries of the body, whichever its form; answers the problem and returns false where there are faults. */
static bool
read_entries(struct lf_request *request, const char *key, struct entries *ret_entries)
{
    struct lf_arena *arena = lf_request_scratch(request);
    struct lf_json_limits limits = LF_JSON_DOCUMENT_LIMITS;
    struct lf_place root = LF_PLACE_ROOT;
    const struct lf_json *node = NULL;
    struct lf_findings findings;
    struct lf_document document = {.arena = arena, .findings = &findings};
    struct lf_error error;
    const char *text = NULL;
    size_t len = 0;
    bool is_text = false;
    enum lf_status status = body_is_text(request, &is_text, &error);

    lf_findings_init(&findings, arena);
    if (!lf_is_key(key, strlen(key)))
        lf_findings_add(&findings, "", "invalid_key",
                        "the key of a list, in the path, has 1 to 64 of a-z, 0-9 and -, and does not begin with -");
    if (status == LF_OK && is_text) {
        text = lf_request_body(request, &len);
        status = read_lines(arena, text, len, &findings, ret_entries, &error);
    } else if (status == LF_OK) {
        limits.elements = LF_NAMED_LIST_ENTRIES_MAX;
        node = lf_api_read_body(request, &limits);
        if (node == NULL)
            return false;
        read_array(&document, node, &root, ret_entries);
    }
    if (status == LF_OK && lf_findings_any(&findings))
        status = lf_api_sum_up(&findings, LF_INVALID_REQUEST, &error);
    if (status != LF_OK)
        lf_reply_findings(request, &error, status == LF_INVALID_REQUEST ? &findings : NULL);
    return status == LF_OK;
}

/* Answers with what became of a list. */
static void
answer_edit(struct lf_request *request, const struct lf_list_edit *edit)
{
    struct lf_buf body;
    char location[128];

    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    put_edit(&body, edit);
    lf_reply_header(request, "ETag", edit->list.etag);
    if (edit->created) {
        (void)snprintf(location, sizeof location, "/v1/lists/%s", edit->list.key);
        lf_reply_header(request, "Location", location);
    }
    lf_reply_json(request, edit->created ? 201 : 200, &body);
}

void
lf_api_put_list(struct lf_request *request, void *context)
{
    const char *key = lf_request_param(request, "key");
    struct lf_precondition precondition;
    struct entries entries = {.count = 0};
    struct lf_list_edit edit;
    struct lf_change change;
    struct lf_error error;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_read_precondition(request, &precondition) ||
        !read_entries(request, key, &entries))
        return;
    lf_api_change(request, context, "", &change);
    if (lf_edit_put_list(context, lf_request_scratch(request), key, entries.items, entries.count, &precondition,
                         &change, &edit, &error) == LF_OK)
        answer_edit(request, &edit);
    else
        lf_reply_problem(request, &error);
}

/* ---- PATCH, DELETE /v1/lists/{key} ---- */

/* Adds a fault for each entry that is to be added and removed at once, as conditions compare them. */
static void
check_both(struct lf_document *document, const struct lf_place *add_place, const struct entries *add,
           const struct entries *removed)
{
    struct lf_text_set set;
    struct lf_text folded;

    if (add->count == 0 || removed->count == 0)
        return;
    if (!lf_text_set_init(&set, document->arena, removed->count)) {
        lf_document_out_of_memory(document);
        return;
    }
    for (size_t i = 0; i < removed->count + add->count; i++) {
        size_t at = i - removed->count;
        struct lf_text entry = i < removed->count ? removed->items[i] : add->items[at];

        if (entry.bytes == NULL) /* no text at all: a fault already */
            continue;
        if (!lf_text_fold(document->arena, entry.bytes, entry.len, &folded)) {
            lf_document_out_of_memory(document);
            return;
        }
        if (folded.len == 0) /* passed over in either case */
            continue;
        if (i < removed->count) {
            lf_text_set_add(&set, folded);
        } else if (lf_text_set_has(&set, folded)) {
            struct lf_place place = LF_PLACE_ELEMENT(add_place, at);

            lf_document_fault(document, &place, "duplicate", "this entry is to be added and removed: say one of both");
        }
    }
}

void
lf_api_patch_list(struct lf_request *request, void *context)
{
    static const char *const MEMBERS[] = {"add", "remove", "note", NULL};
    const char *key = lf_request_param(request, "key");
    const struct lf_json *add_node = NULL, *remove_node = NULL;
    struct lf_precondition precondition;
    struct lf_api_input input;
    struct lf_place add_place = LF_PLACE_MEMBER(&input.root, "add"),
                    remove_place = LF_PLACE_MEMBER(&input.root, "remove");
    struct entries add = {.count = 0}, removed = {.count = 0};
    struct lf_list_edit edit;
    struct lf_change change;
    struct lf_error error;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_read_precondition(request, &precondition) ||
        !lf_api_input_begin(request, &input, false, MEMBERS))
        return;
    add_node = lf_api_input_member(&input, "add");
    remove_node = lf_api_input_member(&input, "remove");
    if (add_node != NULL)
        read_array(&input.document, add_node, &add_place, &add);
    if (remove_node != NULL)
        read_array(&input.document, remove_node, &remove_place, &removed);
    if (input.body != NULL && add_node == NULL && remove_node == NULL)
        lf_document_fault(&input.document, &add_place, "required",
                          "add or remove is missing: the entries to add, or those to remove");
    check_both(&input.document, &add_place, &add, &removed);
    lf_api_change(request, context, lf_api_input_note(&input), &change);
    if (!lf_api_input_end(request, &input))
        return;
    if (lf_edit_patch_list(context, lf_request_scratch(request), key, add.items, add.count, removed.items,
                           removed.count, &precondition, &change, &edit, &error) == LF_OK)
        answer_edit(request, &edit);
    else
        lf_reply_problem(request, &error);
}

void
lf_api_delete_list(struct lf_request *request, void *context)
{
    struct lf_precondition precondition;
    struct lf_change change;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_read_precondition(request, &precondition))
        return;
    lf_api_change(request, context, "", &change);
    status = lf_edit_delete_list(context, lf_request_scratch(request), lf_request_param(request, "key"), &precondition,
                                 &change, &error);
    lf_api_conclude_empty(request, status, &error);
}
