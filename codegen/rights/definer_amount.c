/* SPDX-License-Identifier: MIT */
/* Sums that a definer function moves by a number of the caller's: a negative one goes backwards. */
#include "rights/definer.h"

#include <string.h>

#include "model/walk.h"
#include "rights/branch.h"

struct bounding {
    const struct param *param;
    bool found;
};

static bool
is_param(const struct expr *expr, const struct param *param)
{
    expr = walk_behind_casts(expr);
    return expr->kind == EXPR_PARAM && expr->param == param;
}

/* Any comparison of the number shows that somebody thought of it. */
static void
find_bound(const struct expr *expr, void *data)
{
    struct bounding *bounding = data;
    static const char *const words[] = {"<", ">", "<=", ">=", "=", "between"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        for (size_t j = 0; check_is_op(expr, words[i]) && j < expr->args.n; j++)
            if (is_param(expr->args.at[j], bounding->param))
                bounding->found = true;
}

static bool
is_bounded(const struct statement *body, const struct param *param)
{
    struct bounding bounding = {.param = param};

    walk_statement(body, find_bound, &bounding);
    return bounding.found || param->type.domain;
}

/* cents + amount, cents - amount * 2: what is beside the column. */
static const struct expr *
amount_of(const struct assignment *assignment)
{
    const struct expr *sum = assignment->expr;

    if (!sum || sum->kind != EXPR_OP || sum->args.n != 2 ||
        (strcmp(sum->name, "-") != 0 && strcmp(sum->name, "+") != 0))
        return NULL;
    for (size_t i = 0; i < (sum->name[0] == '+' ? 2 : 1); i++) {
        const struct expr *column = walk_behind_casts(sum->args.at[i]);

        if (column->kind == EXPR_COLUMN && column->column == assignment->column)
            return sum->args.at[1 - i];
    }
    return NULL;
}

/* The number of the caller's in an amount. */
struct moving {
    const struct statement *body;
    const struct expr *unbounded;
    bool called; /* abs(), greatest(): it may not be below 0 */
};

static void
find_unbounded(const struct expr *expr, void *data)
{
    struct moving *moving = data;

    moving->called |=
        expr->kind == EXPR_CALL || expr->kind == EXPR_FUNCTION || expr->kind == EXPR_RAW;
    if (expr->kind == EXPR_PARAM && !is_bounded(moving->body, expr->param))
        moving->unbounded = expr;
}

void
check_amounts(const struct declared_function *function)
{
    const struct statement *body = function->body;

    if (body->kind != STATEMENT_UPDATE || !check_is_for_anybody(&function->roles))
        return;
    for (size_t i = 0; i < body->set.n; i++) {
        const struct expr *amount = amount_of(&body->set.at[i]);
        struct moving moving = {.body = body};
        struct diag *diag;

        if (amount)
            walk_expr(amount, find_unbounded, &moving);
        if (!moving.unbounded || moving.called)
            continue;
        diag = diag_at(moving.unbounded->span, PGS3333_ANY_AMOUNT,
                       "definer function \"%s\" moves \"%s\" of \"%s\" by any number, below 0, too",
                       function->name, body->set.at[i].column->name, body->target->table->name);
        diag_hint(diag, "add `%s > 0` to its `where`, and a check to the column",
                  moving.unbounded->param->name);
        return;
    }
}
