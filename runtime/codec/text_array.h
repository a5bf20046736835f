/* SPDX-License-Identifier: MIT */
/*
 * A text[] of one or two dimensions as PostgreSQL sends it in binary form (array_send): the rows of
 * a table, or one row.
 */
#ifndef PGS_CODEC_TEXT_ARRAY_H
#define PGS_CODEC_TEXT_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pgs/types.h"

struct pgs_text_array {
    const uint8_t *at; /* of what is not read yet */
    size_t left;
    uint32_t n_rows;    /* 1 where there is one dimension; 0: it is empty */
    uint32_t n_columns; /* of each row */
};

/* The array stays in `at`.  False: it is none, or of another shape. */
bool pgs_text_array_open(const uint8_t *at, size_t len, struct pgs_text_array *array)
    __attribute__((warn_unused_result));

/* The next value, in `at`; its `at` is NULL for null.  False: it is cut off, or there is none. */
bool pgs_text_array_next(struct pgs_text_array *array, struct pgs_text *text)
    __attribute__((warn_unused_result));

#endif
