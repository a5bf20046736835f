/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "format/format.h"
#include "syntax/parse.h"
#include "text/diag.h"

static const char help[] =
    "Usage: pgstack fmt [-C DIR] [--check] [FILE...]\n"
    "       pgstack fmt --stdin\n"
    "\n"
    "Writes schema files in their one canonical form: those named, or all of schema/ and\n"
    "policies/.  A file with a syntax error is left alone, and its error is printed.\n"
    "\n"
    "  --check  write nothing; list the files that would change, exit 1 if there are any\n"
    "  --stdin  from standard input to standard output\n";

static bool
fail_unsafe(const char *path)
{
    cmd_fail("%s: its form would mean something else, so that it is left alone; this is a bug",
             path);
    return false;
}

/* NULL: it has a syntax error, or cannot be read. */
static const char *
format_file(struct source *source, bool *ok)
{
    size_t errors = diag_errors();
    const char *text = format_checked(source);

    *ok = *ok && text;
    if (!text && diag_errors() == errors)
        fail_unsafe(source->path);
    return text;
}

static bool
format_path(const char *path, bool check, bool *changed)
{
    struct source *source = source_read(NULL, path);
    const char *text;
    bool ok = true;

    if (source == NULL) {
        cmd_fail("%s: %s", path, strerror(errno));
        return false;
    }
    source = source_without_returns(source);
    text = format_file(source, &ok);
    if (!text || strcmp(text, source->text) == 0)
        return ok;
    *changed = true;
    if (check) {
        puts(path);
        return true;
    }
    ok = file_replace(path, text);
    if (ok)
        printf("formatted %s\n", path);
    return ok;
}

static bool
format_stdin(void)
{
    struct str text = {0};
    char bytes[4096];
    size_t n;
    const char *formatted;
    bool ok = true;

    str_puts(&text, "");
    while ((n = fread(bytes, 1, sizeof(bytes), stdin)) > 0 && text.n <= SOURCE_MAX_BYTES)
        str_add(&text, bytes, n);
    formatted =
        format_file(source_without_returns(source_from_text("<stdin>", text.at, text.n)), &ok);
    if (formatted)
        fputs(formatted, stdout);
    return ok;
}

/* The files of the project; its errors are those of the files, which come again. */
static struct cmd_args
project_files(void)
{
    struct cmd_args files = {0, NULL};
    struct ast ast = {0};

    parse_project(&ast, ".");
    files.at = arena_alloc((ast.files.n + 1) * sizeof(char *));
    for (size_t i = 0; i < ast.files.n; i++)
        files.at[files.n++] = arena_copy(ast.files.at[i]->path, strlen(ast.files.at[i]->path));
    if (files.n > 0)
        diag_reset();
    return files;
}

int
cmd_fmt(int argc, char **argv)
{
    bool check = false, from_stdin = false, changed = false, ok = true;
    const struct cmd_option options[] = {
        {.name = "--check", .flag = &check},
        {.name = "--stdin", .flag = &from_stdin},
        {0},
    };
    struct cmd_args args;
    int status;

    if (!cmd_parse(argc, argv, help, options, &args, &status))
        return status;
    if (from_stdin && (args.n > 0 || check))
        return cmd_usage("fmt", "--stdin goes alone");
    if (from_stdin) {
        ok = format_stdin();
    } else {
        if (args.n == 0)
            args = project_files();
        for (int i = 0; i < args.n; i++)
            ok = format_path(args.at[i], check, &changed) && ok;
    }
    diag_print(stderr, isatty(STDERR_FILENO));
    return ok && diag_errors() == 0 && !(check && changed) ? CMD_OK : CMD_FAILED;
}
