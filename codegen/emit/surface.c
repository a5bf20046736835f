/* SPDX-License-Identifier: MIT */
#include "emit/surface.h"

#include <string.h>

#include "check/nulls.h"
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

static struct members
arguments_of(const struct params *params)
{
    struct members members = {0};

    for (size_t i = 0; i < params->n; i++) {
        const struct param *param = params->at[i];
        struct member member = {.name = param->name,
                                .type = param->type,
                                .nullable = true,
                                .required = param->default_expr == NULL};

        vec_push(&members, member);
    }
    return members;
}

struct members
surface_arguments(const struct query *query)
{
    return arguments_of(&query->params);
}

struct members
surface_live_arguments(const struct live *live)
{
    return arguments_of(&live->params);
}

struct members
surface_live_row(const struct live *live)
{
    struct members members = {0};

    for (size_t i = 0; i < live->body->outputs.n; i++) {
        const struct output *output = &live->body->outputs.at[i];
        struct member member = {
            .name = output->name, .type = output->expr->type, .nullable = output->expr->nullable};

        if (member.name != NULL)
            vec_push(&members, member);
    }
    return members;
}

struct members
surface_fields(const struct composite *composite)
{
    struct members members = {0};

    for (size_t i = 0; i < composite->fields.n; i++)
        vec_push(&members, member_of(composite->fields.at[i]));
    return members;
}

bool
surface_only_reads(const struct query *query)
{
    return query->function == NULL || query->function->volatility != FUNCTION_VOLATILE;
}

bool
surface_is_single(const struct query *query)
{
    return !query->returns_set && query->returns_columns.n == 0;
}

/* The select whose rows it gives; NULL: there is none, or it is raw SQL. */
static const struct select *
body_of(const struct query *query)
{
    const struct declared_function *function = query->function;

    if (function == NULL)
        return query->body;
    return function->body != NULL && function->body->kind == STATEMENT_SELECT
               ? function->body->select
               : NULL;
}

/* What its rows are made of; NULL: that is not known. */
static const struct outputs *
outputs_of(const struct query *query)
{
    const struct select *body = body_of(query);

    if (body != NULL)
        return &body->outputs;
    return query->function != NULL && query->function->body != NULL
               ? &query->function->body->returning
               : NULL;
}

/* PostgreSQL holds a result to the types of its columns, not to their constraints. */
static bool
result_is_nullable(const struct query *query, size_t position)
{
    const struct outputs *outputs = outputs_of(query);

    return outputs == NULL || position >= outputs->n || outputs->at[position].expr->nullable;
}

/* One that is single and finds no row is NULL, or a row of them. */
static bool
may_find_nothing(const struct query *query)
{
    const struct select *body = body_of(query);

    return surface_is_single(query) &&
           (body == NULL || (query->function != NULL && query->function->strict) ||
            !check_is_one_row(body));
}

struct members
surface_result(const struct plan_query *plan)
{
    struct members members = {0};

    for (size_t i = 0; i < plan->columns.n; i++) {
        struct member member = member_of(plan->columns.at[i]);
        size_t position =
            plan->query->returns_table != NULL ? (size_t)plan->columns.at[i]->number : i;

        member.nullable =
            result_is_nullable(plan->query, position) || may_find_nothing(plan->query);
        vec_push(&members, member);
    }
    return members;
}

bool
surface_scalar_is_nullable(const struct query *query)
{
    return result_is_nullable(query, 0) || may_find_nothing(query);
}
