/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's array literals, `{1,NULL,"a \"b\""}`, token by token: what a text result holds and
 * what a client may send for an array.
 */
#ifndef PGS_CODEC_ARRAY_H
#define PGS_CODEC_ARRAY_H

#include "base/buf.h"
#include "pgs/types.h"

#define PGS_ARRAY_MAX_DEPTH 6 /* MAXDIM of PostgreSQL */

enum pgs__array_token {
    PGS_ARRAY_OPEN,
    PGS_ARRAY_CLOSE,
    PGS_ARRAY_ITEM,
    PGS_ARRAY_NULL,
    PGS_ARRAY_END, /* the literal was whole */
    PGS_ARRAY_BAD, /* it is none */
};

/* An array is rectangular: its parts at one depth have the same number of items, and those of the
 * deepest alone are values.  All zero at first. */
struct pgs__array_shape {
    int depth;
    int leaf; /* depth of the values; 0: none seen */
    size_t count[PGS_ARRAY_MAX_DEPTH + 1];
    size_t expected[PGS_ARRAY_MAX_DEPTH + 1]; /* 0: not known */
};

/* Each is false where the array ceases to be one. */
bool pgs__array_shape_open(struct pgs__array_shape *shape) __attribute__((warn_unused_result));
bool pgs__array_shape_item(struct pgs__array_shape *shape) __attribute__((warn_unused_result));
bool pgs__array_shape_close(struct pgs__array_shape *shape) __attribute__((warn_unused_result));

struct pgs__array {
    struct pgs_text item; /* of ITEM, with its backslashes; in the input */
    bool has_escapes;     /* the item has backslashes: see pgs__array_unescape */

    /* private */
    const char *at;
    const char *end;
    struct pgs__array_shape shape;
    bool after_item;
    bool may_close;
};

void pgs__array_init(struct pgs__array *array, const char *text, size_t len);

enum pgs__array_token pgs__array_next(struct pgs__array *array);

/* Adds an item in quotes, as arrays and rows hold it. */
void pgs__item_write(struct pgs_buf *buf, const char *text, size_t len);

/* Adds the literal of an array of one dimension; an item with `at` NULL is null. */
void pgs__array_write(struct pgs_buf *buf, const struct pgs_text *items, size_t n);

/* Writes the item without its backslashes to `to`, which has room for item.len; the length. */
size_t pgs__array_unescape(struct pgs_text item, char *to);

#endif
