/* SPDX-License-Identifier: MIT */
/* Calls in from: which columns their rows have. */
#include "check/checker.h"

#include <string.h>

#include "model/functions.h"
#include "model/types.h"

/* The columns of PostgreSQL's functions that name them. */
static const struct {
    const char *function, *column;
    enum type_kind type;
    bool array, not_null;
} outputs[] = {
    {"json_array_elements", "value", TYPE_JSON, false, true},
    {"json_array_elements_text", "value", TYPE_TEXT, false, false},
    {"json_each", "key", TYPE_TEXT, false, true},
    {"json_each", "value", TYPE_JSON, false, true},
    {"json_each_text", "key", TYPE_TEXT, false, true},
    {"json_each_text", "value", TYPE_TEXT, false, false},
    {"jsonb_array_elements", "value", TYPE_JSONB, false, true},
    {"jsonb_array_elements_text", "value", TYPE_TEXT, false, false},
    {"jsonb_each", "key", TYPE_TEXT, false, true},
    {"jsonb_each", "value", TYPE_JSONB, false, true},
    {"jsonb_each_text", "key", TYPE_TEXT, false, true},
    {"jsonb_each_text", "value", TYPE_TEXT, false, false},
};

static bool
add_known_columns(struct table *table, const char *function, struct span span)
{
    bool found = false;

    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        struct type type = type_scalar(outputs[i].type);

        if (strcmp(outputs[i].function, function) != 0)
            continue;
        check_add_column(table, span, outputs[i].column, type, outputs[i].not_null);
        found = true;
    }
    return found;
}

/* alias (a int, b text): what a function that returns records is to give. */
static void
add_typed_columns(struct scope *scope, struct table *table, const struct ast_columns *ast)
{
    for (size_t i = 0; i < ast->n; i++) {
        struct type type = type_scalar(TYPE_ANY);

        check_type(scope->checker, ast->at[i]->type, &type);
        check_add_column(table, ast->at[i]->name.span, ast->at[i]->name.text, type, false);
    }
}

static bool
takes_types(const char *function)
{
    static const char *const names[] = {"json_to_record", "json_to_recordset", "jsonb_to_record",
                                        "jsonb_to_recordset"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], function) == 0)
            return true;
    return false;
}

static void
report_columns(const struct ast_from *ast, const struct table *table)
{
    struct diag *diag;

    if (ast->typed.n > 0)
        diag = diag_at(ast->call->span, PGS2213_ROWS_OF_CALL,
                       "%s() knows the types of its columns: they are not said here",
                       ast->call->path.name.text);
    else
        diag = diag_at(ast->call->span, PGS2213_ROWS_OF_CALL,
                       "the columns of %s() are not known here", ast->call->path.name.text);
    diag_hint(diag,
              ast->typed.n > 0 ? "leave out the types"
                               : "say them: `%s(...) as %s (a integer, b text)`",
              ast->call->path.name.text, table->name);
}

static void
add_columns_of_declared(struct scope *scope, struct table *table,
                        const struct declared_function *function, const struct ast_from *ast)
{
    if (function->returns_table && function->returns_table->is_view)
        check_view_now(scope->checker, function->returns_table);
    if (function->returns_table) {
        for (size_t i = 0; i < function->returns_table->columns.n; i++) {
            const struct column *column = function->returns_table->columns.at[i];

            check_add_column(table, column->span, column->name, column->type, false);
            table->columns.at[i]->is_private = column->is_private;
        }
        return;
    }
    for (size_t i = 0; i < function->returns_columns.n; i++)
        check_add_column(table, function->returns_columns.at[i]->span,
                         function->returns_columns.at[i]->name,
                         function->returns_columns.at[i]->type, false);
    if (table->columns.n == 0)
        check_add_column(table, ast->span, table->name, function->returns_type, false);
}

static void
add_columns(struct scope *scope, const struct ast_from *ast, const struct expr *call,
            struct table *table)
{
    const char *function = ast->call->path.name.text;

    if (check_is_broken(call)) {
        table->schema = NULL; /* unknown: see check_is_unknown */
        add_typed_columns(scope, table, &ast->typed);
        return;
    }
    if (call->kind == EXPR_FUNCTION) {
        add_columns_of_declared(scope, table, call->declared, ast);
        return;
    }
    if (takes_types(function) != (ast->typed.n > 0))
        report_columns(ast, table);
    if (takes_types(function) && ast->typed.n == 0)
        table->schema = NULL; /* unknown: see check_is_unknown */
    if (ast->typed.n > 0)
        add_typed_columns(scope, table, &ast->typed);
    else if (!add_known_columns(table, function, ast->call->span))
        check_add_column(table, ast->call->span, table->name, call->type, !call->nullable);
}

/* Rows stand in from, or among the outputs of a select. */
void
check_set_place(const struct scope *scope, const struct ast_expr *ast)
{
    struct diag *diag;

    if (scope->windows)
        return;
    diag = diag_at(ast->span, PGS2213_ROWS_OF_CALL, "%s() gives rows, where one value is expected",
                   ast->path.name.text);
    diag_hint(diag, "read it in `from`: `(select x from %s(...) as x)`", ast->path.name.text);
}

void
check_range_of_call(struct scope *scope, const struct ast_from *ast, struct range *range)
{
    struct table *table;
    struct ast_name name = ast->alias.text ? ast->alias : ast->call->path.name;

    scope->clause = "`from`";
    table = check_new_derived(name.text, name.span);
    scope->in_from = true;
    range->call = check_call(scope, ast->call);
    scope->in_from = false;
    range->alias = name.text;
    range->lateral = ast->lateral;
    range->ordinality = ast->ordinality;
    range->typed = ast->typed.n > 0;
    range->table = table;
    add_columns(scope, ast, range->call, table);
    if (ast->ordinality)
        check_add_column(table, ast->span, "ordinality", type_scalar(TYPE_INT8), true);
    check_rename_columns(table, &ast->columns);
}
