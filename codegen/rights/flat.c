/* SPDX-License-Identifier: MIT */
#include "rights/flat_parts.h"

#include <string.h>

#include "check/checker.h"
#include "check/nulls.h"
#include "model/walk.h"

#define STEPS_MAX 50000
#define DEPTH_MAX 48

static struct expr *
clone(const struct expr *expr)
{
    struct expr *copy = arena_alloc(sizeof(*copy));

    *copy = *expr;
    copy->flat = copy;
    return copy;
}

static struct expr *
join(const char *op, struct expr *left, struct expr *right)
{
    struct expr *expr = clone(left);

    *expr = (struct expr){.kind = EXPR_OP, .span = left->span, .type = left->type, .name = op};
    expr->nullable = left->nullable || right->nullable;
    expr->flat = expr;
    vec_push(&expr->args, left);
    vec_push(&expr->args, right);
    return expr;
}

/* The arguments again: `copy` has those of `expr`. */
static void
copy_args(const struct expr *expr, const struct flattening *f, struct expr *copy)
{
    copy->args.at = NULL;
    copy->args.n = copy->args.room = 0;
    for (size_t i = 0; i < expr->args.n; i++)
        vec_push(&copy->args, expr->args.at[i] ? check_flat_copy(expr->args.at[i], f) : NULL);
}

bool
check_flat_stops(const struct flattening *f)
{
    if (--*f->steps > 0 && f->depth <= DEPTH_MAX)
        return false;
    *f->cut = true;
    return true;
}

/* ---- names ---- */

static struct expr *
copy_column(const struct expr *expr, const struct flattening *f)
{
    const struct place_of *place = f->places;
    struct expr *copy;

    while (place && place->range != expr->range)
        place = place->outer;
    if (place && place->values && (size_t)expr->column->number < place->values->n) {
        copy = clone(place->values->at[expr->column->number]);
        copy->nullable = copy->nullable || expr->nullable;
        return copy;
    }
    copy = clone(expr);
    if (place && place->fresh)
        copy->range = place->fresh;
    return copy;
}

static struct expr *
copy_param(const struct expr *expr, const struct flattening *f)
{
    for (const struct place_of *place = f->places; place; place = place->outer)
        for (size_t i = 0; place->function && i < place->args->n; i++)
            if (place->function->params.at[i] == expr->param)
                return clone(place->args->at[i]);
    return clone(expr);
}

/* ---- functions ---- */

const struct select *
check_flat_body(const struct expr *call, const struct flattening *f, struct flattening *inside)
{
    const struct declared_function *function = call->declared;
    struct place_of *place;
    struct exprs *args;

    if (call->kind != EXPR_FUNCTION || !function->body ||
        function->body->kind != STATEMENT_SELECT || check_flat_stops(f))
        return NULL;
    place = arena_alloc(sizeof(*place));
    args = arena_alloc(sizeof(*args));
    for (size_t i = 0; i < function->params.n; i++) {
        const struct expr *arg = i < call->args.n ? call->args.at[i] : NULL;

        arg = arg ? arg : function->params.at[i]->default_expr;
        if (!arg)
            return NULL;
        vec_push(args, check_flat_copy(arg, f));
    }
    *place = (struct place_of){.outer = f->places, .function = function, .args = args};
    *inside = *f;
    inside->places = place;
    inside->past = f->past || function->definer;
    inside->depth++;
    return function->body->select;
}

/* ---- selects ---- */

/* The sides as selects of a union: where one value is wanted, any of them may give it. */
static struct select *
join_sides(const struct flat_sides *sides, const struct select *model)
{
    struct select *sum = check_flat_select(&sides->at[0], model);

    for (size_t i = 1; i < sides->n; i++) {
        struct select *both = arena_alloc(sizeof(*both));

        both->span = model->span;
        both->kind = SELECT_UNION;
        both->left = sum;
        both->right = check_flat_select(&sides->at[i], model);
        both->outputs = sum->outputs;
        sum = both;
    }
    return sum;
}

/* `x in (values (1), (2))`: `x in (1, 2)`. */
static bool
is_list(const struct expr *expr, const struct select *select)
{
    return expr->kind == EXPR_IN && select->kind == SELECT_VALUES && select->rows.n > 0 &&
           select->rows.at[0].n == 1;
}

static struct expr *
copy_values(struct expr *copy, const struct select *select, const struct flattening *f)
{
    copy->select = NULL;
    for (size_t i = 0; i < select->rows.n; i++)
        vec_push(&copy->args, check_flat_copy(select->rows.at[i].at[0], f));
    return copy;
}

/* `exists (select count(*) ...)`: there is a row whatever it counts. */
static bool
always_exists(const struct expr *expr)
{
    return expr->kind == EXPR_EXISTS && select_has_aggregate(expr->select) &&
           check_is_one_row(expr->select);
}

static struct expr *
copy_truth(const struct expr *expr, bool is_true)
{
    return clone(&(struct expr){.kind = EXPR_LITERAL,
                                .span = expr->span,
                                .type = expr->type,
                                .text = is_true ? "true" : "false"});
}

/* `exists (a union b)`: `exists (a) or exists (b)`; a negated one with `and`. */
static struct expr *
copy_sides(const struct expr *expr, const struct select *select, const struct flattening *f)
{
    struct flat_sides sides = {0};
    struct expr *sum = NULL, *one, *copy = clone(expr);
    bool splits = expr->kind == EXPR_EXISTS || expr->kind == EXPR_IN || expr->kind == EXPR_ANY ||
                  expr->kind == EXPR_ALL;
    const char *op = (expr->kind == EXPR_ALL) != expr->negated ? "and" : "or";

    if (always_exists(expr))
        return copy_truth(expr, !expr->negated);
    copy_args(expr, f, copy);
    if (is_list(expr, select))
        return copy_values(copy, select, f);
    check_flat_sides(select, f, &sides);
    if (!splits) {
        copy->select = join_sides(&sides, select);
        return copy;
    }
    for (size_t i = 0; i < sides.n; i++) {
        one = clone(copy);
        one->select = check_flat_select(&sides.at[i], select);
        sum = sum ? join(op, sum, one) : one;
    }
    return sum;
}

static struct expr *
copy_call(const struct expr *expr, const struct flattening *f)
{
    struct flattening inside;
    const struct select *body = check_flat_body(expr, f, &inside);
    struct expr *value = clone(expr), *copy;

    if (!body)
        return NULL;
    value->kind = EXPR_SELECT;
    value->args.n = 0;
    copy = copy_sides(value, body, &inside);
    return copy;
}

/* (f(...)).name: what that one output is. */
static struct expr *
copy_field(const struct expr *expr, const struct flattening *f)
{
    struct expr *row = check_flat_copy(expr->args.at[0], f), *copy = clone(expr);
    struct select *select = row->select;

    copy->args.at = NULL;
    copy->args.n = copy->args.room = 0;
    vec_push(&copy->args, row);
    for (size_t i = 0; row->kind == EXPR_ROW && row->range && i < row->args.n; i++)
        if (strcmp(row->type.composite->fields.at[i]->name, expr->name) == 0)
            return row->args.at[i];
    if (row->kind != EXPR_SELECT || select->kind != SELECT_PLAIN)
        return copy;
    for (size_t i = 0; i < select->outputs.n; i++) {
        struct output output = select->outputs.at[i];

        if (!output.name || !expr->name || strcmp(output.name, expr->name) != 0)
            continue;
        select->outputs = (struct outputs){0};
        vec_push(&select->outputs, output);
        row->type = expr->type;
        return row;
    }
    return copy;
}

/* ---- the rest ---- */

/* `(a union b) = x`: either may be it. */
static struct expr *
split_operands(struct expr *expr)
{
    for (size_t i = 0; i < expr->args.n && expr->type.kind == TYPE_BOOL; i++) {
        struct expr *arg = expr->args.at[i], *left, *right, *other;

        if (!arg || arg->kind != EXPR_SELECT || arg->select->kind != SELECT_UNION)
            continue;
        left = clone(arg);
        left->select = arg->select->left;
        right = clone(arg);
        right->select = arg->select->right;
        other = clone(expr);
        other->args.at = NULL;
        other->args.n = other->args.room = 0;
        for (size_t j = 0; j < expr->args.n; j++)
            vec_push(&other->args, i == j ? right : expr->args.at[j]);
        expr->args.at[i] = left;
        return join("or", split_operands(expr), split_operands(other));
    }
    return expr;
}

/* `auth.uid() in (sender_id, recipient_id)`: one of several columns. */
static bool
names_columns(const struct expr *expr)
{
    for (size_t i = 1; i < expr->args.n; i++)
        if (expr->args.at[i]->kind == EXPR_COLUMN)
            return expr->kind == EXPR_IN && !expr->negated && expr->args.n > 2;
    return false;
}

/* x in (a, b): x = a or x = b */
static struct expr *
split_list(const struct expr *expr)
{
    struct expr *sum = NULL;

    for (size_t i = 1; i < expr->args.n; i++) {
        struct expr *one = join("=", expr->args.at[0], expr->args.at[i]);

        one->span = expr->span;
        one->type = expr->type;
        sum = sum ? join("or", sum, one) : one;
    }
    return sum;
}

static struct expr *
copy_plain(const struct expr *expr, const struct flattening *f)
{
    struct expr *copy = clone(expr);

    copy_args(expr, f, copy);
    if (names_columns(copy))
        return split_list(copy);
    if (expr->tail && expr->tail->filter) {
        copy->tail = arena_alloc(sizeof(*copy->tail));
        *copy->tail = *expr->tail;
        copy->tail->filter = check_flat_copy(expr->tail->filter, f);
    }
    return expr->kind == EXPR_OP ? split_operands(copy) : copy;
}

struct expr *
check_flat_copy(const struct expr *expr, const struct flattening *f)
{
    struct expr *called;

    if (--*f->steps < 0) {
        *f->cut = true;
        return clone(expr);
    }
    switch (expr->kind) {
    case EXPR_COLUMN:
        return copy_column(expr, f);
    case EXPR_PARAM:
        return copy_param(expr, f);
    case EXPR_FIELD:
        return copy_field(expr, f);
    case EXPR_FUNCTION:
        called = copy_call(expr, f);
        return called ? called : copy_plain(expr, f);
    default:
        return expr->select ? copy_sides(expr, expr->select, f) : copy_plain(expr, f);
    }
}

const struct expr *
check_flat(const struct expr *condition)
{
    int steps = STEPS_MAX;
    bool cut = false;
    struct flattening f = {.steps = &steps, .cut = &cut};

    if (!condition->flat) {
        ((struct expr *)condition)->flat = check_flat_copy(condition, &f);
        condition->flat->cut = cut;
    }
    return condition->flat;
}
