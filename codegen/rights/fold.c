/* SPDX-License-Identifier: MIT */
/*
 * Folding stops at the row: a column is unknown, unless it is compared with itself or tested for
 * the null that it cannot be.
 */
#include "rights/fold_parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check/checker.h"
#include "rights/flat.h"
#include "model/functions.h"
#include "model/types.h"
#include "model/walk.h"

/* ---- leaves ---- */

/* Text or a number as a boolean, the way PostgreSQL reads it. */
static struct value
boolean_of(struct value value, bool is_number)
{
    static const char *const yes[] = {"true", "t", "yes", "y", "on", "1"};
    static const char *const no[] = {"false", "f", "no", "n", "off", "0"};

    if (value.kind != V_CONSTANT)
        return value;
    if (is_number)
        return truth(strtod(value.text, NULL) != 0);
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcasecmp(value.text, yes[i]) == 0)
            return truth(true);
        if (strcasecmp(value.text, no[i]) == 0)
            return truth(false);
    }
    return unknown;
}

static bool
is_boolean(struct type type)
{
    return type.kind == TYPE_BOOL && !type.array;
}

static struct value
fold_literal(const struct expr *expr)
{
    struct value text = {V_CONSTANT, expr->value};

    if (expr->value)
        return is_boolean(expr->type) ? boolean_of(text, false) : text;
    if (strcmp(expr->text, "true") == 0 || strcmp(expr->text, "false") == 0)
        return truth(expr->text[0] == 't');
    if (strcmp(expr->text, "null") == 0)
        return null;
    return (struct value){V_CONSTANT, expr->text};
}

static struct value
fold_auth(const struct expr *expr, const struct assumption *a)
{
    if (strcmp(expr->name, "uid") == 0)
        return a->uid_is_null ? null : unknown;
    if (strcmp(expr->name, "role") == 0)
        return a->role ? (struct value){V_CONSTANT, a->role} : unknown;
    return a->token_is_null ? null : unknown;
}

static struct value
fold_param(const struct expr *expr, const struct assumption *a)
{
    struct assumption outside = *a;

    if (!a->binding)
        return unknown;
    outside.binding = a->binding->caller;
    return check_fold(a->binding->call->args.at[expr->param->number], &outside);
}

/* A cast to a whole number; one that rounds is not followed. */
static struct value
integer_of(struct value value)
{
    if (value.kind == V_TRUE || value.kind == V_FALSE)
        return (struct value){V_CONSTANT, value.kind == V_TRUE ? "1" : "0"};
    return value.kind == V_CONSTANT && strpbrk(value.text, ".eE") ? unknown : value;
}

static struct value
fold_cast(const struct expr *expr, const struct assumption *a)
{
    const struct expr *arg = expr->args.at[0];
    struct value value = check_fold(arg, a);

    if (is_boolean(expr->type))
        return boolean_of(value, type_is_number(arg->type));
    return type_is_integer(expr->type) ? integer_of(value) : value;
}

/* ---- the other forms ---- */

static struct value
fold_call(const struct expr *expr, const struct assumption *a)
{
    if (expr->is_auth)
        return fold_auth(expr, a);
    if (strcmp(expr->name, "coalesce") == 0) {
        for (size_t i = 0; i < expr->args.n; i++) {
            struct value value = check_fold(expr->args.at[i], a);

            if (value.kind != V_NULL)
                return value;
        }
        return null;
    }
    for (size_t i = 0; expr->function && expr->function->strict && i < expr->args.n; i++)
        if (check_fold(expr->args.at[i], a).kind == V_NULL)
            return null;
    return unknown;
}

bool
check_is_never_true(const struct expr *expr, const struct assumption *a)
{
    struct value value = check_fold(expr, a);
    bool is_and = expr->kind == EXPR_OP && strcmp(expr->name, "and") == 0;
    bool is_or = expr->kind == EXPR_OP && strcmp(expr->name, "or") == 0;

    if (value.kind == V_FALSE || value.kind == V_NULL)
        return true;
    if (!is_and && !is_or)
        return false;
    bool left = check_is_never_true(expr->args.at[0], a),
         right = check_is_never_true(expr->args.at[1], a);
    return is_and ? left || right : left && right;
}

static bool
is_empty(const struct select *select, const struct assumption *a)
{
    return select->where && check_is_never_true(select->where, a);
}

static bool
has_aggregate(const struct select *select)
{
    return select_has_aggregate(select) || select->group_by.n > 0;
}

/* Without a table: one row. */
static bool
is_one_row(const struct select *select, const struct assumption *a)
{
    if (select->kind != SELECT_PLAIN || select->from.n > 0 || select->having || select->limit ||
        select->offset || has_aggregate(select))
        return false;
    return !select->where || check_fold(select->where, a).kind == V_TRUE;
}

static struct value
fold_exists(const struct expr *expr, const struct assumption *a)
{
    if (is_one_row(expr->select, a))
        return truth(!expr->negated);
    if (has_aggregate(expr->select) || !is_empty(expr->select, a))
        return unknown;
    return truth(expr->negated);
}

static struct value
fold_select(const struct expr *expr, const struct assumption *a)
{
    const struct select *select = expr->select;

    if (has_aggregate(select))
        return unknown;
    if (is_empty(select, a))
        return null;
    if (select->from.n == 0 && !select->where && select->outputs.n == 1)
        return check_fold(select->outputs.at[0].expr, a);
    return unknown;
}

/* in (): equal to one of them is true; otherwise it takes all of them to be known. */
static struct value
fold_in(const struct expr *expr, const struct assumption *a)
{
    struct value sum = truth(false);

    if (expr->select)
        return is_empty(expr->select, a) && !has_aggregate(expr->select) ? truth(expr->negated)
                                                                         : unknown;
    for (size_t i = 1; i < expr->args.n; i++) {
        struct value one = check_fold_comparison(expr->args.at[0], expr->args.at[i], "=", a);

        if (one.kind == V_TRUE)
            return truth(!expr->negated);
        if (one.kind == V_UNKNOWN || (one.kind == V_NULL && sum.kind == V_FALSE))
            sum = one;
    }
    return expr->negated ? negate(sum) : sum;
}

/* What every branch from the i-th on gives; unknown where they differ. */
static struct value
fold_branches(const struct expr *expr, size_t i, const struct assumption *a)
{
    size_t n = expr->args.n;
    const struct expr *otherwise = expr->args.at[n - 1];
    struct value last = otherwise ? check_fold(otherwise, a) : null;

    if (last.kind == V_UNKNOWN || last.kind == V_CONSTANT)
        return unknown;
    for (; i + 2 < n; i += 2)
        if (check_fold(expr->args.at[i + 1], a).kind != last.kind)
            return unknown;
    return last;
}

static struct value
fold_case(const struct expr *expr, const struct assumption *a)
{
    size_t n = expr->args.n;

    for (size_t i = 1; i + 2 < n; i += 2) {
        struct value when = expr->args.at[0]
                                ? check_fold_comparison(expr->args.at[0], expr->args.at[i], "=", a)
                                : check_fold(expr->args.at[i], a);

        if (when.kind == V_TRUE)
            return check_fold(expr->args.at[i + 1], a);
        if (when.kind == V_UNKNOWN &&
            (expr->args.at[0] || !check_is_never_true(expr->args.at[i], a)))
            return fold_branches(expr, i, a);
    }
    return expr->args.at[n - 1] ? check_fold(expr->args.at[n - 1], a) : null;
}

static struct value
fold_predicate(const struct expr *expr, const struct assumption *a)
{
    struct binding binding = {.caller = a->binding, .call = expr};
    struct assumption inside = *a;

    if (!expr->predicate->body)
        return unknown;
    inside.binding = &binding;
    return check_fold(check_flat(expr->predicate->body), &inside);
}

/* All of none is true, any of none is not: `x = all (coalesce(my_orgs, '{}'))`. */
static struct value
fold_items(const struct expr *expr, const struct assumption *a)
{
    struct value list = expr->select ? unknown : check_fold(expr->args.at[1], a);

    if (list.kind == V_NULL)
        return null;
    if (list.kind != V_CONSTANT || strcmp(list.text, "{}") != 0)
        return unknown;
    return truth(expr->kind == EXPR_ALL);
}

struct value
check_fold(const struct expr *expr, const struct assumption *a)
{
    switch (expr->kind) {
    case EXPR_LITERAL:
        return fold_literal(expr);
    case EXPR_CLAIM:
        return a->token_is_null || a->null_claim == expr->claim ? null : unknown;
    case EXPR_PARAM:
        return fold_param(expr, a);
    case EXPR_CALL:
        return fold_call(expr, a);
    case EXPR_OP:
        return check_fold_operator(expr, a);
    case EXPR_CAST:
        return fold_cast(expr, a);
    case EXPR_EXISTS:
        return fold_exists(expr, a);
    case EXPR_SELECT:
        return fold_select(expr, a);
    case EXPR_IN:
        return fold_in(expr, a);
    case EXPR_CASE:
        return fold_case(expr, a);
    case EXPR_ANY:
    case EXPR_ALL:
        return fold_items(expr, a);
    case EXPR_PREDICATE:
        return fold_predicate(expr, a);
    default:
        return unknown;
    }
}
