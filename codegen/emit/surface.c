/* SPDX-License-Identifier: MIT */
#include "emit/surface.h"

#include <string.h>

#include "model/types.h"

static struct member
member_of(const struct column *column)
{
    return (struct member){
        .name = column->name, .type = column->type, .nullable = !column->not_null};
}

struct members
surface_row(const struct plan_table *plan)
{
    struct members members = {0};

    for (size_t i = 0; i < plan->columns.n; i++)
        vec_push(&members, member_of(plan->columns.at[i].column));
    return members;
}

struct members
surface_body(const struct plan_table *plan, bool new_row)
{
    struct members members = {0};

    for (size_t i = 0; i < plan->fields.n; i++) {
        const struct plan_field *field = &plan->fields.at[i];
        struct member member = member_of(plan->columns.at[field->column].column);

        member.required = new_row && field->required;
        vec_push(&members, member);
    }
    return members;
}

struct members
surface_unwritable(const struct plan_table *plan)
{
    struct members members = {0};

    for (size_t i = 0; i < plan->columns.n; i++) {
        bool writable = false;

        for (size_t f = 0; f < plan->fields.n; f++)
            writable = writable || plan->fields.at[f].column == i;
        if (!writable)
            vec_push(&members, member_of(plan->columns.at[i].column));
    }
    return members;
}

struct members
surface_arguments(const struct query *query)
{
    struct members members = {0};

    for (size_t i = 0; i < query->params.n; i++) {
        const struct param *param = query->params.at[i];
        struct member member = {.name = param->name,
                                .type = param->type,
                                .nullable = true,
                                .required = param->default_expr == NULL};

        vec_push(&members, member);
    }
    return members;
}

/* PostgreSQL holds a result to the types of its columns, not to their constraints. */
static bool
result_is_nullable(const struct query *query, size_t position)
{
    const struct select *body = query->body;

    return body == NULL || position >= body->outputs.n || body->outputs.at[position].expr->nullable;
}

struct members
surface_result(const struct plan_query *plan)
{
    struct members members = {0};

    for (size_t i = 0; i < plan->columns.n; i++) {
        struct member member = member_of(plan->columns.at[i]);
        size_t position =
            plan->query->returns_table != NULL ? (size_t)plan->columns.at[i]->number : i;

        member.nullable = result_is_nullable(plan->query, position);
        vec_push(&members, member);
    }
    return members;
}

/* A select that finds no row gives NULL; an aggregate over all rows always gives one. */
bool
surface_scalar_is_nullable(const struct query *query)
{
    const struct select *body = query->body;
    bool one_row;

    if (result_is_nullable(query, 0))
        return true;
    one_row = body->from.n == 0 ? body->where == NULL : body->outputs.at[0].expr->aggregate;
    return !one_row || body->group_by.n > 0 || body->having != NULL || body->limit != NULL ||
           body->offset != NULL;
}
