/* SPDX-License-Identifier: MIT */
/*
 * Policies that are true whatever the row holds, true as soon as a claim is missing, or never true.
 */
#include "check/checker.h"
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"
#include "rights/flat.h"
#include "rights/fold.h"

/* The side of an `or` that makes it true: what the caret should point at. */
static const struct expr *
guilty_part(const struct expr *expr, const struct assumption *a)
{
    expr = check_flat(expr);
    while (expr->kind == EXPR_OP && strcmp(expr->name, "or") == 0) {
        const struct expr *left = expr->args.at[0], *right = expr->args.at[1];

        if (check_fold(left, a).kind == V_TRUE)
            expr = left;
        else if (check_fold(right, a).kind == V_TRUE)
            expr = right;
        else
            break;
    }
    return expr;
}

static const struct role *
role_it_is_true_for(const struct policy *policy, const struct expr *expr)
{
    for (size_t i = 0; i < policy->roles.n; i++) {
        struct assumption a = {.role = policy->roles.at[i]->name};

        if (check_fold(check_flat(expr), &a).kind == V_TRUE)
            return policy->roles.at[i];
    }
    return NULL;
}

static bool
report_always_true(const struct policy *policy, const struct expr *expr)
{
    const struct expr *check = policy->check_expr;
    const struct role *role = role_it_is_true_for(policy, expr);
    struct assumption a = {.role = role ? role->name : NULL};
    const char *where = expr == check ? "with check" : "using";
    struct diag *diag;

    if (!role)
        return false;
    if (expr != check && check && check->kind != EXPR_PUBLIC && role_it_is_true_for(policy, check))
        where = "using, and with check";
    diag = diag_at(guilty_part(expr, &a)->span, PGS3003_POLICY_ALWAYS_TRUE,
                   "policy \"%s\" on \"%s\" is true for every row (%s)", policy->name,
                   policy->table->name, where);
    diag_hint(diag,
              "name the caller (`owner_id = auth.uid()`); if every row is meant to be open, "
              "write `%s (public)`",
              expr == check ? "with check" : "using");
    return true;
}

static bool
report_when_null(const struct policy *policy, const struct expr *expr, const struct assumption *a,
                 const char *what)
{
    struct diag *diag;

    if (check_fold(check_flat(expr), a).kind != V_TRUE)
        return false;
    diag = diag_at(guilty_part(expr, a)->span, PGS3004_POLICY_TRUE_FOR_NOBODY,
                   "policy \"%s\" on \"%s\" is true for every row when %s", policy->name,
                   policy->table->name, what);
    diag_hint(diag, "drop that side; a job uses `service_role`, open rows are written `using "
                    "(public)`");
    return true;
}

/* A restriction for some, `is_banned is not true`, holds for those whom it does not mean. */
static bool
reads_row(const struct expr *expr)
{
    struct atom whole = {.expr = expr};
    struct mentions found = check_mentions(&whole, NULL);

    return found.row || found.select || found.unknown;
}

/* `not has_blocked_me(id)`: who is nobody has been shut out by nobody. */
static bool
only_shuts_out(const struct expr *expr)
{
    struct branches branches = {0};

    if (!check_branches(expr, &branches))
        return false;
    for (size_t i = 0; i < branches.n; i++) {
        bool shuts = false;

        for (size_t j = 0; j < branches.at[i].atoms.n; j++)
            shuts |= check_is_exclusion(&branches.at[i].atoms.at[j]);
        if (!shuts)
            return false;
    }
    return true;
}

static bool
check_nobody(const struct checker *checker, const struct policy *policy, const struct expr *expr)
{
    struct assumption no_user = {.uid_is_null = true};
    struct assumption no_token = {.uid_is_null = true, .token_is_null = true};

    if (policy->restrictive && (!reads_row(expr) || only_shuts_out(expr)))
        return false;
    if (report_when_null(policy, expr, &no_user, "auth.uid() is null"))
        return true;
    for (size_t i = 0; i < checker->model->claims.n; i++) {
        const struct claim *claim = checker->model->claims.at[i];
        struct assumption missing = {.null_claim = claim};

        if (report_when_null(policy, expr, &missing,
                             arena_printf("claim \"%s\" is missing", claim->name)))
            return true;
    }
    return report_when_null(policy, expr, &no_token, "there is no token");
}

/* Whichever role asks: `auth.role() = 'admin'` to authenticated. */
static bool
is_never_true(const struct checker *checker, const struct policy *policy, const struct expr *expr)
{
    struct assumption a = {0};
    bool asked = false;

    if (check_is_never_true(expr, &a))
        return true;
    for (size_t i = 0; i < checker->model->roles.n; i++) {
        const struct role *role = checker->model->roles.at[i];

        if (!policy_applies(policy, role, policy->table, policy->command))
            continue;
        asked = true;
        a.role = role->name;
        if (!check_is_never_true(expr, &a))
            return false;
    }
    return asked;
}

static bool
report_never_true(const struct checker *checker, const struct policy *policy,
                  const struct expr *expr)
{
    struct diag *diag;

    if (!is_never_true(checker, policy, check_flat(expr)))
        return false;
    diag = diag_at(expr->span, PGS3005_POLICY_NEVER_TRUE, "policy \"%s\" on \"%s\" is never true",
                   policy->name, policy->table->name);
    if (check_is_never_true(check_flat(expr), &(struct assumption){0}))
        diag_hint(diag, "drop the policy: what none admits is refused anyway");
    else
        diag_hint(diag,
                  "auth.role() is the role of the request, one of those behind `to`; what the "
                  "application calls a role is a claim: `claim app_role text from "
                  "'app_metadata.role'`");
    return true;
}

static void
check_expression(struct checker *checker, const struct policy *policy, const struct expr *expr)
{
    if (expr->kind == EXPR_PUBLIC || policy->roles.n == 0)
        return;
    if (report_always_true(policy, expr) || check_nobody(checker, policy, expr) ||
        report_never_true(checker, policy, expr)) {
        vec_push(&checker->decided, policy->span);
        return;
    }
    check_opening(checker, policy, expr);
}

/* A declaration for several commands has become several policies with the same expressions. */
static bool
is_new(const struct policy *policy, const struct expr *expr)
{
    const struct policy *const *others = policy->table->policies.at;

    for (size_t i = 0; others[i] != policy; i++)
        if (others[i]->using_expr == expr || others[i]->check_expr == expr)
            return false;
    return true;
}

void
check_truth(struct checker *checker)
{
    for (size_t i = 0; i < checker->model->policies.n; i++) {
        const struct policy *policy = checker->model->policies.at[i];
        size_t errors = diag_errors();

        if (policy->using_expr && is_new(policy, policy->using_expr))
            check_expression(checker, policy, policy->using_expr);
        if (policy->check_expr && is_new(policy, policy->check_expr) && diag_errors() == errors)
            check_expression(checker, policy, policy->check_expr);
    }
}
