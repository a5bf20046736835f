/* SPDX-License-Identifier: MIT */
#include "model/walk.h"

#include <stdlib.h>
#include <string.h>

#include "model/functions.h"

#define MAX_DIGITS 9 /* of a number that fits every type of whole numbers but smallint */

/* ---- expressions ---- */

static void
walk_maybe(const struct expr *expr, void (*visit)(const struct expr *expr, void *data), void *data)
{
    if (expr)
        walk_expr(expr, visit, data);
}

static void
walk_list(const struct exprs *list, void (*visit)(const struct expr *expr, void *data), void *data)
{
    for (size_t i = 0; i < list->n; i++)
        walk_maybe(list->at[i], visit, data);
}

static void
walk_order(const struct order_items *list, void (*visit)(const struct expr *expr, void *data),
           void *data)
{
    for (size_t i = 0; i < list->n; i++)
        walk_expr(list->at[i].expr, visit, data);
}

static void
walk_window(const struct window *window, void (*visit)(const struct expr *expr, void *data),
            void *data)
{
    walk_list(&window->partition, visit, data);
    walk_order(&window->order_by, visit, data);
    walk_maybe(window->start.expr, visit, data);
    walk_maybe(window->end.expr, visit, data);
}

void
walk_expr(const struct expr *expr, void (*visit)(const struct expr *expr, void *data), void *data)
{
    visit(expr, data);
    for (size_t i = 0; i < expr->args.n; i++)
        walk_maybe(expr->args.at[i], visit, data);
    if (expr->tail) {
        walk_order(&expr->tail->order_by, visit, data);
        walk_maybe(expr->tail->filter, visit, data);
        if (expr->tail->over)
            walk_window(expr->tail->over, visit, data);
    }
    if (expr->select)
        walk_select(expr->select, visit, data);
}

const struct expr *
walk_behind_casts(const struct expr *expr)
{
    while (expr->kind == EXPR_CAST)
        expr = expr->args.at[0];
    return expr;
}

/* ---- selects ---- */

static void
walk_range(const struct range *range, void (*visit)(const struct expr *expr, void *data),
           void *data)
{
    if (range->select)
        walk_select(range->select, visit, data);
    walk_maybe(range->call, visit, data);
    walk_maybe(range->on, visit, data);
}

static void
walk_outputs(const struct outputs *outputs, void (*visit)(const struct expr *expr, void *data),
             void *data)
{
    for (size_t i = 0; i < outputs->n; i++)
        walk_expr(outputs->at[i].expr, visit, data);
}

void
walk_select(const struct select *select, void (*visit)(const struct expr *expr, void *data),
            void *data)
{
    for (size_t i = 0; i < select->with.n; i++)
        walk_select(select->with.at[i]->select, visit, data);
    if (select->left)
        walk_select(select->left, visit, data);
    if (select->right)
        walk_select(select->right, visit, data);
    for (size_t i = 0; i < select->rows.n; i++)
        walk_list(&select->rows.at[i], visit, data);
    walk_list(&select->distinct_on, visit, data);
    walk_outputs(&select->outputs, visit, data);
    for (size_t i = 0; i < select->from.n; i++)
        walk_range(select->from.at[i], visit, data);
    walk_maybe(select->where, visit, data);
    walk_list(&select->group_by, visit, data);
    walk_maybe(select->having, visit, data);
    for (size_t i = 0; i < select->windows.n; i++)
        walk_window(select->windows.at[i], visit, data);
    walk_order(&select->order_by, visit, data);
    walk_maybe(select->limit, visit, data);
    walk_maybe(select->offset, visit, data);
}

static void
walk_assignments(const struct assignments *set, void (*visit)(const struct expr *expr, void *data),
                 void *data)
{
    for (size_t i = 0; i < set->n; i++)
        walk_expr(set->at[i].expr, visit, data);
}

void
walk_statement(const struct statement *statement,
               void (*visit)(const struct expr *expr, void *data), void *data)
{
    for (size_t i = 0; i < statement->with.n; i++)
        walk_select(statement->with.at[i]->select, visit, data);
    if (statement->select)
        walk_select(statement->select, visit, data);
    walk_assignments(&statement->set, visit, data);
    for (size_t i = 0; i < statement->from.n; i++)
        walk_range(statement->from.at[i], visit, data);
    walk_maybe(statement->where, visit, data);
    walk_assignments(&statement->conflict_set, visit, data);
    walk_maybe(statement->conflict_where, visit, data);
    walk_outputs(&statement->returning, visit, data);
}

/* ---- ranges ---- */

struct range_walk {
    void (*visit)(const struct range *range, void *data);
    void *data;
};

/* Of the select itself and of those in its from and with; walk_expr finds the others. */
static void
visit_ranges_of(const struct select *select, const struct range_walk *walk)
{
    for (size_t i = 0; i < select->with.n; i++)
        visit_ranges_of(select->with.at[i]->select, walk);
    if (select->left)
        visit_ranges_of(select->left, walk);
    if (select->right)
        visit_ranges_of(select->right, walk);
    for (size_t i = 0; i < select->from.n; i++) {
        const struct range *range = select->from.at[i];

        if (range->select)
            visit_ranges_of(range->select, walk);
        else if (!range->table->derived)
            walk->visit(range, walk->data);
    }
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
walk_statement_ranges(const struct statement *statement,
                      void (*visit)(const struct range *range, void *data), void *data)
{
    struct range_walk walk = {visit, data};

    for (size_t i = 0; i < statement->with.n; i++)
        visit_ranges_of(statement->with.at[i]->select, &walk);
    if (statement->select)
        visit_ranges_of(statement->select, &walk);
    for (size_t i = 0; i < statement->from.n; i++) {
        const struct range *range = statement->from.at[i];

        if (range->select)
            visit_ranges_of(range->select, &walk);
        else if (!range->table->derived)
            visit(range, data);
    }
    walk_statement(statement, visit_nested, &walk);
}

/* ---- where a value comes from ---- */

/* A recursive one leads back to itself. */
static void
walk_with_sources(const struct with_item *with, size_t i,
                  void (*visit)(const struct expr *column, void *data), void *data)
{
    struct with_item *busy = (struct with_item *)with;

    if (busy->is_followed)
        return;
    busy->is_followed = true;
    walk_output_sources(with->select, i, visit, data);
    busy->is_followed = false;
}

void
walk_sources(const struct expr *expr, void (*visit)(const struct expr *column, void *data),
             void *data)
{
    const struct range *range = expr->range;

    if (expr->kind == EXPR_SELECT) {
        walk_output_sources(expr->select, 0, visit, data);
    } else if (expr->kind == EXPR_COLUMN && range->table->derived) {
        size_t i = (size_t)expr->column->number;

        if (range->select)
            walk_output_sources(range->select, i, visit, data);
        else if (range->with)
            walk_with_sources(range->with, i, visit, data);
    } else if (expr->kind == EXPR_COLUMN) {
        visit(expr, data);
    }
}

void
walk_output_sources(const struct select *select, size_t i,
                    void (*visit)(const struct expr *column, void *data), void *data)
{
    if (select->left) {
        walk_output_sources(select->left, i, visit, data);
        walk_output_sources(select->right, i, visit, data);
    } else if (i < select->outputs.n && select->kind == SELECT_PLAIN) {
        walk_sources(select->outputs.at[i].expr, visit, data);
    }
}

void
walk_select_sources(const struct select *select,
                    void (*visit)(const struct expr *column, void *data), void *data)
{
    for (size_t i = 0; i < select->outputs.n; i++)
        walk_output_sources(select, i, visit, data);
}

/* ---- numbers ---- */

bool
expr_is_whole_number(const struct expr *expr, long *number)
{
    size_t n = expr->kind == EXPR_LITERAL && expr->text ? strlen(expr->text) : 0;

    if (n == 0 || n > MAX_DIGITS || strspn(expr->text, "0123456789") != n)
        return false;
    *number = strtol(expr->text, NULL, 10);
    return true;
}

/* ---- conditions ---- */

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

/* ---- tables and domains ---- */

static void
walk_items(const struct index_items *items, const struct expr *where,
           void (*visit)(const struct expr *expr, void *data), void *data)
{
    for (size_t i = 0; i < items->n; i++)
        walk_maybe(items->at[i].expr, visit, data);
    walk_maybe(where, visit, data);
}

void
walk_table(const struct table *table, void (*visit)(const struct expr *expr, void *data),
           void *data)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        walk_maybe(table->columns.at[i]->default_expr, visit, data);
        walk_maybe(table->columns.at[i]->generated, visit, data);
    }
    for (size_t i = 0; i < table->constraints.n; i++) {
        walk_maybe(table->constraints.at[i]->check, visit, data);
        walk_items(&table->constraints.at[i]->items, table->constraints.at[i]->where, visit, data);
    }
    for (size_t i = 0; i < table->indexes.n; i++)
        walk_items(&table->indexes.at[i]->items, table->indexes.at[i]->where, visit, data);
    if (table->partitioning)
        walk_items(&table->partitioning->keys, NULL, visit, data);
}

void
walk_domain(const struct domain *domain, void (*visit)(const struct expr *expr, void *data),
            void *data)
{
    walk_maybe(domain->default_expr, visit, data);
    for (size_t i = 0; i < domain->checks.n; i++)
        walk_maybe(domain->checks.at[i].check, visit, data);
}

void
walk_params(const struct params *params, void (*visit)(const struct expr *expr, void *data),
            void *data)
{
    for (size_t i = 0; i < params->n; i++)
        walk_maybe(params->at[i]->default_expr, visit, data);
}

/* ---- aggregates ---- */

static bool
any_has_aggregate(const struct exprs *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i] && expr_has_aggregate(list->at[i]))
            return true;
    return false;
}

static bool
order_has_aggregate(const struct order_items *items)
{
    for (size_t i = 0; i < items->n; i++)
        if (expr_has_aggregate(items->at[i].expr))
            return true;
    return false;
}

static bool
window_has_aggregate(const struct window *window)
{
    return any_has_aggregate(&window->partition) || order_has_aggregate(&window->order_by);
}

bool
expr_has_aggregate(const struct expr *expr)
{
    const struct call_tail *tail = expr->tail;

    if (expr->aggregate)
        return true;
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i] && expr_has_aggregate(expr->args.at[i]))
            return true;
    return tail && ((tail->filter && expr_has_aggregate(tail->filter)) ||
                    (tail->over && window_has_aggregate(tail->over)));
}

bool
select_has_aggregate(const struct select *select)
{
    for (size_t i = 0; i < select->outputs.n; i++)
        if (expr_has_aggregate(select->outputs.at[i].expr))
            return true;
    for (size_t i = 0; i < select->windows.n; i++)
        if (window_has_aggregate(select->windows.at[i]))
            return true;
    return select->having || order_has_aggregate(&select->order_by);
}

static void
find_rows(const struct expr *expr, void *data)
{
    bool *found = data;

    *found |= (expr->function && function_is_set(expr->function)) ||
              (expr->kind == EXPR_FUNCTION && expr->declared->returns_set);
}

bool
select_gives_rows(const struct select *select)
{
    bool found = false;

    for (size_t i = 0; i < select->outputs.n; i++)
        walk_expr(select->outputs.at[i].expr, find_rows, &found);
    return found;
}
