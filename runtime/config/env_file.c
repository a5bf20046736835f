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

/* Takes off quotes, or a comment behind an unquoted value; false: a quote is not closed. */
static bool
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
        return true;
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
        return false;
    *to = '\0';
    return true;
}

/* One line; NULL, or what is wrong with it. */
static const char *
read_line(char *line)
{
    char *name = trim(line), *value;

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
    if (!unquote(&value))
        return "the quote is not closed";
    return setenv(name, value, 0) == 0 ? NULL : "out of memory";
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
        const char *wrong = read_line(line);

        if (wrong != NULL) {
            fprintf(out, "%s:%d: %s\n", path, number, wrong);
            ok = false;
        }
    }
    memset(line, 0, sizeof(line));
    fclose(file);
    return ok;
}
