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

static size_t
count(const char *list)
{
    size_t n = 1;

    for (; list != NULL && *list != '\0'; list++)
        n += *list == ',';
    return n;
}

static bool
begins_with(const char *list, const char *word)
{
    size_t len = strcspn(list, ",");

    return strlen(word) == len && memcmp(list, word, len) == 0;
}

/* One port may be that of all. */
static bool
is_first(const struct pgs__hosts *hosts, const char *host, const char *port)
{
    const char *names = hosts->lists[PGS__HOST_NAMES], *ports = hosts->lists[PGS__HOST_PORTS];

    if (names == NULL)
        names = hosts->lists[PGS__HOST_ADDRESSES];
    return (names == NULL || begins_with(names, host)) &&
           (ports == NULL || begins_with(ports, port));
}

void
pgs__hosts_prefer(struct pgs__hosts *hosts, const char *host, const char *port)
{
    size_t n = count(hosts->lists[PGS__HOST_PORTS]);

    for (int i = 0; i < PGS__HOST_PORTS; i++)
        n = count(hosts->lists[i]) > n ? count(hosts->lists[i]) : n;
    for (; hosts->are_several && n > 0 && !is_first(hosts, host, port); n--)
        pgs__hosts_turn(hosts, hosts->turn);
}
