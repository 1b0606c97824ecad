/*
 * process.h - what the system knows of this process: its memory, its files, the time it took. Linux's /proc.
 */
#ifndef LF_BASE_PROCESS_H
#define LF_BASE_PROCESS_H

#include "base/status.h"

#include <stdint.h>

struct lf_process {
    int64_t cpu_us;                        /* of all its threads, in user and system mode */
    int64_t resident_bytes, virtual_bytes; /* memory */
    int64_t threads;
    int64_t open_fds, max_fds; /* descriptors; max: what it may have, the soft limit */
    int64_t started_ms;        /* since 1970; as exact as the system's ticks, a hundredth of a second */
};

/* FILE when /proc is not there or does not look as it should. Reads some files anew with each call: not for the way of
 * a request. Thread-safe. */
enum lf_status lf_process_read(struct lf_process *ret_process, struct lf_error *error) LF_MUST_CHECK;

#endif
