/* SPDX-License-Identifier: MIT */
/* `a or b and c` without parentheses, where the reader takes them for where they are not. */
#include "rights/rights.h"

#include "rights/branch.h"

struct mixing {
    const struct policy *policy;
    const struct role *role;
};

static bool
is_in_parentheses(const struct expr *expr)
{
    const struct span *span = &expr->span;

    return span->file && span->end > span->start && span->file->text[span->start] == '(' &&
           span->file->text[span->end - 1] == ')';
}

static void
find_column(const struct expr *expr, void *data)
{
    const struct expr **found = data;

    if (expr->kind == EXPR_COLUMN && expr->range->implicit)
        *found = expr;
}

/* The column of the row that both read. */
static bool
read_the_same(const struct expr *a, const struct expr *b)
{
    const struct expr *in_a = NULL, *in_b = NULL;

    walk_expr(a, find_column, &in_a);
    walk_expr(b, find_column, &in_b);
    return in_a && in_b && in_a->column == in_b->column;
}

/* team_id = my_team and state = 'open' or state = 'closed' */
static void
check_mixed_left(const struct mixing *mixing, const struct expr *left, const struct expr *right)
{
    struct diag *diag;

    if (!check_is_op(left, "and") || is_in_parentheses(left) || check_is_op(right, "and") ||
        !check_expr_names_caller(left->args.at[0], mixing->role) ||
        check_expr_names_caller(left->args.at[1], mixing->role) ||
        check_expr_names_caller(right, mixing->role) || !read_the_same(left->args.at[1], right))
        return;
    diag = diag_at(right->span, PGS3046_MIXED_AND_OR,
                   "policy \"%s\" on \"%s\": this passes for every caller", mixing->policy->name,
                   mixing->policy->table->name);
    diag_note(diag, left->args.at[0]->span, "this holds for the left side of `or` alone");
    diag_hint(diag, "`and` binds before `or`: write parentheses around what belongs together");
}

static void
visit_mixed(const struct expr *expr, void *data)
{
    const struct mixing *mixing = data;
    const struct expr *right;
    struct diag *diag;

    if (!check_is_op(expr, "or"))
        return;
    right = expr->args.at[1];
    check_mixed_left(mixing, expr->args.at[0], right);
    if (!check_is_op(right, "and") || is_in_parentheses(right) ||
        !check_expr_names_caller(expr->args.at[0], mixing->role) ||
        !check_expr_names_caller(right->args.at[0], mixing->role) ||
        check_expr_names_caller(right->args.at[1], mixing->role))
        return;
    diag = diag_at(right->args.at[1]->span, PGS3046_MIXED_AND_OR,
                   "policy \"%s\" on \"%s\": this holds for the right side of `or` alone",
                   mixing->policy->name, mixing->policy->table->name);
    diag_note(diag, expr->args.at[0]->span, "this side passes without it");
    diag_hint(diag, "`and` binds before `or`: write parentheses around what belongs together");
}

void
check_mixed(const struct policy *policy, const struct expr *condition)
{
    struct mixing mixing = {policy, policy->roles.at[0]};

    walk_expr(condition, visit_mixed, &mixing);
}
