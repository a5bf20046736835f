/* SPDX-License-Identifier: MIT */
/*
 * The parts of a statement that the URL decides.  Names are looked up; what is added is the
 * generated identifier, never the client's spelling.  False: refused.
 */
#ifndef PGS_REST_CLAUSE_H
#define PGS_REST_CLAUSE_H

#include "rest/columns.h"

/* PostgreSQL has at most 1664 columns in a row. */
#define PGS_MAX_OUTPUTS 1600

/* Adds the columns of `select=` and sets the request's outputs. */
bool pgs__sql_select(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source);

/* The types that `select=column::type` may name. */
const struct pgs_type *pgs__casts(size_t *n);

/* ` is null` and its like, by enum pgs_is. */
#define PGS_IS_FORMS 5
extern const char *const pgs__is_forms[PGS_IS_FORMS];

/* Adds ` where ...`, or nothing. */
bool pgs__sql_where(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source);

/* Adds ` order by r.a, ...`, or nothing; `r` is what is selected from. */
bool pgs__sql_order(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source);

/* The same where only places count, as around a CTE: adds `, a, b` to what is selected, then
 * ` order by 4 desc, 5`. */
bool pgs__sql_select_order(struct pgs_request *rq, struct pgs_sql *sql,
                           const struct pgs_source *source);
void pgs__sql_order_places(struct pgs_request *rq, struct pgs_sql *sql);

/* Adds ` limit $n offset $m` as far as rq->limit and rq->offset ask for them. */
void pgs__sql_page(struct pgs_request *rq, struct pgs_sql *sql);

#endif
