/* SPDX-License-Identifier: MIT */
/*
 * Literals beside a column whose values are listed: by its check, its domain's, or its type where
 * it is compared as text.  PostgreSQL takes them; the comparison is then never true, or always.
 */
#include "check/checker.h"

#include <string.h>

#include "model/types.h"
#include "model/walk.h"

/* ---- lists ---- */

/* `column in ('a', 'b')`, nothing else. */
static bool
lists_values(const struct expr *check, const struct column *column)
{
    if (check->kind != EXPR_IN || check->negated || check->select ||
        check->args.at[0]->kind != EXPR_COLUMN || check->args.at[0]->column != column)
        return false;
    for (size_t i = 1; i < check->args.n; i++)
        if (!check->args.at[i]->value)
            return false;
    return true;
}

static void
report(const struct column *column, const struct expr *literal, const char *fault,
       struct span listed)
{
    struct diag *diag =
        diag_at(literal->span, PGS2028_UNKNOWN_LABEL, "'%s' is not a value of %s.%s",
                literal->value, column->table->name, column->name);

    diag_hint(diag, "%s", fault);
    diag_note(diag, listed, "the values are listed here");
}

static void
compare_with(const struct column *column, const struct expr *check, const struct column *checked,
             struct span listed, const struct expr *literal)
{
    struct enumeration values = {.name = column->name};
    const char *fault;

    if (!check || !lists_values(check, checked))
        return;
    for (size_t i = 1; i < check->args.n; i++)
        vec_push(&values.labels, check->args.at[i]->value);
    fault = check_label_fault(&values, literal->value);
    if (fault)
        report(column, literal, fault, listed);
}

void
check_listed_value(const struct column *column, const struct expr *literal)
{
    const struct table *table = column->table;
    const struct domain *domain = column->type.array ? NULL : column->type.domain;

    for (size_t i = 0; i < table->constraints.n; i++)
        if (table->constraints.at[i]->kind == CONSTRAINT_CHECK)
            compare_with(column, table->constraints.at[i]->check, column,
                         table->constraints.at[i]->span, literal);
    for (size_t i = 0; domain && domain->row && i < domain->checks.n; i++)
        compare_with(column, domain->checks.at[i].check, domain->row->columns.at[0],
                     domain->checks.at[i].span, literal);
}

/* ---- where they stand ---- */

static bool
is_text_cast(const struct expr *expr)
{
    return expr->kind == EXPR_CAST && type_is_text(expr->type);
}

void
check_listed(const struct expr *column, const struct expr *literal)
{
    bool as_text = is_text_cast(column);
    const char *fault;

    while (is_text_cast(column))
        column = column->args.at[0];
    while (is_text_cast(literal))
        literal = literal->args.at[0];
    if (column->kind != EXPR_COLUMN || column->column->type.array || !literal->value)
        return;
    if (type_is_text(column->type)) {
        check_listed_value(column->column, literal);
    } else if (as_text && column->type.kind == TYPE_ENUM) {
        fault = check_label_fault(column->type.enumeration, literal->value);
        if (fault)
            report(column->column, literal, fault, column->type.enumeration->span);
    }
}

void
check_listed_items(const struct expr *column, const struct expr *array)
{
    while (array->kind == EXPR_CAST)
        array = array->args.at[0];
    for (size_t i = 0; array->kind == EXPR_ARRAY && !array->select && i < array->args.n; i++)
        check_listed(column, array->args.at[i]);
}

/* ---- arguments ---- */

#define CALLS_MAX 8 /* predicates that hand an argument on */

struct argument {
    const struct param *param;
    const struct expr *literal;
    int depth;
};

static void follow_argument(const struct expr *call, size_t i, const struct argument *argument);

static bool
is_argument(const struct expr *expr, const struct argument *argument)
{
    return expr && expr->kind == EXPR_PARAM && expr->param == argument->param;
}

static void
visit_body(const struct expr *expr, void *data)
{
    const struct argument *argument = data;

    for (size_t i = 0; i < expr->args.n; i++) {
        if (!is_argument(expr->args.at[i], argument))
            continue;
        if (expr->kind == EXPR_OP && expr->args.n == 2 &&
            (strcmp(expr->name, "=") == 0 || strcmp(expr->name, "<>") == 0))
            check_listed(expr->args.at[1 - i], argument->literal);
        else if (expr->kind == EXPR_IN && i > 0)
            check_listed(expr->args.at[0], argument->literal);
        else
            follow_argument(expr, i, argument);
    }
}

/* The literal is argument `i` of the call, if it is one. */
static void
follow_argument(const struct expr *call, size_t i, const struct argument *argument)
{
    const struct declared_function *function = call->kind == EXPR_FUNCTION ? call->declared : NULL;
    const struct predicate *predicate = call->kind == EXPR_PREDICATE ? call->predicate : NULL;
    struct argument inside = {.literal = argument->literal, .depth = argument->depth + 1};

    if (inside.depth > CALLS_MAX)
        return;
    if (predicate && predicate->body && i < predicate->params.n) {
        inside.param = predicate->params.at[i];
        walk_expr(predicate->body, visit_body, &inside);
    } else if (function && function->body && i < function->params.n) {
        inside.param = function->params.at[i];
        walk_statement(function->body, visit_body, &inside);
    }
}

static void
visit_call(const struct expr *expr, void *data)
{
    (void)data;
    for (size_t i = 0; i < expr->args.n; i++) {
        const struct expr *literal = expr->args.at[i];
        struct argument argument = {.literal = literal};

        while (literal && is_text_cast(literal))
            argument.literal = literal = literal->args.at[0];
        if (literal && literal->value)
            follow_argument(expr, i, &argument);
    }
}

/* The policies that one declaration has become share their conditions. */
static void
visit_policies(const struct model *model)
{
    const struct expr *last_using = NULL, *last_check = NULL;

    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];

        if (policy->using_expr && policy->using_expr != last_using)
            walk_expr(policy->using_expr, visit_call, NULL);
        if (policy->check_expr && policy->check_expr != last_check)
            walk_expr(policy->check_expr, visit_call, NULL);
        last_using = policy->using_expr ? policy->using_expr : last_using;
        last_check = policy->check_expr ? policy->check_expr : last_check;
    }
}

void
check_listed_arguments(const struct checker *checker)
{
    const struct model *model = checker->model;

    visit_policies(model);
    for (size_t i = 0; i < model->predicates.n; i++)
        if (model->predicates.at[i]->body)
            walk_expr(model->predicates.at[i]->body, visit_call, NULL);
    for (size_t i = 0; i < model->tables.n; i++)
        if (model->tables.at[i]->query)
            walk_select(model->tables.at[i]->query, visit_call, NULL);
    for (size_t i = 0; i < model->queries.n; i++)
        if (model->queries.at[i]->body)
            walk_select(model->queries.at[i]->body, visit_call, NULL);
    for (size_t i = 0; i < model->functions.n; i++)
        if (model->functions.at[i]->body)
            walk_statement(model->functions.at[i]->body, visit_call, NULL);
}
