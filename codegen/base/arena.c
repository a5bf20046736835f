/* SPDX-License-Identifier: MIT */
/*
 * A compilation is short, and a node that outlives its pass is no bug.  The list of blocks makes
 * everything reachable for a leak checker.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)256 * 1024)

struct block {
    struct block *next;
    size_t used;
    size_t size;
    max_align_t bytes[];
};

static struct block *blocks;

static void
out_of_memory(void)
{
    fputs("pgstack: out of memory\n", stderr);
    exit(1);
}

static struct block *
new_block(size_t size)
{
    struct block *block;

    if (size > SIZE_MAX - sizeof(*block))
        out_of_memory();
    block = calloc(1, sizeof(*block) + size);
    if (!block)
        out_of_memory();
    block->size = size;
    block->next = blocks;
    blocks = block;
    return block;
}

void *
arena_alloc(size_t size)
{
    const size_t unit = sizeof(max_align_t);
    struct block *block = blocks;
    char *at;

    if (size > SIZE_MAX - unit)
        out_of_memory();
    size = (size + unit - 1) / unit * unit;
    if (!block || block->size - block->used < size)
        block = new_block(size > BLOCK_BYTES ? size : BLOCK_BYTES);
    at = (char *)block->bytes + block->used;
    block->used += size;
    return at;
}

char *
arena_copy(const char *bytes, size_t len)
{
    char *copy = arena_alloc(len + 1);

    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

char *
arena_printf(const char *format, ...)
{
    va_list args, again;
    char *text;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        out_of_memory();
    text = arena_alloc((size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

void
arena_reset(void)
{
    while (blocks) {
        struct block *next = blocks->next;

        free(blocks);
        blocks = next;
    }
}

size_t
arena_bytes(void)
{
    size_t n = 0;

    for (const struct block *block = blocks; block; block = block->next)
        n += block->used;
    return n;
}
