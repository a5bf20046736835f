/* SPDX-License-Identifier: MIT */
/*
 * `on delete cascade` asks no policy: who may delete the row that is referred to deletes all that
 * refer to it.  Where a delete policy keeps some of those whoever asks (`state = 'draft'`), the
 * cascade goes around it.
 */
#include "rights/rights.h"

#include "rights/branch.h"

/* The part of the branch that asks the row alone; NULL: it asks for the caller in all of it. */
static const struct expr *
guard_of(const struct branch *branch, const struct role *role)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct atom *atom = &branch->atoms.at[i];
        struct mentions found = check_mentions(atom, role);

        if (found.row && !found.caller && !found.select && !found.unknown &&
            atom->expr->kind != EXPR_PUBLIC)
            return atom->expr;
    }
    return NULL;
}

/* Some rows are kept from the role, by what they hold; the first guard. */
static const struct expr *
guard_against(const struct role *role, const struct table *table, const struct policy **policy)
{
    struct branches branches = {0};
    const struct expr *first = NULL;

    if (!access_table(role, table, CMD_DELETE) ||
        !check_role_branches(role, table, CMD_DELETE, false, &branches))
        return NULL;
    for (size_t i = 0; i < branches.n; i++) {
        const struct expr *guard = guard_of(&branches.at[i], role);

        if (!guard)
            return NULL;
        if (!first) {
            first = guard;
            *policy = branches.at[i].policy;
        }
    }
    return first;
}

/* The same is asked of the row that is referred to. */
static bool
may_delete_unguarded(const struct role *role, const struct table *table)
{
    const struct policy *policy = NULL;

    return access_table(role, table, CMD_DELETE) && !guard_against(role, table, &policy);
}

static void
check_cascade_of(const struct model *model, const struct constraint *key, const struct table *table)
{
    for (size_t i = 0; i < model->roles.n; i++) {
        const struct role *role = model->roles.at[i];
        const struct policy *policy = NULL;
        const struct expr *guard;
        struct diag *diag;

        if (!check_is_anybody(role) || !may_delete_unguarded(role, key->target))
            continue;
        guard = guard_against(role, table, &policy);
        if (!guard)
            continue;
        diag = diag_at(key->span, PGS3113_CASCADE_PAST_POLICY,
                       "deleting from \"%s\" deletes rows of \"%s\" that policy \"%s\" keeps",
                       key->target->name, table->name, policy->name);
        diag_note(diag, guard->span, "a cascade does not ask this");
        diag_hint(diag,
                  "write `on delete restrict`, or let the delete policy of \"%s\" ask that there "
                  "is none: `not exists (select 1 from %s ...)`",
                  key->target->name, table->name);
        return;
    }
}

void
check_cascades(const struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->tables.at[i]->constraints.n; j++) {
            const struct constraint *key = model->tables.at[i]->constraints.at[j];

            if (key->kind == CONSTRAINT_FOREIGN_KEY && key->on_delete == FK_CASCADE &&
                !key->target->builtin && key->target != model->tables.at[i])
                check_cascade_of(model, key, model->tables.at[i]);
        }
}
