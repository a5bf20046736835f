/* SPDX-License-Identifier: MIT */
/*
 * Rows of a table as values, which functions take: `function f(n note)`, called as `f(note)`,
 * `f(note.*)` and `note.f`.
 */
#include "check/checker.h"

#include <string.h>

#include "model/types.h"

bool
check_row_type(struct checker *checker, const struct ast_type *ast, struct type *out)
{
    const char *schema = ast->schema ? ast->schema : "public";
    struct table *table = (struct table *)check_table_named(checker, schema, ast->spelling);
    struct composite *row;
    struct type known;

    if (!table || table->is_view || table->builtin || ast->dimensions > 0 || ast->n_args > 0 ||
        (!ast->schema && type_find(ast->spelling, &known)))
        return false;
    if (!table->row) {
        row = arena_alloc(sizeof(*row));
        row->span = table->span;
        row->name = table->name;
        row->row_of = table;
        table->row = row;
    }
    uses_note_last(ast->span, USE_TABLE, table, ast->spelling);
    *out = (struct type){.kind = TYPE_COMPOSITE, .composite = table->row};
    return true;
}

void
check_complete_rows(struct checker *checker)
{
    for (size_t i = 0; i < checker->model->tables.n; i++) {
        struct table *table = checker->model->tables.at[i];

        for (size_t j = 0; table->row && j < table->columns.n; j++)
            vec_push(&table->row->fields, table->columns.at[j]);
    }
}

/* Where the row of `range` is as it is stored; what a check or index holds, a function comes after.
 */
static bool
may_be_passed(const struct scope *scope, const struct range *range, const struct composite *row)
{
    return range && range->table == row->row_of &&
           (scope->place == PLACE_POLICY || scope->place == PLACE_VIEW ||
            scope->place == PLACE_QUERY || scope->place == PLACE_FUNCTION ||
            scope->place == PLACE_PREDICATE);
}

static struct expr *
row_of(const struct range *range, struct span span)
{
    struct expr *row = check_new_expr(EXPR_ROW, span);

    row->type = (struct type){.kind = TYPE_COMPOSITE, .composite = range->table->row};
    row->range = range;
    row->nullable = range->absent;
    for (size_t i = 0; i < range->table->columns.n; i++) {
        struct expr *column = check_new_expr(EXPR_COLUMN, span);

        column->column = range->table->columns.at[i];
        column->range = range;
        column->type = column->column->type;
        column->nullable = !column->column->not_null || range->absent;
        vec_push(&row->args, column);
    }
    return row;
}

struct expr *
check_row_argument(struct scope *scope, const struct ast_expr *ast, struct type want)
{
    bool named = (ast->kind == AST_COLUMN || ast->kind == AST_STAR) && ast->names.n == 1;
    const struct range *range;

    if (!type_is_row(want) || !named ||
        (ast->kind == AST_COLUMN && check_is_column(scope, ast->names.at[0].text)))
        return NULL;
    range = check_range_named(scope, ast->names.at[0].text);
    if (!may_be_passed(scope, range, want.composite))
        return NULL;
    check_note_range(range, &ast->names.at[0]);
    return row_of(range, ast->span);
}

struct expr *
check_row_call(struct scope *scope, const struct ast_expr *ast, const struct range *range)
{
    const struct ast_name *name = &ast->names.at[ast->names.n - 1];
    const struct declared_function *function =
        check_function_named(scope->checker->model, name->text);
    struct ast_expr *call, *arg;

    if (!function || check_column_named(range->table, name->text))
        return NULL;
    check_signature_now(scope->checker, function);
    if (function->params.n != 1 || !type_is_row(function->params.at[0]->type) ||
        !may_be_passed(scope, range, function->params.at[0]->type.composite))
        return NULL;
    call = arena_alloc(sizeof(*call));
    arg = arena_alloc(sizeof(*arg));
    *arg = (struct ast_expr){.kind = AST_STAR, .span = ast->span};
    vec_push(&arg->names, ast->names.at[ast->names.n - 2]);
    *call = (struct ast_expr){.kind = AST_CALL, .span = ast->span};
    call->path.name = *name;
    call->path.span = name->span;
    vec_push(&call->args, arg);
    return check_declared_call(scope, call);
}
