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

/* Room for `n` more bytes at the end, not yet counted in `len`; NULL when it cannot be had. */
char *pgs_buf_reserve(struct pgs_buf *buf, size_t n);

void pgs_buf_add(struct pgs_buf *buf, const void *bytes, size_t n);
void pgs_buf_add_str(struct pgs_buf *buf, const char *str);
void pgs_buf_add_char(struct pgs_buf *buf, char c);
void pgs_buf_add_int(struct pgs_buf *buf, int64_t value);

/* Hands the bytes to the caller, who frees them with free(); the buffer is empty again. */
char *pgs_buf_take(struct pgs_buf *buf, size_t *len);

#endif
