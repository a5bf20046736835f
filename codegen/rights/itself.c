/* SPDX-License-Identifier: MIT */
/*
 * Comparisons of the row with itself, which hold for nearly every row, and comparisons with the
 * caller that hold for rows without an owner.
 */
#include "check/checker.h"

#include <string.h>

#include "rights/branch.h"
#include "rights/rights.h"

static bool
is_row_column(const struct expr *expr, const struct column *column)
{
    return expr->kind == EXPR_COLUMN && expr->range->implicit &&
           (!column || expr->column == column);
}

/* The column is one of those that the expression may stand for: coalesce, array, in (...). */
static bool
offers(const struct expr *expr, const struct binding *binding, const struct column *column)
{
    expr = check_stands_for(expr, &binding);
    if (is_row_column(expr, column))
        return true;
    if (!check_is_call(expr, "coalesce") && (expr->kind != EXPR_ARRAY || expr->select))
        return false;
    for (size_t i = 0; i < expr->args.n; i++)
        if (offers(expr->args.at[i], binding, column))
            return true;
    return false;
}

static bool
is_anything(const struct expr *pattern)
{
    return pattern->kind == EXPR_LITERAL && pattern->value && pattern->value[0] &&
           pattern->value[strspn(pattern->value, "%")] == '\0';
}

static bool
is_pattern_match(const struct expr *expr)
{
    return expr->kind == EXPR_OP &&
           (strcmp(expr->name, "like") == 0 || strcmp(expr->name, "ilike") == 0);
}

/* `team_id is not null`: whosoever's the row is. */
static const struct column *
merely_there(const struct atom *atom)
{
    const struct expr *expr = atom->expr, *column;
    const struct binding *binding = atom->binding;

    if (expr->kind != EXPR_OP || strcmp(expr->name, atom->negated ? "is null" : "is not null") != 0)
        return NULL;
    column = check_stands_for(expr->args.at[0], &binding);
    return is_row_column(column, NULL) &&
                   (column->type.kind == TYPE_UUID || check_is_code(column->column))
               ? column->column
               : NULL;
}

const struct column *
check_compares_itself(const struct atom *atom)
{
    const struct expr *expr = atom->expr;
    bool equals = (expr->kind == EXPR_OP || expr->kind == EXPR_ANY) && expr->name &&
                  strcmp(expr->name, "=") == 0 && !expr->select;

    if (merely_there(atom))
        return merely_there(atom);
    if (atom->negated || expr->negated ||
        (!equals && expr->kind != EXPR_IN && !is_pattern_match(expr)))
        return NULL;
    for (size_t i = 0; i < expr->args.n; i++) {
        const struct binding *binding = atom->binding;
        const struct expr *side = check_stands_for(expr->args.at[i], &binding);

        if (!is_row_column(side, NULL) || (i > 0 && !equals))
            continue;
        if (is_pattern_match(expr))
            return is_anything(expr->args.at[1]) ? side->column : NULL;
        for (size_t j = 0; j < expr->args.n; j++)
            if (j != i && offers(expr->args.at[j], atom->binding, side->column))
                return side->column;
    }
    return NULL;
}

/* `coalesce(owner_id, auth.uid()) = auth.uid()`, `owner_id is not distinct from auth.uid()` */
const struct column *
check_takes_ownerless(const struct atom *atom)
{
    const struct expr *expr = atom->expr;
    bool equals = expr->kind == EXPR_OP && strcmp(expr->name, "=") == 0;
    bool same = expr->kind == EXPR_OP && strcmp(expr->name, "is not distinct from") == 0;

    if ((!equals && !same) || atom->negated)
        return NULL;
    for (size_t i = 0; i < 2; i++) {
        const struct binding *here = atom->binding, *there = atom->binding;
        const struct expr *side = check_stands_for(expr->args.at[i], &here);
        const struct expr *other = check_stands_for(expr->args.at[1 - i], &there);

        if (!check_is_identity(other))
            continue;
        if (equals && check_is_call(side, "coalesce") && side->args.n > 1)
            side = check_stands_for(side->args.at[0], &here);
        else if (equals)
            continue;
        if (is_row_column(side, NULL) && side->nullable)
            return side->column;
    }
    return NULL;
}

bool
check_is_let_go(const struct column *column)
{
    for (size_t i = 0; i < column->table->constraints.n; i++) {
        const struct constraint *reference = column->table->constraints.at[i];

        for (size_t j = 0; reference->on_delete == FK_SET_NULL && j < reference->columns.n; j++)
            if (reference->columns.at[j] == column)
                return true;
    }
    return false;
}
