/* refusals.c - see refusals.h. */
#include "app/refusals.h"

#include <stdio.h>
#include <string.h>

enum { INDEX_DIGITS_MAX = 3 /* of a lead in an array: LF_MAPPING_LEADS_MAX */ };

static void
copy_text(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from);
}

void
lf_refusals_add(struct lf_refusals *refusals, const struct lf_stored_refusal *refusal)
{
    struct lf_refusal *item = &refusals->items[refusals->next];

    item->at_ms = refusal->at_ms;
    item->status = refusal->status;
    item->bytes = refusal->bytes;
    copy_text(item->request_id, sizeof item->request_id, refusal->request_id);
    copy_text(item->code, sizeof item->code, refusal->code);
    copy_text(item->pointer, sizeof item->pointer, refusal->pointer);
    copy_text(item->detail, sizeof item->detail, refusal->detail);
    refusals->next = (refusals->next + 1) % LF_REFUSALS_KEPT;
    if (refusals->count < LF_REFUSALS_KEPT)
        refusals->count++;
}

size_t
lf_refusals_show(const struct lf_refusals *refusals, struct lf_stored_refusal ret_refusals[LF_REFUSALS_KEPT])
{
    for (size_t i = 0; i < refusals->count; i++) {
        const struct lf_refusal *item =
            &refusals->items[(refusals->next + LF_REFUSALS_KEPT - 1 - i) % LF_REFUSALS_KEPT];

        ret_refusals[i] = (struct lf_stored_refusal){
            .at_ms = item->at_ms,
            .request_id = item->request_id,
            .code = item->code,
            .pointer = item->pointer,
            .detail = item->detail,
            .status = item->status,
            .bytes = item->bytes,
        };
    }
    return refusals->count;
}

const char *
lf_refusal_detail(const struct lf_error *error)
{
    switch ((int)error->status) {
    case LF_BAD_SIGNATURE:
    case LF_UNMAPPED:
        return error->detail;
    case LF_INVALID_JSON:
        return "the body is not valid JSON: have the sender write JSON in UTF-8";
    case LF_NUMBER_OUT_OF_RANGE:
        return "the body has a number that is too large or too long to be read";
    case LF_TOO_DEEP:
        return "the body is nested more deeply than a lead may be";
    case LF_TOO_MANY_MEMBERS:
        return "the body holds more leads, members or elements than are taken at once: have less sent";
    case LF_BODY_TOO_LARGE:
        return "the body is larger than is taken";
    case LF_UNAUTHORIZED:
        return "no secret of this source came with it, and no API key that is good";
    case LF_FORBIDDEN:
        return "the API key that came with it has not the scope score";
    case LF_INVALID_REQUEST:
        return "the lead that it was mapped to cannot be scored: the preview of the same payload says why";
    case LF_NO_ACTIVE_ICP:
        return "there is no active core ICP to score it under: publish one";
    case LF_ICP_NOT_FOUND:
        return "an ICP that the source names is not there: publish it, or take it out of the source's icps";
    case LF_ICP_ARCHIVED:
        return "an ICP that the source names is archived: restore it, or take it out of the source's icps";
    case LF_KEY_REUSED:
        return "its delivery id came before, with another body: the sender must not use an id twice";
    default:
        return lf_status_title(error->status);
    }
}

void
lf_refusal_pointer(const struct lf_error *error, char ret_pointer[LF_POINTER_MAX])
{
    const char *pointer = error->pointer;
    size_t digits = pointer[0] == '/' ? strspn(pointer + 1, "0123456789") : 0;
    bool index =
        digits > 0 && digits <= INDEX_DIGITS_MAX && (pointer[1 + digits] == '/' || pointer[1 + digits] == '\0');
    size_t kept = error->status == LF_UNMAPPED ? strlen(pointer) : index ? digits + 1 : 0;

    memcpy(ret_pointer, pointer, kept);
    ret_pointer[kept] = '\0';
}

bool
lf_refusals_copy(const struct lf_refusals *refusals, struct lf_arena *arena,
                 struct lf_stored_refusal ret_refusals[LF_REFUSALS_KEPT], size_t *ret_count)
{
    size_t count = lf_refusals_show(refusals, ret_refusals);

    for (size_t i = 0; i < count; i++) {
        const char **texts[] = {&ret_refusals[i].request_id, &ret_refusals[i].code, &ret_refusals[i].pointer,
                                &ret_refusals[i].detail};

        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
            *texts[t] = lf_arena_copy(arena, *texts[t], strlen(*texts[t]));
            if (*texts[t] == NULL)
                return false;
        }
    }
    *ret_count = count;
    return true;
}
