/* SPDX-License-Identifier: MIT */
/*
 * A byte buffer that grows, for SQL text and JSON.  A failed allocation is remembered in `failed`
 * and later writes do nothing, so that a writer is checked once, at its end.
 */
#ifndef PGS_BASE_BUF_H
#define PGS_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pgs_buf {
    char *at;    /* read-only for callers; not NUL-terminated */
    size_t len;  /* read-only */
    size_t size; /* private */
    size_t max;  /* private: `failed` is set beyond it; 0: no bound */
    bool failed;
};

/* An empty buffer; nothing is allocated before the first write.  `max` bytes at most, 0: any. */
void pgs_buf_init(struct pgs_buf *buf, size_t max);

/* Frees the bytes; the buffer is empty again and may be used. */
void pgs_buf_clear(struct pgs_buf *buf);

/* The slow way of pgs_buf_reserve: grows.  NULL when it cannot. */
char *pgs__buf_grow(struct pgs_buf *buf, size_t n);

/* Room for `n` more bytes at the end, not yet counted in `len`; NULL when it cannot be had. */
static inline char *
pgs_buf_reserve(struct pgs_buf *buf, size_t n)
{
    if (n > buf->size - buf->len || buf->at == NULL || buf->failed)
        return pgs__buf_grow(buf, n);
    return buf->at + buf->len;
}

static inline void
pgs_buf_add(struct pgs_buf *buf, const void *bytes, size_t n)
{
    char *at = pgs_buf_reserve(buf, n);

    if (at == NULL || n == 0)
        return;
    memcpy(at, bytes, n);
    buf->len += n;
}

static inline void
pgs_buf_add_str(struct pgs_buf *buf, const char *str)
{
    pgs_buf_add(buf, str, strlen(str));
}

static inline void
pgs_buf_add_char(struct pgs_buf *buf, char c)
{
    char *at = pgs_buf_reserve(buf, 1);

    if (at == NULL)
        return;
    *at = c;
    buf->len++;
}

void pgs_buf_add_int(struct pgs_buf *buf, int64_t value);

/* Hands the bytes to the caller, who frees them with free(); the buffer is empty again. */
char *pgs_buf_take(struct pgs_buf *buf, size_t *len);

#endif
