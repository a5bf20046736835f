/* SPDX-License-Identifier: MIT */
/*
 * Results whose rows are groups of a table's rows (pgs_match_rows.totals): what a changed row adds
 * to one group and takes from another.  A held row keeps its totals as PostgreSQL gave them.
 */
#ifndef PGS_LIVE_GROUPS_H
#define PGS_LIVE_GROUPS_H

#include "live/apply.h"

/* As a held row keeps them. */
void pgs__totals_write(const struct pgs_text *totals, size_t n, struct pgs_buf *out);

/* As pgs__work_apply says; the result itself is changed by pgs__groups_settle alone, but for groups
 * that begin. */
bool pgs__groups_apply(struct pgs__work *work, struct pgs__image *image)
    __attribute__((warn_unused_result));

/* Groups that were touched are rows again; those without rows are gone.  False: a total is not
 * known. */
bool pgs__groups_settle(struct pgs__work *work) __attribute__((warn_unused_result));

#endif
