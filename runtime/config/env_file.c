/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define MAX_LINE 16384

static char *
trim(char *text)
{
    char *end;

    while (isspace((unsigned char)*text))
        text++;
    end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

static bool
is_name(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

static bool
is_rest(const char *text)
{
    text += strspn(text, " \t");
    return *text == '\0' || *text == '#';
}

/* Takes off quotes, or a comment behind an unquoted value; NULL, or what is wrong. */
static const char *
unquote(char **value)
{
    char *text = *value, quote = *text, *to, *from;

    if (quote != '"' && quote != '\'') {
        for (char *c = text; *c != '\0'; c++)
            if (*c == '#' && (c == text || isspace((unsigned char)c[-1]))) {
                *c = '\0';
                break;
            }
        *value = trim(text);
        return NULL;
    }
    for (to = text, from = text + 1; *from != '\0' && *from != quote; from++) {
        if (quote == '"' && *from == '\\' && from[1] != '\0') {
            from++;
            *to++ = *from == 'n' ? '\n' : *from;
        } else {
            *to++ = *from;
        }
    }
    if (*from != quote)
        return "the quote is not closed";
    if (!is_rest(from + 1))
        return "only a comment may stand behind the closing quote";
    *to = '\0';
    return NULL;
}

/* One line; NULL, or what is wrong with it. */
static const char *
read_line(char *line)
{
    char *name = trim(line), *value;
    const char *wrong;

    if (*name == '\0' || *name == '#')
        return NULL;
    if (strncmp(name, "export ", 7) == 0)
        name = trim(name + 7);
    value = strchr(name, '=');
    if (value == NULL)
        return "expected NAME=value";
    *value++ = '\0';
    name = trim(name);
    value = trim(value);
    if (!is_name(name))
        return "a name consists of letters, digits and underscores";
    wrong = unquote(&value);
    if (wrong != NULL)
        return wrong;
    return setenv(name, value, 0) == 0 ? NULL : "out of memory";
}

/* The rest of a line that was not read whole. */
static void
skip_line(FILE *file, bool whole)
{
    int c = whole ? '\n' : 0;

    while (c != '\n' && c != EOF)
        c = getc(file);
}

bool
pgs_env_file_read(const char *path, FILE *out)
{
    static char line[MAX_LINE]; /* called once, before any thread */
    FILE *file = fopen(path, "r");
    bool ok = true;

    if (file == NULL) {
        if (errno == ENOENT)
            return true;
        fprintf(out, "%s: %s\n", path, strerror(errno));
        return false;
    }
    for (int number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
        bool whole = strchr(line, '\n') != NULL || feof(file) != 0;
        const char *wrong = whole ? read_line(line) : "the line is too long";

        skip_line(file, whole);
        if (wrong != NULL) {
            fprintf(out, "%s:%d: %s\n", path, number, wrong);
            ok = false;
        }
    }
    if (ferror(file) != 0) { /* half a file could be one without PGSTACK_ENV=production */
        fprintf(out, "%s: %s\n", path, strerror(errno));
        ok = false;
    }
    memset(line, 0, sizeof(line));
    fclose(file);
    return ok;
}
