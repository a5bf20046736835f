/* SPDX-License-Identifier: MIT */
/* What an expression is: the caller's identity, or the same as another. */
#include "check/checker.h"

#include <string.h>

bool
check_is_identity(const struct expr *expr)
{
    return expr->kind == EXPR_CLAIM ||
           (expr->kind == EXPR_CALL && expr->is_auth && strcmp(expr->name, "uid") == 0);
}

bool
check_is_op(const struct expr *expr, const char *name)
{
    return expr->kind == EXPR_OP && strcmp(expr->name, name) == 0;
}

bool
check_is_call(const struct expr *expr, const char *name)
{
    return expr->kind == EXPR_CALL && !expr->is_auth && strcmp(expr->name, name) == 0;
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The row of a table is the same in all of its policies. */
static bool
same_range(const struct range *a, const struct range *b)
{
    return a == b || (a && b && a->implicit && b->implicit && a->table == b->table);
}

bool
check_same_expr(const struct expr *a, const struct expr *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->column != b->column || !same_range(a->range, b->range) ||
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
