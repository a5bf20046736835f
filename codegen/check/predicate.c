/* SPDX-License-Identifier: MIT */
/*
 * Arguments, and predicates: first all their arguments, since they may call one another, then the
 * bodies, then circles among them.
 */
#include "check/checker.h"

#include <string.h>

/* ---- arguments ---- */

static void
check_param_name(const struct params *params, const struct ast_param *ast)
{
    for (size_t i = 0; i < params->n; i++) {
        struct diag *diag;

        if (strcmp(params->at[i]->name, ast->name.text) != 0)
            continue;
        diag = diag_at(ast->name.span, PGS1117_DUPLICATE_ARGUMENT,
                       "argument \"%s\" is declared twice", ast->name.text);
        diag_note(diag, params->at[i]->span, "first declared here");
        diag_hint(diag, "rename one of the two");
    }
}

/* PostgreSQL: after an argument with a default all others have one. */
static void
check_param_order(const struct params *params, const struct ast_param *ast)
{
    struct diag *diag;

    if (ast->default_expr || params->n == 0 || !params->at[params->n - 1]->default_expr)
        return;
    diag = diag_at(ast->name.span, PGS1121_ARGUMENT_ORDER,
                   "argument \"%s\" needs a default: the one before it has one", ast->name.text);
    diag_hint(diag, "put arguments with defaults last");
}

void
check_params(struct checker *checker, const struct ast_params *ast, bool take_rows,
             struct params *out)
{
    for (size_t i = 0; i < ast->n; i++) {
        const struct ast_param *written = ast->at[i];
        struct param *param = arena_alloc(sizeof(*param));
        struct scope scope = {.checker = checker, .place = PLACE_ARGUMENT};

        check_param_name(out, written);
        check_param_order(out, written);
        param->span = written->name.span;
        param->name = written->name.text;
        param->number = (int)i;
        if (!take_rows || !check_row_type(checker, written->type, &param->type))
            check_storable_type(checker, written->type, &param->type);
        scope.clause = "the default of an argument";
        if (written->default_expr)
            param->default_expr = check_expr_as(&scope, written->default_expr, param->type,
                                                arena_printf("argument \"%s\"", param->name));
        vec_push(out, param);
    }
}

void
check_result_columns(struct checker *checker, const struct ast_columns *ast,
                     struct result_columns *out)
{
    for (size_t i = 0; i < ast->n; i++) {
        struct column *column = arena_alloc(sizeof(*column));

        column->span = ast->at[i]->name.span;
        column->name = ast->at[i]->name.text;
        column->number = (int)i;
        check_storable_type(checker, ast->at[i]->type, &column->type);
        vec_push(out, column);
    }
}

/* ---- predicates ---- */

static void
check_body(struct checker *checker, const struct ast_predicate *ast, struct predicate *predicate)
{
    struct scope scope = {.checker = checker, .place = PLACE_PREDICATE};

    scope.params = predicate->params;
    scope.clause = "a predicate";
    predicate->body = check_condition(&scope, ast->body, "a predicate");
}

/* ---- circles ---- */

struct chain {
    const struct chain *before;
    const struct predicate *predicate;
    bool found;
};

static bool
is_in_chain(const struct chain *chain, const struct predicate *predicate)
{
    for (; chain; chain = chain->before)
        if (chain->predicate == predicate)
            return true;
    return false;
}

static void
follow_call(const struct expr *expr, void *data)
{
    struct chain *chain = data, next = {.before = chain, .predicate = expr->predicate};

    if (expr->kind != EXPR_PREDICATE || chain->found || expr->predicate->has_end)
        return;
    if (is_in_chain(chain, expr->predicate)) {
        struct diag *diag = diag_at(expr->span, PGS2070_PREDICATE_CALLS_ITSELF,
                                    "predicate \"%s\" calls itself", expr->predicate->name);
        diag_hint(diag, "a predicate is put in place where it is called: it cannot be recursive");
        ((struct predicate *)expr->predicate)->body = check_new_expr(EXPR_RAW, expr->span);
        chain->found = true;
        return;
    }
    if (expr->predicate->body)
        walk_expr(expr->predicate->body, follow_call, &next);
    chain->found = next.found;
    ((struct predicate *)expr->predicate)->has_end = !next.found;
}

static void
check_circle(const struct predicate *predicate)
{
    struct chain chain = {.predicate = predicate};

    if (predicate->body)
        walk_expr(predicate->body, follow_call, &chain);
}

static bool
is_first(const struct ast_predicate *ast, const struct predicate *predicate)
{
    return predicate && check_same_place(ast->name.span, predicate->span);
}

void
check_predicates(struct checker *checker)
{
    const struct ast *ast = checker->ast;

    for (size_t i = 0; i < ast->predicates.n; i++) {
        struct predicate *predicate =
            check_predicate_named(checker, ast->predicates.at[i]->name.text);

        if (is_first(ast->predicates.at[i], predicate))
            check_params(checker, &ast->predicates.at[i]->params, false, &predicate->params);
    }
    for (size_t i = 0; i < ast->predicates.n; i++) {
        struct predicate *predicate =
            check_predicate_named(checker, ast->predicates.at[i]->name.text);

        if (is_first(ast->predicates.at[i], predicate))
            check_body(checker, ast->predicates.at[i], predicate);
    }
    for (size_t i = 0; i < checker->model->predicates.n; i++)
        check_circle(checker->model->predicates.at[i]);
}
