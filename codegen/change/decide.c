/* SPDX-License-Identifier: MIT */
/* Columns that policies and keys read: their defaults, and whether they may be null. */
#include <string.h>

#include "change/change.h"
#include "rights/flat.h"

/* ---- who reads it ---- */

struct reader {
    const struct column *column;
    bool found;
};

static void
find_column(const struct expr *expr, void *data)
{
    struct reader *reader = data;

    reader->found |= expr->kind == EXPR_COLUMN && expr->column == reader->column;
}

static void
find_in_predicate(const struct expr *expr, void *data)
{
    find_column(expr, data);
    if (expr->kind == EXPR_PREDICATE && expr->predicate->body)
        walk_expr(check_flat(expr->predicate->body), find_column, data);
}

static bool
is_read_by(const struct expr *condition, const struct column *column)
{
    struct reader reader = {.column = column};

    if (condition)
        walk_expr(check_flat(condition), find_in_predicate, &reader);
    return reader.found;
}

/* The policy that reads it, of whichever table; NULL: none does. */
static const struct policy *
policy_of(const struct model *model, const struct column *column)
{
    for (size_t i = 0; i < model->policies.n; i++)
        if (is_read_by(model->policies.at[i]->using_expr, column) ||
            is_read_by(model->policies.at[i]->check_expr, column))
            return model->policies.at[i];
    return NULL;
}

/* ---- defaults ---- */

static void
check_default(const struct change *change, const struct column *last, const struct column *now)
{
    const struct policy *policy;
    struct diag *diag;

    if (!last->default_expr || (!now->default_expr && now->not_null) ||
        (now->default_expr && change_same_words(last->default_expr->span, now->default_expr->span)))
        return;
    policy = policy_of(change->now, now);
    if (!policy)
        return;
    diag = diag_at(now->default_expr ? now->default_expr->span : now->span, PGS4561_DEFAULT_OPENS,
                   now->default_expr
                       ? "rows of \"%s\" that are made without \"%s\" get another value from now "
                         "on, and policy \"%s\" decides by it"
                       : "rows of \"%s\" that are made without \"%s\" have none from now on, and "
                         "policy \"%s\" decides by it",
                   now->table->name, now->name, policy->name);
    diag_note(diag, last->default_expr->span, "the default was here");
    diag_note(diag, policy->span, "the policy is here");
    diag_hint(diag, "look who sees such rows; clients of the last release still leave it out");
}

/* ---- null ---- */

/* A key in which two nulls are different. */
static const struct constraint *
key_of(const struct column *column)
{
    for (size_t i = 0; i < column->table->constraints.n; i++) {
        const struct constraint *key = column->table->constraints.at[i];

        for (size_t j = 0;
             key->kind == CONSTRAINT_UNIQUE && !key->nulls_not_distinct && j < key->columns.n; j++)
            if (key->columns.at[j] == column)
                return key;
    }
    return NULL;
}

static void
check_null(const struct change *change, const struct column *last, const struct column *now)
{
    const struct policy *policy;
    const struct constraint *key;
    struct diag *diag;

    if (!last->not_null || now->not_null)
        return;
    policy = policy_of(change->now, now);
    key = key_of(now);
    if (!policy && !key)
        return;
    diag = diag_at(now->span, PGS4562_NULL_DECIDES,
                   policy ? "%s.%s may be null from now on, and policy \"%s\" decides by it"
                          : "%s.%s may be null from now on, and its key takes any number of such "
                            "rows",
                   now->table->name, now->name, policy ? policy->name : "");
    diag_note(diag, last->span, "it was `not null` here");
    if (policy)
        diag_note(diag, policy->span, "the policy is here");
    else
        diag_note(diag, key->span, "the key is here");
    diag_hint(diag, policy ? "keep `not null`, unless rows without it are meant: a comparison with "
                             "null is never true"
                           : "keep `not null`, or write `unique nulls not distinct`");
}

void
change_check_deciding(const struct change *change)
{
    for (size_t i = 0; i < change->now->tables.n; i++) {
        const struct table *now = change->now->tables.at[i];
        const struct table *last = now->builtin ? NULL : change_table_before(change, now);

        for (size_t j = 0; last && !now->is_view && !last->is_view && j < now->columns.n; j++) {
            const struct column *before = change_column_before(last, now->columns.at[j]);

            if (!before)
                continue;
            check_default(change, before, now->columns.at[j]);
            check_null(change, before, now->columns.at[j]);
        }
    }
}
