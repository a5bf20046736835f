/* SPDX-License-Identifier: MIT */
#include "db/conninfo.h"

#include <libpq-fe.h>
#include <string.h>

static bool
is_uri(const char *text)
{
    return strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0;
}

/* `user:1@2@host` has a host `2@host`, `user:1/2@host` a port `1` and a database `2@host`. */
static bool
is_plausible(const PQconninfoOption *option, bool uri)
{
    const char *value = option->val;

    if (value == NULL)
        return true;
    if (strcmp(option->keyword, "port") == 0)
        return value[strspn(value, "0123456789,")] == '\0';
    if (strcmp(option->keyword, "host") == 0 || strcmp(option->keyword, "hostaddr") == 0)
        return value[0] == '@' || strchr(value, '@') == NULL; /* an abstract socket begins so */
    if (uri && strcmp(option->keyword, "dbname") == 0)
        return strpbrk(value, "@:") == NULL;
    return true;
}

bool
pgs_conninfo_is_sound(const char *conninfo)
{
    bool uri = is_uri(conninfo), sound = uri || strchr(conninfo, '=') != NULL;
    PQconninfoOption *options = sound ? PQconninfoParse(conninfo, NULL) : NULL;

    sound = options != NULL;
    for (const PQconninfoOption *it = options; sound && it->keyword != NULL; it++)
        sound = is_plausible(it, uri);
    PQconninfoFree(options);
    return sound;
}
