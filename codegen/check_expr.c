/* SPDX-License-Identifier: MIT */
/*
 * Types of expressions.  Literals in quotes and NULL stay open until they meet something with a
 * type; then check_settle gives it to them and reads their value.
 */
#include "checker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "names.h"
#include "types.h"

struct expr *
check_new_expr(enum expr_kind kind, struct span span)
{
    struct expr *expr = arena_alloc(sizeof(*expr));

    expr->kind = kind;
    expr->span = span;
    expr->type = type_scalar(TYPE_ANY);
    expr->nullable = true;
    return expr;
}

/* ---- open literals ---- */

static void
settle_case(struct expr *expr, struct type type)
{
    for (size_t i = 2; i < expr->args.n; i += 2)
        check_settle(expr->args.at[i], type);
    if (expr->args.at[expr->args.n - 1])
        check_settle(expr->args.at[expr->args.n - 1], type);
}

void
check_settle(struct expr *expr, struct type type)
{
    if (!type_is_open(expr->type) || type_is_open(type) || expr->type.kind == TYPE_ANY)
        return;
    if (expr->value)
        check_literal(expr->span, type, expr->value);
    expr->type = type;
    if (expr->kind == EXPR_CASE)
        settle_case(expr, type);
    else if (expr->kind == EXPR_ARRAY || expr->kind == EXPR_CALL)
        for (size_t i = 0; i < expr->args.n; i++)
            check_settle(expr->args.at[i], expr->kind == EXPR_ARRAY ? type_element(type) : type);
}

void
check_becomes(struct expr *expr, struct type want, enum type_cast need, const char *what)
{
    struct diag *diag;

    if (type_is_open(expr->type) || type_cast_kind(expr->type, want) >= need) {
        check_settle(expr, want);
        return;
    }
    diag = diag_at(expr->span, PGS2024_WRONG_TYPE, "%s is of type %s, but this is %s", what,
                   type_text(want), type_text(expr->type));
    if (type_cast_kind(expr->type, want) == CAST_EXPLICIT)
        diag_hint(diag, "cast it: `(...)::%s`", type_text(want));
    else
        diag_hint(diag, "give a value of type %s", type_text(want));
}

struct expr *
check_expr_as(struct scope *scope, const struct ast_expr *ast, struct type want, const char *what)
{
    struct expr *expr = check_expr(scope, ast);

    check_becomes(expr, want, CAST_ASSIGNMENT, what);
    return expr;
}

struct expr *
check_condition(struct scope *scope, const struct ast_expr *ast, const char *what)
{
    struct expr *expr = check_expr(scope, ast);

    if (type_is_bool(expr->type)) {
        check_settle(expr, type_scalar(TYPE_BOOL));
        return expr;
    }
    struct diag *diag = diag_at(expr->span, PGS2023_NOT_BOOLEAN,
                                "%s is true or false, but this is %s", what, type_text(expr->type));
    diag_hint(diag, "compare it with something");
    return expr;
}

/* ---- literals ---- */

static struct expr *
number_literal(const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_LITERAL, ast->span);
    long long value;

    expr->text = ast->text;
    expr->nullable = false;
    expr->type = type_scalar(TYPE_NUMERIC);
    if (strpbrk(ast->text, ".eE"))
        return expr;
    errno = 0;
    value = strtoll(ast->text, NULL, 10);
    if (errno == 0)
        expr->type = type_scalar(value <= INT32_MAX ? TYPE_INT4 : TYPE_INT8);
    return expr;
}

static struct expr *
string_literal(const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_LITERAL, ast->span);

    expr->text = name_literal(ast->text);
    expr->value = ast->text;
    expr->type = type_scalar(TYPE_UNKNOWN);
    expr->nullable = false;
    return expr;
}

static struct expr *
word_literal(const struct ast_expr *ast, const char *text, enum type_kind kind)
{
    struct expr *expr = check_new_expr(EXPR_LITERAL, ast->span);

    expr->text = text;
    expr->type = type_scalar(kind);
    expr->nullable = kind == TYPE_NULL;
    return expr;
}

/* ---- operators ---- */

static bool
is_comparison(const char *op)
{
    static const char *const names[] = {
        "=", "<>", "<", ">", "<=", ">=", "is distinct from", "is not distinct from"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], op) == 0)
            return true;
    return false;
}

/* `x = null` is null for every x. */
static void
refuse_null_comparison(const struct ast_expr *ast, const struct expr *expr)
{
    if (strncmp(ast->op, "is ", 3) == 0)
        return;
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i]->type.kind == TYPE_NULL) {
            struct diag *diag =
                diag_at(ast->span, PGS2029_COMPARES_NULL, "a comparison with null is never true");
            diag_hint(diag, "write `is null` or `is not null`");
            return;
        }
}

/* In a sub-select: `m.team_id = team_id`, where the bare name was meant to be the outer row's. */
static void
refuse_self_comparison(const struct ast_expr *ast, const struct expr *expr)
{
    const struct expr *a = expr->args.at[0], *b = expr->args.at[1];

    if (a->kind != EXPR_COLUMN || b->kind != EXPR_COLUMN || a->column != b->column ||
        a->range != b->range || a->range->implicit)
        return;
    struct diag *diag =
        diag_at(ast->span, PGS2030_COMPARES_SELF, "this compares \"%s\" of \"%s\" with itself",
                a->column->name, a->range->alias);
    diag_hint(diag, "a bare name is the innermost table's: qualify the other one with its table");
}

static void
check_listed(const struct expr *column, const struct expr *literal)
{
    if (column->kind == EXPR_COLUMN && type_is_text(column->type) && literal->value)
        check_listed_value(column->column, literal);
}

static void
report_operator(const struct ast_expr *ast, const char *op, const struct expr *const *args,
                size_t n)
{
    struct diag *diag;

    if (n == 1) {
        diag = diag_at(ast->op_span, PGS2022_NO_OPERATOR, "there is no operator %s %s", op,
                       type_text(args[0]->type));
        return;
    }
    if (is_comparison(op))
        diag = diag_at(ast->op_span, PGS2022_NO_OPERATOR, "%s and %s cannot be compared",
                       type_text(args[0]->type), type_text(args[1]->type));
    else
        diag = diag_at(ast->op_span, PGS2022_NO_OPERATOR, "there is no operator %s %s %s",
                       type_text(args[0]->type), op, type_text(args[1]->type));
    if (type_cast_kind(args[1]->type, args[0]->type) >= CAST_EXPLICIT)
        diag_hint(diag, "cast one side: `(...)::%s`", type_text(args[0]->type));
    else if (type_cast_kind(args[0]->type, args[1]->type) >= CAST_EXPLICIT)
        diag_hint(diag, "cast one side: `(...)::%s`", type_text(args[1]->type));
    else
        diag_hint(diag, "compare values of one type");
}

/* Finds the operator for two (or one) operands, lets open ones take their type. */
static bool
apply_operator(const struct ast_expr *ast, const char *op, struct expr *const *args, size_t n,
               struct resolution *found)
{
    struct type types[2];

    for (size_t i = 0; i < n; i++)
        types[i] = args[i]->type;
    if (!operator_resolve(op, types, n, found) ||
        (is_comparison(op) && !type_is_comparable(found->args[0]))) {
        report_operator(ast, op, (const struct expr *const *)args, n);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        check_settle(args[i], found->args[i]);
    return true;
}

static bool
any_nullable(const struct expr *expr)
{
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i] && expr->args.at[i]->nullable)
            return true;
    return false;
}

/* and, or, not, is true, ... */
static bool
takes_booleans(const char *op)
{
    static const char *const names[] = {"and",          "or",         "not",
                                        "is true",      "is false",   "is not true",
                                        "is not false", "is unknown", "is not unknown"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], op) == 0)
            return true;
    return false;
}

static struct expr *
boolean_operator(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    for (size_t i = 0; i < ast->args.n; i++)
        vec_push(&expr->args, check_condition(scope, ast->args.at[i],
                                              arena_printf("an operand of `%s`", ast->op)));
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = strncmp(ast->op, "is ", 3) != 0 && any_nullable(expr);
    return expr;
}

static struct expr *
null_test(struct expr *expr)
{
    check_settle(expr->args.at[0], type_scalar(TYPE_TEXT));
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = false;
    return expr;
}

static struct expr *
between(const struct ast_expr *ast, struct expr *expr)
{
    struct resolution found;
    struct expr *low[] = {expr->args.at[0], expr->args.at[1]};
    struct expr *high[] = {expr->args.at[0], expr->args.at[2]};

    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = any_nullable(expr);
    if (apply_operator(ast, ">=", low, 2, &found))
        apply_operator(ast, "<=", high, 2, &found);
    return expr;
}

static struct expr *
at_time_zone(const struct ast_expr *ast, struct expr *expr)
{
    struct type types[] = {expr->args.at[1]->type, expr->args.at[0]->type};
    struct resolution found;

    if (!function_resolve("timezone", types, 2, &found)) {
        report_operator(ast, ast->op, (const struct expr *const *)expr->args.at, 2);
        return expr;
    }
    check_settle(expr->args.at[1], found.args[0]);
    check_settle(expr->args.at[0], found.args[1]);
    expr->type = found.result;
    expr->nullable = any_nullable(expr);
    return expr;
}

/* The operator whose types these words go by. */
static const char *
operator_behind(const char *op)
{
    if (strstr(op, "distinct from"))
        return "=";
    if (strstr(op, "similar to"))
        return "like";
    return op;
}

static struct expr *
check_operator(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_OP, ast->span);
    struct resolution found;

    expr->name = ast->op;
    if (takes_booleans(ast->op))
        return boolean_operator(scope, ast, expr);
    for (size_t i = 0; i < ast->args.n; i++)
        vec_push(&expr->args, check_expr(scope, ast->args.at[i]));
    if (strcmp(ast->op, "is null") == 0 || strcmp(ast->op, "is not null") == 0)
        return null_test(expr);
    if (strstr(ast->op, "between"))
        return between(ast, expr);
    if (strcmp(ast->op, "at time zone") == 0)
        return at_time_zone(ast, expr);
    if (is_comparison(ast->op)) {
        refuse_null_comparison(ast, expr);
        refuse_self_comparison(ast, expr);
        check_listed(expr->args.at[0], expr->args.at[1]);
        check_listed(expr->args.at[1], expr->args.at[0]);
    }
    if (!apply_operator(ast, operator_behind(ast->op), expr->args.at,
                        expr->args.n < 2 ? expr->args.n : 2, &found))
        return expr;
    if (expr->args.n == 3)
        check_becomes(expr->args.at[2], type_scalar(TYPE_TEXT), CAST_IMPLICIT, "an escape");
    expr->type = found.result;
    expr->nullable = strstr(ast->op, "distinct from") == NULL &&
                     (found.function->nulls == MAYBE || any_nullable(expr));
    return expr;
}

/* ---- casts ---- */

static struct expr *
check_cast(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_CAST, ast->span);
    struct expr *arg = check_expr(scope, ast->args.at[0]);
    struct diag *diag;

    vec_push(&expr->args, arg);
    expr->nullable = arg->nullable;
    if (!check_type(scope->checker, ast->type, &expr->type))
        return expr;
    if (type_cast_kind(arg->type, expr->type) == CAST_NONE) {
        diag = diag_at(ast->type->span, PGS2025_NO_CAST, "%s cannot be cast to %s",
                       type_text(arg->type), type_text(expr->type));
        diag_hint(diag, "PostgreSQL has no cast between the two");
        return expr;
    }
    check_settle(arg, expr->type);
    return expr;
}

/* ---- case, in, any, arrays ---- */

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
    apply_operator(&at, "=", pair, 2, &found);
}

static struct expr *
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
    settle_case(expr, common);
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
    static const char *const places[] = {
        [PLACE_DEFAULT] = "a default",
        [PLACE_CHECK] = "a check constraint",
        [PLACE_INDEX] = "an index",
        [PLACE_ARGUMENT] = "the default of an argument",
    };

    if (scope->place <= PLACE_ARGUMENT) {
        struct diag *diag = diag_at(ast->span, PGS2043_SUBSELECT_HERE,
                                    "%s cannot hold a sub-select", places[scope->place]);
        diag_hint(diag, "PostgreSQL does not allow it; a policy's `with check` can ask other "
                        "tables");
    }
    return check_select(scope, ast->select);
}

static struct expr *
check_in(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_IN, ast->span);
    struct expr *left = check_expr(scope, ast->args.at[0]);
    struct resolution found;
    struct ast_expr at = *ast;

    expr->negated = ast->negated;
    expr->type = type_scalar(TYPE_BOOL);
    vec_push(&expr->args, left);
    at.op_span = ast->span;
    if (ast->select) {
        expr->select = sub_select(scope, ast);
        struct expr *pair[] = {left, only_output(expr->select)};
        apply_operator(&at, "=", pair, 2, &found);
        return expr;
    }
    for (size_t i = 1; i < ast->args.n; i++) {
        struct expr *item = check_expr(scope, ast->args.at[i]);
        struct expr *pair[] = {left, item};

        vec_push(&expr->args, item);
        at.op_span = item->span;
        apply_operator(&at, "=", pair, 2, &found);
        check_listed(left, item);
    }
    expr->nullable = any_nullable(expr);
    return expr;
}

/* x = any (array) and x = all (select ...) */
static struct expr *
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
        apply_operator(ast, ast->op, pair, 2, &found);
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
    apply_operator(ast, ast->op, pair, 2, &found);
    return expr;
}

static struct expr *
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

static struct expr *
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

static struct expr *
check_exists(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_EXISTS, ast->span);

    expr->negated = ast->negated;
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = false;
    expr->select = sub_select(scope, ast);
    return expr;
}

static struct expr *
check_scalar_select(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_SELECT, ast->span);

    expr->select = sub_select(scope, ast);
    expr->type = only_output(expr->select)->type;
    return expr;
}

/* ---- what cannot stand here ---- */

static struct expr *
refuse(const struct ast_expr *ast, enum diag_code code, const char *message, const char *hint)
{
    struct diag *diag = diag_at(ast->span, code, "%s", message);

    diag_hint(diag, "%s", hint);
    return check_new_expr(EXPR_RAW, ast->span);
}

static struct expr *
raw(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_RAW, ast->span);

    expr->text = ast->text;
    scope->checker->model->reads_jwt = true;
    return expr;
}

struct expr *
check_expr(struct scope *scope, const struct ast_expr *ast)
{
    switch (ast->kind) {
    case AST_NUMBER:
        return number_literal(ast);
    case AST_STRING:
        return string_literal(ast);
    case AST_TRUE:
        return word_literal(ast, "true", TYPE_BOOL);
    case AST_FALSE:
        return word_literal(ast, "false", TYPE_BOOL);
    case AST_NULL:
        return word_literal(ast, "null", TYPE_NULL);
    case AST_COLUMN:
        return check_name(scope, ast);
    case AST_CALL:
        return check_call(scope, ast);
    case AST_OP:
        return check_operator(scope, ast);
    case AST_CAST:
        return check_cast(scope, ast);
    case AST_CASE:
        return check_case(scope, ast);
    case AST_IN:
        return check_in(scope, ast);
    case AST_EXISTS:
        return check_exists(scope, ast);
    case AST_SELECT:
        return check_scalar_select(scope, ast);
    case AST_ARRAY:
        return check_array(scope, ast);
    case AST_ANY:
    case AST_ALL:
        return check_quantified(scope, ast);
    case AST_EXTRACT:
        return check_extract(scope, ast);
    case AST_SUBSCRIPT:
        return check_subscript(scope, ast);
    case AST_RAW:
        return raw(scope, ast);
    case AST_STAR:
        return refuse(ast, PGS2048_STAR_HERE, "`*` is no value",
                      "it stands in `select *` and `count(*)`");
    case AST_ROW:
        return refuse(ast, PGS2051_ROW_HERE, "a row is no value", "compare the columns one by one");
    case AST_PUBLIC: /* alone in a policy: check_access.c has taken it */
        break;
    }
    return check_new_expr(EXPR_RAW, ast->span);
}
