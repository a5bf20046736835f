/* SPDX-License-Identifier: MIT */
/* When a value may be NULL: what is not certain, may. */
#include "check/nulls.h"

#include <string.h>

#include "model/functions.h"
#include "model/walk.h"

struct own {
    const struct scope *scope;
    bool found;
};

static void
note_own_column(const struct expr *expr, void *data)
{
    struct own *own = data;

    for (size_t i = 0; expr->kind == EXPR_COLUMN && i < own->scope->ranges.n; i++)
        own->found = own->found || own->scope->ranges.at[i] == expr->range;
}

bool
check_reads_row(const struct scope *scope, const struct expr *expr)
{
    struct own own = {scope, false};

    walk_expr(expr, note_own_column, &own);
    return own.found;
}

/* A group has one row at least; without groups, or with a filter, there may be none. */
static bool
has_rows(const struct scope *scope, const struct ast_expr *ast, const struct expr *expr)
{
    bool own = false;

    for (size_t i = 0; i < expr->args.n; i++)
        own = own || check_reads_row(scope, expr->args.at[i]);
    return scope->grouped && own && !ast->tail;
}

bool
check_is_call_nullable(const struct scope *scope, const struct ast_expr *ast,
                       const struct expr *expr, const struct function *function)
{
    size_t nullable = 0;

    for (size_t i = 0; i < expr->args.n; i++)
        nullable += expr->args.at[i]->nullable;
    if (strcmp(function->name, "coalesce") == 0 || strcmp(function->name, "greatest") == 0 ||
        strcmp(function->name, "least") == 0)
        return nullable == expr->args.n;
    switch (function->nulls) {
    case NEVER:
        return false;
    case STRICT:
        return nullable > 0;
    case EMPTY:
        return nullable > 0 || !has_rows(scope, ast, expr);
    default:
        return true;
    }
}

/* The month of infinity is NULL, its year is infinity. */
bool
check_is_field_nullable(const char *field, struct type type)
{
    static const char *const growing[] = {"epoch",   "year",       "isoyear", "decade",
                                          "century", "millennium", "julian"};

    if (type.kind == TYPE_TIME || type.kind == TYPE_TIMETZ)
        return false;
    for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++)
        if (strcmp(growing[i], field) == 0)
            return false;
    return true;
}

/* ---- selects ---- */

/* `limit 1`: a number, and not 0. */
static bool
leaves_one(const struct expr *limit)
{
    long rows;

    return !limit || (expr_is_whole_number(limit, &rows) && rows > 0);
}

bool
check_is_one_row(const struct select *select)
{
    if (select->kind != SELECT_PLAIN || select->group_by.n > 0 || select->having ||
        !leaves_one(select->limit) || select->offset)
        return false;
    return !select_gives_rows(select) &&
           (select_has_aggregate(select) || (select->from.n == 0 && !select->where));
}

bool
check_is_select_nullable(const struct select *select)
{
    const struct expr *expr = select->outputs.n == 1 ? select->outputs.at[0].expr : NULL;

    return !expr || expr->nullable || !check_is_one_row(select);
}
