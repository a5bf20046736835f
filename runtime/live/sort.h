/* SPDX-License-Identifier: MIT */
/* Places of rows in an ordered result, as bytes that memcmp puts in PostgreSQL's order. */
#ifndef PGS_LIVE_SORT_H
#define PGS_LIVE_SORT_H

#include "base/buf.h"
#include "pgs/match.h"

/* `texts` are those of `order`'s columns.  False: a text is not of its type, or of a type that has
 * no such form, and nothing can be said. */
bool pgs__sort_write(const struct pgs_match_order *order, const struct pgs_text *texts, size_t n,
                     struct pgs_buf *out) __attribute__((warn_unused_result));

/* Less than, equal to or greater than 0. */
int pgs__sort_compare(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
