/* SPDX-License-Identifier: MIT */
/* Calls of declared functions: arguments in their order or by name, defaults left out. */
#include "check/checker.h"

#include <string.h>

#include "model/types.h"

struct declared_function *
check_function_named(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->functions.n; i++)
        if (strcmp(model->functions.at[i]->name, name) == 0)
            return model->functions.at[i];
    return NULL;
}

/* "f(a uuid, n integer default 1)" */
static const char *
form_of(const struct declared_function *function)
{
    const char *text = "";

    for (size_t i = 0; i < function->params.n; i++)
        text = arena_printf("%s%s%s %s%s", text, i ? ", " : "", function->params.at[i]->name,
                            type_text(function->params.at[i]->type),
                            function->params.at[i]->default_expr ? " default ..." : "");
    return arena_printf("%s(%s)", function->name, text);
}

static struct expr *
report(const struct ast_expr *ast, struct span span, const struct declared_function *function,
       const char *message)
{
    struct diag *diag = diag_at(span, PGS2215_FUNCTION_ARGUMENTS, "%s", message);

    diag_note(diag, function->span, "it is declared here");
    diag_hint(diag, "it is: %s", form_of(function));
    return check_new_expr(EXPR_RAW, ast->span);
}

static const struct param *
param_named(const struct declared_function *function, const char *name)
{
    for (size_t i = 0; i < function->params.n; i++)
        if (strcmp(function->params.at[i]->name, name) == 0)
            return function->params.at[i];
    return NULL;
}

/* Puts an argument into its place; NULL after an error. */
static const struct param *
param_of(const struct declared_function *function, const struct ast_expr *arg, size_t i,
         const struct expr *call)
{
    const struct param *param = i < function->params.n ? function->params.at[i] : NULL;
    const struct ast_name *name = arg->kind == AST_NAMED ? &arg->names.at[0] : NULL;

    if (name)
        param = param_named(function, name->text);
    if (!param && name)
        report(arg, name->span, function,
               arena_printf("%s() has no argument \"%s\"", function->name, name->text));
    else if (!param)
        report(arg, arg->span, function,
               arena_printf("%s() takes %zu argument%s", function->name, function->params.n,
                            function->params.n == 1 ? "" : "s"));
    else if (call->args.at[param->number]) {
        report(arg, arg->span, function,
               arena_printf("argument \"%s\" is given twice", param->name));
        param = NULL;
    }
    return param;
}

static bool
read_arguments(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    const struct declared_function *function = expr->declared;

    for (size_t i = 0; i < function->params.n; i++)
        vec_push(&expr->args, NULL);
    for (size_t i = 0; i < ast->args.n; i++) {
        const struct ast_expr *arg = ast->args.at[i];
        const struct param *param = param_of(function, arg, i, expr);

        if (!param)
            return false;
        arg = arg->kind == AST_NAMED ? arg->args.at[0] : arg;
        expr->args.at[param->number] = check_row_argument(scope, arg, param->type);
        if (!expr->args.at[param->number])
            expr->args.at[param->number] = check_expr(scope, arg);
        check_becomes(expr->args.at[param->number], param->type, CAST_IMPLICIT,
                      arena_printf("argument \"%s\" of %s()", param->name, function->name));
    }
    for (size_t i = 0; i < function->params.n; i++)
        if (!expr->args.at[i] && !function->params.at[i]->default_expr) {
            report(ast, ast->span, function,
                   arena_printf("%s() is called without its argument \"%s\"", function->name,
                                function->params.at[i]->name));
            return false;
        }
    return true;
}

/* What a constraint, an index or a default may call. */
static bool
may_stand_here(const struct scope *scope, const struct ast_expr *ast,
               const struct declared_function *function)
{
    bool fixed = scope->place == PLACE_CHECK || scope->place == PLACE_INDEX;
    struct diag *diag;

    if (function->returns_trigger || function->returns_void) {
        diag = diag_at(ast->span, PGS2216_FUNCTION_HERE, "%s() gives no value: it returns %s",
                       function->name, function->returns_trigger ? "trigger" : "void");
        diag_hint(diag, function->returns_trigger ? "it is called by a `trigger`"
                                                  : "it is served by an `endpoint`");
        return false;
    }
    if (fixed && function->volatility != FUNCTION_IMMUTABLE) {
        diag = diag_at(ast->span, PGS2046_VOLATILE_HERE,
                       "%s() cannot stand in %s: it is not declared immutable", function->name,
                       scope->place == PLACE_CHECK ? "a check constraint" : "an index");
        diag_note(diag, function->span, "it is declared here");
        diag_hint(diag, "declare it `immutable` if it reads its arguments alone");
        return false;
    }
    return true;
}

static struct expr *
report_unknown(const struct ast_expr *ast)
{
    struct diag *diag = diag_at(ast->path.span, PGS2006_UNKNOWN_FUNCTION,
                                "there is no function public.%s()", ast->path.name.text);

    diag_hint(diag, "PostgreSQL's own functions are named without a schema");
    return check_new_expr(EXPR_RAW, ast->span);
}

struct expr *
check_declared_call(struct scope *scope, const struct ast_expr *ast)
{
    const struct declared_function *function =
        check_function_named(scope->checker->model, ast->path.name.text);
    struct expr *expr;
    bool in_from = scope->in_from;

    scope->in_from = false;
    uses_note(ast->path.name.span, USE_FUNCTION, function);
    if (!function)
        return report_unknown(ast);
    check_signature_now(scope->checker, function);
    expr = check_new_expr(EXPR_FUNCTION, ast->span);
    expr->declared = function;
    expr->name = function->name;
    expr->type = function->returns_type;
    if (!read_arguments(scope, ast, expr) || !may_stand_here(scope, ast, function) ||
        !check_tail_fits(ast, 'f'))
        return check_new_expr(EXPR_RAW, ast->span);
    if (in_from)
        return expr;
    if (function->returns_set)
        check_set_place(scope, ast);
    if (function->returns_table || function->returns_columns.n > 0) {
        struct diag *diag = diag_at(ast->span, PGS2216_FUNCTION_HERE,
                                    "%s() gives rows of several columns", function->name);
        diag_hint(diag, "read it in `from`: `select ... from %s(...) as x`", function->name);
        return check_new_expr(EXPR_RAW, ast->span);
    }
    return expr;
}
