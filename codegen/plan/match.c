/* SPDX-License-Identifier: MIT */
/* Which live queries are matched in C, role by role. */
#include "plan/match.h"

#include <string.h>

#include "base/arena.h"
#include "model/access.h"
#include "model/types.h"
#include "model/walk.h"

bool
match_is_column(const struct match *match, const struct expr *expr)
{
    return expr->kind == EXPR_COLUMN && expr->range == match->row;
}

/* ---- its shape: rows of one table, as they are ---- */

static const char *
shape_fault(const struct select *select)
{
    if (select->kind != SELECT_PLAIN || select->with.n > 0)
        return "it is made of several selects";
    if (select->distinct || select->distinct_on.n > 0)
        return "`distinct` needs all rows";
    if (select->having)
        return "`having` needs all rows of its groups";
    if (match_is_grouped(select) && (select->order_by.n > 0 || select->limit))
        return "the order of groups follows from all of their rows";
    if (select->windows.n > 0)
        return "a window needs all of its rows";
    if (select->offset || select->locking)
        return "which rows it has follows from others";
    return NULL;
}

static void
find_whole(const struct expr *expr, void *data)
{
    const char **fault = data;

    if (expr->tail && expr->tail->over)
        *fault = "a window needs all of its rows";
    else if (expr->aggregate && !*fault)
        *fault = "aggregates need all rows";
}

/* Rows of one table are what is shown, or groups of them. */
static const char *
output_fault(const struct select *select)
{
    bool is_grouped = match_is_grouped(select);
    const char *fault = NULL;

    for (size_t i = 0; i < select->outputs.n && !is_grouped; i++)
        walk_expr(select->outputs.at[i].expr, find_whole, &fault);
    return fault;
}

static const char *
table_fault(const struct model *model, const struct range *range)
{
    if (range->table->derived || range->select || range->call)
        return "it reads what is computed";
    if (range->table->is_view)
        return "it reads a view";
    if (!range->table->primary_key)
        return "the table has no primary key";
    return match_is_alone(model, range->table)
               ? NULL
               : "changes of partitions and child tables come under other names";
}

static const char *
join_fault(const struct select *select, const struct range *row)
{
    if (!row)
        return "it joins tables, and not by their keys";
    return match_is_grouped(select) ? "aggregates over several tables need all rows" : NULL;
}

static bool
set_row(struct match *match)
{
    const struct select *select = match->live->body;
    const struct range *row =
        select->from.n == 1 ? select->from.at[0] : match_joined_row(match->model, select);
    const char *fault = shape_fault(select);

    fault = fault ? fault : output_fault(select);
    if (!fault)
        fault = select->from.n == 1 ? table_fault(match->model, row) : join_fault(select, row);
    if (fault) {
        match_because(match, match->live->span, fault);
        return false;
    }
    match->row = row;
    match->simple = true;
    return true;
}

/* ---- columns, order, limit ---- */

static bool
add_outputs(struct match *match)
{
    const struct select *select = match->live->body;

    for (size_t i = 0; i < select->outputs.n; i++) {
        const struct expr *expr = select->outputs.at[i].expr;

        if (match_is_joined(match, (struct sql_part){expr, NULL}))
            continue;
        if (!match_is_column(match, expr)) {
            match_because(match, expr->span, "this is computed from the row");
            return false;
        }
        if (expr->column->generated) {
            match_because(match, expr->span, "generated columns are not in the log");
            return false;
        }
        match_add_needed(match, expr->column);
    }
    return true;
}

/* char(n) and citext are no text here: what differs byte for byte may be equal. */
bool
match_has_order(struct match *match, const struct expr *expr, struct type type)
{
    bool text = type_is_text(type) && match_is_textual(type);

    if (match_is_bytewise(expr) ? text : match_is_ordered(type))
        return true;
    match_because(match, expr->span,
                  text ? "the order of text is the collation's, but for `collate \"C\"`"
                       : arena_printf("%s is not ordered by its text", type_text(type)));
    return false;
}

/* What stands behind `order by 2`, or the name of an output. */
static const struct expr *
ordered_expr(const struct select *select, const struct expr *expr)
{
    long place;

    for (size_t i = 0; i < select->outputs.n; i++) {
        const struct output *output = &select->outputs.at[i];

        if (expr->kind == EXPR_OUTPUT && strcmp(output->name, expr->name) == 0)
            return output->expr;
        if (expr_is_whole_number(expr, &place) && place == (long)i + 1)
            return output->expr;
    }
    return expr->kind == EXPR_COLLATE ? expr->args.at[0] : expr;
}

static bool
add_order_item(struct match *match, const struct order_item *item)
{
    const struct expr *expr = ordered_expr(match->live->body, item->expr);
    struct match_order order = {.descending = item->descending};

    if (!match_is_column(match, expr) || expr->column->generated) {
        match_because(match, item->expr->span, "it is ordered by what is computed");
        return false;
    }
    if (!match_has_order(match, item->expr, expr->type))
        return false;
    order.column = expr->column;
    order.nulls_first = item->nulls == 0 ? item->descending : item->nulls == 1;
    vec_push(&match->order, order);
    match_add_needed(match, expr->column);
    return true;
}

static bool
orders_by(const struct match *match, const struct column *column)
{
    for (size_t i = 0; i < match->order.n; i++)
        if (match->order.at[i].column == column)
            return true;
    return false;
}

/* No two rows stand at the same place. */
static bool
is_total(const struct match *match)
{
    const struct constraint *key = match->row->table->primary_key;

    for (size_t i = 0; i < key->columns.n; i++)
        if (!orders_by(match, key->columns.at[i]))
            return false;
    return true;
}

static bool
add_order(struct match *match)
{
    const struct order_items *items = &match->live->body->order_by;

    for (size_t i = 0; i < items->n; i++)
        if (!add_order_item(match, &items->at[i]))
            return false;
    if (items->n > 0 && !is_total(match)) {
        match_because(match, items->at[items->n - 1].expr->span,
                      "the order leaves open which of two equal rows comes first: add the key");
        return false;
    }
    return true;
}

static bool
add_limit(struct match *match)
{
    const struct expr *limit = match->live->body->limit;

    if (!limit)
        return true;
    if (expr_is_whole_number(limit, &match->limit) && match->limit > 0)
        return true;
    match_because(match, limit->span, "the limit is not a number above zero");
    return false;
}

/* ---- conditions ---- */

static bool
is_public(const struct policy *policy)
{
    const struct expr *expr = policy->using_expr;

    return !expr || expr->kind == EXPR_PUBLIC ||
           (expr->kind == EXPR_LITERAL && expr->text && strcmp(expr->text, "true") == 0);
}

struct match_policies
match_policies(const struct role *role, const struct table *table)
{
    struct match_policies policies = {0};

    policies.open = role->builtin && strcmp(role->name, "service_role") == 0;
    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *policy = table->policies.at[i];

        if (!policy_applies(policy, role, table, CMD_SELECT))
            continue;
        if (!policy->restrictive && is_public(policy))
            policies.open = true;
        else if (!policy->restrictive)
            vec_push(&policies.permissive, policy);
        else if (!is_public(policy))
            vec_push(&policies.restrictive, policy);
    }
    if (policies.open)
        policies.permissive.n = 0;
    return policies;
}

static bool
add_condition(struct match *match, const struct policy *policy, struct sql_part part)
{
    struct match_row row = {.range = policy ? NULL : match->row, .table = match->row->table};
    struct match_condition condition = {.policy = policy};

    condition.term = match_term(match, &row, part, true);
    if (!condition.term)
        return false;
    if (!policy)
        vec_push(&match->where, condition);
    else if (policy->restrictive)
        vec_push(&match->restrictive, condition);
    else
        vec_push(&match->permissive, condition);
    return true;
}

bool
match_add_condition(struct match *match, struct sql_part part)
{
    return add_condition(match, NULL, part);
}

static bool
add_policy(struct match *match, const struct policy *policy)
{
    return add_condition(match, policy, (struct sql_part){policy->using_expr, NULL});
}

static bool
add_policies(struct match *match)
{
    struct match_policies policies = match_policies(match->role, match->row->table);

    match->closed = !policies.open && policies.permissive.n == 0;
    for (size_t i = 0; i < policies.permissive.n; i++)
        if (!add_policy(match, policies.permissive.at[i]))
            return false;
    for (size_t i = 0; i < policies.restrictive.n; i++)
        if (!add_policy(match, policies.restrictive.at[i]))
            return false;
    return true;
}

static bool
add_where(struct match *match)
{
    const struct select *select = match->live->body;

    if (select->from.n > 1)
        return match_add_filters(match) && match_add_joins(match);
    return !select->where || match_add_condition(match, (struct sql_part){select->where, NULL});
}

bool
match_is_sent(const struct match *match, const struct column *column)
{
    const struct outputs *outputs = &match->live->body->outputs;

    for (size_t i = 0; i < outputs->n; i++) {
        const struct expr *expr = outputs->at[i].expr;

        if (match_is_column(match, expr) && expr->column == column)
            return true;
    }
    return false;
}

struct select *
match_ask_beside(struct match *match)
{
    const struct select *body = match->live->body;
    struct select *asked = arena_alloc(sizeof(*asked));

    *asked = *body;
    asked->outputs = (struct outputs){0};
    for (size_t i = 0; i < body->outputs.n; i++)
        vec_push(&asked->outputs, body->outputs.at[i]);
    match->asked = asked;
    return asked;
}

static bool
compile(struct match *match)
{
    if (match_is_grouped(match->live->body)
            ? !match_add_totals(match)
            : !add_outputs(match) || !add_order(match) || !add_limit(match))
        return false;
    return add_where(match) && add_policies(match);
}

/* ---- the whole ---- */

static void
add_arguments(struct match *match)
{
    for (size_t i = 0; i < match->live->params.n; i++) {
        struct expr *expr = arena_alloc(sizeof(*expr));

        *expr = (struct expr){.kind = EXPR_PARAM,
                              .span = match->live->span,
                              .param = match->live->params.at[i],
                              .type = match->live->params.at[i]->type};
        match_add_fact(match, (struct sql_part){expr, NULL}, expr->type);
    }
}

static struct match *
begin(const struct model *model, const struct live *live, const struct role *role)
{
    struct match *match = arena_alloc(sizeof(*match));

    match->model = model;
    match->live = live;
    match->role = role;
    add_arguments(match);
    return match;
}

/* What narrows the changes that it is asked again for. */
static struct match *
narrowed(const struct match *whole)
{
    struct match *match = begin(whole->model, whole->live, whole->role);

    match->simple = whole->simple;
    match->reason = whole->reason;
    match_sources(match);
    return match;
}

struct match *
match_make(const struct model *model, const struct live *live, const struct role *role)
{
    struct match *match = begin(model, live, role);

    if (!set_row(match))
        return narrowed(match);
    match_tie_row(match);
    if (!compile(match))
        return narrowed(match);
    match_sources(match);
    if (match->reads_itself) {
        match_because(match, live->span, "what decides about a row reads its table as well");
        return narrowed(match);
    }
    if (match->unsteady.text) {
        match_because(match, match->unsteady.span, match->unsteady.text);
        return narrowed(match);
    }
    match->compiled = true;
    return match;
}

bool
match_narrows(const struct match *match)
{
    for (size_t i = 0; i < match->sources.n; i++)
        if (match->sources.at[i].ties.n > 0)
            return true;
    return match->compiled;
}
