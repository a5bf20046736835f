/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/matrix.h"
#include "review/compare.h"

static const char help[] =
    "Usage: pgstack diff --access OLD NEW [-C DIR] [--format text|json|markdown]\n"
    "                    [--allow-widening]\n"
    "\n"
    "Says who gained and who lost what between two versions.  OLD and NEW are each a project's\n"
    "folder, an access.txt, or REV: for the generated/access.txt of that git revision\n"
    "(`pgstack diff --access origin/main: .`).\n"
    "\n"
    "  --format markdown  for a pull request's comment or summary\n"
    "  --allow-widening   exit status 0 although somebody gained something\n"
    "\n"
    "Exit status: 0 nobody gained anything, 1 an error (it has been printed), 2 somebody gained\n"
    "something, or a condition changed and it cannot be said which way.\n";

enum {
    DIFF_NARROWED,
    DIFF_FAILED,
    DIFF_WIDENED,
};

static bool
is_format(const char *format)
{
    return strcmp(format, "text") == 0 || strcmp(format, "json") == 0 ||
           strcmp(format, "markdown") == 0;
}

static void
print(const char *format, const struct changes *changes)
{
    struct str out = {0};

    if (strcmp(format, "json") == 0)
        changes_print_json(&out, changes);
    else if (strcmp(format, "markdown") == 0)
        changes_print_markdown(&out, changes);
    else
        changes_print_text(&out, changes);
    fputs(out.at, stdout);
}

/* A mistake in the call is 1 here: 2 says that somebody gained something. */
static int
usage(const char *what)
{
    cmd_usage("diff", "%s", what);
    return DIFF_FAILED;
}

int
cmd_diff(int argc, char **argv)
{
    const char *format = "text";
    bool access = false, allow = false;
    const struct cmd_option options[] = {
        {.name = "--access", .flag = &access},
        {.name = "--allow-widening", .flag = &allow},
        {.name = "--format", .value = &format},
        {0},
    };
    struct matrix old, new;
    struct changes changes;
    struct cmd_args args;
    int status;

    if (!cmd_parse(argc, argv, help, options, &args, &status))
        return status == CMD_OK ? CMD_OK : DIFF_FAILED;
    if (!access)
        return usage("say what to compare: --access");
    if (args.n != 2)
        return usage("it takes two versions, OLD and NEW");
    if (!is_format(format))
        return usage(arena_printf("there is no format \"%s\": text, json or markdown", format));
    if (!cmd_matrix_of(args.at[0], &old) || !cmd_matrix_of(args.at[1], &new))
        return DIFF_FAILED;
    changes = compare_matrices(&old, &new);
    print(format, &changes);
    return changes_widen(&changes) && !allow ? DIFF_WIDENED : DIFF_NARROWED;
}
