/* SPDX-License-Identifier: MIT */
/*
 * Tables in four rounds over the whole project, because each needs the one before it: column types,
 * then keys (a reference needs the key of its target), then checks and references, then defaults
 * and indexes.
 */
#include "check/checker.h"

#include <string.h>

#include "model/names.h"

/* ---- columns ---- */

static void
check_identity(const struct ast_column *ast, struct column *column)
{
    struct diag *diag;

    column->identity_span = ast->identity_span;
    column->identity = ast->identity == AST_IDENTITY_ALWAYS       ? IDENTITY_ALWAYS
                       : ast->identity == AST_IDENTITY_BY_DEFAULT ? IDENTITY_BY_DEFAULT
                                                                  : IDENTITY_NONE;
    if (column->identity == IDENTITY_NONE)
        return;
    column->not_null = true;
    if ((!type_is_integer(column->type) || column->type.domain) && !type_is_open(column->type)) {
        diag = diag_at(ast->identity_span, PGS1151_IDENTITY_TYPE,
                       "an identity is an integer, but \"%s\" is %s", column->name,
                       type_text(column->type));
        diag_hint(diag, "write `%s bigint ... generated always as identity`", column->name);
    }
    if (ast->default_expr) {
        diag = diag_at(ast->default_expr->span, PGS1152_IDENTITY_AND_DEFAULT,
                       "\"%s\" has an identity and a default", column->name);
        diag_note(diag, ast->identity_span, "the identity is here");
        diag_hint(diag, "drop one of the two");
    }
}

static void
check_null(const struct ast_column *ast)
{
    struct diag *diag;

    if (!ast->null || !ast->not_null)
        return;
    diag = diag_at(ast->not_null_span, PGS1153_NULL_AND_NOT_NULL, "\"%s\" is null and not null",
                   ast->name.text);
    diag_hint(diag, "drop one of the two");
}

static void
check_was(const struct table *table, const struct column *column)
{
    struct diag *diag;

    if (!column->was || !check_column_named(table, column->was))
        return;
    diag = diag_at(column->was_span, PGS1155_WAS_TAKEN,
                   "\"%s\" cannot have been \"%s\": that column is still there", column->name,
                   column->was);
    diag_note(diag, check_column_named(table, column->was)->span, "it is here");
    diag_hint(diag, "`was` gives the former name of a renamed column");
}

/* One that PostgreSQL would give a name that a table has already gets one by us. */
static void
name_sequence(struct checker *checker, struct column *column)
{
    const char *usual = name_object(column->table->name, column->name, "seq");

    column->sequence = check_choose_name(checker, column->table, column->name, "seq", true);
    if (strcmp(column->sequence, usual) == 0)
        column->sequence = NULL;
}

static void
check_columns(struct checker *checker, const struct declared_table *declared)
{
    struct table *table = declared->table;

    if (declared->ast->columns.n == 0 && !declared->ast->partition_of.name.text &&
        declared->ast->inherits.n == 0) {
        struct diag *diag = diag_at(table->span, PGS1156_TABLE_WITHOUT_COLUMNS,
                                    "table \"%s\" has no columns", table->name);
        diag_hint(diag, "add one: `id bigint primary key generated always as identity`");
    }
    for (size_t i = 0; i < declared->ast->columns.n; i++) {
        const struct ast_column *ast = declared->ast->columns.at[i];
        struct column *column = check_column_named(table, ast->name.text);

        if (!check_same_place(ast->name.span, column->span))
            continue; /* declared twice: reported */
        check_storable_type(checker, ast->type, &column->type);
        if (type_is_domain(column->type) && column->type.domain->not_null)
            column->not_null = true;
        check_identity(ast, column);
        if (column->identity != IDENTITY_NONE)
            name_sequence(checker, column);
        check_null(ast);
        check_was(table, column);
    }
}

/* ---- defaults ---- */

static void
check_default(struct checker *checker, const struct table *table, const struct ast_column *ast,
              struct column *column)
{
    struct scope scope = check_row_scope(checker, PLACE_DEFAULT, table);
    struct expr *expr;

    if (!ast->default_expr)
        return;
    scope.clause = "a default";
    expr = check_expr_as(&scope, ast->default_expr, column->type,
                         arena_printf("\"%s\"", column->name));
    if (expr->value && type_is_text(column->type))
        check_listed_value(column, expr);
    column->default_expr = expr;
}

/* ---- the rounds ---- */

typedef void constraint_visitor(struct checker *checker, struct table *table,
                                const struct ast_constraint *ast, struct column *column);

/* Constraints of columns first, then those of the table, as PostgreSQL orders them. */
static void
each_constraint(struct checker *checker, const struct declared_table *declared,
                constraint_visitor *visit)
{
    const struct ast_table *ast = declared->ast;
    struct table *table = declared->table;

    for (size_t i = 0; i < ast->columns.n; i++)
        for (size_t j = 0; j < ast->columns.at[i]->constraints.n; j++)
            visit(checker, table, ast->columns.at[i]->constraints.at[j],
                  check_column_named(table, ast->columns.at[i]->name.text));
    for (size_t i = 0; i < ast->constraints.n; i++)
        visit(checker, table, ast->constraints.at[i], NULL);
}

static void
check_defaults_and_indexes(struct checker *checker, const struct declared_table *declared)
{
    const struct ast_table *ast = declared->ast;

    for (size_t i = 0; i < ast->columns.n; i++) {
        struct column *column = check_column_named(declared->table, ast->columns.at[i]->name.text);

        check_default(checker, declared->table, ast->columns.at[i], column);
        check_generated(checker, declared, ast->columns.at[i], column);
        check_backfill(checker, declared->table, ast->columns.at[i], column);
    }
    check_table_items(declared);
    check_generated_references(declared->table);
    for (size_t i = 0; i < ast->indexes.n; i++)
        check_index(checker, declared->table, ast->indexes.at[i]);
}

void
check_tables(struct checker *checker)
{
    for (size_t i = 0; i < checker->tables.n; i++)
        check_columns(checker, &checker->tables.at[i]);
    check_parents(checker);
    for (size_t i = 0; i < checker->tables.n; i++)
        each_constraint(checker, &checker->tables.at[i], check_key);
    check_parents_again(checker);
    for (size_t i = 0; i < checker->tables.n; i++)
        each_constraint(checker, &checker->tables.at[i], check_constraint);
    for (size_t i = 0; i < checker->tables.n; i++)
        check_defaults_and_indexes(checker, &checker->tables.at[i]);
    check_parents_again(checker);
    check_partitions(checker);
}
