/*
 * mapping_defaults.c - what each CRM calls the fields that ICPs are mostly written in.
 *
 * Standard properties only, as the vendors' documentation has them; what is custom in somebody's CRM is for their
 * source to name. Where a record tells of a person and of their company, the company's own word goes first.
 */
#include "core/mapping_types.h"

/* A property of HubSpot's: of a CRM object; of a workflow's body that was put together by hand, or the input of a
 * custom action; and of the record that a custom action has asked for. */
#define HUBSPOT(property) "/properties/" property, "/" property, "/object/properties/" property

/* The company that a contact of the older API comes with. */
#define HUBSPOT_COMPANY(property) "/associated-company/properties/" property

static const struct mapping_default OF_HUBSPOT[] = {
    {.path = "id",
     .pointers = {"/object/objectId", "/vid", "/companyId", "/dealId", "/id", "/objectId", "/properties/hs_object_id",
                  "/hs_object_id"}},
    {.path = "title", .pointers = {HUBSPOT("jobtitle")}},
    {.path = "email", .pointers = {HUBSPOT("email")}},
    {.path = "company.name", .pointers = {HUBSPOT_COMPANY("name"), HUBSPOT("company"), "/properties/name"}},
    {.path = "company.domain", .pointers = {HUBSPOT_COMPANY("domain"), HUBSPOT("domain")}},
    {.path = "company.industry", .pointers = {HUBSPOT_COMPANY("industry"), HUBSPOT("industry")}},
    {.path = "company.employees",
     .pointers = {HUBSPOT_COMPANY("numberofemployees"), HUBSPOT("numberofemployees"), HUBSPOT("numemployees")}},
    {.path = "company.annual_revenue", .pointers = {HUBSPOT_COMPANY("annualrevenue"), HUBSPOT("annualrevenue")}},
    {.path = "company.country", .pointers = {HUBSPOT_COMPANY("country"), HUBSPOT("country")}},
    {.path = "company.website", .pointers = {HUBSPOT_COMPANY("website"), HUBSPOT("website")}},
    {.path = "company.type", .pointers = {HUBSPOT_COMPANY("type"), "/properties/type"}},
    {.path = "company.technologies",
     .pointers = {HUBSPOT_COMPANY("web_technologies"), HUBSPOT("web_technologies")},
     .separator = ";"},
    {.path = NULL},
};

/* A lead's own; of a contact with its account the account's; of an account its own. */
static const struct mapping_default OF_SALESFORCE[] = {
    {.path = "id", .pointers = {"/Id"}},
    {.path = "title", .pointers = {"/Title"}},
    {.path = "email", .pointers = {"/Email"}},
    {.path = "company.name", .pointers = {"/Company", "/Account/Name"}},
    {.path = "company.industry", .pointers = {"/Account/Industry", "/Industry"}},
    {.path = "company.employees", .pointers = {"/Account/NumberOfEmployees", "/NumberOfEmployees"}},
    {.path = "company.annual_revenue", .pointers = {"/Account/AnnualRevenue", "/AnnualRevenue"}},
    {.path = "company.country",
     .pointers = {"/Account/BillingCountry", "/Country", "/BillingCountry", "/MailingCountry", "/CountryCode"}},
    {.path = "company.website", .pointers = {"/Account/Website", "/Website"}},
    {.path = "company.type", .pointers = {"/Account/Type"}},
    {.path = NULL},
};

/* Persons, and organizations with the fields that they have by themselves; the older webhooks have addresses flat. The
 * title of a lead or a deal is its name, not anybody's job. */
static const struct mapping_default OF_PIPEDRIVE[] = {
    {.path = "id", .pointers = {"/id"}},
    {.path = "title", .pointers = {"/job_title"}},
    {.path = "email", .pointers = {"/emails", "/email"}},
    {.path = "company.name", .pointers = {"/org_name"}},
    {.path = "company.industry", .pointers = {"/industry"}},
    {.path = "company.employees", .pointers = {"/employee_count"}},
    {.path = "company.annual_revenue", .pointers = {"/annual_revenue"}},
    {.path = "company.country",
     .pointers = {"/address/country", "/address_country", "/postal_address/country", "/postal_address_country"}},
    {.path = "company.website", .pointers = {"/website"}},
    {.path = NULL},
};

/* A field of Mautic's, in the group where it is at first, where it may have been moved to, or without groups. */
#define MAUTIC(alias) \
    "/fields/core/" alias, "/fields/professional/" alias, "/fields/personal/" alias, "/fields/all/" alias

/* Mautic's own title is Mr or Mrs. */
static const struct mapping_default OF_MAUTIC[] = {
    {.path = "id", .pointers = {"/id"}},
    {.path = "title", .pointers = {MAUTIC("position")}},
    {.path = "email", .pointers = {MAUTIC("email")}},
    {.path = "company.name", .pointers = {MAUTIC("company")}},
    {.path = "company.country", .pointers = {MAUTIC("country")}},
    {.path = "company.website", .pointers = {MAUTIC("website")}},
    {.path = NULL},
};

/* Whoever sends these has their own names, and they are the lead's. */
static const struct mapping_default OF_OTHERS[] = {
    {.path = "id", .pointers = {"/id"}},
    {.path = NULL},
};

static const char *const HUBSPOT_ENVELOPE[] = {"inputFields", "object", "origin", "context", "callbackId", NULL};
static const char *const PIPEDRIVE_ENVELOPE[] = {"data", "current", "previous", "meta", NULL};
static const char *const MAUTIC_ENVELOPE[] = {"lead", "contact", "submission", "hit", "stat", NULL};
static const char *const STANDARD_ENVELOPE[] = {"data", NULL};
static const char *const LEAD_ENVELOPE[] = {"lead", NULL};

static const struct {
    const struct mapping_default *defaults;
    const char *const *envelope;
} KINDS[LF_CRM_COUNT] = {
    [LF_CRM_HUBSPOT] = {OF_HUBSPOT, HUBSPOT_ENVELOPE},       [LF_CRM_SALESFORCE] = {OF_SALESFORCE, LEAD_ENVELOPE},
    [LF_CRM_PIPEDRIVE] = {OF_PIPEDRIVE, PIPEDRIVE_ENVELOPE}, [LF_CRM_MAUTIC] = {OF_MAUTIC, MAUTIC_ENVELOPE},
    [LF_CRM_STANDARD] = {OF_OTHERS, STANDARD_ENVELOPE},      [LF_CRM_GENERIC] = {OF_OTHERS, LEAD_ENVELOPE},
};

const struct mapping_default *
mapping_defaults(enum lf_crm crm)
{
    return KINDS[crm].defaults;
}

const char *const *
mapping_envelope_names(enum lf_crm crm)
{
    return KINDS[crm].envelope;
}
