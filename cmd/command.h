/*
 * command.h - what the subcommands share. main.c holds the table of them; a file each.
 *
 * A command gets the arguments behind its name and returns the program's exit code: 0 fine, 1 it ran and found or met
 * a fault, 2 wrong usage. It tells faults on standard error, in one line that says what, where and what to do.
 */
#ifndef LF_CMD_COMMAND_H
#define LF_CMD_COMMAND_H

#include "base/config.h"
#include "base/status.h"
#include "store/store.h"

#include <stdbool.h>

enum { EXIT_FINE = 0, EXIT_FAULT = 1, EXIT_WRONG_USAGE = 2 };

struct command {
    const char *name;  /* "serve", "icp lint" */
    const char *usage; /* what stands behind the name */
    const char *help;  /* one line */
    const char *more;  /* options and examples, for --help of this command; "" for none */
    int (*run)(const struct command *command, int argc, char **argv);
};

int command_serve(const struct command *command, int argc, char **argv);
int command_score(const struct command *command, int argc, char **argv);
int command_icp_lint(const struct command *command, int argc, char **argv);
int command_icp_import(const struct command *command, int argc, char **argv);
int command_icp_list(const struct command *command, int argc, char **argv);
int command_icp_export(const struct command *command, int argc, char **argv);
int command_keys_create(const struct command *command, int argc, char **argv);
int command_keys_list(const struct command *command, int argc, char **argv);
int command_keys_revoke(const struct command *command, int argc, char **argv);
int command_backup(const struct command *command, int argc, char **argv);
int command_check(const struct command *command, int argc, char **argv);

/* ---- a database to read or to write (database.c) ---- */

struct reading {
    struct lf_store *store;
    struct lf_store_reader *reader;
    struct lf_arena *arena;
};

/* Opens a database read-only. Also after a failure it is to be closed. */
enum lf_status reading_open(const char *db, struct reading *ret_reading, struct lf_error *error) LF_MUST_CHECK;

/* Closes all of it; says the error where status is one. Returns the command's exit code. */
int reading_close(struct reading *reading, enum lf_status status, const struct lf_error *error);

/* Opens a database to write. Where a server has it open, the error names what of its API does the same: "POST
 * /v1/keys". */
enum lf_status
writing_open(const char *db, const char *instead, struct lf_store **ret_store, struct lf_error *error) LF_MUST_CHECK;

/* A change that a command makes, as of now. */
struct lf_change command_line_change(const char *note);

/* ---- arguments (arguments.c) ---- */

/* One option of a command of its own. A flag takes no value: *seen counts it. Another takes one, as `--name value` or
 * `--name=value`: *value is the last given, or `each` is called for every one. */
struct option {
    const char *name; /* with its dashes */
    const char **value;
    bool *seen;
    int (*each)(void *context, const char *value); /* 0, or an exit code that ends the command */
    void *context;
};

/* Reads the arguments: the options given (ended by one without a name), and settings of the configuration where config
 * is not NULL. What is neither goes to the front of argv, in order; *ret_count of them. Returns 0, or the exit code
 * with which the command ends: EXIT_WRONG_USAGE with words on standard error, or for --help, which has been printed,
 * *ret_count is -1 and the code EXIT_FINE. */
int read_arguments(const struct command *command, int argc, char **argv, const struct option *options,
                   struct lf_config *config, int *ret_count);

/* Says on standard error what is wrong with the usage, names --help, and returns EXIT_WRONG_USAGE. */
int wrong_usage(const struct command *command, const char *format, ...) LF_PRINTF(2, 3);

/* Says the error on standard error ("leadfit: detail") and returns EXIT_FAULT, or EXIT_WRONG_USAGE for one of usage or
 * configuration. */
int fault(const struct lf_error *error);

/* The configuration of a command: defaults, the file of --config (or of LEADFIT_CONFIG), the environment, then options
 * taken by read_arguments. Returns NULL with words on standard error and *ret_exit set. */
struct lf_config *make_config(const char *file, int *ret_exit);

/* Reads a whole file of at most max bytes into the heap; the caller frees *ret_text, which is NUL-terminated.
 * "-" is standard input. FILE. */
enum lf_status read_file(const char *path, size_t max, char **ret_text, size_t *ret_len, struct lf_error *error);

/* Whether standard output is a terminal, and how wide it is: what COLUMNS says where that is not known (160 without).
 */
bool output_is_terminal(int *ret_columns);

/* A name, cut where it is longer, for a line on a terminal: a `?` stands for each control character, which might break
 * the line or steer the terminal, for whoever may write names is not whoever reads them here. Returns ret_text. */
enum { ON_A_LINE_MAX = 1024 };
const char *on_a_line(const char *name, char ret_text[ON_A_LINE_MAX]);

#endif
