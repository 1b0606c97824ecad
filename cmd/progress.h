/*
 * progress.h - a progress bar on standard error, for runs that take longer than a moment.
 *
 * Nothing is drawn where standard error is no terminal, or within the first second. It is redrawn at most ten times a
 * second on the last line, which belongs to it: clear it before writing anything else there. One thread at a time.
 */
#ifndef LF_CMD_PROGRESS_H
#define LF_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on, drawn;
    uint64_t total; /* bytes of the input; 0: not known, then count and rate are told */
    int64_t began_ns, drawn_ns;
};

/* allowed: false where a bar would disturb, as when results go to the same terminal. */
void progress_init(struct progress *progress, bool allowed, uint64_t total);

/* How far it is: bytes read, leads done. Cheap when there is nothing to draw. */
void progress_step(struct progress *progress, uint64_t bytes, uint64_t leads);

/* Takes the bar off the terminal; it comes back with the next step that draws. */
void progress_clear(struct progress *progress);

#endif
