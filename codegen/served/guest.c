/* SPDX-License-Identifier: MIT */
/*
 * I21: with anonymous_sign_in on, every visitor has a user and the role authenticated.  Conditions
 * that ask for no more are errors anyway; `using (public)` was meant for those with an account.
 */
#include <string.h>

#include "served/served.h"
#include "model/served.h"

static bool
is_for(const struct policy *policy, const char *role)
{
    for (size_t i = 0; i < policy->roles.n; i++)
        if (strcmp(policy->roles.at[i]->name, role) == 0)
            return true;
    return false;
}

/* The same expressions have been looked at, in a policy of the same declaration. */
static bool
is_repeated(const struct policy *policy)
{
    const struct policy *const *others = policy->table->policies.at;

    for (size_t i = 0; others[i] != policy; i++)
        if (strcmp(others[i]->name, policy->name) == 0)
            return true;
    return false;
}

static void
check_open(const struct auth *auth, const struct policy *policy, const struct expr *expr)
{
    struct diag *diag =
        diag_at(expr->span, PGS4192_OPEN_TO_GUESTS,
                "policy \"%s\" on \"%s\" opens every row to guests, too: each has the role "
                "\"authenticated\"",
                policy->name, policy->table->name);

    diag_note(diag, auth->anonymous_span, "guests may sign in");
    diag_hint(diag, "write `to anon, authenticated` if the world is meant, or shut guests out: a "
                    "claim from 'is_anonymous', and `is_anonymous is false`");
}

void
check_guests(struct checker *checker)
{
    const struct model *model = checker->model;

    if (!model->auth || !model->auth->anonymous_sign_in)
        return;
    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];

        if (policy->restrictive || !is_for(policy, "authenticated") || is_for(policy, "anon") ||
            is_repeated(policy))
            continue;
        if (policy->using_expr && policy->using_expr->kind == EXPR_PUBLIC)
            check_open(model->auth, policy, policy->using_expr);
        else if (policy->check_expr && policy->check_expr->kind == EXPR_PUBLIC)
            check_open(model->auth, policy, policy->check_expr);
    }
}
