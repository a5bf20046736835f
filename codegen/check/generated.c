/* SPDX-License-Identifier: MIT */
/*
 * What a column gets by itself and what is said about old rows: generated columns, backfills, soft
 * deletes, and columns that are gone on purpose.
 */
#include "check/checker.h"

#include <string.h>

/* ---- generated columns ---- */

struct generated {
    const struct column *column;
    const struct declared_table *declared;
};

static const struct ast_column *
ast_of(const struct declared_table *declared, const struct column *column)
{
    for (size_t i = 0; i < declared->ast->columns.n; i++)
        if (strcmp(declared->ast->columns.at[i]->name.text, column->name) == 0)
            return declared->ast->columns.at[i];
    return NULL;
}

/* PostgreSQL computes them all from the columns that are written. */
static void
refuse_generated_source(const struct expr *expr, void *data)
{
    const struct generated *generated = data;
    const struct ast_column *source;
    struct diag *diag;

    if (expr->kind != EXPR_COLUMN || !expr->range->implicit)
        return;
    source = ast_of(generated->declared, expr->column);
    if (!source || !source->generated)
        return;
    diag = diag_at(expr->span, PGS1262_GENERATED_READS_GENERATED,
                   expr->column == generated->column
                       ? "generated column \"%s\" reads itself"
                       : "generated column \"%s\" reads \"%s\", which is generated, too",
                   generated->column->name, expr->column->name);
    diag_hint(diag, "repeat its expression here: a generated column reads written ones alone");
}

static void
check_beside(const struct ast_column *ast)
{
    struct diag *diag;

    if (!ast->default_expr && !ast->backfill)
        return;
    diag = diag_at(ast->default_expr ? ast->default_expr->span : ast->backfill->span,
                   PGS1263_GENERATED_AND_DEFAULT, "\"%s\" is generated: nothing else fills it",
                   ast->name.text);
    diag_note(diag, ast->generated_span, "the expression is here");
    diag_hint(diag, "drop one of the two");
}

void
check_generated(struct checker *checker, const struct declared_table *declared,
                const struct ast_column *ast, struct column *column)
{
    struct scope scope = check_row_scope(checker, PLACE_GENERATED, declared->table);
    struct generated generated = {column, declared};

    if (!ast->generated)
        return;
    scope.clause = "a generated column";
    check_beside(ast);
    column->generated =
        check_expr_as(&scope, ast->generated, column->type, arena_printf("\"%s\"", column->name));
    walk_expr(column->generated, refuse_generated_source, &generated);
}

/* ---- backfills ---- */

void
check_backfill(struct checker *checker, struct table *table, const struct ast_column *ast,
               struct column *column)
{
    struct scope scope = check_row_scope(checker, PLACE_BACKFILL, table);

    if (!ast->backfill || ast->generated)
        return;
    scope.clause = "a backfill";
    column->backfill =
        check_expr_as(&scope, ast->backfill, column->type, arena_printf("\"%s\"", column->name));
}

/* ---- soft deletes ---- */

/* NULL or false: the row is there. */
static bool
marks_deleted(const struct column *column)
{
    if (column->type.array)
        return false;
    if (column->type.kind == TYPE_BOOL)
        return true;
    return !column->not_null &&
           (column->type.kind == TYPE_TIMESTAMPTZ || column->type.kind == TYPE_TIMESTAMP ||
            column->type.kind == TYPE_DATE || type_is_open(column->type));
}

static void
check_soft_delete(struct table *table, const struct ast_name *name)
{
    const struct column *column = check_find_column(table, name);
    struct diag *diag;

    table->soft_delete = column;
    if (!column || marks_deleted(column))
        return;
    diag = diag_at(name->span, PGS1266_SOFT_DELETE_COLUMN,
                   column->not_null ? "\"%s\" cannot say that a row is deleted: it is never null"
                                    : "\"%s\" cannot say when a row was deleted",
                   column->name);
    diag_note(diag, column->span, "\"%s\" is here", column->name);
    diag_hint(diag, "soft delete wants a nullable timestamptz or date, or a boolean");
}

/* ---- columns that are gone ---- */

static void
check_drop(struct table *table, const struct ast_name *name)
{
    const struct column *column = check_column_named(table, name->text);
    struct diag *diag;

    vec_push(&table->drops, name->text);
    vec_push(&table->drop_spans, name->span);
    if (!column)
        return;
    diag = diag_at(name->span, PGS1267_DROPPED_IS_THERE, "\"%s\" is dropped, and is there",
                   name->text);
    diag_note(diag, column->span, "it is declared here");
    diag_hint(diag, "drop one of the two lines");
}

void
check_table_items(const struct declared_table *declared)
{
    if (declared->ast->soft_delete.text)
        check_soft_delete(declared->table, &declared->ast->soft_delete);
    for (size_t i = 0; i < declared->ast->drops.n; i++)
        check_drop(declared->table, &declared->ast->drops.at[i]);
}
