/*
 * mapping_driver.c - lib/core's mappings behind a pipe, for tests/oracle/mappings.py.
 *
 * Reads NDJSON, one {"kind", "source", "payload"} a line, and answers each with one line: {"findings": [{"pointer",
 * "code"}]}, or {"mapping": {"id", "fields", "split"}} with either {"refused": {"code", "pointer"}}, {"ignored": true},
 * or {"many", "leads": [{"pointer", "lead", "fields": [{"field", "pointer", "raw", "value", …}], "unused"}]}. A lead
 * must be the same with a trace and without one.
 */
#include "base/hash.h"
#include "core/mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
die(const char *what, const struct lf_error *error)
{
    (void)fprintf(stderr, "mapping_driver: %s: %s\n", what, error != NULL ? error->detail : "");
    exit(1);
}

static void
put_text(struct lf_buf *out, const char *name, const char *text)
{
    lf_buf_printf(out, "\"%s\":", name);
    lf_json_put_text(out, text, strlen(text));
}

static void
put_node(struct lf_buf *out, const char *name, const struct lf_json *node)
{
    lf_buf_printf(out, ",\"%s\":", name);
    if (node == NULL)
        lf_buf_lit(out, "null");
    else
        lf_json_put_tree(out, node);
}

static const char *
truth(bool is)
{
    return is ? "true" : "false";
}

static void
put_lead(struct lf_buf *out, const struct lf_mapped_lead *lead)
{
    lf_buf_lit(out, "{");
    put_text(out, "pointer", lead->pointer);
    put_node(out, "lead", lead->lead);
    lf_buf_lit(out, ",\"fields\":[");
    for (size_t i = 0; i < lead->field_count; i++) {
        const struct lf_mapped_field *field = &lead->fields[i];

        lf_buf_text(out, i > 0 ? ",{" : "{");
        put_text(out, "field", field->field);
        lf_buf_lit(out, ",");
        put_text(out, "pointer", field->pointer);
        put_node(out, "raw", field->raw);
        put_node(out, "value", field->value);
        lf_buf_printf(out, ",\"unwrapped\":%s,\"split\":%s,\"labelled\":%s,\"unlabelled\":%s}", truth(field->unwrapped),
                      truth(field->split), truth(field->labelled), truth(field->unlabelled));
    }
    lf_buf_lit(out, "],\"unused\":[");
    for (size_t i = 0; i < lead->unused_count; i++) {
        if (i > 0)
            lf_buf_lit(out, ",");
        lf_json_put_text(out, lead->unused[i], strlen(lead->unused[i]));
    }
    lf_buf_lit(out, "]}");
}

static void
put_leads(struct lf_buf *out, struct lf_arena *arena, const struct lf_mapped *mapped, const struct lf_mapped *plain)
{
    lf_buf_printf(out, "\"many\":%s,\"leads\":[", truth(mapped->many));
    if (plain->count != mapped->count || plain->many != mapped->many)
        die("a trace changes the leads", NULL);
    for (size_t i = 0; i < mapped->count; i++) {
        struct lf_buf traced, untraced;

        if (i > 0)
            lf_buf_lit(out, ",");
        put_lead(out, &mapped->leads[i]);
        lf_buf_init(&traced, arena, 64 << 20);
        lf_buf_init(&untraced, arena, 64 << 20);
        lf_json_put_tree(&traced, mapped->leads[i].lead);
        lf_json_put_tree(&untraced, plain->leads[i].lead);
        if (traced.len != untraced.len || memcmp(traced.data, untraced.data, traced.len) != 0)
            die("a trace changes a lead", NULL);
    }
    lf_buf_lit(out, "]");
}

static void
apply(struct lf_buf *out, struct lf_arena *arena, const struct lf_mapping *mapping, const struct lf_json *payload)
{
    struct lf_mapped mapped, plain;
    struct lf_error error, again;
    enum lf_status status = lf_mapping_apply(arena, mapping, payload, true, &mapped, &error);

    if (lf_mapping_apply(arena, mapping, payload, false, &plain, &again) != status)
        die("a trace changes what comes of a payload", NULL);
    lf_buf_lit(out, "{\"mapping\":{\"id\":");
    lf_mapping_put_id(out, mapping);
    lf_buf_lit(out, ",\"fields\":");
    lf_mapping_put_fields(out, mapping);
    lf_buf_lit(out, ",\"split\":");
    lf_mapping_put_split(out, mapping);
    lf_buf_lit(out, "},");
    if (status != LF_OK) {
        if (error.detail[0] == '\0' || strcmp(error.detail, again.detail) != 0)
            die("an error does not say what it is", NULL);
        lf_buf_printf(out, "\"refused\":{\"code\":\"%s\",", lf_status_word(status));
        put_text(out, "pointer", error.pointer);
        lf_buf_lit(out, "}");
    } else if (mapped.count == 0) {
        if (mapped.ignored == NULL)
            die("there are no leads, and no reason is given", NULL);
        lf_buf_lit(out, "\"ignored\":true");
    } else {
        put_leads(out, arena, &mapped, &plain);
    }
    lf_buf_lit(out, "}");
}

static enum lf_crm
kind_of(const struct lf_json *node)
{
    static const char *const WORDS[] = {
#define LF_X(name, word) word,
        LF_CRM_LIST(LF_X)
#undef LF_X
    };
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    for (int i = 0; i < LF_CRM_COUNT; i++)
        if (text != NULL && strcmp(text, WORDS[i]) == 0)
            return (enum lf_crm)i;
    die("no such kind", NULL);
    return LF_CRM_GENERIC;
}

static void
answer(struct lf_buf *out, struct lf_arena *arena, const struct lf_json *line)
{
    struct lf_findings findings;
    struct lf_document document = {arena, &findings};
    struct lf_place root = LF_PLACE_ROOT;
    const struct lf_mapping *mapping = NULL;

    lf_findings_init(&findings, arena);
    mapping = lf_mapping_read(&document, kind_of(lf_json_member(line, "kind")), lf_json_member(line, "source"), &root);
    if (mapping != NULL) {
        apply(out, arena, mapping, lf_json_member(line, "payload"));
        return;
    }
    if (findings.count == 0)
        die("a mapping was refused without a finding", NULL);
    lf_buf_lit(out, "{\"findings\":[");
    for (size_t i = 0; i < findings.count; i++) {
        lf_buf_text(out, i > 0 ? ",{" : "{");
        put_text(out, "pointer", findings.items[i].pointer);
        lf_buf_lit(out, ",");
        put_text(out, "code", findings.items[i].code);
        lf_buf_lit(out, "}");
    }
    lf_buf_lit(out, "]}");
}

int
main(void)
{
    struct lf_arena *arena = lf_arena_create(1 << 20, (size_t)1 << 30);
    struct lf_error error;
    char *text = NULL;
    size_t cap = 0;
    ssize_t len = 0;

    lf_json_setup();
    if (arena == NULL || lf_hash_setup(&error) != LF_OK)
        die("setup", NULL);
    while ((len = getline(&text, &cap, stdin)) > 0) {
        const struct lf_json *line = NULL;
        struct lf_buf out;

        lf_arena_reset(arena);
        lf_buf_init(&out, NULL, 512 << 20);
        if (lf_json_parse(arena, text, (size_t)len - (text[len - 1] == '\n'), &LF_JSON_DOCUMENT_LIMITS, &line,
                          &error) != LF_OK)
            die("a line is not JSON", &error);
        answer(&out, arena, line);
        lf_buf_lit(&out, "\n");
        if (lf_buf_failed(&out) || fwrite(out.data, 1, out.len, stdout) != out.len)
            die("cannot write", NULL);
        (void)fflush(stdout);
        lf_buf_finish(&out);
    }
    free(text);
    lf_arena_destroy(arena);
    return 0;
}
