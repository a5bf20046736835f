/* SPDX-License-Identifier: MIT */
/*
 * Names that a sub-select takes: in `exists (select 1 from share where share.doc_id = id)` the bare
 * `id` is the inner table's, where there is one, and not the row's that was meant.
 */
#include "rights/rights.h"

#include <string.h>

struct capture {
    const struct table *outer;
    struct checker *checker;
};

static bool
is_captured(const struct expr *mine, const struct expr *other, const struct table *outer)
{
    return mine->kind == EXPR_COLUMN && other->kind == EXPR_COLUMN && mine->bare &&
           !mine->range->implicit && mine->range == other->range && mine->column != other->column &&
           check_column_named(outer, mine->column->name) != NULL;
}

static void
visit(const struct expr *expr, void *data)
{
    const struct capture *capture = data;

    if (expr->kind != EXPR_OP || strcmp(expr->name, "=") != 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct expr *mine = expr->args.at[i], *other = expr->args.at[1 - i];

        if (!is_captured(mine, other, capture->outer))
            continue;
        for (size_t j = 0; j < capture->checker->decided.n; j++)
            if (check_same_place(capture->checker->decided.at[j], mine->span))
                return;
        vec_push(&capture->checker->decided, mine->span);
        check_report_captured(mine, capture->outer->name);
        return;
    }
}

void
check_captures(struct checker *checker)
{
    for (size_t i = 0; i < checker->model->policies.n; i++) {
        const struct policy *policy = checker->model->policies.at[i];
        struct capture capture = {policy->table, checker};

        if (policy->using_expr)
            walk_expr(policy->using_expr, visit, &capture);
        if (policy->check_expr && policy->check_expr != policy->using_expr)
            walk_expr(policy->check_expr, visit, &capture);
    }
}
