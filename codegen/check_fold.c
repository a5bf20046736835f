/* SPDX-License-Identifier: MIT */
/*
 * Folding stops at the row: a column is unknown, unless it is compared with itself or tested for
 * the null that it cannot be.
 */
#include "check_fold.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "checker.h"
#include "functions.h"

/* What stands for the parameters of a predicate. */
struct binding {
    const struct binding *caller;
    const struct expr *call;
};

static const struct value unknown = {V_UNKNOWN, NULL}, null = {V_NULL, NULL};

static struct value
truth(bool is_true)
{
    return (struct value){is_true ? V_TRUE : V_FALSE, NULL};
}

static struct value
negate(struct value value)
{
    if (value.kind == V_TRUE || value.kind == V_FALSE)
        return truth(value.kind == V_FALSE);
    return value;
}

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

static struct value
fold_cast(const struct expr *expr, const struct assumption *a)
{
    const struct expr *arg = expr->args.at[0];
    struct value value = check_fold(arg, a);

    return is_boolean(expr->type) ? boolean_of(value, type_is_number(arg->type)) : value;
}

/* ---- what an expression stands for ---- */

/* An expression, and what is taken for granted where it stands. */
struct placed {
    const struct expr *expr;
    struct assumption a;
};

static struct placed stands_for(const struct expr *expr, const struct assumption *a);

/* The argument that coalesce gives for every row; else the call itself. */
static struct placed
chosen_argument(const struct expr *expr, const struct assumption *a)
{
    struct placed chosen = {expr, *a};
    bool found = false;

    for (size_t i = 0; i < expr->args.n; i++) {
        if (check_fold(expr->args.at[i], a).kind == V_NULL)
            continue;
        if (found)
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

static struct value
fold_or(const struct expr *expr, const struct assumption *a)
{
    struct value left = check_fold(expr->args.at[0], a), right = check_fold(expr->args.at[1], a);

    if (left.kind == V_TRUE || right.kind == V_TRUE)
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

static const char *
text_of(struct value value)
{
    return value.kind == V_TRUE ? "true" : value.kind == V_FALSE ? "false" : value.text;
}

static struct value
fold_comparison(const struct expr *left, const struct expr *right, const char *op,
                const struct assumption *a)
{
    struct value x = check_fold(left, a), y = check_fold(right, a);
    const struct expr *column;

    if (x.kind == V_NULL || y.kind == V_NULL)
        return null;
    if (x.kind != V_UNKNOWN && y.kind != V_UNKNOWN)
        return order_holds(op, compare_constants(text_of(x), text_of(y)));
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
fold_truth_test(const char *op, struct value value)
{
    bool negated = strncmp(op, "is not ", 7) == 0;
    const char *word = op + (negated ? 7 : 3);
    enum value_kind wanted = strcmp(word, "true") == 0    ? V_TRUE
                             : strcmp(word, "false") == 0 ? V_FALSE
                                                          : V_NULL;

    if (value.kind == V_UNKNOWN)
        return unknown;
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
    struct value low = fold_comparison(expr->args.at[0], expr->args.at[1], ">=", a);
    struct value high = fold_comparison(expr->args.at[0], expr->args.at[2], "<=", a);
    if (low.kind == V_TRUE && high.kind == V_TRUE)
        return truth(!negated);
    return unknown;
}

static struct value
fold_operator(const struct expr *expr, const struct assumption *a)
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
        return fold_truth_test(op, check_fold(expr->args.at[0], a));
    if (strstr(op, "between"))
        return fold_between(expr, a);
    if (expr->args.n == 2)
        return fold_comparison(expr->args.at[0], expr->args.at[1], op, a);
    return unknown;
}

/* ---- the other forms ---- */

static struct value
fold_call(const struct expr *expr, const struct assumption *a)
{
    const struct function *function;

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
    function = function_find(expr->name);
    for (size_t i = 0; function && function->nulls == STRICT && i < expr->args.n; i++)
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
    for (size_t i = 0; i < select->outputs.n; i++)
        if (select->outputs.at[i].expr->aggregate)
            return true;
    return select->group_by.n > 0;
}

static struct value
fold_exists(const struct expr *expr, const struct assumption *a)
{
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
        struct value one = fold_comparison(expr->args.at[0], expr->args.at[i], "=", a);

        if (one.kind == V_TRUE)
            return truth(!expr->negated);
        if (one.kind == V_UNKNOWN || (one.kind == V_NULL && sum.kind == V_FALSE))
            sum = one;
    }
    return expr->negated ? negate(sum) : sum;
}

static struct value
fold_case(const struct expr *expr, const struct assumption *a)
{
    size_t n = expr->args.n;

    for (size_t i = 1; i + 2 < n; i += 2) {
        struct value when = expr->args.at[0]
                                ? fold_comparison(expr->args.at[0], expr->args.at[i], "=", a)
                                : check_fold(expr->args.at[i], a);

        if (when.kind == V_TRUE)
            return check_fold(expr->args.at[i + 1], a);
        if (when.kind == V_UNKNOWN)
            return unknown;
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
    return check_fold(expr->predicate->body, &inside);
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
        return fold_operator(expr, a);
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
    case EXPR_PREDICATE:
        return fold_predicate(expr, a);
    default:
        return unknown;
    }
}
