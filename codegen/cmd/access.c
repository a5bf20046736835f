/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/matrix.h"
#include "review/view.h"
#include "text/diag.h"

static const char help[] =
    "Usage: pgstack access [-C DIR] [--role R] [--table T] [--command C] [--format text|json]\n"
    "\n"
    "Says who may do what: generated/access.txt, narrowed to what is asked, the policies of a "
    "role\n"
    "and command joined, and what the names in them mean.  Writes nothing.\n"
    "\n"
    "  --role R     what this role may, by itself and by what it inherits\n"
    "  --table T    who may what with this table, view, query, function or live query\n"
    "  --command C  select, insert, update, delete or call\n";

/* Sets `*name` to how the matrix writes it; false: there is none, printed. */
static bool
find_name(const char *what, const struct words *names, const char **name)
{
    struct words plain = {0};
    const char *nearest;

    for (size_t i = 0; i < names->list.n; i++) {
        words_add(&plain, matrix_unquoted(names->list.at[i]));
        if (strcmp(plain.list.at[i], *name) == 0) {
            *name = names->list.at[i];
            return true;
        }
    }
    nearest = diag_nearest(*name, plain.list.at, plain.list.n);
    if (nearest != NULL)
        cmd_fail("there is no %s \"%s\"; did you mean \"%s\"?", what, *name, nearest);
    else
        cmd_fail("there is no %s \"%s\"", what, *name);
    return false;
}

static bool
find_names(const struct matrix *matrix, struct view *view)
{
    struct words roles = matrix_roles(matrix), tables = {0}, commands = {0};
    static const char *const words[] = {"select", "insert", "update", "delete", "call"};

    for (size_t i = 0; i < matrix->sections.n; i++)
        words_add(&tables, matrix->sections.at[i]->name);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        words_add(&commands, words[i]);
    return (view->role == NULL || find_name("role", &roles, &view->role)) &&
           (view->table == NULL ||
            find_name("table, view, query or function", &tables, &view->table)) &&
           (view->command == NULL || find_name("command", &commands, &view->command));
}

int
cmd_access(int argc, char **argv)
{
    const char *format = "text";
    struct view view = {0};
    const struct cmd_option options[] = {
        {.name = "--role", .value = &view.role},
        {.name = "--table", .value = &view.table},
        {.name = "--command", .value = &view.command},
        {.name = "--format", .value = &format},
        {0},
    };
    struct matrix matrix;
    struct cmd_args args;
    struct str out = {0};
    int status;

    if (!cmd_parse(argc, argv, help, options, &args, &status))
        return status;
    if (args.n > 0)
        return cmd_usage("access", "unexpected \"%s\"", args.at[0]);
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        return cmd_usage("access", "there is no format \"%s\": text or json", format);
    if (!cmd_matrix_here(&matrix) || !find_names(&matrix, &view))
        return CMD_FAILED;
    if (strcmp(format, "json") == 0)
        view_print_json(&out, &matrix, &view);
    else
        view_print_text(&out, &matrix, &view);
    fputs(out.at, stdout);
    return CMD_OK;
}
