/* SPDX-License-Identifier: MIT */
/*
 * I37: rows that are marked as deleted, and still answer: an error where the table says `soft
 * delete`, else a warning where a nullable timestamp is called deleted_at or removed_at.  The owner
 * must keep seeing the row: PostgreSQL tests the new row of an update with the select policy, and
 * the update that sets the mark would fail.
 */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"
#include "syntax/spell.h"

static const struct column *
mark_of(const struct table *table)
{
    static const char *const names[] = {"deleted_at", "removed_at", "revoked_at", "left_at"};

    if (table->soft_delete)
        return table->soft_delete;
    for (size_t i = 0; i < table->columns.n; i++)
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
            if (!table->columns.at[i]->not_null &&
                strcmp(table->columns.at[i]->name, names[j]) == 0)
                return table->columns.at[i];
    return NULL;
}

/* What was said is held to; what is only guessed is a warning. */
static enum diag_code
code_of(const struct table *table)
{
    return table->soft_delete ? PGS3075_SOFT_DELETE_UNTESTED : PGS3074_DELETED_ROWS;
}

/* The condition that a row which is there fulfils. */
static const char *
unmarked(const char *name, const struct column *mark)
{
    return mark->type.kind == TYPE_BOOL ? arena_printf("not %s", name)
                                        : arena_printf("%s is null", name);
}

static bool
anybody_sets(const struct model *model, const struct column *mark)
{
    for (size_t i = 0; i < model->roles.n; i++)
        if (strcmp(model->roles.at[i]->name, "service_role") != 0 &&
            access_column(model->roles.at[i], mark, CMD_UPDATE))
            return true;
    return false;
}

static bool
tests(const struct branch *branch, const struct range *range, const struct column *mark)
{
    for (size_t i = 0; i < branch->atoms.n; i++)
        if (check_names_column(&branch->atoms.at[i], range, mark))
            return true;
    return false;
}

static bool
is_owners(const struct branch *branch, const struct table *table, const struct role *role)
{
    for (size_t i = 0; i < table->columns.n; i++)
        if (check_tie(branch, NULL, table->columns.at[i], role) == TIE_SELF)
            return true;
    return false;
}

/* ---- the rows themselves ---- */

/* A restrictive policy tests the mark for all. */
static bool
is_tested_by_all(const struct table *table, const struct role *role, const struct column *mark)
{
    struct branches branches = {0};

    if (!check_role_branches(role, table, CMD_SELECT, false, &branches))
        return true;
    for (size_t i = 0; i < branches.n; i++)
        if (!tests(&branches.at[i], NULL, mark))
            return false;
    return branches.n > 0;
}

static void
check_policy(const struct policy *policy, const struct column *mark)
{
    const struct role *role = policy->roles.n > 0 ? policy->roles.at[0] : NULL;
    struct branches branches = {0};

    if (!role || !check_is_anybody(role) || policy->restrictive || !policy->using_expr ||
        !check_branches(policy->using_expr, &branches) ||
        is_tested_by_all(policy->table, role, mark))
        return;
    for (size_t i = 0; i < branches.n; i++) {
        const struct branch *branch = &branches.at[i];
        struct diag *diag;

        if (tests(branch, NULL, mark) || is_owners(branch, policy->table, role) ||
            check_is_gated(branch, role))
            continue;
        diag = diag_at(branch->part->span, code_of(policy->table),
                       "\"%s\" has \"%s\", but policy \"%s\" does not test it", policy->table->name,
                       mark->name, policy->name);
        diag_note(diag, mark->span, "\"%s\" is here", mark->name);
        diag_hint(diag,
                  "add `%s` for the others; the owner must keep seeing the row, or the update that "
                  "sets the mark fails",
                  unmarked(mark->name, mark));
    }
}

/* ---- rights that outlive a removal ---- */

struct remembering {
    const struct policy *policy;
    VEC(const struct range *) told;
};

static void
check_range(struct remembering *remembering, const struct select *select, const struct range *range,
            const struct branches *inside, bool definer)
{
    const struct column *mark = range->table->is_view ? NULL : mark_of(range->table);
    const struct role *role =
        remembering->policy->roles.n > 0 ? remembering->policy->roles.at[0] : NULL;
    struct diag *diag;

    if (!mark || !role || (!definer && is_tested_by_all(range->table, role, mark)))
        return;
    for (size_t i = 0; i < remembering->told.n; i++)
        if (remembering->told.at[i] == range)
            return;
    for (size_t i = 0; i < inside->n; i++) {
        if (tests(&inside->at[i], range, mark))
            continue;
        vec_push(&remembering->told, range);
        diag = diag_at(range->span, code_of(range->table),
                       "policy \"%s\" on \"%s\" asks \"%s\", whose rows may be marked by \"%s\", "
                       "and does not test it",
                       remembering->policy->name, remembering->policy->table->name,
                       range->table->name, mark->name);
        diag_note(diag, mark->span, "\"%s\" is here", mark->name);
        diag_hint(diag, "add `%s`: who was removed keeps the right otherwise",
                  unmarked(arena_printf("%s.%s", range->alias, mark->name), mark));
        if (range->join == JOIN_NONE || range->join == JOIN_INNER)
            check_fix_and(
                diag, select->where,
                unmarked(arena_printf("%s.%s", spell_name(range->alias), spell_name(mark->name)),
                         mark));
        return;
    }
}

struct lookup {
    struct remembering *remembering;
    bool definer;
};

static void
visit_lookup(const struct expr *expr, const struct binding *binding, void *data)
{
    struct lookup *lookup = data;
    struct atom outer = {.binding = binding};
    struct branches inside = {0};

    if (expr->kind == EXPR_PREDICATE && expr->predicate->definer)
        lookup->definer = true;
    if (!expr->select || expr->select->from.n == 0 ||
        !check_select_branches(expr->select, &outer, &inside))
        return;
    for (size_t i = 0; i < expr->select->from.n; i++)
        check_range(lookup->remembering, expr->select, expr->select->from.at[i], &inside,
                    lookup->definer);
}

static void
check_memory(struct remembering *remembering, const struct expr *condition)
{
    struct lookup lookup = {.remembering = remembering};

    if (condition)
        check_walk_bound(condition, NULL, visit_lookup, &lookup);
}

void
check_deleted(struct checker *checker)
{
    const struct model *model = checker->model;
    struct remembering remembering = {0};

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];
        const struct column *mark = mark_of(policy->table);

        if (mark && policy->command == CMD_SELECT &&
            (policy->table->soft_delete || anybody_sets(model, mark)))
            check_policy(policy, mark);
        remembering.policy = policy;
        check_memory(&remembering, policy->using_expr);
        check_memory(&remembering, policy->check_expr);
    }
}
