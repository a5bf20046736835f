/* SPDX-License-Identifier: MIT */
/* What clients see of the plan: shared by the emitters of TypeScript and of OpenAPI. */
#ifndef SURFACE_H
#define SURFACE_H

#include "plan/plan.h"

/* A column of an answer, or a member of a body. */
struct member {
    const char *name;
    struct type type;
    bool nullable;
    bool required; /* of a body: no default takes its place */
};

VEC_STRUCT(members, struct member);

/* The columns that endpoints show. */
struct members surface_row(const struct plan_table *plan);

/* What a body may set, in a new row or (nothing is required) in a changed one. */
struct members surface_body(const struct plan_table *plan, bool new_row);

struct members surface_arguments(const struct query *query);

/* The rows of a call; none for a scalar. */
struct members surface_result(const struct plan_query *plan);

/* A subscriber's arguments, and the rows it is told of. */
struct members surface_live_arguments(const struct live *live);
struct members surface_live_row(const struct live *live);

/* The fields of an object. */
struct members surface_fields(const struct composite *composite);

/* It writes nothing, so that GET may call it. */
bool surface_only_reads(const struct query *query);

/* It answers with one value or row, not with a list of them. */
bool surface_is_single(const struct query *query);

/* The scalar of a call, or one in its list, may be NULL. */
bool surface_scalar_is_nullable(const struct query *query);

/* The columns that bodies must leave out: identities and what is computed. */
struct members surface_unwritable(const struct plan_table *plan);

#endif
