/* SPDX-License-Identifier: MIT */
/* Sums that a definer function moves by a number of the caller's: a negative one goes backwards. */
#include "rights/definer.h"

#include <string.h>

#include "rights/branch.h"

struct bounding {
    const struct param *param;
    bool found;
};

/* Any comparison of the number shows that somebody thought of it. */
static void
find_bound(const struct expr *expr, void *data)
{
    struct bounding *bounding = data;
    static const char *const words[] = {"<", ">", "<=", ">=", "=", "between"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        for (size_t j = 0; check_is_op(expr, words[i]) && j < expr->args.n; j++)
            if (expr->args.at[j]->kind == EXPR_PARAM && expr->args.at[j]->param == bounding->param)
                bounding->found = true;
}

static bool
is_bounded(const struct statement *body, const struct param *param)
{
    struct bounding bounding = {.param = param};

    walk_statement(body, find_bound, &bounding);
    return bounding.found || param->type.domain;
}

/* cents + amount, cents - amount: the amount. */
static const struct expr *
amount_of(const struct assignment *assignment)
{
    const struct expr *sum = assignment->expr, *column, *amount;

    if (!sum || sum->kind != EXPR_OP || sum->args.n != 2 ||
        (strcmp(sum->name, "-") != 0 && strcmp(sum->name, "+") != 0))
        return NULL;
    column = sum->args.at[0];
    amount = sum->args.at[1];
    if (column->kind == EXPR_PARAM && sum->name[0] == '+') {
        column = sum->args.at[1];
        amount = sum->args.at[0];
    }
    return column->kind == EXPR_COLUMN && column->column == assignment->column &&
                   amount->kind == EXPR_PARAM
               ? amount
               : NULL;
}

void
check_amounts(const struct declared_function *function)
{
    const struct statement *body = function->body;

    if (body->kind != STATEMENT_UPDATE || !check_is_for_anybody(&function->roles))
        return;
    for (size_t i = 0; i < body->set.n; i++) {
        const struct expr *amount = amount_of(&body->set.at[i]);
        struct diag *diag;

        if (!amount || is_bounded(body, amount->param))
            continue;
        diag = diag_at(amount->span, PGS3333_ANY_AMOUNT,
                       "definer function \"%s\" moves \"%s\" of \"%s\" by any number, below 0, too",
                       function->name, body->set.at[i].column->name, body->target->table->name);
        diag_hint(diag, "add `%s > 0` to its `where`, and a check to the column",
                  amount->param->name);
        return;
    }
}
