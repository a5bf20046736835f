/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

static const char help[] =
    "Usage: pgstack check [-C DIR]\n"
    "\n"
    "Reads all of schema/ and policies/ and says what is wrong; writes nothing.\n";

int
cmd_check(int argc, char **argv)
{
    struct cmd_args args;
    int status;

    if (!cmd_parse(argc, argv, help, NULL, &args, &status))
        return status;
    if (args.n > 0)
        return cmd_usage("check", "unexpected \"%s\"", args.at[0]);
    return cmd_load() != NULL ? CMD_OK : CMD_FAILED;
}
