/* SPDX-License-Identifier: MIT */
/*
 * Selects: from first, because all other clauses use its names; then where, groups and outputs.
 * from.c does from and with, union.c joins several, window.c does windows.
 */
#include "check/checker.h"

#include <stdlib.h>
#include <string.h>

#include "model/types.h"

/* ---- outputs ---- */

/* As PostgreSQL names an output without alias; NULL: `?column?`. */
static const char *
natural_name(const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        return expr->column->name;
    case EXPR_FIELD:
    case EXPR_CALL:
        return expr->column ? expr->column->name : expr->name;
    case EXPR_FUNCTION:
        return expr->declared->name;
    case EXPR_COLLATE:
        return natural_name(expr->args.at[0]);
    case EXPR_EXTRACT:
        return "extract";
    case EXPR_CASE:
        return "case";
    case EXPR_ARRAY:
        return "array";
    case EXPR_CAST:
        return natural_name(expr->args.at[0]);
    case EXPR_SELECT:
        return expr->select->outputs.n == 1 ? expr->select->outputs.at[0].name : NULL;
    default:
        return NULL;
    }
}

static void
add_output(struct outputs *outputs, struct span span, const char *name, struct expr *expr)
{
    struct output output = {.span = span, .name = name, .expr = expr};

    check_settle(expr, type_scalar(TYPE_TEXT));
    vec_push(outputs, output);
}

/* The columns that `using` has joined stand once, before all others. */
static bool
is_merged(const struct scope *scope, const struct column *column)
{
    for (size_t i = 0; i < scope->merged.n; i++)
        if (scope->merged.at[i].left == column || scope->merged.at[i].right == column)
            return true;
    return false;
}

static void
expand_range(const struct scope *scope, struct outputs *outputs, const struct range *range,
             struct span span, bool whole)
{
    for (size_t i = 0; i < range->table->columns.n; i++) {
        const struct column *column = range->table->columns.at[i];
        struct expr *expr;

        if (!whole && is_merged(scope, column))
            continue;
        expr = check_new_expr(EXPR_COLUMN, span);
        expr->range = range;
        expr->column = column;
        expr->type = column->type;
        expr->nullable = !column->not_null || range->absent;
        add_output(outputs, span, column->name, expr);
    }
}

/* `*` and `t.*`: the columns of today; a later one does not appear by itself. */
static void
expand_star(struct scope *scope, struct outputs *outputs, const struct ast_expr *star)
{
    const struct ast_name *only = star->names.n > 0 ? &star->names.at[0] : NULL;
    bool found = false;

    for (size_t i = 0; !only && i < scope->merged.n; i++)
        if (!check_is_overtaken(scope, i))
            add_output(outputs, star->span, scope->merged.at[i].name, scope->merged.at[i].expr);
    for (size_t i = 0; i < scope->ranges.n; i++) {
        const struct range *range = scope->ranges.at[i];

        if (only && strcmp(only->text, range->alias) != 0)
            continue;
        expand_range(scope, outputs, range, star->span, only != NULL);
        found = true;
    }
    if (found)
        return;
    struct diag *diag = diag_at(star->span, PGS2012_UNKNOWN_ALIAS, "`*` of which table?");
    diag_hint(diag, "name the table in `from`");
}

void
check_output_list(struct scope *scope, struct outputs *outputs, const struct ast_outputs *ast)
{
    for (size_t i = 0; i < ast->n; i++) {
        const struct ast_output *output = &ast->at[i];
        struct expr *expr;

        if (output->expr->kind == AST_STAR) {
            expand_star(scope, outputs, output->expr);
            continue;
        }
        expr = check_expr(scope, output->expr);
        add_output(outputs, output->span,
                   output->alias.text ? output->alias.text : natural_name(expr), expr);
    }
}

/* ---- order by, limit ---- */

static struct expr *
output_named(const struct select *select, const struct ast_expr *ast)
{
    if (ast->kind != AST_COLUMN || ast->names.n != 1)
        return NULL;
    for (size_t i = 0; i < select->outputs.n; i++) {
        const struct output *output = &select->outputs.at[i];
        struct expr *expr;

        if (!output->name || strcmp(output->name, ast->names.at[0].text) != 0)
            continue;
        if (output->expr->kind == EXPR_COLUMN &&
            strcmp(output->expr->column->name, output->name) == 0)
            return output->expr;
        expr = check_new_expr(EXPR_OUTPUT, ast->span);
        expr->name = output->name;
        expr->type = output->expr->type;
        return expr;
    }
    return NULL;
}

void
check_is_ordered(const struct expr *expr)
{
    struct diag *diag;

    if (type_is_comparable(expr->type))
        return;
    diag = diag_at(expr->span, PGS2022_NO_OPERATOR, "%s has no order", type_text(expr->type));
    diag_hint(diag, "use jsonb, or a value out of it");
}

static void
check_order_by(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    scope->clause = NULL;
    for (size_t i = 0; i < ast->order_by.n; i++) {
        const struct ast_order *order = &ast->order_by.at[i];
        struct order_item item = {.descending = order->descending, .nulls = order->nulls};

        item.expr = output_named(select, order->expr);
        if (!item.expr)
            item.expr = check_expr(scope, order->expr);
        check_is_ordered(item.expr);
        vec_push(&select->order_by, item);
    }
}

void
check_limits(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    struct scope rowless = *scope;

    rowless.ranges = (struct ranges){0};
    rowless.clause = "limit";
    if (ast->limit)
        select->limit = check_expr_as(&rowless, ast->limit, type_scalar(TYPE_INT8), "limit");
    rowless.clause = "offset";
    if (ast->offset)
        select->offset = check_expr_as(&rowless, ast->offset, type_scalar(TYPE_INT8), "offset");
}

/* ---- distinct ---- */

static bool
is_selected(const struct select *select, const struct expr *expr)
{
    if (expr->kind == EXPR_OUTPUT || expr->kind == EXPR_LITERAL)
        return true;
    for (size_t i = 0; i < select->outputs.n; i++)
        if (check_same_expr(select->outputs.at[i].expr, expr))
            return true;
    return false;
}

static bool
is_distinct_on(const struct select *select, const struct expr *expr)
{
    for (size_t i = 0; i < select->distinct_on.n; i++)
        if (check_same_expr(select->distinct_on.at[i], expr))
            return true;
    return false;
}

/* PostgreSQL sorts rows to tell them apart: it must be by what tells them apart. */
static void
check_distinct(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    bool on = ast->distinct_on.n > 0;

    scope->clause = NULL;
    for (size_t i = 0; i < ast->distinct_on.n; i++) {
        struct expr *expr = output_named(select, ast->distinct_on.at[i]);

        vec_push(&select->distinct_on, expr ? expr : check_expr(scope, ast->distinct_on.at[i]));
    }
    for (size_t i = 0; select->distinct && i < select->order_by.n; i++) {
        const struct expr *expr = select->order_by.at[i].expr;
        struct diag *diag;

        if (on ? i >= select->distinct_on.n || is_distinct_on(select, expr)
               : is_selected(select, expr))
            continue;
        diag = diag_at(expr->span, PGS2209_ORDER_OF_DISTINCT,
                       on ? "`distinct on` keeps the first row of each group: `order by` begins "
                            "with what it groups by"
                          : "`select distinct` can be ordered by its outputs alone");
        diag_hint(diag, on ? "put the expressions of `distinct on` first in `order by`"
                           : "select it too, or leave out `distinct`");
    }
}

/* ---- groups ---- */

static bool
is_own_range(const struct select *select, const struct range *range)
{
    for (size_t i = 0; i < select->from.n; i++)
        if (select->from.at[i] == range)
            return true;
    return false;
}

static bool
is_grouped(const struct select *select, const struct expr *expr)
{
    for (size_t i = 0; i < select->group_by.n; i++)
        if (check_same_expr(select->group_by.at[i], expr))
            return true;
    return false;
}

static bool
groups_by_column(const struct select *select, const struct range *range,
                 const struct column *column)
{
    for (size_t i = 0; i < select->group_by.n; i++) {
        const struct expr *group = select->group_by.at[i];

        if (group->kind == EXPR_COLUMN && group->range == range && group->column == column)
            return true;
    }
    return false;
}

/* Grouped by the primary key: all other columns of that row follow from it. */
static bool
follows_from_key(const struct select *select, const struct range *range)
{
    const struct constraint *key = range->table->primary_key;

    if (!key || select->group_by.n == 0)
        return false;
    for (size_t i = 0; i < key->columns.n; i++)
        if (!groups_by_column(select, range, key->columns.at[i]))
            return false;
    return true;
}

static void check_grouped_select(const struct select *select, const struct select *inner);
static void check_grouped_window(const struct select *select, const struct window *window);

/* Every column outside of an aggregate must be one of the groups. */
static void
check_grouped(const struct select *select, const struct expr *expr)
{
    if (is_grouped(select, expr) || expr->aggregate || check_is_broken(expr))
        return;
    if (expr->kind == EXPR_COLUMN && is_own_range(select, expr->range) &&
        !follows_from_key(select, expr->range)) {
        struct diag *diag =
            diag_at(expr->span, PGS2042_NOT_GROUPED,
                    "\"%s\" is neither in group by nor inside an aggregate", expr->column->name);
        diag_hint(diag, "add it to `group by`, or aggregate it: `max(%s)`", expr->column->name);
        return;
    }
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i])
            check_grouped(select, expr->args.at[i]);
    if (expr->tail && expr->tail->over)
        check_grouped_window(select, expr->tail->over);
    if (expr->select)
        check_grouped_select(select, expr->select);
}

static void
check_grouped_window(const struct select *select, const struct window *window)
{
    for (size_t i = 0; i < window->partition.n; i++)
        check_grouped(select, window->partition.at[i]);
    for (size_t i = 0; i < window->order_by.n; i++)
        check_grouped(select, window->order_by.at[i].expr);
}

static void
check_grouped_select(const struct select *select, const struct select *inner)
{
    for (size_t i = 0; i < inner->outputs.n; i++)
        check_grouped(select, inner->outputs.at[i].expr);
    for (size_t i = 0; i < inner->from.n; i++) {
        if (inner->from.at[i]->on)
            check_grouped(select, inner->from.at[i]->on);
        if (inner->from.at[i]->select)
            check_grouped_select(select, inner->from.at[i]->select);
    }
    if (inner->where)
        check_grouped(select, inner->where);
    if (inner->left) {
        check_grouped_select(select, inner->left);
        check_grouped_select(select, inner->right);
    }
}

static void
check_groups(const struct scope *scope, const struct select *select)
{
    if (select->group_by.n == 0 && !scope->has_aggregate && !select->having)
        return;
    for (size_t i = 0; i < select->group_by.n; i++)
        if (check_is_broken(select->group_by.at[i]))
            return;
    for (size_t i = 0; i < select->outputs.n; i++)
        check_grouped(select, select->outputs.at[i].expr);
    if (select->having)
        check_grouped(select, select->having);
    for (size_t i = 0; i < select->order_by.n; i++)
        check_grouped(select, select->order_by.at[i].expr);
}

/* ---- the whole ---- */

/* The expression behind an output's name. */
static struct expr *
output_expr(const struct select *select, const char *name)
{
    for (size_t i = 0; i < select->outputs.n; i++)
        if (select->outputs.at[i].name && strcmp(select->outputs.at[i].name, name) == 0)
            return select->outputs.at[i].expr;
    return NULL;
}

/* `group by 2`: the second output. */
static struct expr *
group_by_position(const struct select *select, const struct ast_expr *ast)
{
    long position = strtol(ast->text, NULL, 10);
    struct diag *diag;

    if (position >= 1 && (size_t)position <= select->outputs.n && !strpbrk(ast->text, ".eE"))
        return select->outputs.at[position - 1].expr;
    diag =
        diag_at(ast->span, PGS2210_GROUP_POSITION, "there is no output %s to group by", ast->text);
    diag_hint(diag, "a number in `group by` counts the outputs from 1");
    return check_new_expr(EXPR_RAW, ast->span);
}

/* A group may be named by a column, else by an output. */
static struct expr *
check_group(struct scope *scope, const struct select *select, const struct ast_expr *ast)
{
    bool is_column = false;
    struct expr *output = NULL;

    if (ast->kind == AST_NUMBER)
        return group_by_position(select, ast);
    if (ast->kind == AST_COLUMN && ast->names.n == 1) {
        for (size_t i = 0; i < scope->ranges.n; i++)
            is_column |=
                check_column_named(scope->ranges.at[i]->table, ast->names.at[0].text) != NULL;
        output = is_column ? NULL : output_expr(select, ast->names.at[0].text);
    }
    return output ? output : check_expr(scope, ast);
}

static void
check_gives_something(const struct ast_select *ast, struct select *select)
{
    struct output unknown = {.span = ast->span, .name = "?"};
    struct diag *diag;

    if (ast->outputs.n > 0)
        return;
    unknown.expr = check_new_expr(EXPR_RAW, ast->span);
    vec_push(&select->outputs, unknown);
    diag = diag_at(ast->span, PGS2214_FORM_HERE, "this select gives no columns");
    diag_hint(diag, "name what it gives; `select from` without any stands in `exists (...)` alone");
}

static void
check_plain(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    select->distinct = ast->distinct;
    scope->grouped = ast->group_by.n > 0;
    for (size_t i = 0; i < ast->from.n; i++)
        check_from(scope, &ast->from.at[i]);
    for (size_t i = 0; i < scope->ranges.n; i++)
        vec_push(&select->from, scope->ranges.at[i]);
    scope->clause = "`where`";
    if (ast->where)
        select->where = check_condition(scope, ast->where, "`where`");
    scope->clause = NULL;
    check_windows(scope, select, ast);
    scope->windows = select;
    check_output_list(scope, &select->outputs, &ast->outputs);
    check_gives_something(ast, select);
    scope->windows = NULL;
    scope->clause = "`group by`";
    for (size_t i = 0; i < ast->group_by.n; i++)
        vec_push(&select->group_by, check_group(scope, select, ast->group_by.at[i]));
    scope->clause = NULL;
    if (ast->having)
        select->having = check_condition(scope, ast->having, "`having`");
    scope->windows = select;
    check_order_by(scope, select, ast);
    check_distinct(scope, select, ast);
    check_locking(scope, select, ast);
    check_groups(scope, select);
}

void
check_level(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    select->span = ast->span;
    select->kind = (enum select_kind)ast->kind;
    select->all = ast->all;
    check_withs(scope, &ast->with, ast->recursive);
    for (size_t i = 0; i < scope->withs.n; i++) {
        vec_push(&select->with, scope->withs.at[i]);
        select->recursive |= scope->withs.at[i]->recursive;
    }
    if (ast->kind == AST_PLAIN)
        check_plain(scope, select, ast);
    else if (ast->kind == AST_VALUES)
        check_values(scope, select, ast);
    else
        check_union(scope, select, ast);
    check_limits(scope, select, ast);
}

struct select *
check_select(struct scope *outer, const struct ast_select *ast)
{
    struct scope scope = {.checker = outer->checker, .outer = outer, .place = outer->place};
    struct select *select = arena_alloc(sizeof(*select));

    check_level(&scope, select, ast);
    return select;
}

struct select *
check_statement(struct checker *checker, enum place place, const struct params *params,
                const struct ast_select *ast)
{
    struct scope scope = {.checker = checker, .place = place};
    struct select *select = arena_alloc(sizeof(*select));

    if (params)
        scope.params = *params;
    check_level(&scope, select, ast);
    return select;
}
