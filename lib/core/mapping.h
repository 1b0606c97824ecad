/*
 * mapping.h - how the payload of a CRM becomes a lead: JSON pointers into it, alternatives, lists that come as one
 * text, labels for ids.
 *
 * In a paragraph for whoever sets one up: a lead has what the CRM tells of the record under the CRM's own names (the
 * field "*"), and beside it the usual names that ICPs are mostly written in (title, email, company.employees …), which
 * each kind fills from the CRM's standard properties. Where both want one name, the usual one has it. What you name in
 * `fields` is added, in place of the usual field of that name; [] takes one away, and {"*": []} leaves nothing but
 * fields.
 *
 * In detail. The kind says what of a payload is a record; pointers go into the record. Some records come in an
 * envelope, and pointers that begin with one of its names go into the envelope, so that what stands beside the record
 * is within reach, and a pointer from the payload's root means what it says: /inputFields, /object, /origin, /context
 * and /callbackId of HubSpot's custom actions; Pipedrive's /data, /current, /previous and /meta; /lead, /contact,
 * /submission, /hit and /stat of a Mautic event; /data of Standard Webhooks; /lead of {"lead": …}.
 * For each field the first of its pointers that finds a value counts. Absent, null, "" and [] are no value. What is
 * found is unwrapped first: {"value": …} with whatever stands beside the value (HubSpot, Mautic, Pipedrive),
 * Pipedrive's {"type": "enum", "id": …} and {"type": "set", "values": [{"id": …}]}; of a list of {"value": …,
 * "primary": …} the primary one, of a list of {"value": …} their values; Mautic's multiselect is split at |. Then a
 * text is split at the field's separator (pieces are trimmed, empty ones dropped), then each value that has a label is
 * replaced by it; a label "" takes the value away (a drop-down's "None"). What HubSpot's property industry says in its
 * own constants is told as words: COMPUTER_SOFTWARE as COMPUTER SOFTWARE. A Salesforce Id of 15 characters becomes the
 * one of 18, so that a record has one id however it was sent. Numbers in texts stay texts: the scoring language reads
 * them.
 * "*" takes the members of the first object that its pointers find: of a HubSpot record its properties, unwrapped; of
 * a custom action inputFields, then object.properties; of a Salesforce record all but attributes; of Pipedrive's data
 * all, the custom fields unwrapped; of a Mautic contact its members and then its fields by alias, unwrapped. Members
 * without a value are left out, and so is what has the name of a field or of the id; a field company.name joins the
 * record's own object company, and stands in place of anything else of that name.
 * A lead has at most the members that any lead may have: where a record has more, its fields have to be named.
 *
 * A mapping is made once, when its source is put, and immutable and thread-safe then. Pure.
 */
#ifndef LF_CORE_MAPPING_H
#define LF_CORE_MAPPING_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "core/document.h"

#include <stdbool.h>
#include <stddef.h>

/* Who sends. X(NAME, word) */
#define LF_CRM_LIST(X)          \
    X(HUBSPOT, "hubspot")       \
    X(SALESFORCE, "salesforce") \
    X(PIPEDRIVE, "pipedrive")   \
    X(MAUTIC, "mautic")         \
    X(STANDARD, "standard")     \
    X(GENERIC, "generic")

enum lf_crm {
#define LF_X(name, word) LF_CRM_##name,
    LF_CRM_LIST(LF_X)
#undef LF_X
        LF_CRM_COUNT
};

enum {
    LF_MAPPING_FIELDS_MAX = 200,
    LF_MAPPING_POINTERS_MAX = 8,   /* alternatives of one field */
    LF_MAPPING_VALUES_MAX = 20000, /* labels, in all */
    LF_MAPPING_LEADS_MAX = 200,    /* of one payload */
};

struct lf_mapping;

/* Reads the members id, fields, split and values of a source's document; what else stands there is for others. Fields
 * that are named stand in place of the kind's defaults of the same name, and of such defaults as could not stand beside
 * them (company beside company.name); [] takes a default away. Faults go into the document's findings; NULL then, or
 * when memory is out (which the document notes). */
const struct lf_mapping *lf_mapping_read(struct lf_document *document, enum lf_crm crm, const struct lf_json *source,
                                         const struct lf_place *place) LF_MUST_CHECK;

/* Appends the fields, named ones and defaults, as a JSON object of arrays of pointers. Those that were taken away are
 * there with [], "*" always: read again, they make the same mapping. */
void lf_mapping_put_fields(struct lf_buf *buf, const struct lf_mapping *mapping);

/* Appends the pointers of the lead's id in effect, as a JSON array. */
void lf_mapping_put_id(struct lf_buf *buf, const struct lf_mapping *mapping);

/* Appends the separators, named ones and defaults, as a JSON object of texts. */
void lf_mapping_put_split(struct lf_buf *buf, const struct lf_mapping *mapping);

/* What became of one field. */
struct lf_mapped_field {
    const char *field;           /* dotted, as in the lead; of the id: "id" */
    const char *pointer;         /* which of the field's pointers found it, as it was written; "" where none did */
    const struct lf_json *raw;   /* what stood there, NULL for nothing */
    const struct lf_json *value; /* what the lead has; NULL for nothing, also where what stood there came to nothing */
    bool unwrapped, split, labelled;
    bool unlabelled; /* a value of it has no label, though the field has labels */
};

struct lf_mapped_lead {
    const struct lf_json *lead; /* an object, with its id as member id where there is one */
    const char *pointer;        /* to the record, into the payload; made of nothing but our own words and indexes */
    /* Of a trace, else none: */
    struct lf_mapped_field *fields; /* in the mapping's order, the id first */
    size_t field_count;
    const char **unused; /* pointers, as they can be written into a mapping, to leaves of the record (or to what is
                            larger and unused as a whole) that have a value which no field took; at most
                            LF_MAPPING_UNUSED_MAX */
    size_t unused_count;
};
enum { LF_MAPPING_UNUSED_MAX = 500 };

struct lf_mapped {
    struct lf_mapped_lead *leads;
    size_t count;        /* from 1; 0 for what is ignored */
    bool many;           /* they came as an array, even of one: they are answered so */
    const char *ignored; /* why there is nothing to score, and nothing wrong either (a deletion); NULL otherwise */
};

/* Finds the leads in a payload. They share nodes with it, and live in the arena. UNMAPPED, with a sentence that says
 * what was expected and holds nothing of the payload, when there is none: the wrong shape for the kind, an event that
 * carries no record, no field found at all. TOO_MANY_MEMBERS for more than LF_MAPPING_LEADS_MAX; TOO_MANY_MEMBERS and
 * TOO_DEEP for a lead beyond the limits of one. The error's pointer is that of the record. */
enum lf_status lf_mapping_apply(struct lf_arena *arena, const struct lf_mapping *mapping, const struct lf_json *payload,
                                bool trace, struct lf_mapped *ret_mapped, struct lf_error *error) LF_MUST_CHECK;

#endif
