/* SPDX-License-Identifier: MIT */
/*
 * Looking up what a request names.
 */
#ifndef PGS_REST_COLUMNS_H
#define PGS_REST_COLUMNS_H

#include "codec/query_string.h"
#include "rest/sql.h"

/* The column of that name, or NULL after 42703 has been answered. */
const struct pgs_column *pgs__find_column(struct pgs_request *rq, const struct pgs_source *source,
                                          struct pgs_text name);

/* What the relation is for this request's role; false: it may not select at all. */
bool pgs__relation_source(const struct pgs_request *rq, const struct pgs_relation *relation,
                          struct pgs_source *source);

/* `number` is among the `n` column numbers. */
bool pgs__is_listed(const uint16_t *numbers, size_t n, size_t number);

/* The item is `*`. */
bool pgs__is_star(const struct pgs_select_item *item);

#endif
