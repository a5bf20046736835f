/* SPDX-License-Identifier: MIT */
/*
 * Groups: which of their totals can be kept up to date by the rows that come and go, and what must
 * be known beside for that: how many rows a group has, and of a sum how many values.
 */
#include <string.h>

#include "base/arena.h"
#include "model/types.h"
#include "model/walk.h"
#include "plan/match.h"

#define MAX_OUTPUTS 800 /* with as many beside, a select has not too many */

bool
match_is_grouped(const struct select *select)
{
    return select->group_by.n > 0 || select_has_aggregate(select);
}

/* ---- columns ---- */

static bool
is_grouped_by(const struct match *match, const struct column *column)
{
    const struct exprs *groups = &match->live->body->group_by;

    for (size_t i = 0; i < groups->n; i++)
        if (match_is_column(match, groups->at[i]) && groups->at[i]->column == column)
            return true;
    return false;
}

/* Each is a column of the row, shown, and of a type whose texts tell its values apart. */
static bool
check_groups(struct match *match)
{
    const struct exprs *groups = &match->live->body->group_by;

    for (size_t i = 0; i < groups->n; i++) {
        const struct expr *expr = groups->at[i];

        if (!match_is_column(match, expr))
            match_because(match, expr->span, "it is grouped by what is computed");
        else if (expr->column->generated)
            match_because(match, expr->span, "generated columns are not in the log");
        else if (!match_is_textual(expr->type) && !type_is_bool(expr->type))
            match_because(match, expr->span,
                          arena_printf("values of %s are not told apart by their texts",
                                       type_text(expr->type)));
        else if (!match_is_sent(match, expr->column))
            match_because(match, expr->span, "it is grouped by a column that is not shown");
        else
            continue;
        return false;
    }
    return true;
}

/* ---- totals ---- */

static void
add_total(struct match *match, enum total_kind kind, const struct column *column)
{
    struct match_total total = {.kind = kind, .column = column};

    vec_push(&match->totals, total);
    if (column)
        match_add_needed(match, column);
}

static bool
add_group(struct match *match, const struct expr *expr)
{
    if (!match_is_column(match, expr) || !is_grouped_by(match, expr->column)) {
        match_because(match, expr->span, "this is computed from the group");
        return false;
    }
    add_total(match, TOTAL_GROUP, expr->column);
    return true;
}

/* What is never null is counted as rows are. */
static bool
add_count(struct match *match, const struct expr *arg)
{
    if (arg->kind == EXPR_STAR || (arg->kind == EXPR_LITERAL && !arg->nullable) ||
        (match_is_column(match, arg) && arg->column->not_null)) {
        add_total(match, TOTAL_ROWS, NULL);
        return true;
    }
    if (!match_is_column(match, arg) || arg->column->generated) {
        match_because(match, arg->span, "this is computed from the row");
        return false;
    }
    add_total(match, TOTAL_VALUES, arg->column);
    return true;
}

static const struct column *
column_of(struct match *match, const struct expr *arg, struct type *type)
{
    struct match_row row = {.range = match->row};
    const struct column *column = match_column(&row, (struct sql_part){arg, NULL}, type);

    if (!column)
        match_because(match, arg->span, "this is computed from the row");
    return column;
}

static bool
is_whole(struct type type)
{
    return !type.array &&
           (type.kind == TYPE_INT2 || type.kind == TYPE_INT4 || type.kind == TYPE_INT8);
}

/* coalesce(sum(x), 0): with another constant, the sum and what stands for none could not be told
 * apart. */
static bool
is_sum_or_zero(const struct expr *expr)
{
    const struct expr *sum, *zero;

    if (expr->kind != EXPR_CALL || strcmp(expr->name, "coalesce") != 0 || expr->args.n != 2)
        return false;
    sum = expr->args.at[0];
    zero = expr->args.at[1];
    return sum->aggregate && strcmp(sum->name, "sum") == 0 && zero->kind == EXPR_LITERAL &&
           zero->text && strcmp(zero->text, "0") == 0;
}

const struct expr *
match_aggregate(const struct expr *expr)
{
    const struct expr *call = is_sum_or_zero(expr) ? expr->args.at[0] : expr;

    return call->kind == EXPR_CALL && call->aggregate ? call : NULL;
}

static bool
add_sum(struct match *match, const struct expr *arg)
{
    struct type type;
    const struct column *column = column_of(match, arg, &type);

    if (!column)
        return false;
    if (!is_whole(type) || !is_whole(column->type)) {
        match_because(match, arg->span,
                      arena_printf("sums of %s are not kept exactly", type_text(type)));
        return false;
    }
    add_total(match, TOTAL_SUM, column);
    return true;
}

static bool
add_extreme(struct match *match, enum total_kind kind, const struct expr *arg)
{
    const struct expr *value = match_is_bytewise(arg) ? arg->args.at[0] : arg;
    struct type type;
    const struct column *column = column_of(match, value, &type);

    if (!column || !match_has_order(match, arg, type))
        return false;
    add_total(match, kind, column);
    return true;
}

static bool
add_aggregate(struct match *match, const struct expr *expr)
{
    if (expr->distinct || expr->tail || expr->args.n != 1)
        match_because(match, expr->span, "this aggregate needs all rows of its group");
    else if (strcmp(expr->name, "count") == 0)
        return add_count(match, expr->args.at[0]);
    else if (strcmp(expr->name, "sum") == 0)
        return add_sum(match, expr->args.at[0]);
    else if (strcmp(expr->name, "min") == 0)
        return add_extreme(match, TOTAL_MIN, expr->args.at[0]);
    else if (strcmp(expr->name, "max") == 0)
        return add_extreme(match, TOTAL_MAX, expr->args.at[0]);
    else
        match_because(match, expr->span, "this aggregate needs all rows of its group");
    return false;
}

/* ---- what is asked beside ---- */

static void
ask_count(struct select *asked, struct expr *arg)
{
    struct expr *count = arena_alloc(sizeof(*count));

    *count = (struct expr){.kind = EXPR_CALL,
                           .span = asked->span,
                           .type = type_scalar(TYPE_INT8),
                           .name = "count",
                           .aggregate = true};
    vec_push(&count->args, arg);
    vec_push(&asked->outputs, ((struct output){.span = asked->span, .expr = count}));
}

static void
add_beside(struct match *match)
{
    const struct select *body = match->live->body;
    struct select *asked = match_ask_beside(match);
    struct expr *star = arena_alloc(sizeof(*star));

    *star = (struct expr){.kind = EXPR_STAR, .span = asked->span};
    ask_count(asked, star);
    add_total(match, TOTAL_ROWS, NULL);
    for (size_t i = 0; i < body->outputs.n; i++) {
        if (match->totals.at[i].kind != TOTAL_SUM)
            continue;
        match->totals.at[i].values = match->totals.n;
        ask_count(asked, body->outputs.at[i].expr->args.at[0]);
        add_total(match, TOTAL_VALUES, match->totals.at[i].column);
    }
}

bool
match_add_totals(struct match *match)
{
    const struct outputs *outputs = &match->live->body->outputs;

    if (outputs->n > MAX_OUTPUTS) {
        match_because(match, match->live->span, "it has too many columns");
        return false;
    }
    if (!check_groups(match))
        return false;
    for (size_t i = 0; i < outputs->n; i++) {
        const struct expr *expr = outputs->at[i].expr, *call = match_aggregate(expr);

        if (!(call ? add_aggregate(match, call) : add_group(match, expr)))
            return false;
        if (is_sum_or_zero(expr))
            match->totals.at[i].kind = TOTAL_SUM_OR_ZERO;
    }
    add_beside(match);
    return true;
}
