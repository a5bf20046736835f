/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/fix.h"
#include "text/diag.h"

static const char help[] =
    "Usage: pgstack check [-C DIR] [--database [URL]] [--format text|json] [--fix [--dry-run]]\n"
    "\n"
    "Reads all of schema/ and policies/ and says what is wrong.\n"
    "\n"
    "  --database     then try what it becomes, up and down, on a real PostgreSQL: raw SQL, bodies "
    "in\n"
    "                 $$, and what only PostgreSQL knows.  Without a URL on the private one of\n"
    "                 `pgstack dev`, which is started for it; with one in a new database on that\n"
    "                 server, by a role that may make databases and roles.  Nothing of it stays:\n"
    "                 all is one transaction, rolled back, and the new database is dropped\n"
    "  --format json  the findings as a JSON array on standard output (docs/findings.md)\n"
    "  --fix          first make the fixes that findings carry, and say which\n"
    "  --dry-run      with --fix: show the difference, write nothing\n"
    "\n"
    "`pgstack explain CODE` says more about a finding.\n";

int
cmd_check(int argc, char **argv)
{
    const char *format = "text";
    const char *url = NULL;
    bool fix = false, dry_run = false, database = false, ok;
    const struct cmd_option options[] = {
        {.name = "--format", .value = &format},
        {.name = "--database", .value = &url, .flag = &database},
        {.name = "--fix", .flag = &fix},
        {.name = "--dry-run", .flag = &dry_run},
        {0},
    };
    struct cmd_args args;
    const struct model *model;
    int status;

    if (!cmd_parse(argc, argv, help, options, &args, &status))
        return status;
    if (args.n > 0)
        return cmd_usage("check", "unexpected \"%s\"", args.at[0]);
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        return cmd_usage("check", "there is no format \"%s\": text or json", format);
    if (dry_run && !fix)
        return cmd_usage("check", "--dry-run goes with --fix");
    if (fix && strcmp(format, "json") == 0)
        return cmd_usage("check", "--fix prints text: use it without --format json");
    if (fix && !fix_sources(dry_run))
        return CMD_FAILED;
    model = cmd_check_sources();
    ok = model != NULL && (!database || cmd_ask_database(model, url));
    if (strcmp(format, "json") == 0)
        diag_print_json(stdout);
    else
        diag_print(stderr, isatty(STDERR_FILENO));
    return ok && diag_errors() == 0 ? CMD_OK : CMD_FAILED;
}
