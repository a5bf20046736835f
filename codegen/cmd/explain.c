/* SPDX-License-Identifier: MIT */
/*
 * docs/errors.md is part of the program: the build makes explain.inc of it, so that the words for a
 * code are those of the compiler that found it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "text/diag.h"

struct entry {
    int code;
    const char *const *lines; /* the title first; ends with NULL */
};

#include "cmd/explain.inc"

#define N_ENTRIES (sizeof(entries) / sizeof(entries[0]))

static const char help[] = "Usage: pgstack explain [CODE]\n"
                           "\n"
                           "Says what a finding means and what to do: `pgstack explain PGS3001`,\n"
                           "`pgstack explain 3001`.  Without a code it lists them all.\n";

/* ---- markdown for a terminal ---- */

struct paint {
    const char *title, *code, *off;
};

/* `[words](place)` as words; the length of it, 0 when it is none. */
static size_t
print_link(const char *text)
{
    const char *end = strstr(text, "](");
    const char *close = end ? strchr(end, ')') : NULL;

    if (!close || memchr(text, '\n', (size_t)(close - text)))
        return 0;
    printf("%.*s", (int)(end - text - 1), text + 1);
    return (size_t)(close - text) + 1;
}

static void
print_prose(const struct paint *paint, const char *line)
{
    bool in_code = false;

    while (*line) {
        size_t link = *line == '[' && !in_code ? print_link(line) : 0;

        line += link;
        if (link > 0)
            continue;
        if (*line == '`' && *paint->code) {
            in_code = !in_code;
            fputs(in_code ? paint->code : paint->off, stdout);
        } else if (strncmp(line, "**", 2) == 0 && !in_code) {
            line++;
        } else {
            putchar(*line);
        }
        line++;
    }
    fputs(in_code ? paint->off : "", stdout);
    putchar('\n');
}

static void
print_entry(const struct entry *entry)
{
    static const struct paint plain = {"", "", ""}, colors = {"\033[1m", "\033[36m", "\033[0m"};
    const struct paint *paint = isatty(STDOUT_FILENO) ? &colors : &plain;
    bool block = false;
    size_t n = 1;

    while (entry->lines[n])
        n++;
    while (n > 1 && !*entry->lines[n - 1])
        n--;
    printf("%sPGS%04d: %s%s\n", paint->title, entry->code, entry->lines[0], paint->off);
    for (size_t i = 1; i < n; i++) {
        const char *line = entry->lines[i];

        if (strncmp(line, "```", 3) == 0)
            block = !block;
        else if (block)
            printf("%s%s%s%s\n", *line ? "    " : "", paint->code, line, paint->off);
        else
            print_prose(paint, line);
    }
}

/* A title alone: codes in a row that share the text of the last one. */
static bool
is_bare(const struct entry *entry)
{
    for (size_t i = 1; entry->lines[i]; i++)
        if (*entry->lines[i])
            return false;
    return true;
}

/* ---- codes ---- */

static int
compare(const void *x, const void *y)
{
    return ((const struct entry *)x)->code - ((const struct entry *)y)->code;
}

static int
list_all(void)
{
    static struct entry sorted[N_ENTRIES];

    memcpy(sorted, entries, sizeof(entries));
    qsort(sorted, N_ENTRIES, sizeof(sorted[0]), compare);
    for (size_t i = 0; i < N_ENTRIES; i++)
        printf("PGS%04d  %s\n", sorted[i].code, sorted[i].lines[0]);
    return CMD_OK;
}

/* "PGS3001", "pgs3001", "3001"; -1: it is no code. */
static int
read_code(const char *text)
{
    if (tolower((unsigned char)text[0]) == 'p' && tolower((unsigned char)text[1]) == 'g' &&
        tolower((unsigned char)text[2]) == 's')
        text += 3;
    if (!*text || strlen(text) > 4 || text[strspn(text, "0123456789")])
        return -1;
    return atoi(text);
}

static int
unknown_code(const char *text, int code)
{
    const struct entry *nearest = &entries[0];

    if (code < 0)
        return cmd_usage("explain", "\"%s\" is no code: a code is PGS and four digits", text);
    for (size_t i = 0; i < N_ENTRIES; i++)
        if (abs(entries[i].code - code) < abs(nearest->code - code))
            nearest = &entries[i];
    return cmd_fail("there is no finding PGS%04d; the nearest is PGS%04d, %s\n"
                    "`pgstack explain` lists them all",
                    code, nearest->code, nearest->lines[0]);
}

int
cmd_explain(int argc, char **argv)
{
    struct cmd_args args;
    int status, code;

    if (!cmd_parse(argc, argv, help, NULL, &args, &status))
        return status;
    if (args.n > 1)
        return cmd_usage("explain", "unexpected \"%s\"", args.at[1]);
    if (args.n == 0)
        return list_all();
    code = read_code(args.at[0]);
    for (size_t i = 0; i < N_ENTRIES; i++)
        if (entries[i].code == code) {
            while (i + 1 < N_ENTRIES && is_bare(&entries[i]))
                print_entry(&entries[i++]);
            print_entry(&entries[i]);
            return CMD_OK;
        }
    return unknown_code(args.at[0], code);
}
