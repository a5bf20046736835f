/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

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
pgs_buf_reserve(struct pgs_buf *buf, size_t n)
{
    if (buf->failed)
        return NULL;
    if ((n > buf->size - buf->len || buf->at == NULL) && !grow(buf, n)) {
        buf->failed = true;
        return NULL;
    }
    return buf->at + buf->len;
}

void
pgs_buf_add(struct pgs_buf *buf, const void *bytes, size_t n)
{
    char *at = pgs_buf_reserve(buf, n);

    if (at == NULL || n == 0)
        return;
    memcpy(at, bytes, n);
    buf->len += n;
}

void
pgs_buf_add_str(struct pgs_buf *buf, const char *str)
{
    pgs_buf_add(buf, str, strlen(str));
}

void
pgs_buf_add_char(struct pgs_buf *buf, char c)
{
    char *at = pgs_buf_reserve(buf, 1);

    if (at == NULL)
        return;
    *at = c;
    buf->len++;
}

void
pgs_buf_add_int(struct pgs_buf *buf, int64_t value)
{
    char digits[20];
    size_t n = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        digits[--n] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--n] = '-';
    pgs_buf_add(buf, digits + n, sizeof(digits) - n);
}

char *
pgs_buf_take(struct pgs_buf *buf, size_t *len)
{
    char *at = buf->at;

    *len = buf->len;
    pgs_buf_init(buf, buf->max);
    return at;
}
