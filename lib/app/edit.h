/*
 * edit.h - the steps that all changes of app/editing.h share.
 *
 *     lf_edit_begin      waits for its turn; from here on nobody else changes anything
 *     …                  looks at what is there and refuses what should not be
 *     lf_edit_prepare    makes the live set as it will be: the last step that may run out of memory
 *     lf_edit_commit     on the disk
 *     lf_edit_put_live   swaps a pointer
 *     lf_edit_end        always; what was prepared and not put in place goes
 *
 * For lib/app/editing*.c alone. An edit belongs to one thread, on whose stack it is.
 */
#ifndef LF_APP_EDIT_H
#define LF_APP_EDIT_H

#include "app/live.h"
#include "app/service.h"
#include "base/arena.h"
#include "base/status.h"
#include "core/named_list.h"
#include "store/store.h"

#include <stdint.h>

struct lf_edit {
    struct lf_service *service;
    struct lf_change change; /* who and why; when: where it had to wait, when its turn came */
    struct lf_store_reader *reader;
    struct lf_arena *scratch; /* gone with the edit */
    struct lf_live_set *set;  /* the present one */
    struct lf_profiles *next; /* what was prepared; NULL: nothing, or it is in place */
};

/* Waits until it is alone. When it fails the edit has ended. */
enum lf_status lf_edit_begin(struct lf_service *service, const struct lf_change *change, struct lf_edit *ret_edit,
                             struct lf_error *error) LF_MUST_CHECK;

/* Prepares the live set as it will be after the change; one that was prepared before goes. */
enum lf_status
lf_edit_prepare(struct lf_edit *edit, const struct lf_live_change *change, struct lf_error *error) LF_MUST_CHECK;

/* Runs the write on the recorder's thread and waits for it. */
enum lf_status lf_edit_commit(struct lf_edit *edit,
                              enum lf_status (*write)(struct lf_store *store, void *argument, struct lf_error *error),
                              void *argument, struct lf_error *error) LF_MUST_CHECK;

/* Puts what was prepared in place, if anything was. */
void lf_edit_put_live(struct lf_edit *edit);

void lf_edit_end(struct lf_edit *edit);

/* Logs a change that was made: its action in the audit's words, whose it is, and of a publication or activation the
 * version (else 0). */
void lf_edit_log(const struct lf_change *change, const char *action, const char *subject, int version);

#endif
