/*
 * main.c - the leadfit program: the table of its commands, and how one is found. A file a command; see command.h.
 */
#include "command.h"

#include "base/hash.h"
#include "base/json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command COMMANDS[] = {
    {"serve", "[--config FILE] [--db FILE] [--listen ADDR:PORT]", "answer scoring requests over HTTP",
     "Prints one line when it is ready. SIGTERM stops it in order, SIGHUP reads the configuration again.\n",
     command_serve},
    {"score", "--icp FILE.json [--icp …] [--list KEY=FILE] INPUT.csv|INPUT.ndjson|-",
     "score a file of leads, without a database",
     "  --icp FILE          an ICP definition; may be given several times\n"
     "  --list KEY=FILE     a named list for in_list, one entry a line; may be given several times\n"
     "  --as-of TIME        the moment dates are read against (now)\n"
     "  --explain WORD      full, summary or none (summary)\n"
     "  --format WORD       table (on a terminal), csv or ndjson\n"
     "  --separator CHAR    of a CSV input: , ; | or tab (found out from its header)\n"
     "  --top N             of a table: the best N leads, at most 100000\n\n"
     "INPUT is CSV with dotted fields in its header, NDJSON, or a JSON document of leads: a list, {\"records\": "
     "[...]},\n"
     "or objects one after another, up to 64 MiB. - is standard input. Where the output is no terminal, CSV is "
     "answered\n"
     "with CSV and the rest with NDJSON; --explain concerns NDJSON.\n",
     command_score},
    {"icp lint", "[--strict] FILE.json…", "tell what is wrong or weak in ICP definitions",
     "  --strict            warnings count as errors\n", command_icp_lint},
    {"icp import", "--db FILE FILE.json…", "validate ICP definitions and publish them",
     "  --db FILE           the database (leadfit.db)\n"
     "  --note TEXT         why; kept with the versions\n",
     command_icp_import},
    {"icp list", "--db FILE", "list the ICPs of a database", "  --db FILE           the database (leadfit.db)\n",
     command_icp_list},
    {"icp export", "--db FILE KEY [--version N]", "print an ICP's definition",
     "  --db FILE           the database (leadfit.db)\n"
     "  --version N         that version (the active one)\n",
     command_icp_export},
    {"keys create", "--db FILE --name NAME --scopes a,b [--days N | --expires TIME]",
     "make an API key and print it, once",
     "  --db FILE           the database (leadfit.db)\n"
     "  --name NAME         who will use it\n"
     "  --scopes LIST       score, icp:read, icp:write, stats:read, leads:read, leads:write, admin\n"
     "  --days N            expires after that many days (never)\n"
     "  --expires TIME      expires then, such as 2027-01-31T12:00:00Z\n",
     command_keys_create},
    {"keys list", "--db FILE", "list the API keys, without their secrets",
     "  --db FILE           the database (leadfit.db)\n", command_keys_list},
    {"keys revoke", "--db FILE ID", "end an API key", "  --db FILE           the database (leadfit.db)\n",
     command_keys_revoke},
    {"backup", "--db FILE TARGET", "copy the database while it is in use",
     "  --db FILE           the database (leadfit.db)\n", command_backup},
    {"check", "--db FILE", "look a database over and compute recorded scores again",
     "  --db FILE           the database (leadfit.db)\n"
     "  --sample N          how many of the latest scores are computed again (10000)\n",
     command_check},
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

static int
print_help(FILE *out)
{
    (void)fputs("leadfit " LF_VERSION ": scores leads against Ideal Customer Profiles, and says why\n\n"
                "usage: leadfit COMMAND …\n\n",
                out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(out, "  %-12s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    (void)fputs("\nleadfit COMMAND --help tells more of each. Begin with:\n"
                "  leadfit icp import --db leadfit.db config/icps/*.json\n"
                "  leadfit keys create --db leadfit.db --name me --scopes score\n"
                "  leadfit serve --db leadfit.db\n",
                out);
    return ferror(out) ? EXIT_FAULT : EXIT_FINE;
}

/* The command that the arguments begin with; *ret_words is how many of them its name takes. */
static const struct command *
find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *space = strchr(COMMANDS[i].name, ' ');
        size_t first = space != NULL ? (size_t)(space - COMMANDS[i].name) : strlen(COMMANDS[i].name);

        if (strlen(argv[1]) != first || memcmp(argv[1], COMMANDS[i].name, first) != 0)
            continue;
        if (space != NULL && (argc < 3 || strcmp(argv[2], space + 1) != 0))
            continue;
        *ret_words = space != NULL ? 2 : 1;
        return &COMMANDS[i];
    }
    return NULL;
}

/* "icp" or "keys" alone, or with a word that is none of theirs. */
static int
unknown_command(int argc, char **argv)
{
    size_t len = strlen(argv[1]);
    bool group = false, asked = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    FILE *out = asked ? stdout : stderr;

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        group = group || (strncmp(COMMANDS[i].name, argv[1], len) == 0 && COMMANDS[i].name[len] == ' ');
    if (!group)
        (void)fprintf(stderr, "leadfit: there is no command \"%s\": leadfit --help lists them\n", argv[1]);
    else if (argc > 2 && !asked)
        (void)fprintf(stderr, "leadfit: there is no command \"%s %s\": there are\n", argv[1], argv[2]);
    for (size_t i = 0; group && i < COMMAND_COUNT; i++)
        if (strncmp(COMMANDS[i].name, argv[1], len) == 0)
            (void)fprintf(out, "  leadfit %-12s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    return group && asked ? EXIT_FINE : EXIT_WRONG_USAGE;
}

int
main(int argc, char **argv)
{
    const struct command *command = NULL;
    struct lf_error error;
    int words = 0;

    /* A reader that went away is seen as a failed write, not as a signal. */
    (void)signal(SIGPIPE, SIG_IGN);
    lf_json_setup();
    if (lf_hash_setup(&error) != LF_OK)
        return fault(&error);
    if (argc < 2) {
        (void)print_help(stderr);
        return EXIT_WRONG_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return print_help(stdout);
    if (strcmp(argv[1], "--version") == 0)
        return printf("leadfit " LF_VERSION "\n") < 0 ? EXIT_FAULT : EXIT_FINE;
    command = find_command(argc, argv, &words);
    if (command == NULL)
        return unknown_command(argc, argv);
    return command->run(command, argc - 1 - words, argv + 1 + words);
}
