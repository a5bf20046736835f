/* SPDX-License-Identifier: MIT */
/*
 * Types of expressions.  Literals in quotes and NULL stay open until they meet something with a
 * type; then check_settle gives it to them and reads their value.
 */
#include "check/checker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check/cast.h"
#include "model/names.h"
#include "model/types.h"

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

void
check_settle(struct expr *expr, struct type type)
{
    if (!type_is_open(expr->type) || type_is_open(type) || expr->type.kind == TYPE_ANY)
        return;
    if (expr->value)
        check_literal(expr->span, type, expr->value);
    expr->type = type;
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
    struct expr *expr = check_value(scope, ast, want);

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

/* x collate "de-x-icu": of text alone; which collations there are, the database knows. */
static struct expr *
check_collate(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_COLLATE, ast->span);
    struct expr *arg = check_expr(scope, ast->args.at[0]);

    check_settle(arg, type_scalar(TYPE_TEXT));
    vec_push(&expr->args, arg);
    expr->type = arg->type;
    expr->nullable = arg->nullable;
    expr->text =
        ast->path.schema.text
            ? arena_printf("%s.%s", name_sql(ast->path.schema.text), name_sql(ast->path.name.text))
            : arena_printf("pg_catalog.%s", name_sql(ast->path.name.text));
    if (!type_is_text(type_element(arg->type)) && arg->type.kind != TYPE_ANY)
        return refuse(ast, PGS2214_FORM_HERE, "only text has a collation", "leave out `collate`");
    return expr;
}

/* long: one case a kind of expression */
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
    case AST_FIELD:
        return check_field(scope, ast);
    case AST_SUBSCRIPT:
        return check_subscript(scope, ast);
    case AST_RAW:
        return raw(scope, ast);
    case AST_STAR:
        return refuse(ast, PGS2048_STAR_HERE, "`*` is no value",
                      "it stands in `select *` and `count(*)`");
    case AST_ROW:
        return refuse(ast, PGS2051_ROW_HERE, "a row is no value",
                      "a row stands beside another: `(a, b) = (c, d)`, `(a, b) in (...)`");
    case AST_COLLATE:
        return check_collate(scope, ast);
    case AST_NAMED:
        check_expr(scope, ast->args.at[0]);
        return refuse(ast, PGS2214_FORM_HERE, "only declared functions take arguments by name",
                      "write the arguments in their order");
    case AST_DEFAULT:
        return refuse(ast, PGS2214_FORM_HERE, "`default` is no value",
                      "it stands alone in `values` of an insert and in `set` of an update");
    case AST_PUBLIC: /* alone in a policy: check_access.c has taken it */
        break;
    }
    return check_new_expr(EXPR_RAW, ast->span);
}
