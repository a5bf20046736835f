/* SPDX-License-Identifier: MIT */
#include "model/walk.h"

#include <string.h>

void
walk_expr(const struct expr *expr, void (*visit)(const struct expr *expr, void *data), void *data)
{
    visit(expr, data);
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i])
            walk_expr(expr->args.at[i], visit, data);
    if (expr->select)
        walk_select(expr->select, visit, data);
}

void
walk_select(const struct select *select, void (*visit)(const struct expr *expr, void *data),
            void *data)
{
    for (size_t i = 0; i < select->outputs.n; i++)
        walk_expr(select->outputs.at[i].expr, visit, data);
    for (size_t i = 0; i < select->from.n; i++)
        if (select->from.at[i]->on)
            walk_expr(select->from.at[i]->on, visit, data);
    if (select->where)
        walk_expr(select->where, visit, data);
    for (size_t i = 0; i < select->group_by.n; i++)
        walk_expr(select->group_by.at[i], visit, data);
    if (select->having)
        walk_expr(select->having, visit, data);
    for (size_t i = 0; i < select->order_by.n; i++)
        walk_expr(select->order_by.at[i].expr, visit, data);
    if (select->limit)
        walk_expr(select->limit, visit, data);
    if (select->offset)
        walk_expr(select->offset, visit, data);
}

struct range_walk {
    void (*visit)(const struct range *range, void *data);
    void *data;
};

static void
visit_ranges_of(const struct select *select, const struct range_walk *walk)
{
    for (size_t i = 0; i < select->from.n; i++)
        walk->visit(select->from.at[i], walk->data);
}

static void
visit_nested(const struct expr *expr, void *data)
{
    if (expr->select)
        visit_ranges_of(expr->select, data);
}

void
walk_ranges(const struct expr *expr, void (*visit)(const struct range *range, void *data),
            void *data)
{
    struct range_walk walk = {visit, data};

    walk_expr(expr, visit_nested, &walk);
}

void
walk_select_ranges(const struct select *select,
                   void (*visit)(const struct range *range, void *data), void *data)
{
    struct range_walk walk = {visit, data};

    visit_ranges_of(select, &walk);
    walk_select(select, visit_nested, &walk);
}

void
walk_conjuncts(const struct expr *expr, void (*visit)(const struct expr *expr, void *data),
               void *data)
{
    if (expr->kind == EXPR_OP && strcmp(expr->name, "and") == 0) {
        for (size_t i = 0; i < expr->args.n; i++)
            walk_conjuncts(expr->args.at[i], visit, data);
        return;
    }
    visit(expr, data);
}
