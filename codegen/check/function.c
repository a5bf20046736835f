/* SPDX-License-Identifier: MIT */
/*
 * Declared functions: the signature of each first, since they may call one another and tables,
 * policies and views call them; then the bodies.
 */
#include "check/checker.h"

#include <string.h>

#include "model/functions.h"
#include "model/names.h"
#include "model/types.h"

/* ---- names ---- */

static void
report_name(struct span span, struct span other, const char *name, const char *what)
{
    struct diag *diag =
        diag_at(span, PGS2300_FUNCTION_NAME, "\"%s\" is the name of %s", name, what);

    if (other.file)
        diag_note(diag, other, "it is declared here");
    diag_hint(diag, "rename one of the two: a name has one function");
}

static bool
claim_function_name(struct checker *checker, const struct ast_name *name)
{
    const struct declared_function *function = check_function_named(checker->model, name->text);
    const struct predicate *predicate = check_predicate_named(checker, name->text);
    const struct query *query = check_query_named(checker->model, name->text);

    if (function)
        report_name(name->span, function->span, name->text, "a function");
    else if (predicate)
        report_name(name->span, predicate->span, name->text, "a predicate");
    else if (query)
        report_name(name->span, query->span, name->text, "a query");
    else if (function_find(name->text))
        report_name(name->span, (struct span){0}, name->text, "a function of PostgreSQL itself");
    else
        return true;
    return !function;
}

void
check_declare_functions(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->functions.n; i++) {
        const struct ast_function *ast = checker->ast->functions.at[i];
        struct declared_function *function = arena_alloc(sizeof(*function));

        if (!claim_function_name(checker, &ast->name))
            continue;
        function->span = ast->name.span;
        function->name = ast->name.text;
        function->returns_type = type_scalar(TYPE_ANY);
        vec_push(&checker->model->functions, function);
        vec_push(&checker->signatures, ((struct declared_signature){ast, function, false}));
    }
}

/* ---- what is returned ---- */

static void
read_returns(struct checker *checker, const struct ast_function *ast,
             struct declared_function *function)
{
    const struct ast_type *type = ast->returns;
    bool plain;

    if (!ast->returns_span.file) {
        struct diag *diag = diag_at(ast->name.span, PGS2301_FUNCTION_RETURNS,
                                    "function \"%s\" does not say what it returns", function->name);
        diag_hint(diag, "add `returns void`, or the type of its value");
        function->returns_void = true;
        return;
    }
    if (!type) {
        check_result_columns(checker, &ast->returns_columns, &function->returns_columns);
        function->returns_set = true;
        return;
    }
    plain = type->dimensions == 0 && !type->schema && type->n_args == 0;
    function->returns_void = plain && strcmp(type->spelling, "void") == 0;
    function->returns_trigger = plain && strcmp(type->spelling, "trigger") == 0;
    function->returns_set = type->setof;
    if (function->returns_void || function->returns_trigger) {
        function->returns_type = type_scalar(TYPE_VOID);
        return;
    }
    if (type->dimensions == 0)
        function->returns_table =
            check_table_named(checker, type->schema ? type->schema : "public", type->spelling);
    if (!function->returns_table)
        check_storable_type(checker, type, &function->returns_type);
}

/* ---- the clauses ---- */

static void
read_roles(struct checker *checker, const struct ast_function *ast,
           struct declared_function *function)
{
    struct diag *diag;

    check_find_roles(checker, &ast->roles, &function->roles);
    if (!function->returns_trigger || ast->roles.n == 0)
        return;
    diag = diag_at(ast->roles.at[0].span, PGS2302_TRIGGER_FUNCTION,
                   "\"%s\" returns trigger: nobody calls it but its triggers", function->name);
    diag_hint(diag, "leave out `to`");
}

static void
read_language(const struct ast_function *ast, struct declared_function *function)
{
    const char *given = ast->language.text;
    struct diag *diag;

    function->language = given                                     ? given
                         : ast->body || !function->returns_trigger ? "sql"
                                                                   : "plpgsql";
    if (strcmp(function->language, "sql") != 0 && strcmp(function->language, "plpgsql") != 0) {
        diag = diag_at(ast->language.span, PGS2303_FUNCTION_LANGUAGE,
                       "functions are written in sql or plpgsql, not in \"%s\"", given);
        diag_hint(diag, "other languages are for `sql $$ create function ... $$`");
    } else if (ast->body && strcmp(function->language, "sql") != 0) {
        diag = diag_at(ast->body->span, PGS2303_FUNCTION_LANGUAGE,
                       "a body in plpgsql stands in $$ ... $$");
        diag_hint(diag, "write `as $$ begin ... end $$`, or leave out `language`");
    } else if (function->returns_trigger && strcmp(function->language, "sql") == 0) {
        diag = diag_at(ast->name.span, PGS2303_FUNCTION_LANGUAGE,
                       "PostgreSQL has no trigger functions in sql");
        diag_hint(diag, "write `language plpgsql as $$ begin ...; return new; end $$`");
    }
}

static void
read_settings(const struct ast_function *ast, struct declared_function *function)
{
    for (size_t i = 0; i < ast->settings.n; i++) {
        const struct ast_setting *written = &ast->settings.at[i];
        struct function_setting setting = {written->span, written->name.text, ""};

        for (size_t j = 0; j < written->values.n; j++)
            setting.value = arena_printf("%s%s%s", setting.value, j ? ", " : "",
                                         name_literal(written->values.at[j].text));
        vec_push(&function->settings, setting);
    }
}

static void
check_signature(struct checker *checker, const struct ast_function *ast,
                struct declared_function *function)
{
    static const enum function_volatility volatilities[] = {
        [AST_VOLATILITY_NONE] = FUNCTION_VOLATILE,
        [AST_IMMUTABLE] = FUNCTION_IMMUTABLE,
        [AST_STABLE] = FUNCTION_STABLE,
        [AST_VOLATILE] = FUNCTION_VOLATILE,
    };

    check_params(checker, &ast->params, true, &function->params);
    read_returns(checker, ast, function);
    read_roles(checker, ast, function);
    read_language(ast, function);
    read_settings(ast, function);
    function->volatility = volatilities[ast->volatility];
    function->volatility_span = ast->volatility_span;
    function->strict = ast->strict;
    function->definer = ast->definer;
    function->definer_span = ast->definer_span;
    function->raw = ast->raw.text;
    function->raw_span = ast->raw.span;
    if (ast->raw.text)
        checker->model->reads_jwt = true;
    if (!function->returns_trigger || function->params.n == 0)
        return;
    struct diag *diag = diag_at(function->params.at[0]->span, PGS2302_TRIGGER_FUNCTION,
                                "a function that returns trigger takes no arguments");
    diag_hint(diag, "what `execute %s('...')` gives is in TG_ARGV", function->name);
}

static void
read_signature(struct checker *checker, struct declared_signature *signature)
{
    if (signature->is_read)
        return;
    signature->is_read = true;
    check_signature(checker, signature->ast, signature->function);
}

void
check_signature_now(struct checker *checker, const struct declared_function *function)
{
    for (size_t i = 0; i < checker->signatures.n; i++)
        if (checker->signatures.at[i].function == function)
            read_signature(checker, &checker->signatures.at[i]);
}

void
check_signatures(struct checker *checker)
{
    for (size_t i = 0; i < checker->signatures.n; i++)
        read_signature(checker, &checker->signatures.at[i]);
}

/* ---- the body gives what is returned ---- */

static size_t
returned_columns(const struct declared_function *function)
{
    if (function->returns_void)
        return 0;
    if (function->returns_table)
        return function->returns_table->columns.n;
    return function->returns_columns.n > 0 ? function->returns_columns.n : 1;
}

static void
check_output_type(const struct output *output, struct type want, const char *name)
{
    struct diag *diag;

    if (type_cast_kind(output->expr->type, want) >= CAST_ASSIGNMENT)
        return;
    diag =
        diag_at(output->span, PGS2304_FUNCTION_RESULT, "\"%s\" is returned as %s, but this is %s",
                name, type_text(want), type_text(output->expr->type));
    diag_hint(diag, "cast it: `(...)::%s`", type_text(want));
}

static void
check_result(struct checker *checker, const struct ast_function *ast,
             const struct declared_function *function)
{
    const struct outputs *outputs = check_outputs_of(function->body);
    size_t want = returned_columns(function);
    struct diag *diag;

    if (function->returns_table && function->returns_table->is_view)
        check_view_now(checker, function->returns_table);
    if (function->returns_void ||
        (function->body->target && check_is_unknown(function->body->target->table)))
        return;
    for (size_t i = 0; i < outputs->n; i++)
        if (check_is_broken(outputs->at[i].expr))
            return;
    if (outputs->n != want) {
        diag = diag_at(ast->body->span, PGS2304_FUNCTION_RESULT,
                       "function \"%s\" returns %zu column%s, but this gives %zu", function->name,
                       want, want == 1 ? "" : "s", outputs->n);
        diag_note(diag, ast->returns_span, "what it returns is here");
        diag_hint(diag, outputs->n == 0 ? "add `returning ...`, or say `returns void`"
                                        : "let the two agree");
        return;
    }
    for (size_t i = 0; i < want; i++) {
        const struct column *column =
            function->returns_table           ? function->returns_table->columns.at[i]
            : function->returns_columns.n > 0 ? function->returns_columns.at[i]
                                              : NULL;

        check_output_type(&outputs->at[i], column ? column->type : function->returns_type,
                          column ? column->name : function->name);
    }
}

/* PostgreSQL trusts what is declared, and folds the call away. */
static void
note_reads(const struct range *range, void *data)
{
    const struct range **first = data;

    if (!*first)
        *first = range;
}

static char
text_before(struct span span)
{
    return span.file && span.start > 0 ? span.file->text[span.start - 1] : '\0';
}

/* auth.uid(), now(): another value in another request. */
static void
note_changing(const struct expr *expr, void *data)
{
    const struct expr **changing = data;
    bool changes =
        expr->kind == EXPR_CLAIM || (expr->kind == EXPR_CALL && expr->is_auth) ||
        (expr->function && expr->function->volatility != IMMUTABLE) ||
        (expr->kind == EXPR_FUNCTION && expr->declared->volatility != FUNCTION_IMMUTABLE);

    if (changes && !*changing)
        *changing = expr;
}

static void
check_declared_volatility(const struct ast_function *ast, const struct declared_function *function)
{
    const struct range *first = NULL;
    const struct expr *changing = NULL;
    struct diag *diag;

    if (function->volatility == FUNCTION_VOLATILE)
        return;
    if (function->body->kind != STATEMENT_SELECT) {
        diag = diag_at(ast->volatility_span, PGS2305_DECLARED_VOLATILITY,
                       "\"%s\" writes to \"%s\": it is volatile", function->name,
                       function->body->target->table->name);
        diag_hint(diag, "leave the word out");
        if (text_before(ast->volatility_span) == ' ')
            diag_fix(diag,
                     (struct span){ast->volatility_span.file, ast->volatility_span.start - 1,
                                   ast->volatility_span.end},
                     "%s", "");
        return;
    }
    if (function->volatility != FUNCTION_IMMUTABLE)
        return;
    walk_statement_ranges(function->body, note_reads, &first);
    walk_statement(function->body, note_changing, &changing);
    if (!first && changing) {
        diag = diag_at(ast->volatility_span, PGS2305_DECLARED_VOLATILITY,
                       "\"%s\" depends on more than its arguments: it is not immutable",
                       function->name);
        diag_note(diag, changing->span, "this changes from one request to the next");
        diag_hint(diag, "say `stable`: PostgreSQL keeps the value of an immutable call, for other "
                        "callers too");
        diag_fix(diag, ast->volatility_span, "stable");
    }
    if (!first)
        return;
    diag = diag_at(ast->volatility_span, PGS2305_DECLARED_VOLATILITY,
                   "\"%s\" reads \"%s\", which changes: it is not immutable", function->name,
                   first->table->name);
    diag_hint(diag, "say `stable`");
    diag_fix(diag, ast->volatility_span, "stable");
}

void
check_functions(struct checker *checker)
{
    for (size_t i = 0; i < checker->signatures.n; i++) {
        const struct ast_function *ast = checker->signatures.at[i].ast;
        struct declared_function *function = checker->signatures.at[i].function;

        if (!ast->body)
            continue;
        function->body = check_function_body(checker, &function->params, ast->body);
        check_result(checker, ast, function);
        check_declared_volatility(ast, function);
    }
}
