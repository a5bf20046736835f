/* SPDX-License-Identifier: MIT */
/*
 * Policies that read themselves.  The rule is PostgreSQL's own: while the policies of a table are
 * being applied, no sub-select in them may reach that table again, unless its select policies hold
 * no sub-select at all.  A claim counts as one, because it is written `(select auth.uid())`.
 */
#include "check/checker.h"

#include <string.h>

struct step {
    const struct step *before;
    const struct policy *policy; /* whose condition reads */
    const struct table *table;   /* what it reads */
};

VEC_STRUCT(circle, const struct policy *);

struct search {
    struct circle *told; /* policies that a reported circle leads through */
    const struct checker *checker;
    const struct policy *start;
    const struct role *role;
    struct span span; /* of the first read, in the start's condition */
    bool found;
};

/* ---- sub-selects ---- */

/* A function in SQL asks as its caller does, each time it is called. */
static bool
reads_tables(const struct declared_function *function)
{
    struct reads reads = {0};

    if (!function->definer && function->body)
        check_reads_statement(function->body, &reads);
    return reads.n > 0;
}

static void
note_sub_select(const struct expr *expr, void *data)
{
    bool *has = data;

    if (expr->kind == EXPR_FUNCTION && reads_tables(expr->declared))
        *has = true;

    if (expr->select || expr->kind == EXPR_CLAIM || (expr->kind == EXPR_CALL && expr->is_auth))
        *has = true;
    if (expr->kind == EXPR_PREDICATE && !expr->predicate->definer && expr->predicate->body)
        walk_expr(expr->predicate->body, note_sub_select, has);
}

static bool
has_sub_select(const struct policy *policy)
{
    bool has = false;

    if (policy->using_expr)
        walk_expr(policy->using_expr, note_sub_select, &has);
    if (policy->check_expr)
        walk_expr(policy->check_expr, note_sub_select, &has);
    return has;
}

/* A select policy of the table that would be applied once more; NULL: none holds a sub-select. */
static const struct policy *
blocking_policy(const struct search *search, const struct table *table)
{
    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *policy = table->policies.at[i];

        if (policy_applies(policy, search->role, table, CMD_SELECT) && has_sub_select(policy))
            return policy;
    }
    return NULL;
}

/* ---- the report ---- */

static const char *
describe(const struct step *step)
{
    if (!step->before)
        return arena_printf("policy \"%s\" on \"%s\" reads \"%s\"", step->policy->name,
                            step->policy->table->name, step->table->name);
    return arena_printf("%s, whose policy \"%s\" reads \"%s\"", describe(step->before),
                        step->policy->name, step->table->name);
}

static void
report(struct search *search, const struct step *last)
{
    const struct policy *policy = search->start;
    const struct policy *again = blocking_policy(search, policy->table);
    const char *path = describe(last);
    struct diag *diag;

    search->found = true;
    for (const struct step *step = last; step; step = step->before)
        vec_push(search->told, step->policy);
    if (!last->before && again == policy)
        path = arena_printf("%s, whose policy \"%s\" reads \"%s\"", path, again->name,
                            policy->table->name);
    diag = diag_at(search->span, PGS3010_POLICY_RECURSION, "%s", path);
    for (const struct step *step = last; step; step = step->before)
        if (step->policy != policy && step->policy != again)
            diag_note(diag, step->policy->span, "this policy leads on");
    if (again != policy)
        diag_note(diag, again->span,
                  "PostgreSQL would apply this policy of \"%s\" inside itself, and refuses to",
                  policy->table->name);
    diag_hint(diag, "compare a column of the row (`user_id = auth.uid()`), or put the look-up in a "
                    "predicate that is `security definer`");
}

/* ---- the search ---- */

static bool
is_on_path(const struct step *step, const struct table *table)
{
    for (; step; step = step->before)
        if (step->table == table)
            return true;
    return false;
}

static void follow(struct search *search, const struct policy *policy, const struct step *before);

static void
follow_read(struct search *search, const struct policy *policy, const struct read *read,
            const struct step *before)
{
    struct step step = {.before = before, .policy = policy, .table = read->table};

    if (!before)
        search->span = read->from;
    if (read->table == search->start->table && blocking_policy(search, read->table)) {
        report(search, &step);
        return;
    }
    if (is_on_path(before, read->table))
        return;
    for (size_t i = 0; i < read->table->policies.n && !search->found; i++) {
        const struct policy *next = read->table->policies.at[i];

        if (policy_applies(next, search->role, read->table, CMD_SELECT))
            follow(search, next, &step);
    }
}

static void
follow(struct search *search, const struct policy *policy, const struct step *before)
{
    struct reads reads = {0};

    if (policy->using_expr)
        check_reads(policy->using_expr, &reads);
    if (policy->check_expr)
        check_reads(policy->check_expr, &reads);
    for (size_t i = 0; i < reads.n && !search->found; i++)
        if (!reads.at[i].column && !reads.at[i].table->is_view)
            follow_read(search, policy, &reads.at[i], before);
}

/* One report for a circle, whatever the commands and roles of its policies. */
static bool
is_same_declaration(const struct policy *a, const struct policy *b)
{
    return a && a->table == b->table && strcmp(a->name, b->name) == 0;
}

static bool
is_told(const struct circle *told, const struct policy *policy)
{
    for (size_t i = 0; i < told->n; i++)
        if (is_same_declaration(told->at[i], policy))
            return true;
    return false;
}

static void
search_for_roles(const struct checker *checker, const struct policy *policy, struct circle *told)
{
    for (size_t i = 0; i < checker->model->roles.n; i++) {
        struct search search = {.told = told, .checker = checker, .start = policy};

        search.role = checker->model->roles.at[i];
        if (!policy_applies(policy, search.role, policy->table, policy->command))
            continue;
        follow(&search, policy, NULL);
        if (search.found)
            return;
    }
}

void
check_recursion(struct checker *checker)
{
    struct circle told = {0};

    for (size_t i = 0; i < checker->model->policies.n; i++) {
        const struct policy *policy = checker->model->policies.at[i];

        if (!is_told(&told, policy))
            search_for_roles(checker, policy, &told);
    }
}
