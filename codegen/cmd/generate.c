/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "emit/emit.h"
#include "model/served.h"
#include "text/diag.h"

static const char help[] =
    "Usage: pgstack generate [-C DIR]\n"
    "\n"
    "Writes generated/ and migrations/ from schema/ and policies/.  The same input gives the same\n"
    "bytes; a file that would not change is not touched, and one that was edited is written anew.\n"
    "Nothing is written if there is an error.\n";

static void
warn_unserved(struct span span, const char *what, const char *name)
{
    struct diag *diag =
        diag_at(span, PGS4190_NOT_SERVED_YET,
                "%s \"%s\" is checked, but this version does not serve it", what, name);

    diag_hint(diag, "nothing of it is written into generated/ but its lines in access.txt");
}

/* What is declared and does nothing must not be believed to work. */
static void
say_what_is_not_served(const struct model *model)
{
    diag_reset();
    for (size_t i = 0; i < model->lives.n; i++)
        warn_unserved(model->lives.at[i]->span, "live query", model->lives.at[i]->name);
    for (size_t i = 0; i < model->webhooks.n; i++)
        warn_unserved(model->webhooks.at[i]->span, "webhook", model->webhooks.at[i]->name);
    if (model->auth)
        warn_unserved(model->auth->span, "declaration", "auth");
    diag_print(stderr, isatty(STDERR_FILENO));
}

bool
cmd_write(const struct model *model, size_t *n_written)
{
    const struct plan *plan = plan_make(model);
    const char *fingerprint = emit_migration(model);

    for (size_t i = 0; i < plan->tables.n; i++)
        emit_table(plan, plan->tables.at[i]);
    emit_queries(plan);
    emit_app(plan, fingerprint);
    emit_access(plan);
    say_what_is_not_served(model);
    return out_save("generated", n_written);
}

int
cmd_generate(int argc, char **argv)
{
    const struct model *model;
    struct cmd_args args;
    size_t n_written;
    int status;

    if (!cmd_parse(argc, argv, help, NULL, &args, &status))
        return status;
    if (args.n > 0)
        return cmd_usage("generate", "unexpected \"%s\"", args.at[0]);
    model = cmd_load();
    if (model == NULL || !cmd_write(model, &n_written))
        return CMD_FAILED;
    if (n_written == 0)
        puts("generated/ and migrations/ are up to date");
    else
        printf("%zu file%s written\n", n_written, n_written == 1 ? "" : "s");
    return CMD_OK;
}
