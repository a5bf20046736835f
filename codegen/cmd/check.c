/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/fix.h"
#include "text/diag.h"

static const char help[] =
    "Usage: pgstack check [-C DIR] [--format text|json] [--fix [--dry-run]]\n"
    "\n"
    "Reads all of schema/ and policies/ and says what is wrong.\n"
    "\n"
    "  --format json  the findings as a JSON array on standard output (docs/findings.md)\n"
    "  --fix          first make the fixes that findings carry, and say which\n"
    "  --dry-run      with --fix: show the difference, write nothing\n"
    "\n"
    "`pgstack explain CODE` says more about a finding.\n";

int
cmd_check(int argc, char **argv)
{
    const char *format = "text";
    bool fix = false, dry_run = false;
    const struct cmd_option options[] = {
        {.name = "--format", .value = &format},
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
    if (strcmp(format, "json") == 0)
        diag_print_json(stdout);
    else
        diag_print(stderr, isatty(STDERR_FILENO));
    return model != NULL ? CMD_OK : CMD_FAILED;
}
