/*
 * fuzz_mapping.c - libFuzzer target for mappings: a source's document and a payload, both of anybody's making.
 *
 * The first byte says which CRM sends, the rest is the two as JSON, one behind the other with a byte 0xFF between them.
 * Whatever they are: a mapping is refused with findings that have a place, or told so that what is told makes the same
 * one; a payload is refused with a sentence that holds nothing of it, or becomes leads that are within the limits, the
 * same with a trace and without one, and the same under the mapping that was told.
 */
#include "core/mapping.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
    if (!truth)
        abort();
}

static const struct lf_json *
parse(struct lf_arena *arena, const char *text, size_t len)
{
    const struct lf_json *root = NULL;
    struct lf_error error;

    return lf_json_parse(arena, text, len, &LF_JSON_DOCUMENT_LIMITS, &root, &error) == LF_OK ? root : NULL;
}

static const struct lf_mapping *
read_mapping(struct lf_arena *arena, enum lf_crm crm, const struct lf_json *source)
{
    struct lf_findings findings;
    struct lf_document document = {arena, &findings};
    struct lf_place root = LF_PLACE_ROOT;
    const struct lf_mapping *mapping = NULL;

    lf_findings_init(&findings, arena);
    mapping = lf_mapping_read(&document, crm, source, &root);
    require((mapping == NULL) == lf_findings_any(&findings));
    require(!findings.out_of_memory);
    for (size_t i = 0; i < findings.count; i++)
        require(findings.items[i].pointer[0] == '/' && findings.items[i].detail[0] != '\0');
    return mapping;
}

static struct lf_buf
told(struct lf_arena *arena, const struct lf_mapping *mapping)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, (size_t)1 << 28);
    lf_buf_lit(&buf, "{\"id\":");
    lf_mapping_put_id(&buf, mapping);
    lf_buf_lit(&buf, ",\"fields\":");
    lf_mapping_put_fields(&buf, mapping);
    lf_buf_lit(&buf, ",\"split\":");
    lf_mapping_put_split(&buf, mapping);
    lf_buf_lit(&buf, "}");
    require(!lf_buf_failed(&buf));
    return buf;
}

static struct lf_buf
tree(struct lf_arena *arena, const struct lf_json *node)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, (size_t)1 << 28);
    lf_json_put_tree(&buf, node);
    require(!lf_buf_failed(&buf));
    return buf;
}

static bool
same(const struct lf_buf *a, const struct lf_buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void
check_lead(struct lf_arena *arena, const struct lf_mapped_lead *lead)
{
    struct lf_buf text = tree(arena, lead->lead);
    const struct lf_json *again = NULL;
    struct lf_json_limits limits = LF_JSON_LEAD_LIMITS;
    struct lf_error error;

    limits.bytes = SIZE_MAX;
    require(lf_json_parse(arena, text.data, text.len, &limits, &again, &error) == LF_OK); /* no name twice, too */
    require(lf_json_check_lead_size(lead->lead, "", NULL) == LF_OK);
    require(lead->pointer[0] == '\0' || lead->pointer[0] == '/');
    require(lead->unused_count <= LF_MAPPING_UNUSED_MAX);
    for (size_t i = 0; i < lead->unused_count; i++)
        require(lead->unused[i][0] == '/');
    for (size_t i = 0; i < lead->field_count; i++)
        require(lead->fields[i].value == NULL || lead->fields[i].raw != NULL);
}

static void
apply(struct lf_arena *arena, const struct lf_mapping *mapping, const struct lf_mapping *again,
      const struct lf_json *payload)
{
    struct lf_mapped traced, plain, other;
    struct lf_error error = {.detail = ""};
    enum lf_status status = lf_mapping_apply(arena, mapping, payload, true, &traced, &error);

    require(status == LF_OK || status == LF_UNMAPPED || status == LF_TOO_MANY_MEMBERS || status == LF_TOO_DEEP);
    require(lf_mapping_apply(arena, mapping, payload, false, &plain, NULL) == status);
    require(again == NULL || lf_mapping_apply(arena, again, payload, false, &other, NULL) == status);
    if (status != LF_OK) {
        require(error.detail[0] != '\0');
        return;
    }
    require(traced.count > 0 || traced.ignored != NULL);
    require(traced.count == plain.count && traced.count <= LF_MAPPING_LEADS_MAX);
    for (size_t i = 0; i < traced.count; i++) {
        struct lf_buf one = tree(arena, traced.leads[i].lead), two = tree(arena, plain.leads[i].lead);

        check_lead(arena, &traced.leads[i]);
        require(same(&one, &two));
        if (again != NULL)
            two = tree(arena, other.leads[i].lead);
        require(same(&one, &two));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lf_arena *arena; /* kept from run to run */
    const char *text = (const char *)data + 1, *middle = NULL;
    const struct lf_json *source = NULL, *payload = NULL;
    const struct lf_mapping *mapping = NULL, *again = NULL;
    struct lf_buf once, twice;
    enum lf_crm crm = LF_CRM_GENERIC;

    if (arena == NULL) {
        lf_json_setup();
        arena = lf_arena_create(1 << 16, (size_t)1 << 30);
        require(arena != NULL);
    }
    lf_arena_reset(arena);
    if (size < 3 || (middle = memchr(text, 0xFF, size - 1)) == NULL)
        return 0;
    crm = (enum lf_crm)(data[0] % LF_CRM_COUNT);
    source = parse(arena, text, (size_t)(middle - text));
    payload = parse(arena, middle + 1, size - 2 - (size_t)(middle - text));
    if (source == NULL || payload == NULL || (mapping = read_mapping(arena, crm, source)) == NULL)
        return 0;
    once = told(arena, mapping);
    again = read_mapping(arena, crm, parse(arena, once.data, once.len));
    require(again != NULL);
    twice = told(arena, again);
    require(same(&once, &twice));
    if (lf_json_first(lf_json_member(source, "values")) != NULL)
        again = NULL; /* labels are not told */
    apply(arena, mapping, again, payload);
    return 0;
}
