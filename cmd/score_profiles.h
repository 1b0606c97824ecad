/*
 * score_profiles.h - the ICPs and named lists that `leadfit score` is given as files.
 *
 * Gathered while the arguments are read, loaded afterwards; then immutable and, as all profiles are, thread-safe.
 */
#ifndef LF_CMD_SCORE_PROFILES_H
#define LF_CMD_SCORE_PROFILES_H

#include "command.h"

#include "app/profiles.h"

#include <stdbool.h>
#include <stddef.h>

enum { SCORE_ICPS_MAX = 100, SCORE_LISTS_MAX = 100 };

/* --list KEY=FILE */
struct list_file {
    char key[65];
    const char *path;
    struct lf_named_list *list;
    bool used; /* a definition names it */
};

struct score_profiles {
    const struct command *command;
    const char *paths[SCORE_ICPS_MAX]; /* of --icp */
    size_t count;
    struct list_file lists[SCORE_LISTS_MAX];
    size_t list_count;
    struct lf_profiles *profiles;
    const char *keys[SCORE_ICPS_MAX]; /* the ICPs' */
};

/* What read_arguments calls for --icp and --list; context is the struct score_profiles. */
int score_profiles_icp(void *context, const char *value);
int score_profiles_list(void *context, const char *value);

/* Reads and compiles it all. Returns 0, or the exit code, with everything that is wrong told on standard error. */
int score_profiles_load(struct score_profiles *given);

void score_profiles_finish(struct score_profiles *given);

#endif
