/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdlib.h>

#include "base/digits.h"

#define FIRST_SIZE 256

void
pgs_buf_init(struct pgs_buf *buf, size_t max)
{
    *buf = (struct pgs_buf){.max = max};
}

void
pgs_buf_clear(struct pgs_buf *buf)
{
    free(buf->at);
    pgs_buf_init(buf, buf->max);
}

/* Doubles the size, so that n writes cost O(n) copies in all. */
static bool
grow(struct pgs_buf *buf, size_t n)
{
    size_t size = buf->size == 0 ? FIRST_SIZE : buf->size;
    char *at;

    if (n > SIZE_MAX / 2 - buf->len || (buf->max != 0 && n > buf->max - buf->len))
        return false;
    while (size < buf->len + n)
        size *= 2;
    if (buf->max != 0 && size > buf->max)
        size = buf->max;
    at = realloc(buf->at, size);
    if (at == NULL)
        return false;
    buf->at = at;
    buf->size = size;
    return true;
}

char *
pgs__buf_grow(struct pgs_buf *buf, size_t n)
{
    if (buf->failed)
        return NULL;
    if (!grow(buf, n)) {
        buf->failed = true;
        return NULL;
    }
    return buf->at + buf->len;
}

void
pgs_buf_add_int(struct pgs_buf *buf, int64_t value)
{
    char digits[PGS_DIGITS_MAX];

    pgs_buf_add(buf, digits, (size_t)(pgs_write_int(digits, value) - digits));
}

char *
pgs_buf_take(struct pgs_buf *buf, size_t *len)
{
    char *at = buf->at;

    *len = buf->len;
    pgs_buf_init(buf, buf->max);
    return at;
}
