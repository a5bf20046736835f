/* SPDX-License-Identifier: MIT */
/*
 * Indexes that are missing: warnings, silenced by `scan ok` on an endpoint of the table.  A partial
 * index counts where what it asks for is named as well: whether that implies its condition is
 * PostgreSQL's to see.
 */
#include "check/checker.h"
#include "rights/rights.h"

#include "rights/branch.h"

#include <string.h>

VEC_STRUCT(columns, const struct column *);

/* ---- what serves a column ---- */

static bool
is_among(const struct column *column, const struct column *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i] == column)
            return true;
    return false;
}

struct demand {
    const struct columns *before; /* what a request can name, too */
    const struct columns *named;  /* of a partial index: what else is asked for; NULL: unknown */
    bool sorted;                  /* for an order, not for `=` */
    bool any;                     /* for whatever a filter may ask: `cs`, `ov` */
};

struct condition {
    const struct column *column;
    const struct demand *use;
    bool met;
};

static void
visit_condition(const struct expr *expr, void *data)
{
    struct condition *condition = data;
    const struct demand *use = condition->use;

    if (expr->kind == EXPR_COLUMN && expr->column != condition->column &&
        !is_among(expr->column, use->before->at, use->before->n) &&
        !is_among(expr->column, use->named->at, use->named->n))
        condition->met = false;
}

/* Its method finds what is asked for, and its rows may be those that are meant. */
static bool
is_usable(const struct index *index, const struct column *column, const struct demand *use)
{
    const char *method = index->method ? index->method : "btree";
    struct condition condition = {column, use, true};

    if (index->where && use->named)
        walk_expr(index->where, visit_condition, &condition);
    if (!condition.met)
        return false;
    return use->any || strcmp(method, "btree") == 0 ||
           (!use->sorted && strcmp(method, "hash") == 0);
}

/*
 * The column is in the index, after none but columns of `before`: a request can name those, too.
 */
static bool
index_serves(const struct index *index, const struct column *column, const struct demand *use)
{
    const struct columns *before = use->before;

    if (!is_usable(index, column, use))
        return false;
    for (size_t i = 0; i < index->items.n; i++) {
        const struct column *item = index->items.at[i].column;

        if (item == column)
            return true;
        if (!item || !is_among(item, before->at, before->n))
            return false;
    }
    return false;
}

static bool
key_serves(const struct constraint *key, const struct column *column, const struct columns *before)
{
    if (key->kind != CONSTRAINT_PRIMARY_KEY && key->kind != CONSTRAINT_UNIQUE)
        return false;
    for (size_t i = 0; i < key->columns.n; i++) {
        if (key->columns.at[i] == column)
            return true;
        if (!is_among(key->columns.at[i], before->at, before->n))
            return false;
    }
    return false;
}

static bool
is_served_for(const struct column *column, const struct demand *use)
{
    const struct table *table = column->table;

    for (size_t i = 0; i < table->indexes.n; i++)
        if (index_serves(table->indexes.at[i], column, use))
            return true;
    for (size_t i = 0; i < table->constraints.n; i++)
        if (key_serves(table->constraints.at[i], column, use->before))
            return true;
    return false;
}

/* For `=`, whatever else is asked for. */
static bool
is_served(const struct column *column, const struct columns *before)
{
    return is_served_for(column, &(struct demand){.before = before});
}

bool
check_is_indexed(const struct column *column)
{
    const struct columns none = {0};

    return is_served(column, &none);
}

/* ---- references ---- */

/* Some index or key begins with the columns of the reference, in any order. */
static bool
reference_is_served(const struct constraint *reference)
{
    struct columns others = {0};
    const struct columns none = {0};
    const struct demand use = {.before = &others, .named = &none};

    for (size_t i = 0; i < reference->columns.n; i++)
        vec_push(&others, reference->columns.at[i]);
    for (size_t i = 0; i < reference->columns.n; i++)
        if (!is_served_for(reference->columns.at[i], &use))
            return false;
    return true;
}

static void
check_references(struct checker *checker, const struct table *table)
{
    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *reference = table->constraints.at[i];
        struct diag *diag;

        if (reference->kind != CONSTRAINT_FOREIGN_KEY || reference_is_served(reference))
            continue;
        diag = diag_at(reference->span, PGS3030_REFERENCE_WITHOUT_INDEX,
                       "no index begins with \"%s\": each delete in \"%s\" reads all of \"%s\"",
                       reference->columns.at[0]->name, reference->target->name, table->name);
        diag_hint(diag, "add `index (%s)`", reference->columns.at[0]->name);
        check_fix_index(diag, table, reference->columns.at[0]);
        vec_push(&checker->unindexed, reference->columns.at[0]);
    }
}

/* ---- policies ---- */

struct comparison {
    const struct policy *policy;
    struct checker *checker;
    struct columns named; /* all that the policy reads of the row */
};

static void
visit_named(const struct expr *expr, const struct binding *binding, void *data)
{
    struct comparison *comparison = data;

    (void)binding;
    if (expr->kind == EXPR_COLUMN && expr->column->table == comparison->policy->table)
        vec_push(&comparison->named, expr->column);
}

static void
check_compared(const struct expr *column, const struct expr *other,
               const struct comparison *comparison)
{
    const struct columns none = {0};
    const struct demand use = {.before = &none, .named = &comparison->named};
    struct checker *checker = comparison->checker;
    struct diag *diag;

    if (column->kind != EXPR_COLUMN || !column->range->implicit || !check_is_identity(other) ||
        is_served_for(column->column, &use) ||
        is_among(column->column, checker->unindexed.at, checker->unindexed.n))
        return;
    vec_push(&checker->unindexed, column->column);
    diag = diag_at(column->span, PGS3031_POLICY_WITHOUT_INDEX,
                   "no index begins with \"%s\", which policy \"%s\" compares in every request",
                   column->column->name, comparison->policy->name);
    diag_note(diag, column->column->span, "\"%s\" is here", column->column->name);
    diag_hint(diag,
              "add `index (%s)`, or say `scan ok` on the endpoint of a table that stays "
              "small",
              column->column->name);
    check_fix_index(diag, column->range->table, column->column);
}

static void
visit_comparison(const struct expr *expr, void *data)
{
    if (expr->kind != EXPR_OP || strcmp(expr->name, "=") != 0)
        return;
    check_compared(expr->args.at[0], expr->args.at[1], data);
    check_compared(expr->args.at[1], expr->args.at[0], data);
}

/* ---- endpoints ---- */

/* Few values: an index of its own would not pay. */
static bool
has_few_values(const struct column *column)
{
    return !column->type.array &&
           (column->type.kind == TYPE_BOOL || column->type.kind == TYPE_ENUM);
}

static bool
is_policed(const struct table *table)
{
    for (size_t i = 0; i < table->policies.n; i++)
        if (table->policies.at[i]->command == CMD_SELECT && table->policies.at[i]->using_expr &&
            table->policies.at[i]->using_expr->kind != EXPR_PUBLIC)
            return true;
    return false;
}

/* An operator that might tell of a row runs only on rows that a policy has let through. */
static void
check_leakproof(const struct column *column, struct span span)
{
    struct diag *diag;

    if (column->type.array || !is_policed(column->table) || column->table->inlined ||
        operator_is_leakproof("=", column->type, column->type))
        return;
    diag = diag_at(span, PGS3082_INDEX_SWITCHED_OFF,
                   "no index can serve a filter by \"%s\": `=` of %s is not leakproof, so row "
                   "security comes first",
                   column->name, type_text(column->type));
    diag_note(diag, column->span, "\"%s\" is here", column->name);
    diag_hint(diag,
              "let an index begin with the column that the policy compares, keep such a value "
              "as text, bigint or uuid, say `inline policies` at the endpoint, or `scan ok`");
}

static void
check_served(const struct checker *checker, const struct endpoint *endpoint,
             const struct column *column, struct span span, const struct columns *filters,
             const char *use)
{
    const struct demand how = {.before = filters, .sorted = use[0] == 'o', .any = use[0] == 'f'};
    struct diag *diag;

    if (has_few_values(column) || column->is_private)
        return;
    if (is_served_for(column, &how)) {
        if (use[0] == 'f')
            check_leakproof(column, span);
        return;
    }
    if (is_among(column, checker->unindexed.at, checker->unindexed.n))
        return;
    diag = diag_at(span, PGS4007_LIST_WITHOUT_INDEX, "no index serves %s \"%s\" of \"%s\"", use,
                   column->name, endpoint->table->name);
    diag_note(diag, column->span, "\"%s\" is here", column->name);
    diag_hint(diag, "add `index (%s)`, or say `scan ok`", column->name);
    check_fix_index(diag, endpoint->table, column);
}

static void
check_list(const struct checker *checker, const struct endpoint *endpoint)
{
    struct columns filters = {0};

    for (size_t i = 0; i < endpoint->filters.n; i++)
        vec_push(&filters, endpoint->filters.at[i]);
    for (size_t i = 0; i < endpoint->filters.n; i++)
        check_served(checker, endpoint, endpoint->filters.at[i], endpoint->filter_spans.at[i],
                     &filters, "filters by");
    for (size_t i = 0; i < endpoint->orders.n; i++)
        if (!is_among(endpoint->orders.at[i], filters.at, filters.n))
            check_served(checker, endpoint, endpoint->orders.at[i], endpoint->order_spans.at[i],
                         &filters, "order by");
}

/* ---- all ---- */

void
check_speed(struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->tables.n; i++)
        if (!model->tables.at[i]->scan_ok)
            check_references(checker, model->tables.at[i]);
    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];
        struct comparison comparison = {.policy = policy, .checker = checker};

        if (policy->command != CMD_SELECT || !policy->using_expr || policy->table->scan_ok)
            continue;
        check_walk_bound(policy->using_expr, NULL, visit_named, &comparison);
        walk_expr(policy->using_expr, visit_comparison, &comparison);
    }
    check_lookups(checker);
    for (size_t i = 0; i < model->endpoints.n; i++)
        if (!model->endpoints.at[i]->table->is_view && !model->endpoints.at[i]->table->scan_ok)
            check_list(checker, model->endpoints.at[i]);
}
