/* SPDX-License-Identifier: MIT */
/*
 * What the rows of a result have from other tables (pgs_match_rows.joins), by the columns that lead
 * there.  It holds until one of those tables is written to; then the result is asked for again.
 */
#ifndef PGS_LIVE_JOINED_H
#define PGS_LIVE_JOINED_H

#include "db/pool.h"
#include "live/apply.h"

struct pgs__joined;

/* Of the rows of an answer.  NULL: nothing is joined, or no memory, and nothing is known. */
struct pgs__joined *pgs__joined_read(const struct pgs__rows *rows, struct pgs_txn *txn,
                                     int statement);
void pgs__joined_free(struct pgs__joined *joined); /* or NULL */

/* Of memory. */
size_t pgs__joined_bytes(const struct pgs__joined *joined);

/* Sets those of `outputs` that are joined to `row`, as texts of `joined`.  False: not known. */
bool pgs__joined_find(const struct pgs__joined *joined, const struct pgs_match_rows *match,
                      const struct pgs_text *row, struct pgs_text *outputs)
    __attribute__((warn_unused_result));

#endif
