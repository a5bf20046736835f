/* SPDX-License-Identifier: MIT */
#include "dev/settings.h"

#include <stdlib.h>
#include <string.h>

#include "text/source.h"
#include "base/vec.h"

/* The value behind `=`, without the quotes around it, blanks, or a comment after it. */
static const char *
read_value(const char *at, const char *end)
{
    if (at < end && (*at == '"' || *at == '\'')) {
        const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));

        if (close != NULL)
            return arena_copy(at + 1, (size_t)(close - at - 1));
    }
    for (const char *p = at; p + 1 < end; p++)
        if ((p[0] == ' ' || p[0] == '\t') && p[1] == '#')
            end = p;
    while (end > at && strchr(" \t\r", end[-1]) != NULL)
        end--;
    return arena_copy(at, (size_t)(end - at));
}

const char *
setting_in(const char *text, const char *name)
{
    size_t len = strlen(name);
    const char *found = NULL;

    for (const char *line = text; *line != '\0';) {
        const char *end = line + strcspn(line, "\n");
        const char *at = line + strspn(line, " \t");

        if (strncmp(at, "export ", 7) == 0)
            at += 7;
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            found = read_value(at + len + 1, end);
        line = *end == '\0' ? end : end + 1;
    }
    return found;
}

const char *
setting_get(const char *name)
{
    static const struct source *file;
    static bool looked;
    const char *value = getenv(name);

    if (value != NULL && *value != '\0')
        return value;
    if (!looked) {
        file = source_read(".", ".env");
        looked = true;
    }
    value = file == NULL ? NULL : setting_in(file->text, name);
    return value != NULL && *value != '\0' ? value : NULL;
}
