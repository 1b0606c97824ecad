/* arguments.c - reads the arguments of commands, and what else they share; see command.h. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

enum { COLUMNS_LEAST = 20, COLUMNS_MOST = 1000, COLUMNS_OF_A_FILE = 160 };

int
wrong_usage(const struct command *command, const char *format, ...)
{
    va_list args;

    (void)fprintf(stderr, "leadfit %s: ", command->name);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\nusage: leadfit %s %s (leadfit %s --help tells more)\n", command->name, command->usage,
                  command->name);
    return EXIT_WRONG_USAGE;
}

int
fault(const struct lf_error *error)
{
    (void)fprintf(stderr, "leadfit: %s\n", error->detail);
    return error->status == LF_USAGE || error->status == LF_CONFIG ? EXIT_WRONG_USAGE : EXIT_FAULT;
}

static void
print_command_help(const struct command *command, bool settings)
{
    (void)printf("usage: leadfit %s %s\n\n%s\n", command->name, command->usage, command->help);
    if (command->more[0] != '\0')
        (void)printf("\n%s", command->more);
    if (settings) {
        struct lf_buf buf;

        lf_buf_init(&buf, NULL, 1 << 16);
        lf_buf_lit(&buf, "\n  --config FILE       a configuration file; config/leadfit.ini is the manual\n\n"
                         "Every setting may stand in that file, as LEADFIT_… in the environment, or here:\n");
        for (int id = 0; id < LF_SETTING_COUNT; id++)
            lf_config_put_help(&buf, (enum lf_setting_id)id);
        if (lf_buf_terminate(&buf) != NULL)
            (void)fputs(buf.data, stdout);
        lf_buf_finish(&buf);
    }
}

/* Takes argv[*at] when it is the option; 0, or an exit code. *ret_taken tells whether it was. */
static int
take_option(const struct command *command, const struct option *option, int argc, char **argv, int *at, bool *ret_taken)
{
    size_t len = strlen(option->name);
    const char *value = NULL;

    *ret_taken = strncmp(argv[*at], option->name, len) == 0 && (argv[*at][len] == '\0' || argv[*at][len] == '=');
    if (!*ret_taken)
        return 0;
    if (option->seen != NULL) {
        if (argv[*at][len] == '=')
            return wrong_usage(command, "%s takes no value", option->name);
        *option->seen = true;
        (*at)++;
        return 0;
    }
    if (argv[*at][len] == '=')
        value = argv[*at] + len + 1;
    else if (*at + 1 < argc)
        value = argv[++*at];
    else
        return wrong_usage(command, "%s wants a value", option->name);
    (*at)++;
    if (option->each != NULL)
        return option->each(option->context, value);
    *option->value = value;
    return 0;
}

int
read_arguments(const struct command *command, int argc, char **argv, const struct option *options,
               struct lf_config *config, int *ret_count)
{
    struct lf_error error;
    int count = 0, at = 0;
    bool only_names = false;

    while (at < argc) {
        bool taken = false;

        if (only_names || argv[at][0] != '-' || argv[at][1] == '\0') {
            argv[count++] = argv[at++];
            continue;
        }
        if (strcmp(argv[at], "--") == 0) {
            only_names = true;
            at++;
            continue;
        }
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            print_command_help(command, config != NULL);
            *ret_count = -1;
            return EXIT_FINE;
        }
        for (const struct option *option = options; option->name != NULL && !taken; option++) {
            int code = take_option(command, option, argc, argv, &at, &taken);
            if (code != 0)
                return code;
        }
        if (!taken && config != NULL && lf_config_take_option(config, argc, argv, &at, &taken, &error) != LF_OK)
            return wrong_usage(command, "%s", error.detail);
        if (!taken)
            return wrong_usage(command, "there is no option %s", argv[at]);
    }
    *ret_count = count;
    return 0;
}

struct lf_config *
make_config(const char *file, int *ret_exit)
{
    struct lf_config *config = lf_config_create();
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (file == NULL)
        file = getenv("LEADFIT_CONFIG");
    if (config == NULL)
        status = lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while reading the configuration");
    if (status == LF_OK && file != NULL && file[0] != '\0')
        status = lf_config_read_file(config, file, &error);
    if (status == LF_OK)
        status = lf_config_read_environment(config, environ, &error);
    if (status != LF_OK) {
        lf_config_destroy(config);
        *ret_exit = fault(&error);
        return NULL;
    }
    return config;
}

enum lf_status
read_file(const char *path, size_t max, char **ret_text, size_t *ret_len, struct lf_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct lf_buf buf;
    enum lf_status status = LF_OK;

    if (fd < 0)
        return lf_fail(error, LF_FILE, "%s: %s", path, strerror(errno));
    lf_buf_init(&buf, NULL, max + 1);
    for (;;) {
        size_t want = max - buf.len < 65536 ? max - buf.len + 1 : 65536;
        char *place = lf_buf_reserve(&buf, want);
        ssize_t got = place == NULL ? 0 : read(fd, place, want);

        if (place == NULL || buf.len + (size_t)(got > 0 ? got : 0) > max) {
            status = lf_fail(error, LF_FILE, "%s: larger than %zu bytes", path, max);
            break;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = lf_fail(error, LF_FILE, "%s: %s", path, strerror(errno));
        if (got <= 0)
            break;
        buf.len += (size_t)got;
    }
    if (!standard)
        (void)close(fd); /* it was only read */
    if (status == LF_OK && lf_buf_terminate(&buf) == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading %s", path);
    if (status != LF_OK) {
        lf_buf_finish(&buf);
        return status;
    }
    *ret_text = buf.data; /* handed over: a heap buffer's data is the heap's */
    *ret_len = buf.len;
    return LF_OK;
}

bool
output_is_terminal(int *ret_columns)
{
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");
    int told = columns != NULL ? atoi(columns) : 0;

    *ret_columns = told >= COLUMNS_LEAST && told <= COLUMNS_MOST ? told : COLUMNS_OF_A_FILE;
    if (!isatty(STDOUT_FILENO))
        return false;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        *ret_columns = size.ws_col;
    return true;
}

const char *
on_a_line(const char *name, char ret_text[ON_A_LINE_MAX])
{
    size_t len = 0;

    for (const unsigned char *at = (const unsigned char *)name; *at != '\0' && len + 1 < ON_A_LINE_MAX; at++) {
        bool of_two = at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F; /* U+0080 to U+009F */

        ret_text[len++] = (char)(of_two || *at < ' ' || *at == 0x7F ? '?' : *at);
        at += of_two;
    }
    ret_text[len] = '\0';
    return ret_text;
}
