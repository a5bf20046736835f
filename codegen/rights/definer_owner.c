/* SPDX-License-Identifier: MIT */
/* Which columns of a table its policies compare with the caller, or with rows of his. */
#include "rights/definer.h"

#include <string.h>

#include "rights/branch.h"

struct collecting {
    struct owners *owners;
    const struct policy *policy;
    const struct range *row; /* NULL: the row of the policy */
};

static const char *
identity_text(const struct expr *expr)
{
    return expr->kind == EXPR_CLAIM ? expr->claim->name : "auth.uid()";
}

static void
add_looked_up(struct collecting *collecting, const struct expr *column, const char *identity)
{
    struct owner owner = {column->column, collecting->policy, identity, true};

    if (column->kind == EXPR_COLUMN && column->range->implicit)
        vec_push(collecting->owners, owner);
}

/* m.team_id = team_id, among what is joined by `and` */
static void
collect_equal(struct collecting *collecting, const struct expr *expr, const char *identity)
{
    if (expr->kind != EXPR_OP || expr->args.n != 2)
        return;
    for (size_t i = 0; i < 2; i++)
        if (strcmp(expr->name, "and") == 0)
            collect_equal(collecting, expr->args.at[i], identity);
        else if (strcmp(expr->name, "=") == 0 && expr->args.at[1 - i]->kind == EXPR_COLUMN &&
                 !expr->args.at[1 - i]->range->implicit)
            add_looked_up(collecting, expr->args.at[i], identity);
}

/* A look-up in what the policies show to the caller alone. */
static bool
is_filtered(const struct policy *policy, const struct expr *expr)
{
    struct atom atom = {.expr = expr};

    return policy->roles.n > 0 && check_mentions(&atom, policy->roles.at[0]).filtered;
}

/* What holds the row to rows of the caller: `team_id in (select ...)`, `m.team_id = team_id`. */
static void
collect_looked_up(struct collecting *collecting, const struct expr *expr)
{
    const struct select *select = expr->select;
    const char *identity;

    if (select->from.n == 0)
        return;
    if (!check_asks_caller(expr) && !is_filtered(collecting->policy, expr))
        return;
    identity = arena_printf("the caller's rows of \"%s\"", select->from.at[0]->table->name);
    if (expr->args.n > 0)
        add_looked_up(collecting, expr->args.at[0], identity);
    if (select->where)
        collect_equal(collecting, select->where, identity);
}

static void
visit_owner(const struct expr *expr, void *data)
{
    struct collecting *collecting = data;

    if (expr->select && !expr->negated)
        collect_looked_up(collecting, expr);
    if (expr->kind != EXPR_OP || strcmp(expr->name, "=") != 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct expr *column = expr->args.at[i], *other = expr->args.at[1 - i];
        struct owner owner = {column->column, collecting->policy, NULL, false};

        if (column->kind != EXPR_COLUMN || !column->range->implicit || !check_is_identity(other))
            continue;
        owner.identity = identity_text(other);
        vec_push(collecting->owners, owner);
    }
}

static bool
has_policy_for(const struct table *table, enum command command)
{
    for (size_t i = 0; i < table->policies.n; i++)
        if (table->policies.at[i]->command == command && !table->policies.at[i]->restrictive)
            return true;
    return false;
}

bool
check_owners(const struct table *table, enum command command, struct owners *owners)
{
    bool any = !has_policy_for(table, command);

    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *policy = table->policies.at[i];
        struct collecting collecting = {owners, policy, NULL};

        if (policy->restrictive || (!any && policy->command != command))
            continue;
        if ((policy->using_expr && policy->using_expr->kind == EXPR_PUBLIC) ||
            (!policy->using_expr && policy->check_expr && policy->check_expr->kind == EXPR_PUBLIC))
            return false;
        if (policy->using_expr)
            walk_expr(policy->using_expr, visit_owner, &collecting);
        if (policy->check_expr && policy->check_expr != policy->using_expr)
            walk_expr(policy->check_expr, visit_owner, &collecting);
    }
    return table->policies.n > 0;
}
