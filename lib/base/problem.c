/* problem.c - see problem.h. */
#include "base/problem.h"

#include "base/json.h"

#include <string.h>

static void
put(struct lf_buf *buf, const char *text)
{
    lf_json_put_text(buf, text, strlen(text));
}

static void
put_entry(struct lf_buf *buf, const char *pointer, const char *code, const char *detail, int64_t offset)
{
    lf_buf_lit(buf, "{\"pointer\":");
    put(buf, pointer);
    lf_buf_lit(buf, ",\"code\":");
    put(buf, code);
    lf_buf_lit(buf, ",\"detail\":");
    put(buf, detail);
    if (offset >= 0) {
        lf_buf_lit(buf, ",\"offset\":");
        lf_buf_int(buf, offset);
    }
    lf_buf_lit(buf, "}");
}

void
lf_problem_put(struct lf_buf *buf, const struct lf_error *error, const char *request_id,
               const struct lf_findings *findings)
{
    const char *word = lf_status_word(error->status);
    size_t count = findings != NULL ? findings->count : 0;

    lf_buf_lit(buf, "{\"type\":\"/problems/");
    lf_buf_text(buf, word);
    lf_buf_lit(buf, "\",\"title\":");
    put(buf, lf_status_title(error->status));
    lf_buf_lit(buf, ",\"status\":");
    lf_buf_int(buf, lf_status_http(error->status));
    lf_buf_lit(buf, ",\"detail\":");
    put(buf, error->detail);
    lf_buf_text(buf, request_id[0] != '\0' ? ",\"instance\":\"/requests/" : ",\"instance\":\"");
    lf_buf_text(buf, request_id);
    lf_buf_lit(buf, "\",\"code\":\"");
    lf_buf_text(buf, word);
    lf_buf_lit(buf, "\",\"request_id\":\"");
    lf_buf_text(buf, request_id);
    lf_buf_lit(buf, "\",\"errors\":[");
    if (count == 0 && (error->pointer[0] != '\0' || error->offset >= 0))
        put_entry(buf, error->pointer, word, error->detail, error->offset);
    for (size_t i = 0; i < count; i++) {
        const struct lf_finding *finding = &findings->items[i];

        if (i > 0)
            lf_buf_lit(buf, ",");
        put_entry(buf, finding->pointer, finding->code, finding->detail, -1);
    }
    lf_buf_lit(buf, "]}");
}
