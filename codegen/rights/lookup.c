/* SPDX-License-Identifier: MIT */
/* Sub-selects of policies that no index serves, and indexes that serve nothing more. */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"

struct looking {
    struct checker *checker;
    const struct policy *policy;
};

/* The column of `range` that the atom compares with something else; NULL: none. */
static const struct expr *
compared(const struct atom *atom, const struct range *range)
{
    const struct expr *expr = atom->expr;
    bool equals = expr->kind == EXPR_OP && strcmp(expr->name, "=") == 0;

    if (atom->negated || (!equals && expr->kind != EXPR_IN && expr->kind != EXPR_ANY) ||
        expr->negated)
        return NULL;
    for (size_t i = 0; i < (equals ? 2 : 1) && i < expr->args.n; i++) {
        const struct binding *binding = atom->binding;
        const struct expr *side = check_stands_for(expr->args.at[i], &binding);

        if (side->kind == EXPR_COLUMN && side->range == range)
            return side;
    }
    return NULL;
}

static bool
is_told(const struct looking *looking, const struct column *column)
{
    struct checker *checker = looking->checker;

    for (size_t i = 0; i < checker->unindexed.n; i++)
        if (checker->unindexed.at[i] == column)
            return true;
    vec_push(&checker->unindexed, column);
    return false;
}

/* One of the columns that are compared begins an index: it narrows the search. */
static void
check_branch(const struct looking *looking, const struct range *range, const struct branch *branch)
{
    const struct expr *first = NULL;
    struct diag *diag;

    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct expr *column = compared(&branch->atoms.at[i], range);

        if (column && check_is_indexed(column->column))
            return;
        if (column && !first)
            first = column;
    }
    if (!first || is_told(looking, first->column))
        return;
    diag = diag_at(first->span, PGS3080_LOOKUP_WITHOUT_INDEX,
                   "no index begins with \"%s\" of \"%s\", which policy \"%s\" on \"%s\" looks up",
                   first->column->name, range->table->name, looking->policy->name,
                   looking->policy->table->name);
    diag_note(diag, first->column->span, "\"%s\" is here", first->column->name);
    diag_hint(diag,
              "add `index (%s)`, or say `scan ok` on the endpoint of a table that stays small",
              first->column->name);
    check_fix_index(diag, range->table, first->column);
}

static void
visit_select(const struct expr *expr, const struct binding *binding, void *data)
{
    struct atom outer = {.binding = binding};
    struct branches inside = {0};

    if (!expr->select || !check_select_branches(expr->select, &outer, &inside))
        return;
    for (size_t i = 0; i < expr->select->from.n; i++) {
        const struct range *range = expr->select->from.at[i];

        if (range->table->is_view || range->table->builtin || range->table->scan_ok)
            continue;
        for (size_t j = 0; j < inside.n; j++)
            check_branch(data, range, &inside.at[j]);
    }
}

/* ---- indexes twice ---- */

static bool
is_plain(const struct index *index)
{
    if (index->where || strcmp(index->method ? index->method : "btree", "btree") != 0)
        return false;
    for (size_t i = 0; i < index->items.n; i++)
        if (!index->items.at[i].column || index->items.at[i].descending ||
            index->items.at[i].nulls || index->items.at[i].opclass || index->items.at[i].collation)
            return false;
    return index->include.n == 0 && index->settings.n == 0;
}

static bool
has_columns(const struct index *index, const struct column *const *columns, size_t n)
{
    if (index->items.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (index->items.at[i].column != columns[i])
            return false;
    return true;
}

static bool
is_same_index(const struct index *a, const struct index *b)
{
    if (!is_plain(a) || a->items.n != b->items.n)
        return false;
    for (size_t i = 0; i < a->items.n; i++)
        if (a->items.at[i].column != b->items.at[i].column)
            return false;
    return true;
}

static void
report_twice(const struct index *index, struct span other)
{
    struct diag *diag = diag_at(index->span, PGS3081_INDEX_TWICE,
                                "another index has the same columns: this one costs every write, "
                                "and serves nothing more");

    diag_note(diag, other, "the other one is here");
    diag_hint(diag, "drop it");
}

static void
check_twice(const struct table *table, size_t i)
{
    const struct index *index = table->indexes.at[i];

    if (!is_plain(index) || index->unique)
        return;
    for (size_t j = 0; j < table->constraints.n; j++) {
        const struct constraint *key = table->constraints.at[j];

        if ((key->kind == CONSTRAINT_PRIMARY_KEY || key->kind == CONSTRAINT_UNIQUE) &&
            has_columns(index, (const struct column *const *)key->columns.at, key->columns.n)) {
            report_twice(index, key->span);
            return;
        }
    }
    for (size_t j = 0; j < i; j++)
        if (is_plain(table->indexes.at[j]) && is_same_index(index, table->indexes.at[j])) {
            report_twice(index, table->indexes.at[j]->span);
            return;
        }
}

void
check_lookups(struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];
        struct looking looking = {checker, policy};

        check_walk_policy(policy, visit_select, &looking);
    }
    for (size_t i = 0; diag_errors() == 0 && i < model->tables.n; i++)
        for (size_t j = 0; j < model->tables.at[i]->indexes.n; j++)
            check_twice(model->tables.at[i], j);
}
