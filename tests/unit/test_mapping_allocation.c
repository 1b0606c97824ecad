/*
 * test_mapping_allocation.c - each allocation fails in turn while a mapping is read and applied: it says so, and
 * nothing crashes. How: faults.h.
 */
#include "core/mapping.h"
#include "faults.h"
#include "support.h"

/* Every way in which memory is needed. */
static const struct {
    enum lf_crm crm;
    const char *source, *payload;
} TRIALS[] = {
    {LF_CRM_HUBSPOT,
     "{'id':['/vid'],'fields':{'a.b':['/properties/a','/"
     "b'],'title':[],'*':''},'split':{'a.b':';'},'values':{'a.b':{'1':'x','2':''}}}",
     "[{'vid':1,'properties':{'a':{'value':'1;2;3'},'industry':{'value':'COMPUTER_SOFTWARE'},'c':[{'value':1}]},'z':{'"
     "y':[1]}}]"},
    {LF_CRM_HUBSPOT, "{}",
     "{'inputFields':{'jobtitle':'CFO','email':'x'},'object':{'objectId':1,'properties':{'a':'b'}}}"},
    {LF_CRM_SALESFORCE, "{}", "{'records':[{'Id':'001D000000IRFma','Title':'CFO','attributes':{}},{'Email':'x'}]}"},
    {LF_CRM_PIPEDRIVE, "{'fields':{'custom_fields.x':'/x'}}",
     "{'meta':{},'data':{'id':1,'x':{'type':'set','values':[{'id':1}]},'emails':[{'value':1},{'value':2}],"
     "'custom_fields':{'a':{'type':'multiselect','value':'a|b'},'b':{'value':2}}}}"},
    {LF_CRM_PIPEDRIVE, "{}", "{'meta':{},'data':{'custom_fields':{'a':{'type':'enum','id':1}}}}"},
    {LF_CRM_MAUTIC, "{}",
     "{'mautic.lead_post_save_new':[{'lead':{'id':1,'fields':{'core':{'email':{'value':'x'}},'all':{'email':'y'}}}},"
     "{'submission':{'lead':{'points':1}}}]}"},
    {LF_CRM_GENERIC, "{'fields':{'company.name':'/n'}}", "{'lead':{'company':{'a':1},'n':'x','m':{'n':[{},[1]]}}}"},
    {LF_CRM_GENERIC, "{'fields':{'a':'x'},'split':{'b':';'}}", "{}"},
};

/* Reads and applies; how the findings and the status say what came of it. */
static enum lf_status
run(struct lf_arena *arena, size_t trial, const struct lf_json *source, const struct lf_json *payload)
{
    struct lf_findings findings;
    struct lf_document document = {arena, &findings};
    struct lf_place root = LF_PLACE_ROOT;
    struct lf_mapped mapped;
    struct lf_error error = {.status = LF_OK};
    const struct lf_mapping *mapping = NULL;
    enum lf_status status = LF_OK;

    lf_findings_init(&findings, arena);
    mapping = lf_mapping_read(&document, TRIALS[trial].crm, source, &root);
    if (mapping == NULL)
        return findings.out_of_memory ? LF_OUT_OF_MEMORY : LF_INVALID_REQUEST;
    assert_false(lf_findings_any(&findings));
    for (int trace = 0; trace < 2 && status == LF_OK; trace++)
        status = lf_mapping_apply(arena, mapping, payload, trace == 1, &mapped, &error);
    if (status != LF_OK)
        assert_int_equal(error.status, status);
    return status;
}

static void
test_all(void **state)
{
    (void)state;
    for (size_t trial = 0; trial < sizeof TRIALS / sizeof *TRIALS; trial++) {
        bool failed = true;

        for (long n = 0; failed; n++) {
            struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 26);
            const struct lf_json *source = NULL, *payload = NULL;
            enum lf_status status = LF_OK;

            assert_non_null(arena);
            source = support_json(arena, TRIALS[trial].source);
            payload = support_json(arena, TRIALS[trial].payload);
            arm(n);
            status = run(arena, trial, source, payload);
            failed = disarm();
            if (!failed)
                assert_int_equal(status, trial + 1 == sizeof TRIALS / sizeof *TRIALS ? LF_INVALID_REQUEST : LF_OK);
            else if (status != LF_OUT_OF_MEMORY && status != LF_INVALID_REQUEST)
                fail_msg("trial %zu, allocation %ld: %s", trial, n, lf_status_word(status));
            /* Of several faults some may be told, and that memory was out. */
            if (failed && trial + 1 < sizeof TRIALS / sizeof *TRIALS)
                assert_int_equal(status, LF_OUT_OF_MEMORY);
            lf_arena_destroy(arena);
            assert_true(failed || n > 5);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {cmocka_unit_test(test_all)};

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
