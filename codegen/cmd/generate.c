/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "emit/emit.h"
#include "model/served.h"
#include "text/diag.h"

static const char help[] =
    "Usage: pgstack generate [-C DIR] [types|openapi [-]]\n"
    "\n"
    "Writes generated/ and migrations/ from schema/ and policies/.  The same input gives the same\n"
    "bytes; a file that would not change is not touched, and one that was edited is written anew.\n"
    "Nothing is written if there is an error.\n"
    "\n"
    "  types    generated/database.types.ts alone: what supabase-js's createClient<Database> "
    "takes\n"
    "  openapi  generated/openapi.json alone: the API in OpenAPI 3.1\n"
    "  -        to standard output instead\n";

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
    const char *fingerprint = emit_migration(plan);

    for (size_t i = 0; i < plan->tables.n; i++)
        emit_table(plan, plan->tables.at[i]);
    emit_queries(plan);
    emit_lives(plan);
    emit_app(plan, fingerprint);
    emit_access(plan);
    emit_types(plan);
    emit_openapi(plan);
    say_what_is_not_served(model);
    return out_save("generated", n_written);
}

static int
say_written(size_t n, const char *what)
{
    if (n == 0)
        printf("%s up to date\n", what);
    else
        printf("%zu file%s written\n", n, n == 1 ? "" : "s");
    return CMD_OK;
}

/* One file for clients. */
static int
generate_one(const struct model *model, bool types, bool print)
{
    const struct plan *plan = plan_make(model);
    size_t n_written;

    if (print) {
        fputs(types ? emit_types_text(plan) : emit_openapi_text(plan), stdout);
        return CMD_OK;
    }
    if (types)
        emit_types(plan);
    else
        emit_openapi(plan);
    if (!out_save(NULL, &n_written))
        return CMD_FAILED;
    return say_written(n_written,
                       types ? "generated/database.types.ts is" : "generated/openapi.json is");
}

/* The arguments are `types` or `openapi`, and `-`. */
static bool
are_known(const struct cmd_args *args)
{
    if (args->n == 0)
        return true;
    if (strcmp(args->at[0], "types") != 0 && strcmp(args->at[0], "openapi") != 0)
        return false;
    return args->n == 1 || (args->n == 2 && strcmp(args->at[1], "-") == 0);
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
    if (!are_known(&args))
        return cmd_usage("generate", "unexpected \"%s\"", args.at[args.n - 1]);
    model = cmd_load();
    if (model == NULL)
        return CMD_FAILED;
    if (args.n > 0)
        return generate_one(model, strcmp(args.at[0], "types") == 0, args.n == 2);
    if (!cmd_write(model, &n_written))
        return CMD_FAILED;
    return say_written(n_written, "generated/ and migrations/ are");
}
