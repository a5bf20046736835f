/* SPDX-License-Identifier: MIT */
/*
 * Expressions made of several of one kind: case, in, any, arrays; and sub-selects as values.
 */
#include "check/checker.h"

#include <string.h>

#include "model/functions.h"

/* Takes one more branch into the common type. */
static void
join_types(const struct expr *branch, struct type *common, const char *what)
{
    if (type_common(*common, branch->type, common))
        return;
    struct diag *diag =
        diag_at(branch->span, PGS2026_NO_COMMON_TYPE, "%s are of type %s so far, but this is %s",
                what, type_text(*common), type_text(branch->type));
    diag_hint(diag, "cast one of them");
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
    struct expr *pair[] = {operand, when};
    struct ast_expr at = *ast->args.at[i];
    at.op_span = at.span;
    check_apply_operator(&at, "=", pair, 2, &found);
}

struct expr *
check_case(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_CASE, ast->span);
    struct type common = type_scalar(TYPE_NULL);
    size_t n = ast->args.n;
    struct expr *otherwise = NULL;

    expr->nullable = false;
    vec_push(&expr->args, ast->args.at[0] ? check_expr(scope, ast->args.at[0]) : NULL);
    for (size_t i = 1; i + 2 < n; i += 2) {
        struct expr *then;

        case_condition(scope, ast, i, expr);
        then = check_expr(scope, ast->args.at[i + 1]);
        vec_push(&expr->args, then);
        join_types(then, &common, "the results of case");
        expr->nullable |= then->nullable;
    }
    if (ast->args.at[n - 1]) {
        otherwise = check_expr(scope, ast->args.at[n - 1]);
        join_types(otherwise, &common, "the results of case");
    }
    vec_push(&expr->args, otherwise);
    expr->nullable |= !otherwise || otherwise->nullable;
    expr->type = common;
    check_settle_branches(expr, common);
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

struct expr *
check_in(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_IN, ast->span), *left;
    struct resolution found;
    struct ast_expr at = *ast;

    expr->negated = ast->negated;
    expr->type = type_scalar(TYPE_BOOL);
    if (ast->args.at[0]->kind == AST_ROW)
        return row_in(scope, ast, expr);
    left = check_expr(scope, ast->args.at[0]);
    vec_push(&expr->args, left);
    at.op_span = ast->span;
    if (ast->select) {
        expr->select = sub_select(scope, ast);
        struct expr *pair[] = {left, only_output(expr->select)};
        check_apply_operator(&at, "=", pair, 2, &found);
        return expr;
    }
    for (size_t i = 1; i < ast->args.n; i++) {
        struct expr *item = check_expr(scope, ast->args.at[i]);
        struct expr *pair[] = {left, item};

        vec_push(&expr->args, item);
        at.op_span = item->span;
        check_apply_operator(&at, "=", pair, 2, &found);
        check_listed(left, item);
    }
    expr->nullable = check_any_nullable(expr);
    return expr;
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
        check_apply_operator(ast, ast->op, pair, 2, &found);
        return expr;
    }
    right = check_expr(scope, ast->args.at[1]);
    vec_push(&expr->args, right);
    if (type_is_open(right->type))
        check_settle(right, type_array_of(left->type));
    if (!right->type.array && !type_is_open(right->type)) {
        struct diag *diag =
            diag_at(right->span, PGS2024_WRONG_TYPE, "`%s` takes an array, but this is %s",
                    ast->kind == AST_ANY ? "any" : "all", type_text(right->type));
        diag_hint(diag, "write `x = y`, or give an array");
        return expr;
    }
    element = *right;
    element.value = NULL;
    element.type = type_element(right->type);
    struct expr *pair[] = {left, &element};
    check_apply_operator(ast, ast->op, pair, 2, &found);
    return expr;
}

struct expr *
check_array(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_ARRAY, ast->span);
    struct type common = type_scalar(TYPE_NULL);

    expr->nullable = false;
    if (ast->select) {
        expr->select = sub_select(scope, ast);
        expr->type = type_array_of(only_output(expr->select)->type);
        return expr;
    }
    for (size_t i = 0; i < ast->args.n; i++) {
        struct expr *item = check_expr(scope, ast->args.at[i]);

        vec_push(&expr->args, item);
        join_types(item, &common, "the items of the array");
    }
    for (size_t i = 0; i < expr->args.n; i++)
        check_settle(expr->args.at[i], common);
    expr->type = type_array_of(common);
    return expr;
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
    if (!base->type.array && !json && !type_is_open(base->type)) {
        struct diag *diag =
            diag_at(base->span, PGS2024_WRONG_TYPE, "only an array has subscripts, but this is %s",
                    type_text(base->type));
        diag_hint(diag, "use `->` for json, substr() for text");
        return expr;
    }
    expr->type = json || ast->args.n == 3 ? base->type : type_element(base->type);
    return expr;
}

/* ---- sub-selects as values ---- */

struct expr *
check_exists(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_EXISTS, ast->span);

    expr->negated = ast->negated;
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = false;
    expr->select = sub_select(scope, ast);
    return expr;
}

struct expr *
check_scalar_select(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_SELECT, ast->span);

    expr->select = sub_select(scope, ast);
    expr->type = only_output(expr->select)->type;
    return expr;
}
