/* SPDX-License-Identifier: MIT */
/*
 * A request's memory for fuzz targets: each piece is its own block of the heap, so that a byte read
 * or written beyond it is found.  All of it together may not exceed a bound.
 */
#ifndef TESTS_FUZZ_HEAP_H
#define TESTS_FUZZ_HEAP_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_read.h"

struct block {
    struct block *next;
    max_align_t bytes[];
};

static struct block *heap_blocks;
static size_t heap_size;
static size_t heap_max = SIZE_MAX;

static inline void *
heap_alloc(void *pool, size_t size)
{
    struct block *block;

    (void)pool;
    heap_size += size;
    if (heap_size > heap_max || (block = malloc(sizeof(*block) + size)) == NULL)
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
    heap_size = 0;
}

/* The input as the server has it: no byte behind it, not even a NUL. */
static inline char *
heap_copy(const void *bytes, size_t len)
{
    char *copy = heap_alloc(NULL, len);

    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* What must hold of whatever was read. */
static inline void
require(bool holds)
{
    if (!holds)
        abort();
}

static const struct pgs_memory heap = {heap_alloc, NULL};

#endif
