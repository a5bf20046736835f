/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"
#include "lsp/lsp.h"

static const char help[] = "Usage: pgstack lsp\n"
                           "\n"
                           "A language server for editors, on standard input and output;\n"
                           "docs/editors.md says how to start it from yours.\n";

int
cmd_lsp(int argc, char **argv)
{
    bool from_stdio = false; /* what editors pass to every server */
    const struct cmd_option options[] = {{.name = "--stdio", .flag = &from_stdio}, {0}};
    struct cmd_args args;
    int status;

    if (!cmd_parse(argc, argv, help, options, &args, &status))
        return status;
    if (args.n > 0)
        return cmd_usage("lsp", "unexpected \"%s\"", args.at[0]);
    return lsp_run();
}
