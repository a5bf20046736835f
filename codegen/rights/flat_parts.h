/* SPDX-License-Identifier: MIT */
/* What flat.c and flat_select.c share. */
#ifndef CHECK_FLAT_PARTS_H
#define CHECK_FLAT_PARTS_H

#include "rights/flat.h"

/* What stands for a range or for the arguments of a function; the innermost comes first. */
struct place_of {
    const struct place_of *outer;
    const struct range *range;  /* or NULL and `function` */
    const struct range *fresh;  /* the table again, once for each use; or NULL and */
    const struct exprs *values; /* what its columns are */
    const struct declared_function *function;
    const struct exprs *args;
};

struct flattening {
    const struct place_of *places;
    bool past; /* in a definer function or a materialized view */
    int depth; /* of functions, views and selects inside one another */
    int *steps;
    bool *cut;
};

/* Too deep or too long to go on; whoever asks notes it. */
bool check_flat_stops(const struct flattening *f);

/* One select: a side of a union. */
struct flat_side {
    VEC(struct range *) from;
    struct exprs conditions;
    struct exprs outputs;
    bool grouped; /* its rows are not those of the tables: counted, limited */
};

VEC_STRUCT(flat_sides, struct flat_side);

struct expr *check_flat_copy(const struct expr *expr, const struct flattening *f);

/* The sides of a select, at least one. */
void check_flat_sides(const struct select *select, const struct flattening *f,
                      struct flat_sides *out);

/* A side as a select in the place of `model`. */
struct select *check_flat_select(const struct flat_side *side, const struct select *model);

/* The body of a function in SQL that is called, the places of its arguments set; NULL: none. */
const struct select *check_flat_body(const struct expr *call, const struct flattening *f,
                                     struct flattening *inside);

#endif
