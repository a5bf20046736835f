/* SPDX-License-Identifier: MIT */
/*
 * I21: with anonymous_sign_in on, every visitor has a user and the role authenticated.  Conditions
 * that ask for no more are errors anyway; `using (public)` was meant for those with an account.
 */
#include <string.h>

#include "served/served.h"
#include "model/served.h"
#include "rights/branch.h"
#include "rights/flat.h"

static bool
is_for(const struct policy *policy, const char *role)
{
    for (size_t i = 0; i < policy->roles.n; i++)
        if (strcmp(policy->roles.at[i]->name, role) == 0)
            return true;
    return false;
}

/* The policy was found to be open to more than guests. */
static bool
is_told(const struct checker *checker, const struct policy *policy)
{
    for (size_t i = 0; i < checker->decided.n; i++)
        if (check_same_place(checker->decided.at[i], policy->span))
            return true;
    return false;
}

/* A restrictive policy of the command asks whether the caller is a guest. */
static void
find_guest(const struct expr *expr, void *data)
{
    bool *found = data;

    if ((expr->kind == EXPR_CLAIM && strcmp(expr->claim->path, "is_anonymous") == 0) ||
        (expr->kind == EXPR_LITERAL && expr->value && strcmp(expr->value, "is_anonymous") == 0))
        *found = true;
}

static bool
are_shut_out(const struct policy *policy)
{
    bool found = false;

    for (size_t i = 0; i < policy->table->policies.n; i++) {
        const struct policy *other = policy->table->policies.at[i];

        if (!other->restrictive || other->command != policy->command)
            continue;
        if (other->using_expr)
            walk_expr(check_flat(other->using_expr), find_guest, &found);
        if (other->check_expr)
            walk_expr(check_flat(other->check_expr), find_guest, &found);
    }
    return found;
}

static void
report(const struct auth *auth, const struct policy *policy, struct span span, const char *rows)
{
    struct diag *diag =
        diag_at(span, PGS4192_OPEN_TO_GUESTS,
                "policy \"%s\" on \"%s\" opens %s to guests, too: each has the role "
                "\"authenticated\"",
                policy->name, policy->table->name, rows);

    diag_note(diag, auth->anonymous_span, "guests may sign in");
    diag_hint(diag, "write `to anon, authenticated` if the world is meant, or shut guests out: a "
                    "claim from 'is_anonymous', and `is_anonymous is false`");
}

/* Asks of the row alone, and for nobody. */
static bool
asks_for_nobody(const struct branch *branch, const struct role *role)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        struct mentions found = check_mentions(&branch->atoms.at[i], role);

        if (!found.row || found.caller || found.select || found.unknown)
            return false;
    }
    return branch->atoms.n > 0;
}

/* The first side that lets guests in. */
static void
check_guest_sides(const struct auth *auth, const struct policy *policy, const struct expr *expr)
{
    struct branches branches = {0};

    if (expr->kind == EXPR_PUBLIC) {
        report(auth, policy, expr->span, "every row");
        return;
    }
    if (!check_branches(expr, &branches))
        return;
    for (size_t i = 0; i < branches.n; i++)
        if (asks_for_nobody(&branches.at[i], policy->roles.at[0])) {
            report(auth, policy, branches.at[i].part->span, "rows");
            return;
        }
}

void
check_guests(struct checker *checker)
{
    const struct model *model = checker->model;

    if (!model->auth || !model->auth->anonymous_sign_in)
        return;
    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];
        const struct expr *asked = policy->using_expr ? policy->using_expr : policy->check_expr;

        if (!policy->restrictive && asked && is_for(policy, "authenticated") &&
            !is_for(policy, "anon") && !policy_is_repeated(policy) && !is_told(checker, policy) &&
            !are_shut_out(policy))
            check_guest_sides(model->auth, policy, asked);
    }
}
