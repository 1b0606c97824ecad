/*
 * support.h - what the unit tests of the core share: definitions and leads from short text, and the way through them.
 *
 * Texts are JSON in which ' stands for ", so that they can be read in C. Everything fails the test at hand when it does
 * not work out. An arena comes with each test: register with support_setup and support_teardown.
 */
#ifndef LF_TESTS_SUPPORT_H
#define LF_TESTS_SUPPORT_H

#include "base/arena.h"
#include "base/findings.h"
#include "core/answer.h"
#include "core/icp.h"
#include "core/program.h"
#include "core/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A fresh arena for each test, in *state. */
int support_setup(void **state);
int support_teardown(void **state);

#define SUPPORT_TEST(function) cmocka_unit_test_setup_teardown(function, support_setup, support_teardown)

/* For cmocka_run_group_tests: what is called once at start. */
int support_group_setup(void **state);

/* The text with " for '. */
char *support_quoted(struct lf_arena *arena, const char *text);

/* A JSON value. */
const struct lf_json *support_json(struct lf_arena *arena, const char *text);

/* A definition that must be valid. */
const struct lf_icp *support_icp(struct lf_arena *arena, const char *text);

/* A definition around these members, which holds what is required besides: {key, name, framework, …members}. */
const struct lf_icp *support_icp_with(struct lf_arena *arena, const char *members);

/* A definition of one attribute with one rule of that condition. */
const struct lf_icp *support_icp_when(struct lf_arena *arena, const char *condition);

/* A file of the source tree, whole, NUL-terminated. */
char *support_file(struct lf_arena *arena, const char *path, size_t *ret_len);

/* The definitions in config/icps. */
enum { SUPPORT_CONFIG_ICPS = 6 };
extern const char *const SUPPORT_CONFIG_PATHS[SUPPORT_CONFIG_ICPS];
const struct lf_icp *support_config_icp(struct lf_arena *arena, size_t index);

/* A time, as "2026-06-01" or RFC 3339, in milliseconds. */
int64_t support_ms(const char *time);

/* A program of these; destroyed with support_teardown. */
struct lf_program *support_program(const struct lf_icp *const *icps, size_t count, const struct lf_list_source *lists);

/* Destroys the programs made so far, for a test that makes many. */
void support_drop_programs(void);

/* Everything about one lead under one ICP. */
struct support_scored {
    struct lf_evaluation *evaluation;
    const struct lf_outcome *outcome;
    const struct lf_scorer *scorer;
    struct lf_score score;
};
struct support_scored support_score(struct lf_arena *arena, const struct lf_program *program, size_t index,
                                    const struct lf_json *lead, const char *as_of);

/* A small random source that gives the same on every machine. */
struct support_random {
    uint64_t state;
};
uint32_t support_random(struct support_random *random, uint32_t below);

/* A random lead, with the fields that the definition reads: values that its leaves ask for, near misses, wrong kinds,
 * lists, and nothing. */
const struct lf_json *support_random_lead(struct lf_arena *arena, struct support_random *random,
                                          const struct lf_icp *const *icps, size_t count);

#endif
