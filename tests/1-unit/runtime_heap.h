/* SPDX-License-Identifier: MIT */
/*
 * A request's memory for tests: each piece is its own block of the heap, so that a sanitizer sees
 * a byte read or written beyond it; all are freed at once.
 */
#ifndef TESTS_RUNTIME_HEAP_H
#define TESTS_RUNTIME_HEAP_H

#include <stdlib.h>

#include "codec/json_read.h"

struct block {
    struct block *next;
    max_align_t bytes[];
};

static struct block *heap_blocks;

static inline void *
heap_alloc(void *pool, size_t size)
{
    struct block *block = malloc(sizeof(*block) + size);

    (void)pool;
    if (block == NULL)
        abort();
    block->next = heap_blocks;
    heap_blocks = block;
    return block->bytes;
}

static inline void
heap_free_all(void)
{
    while (heap_blocks != NULL) {
        struct block *next = heap_blocks->next;

        free(heap_blocks);
        heap_blocks = next;
    }
}

static const struct pgs_memory heap = {heap_alloc, NULL};

#endif
