/* SPDX-License-Identifier: MIT */
/* What makes one result the next one, as subscribers are told. */
#ifndef PGS_LIVE_DELTA_H
#define PGS_LIVE_DELTA_H

#include "live/apply.h"

struct pgs__delta_row {
    struct pgs_text text; /* JSON of the row, or of the key where it was deleted */
    struct pgs_text key;
    size_t place; /* in the new result */
};

struct pgs__delta_list {
    struct pgs__delta_row *rows;
    size_t n;
};

struct pgs__delta {
    struct pgs__delta_list inserted, updated, deleted;
};

/* Of work that is not done yet; texts are of its pool and of its rows. */
void pgs__delta_of_work(struct pgs__delta *delta, const struct pgs__work *work);

/*
 * Of two results.  `mark` of each row of `after` is a touch with its text; that of rows of `before`
 * is overwritten.  `ordered`: a row that only changed its place counts as updated.
 */
void pgs__delta_of_results(struct pgs__delta *delta, struct pgs__held *before,
                           struct pgs__held *after, bool ordered, h2o_mem_pool_t *pool);

bool pgs__delta_is_empty(const struct pgs__delta *delta);

/*
 * `"inserted":[row],"updated":[row],"deleted":[key]`, each only where there is one.  Of an ordered
 * result, `"inserted_at":[place]` and `"updated_at":[place]` say where the rows stand in the new
 * result, lowest first.
 */
void pgs__delta_write(const struct pgs__delta *delta, bool ordered, struct pgs_buf *out);

#endif
