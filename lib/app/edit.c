/* edit.c - see edit.h. */
#include "app/edit.h"

#include "base/log.h"
#include "base/time.h"

enum { SCRATCH_CHUNK = 1 << 16, SCRATCH_MAX = 1 << 30 };

enum lf_status
lf_edit_begin(struct lf_service *service, const struct lf_change *change, struct lf_edit *ret_edit,
              struct lf_error *error)
{
    struct lf_edit edit = {
        .service = service, .change = *change, .scratch = lf_arena_create(SCRATCH_CHUNK, SCRATCH_MAX)};
    enum lf_status status = LF_OK;

    if (edit.scratch == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory; nothing was changed");
    if (lf_service_lock_editing(service) && lf_time_now_ms() > edit.change.at_ms)
        edit.change.at_ms = lf_time_now_ms();
    edit.set = lf_live_acquire(lf_service_live(service));
    status = lf_service_check_time(service, error); /* its turn may have come late */
    if (status == LF_OK)
        status = lf_service_borrow_reader(service, &edit.reader, error);
    if (status != LF_OK)
        lf_edit_end(&edit);
    else
        *ret_edit = edit;
    return status;
}

enum lf_status
lf_edit_prepare(struct lf_edit *edit, const struct lf_live_change *change, struct lf_error *error)
{
    lf_profiles_destroy(edit->next);
    edit->next = NULL;
    return lf_live_prepare(edit->reader, lf_service_privacy(edit->service), edit->set->profiles, change, &edit->next,
                           error);
}

enum lf_status
lf_edit_commit(struct lf_edit *edit,
               enum lf_status (*write)(struct lf_store *store, void *argument, struct lf_error *error), void *argument,
               struct lf_error *error)
{
    return lf_recorder_run(lf_service_recorder(edit->service), write, argument, error);
}

void
lf_edit_put_live(struct lf_edit *edit)
{
    if (edit->next != NULL)
        lf_live_replace(lf_service_live(edit->service), edit->next);
    edit->next = NULL;
}

void
lf_edit_end(struct lf_edit *edit)
{
    if (edit->reader != NULL)
        lf_service_return_reader(edit->service, edit->reader);
    lf_service_unlock_editing(edit->service);
    lf_live_release(lf_service_live(edit->service), edit->set); /* it may be the last one's, and large */
    lf_profiles_destroy(edit->next);
    lf_arena_destroy(edit->scratch);
}

void
lf_edit_log(const struct lf_change *change, const char *action, const char *subject, int version)
{
    if (version > 0)
        lf_log(LF_LOG_INFO, "changed", lf_log_text("action", action), lf_log_text("subject", subject),
               lf_log_int("version", version), lf_log_text("by", change->key_id));
    else
        lf_log(LF_LOG_INFO, "changed", lf_log_text("action", action), lf_log_text("subject", subject),
               lf_log_text("by", change->key_id));
}
