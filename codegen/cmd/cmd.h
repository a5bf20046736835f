/* SPDX-License-Identifier: MIT */
/*
 * The subcommands of `pgstack`, one file each, and what they share: arguments, the project folder
 * and the way from its sources to a checked model.
 *
 * A subcommand, listed in main.c, gets argv from its own name on and returns the exit status:
 * CMD_OK, CMD_FAILED (what is wrong has been printed) or CMD_USAGE.
 */
#ifndef CMD_H
#define CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

enum {
    CMD_OK,
    CMD_FAILED,
    CMD_USAGE,
};

int cmd_init(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_fmt(int argc, char **argv);
int cmd_lsp(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_access(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_dev(int argc, char **argv);
int cmd_migration(int argc, char **argv);

/*
 * An option of a subcommand; `value` or `flag` is set, or both: then its value may be left out. The
 * array ends with {0}.
 */
struct cmd_option {
    const char *name;   /* "--port" */
    const char **value; /* takes a value: `--port 8080` or `--port=8080` */
    bool *flag;
};

/* What was neither an option nor its value. */
struct cmd_args {
    int n;
    char **at;
};

/*
 * Reads options and `-C DIR` (which becomes the working directory), wherever they stand; what is
 * left goes to `args`.  `help` is printed for --help.  False: return `*status` at once.
 */
bool cmd_parse(int argc, char **argv, const char *help, const struct cmd_option *options,
               struct cmd_args *args, int *status);

/* "pgstack: MESSAGE" on stderr; returns CMD_FAILED. */
int cmd_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, pointing at --help of `command`; returns CMD_USAGE. */
int cmd_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The folder of the running program, absolute; main sets it before anything changes folder. */
const char *cmd_program_dir(void);
void cmd_find_program(void);

/*
 * Reads schema/ and policies/ of the working directory and checks them, once.  NULL when there were
 * errors; they, and any warnings, have been printed to stderr.
 */
const struct model *cmd_load(void);

/* The same each time that it is called, with nothing printed: the findings are in diag.h. */
const struct model *cmd_check_sources(void);

/*
 * What a PostgreSQL says of the checked model: the one at `url`, or the private one when it is
 * NULL. Its findings are in diag.h.  False: it could not be asked, which has been printed.
 */
bool cmd_ask_database(const struct model *model, const char *url);

/* Writes generated/ and migrations/ of the model; `n_written`: files that changed.  False: printed.
 */
bool cmd_write(const struct model *model, size_t *n_written);

/* Generates, compiles and links; `*server` is the path of the program.  False: printed. */
bool cmd_make_server(const char **server);

#endif
