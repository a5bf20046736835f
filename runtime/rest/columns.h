/* SPDX-License-Identifier: MIT */
/*
 * The columns that a request may speak of, and how: a relation's under its endpoint, or those of
 * the result of a call.
 */
#ifndef PGS_REST_COLUMNS_H
#define PGS_REST_COLUMNS_H

#include "rest/request.h"

struct pgs_source {
    const char *name; /* for messages */
    const struct pgs_column *columns;
    size_t n_columns;
    const struct pgs_relation *relation; /* NULL: a call; all columns may be used */
    const uint16_t *visible;             /* what `*` stands for; NULL: all */
    size_t n_visible;                    /* 0: the role may not select */
};

/* A relation as this request's role may use it. */
struct pgs_source pgs__relation_source(const struct pgs_request *rq,
                                       const struct pgs_relation *relation);

struct pgs_source pgs__call_source(const struct pgs_call *call);

/* The column of that name, or NULL after a refusal (42703). */
const struct pgs_column *pgs__find_column(struct pgs_request *rq, const struct pgs_source *source,
                                          struct pgs_text name);

/* Its endpoint lets clients filter, or order, by the column; false: refused. */
bool pgs__may_filter(struct pgs_request *rq, const struct pgs_source *source,
                     const struct pgs_column *column);
bool pgs__may_order(struct pgs_request *rq, const struct pgs_source *source,
                    const struct pgs_column *column);

/* Every column of the primary key stands in an `eq` that must hold: one row at most. */
bool pgs__names_key(const struct pgs_request *rq, const struct pgs_relation *relation);

/* What `columns=` names is in the shape; false: refused. */
bool pgs__check_columns(struct pgs_request *rq, const struct pgs_relation *relation,
                        const struct pgs_shape *shape);

/* The name is one of the list. */
bool pgs__is_named(const struct pgs_text *names, size_t n, const char *name);

#endif
