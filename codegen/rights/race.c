/* SPDX-License-Identifier: MIT */
/*
 * Policies that look at the table before they let a row in.  Of two requests at once neither sees
 * the row of the other, and both pass.
 */
#include "rights/rights.h"

#include <string.h>

#include "model/walk.h"
#include "rights/branch.h"
#include "rights/privilege.h"

struct looking {
    const struct table *table;
    const struct expr *counts; /* a number of its rows, or */
    const struct expr *misses; /* that there is none */
};

/* The equality `column = x` among the conditions of a select. */
struct holding {
    const struct range *range;
    const struct column *column;
    bool found;
};

static void
find_range(const struct expr *expr, void *data)
{
    const struct range **range = data;

    if (expr->kind == EXPR_COLUMN && expr->range == *range)
        *range = NULL;
}

static void
find_equality(const struct expr *expr, void *data)
{
    struct holding *holding = data;

    for (size_t i = 0; check_is_op(expr, "=") && i < 2; i++) {
        const struct expr *side = expr->args.at[i];
        const struct range *range = holding->range;

        if (side->kind != EXPR_COLUMN || side->range != range || side->column != holding->column)
            continue;
        walk_expr(expr->args.at[1 - i], find_range, &range);
        holding->found |= range != NULL;
    }
}

/* A row that is looked up by its key is there or not, whatever is written beside it. */
static bool
is_one_row(const struct select *select, const struct range *range)
{
    const struct constraint *key = range->table->primary_key;

    for (size_t i = 0; key && select->where && i < key->columns.n; i++) {
        struct holding holding = {range, key->columns.at[i], false};

        walk_conjuncts(select->where, find_equality, &holding);
        if (!holding.found)
            return false;
    }
    return key && select->where;
}

static bool
reads(const struct select *select, const struct table *table)
{
    for (size_t i = 0; i < select->from.n; i++)
        if (select->from.at[i]->table == table && !is_one_row(select, select->from.at[i]))
            return true;
    return false;
}

static void
find_look(const struct expr *expr, const struct binding *binding, void *data)
{
    struct looking *looking = data;
    const struct expr *arg = expr;

    (void)binding;
    if (check_is_op(expr, "not"))
        arg = expr->args.at[0];
    if (!arg->select || !reads(arg->select, looking->table))
        return;
    if (arg->kind == EXPR_EXISTS && (arg->negated || arg != expr))
        looking->misses = expr;
    else if (arg->kind == EXPR_SELECT && select_has_aggregate(arg->select))
        looking->counts = expr;
}

/* A key of the table may say what the policy asks. */
static bool
has_key(const struct table *table, bool of_numbers)
{
    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *key = table->constraints.at[i];

        if (key->kind == CONSTRAINT_EXCLUDE ||
            (!of_numbers && (key->kind == CONSTRAINT_UNIQUE ||
                             (key->kind == CONSTRAINT_PRIMARY_KEY && key->columns.n > 1))))
            return true;
    }
    for (size_t i = 0; !of_numbers && i < table->indexes.n; i++)
        if (table->indexes.at[i]->unique)
            return true;
    return false;
}

static void
check_look(struct checker *checker, const struct policy *policy)
{
    struct looking looking = {.table = policy->table};
    const struct expr *look;
    struct diag *diag;

    if (policy->command != CMD_INSERT || !policy->check_expr ||
        !check_is_for_anybody(&policy->roles) ||
        check_has_trigger(checker->model, policy->table, CMD_INSERT))
        return;
    check_walk_bound(policy->check_expr, NULL, find_look, &looking);
    look = looking.counts ? looking.counts : looking.misses;
    if (!look || has_key(policy->table, look == looking.counts) ||
        check_is_told(checker, policy->span))
        return;
    diag = diag_at(look->span, PGS3331_LOOKS_FIRST,
                   "policy \"%s\" on \"%s\" looks at the rows that are there: two requests at once "
                   "both pass",
                   policy->name, policy->table->name);
    diag_note(diag, policy->span, "it holds for insert");
    diag_hint(diag, look == looking.counts
                        ? "let a `before insert` trigger lock the row that they share (`for "
                          "update`), and count there"
                        : "say it by a key, `unique (...)` or `exclude using gist (...)`: that is "
                          "tested when the row is written");
}

void
check_races(struct checker *checker)
{
    if (checker->guessing)
        return;
    for (size_t i = 0; i < checker->model->policies.n; i++)
        check_look(checker, checker->model->policies.at[i]);
}
