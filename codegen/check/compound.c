/* SPDX-License-Identifier: MIT */
/*
 * Expressions made of several of one kind: case, in, any, arrays; and sub-selects as values.
 */
#include "check/checker.h"

#include <string.h>

#include "check/nulls.h"
#include "model/functions.h"

VEC_STRUCT(types, struct type);

static struct types
types_of(const struct exprs *exprs)
{
    struct types types = {0};

    for (size_t i = 0; i < exprs->n; i++)
        vec_push(&types, exprs->at[i]->type);
    return types;
}

/* In the order of the sources: of a case, the branch that is tried last comes first. */
static struct exprs
in_order(const struct exprs *exprs)
{
    struct exprs sorted = {0};
    size_t first = exprs->n > 1 && exprs->at[0]->span.start > exprs->at[1]->span.start ? 1 : 0;

    for (size_t i = 0; i < exprs->n; i++)
        vec_push(&sorted, exprs->at[(i + first) % exprs->n]);
    return sorted;
}

/* The first that does not go with those before it. */
static void
report_no_common_type(const struct exprs *unsorted, const char *what)
{
    struct exprs sorted = in_order(unsorted), *exprs = &sorted;
    struct types types = types_of(exprs);
    struct type so_far = type_scalar(TYPE_ANY);
    size_t n = 1;

    while (n < exprs->n && type_common_of(types.at, n, &so_far))
        n++;
    type_common_of(types.at, n - 1, &so_far);
    struct diag *diag = diag_at(exprs->at[n - 1]->span, PGS2026_NO_COMMON_TYPE,
                                "%s are of type %s so far, but this is %s", what, type_text(so_far),
                                type_text(exprs->at[n - 1]->type));
    diag_hint(diag, "cast one of them");
}

/* The common type, which the open ones take; of literals alone it is text. */
static struct type
settle_common(const struct exprs *exprs, const char *what)
{
    struct types types = types_of(exprs);
    struct type common;

    if (!type_common_of(types.at, types.n, &common)) {
        report_no_common_type(exprs, what);
        return type_scalar(TYPE_ANY);
    }
    if (type_is_open(common) && common.kind != TYPE_ANY)
        common = type_scalar(TYPE_TEXT);
    for (size_t i = 0; i < exprs->n; i++)
        check_settle(exprs->at[i], common);
    return common;
}

/* `left op right`, where a literal on the left is taken anew for each right side. */
static bool
apply_again(const struct ast_expr *ast, const char *op, const struct expr *left, struct expr *right,
            struct resolution *found)
{
    struct expr again = *left;
    struct expr *pair[] = {&again, right};

    return check_apply_operator(ast, op, pair, 2, found);
}

static void
case_condition(struct scope *scope, const struct ast_expr *ast, size_t i, struct expr *expr)
{
    struct expr *operand = expr->args.at[0];
    struct expr *when;
    struct resolution found;

    if (!operand) {
        vec_push(&expr->args, check_condition(scope, ast->args.at[i], "a condition of case"));
        return;
    }
    when = check_expr(scope, ast->args.at[i]);
    vec_push(&expr->args, when);
    struct ast_expr at = *ast->args.at[i];
    at.op_span = at.span;
    if (apply_again(&at, "=", operand, when, &found))
        check_listed(operand, when);
}

struct expr *
check_case(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_CASE, ast->span);
    struct exprs results = {0};
    size_t n = ast->args.n;
    struct expr *otherwise = NULL;

    expr->nullable = false;
    vec_push(&expr->args, ast->args.at[0] ? check_expr(scope, ast->args.at[0]) : NULL);
    if (expr->args.at[0])
        check_settle(expr->args.at[0], type_scalar(TYPE_TEXT));
    if (ast->args.at[n - 1]) { /* PostgreSQL asks it first: of varchar and text it decides */
        otherwise = check_expr(scope, ast->args.at[n - 1]);
        vec_push(&results, otherwise);
    }
    for (size_t i = 1; i + 2 < n; i += 2) {
        struct expr *then;

        case_condition(scope, ast, i, expr);
        then = check_expr(scope, ast->args.at[i + 1]);
        vec_push(&expr->args, then);
        vec_push(&results, then);
        expr->nullable |= then->nullable;
    }
    vec_push(&expr->args, otherwise);
    expr->nullable |= !otherwise || otherwise->nullable;
    expr->type = settle_common(&results, "the results of case");
    return expr;
}

/* The one column that a sub-select beside `in`, `any` or alone must have. */
static struct expr *
only_output(const struct select *select)
{
    struct diag *diag;

    if (select->outputs.n == 1)
        return select->outputs.at[0].expr;
    if (select->outputs.n > 1) {
        diag = diag_at(select->outputs.at[1].span, PGS2047_SUBSELECT_COLUMNS,
                       "a sub-select gives one column here, this one gives %zu", select->outputs.n);
        diag_hint(diag, "name the one that is meant");
    }
    return check_new_expr(EXPR_RAW, select->span);
}

/* A constraint, default or index is about one row and cannot ask other tables. */
static struct select *
sub_select(struct scope *scope, const struct ast_expr *ast)
{
    if (scope->place <= PLACE_ARGUMENT) {
        struct diag *diag = diag_at(ast->span, PGS2043_SUBSELECT_HERE,
                                    "%s cannot hold a sub-select", check_place_name(scope->place));
        diag_hint(diag, "PostgreSQL does not allow it; a policy's `with check` can ask other "
                        "tables");
    }
    return check_select(scope, ast->select);
}

/* (a, b) in ((1, 2), (3, 4)) and (a, b) in (select x, y ...) */
static struct expr *
row_in(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    struct expr *left = check_row(scope, ast->args.at[0]), outputs = {.kind = EXPR_ROW};

    vec_push(&expr->args, left);
    for (size_t i = 1; i < ast->args.n; i++) {
        bool is_row = ast->args.at[i]->kind == AST_ROW;
        struct expr *item =
            is_row ? check_row(scope, ast->args.at[i]) : check_expr(scope, ast->args.at[i]);

        vec_push(&expr->args, item);
        check_compare_rows(ast, "=", left, item);
    }
    if (!ast->select)
        return expr;
    expr->select = sub_select(scope, ast);
    outputs.span = ast->select->span;
    for (size_t i = 0; i < expr->select->outputs.n; i++)
        vec_push(&outputs.args, expr->select->outputs.at[i].expr);
    check_compare_rows(ast, "=", left, &outputs);
    return expr;
}

/*
 * Several items that do not depend on the row become an array, so they take one type with the left
 * side where there is one; the others are compared one by one.
 */
static void
settle_items(const struct scope *scope, const struct expr *expr)
{
    struct exprs constants = {0};
    struct types types;
    struct type common;

    vec_push(&constants, expr->args.at[0]);
    for (size_t i = 1; i < expr->args.n; i++)
        if (!check_reads_row(scope, expr->args.at[i]))
            vec_push(&constants, expr->args.at[i]);
    types = types_of(&constants);
    if (constants.n <= 2 || !type_common_of(types.at, types.n, &common) || type_is_open(common))
        return;
    for (size_t i = 1; i < constants.n; i++)
        check_settle(constants.at[i], common);
}

static void
compare_items(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    struct expr *left = expr->args.at[0];
    struct resolution found = {0};
    struct ast_expr at = *ast;

    for (size_t i = 1; i < ast->args.n; i++)
        vec_push(&expr->args, check_expr(scope, ast->args.at[i]));
    settle_items(scope, expr);
    for (size_t i = 1; i < expr->args.n; i++) {
        struct expr *item = expr->args.at[i];

        at.op_span = item->span;
        if (!apply_again(&at, ast->negated ? "<>" : "=", left, item, &found))
            break; /* the others would say the same */
        check_listed(left, item);
    }
    expr->function = found.function;
    expr->nullable = check_any_nullable(expr);
}

struct expr *
check_in(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_IN, ast->span), *left;
    struct resolution found = {0};
    struct ast_expr at = *ast;

    expr->negated = ast->negated;
    expr->type = type_scalar(TYPE_BOOL);
    if (ast->args.at[0]->kind == AST_ROW)
        return row_in(scope, ast, expr);
    left = check_expr(scope, ast->args.at[0]);
    vec_push(&expr->args, left);
    at.op_span = ast->span;
    if (!ast->select) {
        compare_items(scope, ast, expr);
        return expr;
    }
    expr->select = sub_select(scope, ast);
    struct expr *pair[] = {left, only_output(expr->select)};
    check_apply_operator(&at, "=", pair, 2, &found);
    expr->function = found.function;
    expr->nullable = left->nullable || pair[1]->nullable;
    return expr;
}

static bool
may_hold_null(const struct expr *array)
{
    return array->kind != EXPR_ARRAY || array->select || check_any_nullable(array);
}

static void
report_array_of_arrays(const struct expr *right)
{
    struct diag *diag = diag_at(right->span, PGS2024_WRONG_TYPE,
                                "an array is compared with the items of another one here");

    diag_hint(diag, "compare the two: `a = b`, `a && b`, `a @> b`");
}

/* x = any (array) and x = all (select ...) */
struct expr *
check_quantified(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(ast->kind == AST_ANY ? EXPR_ANY : EXPR_ALL, ast->span);
    struct expr *left = check_expr(scope, ast->args.at[0]), *right, element;
    struct resolution found;

    expr->name = ast->op;
    expr->type = type_scalar(TYPE_BOOL);
    vec_push(&expr->args, left);
    if (ast->select) {
        expr->select = sub_select(scope, ast);
        struct expr *pair[] = {left, only_output(expr->select)};
        if (check_apply_operator(ast, ast->op, pair, 2, &found)) {
            expr->function = found.function;
            expr->nullable = left->nullable || pair[1]->nullable || found.function->nulls != STRICT;
        }
        return expr;
    }
    right = check_expr(scope, ast->args.at[1]);
    vec_push(&expr->args, right);
    if (!type_base(right->type).array && !type_is_open(right->type)) {
        struct diag *diag =
            diag_at(right->span, PGS2024_WRONG_TYPE, "`%s` takes an array, but this is %s",
                    ast->kind == AST_ANY ? "any" : "all", type_text(right->type));
        diag_hint(diag, "write `x = y`, or give an array");
        return expr;
    }
    element = *right;
    element.value = NULL;
    if (!type_is_open(right->type))
        element.type = type_element(type_base(right->type));
    struct expr *pair[] = {left, &element};
    if (type_is_open(right->type) && type_base(left->type).array) {
        report_array_of_arrays(right);
        return expr;
    }
    if (check_apply_operator(ast, ast->op, pair, 2, &found)) {
        check_settle(right, type_array_of(found.args[1]));
        check_listed_items(left, right);
        expr->function = found.function;
        expr->nullable = left->nullable || may_hold_null(right) || found.function->nulls != STRICT;
    }
    return expr;
}

struct expr *
check_array(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_ARRAY, ast->span);
    struct exprs items = {0};
    struct type common;

    expr->nullable = false;
    if (ast->select) {
        expr->select = sub_select(scope, ast);
        common = only_output(expr->select)->type;
        expr->type = common.array ? common : type_array_of(common);
        return expr;
    }
    for (size_t i = 0; i < ast->args.n; i++) {
        vec_push(&expr->args, check_expr(scope, ast->args.at[i]));
        vec_push(&items, expr->args.at[i]);
    }
    if (items.n == 0) {
        struct diag *diag = diag_at(ast->span, PGS2100_EMPTY_ARRAY, "of which type are its items?");
        diag_hint(diag, "write '{}', or `array[]::text[]`");
        return expr;
    }
    common = settle_common(&items, "the items of the array");
    expr->type = common.array ? common : type_array_of(common);
    return expr;
}

/* What a subscript takes out of a value; false: it has none. */
static bool
part_type(struct type type, struct type *out)
{
    type = type_base(type);
    if (type.array)
        *out = type_element(type);
    else if (type.kind == TYPE_POINT || type.kind == TYPE_LINE)
        *out = type_scalar(TYPE_FLOAT8);
    else if (type.kind == TYPE_BOX || type.kind == TYPE_LSEG)
        *out = type_scalar(TYPE_POINT);
    else if (type.kind == TYPE_JSONB || type.kind == TYPE_ANY)
        *out = type;
    else
        return false;
    return true;
}

struct expr *
check_subscript(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_SUBSCRIPT, ast->span);
    struct expr *base = check_expr(scope, ast->args.at[0]);
    bool json = base->type.kind == TYPE_JSONB && !base->type.array;

    vec_push(&expr->args, base);
    for (size_t i = 1; i < ast->args.n; i++)
        vec_push(&expr->args, json ? check_expr(scope, ast->args.at[i])
                                   : check_expr_as(scope, ast->args.at[i], type_scalar(TYPE_INT4),
                                                   "a subscript"));
    if (!part_type(base->type, &expr->type)) {
        struct diag *diag =
            diag_at(base->span, PGS2024_WRONG_TYPE, "only an array has subscripts, but this is %s",
                    type_text(base->type));
        diag_hint(diag, "use `->` for json, substr() for text");
        return expr;
    }
    if (ast->args.n == 3)
        expr->type = type_base(base->type);
    return expr;
}

/* ---- sub-selects as values ---- */

struct expr *
check_exists(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_EXISTS, ast->span);
    struct ast_expr one = {.kind = AST_NUMBER, .span = ast->span, .text = "1", .depth = 1};
    struct ast_output output = {.span = ast->span, .expr = &one};
    struct ast_select select = *ast->select;
    struct ast_expr with_output = *ast;

    if (select.kind == AST_PLAIN && select.outputs.n == 0) { /* `select from t`: the rows alone */
        vec_push(&select.outputs, output);
        with_output.select = &select;
    }
    expr->negated = ast->negated;
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = false;
    expr->select = sub_select(scope, &with_output);
    return expr;
}

struct expr *
check_scalar_select(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_SELECT, ast->span);

    expr->select = sub_select(scope, ast);
    expr->type = only_output(expr->select)->type;
    expr->nullable = check_is_select_nullable(expr->select);
    return expr;
}
