/* SPDX-License-Identifier: MIT */
/* Selects: from first, because all other clauses use its names; then where, groups and outputs. */
#include "check/checker.h"

#include <string.h>

#include "model/types.h"
#include "syntax/ast_make.h"

/* ---- from ---- */

static void
check_alias(const struct scope *scope, const struct range *range)
{
    for (size_t i = 0; i < scope->ranges.n; i++) {
        struct diag *diag;

        if (strcmp(scope->ranges.at[i]->alias, range->alias) != 0)
            continue;
        diag = diag_at(range->span, PGS2011_DUPLICATE_ALIAS,
                       "\"%s\" stands twice in this from clause", range->alias);
        diag_note(diag, scope->ranges.at[i]->span, "the first one is here");
        diag_hint(diag, "give each an alias of its own");
        return;
    }
}

static void
check_from(struct scope *scope, struct select *select, const struct ast_from *ast)
{
    static const int joins[] = {
        [AST_JOIN_NONE] = JOIN_NONE,
        [AST_JOIN_INNER] = JOIN_INNER,
        [AST_JOIN_LEFT] = JOIN_LEFT,
        [AST_JOIN_CROSS] = JOIN_CROSS,
    };
    struct table *table = check_find_table(scope->checker, &ast->table);
    struct range *range = arena_alloc(sizeof(*range));

    if (!table)
        table = arena_alloc(sizeof(*table)); /* unknown: see check_is_unknown */
    if (table->is_view)
        check_view_now(scope->checker, table);
    range->span = ast->table.span;
    range->alias = ast->alias.text ? ast->alias.text : ast->table.name.text;
    range->table = table;
    range->join = joins[ast->join];
    check_alias(scope, range);
    vec_push(&scope->ranges, range);
    vec_push(&select->from, range);
    if (ast->on) {
        scope->clause = "a join condition";
        range->on = check_condition(scope, ast->on, "a join condition");
    }
}

/* ---- outputs ---- */

/* As PostgreSQL names an output without alias; NULL: `?column?`. */
static const char *
natural_name(const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        return expr->column->name;
    case EXPR_CALL:
        return expr->name;
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
add_output(struct select *select, struct span span, const char *name, struct expr *expr)
{
    struct output output = {.span = span, .name = name, .expr = expr};

    check_settle(expr, type_scalar(TYPE_TEXT));
    vec_push(&select->outputs, output);
}

static void
expand_range(struct select *select, const struct range *range, struct span span)
{
    for (size_t i = 0; i < range->table->columns.n; i++) {
        struct expr *expr = check_new_expr(EXPR_COLUMN, span);

        expr->range = range;
        expr->column = range->table->columns.at[i];
        expr->type = expr->column->type;
        expr->nullable = !expr->column->not_null || range->join == JOIN_LEFT;
        add_output(select, span, expr->column->name, expr);
    }
}

/* `*` and `t.*`: the columns of today; a later one does not appear by itself. */
static void
expand_star(struct scope *scope, struct select *select, const struct ast_expr *star)
{
    const struct ast_name *only = star->names.n > 0 ? &star->names.at[0] : NULL;
    bool found = false;

    for (size_t i = 0; i < scope->ranges.n; i++) {
        const struct range *range = scope->ranges.at[i];

        if (only && strcmp(only->text, range->alias) != 0)
            continue;
        expand_range(select, range, star->span);
        found = true;
    }
    if (found)
        return;
    struct diag *diag = diag_at(star->span, PGS2012_UNKNOWN_ALIAS, "`*` of which table?");
    diag_hint(diag, "name the table in `from`");
}

static void
check_outputs(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    scope->clause = NULL;
    for (size_t i = 0; i < ast->outputs.n; i++) {
        const struct ast_output *output = &ast->outputs.at[i];
        struct expr *expr;

        if (output->expr->kind == AST_STAR) {
            expand_star(scope, select, output->expr);
            continue;
        }
        expr = check_expr(scope, output->expr);
        add_output(select, output->span,
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
        if (!type_is_comparable(item.expr->type)) {
            struct diag *diag = diag_at(item.expr->span, PGS2022_NO_OPERATOR, "%s has no order",
                                        type_text(item.expr->type));
            diag_hint(diag, "use jsonb, or a value out of it");
        }
        vec_push(&select->order_by, item);
    }
}

static void
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

/* Every column outside of an aggregate must be one of the groups. */
static void
check_grouped(const struct select *select, const struct expr *expr)
{
    if (is_grouped(select, expr) || expr->aggregate)
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
    if (expr->select)
        check_grouped_select(select, expr->select);
}

static void
check_grouped_select(const struct select *select, const struct select *inner)
{
    for (size_t i = 0; i < inner->outputs.n; i++)
        check_grouped(select, inner->outputs.at[i].expr);
    if (inner->where)
        check_grouped(select, inner->where);
}

static void
check_groups(const struct scope *scope, const struct select *select)
{
    if (select->group_by.n == 0 && !scope->has_aggregate && !select->having)
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

/* A group may be named by a column, else by an output. */
static struct expr *
check_group(struct scope *scope, const struct select *select, const struct ast_expr *ast)
{
    bool is_column = false;
    struct expr *output = NULL;

    if (ast->kind == AST_COLUMN && ast->names.n == 1) {
        for (size_t i = 0; i < scope->ranges.n; i++)
            is_column |=
                check_column_named(scope->ranges.at[i]->table, ast->names.at[0].text) != NULL;
        output = is_column ? NULL : output_expr(select, ast->names.at[0].text);
    }
    return output ? output : check_expr(scope, ast);
}

static struct select *
check_level(struct scope *scope, const struct ast_select *ast)
{
    struct select *select = arena_alloc(sizeof(*select));

    select->span = ast->span;
    select->distinct = ast->distinct;
    for (size_t i = 0; i < ast->from.n; i++)
        if (ast->from.at[i].select || ast->from.at[i].call || ast->from.at[i].natural ||
            ast->from.at[i].join > AST_JOIN_CROSS || ast->from.at[i].join_using.n > 0 ||
            ast->from.at[i].columns.n > 0 || ast->from.at[i].typed.n > 0) {
            not_built(ast->from.at[i].span, "this form of from");
            return select;
        }
    if (ast->kind != AST_PLAIN || ast->with.n > 0 || ast->distinct_on.n > 0 || ast->windows.n > 0 ||
        ast->locking) {
        not_built(ast->span, "this form of select");
        return select;
    }
    for (size_t i = 0; i < ast->from.n; i++)
        check_from(scope, select, &ast->from.at[i]);
    scope->clause = "`where`";
    if (ast->where)
        select->where = check_condition(scope, ast->where, "`where`");
    check_outputs(scope, select, ast);
    scope->clause = "`group by`";
    for (size_t i = 0; i < ast->group_by.n; i++)
        vec_push(&select->group_by, check_group(scope, select, ast->group_by.at[i]));
    scope->clause = NULL;
    if (ast->having)
        select->having = check_condition(scope, ast->having, "`having`");
    check_order_by(scope, select, ast);
    check_limits(scope, select, ast);
    check_groups(scope, select);
    return select;
}

struct select *
check_select(struct scope *outer, const struct ast_select *ast)
{
    struct scope scope = {.checker = outer->checker, .outer = outer, .place = outer->place};

    return check_level(&scope, ast);
}

struct select *
check_statement(struct checker *checker, enum place place, const struct params *params,
                const struct ast_select *ast)
{
    struct scope scope = {.checker = checker, .place = place};

    if (params)
        scope.params = *params;
    return check_level(&scope, ast);
}
