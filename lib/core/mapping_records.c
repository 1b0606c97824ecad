/*
 * mapping_records.c - finds the records in what a CRM sends, and what of a record is taken whole.
 *
 * Nothing is read here but the shape. What is said of a payload that has none holds nothing of it, and a pointer to a
 * record holds only names that stand in this file, and indexes: both are kept and shown to people.
 */
#include "core/mapping_types.h"

#include <string.h>

static bool
is_object(const struct lf_json *node)
{
    return lf_json_kind(node) == LF_JSON_OBJECT;
}

static bool
is_array(const struct lf_json *node)
{
    return lf_json_kind(node) == LF_JSON_ARRAY;
}

/* The member of that name when it is an object, else NULL. */
static const struct lf_json *
object_in(const struct lf_json *object, const char *name)
{
    const struct lf_json *member = lf_json_member(object, name);

    return is_object(member) ? member : NULL;
}

/* ---- the records that were found so far ---- */

struct finding {
    struct lf_arena *arena;
    enum lf_crm crm;
    struct mapping_records *records;
    struct lf_error *error;
};

static enum lf_status
out_of_memory(const struct finding *finding)
{
    return lf_fail(finding->error, LF_OUT_OF_MEMORY, "out of memory while looking for the records of a payload");
}

static enum lf_status
unmapped(const struct finding *finding, const char *pointer, const char *detail)
{
    return lf_fail_at(finding->error, LF_UNMAPPED, pointer, -1, "%s", detail);
}

static enum lf_status
add(struct finding *finding, const struct lf_json *node, const struct lf_json *envelope, const char *pointer)
{
    struct mapping_records *records = finding->records;

    if (pointer == NULL)
        return out_of_memory(finding);
    if (records->count == LF_MAPPING_LEADS_MAX)
        return lf_fail_at(finding->error, LF_TOO_MANY_MEMBERS, pointer, -1,
                          "at most %d records are taken at once: send the rest in another request",
                          LF_MAPPING_LEADS_MAX);
    if (records->items == NULL)
        records->items = lf_arena_calloc(finding->arena, LF_MAPPING_LEADS_MAX, sizeof *records->items);
    if (records->items == NULL)
        return out_of_memory(finding);
    records->items[records->count++] = (struct mapping_record){node, envelope, pointer};
    return LF_OK;
}

/* ---- records that come by themselves or in lists ---- */

/* HubSpot's event subscriptions: ids and one property at most. */
static bool
is_event(const struct lf_json *node)
{
    return (lf_json_member(node, "subscriptionType") != NULL || lf_json_member(node, "eventId") != NULL) &&
           object_in(node, "properties") == NULL;
}

/* One record, by itself or in its envelope. */
static enum lf_status
add_record(struct finding *finding, const struct lf_json *node, const char *pointer)
{
    const struct lf_json *inner = NULL;
    const char *name = NULL;

    if (!is_object(node))
        return unmapped(finding, pointer, "a record is a JSON object of fields: one belongs here");
    switch (finding->crm) {
    case LF_CRM_HUBSPOT:
        if (is_event(node))
            return unmapped(finding, pointer,
                            "this is an event subscription: it carries ids, not the record. Use a workflow's webhook "
                            "or a custom action.");
        name = "inputFields";
        break;
    case LF_CRM_SALESFORCE:
    case LF_CRM_GENERIC:
        name = "lead";
        break;
    case LF_CRM_STANDARD:
    case LF_CRM_PIPEDRIVE:
    case LF_CRM_MAUTIC:
    case LF_CRM_COUNT:
        break;
    }
    inner = name != NULL ? object_in(node, name) : NULL;
    if (inner == NULL)
        return add(finding, node, node, pointer);
    return add(finding, inner, node, lf_arena_printf(finding->arena, "%s/%s", pointer, name));
}

static enum lf_status
add_list(struct finding *finding, const struct lf_json *list, const char *pointer)
{
    enum lf_status status = LF_OK;
    size_t index = 0;

    if (pointer == NULL)
        return out_of_memory(finding);
    if (lf_json_first(list) == NULL)
        return unmapped(finding, pointer, "the list is empty: there is no record in it");
    finding->records->many = true;
    for (const struct lf_json *node = lf_json_first(list); node != NULL && status == LF_OK; node = lf_json_next(node)) {
        const char *at = lf_arena_printf(finding->arena, "%s/%zu", pointer, index++);

        status = at != NULL ? add_record(finding, node, at) : out_of_memory(finding);
    }
    return status;
}

/* The payload itself, a list of records, or an object that has such a list under one of the names. */
static enum lf_status
find_plain(struct finding *finding, const struct lf_json *payload, const char *const *lists)
{
    if (is_array(payload))
        return add_list(finding, payload, "");
    for (size_t i = 0; lists[i] != NULL; i++) {
        const struct lf_json *list = lf_json_member(payload, lists[i]);

        if (is_array(list) && (lf_json_first(list) == NULL || is_object(lf_json_first(list))))
            return add_list(finding, list, lf_arena_printf(finding->arena, "/%s", lists[i]));
    }
    return add_record(finding, payload, "");
}

/* ---- Standard Webhooks ---- */

static enum lf_status
find_standard(struct finding *finding, const struct lf_json *payload)
{
    const struct lf_json *data = lf_json_member(payload, "data");

    if (is_array(data))
        return add_list(finding, data, "/data");
    if (is_object(data))
        return add(finding, data, payload, "/data");
    return unmapped(
        finding, "",
        "an event of Standard Webhooks belongs here: an object with type, timestamp, and the record as data");
}

/* ---- Pipedrive ---- */

static bool
is_text(const struct lf_json *node, const char *word)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    return text != NULL && strlen(word) == len && memcmp(text, word, len) == 0;
}

/* Whether the event is about something that can be scored. Its name stands in another member in the older webhooks. */
static bool
is_scorable(const struct lf_json *meta)
{
    static const char *const ENTITIES[] = {"person", "lead", "deal", "organization", NULL};
    const struct lf_json *entity = lf_json_member(meta, "entity");

    if (entity == NULL)
        entity = lf_json_member(meta, "object");
    for (size_t i = 0; ENTITIES[i] != NULL; i++)
        if (is_text(entity, ENTITIES[i]))
            return true;
    return entity == NULL;
}

/* data is of webhooks v2, current of v1. */
static enum lf_status
find_pipedrive(struct finding *finding, const struct lf_json *payload)
{
    static const char *const MEMBERS[] = {"data", "current", NULL};
    const struct lf_json *meta = object_in(payload, "meta");

    for (size_t i = 0; MEMBERS[i] != NULL && meta != NULL; i++) {
        const struct lf_json *data = lf_json_member(payload, MEMBERS[i]);
        enum lf_json_kind kind = lf_json_kind(data);

        if (kind != LF_JSON_NULL && kind != LF_JSON_OBJECT)
            continue;
        if (!is_scorable(meta))
            return unmapped(finding, "/meta",
                            "this event is about something that is not scored: subscribe to persons, leads, deals or "
                            "organizations only");
        if (kind == LF_JSON_OBJECT)
            return add(finding, data, payload, i == 0 ? "/data" : "/current");
        finding->records->ignored = "the record was deleted in the CRM: there is nothing to score";
        return LF_OK;
    }
    return unmapped(finding, "",
                    "a webhook of Pipedrive's belongs here: an object with meta and data (or, of version 1, current)");
}

/* ---- Mautic ---- */

/* The events that are documented; others of Mautic's own carry a contact in the same way, but are not named in
 * messages.
 */
static const char *const MAUTIC_EVENTS[] = {"mautic.lead_post_save_new",
                                            "mautic.lead_post_save_update",
                                            "mautic.lead_points_change",
                                            "mautic.lead_channel_subscription_changed",
                                            "mautic.lead_company_change",
                                            "mautic.form_on_submit",
                                            "mautic.email_on_send",
                                            "mautic.email_on_open",
                                            "mautic.page_on_hit",
                                            "mautic.sms_on_send",
                                            NULL};

/* The contact of an event, in it or in what it tells of; NULL for none. */
static const struct lf_json *
contact_of(const struct lf_json *event, const char **ret_pointer)
{
    static const struct {
        const char *outer, *name, *pointer;
    } PLACES[] = {
        {NULL, "contact", "/contact"},
        {NULL, "lead", "/lead"},
        {"submission", "lead", "/submission/lead"},
        {"submission", "contact", "/submission/contact"},
        {"hit", "lead", "/hit/lead"},
        {"hit", "contact", "/hit/contact"},
        {"stat", "lead", "/stat/lead"},
        {"stat", "contact", "/stat/contact"},
    };

    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        const struct lf_json *outer = PLACES[i].outer == NULL ? event : lf_json_member(event, PLACES[i].outer);
        const struct lf_json *contact = object_in(outer, PLACES[i].name);

        if (contact == NULL)
            continue;
        *ret_pointer = PLACES[i].pointer;
        return contact;
    }
    return NULL;
}

static enum lf_status
add_mautic_event(struct finding *finding, const struct lf_json *event, const char *name, size_t index)
{
    const char *known = NULL, *within = NULL;
    const struct lf_json *contact = contact_of(event, &within);

    if (contact == NULL)
        return LF_OK;
    for (size_t i = 0; MAUTIC_EVENTS[i] != NULL; i++)
        if (strcmp(name, MAUTIC_EVENTS[i]) == 0)
            known = MAUTIC_EVENTS[i];
    if (known == NULL)
        return add(finding, contact, event, "");
    return add(finding, contact, event, lf_arena_printf(finding->arena, "/%s/%zu%s", known, index, within));
}

static enum lf_status
find_mautic(struct finding *finding, const struct lf_json *payload)
{
    bool deleted = false;

    finding->records->many = true;
    for (const struct lf_json *events = lf_json_first(payload); is_object(payload) && events != NULL;
         events = lf_json_next(events)) {
        const char *name = lf_json_name(events);
        enum lf_status status = LF_OK;
        size_t index = 0;

        if (strncmp(name, "mautic.", strlen("mautic.")) != 0)
            continue;
        if (strcmp(name, "mautic.lead_post_delete") == 0) {
            deleted = true;
            continue;
        }
        for (const struct lf_json *event = lf_json_first(events); is_array(events) && event != NULL && status == LF_OK;
             event = lf_json_next(event))
            status = add_mautic_event(finding, event, name, index++);
        if (status != LF_OK)
            return status;
    }
    if (finding->records->count == 0 && !deleted)
        return unmapped(finding, "",
                        "a webhook of Mautic's with a contact belongs here: choose its events for contacts, such as "
                        "Contact Identified and Contact Updated");
    if (finding->records->count == 0)
        finding->records->ignored = "the contact was deleted in the CRM: there is nothing to score";
    return LF_OK;
}

/* ---- all kinds ---- */

enum lf_status
mapping_find_records(struct lf_arena *arena, enum lf_crm crm, const struct lf_json *payload,
                     struct mapping_records *ret_records, struct lf_error *error)
{
    static const char *const NO_LISTS[] = {NULL}, *const RECORDS[] = {"records", "leads", NULL},
                             *const LEADS[] = {"leads", NULL};
    struct mapping_records records = {.items = NULL};
    struct finding finding = {arena, crm, &records, error};
    enum lf_status status = LF_OK;

    switch (crm) {
    case LF_CRM_HUBSPOT:
        status = find_plain(&finding, payload, NO_LISTS);
        break;
    case LF_CRM_SALESFORCE:
        status = find_plain(&finding, payload, RECORDS);
        break;
    case LF_CRM_PIPEDRIVE:
        status = find_pipedrive(&finding, payload);
        break;
    case LF_CRM_MAUTIC:
        status = find_mautic(&finding, payload);
        break;
    case LF_CRM_STANDARD:
        status = find_standard(&finding, payload);
        break;
    case LF_CRM_GENERIC:
    case LF_CRM_COUNT:
        status = find_plain(&finding, payload, LEADS);
        break;
    }
    if (status == LF_OK)
        *ret_records = records;
    return status;
}

/* ---- what is taken whole ---- */

/* A contact's own members, and then its groups of fields, whatever these are called. */
static size_t
parts_of_contact(const struct lf_json *contact, struct mapping_part parts[MAPPING_PARTS_MAX])
{
    const struct lf_json *fields = lf_json_member(contact, "fields");
    size_t count = 0;

    parts[count++] = (struct mapping_part){.object = contact, .but = "fields"};
    for (const struct lf_json *group = lf_json_first(fields); group != NULL && count < MAPPING_PARTS_MAX;
         group = lf_json_next(group))
        if (is_object(group))
            parts[count++] = (struct mapping_part){.object = group, .unwrap = true};
    return count;
}

size_t
mapping_parts(enum lf_crm crm, const struct mapping_record *record, const struct lf_json *object,
              struct mapping_part parts[MAPPING_PARTS_MAX])
{
    const struct lf_json *properties = NULL;

    parts[0] = (struct mapping_part){.object = object, .unwrap = crm == LF_CRM_HUBSPOT};
    if (object != record->node)
        return 1;
    switch (crm) {
    case LF_CRM_HUBSPOT:
        properties = object_in(object, "properties");
        if (record->envelope == object) {
            parts[0].object = properties != NULL ? properties : object;
            return 1;
        }
        properties = object_in(lf_json_member(record->envelope, "object"), "properties");
        parts[1] = (struct mapping_part){.object = properties, .unwrap = true};
        return properties != NULL ? 2 : 1;
    case LF_CRM_SALESFORCE:
        parts[0].but = "attributes";
        return 1;
    case LF_CRM_PIPEDRIVE:
        parts[0].within = "custom_fields";
        return 1;
    case LF_CRM_MAUTIC:
        return parts_of_contact(object, parts);
    case LF_CRM_STANDARD:
    case LF_CRM_GENERIC:
    case LF_CRM_COUNT:
        break;
    }
    return 1;
}
