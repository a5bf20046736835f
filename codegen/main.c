/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "text/diag.h"
#include "base/version.h"

struct subcommand {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

static const struct subcommand commands[] = {
    {"init", "make a new project", cmd_init},
    {"check", "read the schema and say what is wrong", cmd_check},
    {"fmt", "write the sources in their one canonical form", cmd_fmt},
    {"lsp", "a language server for editors", cmd_lsp},
    {"explain", "say what a finding means and what to do", cmd_explain},
    {"generate", "write generated/ and migrations/", cmd_generate},
    {"access", "say who may do what", cmd_access},
    {"diff", "say who gained and who lost what between two versions", cmd_diff},
    {"build", "generate, compile and link the server", cmd_build},
    {"dev", "run it all: a private PostgreSQL, the migrations, the server", cmd_dev},
    {"migration", "apply migrations to a database, or show their state", cmd_migration},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
print_help(FILE *out)
{
    fputs("Usage: pgstack COMMAND [-C DIR] [OPTION...]\n"
          "\n"
          "Compiles a schema and its policies into an API server in front of PostgreSQL.\n"
          "\n",
          out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "`pgstack COMMAND --help` says more.  `-C DIR` works in DIR instead of this folder.\n"
          "Exit status: 0 done, 1 something is wrong (it has been printed), 2 usage.\n",
          out);
}

static int
unknown_command(const char *name)
{
    const char *known[N_COMMANDS];
    const char *nearest;

    for (size_t i = 0; i < N_COMMANDS; i++)
        known[i] = commands[i].name;
    nearest = diag_nearest(name, known, N_COMMANDS);
    fprintf(stderr, "pgstack: there is no command \"%s\"", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    fputs("\nTry `pgstack --help`.\n", stderr);
    return CMD_USAGE;
}

int
main(int argc, char **argv)
{
    cmd_find_program();
    if (argc < 2) {
        print_help(stderr);
        return CMD_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return CMD_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("pgstack " PGSTACK_VERSION);
        return CMD_OK;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return unknown_command(argv[1]);
}
