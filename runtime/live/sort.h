/* SPDX-License-Identifier: MIT */
/* Places of rows in an ordered result, as bytes whose order (codec/order.h) is PostgreSQL's. */
#ifndef PGS_LIVE_SORT_H
#define PGS_LIVE_SORT_H

#include "base/buf.h"
#include "pgs/match.h"

/* `texts` are those of `order`'s columns.  False: a text is not of its type, or of a type that has
 * no such form, and nothing can be said. */
bool pgs__sort_write(const struct pgs_match_order *order, const struct pgs_text *texts, size_t n,
                     struct pgs_buf *out) __attribute__((warn_unused_result));

#endif
