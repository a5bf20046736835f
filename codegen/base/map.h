/* SPDX-License-Identifier: MIT */
/* Texts to pointers, in the arena: for names that are looked up more often than a list bears. */
#ifndef MAP_H
#define MAP_H

#include <stddef.h>

struct map {
    struct map_entry *at;
    size_t n;
    size_t room;
};

/* NULL: the key is not there. */
const void *map_get(const struct map *map, const char *key);

/* Keeps `key` and `value` themselves; the first value of a key stays. */
void map_put(struct map *map, const char *key, const void *value);

#endif
