/* SPDX-License-Identifier: MIT */
/* Folding of operators: logic, comparisons, and when both sides are the same whatever the row. */
#include "rights/fold_parts.h"

#include <stdlib.h>
#include <string.h>

#include "check/checker.h"
#include "model/functions.h"
#include "model/types.h"

/* ---- what an expression stands for ---- */

/* An expression, and what is taken for granted where it stands. */
struct placed {
    const struct expr *expr;
    struct assumption a;
};

static struct placed stands_for(const struct expr *expr, const struct assumption *a);

/* Conditions and `case` are not looked into again: one inside another, that would take forever. */
static bool
is_plain(const struct expr *expr)
{
    if (expr->kind == EXPR_SELECT)
        return expr->select->from.n == 0 && !expr->select->where && expr->select->outputs.n == 1 &&
               is_plain(expr->select->outputs.at[0].expr);
    if (expr->kind == EXPR_CALL || expr->kind == EXPR_CAST) {
        for (size_t i = 0; i < expr->args.n; i++)
            if (!is_plain(expr->args.at[i]))
                return false;
        return true;
    }
    return expr->kind == EXPR_LITERAL || expr->kind == EXPR_COLUMN || expr->kind == EXPR_PARAM ||
           expr->kind == EXPR_CLAIM;
}

/* The argument that coalesce gives for every row; else the call itself. */
static struct placed
chosen_argument(const struct expr *expr, const struct assumption *a)
{
    struct placed chosen = {expr, *a};
    bool found = false;

    for (size_t i = 0; i < expr->args.n; i++) {
        if (is_plain(expr->args.at[i]) && check_fold(expr->args.at[i], a).kind == V_NULL)
            continue;
        if (found || !is_plain(expr->args.at[i]))
            return (struct placed){expr, *a};
        chosen = stands_for(expr->args.at[i], a);
        if (!chosen.expr->nullable)
            return chosen;
        found = true;
    }
    return chosen;
}

/* Behind parameters, coalesce after nulls, and `(select x)`. */
static struct placed
stands_for(const struct expr *expr, const struct assumption *a)
{
    const struct select *select = expr->select;
    struct assumption outside = *a;

    if (expr->kind == EXPR_PARAM && a->binding) {
        outside.binding = a->binding->caller;
        return stands_for(a->binding->call->args.at[expr->param->number], &outside);
    }
    if (expr->kind == EXPR_CALL && !expr->is_auth && strcmp(expr->name, "coalesce") == 0)
        return chosen_argument(expr, a);
    if (expr->kind == EXPR_SELECT && select->from.n == 0 && !select->where && !select->having &&
        !select->limit && !select->offset && select->outputs.n == 1)
        return stands_for(select->outputs.at[0].expr, a);
    return (struct placed){expr, *a};
}

/* The column that both sides are, under the same casts; NULL: they may differ. */
static const struct expr *
same_column(const struct expr *left, const struct expr *right, const struct assumption *a)
{
    struct placed x = stands_for(left, a), y = stands_for(right, a);

    while (x.expr->kind == EXPR_CAST && y.expr->kind == EXPR_CAST &&
           type_same(x.expr->type, y.expr->type)) {
        x = stands_for(x.expr->args.at[0], &x.a);
        y = stands_for(y.expr->args.at[0], &y.a);
    }
    return x.expr->kind == EXPR_COLUMN && check_same_expr(x.expr, y.expr) ? x.expr : NULL;
}

/* ---- operators ---- */

static struct value
fold_and(const struct expr *expr, const struct assumption *a)
{
    struct value left = check_fold(expr->args.at[0], a), right = check_fold(expr->args.at[1], a);

    if (left.kind == V_FALSE || right.kind == V_FALSE)
        return truth(false);
    if (left.kind == V_UNKNOWN || right.kind == V_UNKNOWN)
        return unknown;
    return left.kind == V_NULL || right.kind == V_NULL ? null : truth(true);
}

/* `not x`, of an x that is a column and never null. */
static bool
is_opposite(const struct expr *no, const struct expr *x, const struct assumption *a)
{
    const struct expr *column;

    if (no->kind != EXPR_OP || strcmp(no->name, "not") != 0)
        return false;
    column = same_column(no->args.at[0], x, a);
    return column && !column->nullable;
}

static struct value
fold_or(const struct expr *expr, const struct assumption *a)
{
    const struct expr *x = expr->args.at[0], *y = expr->args.at[1];
    struct value left = check_fold(x, a), right = check_fold(y, a);

    if (left.kind == V_TRUE || right.kind == V_TRUE || is_opposite(x, y, a) || is_opposite(y, x, a))
        return truth(true);
    if (left.kind == V_UNKNOWN || right.kind == V_UNKNOWN)
        return unknown;
    return left.kind == V_NULL || right.kind == V_NULL ? null : truth(false);
}

/* Numbers by value, everything else by its text. */
static int
compare_constants(const char *a, const char *b)
{
    char *end_a, *end_b;
    double x = strtod(a, &end_a), y = strtod(b, &end_b);

    if (*a && *b && *end_a == '\0' && *end_b == '\0')
        return x < y ? -1 : x > y;
    return strcmp(a, b);
}

static struct value
order_holds(const char *op, int order)
{
    if (strcmp(op, "=") == 0)
        return truth(order == 0);
    if (strcmp(op, "<>") == 0)
        return truth(order != 0);
    if (strcmp(op, "<=") == 0)
        return order == 0 ? truth(true) : unknown;
    if (strcmp(op, ">=") == 0)
        return order == 0 ? truth(true) : unknown;
    if (strcmp(op, "<") == 0 || strcmp(op, ">") == 0)
        return order == 0 ? truth(false) : unknown;
    return unknown;
}

/* Two numbers that are not equal: `order` says which is less. */
static struct value
numbers_hold(const char *op, int order)
{
    if (op[0] == '<' && op[1] != '>')
        return truth(order < 0);
    return op[0] == '>' ? truth(order > 0) : order_holds(op, order);
}

/* The caller who is known to be somebody, on both sides. */
static bool
is_same_identity(const struct expr *left, const struct expr *right, const struct assumption *a)
{
    struct placed x = stands_for(left, a), y = stands_for(right, a);

    return a->role && strcmp(a->role, "anon") != 0 && check_is_identity(x.expr) &&
           check_same_expr(x.expr, y.expr);
}

static const char *
text_of(struct value value)
{
    return value.kind == V_TRUE ? "true" : value.kind == V_FALSE ? "false" : value.text;
}

struct value
check_fold_comparison(const struct expr *left, const struct expr *right, const char *op,
                      const struct assumption *a)
{
    struct value x = check_fold(left, a), y = check_fold(right, a);
    const struct expr *column;

    if (x.kind == V_NULL || y.kind == V_NULL)
        return null;
    if (x.kind != V_UNKNOWN && y.kind != V_UNKNOWN) {
        int order = compare_constants(text_of(x), text_of(y));
        bool integers = type_is_integer(left->type) && type_is_integer(right->type);

        return order != 0 && integers ? numbers_hold(op, order) : order_holds(op, order);
    }
    if (is_same_identity(left, right, a))
        return order_holds(op, 0);
    column = same_column(left, right, a);
    return column && !column->nullable ? order_holds(op, 0) : unknown;
}

static struct value
fold_null_test(const struct expr *arg, bool wants_null, const struct assumption *a)
{
    struct value value = check_fold(arg, a);

    if (value.kind != V_UNKNOWN)
        return truth((value.kind == V_NULL) == wants_null);
    arg = stands_for(arg, a).expr;
    if (arg->kind == EXPR_COLUMN && !arg->nullable)
        return truth(!wants_null);
    return unknown;
}

/* is true, is not false, is unknown, ... */
static struct value
fold_truth_test(const struct expr *arg, const char *op, const struct assumption *a)
{
    struct value value = check_fold(arg, a);
    bool negated = strncmp(op, "is not ", 7) == 0;
    const char *word = op + (negated ? 7 : 3);
    enum value_kind wanted = strcmp(word, "true") == 0    ? V_TRUE
                             : strcmp(word, "false") == 0 ? V_FALSE
                                                          : V_NULL;

    if (value.kind == V_UNKNOWN)
        return wanted == V_TRUE && check_is_never_true(arg, a) ? truth(negated) : unknown;
    return truth((value.kind == wanted) != negated);
}

static struct value
fold_distinct(const struct expr *expr, const struct assumption *a)
{
    struct value x = check_fold(expr->args.at[0], a), y = check_fold(expr->args.at[1], a);
    bool negated = strstr(expr->name, "not") != NULL;

    if (same_column(expr->args.at[0], expr->args.at[1], a))
        return truth(negated);
    if (x.kind == V_UNKNOWN || y.kind == V_UNKNOWN)
        return unknown;
    if (x.kind == V_NULL || y.kind == V_NULL)
        return truth(((x.kind == V_NULL) != (y.kind == V_NULL)) != negated);
    return truth((compare_constants(text_of(x), text_of(y)) != 0) != negated);
}

static struct value
fold_between(const struct expr *expr, const struct assumption *a)
{
    bool negated = strncmp(expr->name, "not", 3) == 0;

    for (size_t i = 0; i < expr->args.n; i++)
        if (check_fold(expr->args.at[i], a).kind == V_NULL)
            return i == 0 ? null : unknown;
    struct value low = check_fold_comparison(expr->args.at[0], expr->args.at[1], ">=", a);
    struct value high = check_fold_comparison(expr->args.at[0], expr->args.at[2], "<=", a);
    if (low.kind == V_TRUE && high.kind == V_TRUE)
        return truth(!negated);
    return unknown;
}

/* like '%': whatever the text is, only not null. */
static struct value
fold_like(const struct expr *expr, const struct assumption *a)
{
    struct value text = check_fold(expr->args.at[0], a), pattern = check_fold(expr->args.at[1], a);
    const struct expr *x = stands_for(expr->args.at[0], a).expr;

    if (text.kind == V_NULL || pattern.kind == V_NULL)
        return null;
    if (pattern.kind != V_CONSTANT || *pattern.text == '\0' ||
        pattern.text[strspn(pattern.text, "%")] != '\0' || expr->args.n != 2)
        return unknown;
    if (text.kind != V_CONSTANT && (x->kind != EXPR_COLUMN || x->nullable))
        return unknown;
    return truth(strncmp(expr->name, "not ", 4) != 0);
}

struct value
check_fold_operator(const struct expr *expr, const struct assumption *a)
{
    const char *op = expr->name;

    if (strcmp(op, "and") == 0)
        return fold_and(expr, a);
    if (strcmp(op, "or") == 0)
        return fold_or(expr, a);
    if (strcmp(op, "not") == 0)
        return negate(check_fold(expr->args.at[0], a));
    if (strcmp(op, "is null") == 0 || strcmp(op, "is not null") == 0)
        return fold_null_test(expr->args.at[0], strcmp(op, "is null") == 0, a);
    if (strstr(op, "distinct from"))
        return fold_distinct(expr, a);
    if (strncmp(op, "is ", 3) == 0)
        return fold_truth_test(expr->args.at[0], op, a);
    if (strstr(op, "between"))
        return fold_between(expr, a);
    if (strcmp(op, "like") == 0 || strcmp(op, "ilike") == 0 || strcmp(op, "not like") == 0 ||
        strcmp(op, "not ilike") == 0)
        return fold_like(expr, a);
    if (expr->args.n == 2 && (!expr->function || expr->function->strict))
        return check_fold_comparison(expr->args.at[0], expr->args.at[1], op, a);
    return unknown;
}
