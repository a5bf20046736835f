/* SPDX-License-Identifier: MIT */
/* Restrictive policies that ask for more of the caller, and leave writes out. */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"

/* Of the caller alone, whatever the row: a second factor, a plan, no guest. */
static bool
is_about_caller(const struct policy *policy)
{
    struct atom whole = {.expr = policy->using_expr};
    struct mentions found;

    if (!policy->restrictive || policy->command != CMD_SELECT || !policy->using_expr)
        return false;
    found = check_mentions(&whole, NULL);
    return found.caller && !found.row && !found.select && !found.unknown;
}

/* Another policy narrows the command for one of its roles, too. */
static bool
is_narrowed(const struct policy *policy, const struct role *role, enum command command)
{
    for (size_t i = 0; i < policy->table->policies.n; i++) {
        const struct policy *other = policy->table->policies.at[i];

        if (other->restrictive && policy_applies(other, role, policy->table, command))
            return true;
    }
    return false;
}

/* The policies of the command that are there do not ask for it either. */
static bool
is_free(const struct role *role, const struct policy *policy, enum command command)
{
    struct branches written = {0};

    if (!access_table(role, policy->table, command) || is_narrowed(policy, role, command) ||
        !check_role_branches(role, policy->table, command, true, &written))
        return false;
    for (size_t i = 0; i < written.n; i++)
        if (!check_is_gated(&written.at[i], role))
            return true;
    return false;
}

static bool
report(const struct policy *policy, const struct role *role, enum command command)
{
    struct diag *diag;

    if (!check_is_anybody(role) || !is_free(role, policy, command))
        return false;
    diag = diag_at(policy->span, PGS3334_RESTRICTS_READS,
                   "policy \"%s\" on \"%s\" restricts what is read, and \"%s\" may %s without it",
                   policy->name, policy->table->name, role->name, command_name(command));
    diag_hint(diag,
              "write `for all`; if reading alone is meant, add a restrictive policy for %s with "
              "`(public)`",
              command_name(command));
    return true;
}

void
check_restrictions(const struct checker *checker)
{
    static const enum command writes[] = {CMD_INSERT, CMD_UPDATE, CMD_DELETE};

    if (checker->guessing)
        return;
    for (size_t i = 0; i < checker->model->policies.n; i++) {
        const struct policy *policy = checker->model->policies.at[i];
        bool told = !is_about_caller(policy);

        for (size_t j = 0; j < policy->roles.n && !told; j++)
            for (size_t k = 0; k < sizeof(writes) / sizeof(writes[0]) && !told; k++)
                told = report(policy, policy->roles.at[j], writes[k]);
    }
}
