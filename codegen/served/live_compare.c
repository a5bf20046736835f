/* SPDX-License-Identifier: MIT */
/* What a live query compares with the caller: whether an index serves it, and whose word it is. */
#include <string.h>

#include "rights/branch.h"
#include "served/live.h"

struct comparisons {
    VEC(const struct expr *) columns; /* compared with a parameter or the caller, by `=` */
    VEC(const struct expr *) others;  /* beside them */
};

static void
add_comparison(const struct expr *expr, void *data)
{
    struct comparisons *out = data;

    if (expr->kind != EXPR_OP || strcmp(expr->name, "=") != 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct expr *column = expr->args.at[i], *other = expr->args.at[1 - i];

        if (column->kind != EXPR_COLUMN || (other->kind != EXPR_PARAM && !check_is_identity(other)))
            continue;
        vec_push(&out->columns, column);
        vec_push(&out->others, other);
    }
}

/* ---- indexes ---- */

static bool
begins_index(const struct column *column)
{
    const struct table *table = column->table;

    for (size_t i = 0; i < table->indexes.n; i++)
        if (table->indexes.at[i]->items.at[0].column == column)
            return true;
    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *key = table->constraints.at[i];

        if ((key->kind == CONSTRAINT_PRIMARY_KEY || key->kind == CONSTRAINT_UNIQUE) &&
            key->columns.at[0] == column)
            return true;
    }
    return false;
}

/* One index that begins with any of them will do. */
static void
check_live_index(const struct live *live, const struct comparisons *comparisons)
{
    const struct column *column;
    struct diag *diag;

    for (size_t i = 0; i < comparisons->columns.n; i++)
        if (begins_index(comparisons->columns.at[i]->column))
            return;
    column = comparisons->columns.n ? comparisons->columns.at[0]->column : NULL;
    if (!column || column->table->is_view || column->table->scan_ok)
        return;
    diag = diag_at(comparisons->columns.at[0]->span, PGS4146_LIVE_WITHOUT_INDEX,
                   "no index begins with \"%s\", by which live query \"%s\" finds its rows: each "
                   "subscription reads all of \"%s\"",
                   column->name, live->name, column->table->name);
    diag_note(diag, column->span, "\"%s\" is here", column->name);
    diag_hint(diag, "add `index (%s)`", column->name);
    check_fix_index(diag, column->table, column);
}

/* ---- a parameter in place of the caller ---- */

struct question {
    const struct column *column;
    bool yes;
};

static void
is_compared_with_caller(const struct expr *expr, void *data)
{
    struct question *question = data;

    if (expr->kind != EXPR_OP || strcmp(expr->name, "=") != 0)
        return;
    for (size_t i = 0; i < 2; i++)
        if (expr->args.at[i]->kind == EXPR_COLUMN && expr->args.at[i]->column == question->column &&
            check_is_identity(expr->args.at[1 - i]))
            question->yes = true;
}

/* It says whose the row is: by its default, or because some policy compares it with the caller. */
static bool
is_owner(const struct column *column)
{
    struct question question = {.column = column};

    if (column->default_expr && check_is_identity(column->default_expr))
        return true;
    for (size_t i = 0; i < column->table->policies.n; i++) {
        const struct policy *policy = column->table->policies.at[i];

        if (policy->using_expr)
            walk_expr(policy->using_expr, is_compared_with_caller, &question);
        if (policy->check_expr)
            walk_expr(policy->check_expr, is_compared_with_caller, &question);
    }
    return question.yes;
}

/* Every row of the table may be read by the role. */
static bool
is_open_to(const struct table *table, const struct role *role)
{
    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *policy = table->policies.at[i];

        if (!policy->restrictive && policy_applies(policy, role, table, CMD_SELECT) &&
            policy->using_expr && policy->using_expr->kind == EXPR_PUBLIC)
            return true;
    }
    return false;
}

static void
check_parameter(const struct live *live, const struct expr *column, const struct expr *param)
{
    if (!is_owner(column->column))
        return;
    for (size_t i = 0; i < live->roles.n; i++) {
        const struct role *role = live->roles.at[i];
        struct diag *diag;

        if (!is_open_to(column->column->table, role))
            continue;
        diag = diag_at(param->span, PGS4142_LIVE_PARAMETER_DECIDES,
                       "live query \"%s\" gives the rows of whomever \"%s\" names: no policy "
                       "compares %s.%s with the caller",
                       live->name, role->name, column->column->table->name, column->column->name);
        diag_hint(diag, "compare with auth.uid() and drop the parameter, or let the policy decide");
        return;
    }
}

/* ---- a side that a parameter opens ---- */

static bool
is_null_param(const struct atom *atom)
{
    return !atom->negated && atom->expr->kind == EXPR_OP &&
           strcmp(atom->expr->name, "is null") == 0 && atom->expr->args.at[0]->kind == EXPR_PARAM;
}

static void
note_audience(const struct expr *expr, const struct binding *binding, void *data)
{
    bool *found = data;

    *found |= (expr->kind == EXPR_PARAM && !binding) || expr->kind == EXPR_CLAIM || expr->is_auth;
}

/* `r is null or region = r`: the test that is all that this side asks of its subscriber. */
static const struct expr *
opening_of(const struct branch *branch)
{
    const struct expr *test = NULL;

    for (size_t i = 0; i < branch->atoms.n; i++) {
        bool found = false;

        if (is_null_param(&branch->atoms.at[i]))
            test = branch->atoms.at[i].expr;
        else
            check_walk_bound(branch->atoms.at[i].expr, branch->atoms.at[i].binding, note_audience,
                             &found);
        if (found)
            return NULL;
    }
    return test;
}

static void
check_opened(const struct live *live)
{
    struct branches branches = {0};

    if (!check_branches(live->body->where, &branches))
        return;
    for (size_t i = 0; i < branches.n; i++) {
        const struct expr *test = opening_of(&branches.at[i]);
        const char *name = test ? test->args.at[0]->param->name : NULL;
        struct diag *diag;

        if (!test)
            continue;
        diag =
            diag_at(test->span, PGS4134_LIVE_WITHOUT_AUDIENCE,
                    "live query \"%s\" compares nothing with a claim or parameter when \"%s\" is "
                    "null: each change is matched against each such subscriber",
                    live->name, name);
        diag_hint(diag, "drop this side; whoever wants all rows subscribes to a live query that "
                        "says so");
        return;
    }
}

void
check_live_comparisons(const struct live *live)
{
    struct comparisons comparisons = {0};

    if (!live->body->where)
        return;
    walk_conjuncts(live->body->where, add_comparison, &comparisons);
    check_live_index(live, &comparisons);
    check_opened(live);
    for (size_t i = 0; i < comparisons.columns.n; i++)
        if (comparisons.others.at[i]->kind == EXPR_PARAM)
            check_parameter(live, comparisons.columns.at[i], comparisons.others.at[i]);
}
