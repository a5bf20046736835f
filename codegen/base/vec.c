/* SPDX-License-Identifier: MIT */
/* Doubling leaves the old array behind in the arena: less than the array itself, in all. */
#include "base/vec.h"

#include <string.h>

void *
vec_grow(void *at, size_t n, size_t *room, size_t item_size)
{
    size_t more = *room ? *room * 2 : 4;
    void *grown = arena_alloc(more * item_size);

    if (n)
        memcpy(grown, at, n * item_size);
    *room = more;
    return grown;
}
