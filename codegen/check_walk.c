/* SPDX-License-Identifier: MIT */
/* Walks over expressions and selects, for the rules that ask what is in them. */
#include "checker.h"

#include <string.h>

void
check_walk(const struct expr *expr, void (*visit)(const struct expr *expr, void *data), void *data)
{
    visit(expr, data);
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i])
            check_walk(expr->args.at[i], visit, data);
    if (expr->select)
        check_walk_select(expr->select, visit, data);
}

void
check_walk_select(const struct select *select, void (*visit)(const struct expr *expr, void *data),
                  void *data)
{
    for (size_t i = 0; i < select->outputs.n; i++)
        check_walk(select->outputs.at[i].expr, visit, data);
    for (size_t i = 0; i < select->from.n; i++)
        if (select->from.at[i]->on)
            check_walk(select->from.at[i]->on, visit, data);
    if (select->where)
        check_walk(select->where, visit, data);
    for (size_t i = 0; i < select->group_by.n; i++)
        check_walk(select->group_by.at[i], visit, data);
    if (select->having)
        check_walk(select->having, visit, data);
    for (size_t i = 0; i < select->order_by.n; i++)
        check_walk(select->order_by.at[i].expr, visit, data);
    if (select->limit)
        check_walk(select->limit, visit, data);
    if (select->offset)
        check_walk(select->offset, visit, data);
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
check_walk_ranges(const struct expr *expr, void (*visit)(const struct range *range, void *data),
                  void *data)
{
    struct range_walk walk = {visit, data};

    check_walk(expr, visit_nested, &walk);
}

void
check_walk_select_ranges(const struct select *select,
                         void (*visit)(const struct range *range, void *data), void *data)
{
    struct range_walk walk = {visit, data};

    visit_ranges_of(select, &walk);
    check_walk_select(select, visit_nested, &walk);
}

void
check_walk_conjuncts(const struct expr *expr, void (*visit)(const struct expr *expr, void *data),
                     void *data)
{
    if (expr->kind == EXPR_OP && strcmp(expr->name, "and") == 0) {
        for (size_t i = 0; i < expr->args.n; i++)
            check_walk_conjuncts(expr->args.at[i], visit, data);
        return;
    }
    visit(expr, data);
}

bool
check_is_identity(const struct expr *expr)
{
    return expr->kind == EXPR_CLAIM ||
           (expr->kind == EXPR_CALL && expr->is_auth && strcmp(expr->name, "uid") == 0);
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool
check_same_expr(const struct expr *a, const struct expr *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->column != b->column || a->range != b->range ||
        a->param != b->param || a->claim != b->claim || a->predicate != b->predicate ||
        a->negated != b->negated || a->distinct != b->distinct || a->is_auth != b->is_auth ||
        a->select || b->select || a->args.n != b->args.n || !same_text(a->name, b->name) ||
        !same_text(a->text, b->text) || (a->kind == EXPR_CAST && !type_same(a->type, b->type)))
        return false;
    for (size_t i = 0; i < a->args.n; i++)
        if (!check_same_expr(a->args.at[i], b->args.at[i]))
            return false;
    return true;
}
