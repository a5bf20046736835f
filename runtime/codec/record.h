/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's row literals, `(1,,"a ""b""")`: what a text result of a composite holds, and what is
 * sent for one.
 */
#ifndef PGS_CODEC_RECORD_H
#define PGS_CODEC_RECORD_H

#include "base/buf.h"
#include "pgs/types.h"

enum pgs__record_token {
    PGS_RECORD_ITEM,
    PGS_RECORD_NULL,
    PGS_RECORD_END, /* the literal was whole */
    PGS_RECORD_BAD, /* it is none */
};

struct pgs__record {
    const char *at;
    const char *end;
    bool begun;
};

void pgs__record_init(struct pgs__record *record, const char *text, size_t len);

/* The next field; of ITEM its text, without quotes and escapes, replaces what is in `item`. */
enum pgs__record_token pgs__record_next(struct pgs__record *record, struct pgs_buf *item);

/* Adds the literal of a row; an item with `at` NULL is null. */
void pgs__record_write(struct pgs_buf *buf, const struct pgs_text *items, size_t n);

#endif
