/* SPDX-License-Identifier: MIT */
#include "db/hosts.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[PGS__HOST_LISTS] = {"host", "hostaddr", "port"};

static char *
value_of(const PQconninfoOption *options, const char *word)
{
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        if (strcmp(option->keyword, word) == 0 && option->val != NULL)
            return strdup(option->val);
    return NULL;
}

void
pgs__hosts_init(struct pgs__hosts *hosts, const char *conninfo)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);

    memset(hosts, 0, sizeof(*hosts));
    if (options == NULL)
        return;
    for (int i = 0; i < PGS__HOST_LISTS; i++)
        hosts->lists[i] = value_of(options, words[i]);
    for (int i = 0; i < PGS__HOST_PORTS; i++)
        hosts->are_several |= hosts->lists[i] != NULL && strchr(hosts->lists[i], ',') != NULL;
    PQconninfoFree(options);
}

void
pgs__hosts_clear(struct pgs__hosts *hosts)
{
    for (int i = 0; i < PGS__HOST_LISTS; i++)
        free(hosts->lists[i]);
}

/* `a,b,c` becomes `b,c,a`, where it lies. */
static void
turn_list(char *list)
{
    size_t first = strcspn(list, ","), len = strlen(list);
    char *copy;

    if (first == len || (copy = strdup(list)) == NULL)
        return;
    memcpy(list, copy + first + 1, len - first - 1);
    list[len - first - 1] = ',';
    memcpy(list + len - first, copy, first);
    free(copy);
}

void
pgs__hosts_turn(struct pgs__hosts *hosts, unsigned turn)
{
    if (!hosts->are_several || turn != hosts->turn)
        return;
    hosts->turn++;
    for (int i = 0; i < PGS__HOST_LISTS; i++)
        if (hosts->lists[i] != NULL)
            turn_list(hosts->lists[i]);
}
