/* SPDX-License-Identifier: MIT */
/*
 * `-C DIR` changes the working directory, so that every path below is relative to the project and
 * prints short; the folder of the program is looked up before that.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "passes/check.h"
#include "cmd/snapshot.h"
#include "text/diag.h"
#include "base/fail.h"
#include "syntax/parse.h"

static const char *program_dir = "";

void
cmd_find_program(void)
{
    static char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (n < 0)
        return; /* `build` will say that it cannot find the library */
    slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    program_dir = path;
}

const char *
cmd_program_dir(void)
{
    return program_dir;
}

int
cmd_fail(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fail_vprint(format, ap);
    va_end(ap);
    return CMD_FAILED;
}

int
cmd_usage(const char *command, const char *format, ...)
{
    va_list ap;

    fprintf(stderr, "pgstack %s: ", command);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\nTry `pgstack %s --help`.\n", command);
    return CMD_USAGE;
}

/* `--name=value` of `option`, or NULL; "" is a value. */
static const char *
joined_value(const char *arg, const struct cmd_option *option)
{
    size_t len = strlen(option->name);

    return strncmp(arg, option->name, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

/* Reads the option at argv[*i]; false: usage error, printed. */
static bool
read_option(int argc, char **argv, int *i, const struct cmd_option *options)
{
    const char *arg = argv[*i];
    const char *value;

    for (const struct cmd_option *option = options; option != NULL && option->name; option++) {
        if (option->flag != NULL && strcmp(arg, option->name) == 0) {
            *option->flag = true;
            if (option->value != NULL && *i + 1 < argc && argv[*i + 1][0] != '-')
                *option->value = argv[++*i];
            return true;
        }
        if (option->value == NULL)
            continue;
        if ((value = joined_value(arg, option)) != NULL) {
            *option->value = value;
            if (option->flag != NULL)
                *option->flag = true;
            return true;
        }
        if (strcmp(arg, option->name) == 0) {
            if (*i + 1 >= argc) {
                cmd_usage(argv[0], "%s needs a value", arg);
                return false;
            }
            *option->value = argv[++*i];
            return true;
        }
    }
    cmd_usage(argv[0], "there is no option %s", arg);
    return false;
}

/* `-C DIR` and `-CDIR`. */
static bool
change_dir(int argc, char **argv, int *i, int *status)
{
    const char *dir = argv[*i] + 2;

    if (*dir == '\0' && *i + 1 < argc)
        dir = argv[++*i];
    if (*dir == '\0') {
        *status = cmd_usage(argv[0], "-C needs a folder");
        return false;
    }
    if (chdir(dir) != 0) {
        *status = cmd_fail("%s: %s", dir, strerror(errno));
        return false;
    }
    return true;
}

bool
cmd_parse(int argc, char **argv, const char *help, const struct cmd_option *options,
          struct cmd_args *args, int *status)
{
    bool only_args = false;

    *args = (struct cmd_args){0, arena_alloc((size_t)argc * sizeof(char *))};
    for (int i = 1; i < argc; i++) {
        if (only_args || argv[i][0] != '-' || argv[i][1] == '\0') {
            args->at[args->n++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            *status = CMD_OK;
            return false;
        } else if (strncmp(argv[i], "-C", 2) == 0) {
            if (!change_dir(argc, argv, &i, status))
                return false;
        } else if (!read_option(argc, argv, &i, options)) {
            *status = CMD_USAGE;
            return false;
        }
    }
    return true;
}

const struct model *
cmd_load(void)
{
    static const struct model *model;

    if (model != NULL)
        return model;
    model = cmd_check_sources();
    diag_print(stderr, isatty(STDERR_FILENO));
    return model;
}

const struct model *
cmd_check_sources(void)
{
    struct ast ast = {0}, last = {0};
    bool released = access(LAST_MODEL, F_OK) == 0;

    diag_reset();
    parse_project(&ast, ".");
    if (released)
        parse_file(&last, ".", LAST_MODEL);
    return check_project_since(&ast, released ? &last : NULL);
}
