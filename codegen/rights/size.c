/* SPDX-License-Identifier: MIT */
/*
 * How long a condition is once predicates, functions and views stand where they are used.  Each is
 * counted once, so a predicate that calls another twice, and that another twice, costs nothing to
 * count; to read it, and to send it to PostgreSQL, would take forever.  What is too long is refused
 * here, before anything looks into it.
 */
#include "rights/rights.h"

#include "rights/branch.h"
#include "rights/flat.h"

#define TERMS_MAX 20000
#define BUSY ((size_t)-1)

struct counting {
    size_t terms;
    bool over; /* something in it is too long by itself: reported there */
};

static void count_expr(const struct expr *expr, void *data);
static void count_range(const struct range *range, struct counting *sum);

static void
add(struct counting *sum, size_t terms)
{
    if (terms > TERMS_MAX)
        sum->over = true;
    else
        sum->terms += terms;
}

/* ---- what is put in place, counted once ---- */

static void
report(struct span span, const char *what, const char *name)
{
    struct diag *diag = diag_at(span, PGS3110_TOO_LONG,
                                "%s \"%s\" comes to more than %d terms once what it uses stands "
                                "in its place",
                                what, name, TERMS_MAX);

    diag_hint(diag, "it calls the same again and again: call it once, and write what differs "
                    "beside the call, as in `may_see(x) and (a or b)`");
}

/* `count` of a declaration, the first time; it keeps the sum. */
static void
settle(size_t *kept, const struct counting *sum, struct span span, const char *what,
       const char *name)
{
    *kept = sum->over || sum->terms > TERMS_MAX ? TERMS_MAX + 1 : sum->terms + 1;
    if (!sum->over && sum->terms > TERMS_MAX)
        report(span, what, name);
}

static size_t
terms_of_predicate(const struct predicate *predicate)
{
    size_t *kept = (size_t *)&predicate->terms;
    struct counting sum = {0};

    if (*kept == BUSY || !predicate->body)
        return 1; /* a circle: reported */
    if (*kept == 0) {
        *kept = BUSY;
        walk_expr(predicate->body, count_expr, &sum);
        settle(kept, &sum, predicate->span, "predicate", predicate->name);
    }
    return *kept;
}

static size_t
terms_of_function(const struct declared_function *function)
{
    size_t *kept = (size_t *)&function->terms;
    struct counting sum = {0};

    if (*kept == BUSY || !function->body)
        return 1;
    if (*kept == 0) {
        *kept = BUSY;
        walk_statement(function->body, count_expr, &sum);
        for (size_t i = 0; function->body->select && i < function->body->select->from.n; i++)
            count_range(function->body->select->from.at[i], &sum);
        settle(kept, &sum, function->span, "function", function->name);
    }
    return *kept;
}

static void
count_select(const struct select *select, struct counting *sum)
{
    if (select->left)
        count_select(select->left, sum);
    if (select->right)
        count_select(select->right, sum);
    for (size_t i = 0; i < select->from.n; i++)
        count_range(select->from.at[i], sum);
}

static size_t
terms_of_view(const struct table *view)
{
    size_t *kept = (size_t *)&view->terms;
    struct counting sum = {0};

    if (*kept == BUSY)
        return 1;
    if (*kept == 0) {
        *kept = BUSY;
        walk_select(view->query, count_expr, &sum);
        count_select(view->query, &sum);
        settle(kept, &sum, view->span, "view", view->name);
    }
    return *kept;
}

static size_t
terms_of_with(const struct with_item *with)
{
    size_t *kept = (size_t *)&with->terms;
    struct counting sum = {0};

    if (*kept == BUSY)
        return 1;
    if (*kept == 0) {
        *kept = BUSY;
        walk_select(with->select, count_expr, &sum);
        count_select(with->select, &sum);
        settle(kept, &sum, with->span, "with", with->name);
    }
    return *kept;
}

/* ---- the terms of one ---- */

static void
count_range(const struct range *range, struct counting *sum)
{
    sum->terms++;
    if (range->with)
        add(sum, terms_of_with(range->with));
    else if (range->select)
        count_select(range->select, sum);
    else if (range->table->query)
        add(sum, terms_of_view(range->table));
}

static void
count_expr(const struct expr *expr, void *data)
{
    struct counting *sum = data;

    sum->terms++;
    if (expr->kind == EXPR_PREDICATE)
        add(sum, terms_of_predicate(expr->predicate));
    else if (expr->kind == EXPR_FUNCTION)
        add(sum, terms_of_function(expr->declared));
    if (expr->select)
        count_select(expr->select, sum);
}

/* ---- all ---- */

static void
count_policy(const struct policy *policy, const struct expr *condition)
{
    struct counting sum = {0};
    size_t kept = 0;

    if (!condition)
        return;
    walk_expr(condition, count_expr, &sum);
    settle(&kept, &sum, policy->span, "policy", policy->name);
}

static void
count_declarations(const struct model *model)
{
    for (size_t i = 0; i < model->predicates.n; i++)
        terms_of_predicate(model->predicates.at[i]);
    for (size_t i = 0; i < model->functions.n; i++)
        terms_of_function(model->functions.at[i]);
    for (size_t i = 0; i < model->tables.n; i++)
        if (model->tables.at[i]->query)
            terms_of_view(model->tables.at[i]);
}

/* ---- too many ways to be true ---- */

static void
visit_select(const struct expr *expr, const struct binding *binding, void *data)
{
    struct atom outer = {.binding = binding};
    struct branches inside = {0};
    bool *fits = data;

    if (expr->select && !check_select_branches(expr->select, &outer, &inside))
        *fits = false;
    if (expr->kind == EXPR_PREDICATE && expr->predicate->body)
        *fits = *fits && !check_flat(expr->predicate->body)->cut;
}

static bool
fits(const struct expr *condition)
{
    struct branches branches = {0};
    bool all = !check_flat(condition)->cut && check_branches(condition, &branches);

    if (all)
        check_walk_bound(condition, NULL, visit_select, &all);
    return all;
}

static void
check_fits(const struct policy *policy, const struct expr *condition)
{
    struct diag *diag;

    if (!condition || fits(condition))
        return;
    diag = diag_at(condition->span, PGS3111_TOO_ENTANGLED,
                   "policy \"%s\" on \"%s\" can be true in more ways than can be looked at",
                   policy->name, policy->table->name);
    diag_hint(diag, "write a policy for each side of an `or`: policies are joined by `or` anyway; "
                    "what holds for all of them stands in one `as restrictive`");
}

bool
check_sizes(const struct checker *checker)
{
    const struct model *model = checker->model;
    size_t errors = diag_errors();

    count_declarations(model);
    for (size_t i = 0; i < model->policies.n && diag_errors() == errors; i++) {
        const struct policy *policy = model->policies.at[i];

        count_policy(policy, policy->using_expr);
        if (policy->check_expr != policy->using_expr)
            count_policy(policy, policy->check_expr);
    }
    for (size_t i = 0; i < model->policies.n && diag_errors() == errors; i++) {
        const struct policy *policy = model->policies.at[i];

        check_fits(policy, policy->using_expr);
        if (policy->check_expr != policy->using_expr)
            check_fits(policy, policy->check_expr);
    }
    return diag_errors() == errors;
}
