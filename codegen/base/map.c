/* SPDX-License-Identifier: MIT */
/* Open addressing over a table that is never more than half full. */
#include "base/map.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"

struct map_entry {
    const char *key; /* NULL: free */
    const void *value;
};

static uint64_t
hash(const char *key)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211u;
    return h ^ h >> 32;
}

/* Where the key is, or would be. */
static struct map_entry *
find(const struct map *map, const char *key)
{
    size_t i = hash(key) & (map->room - 1);

    while (map->at[i].key && strcmp(map->at[i].key, key) != 0)
        i = (i + 1) & (map->room - 1);
    return &map->at[i];
}

const void *
map_get(const struct map *map, const char *key)
{
    return map->room ? find(map, key)->value : NULL;
}

static void
grow(struct map *map)
{
    struct map larger = {.n = map->n, .room = map->room ? 2 * map->room : 64};

    larger.at = arena_alloc(larger.room * sizeof(*larger.at));
    for (size_t i = 0; i < map->room; i++)
        if (map->at[i].key)
            *find(&larger, map->at[i].key) = map->at[i];
    *map = larger;
}

void
map_put(struct map *map, const char *key, const void *value)
{
    struct map_entry *entry;

    if (2 * map->n >= map->room)
        grow(map);
    entry = find(map, key);
    if (entry->key)
        return;
    *entry = (struct map_entry){key, value};
    map->n++;
}
