/* SPDX-License-Identifier: MIT */
/*
 * What the result of a live query depends on: a write to one of these tables may change it.
 */
#ifndef WATCHED_H
#define WATCHED_H

#include "model/model.h"
#include "model/served.h"

struct watched {
    VEC(const struct table *) tables; /* each once, no views; partitions by their root */
    const struct expr *raw;           /* SQL in $$ whose tables are not known; NULL: none */
    const struct policy *raw_policy;  /* that it stands in; NULL: in the query */
    const struct range *untold;       /* a view in $$, or a materialized one; NULL: none */
    const struct policy *untold_policy;
};

/* Through views, predicates and functions, and through the row policies of each table. */
struct watched plan_watched(const struct model *model, const struct live *live);

/* The tables of all live queries, in the order of the model. */
struct watched plan_all_watched(const struct model *model);

#endif
