/* SPDX-License-Identifier: MIT */
#include "plan/watched.h"

#include "model/walk.h"

struct watching {
    const struct model *model;
    struct watched *out;
    VEC(const void *) followed; /* predicates, functions, views, tables */
    const struct policy *policy;
};

static bool
is_followed(struct watching *watching, const void *what)
{
    for (size_t i = 0; i < watching->followed.n; i++)
        if (watching->followed.at[i] == what)
            return true;
    vec_push(&watching->followed, what);
    return false;
}

static void visit_expr(const struct expr *expr, void *data);
static void watch_expr(struct watching *watching, const struct expr *expr);
static void watch_table(struct watching *watching, const struct table *table);

static void
visit_range(const struct range *range, void *data)
{
    struct watching *watching = data;
    struct watched *out = watching->out;
    const struct table *table = range->table;

    if (!out->untold && table->is_view && (table->raw || table->materialized)) {
        out->untold = range;
        out->untold_policy = watching->policy;
    }
    watch_table(watching, table);
}

static void
watch_defaults(struct watching *watching, const struct params *params)
{
    for (size_t i = 0; i < params->n; i++)
        if (params->at[i]->default_expr)
            watch_expr(watching, params->at[i]->default_expr);
}

/* A function without a body that we can read has been refused, or is raw. */
static void
watch_function(struct watching *watching, const struct expr *call)
{
    const struct declared_function *function = call->declared;

    if (is_followed(watching, function))
        return;
    if (!function->body) {
        if (!watching->out->raw) {
            watching->out->raw = call;
            watching->out->raw_policy = watching->policy;
        }
        return;
    }
    watch_defaults(watching, &function->params);
    walk_statement_ranges(function->body, visit_range, watching);
    walk_statement(function->body, visit_expr, watching);
}

static void
visit_expr(const struct expr *expr, void *data)
{
    struct watching *watching = data;

    if (expr->kind == EXPR_RAW && !watching->out->raw) {
        watching->out->raw = expr;
        watching->out->raw_policy = watching->policy;
    }
    if (expr->kind == EXPR_FUNCTION)
        watch_function(watching, expr);
    if (expr->kind == EXPR_PREDICATE && expr->predicate->body &&
        !is_followed(watching, expr->predicate))
        watch_expr(watching, expr->predicate->body);
}

static void
watch_expr(struct watching *watching, const struct expr *expr)
{
    walk_ranges(expr, visit_range, watching);
    walk_expr(expr, visit_expr, watching);
}

static void
watch_select(struct watching *watching, const struct select *select)
{
    walk_select_ranges(select, visit_range, watching);
    walk_select(select, visit_expr, watching);
}

/* Whatever role reads it: who may see a row may be decided by other tables. */
static void
watch_policies(struct watching *watching, const struct table *table)
{
    const struct policy *outer = watching->policy;

    for (size_t i = 0; i < table->policies.n; i++) {
        watching->policy = table->policies.at[i];
        if (watching->policy->command == CMD_SELECT && watching->policy->using_expr)
            watch_expr(watching, watching->policy->using_expr);
    }
    watching->policy = outer;
}

/* Reading a table reads those that inherit from it. */
static void
watch_children(struct watching *watching, const struct table *table)
{
    for (size_t i = 0; i < watching->model->tables.n; i++) {
        const struct table *child = watching->model->tables.at[i];

        for (size_t j = 0; j < child->inherits.n; j++)
            if (child->inherits.at[j] == table)
                watch_table(watching, child);
    }
}

static void
watch_table(struct watching *watching, const struct table *table)
{
    while (table->partition_of)
        table = table->partition_of;
    if (table->derived || is_followed(watching, table))
        return;
    if (table->is_view) {
        if (table->query)
            watch_select(watching, table->query);
        return;
    }
    vec_push(&watching->out->tables, table);
    watch_policies(watching, table);
    watch_children(watching, table);
}

struct watched
plan_watched(const struct model *model, const struct live *live)
{
    struct watched watched = {0};
    struct watching watching = {.model = model, .out = &watched};

    watch_select(&watching, live->body);
    watch_defaults(&watching, &live->params);
    return watched;
}

static bool
contains(const struct watched *watched, const struct table *table)
{
    for (size_t i = 0; i < watched->tables.n; i++)
        if (watched->tables.at[i] == table)
            return true;
    return false;
}

struct watched
plan_all_watched(const struct model *model)
{
    struct watched all = {0}, sorted = {0};

    for (size_t i = 0; i < model->lives.n; i++) {
        struct watched one = plan_watched(model, model->lives.at[i]);

        for (size_t j = 0; j < one.tables.n; j++)
            vec_push(&all.tables, one.tables.at[j]);
    }
    for (size_t i = 0; i < model->tables.n; i++)
        if (contains(&all, model->tables.at[i]))
            vec_push(&sorted.tables, model->tables.at[i]);
    return sorted;
}
