/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "cmd/compile.h"
#include "model/names.h"

#define OBJECTS "build/server/objects"

static const char help[] =
    "Usage: pgstack build [-C DIR]\n"
    "\n"
    "Generates, compiles what has changed, and links build/server/APP: the server of this\n"
    "application.  CC names another compiler than cc.\n";

static bool
make_folders(void)
{
    static const char *const folders[] = {"build", "build/server", OBJECTS};

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (mkdir(folders[i], 0777) != 0 && errno != EEXIST) {
            cmd_fail("%s: %s", folders[i], strerror(errno));
            return false;
        }
    return true;
}

bool
cmd_make_server(const char **server)
{
    const struct model *model = cmd_load();
    size_t n_written, n_compiled;

    if (model == NULL || !compile_open() || !cmd_write(model, &n_written) || !make_folders())
        return false;
    if (!compile_folder("generated", OBJECTS, &n_compiled))
        return false;
    *server = arena_printf("build/server/%s", name_c(model->app));
    return compile_link(*server);
}

int
cmd_build(int argc, char **argv)
{
    const char *server;
    struct cmd_args args;
    int status;

    if (!cmd_parse(argc, argv, help, NULL, &args, &status))
        return status;
    if (args.n > 0)
        return cmd_usage("build", "unexpected \"%s\"", args.at[0]);
    if (!cmd_make_server(&server))
        return CMD_FAILED;
    printf("%s\n", server);
    return CMD_OK;
}
