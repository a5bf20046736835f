/* SPDX-License-Identifier: MIT */
/* The statements of functions: select, insert, update, delete. */
#include "check/checker.h"

#include <string.h>

#include "model/types.h"

/* ---- the target ---- */

static struct range *
new_range(const struct table *table, const char *alias, struct span span)
{
    struct range *range = arena_alloc(sizeof(*range));

    range->span = span;
    range->alias = alias;
    range->table = table;
    return range;
}

static struct range *
find_target(struct checker *checker, const struct ast_statement *ast)
{
    struct table *table = check_find_table(checker, &ast->table);
    struct range *target;
    struct diag *diag;

    if (!table)
        table = arena_alloc(sizeof(*table)); /* unknown: see check_is_unknown */
    if (table->is_view) {
        diag = diag_at(ast->table.span, PGS2220_WRITES_VIEW,
                       "\"%s\" is a view: a function writes to tables", table->name);
        diag_note(diag, table->span, "it is declared here");
        diag_hint(diag, "name the table that it reads");
    }
    target =
        new_range(table, ast->alias.text ? ast->alias.text : ast->table.name.text, ast->table.span);
    target->alias_span = ast->alias.span;
    uses_note(ast->alias.span, USE_ALIAS, target);
    return target;
}

static struct column *
target_column(const struct range *target, const struct ast_name *name)
{
    return check_is_unknown(target->table) ? NULL : check_find_column(target->table, name);
}

/* PostgreSQL makes the values of these itself. */
static void
check_is_written(const struct column *column, struct span span)
{
    struct diag *diag;

    if (column->identity != IDENTITY_ALWAYS)
        return;
    diag = diag_at(span, PGS2221_WRITES_GENERATED, "\"%s\" is generated always: it cannot be given",
                   column->name);
    diag_note(diag, column->span, "it is declared here");
    diag_hint(diag, "leave it out, or give `default`");
}

static struct expr *
default_value(struct span span)
{
    return check_new_expr(EXPR_DEFAULT, span);
}

static struct expr *
value_for(struct scope *scope, const struct ast_expr *ast, const struct column *column)
{
    struct expr *value;

    if (ast->kind == AST_DEFAULT)
        return default_value(ast->span);
    check_is_written(column, ast->span);
    value = check_expr(scope, ast);
    check_becomes(value, column->type, CAST_ASSIGNMENT, arena_printf("\"%s\"", column->name));
    if (value->value)
        check_listed_value(column, value);
    return value;
}

static void
check_assignments(struct scope *scope, const struct range *target,
                  const struct ast_assignments *ast, struct assignments *out)
{
    scope->clause = "`set`";
    for (size_t i = 0; i < ast->n; i++) {
        struct column *column = target_column(target, &ast->at[i].column);
        struct assignment item = {.span = ast->at[i].span, .column = column};

        if (!column) {
            check_expr(scope, ast->at[i].expr->kind == AST_DEFAULT
                                  ? &(struct ast_expr){.kind = AST_NULL, .span = ast->at[i].span}
                                  : ast->at[i].expr);
            continue;
        }
        for (size_t j = 0; j < out->n; j++)
            if (out->at[j].column == column)
                diag_hint(diag_at(ast->at[i].column.span, PGS2222_SET_TWICE, "\"%s\" is set twice",
                                  column->name),
                          "keep one of the two");
        item.expr = value_for(scope, ast->at[i].expr, column);
        vec_push(out, item);
    }
}

/* ---- insert ---- */

static void
insert_columns(const struct ast_statement *ast, struct statement *statement)
{
    const struct range *target = statement->target;

    for (size_t i = 0; i < ast->columns.n; i++) {
        struct column *column = target_column(target, &ast->columns.at[i]);

        vec_push(&statement->columns, column);
    }
    for (size_t i = 0; ast->columns.n == 0 && i < target->table->columns.n; i++)
        vec_push(&statement->columns, target->table->columns.at[i]);
}

static bool
reads_unknown(const struct statement *statement)
{
    for (size_t i = 0; i < statement->select->from.n; i++)
        if (check_is_unknown(statement->select->from.at[i]->table))
            return true;
    return false;
}

static bool
counts_match(const struct ast_statement *ast, const struct statement *statement, size_t given)
{
    struct diag *diag;
    size_t want = statement->columns.n;

    if (given == want || check_is_unknown(statement->target->table) || reads_unknown(statement))
        return true;
    if (given < want && ast->columns.n == 0) {
        diag = diag_at(ast->select->span, PGS2223_INSERT_COLUMNS,
                       "\"%s\" has %zu columns, this gives %zu", statement->target->table->name,
                       want, given);
        diag_hint(diag, "name the columns: `insert into %s (a, b) ...`",
                  statement->target->table->name);
        return false;
    }
    diag = diag_at(ast->select->span, PGS2223_INSERT_COLUMNS,
                   "%zu column%s are named, this gives %zu", want, want == 1 ? "" : "s", given);
    diag_hint(diag, "give each column a value");
    return false;
}

static void
insert_rows(struct scope *scope, const struct ast_statement *ast, struct statement *statement)
{
    struct select *select = arena_alloc(sizeof(*select));

    select->span = ast->select->span;
    select->kind = SELECT_VALUES;
    statement->select = select;
    scope->clause = "`values`";
    for (size_t row = 0; row < ast->select->rows.n; row++) {
        const struct ast_exprs *given = &ast->select->rows.at[row];
        struct exprs items = {0};

        if (!counts_match(ast, statement, given->n))
            return;
        for (size_t i = 0; i < given->n; i++) {
            const struct column *column =
                i < statement->columns.n ? statement->columns.at[i] : NULL;

            if (column)
                vec_push(&items, value_for(scope, given->at[i], column));
            else if (given->at[i]->kind != AST_DEFAULT)
                check_expr(scope, given->at[i]);
        }
        vec_push(&select->rows, items);
    }
}

static void
insert_select(struct scope *scope, const struct ast_statement *ast, struct statement *statement)
{
    struct select *select = check_select(scope, ast->select);

    statement->select = select;
    if (!counts_match(ast, statement, select->outputs.n))
        return;
    for (size_t i = 0; i < select->outputs.n && i < statement->columns.n; i++) {
        const struct column *column = statement->columns.at[i];

        if (!column)
            continue;
        check_is_written(column, select->outputs.at[i].span);
        check_becomes(select->outputs.at[i].expr, column->type, CAST_ASSIGNMENT,
                      arena_printf("\"%s\"", column->name));
    }
}

static bool
is_key(const struct statement *statement)
{
    const struct table *table = statement->target->table;

    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *key = table->constraints.at[i];
        size_t same = 0;

        if (key->kind != CONSTRAINT_PRIMARY_KEY && key->kind != CONSTRAINT_UNIQUE)
            continue;
        for (size_t j = 0; j < key->columns.n; j++)
            for (size_t k = 0; k < statement->conflict_columns.n; k++)
                same += key->columns.at[j] == statement->conflict_columns.at[k];
        if (same == key->columns.n && same == statement->conflict_columns.n)
            return true;
    }
    for (size_t i = 0; i < table->indexes.n; i++)
        if (table->indexes.at[i]->unique)
            return true; /* which may be the one */
    return false;
}

static void
check_conflict(struct scope *scope, const struct ast_statement *ast, struct statement *statement)
{
    const struct ast_conflict *conflict = &ast->conflict;
    struct scope inside = *scope;
    struct diag *diag;

    statement->conflict = (int)conflict->action;
    if (!conflict->action || check_is_unknown(statement->target->table))
        return;
    for (size_t i = 0; i < conflict->columns.n; i++) {
        const struct column *column = target_column(statement->target, &conflict->columns.at[i]);

        if (!column)
            return;
        vec_push(&statement->conflict_columns, column);
    }
    if ((conflict->columns.n > 0 && !is_key(statement)) ||
        (conflict->columns.n == 0 && conflict->action == AST_CONFLICT_UPDATE)) {
        diag = diag_at(conflict->columns.n > 0 ? conflict->columns.at[0].span : conflict->span,
                       PGS2224_CONFLICT_KEY, "`on conflict` needs the columns of a key of \"%s\"",
                       statement->target->table->name);
        diag_hint(diag, "name those of its primary key, or of a `unique`");
        return;
    }
    statement->excluded = new_range(statement->target->table, "excluded", conflict->span);
    inside.ranges = (struct ranges){0};
    vec_push(&inside.ranges, statement->target);
    vec_push(&inside.ranges, statement->excluded);
    check_assignments(&inside, statement->target, &conflict->set, &statement->conflict_set);
    inside.clause = "`where`";
    if (conflict->where)
        statement->conflict_where = check_condition(&inside, conflict->where, "`where`");
}

static void
check_insert(struct scope *scope, const struct ast_statement *ast, struct statement *statement)
{
    insert_columns(ast, statement);
    if (ast->select && ast->select->kind == AST_VALUES && ast->select->order_by.n == 0)
        insert_rows(scope, ast, statement);
    else if (ast->select)
        insert_select(scope, ast, statement);
    check_conflict(scope, ast, statement);
    vec_push(&scope->ranges, statement->target);
}

/* ---- update, delete ---- */

static void
check_change(struct scope *scope, const struct ast_statement *ast, struct statement *statement)
{
    vec_push(&scope->ranges, statement->target);
    for (size_t i = 0; i < ast->from.n; i++)
        check_from(scope, &ast->from.at[i]);
    for (size_t i = 1; i < scope->ranges.n; i++)
        vec_push(&statement->from, scope->ranges.at[i]);
    check_assignments(scope, statement->target, &ast->set, &statement->set);
    scope->clause = "`where`";
    if (ast->where)
        statement->where = check_condition(scope, ast->where, "`where`");
}

/* ---- all ---- */

/* for update: rows are locked for the statements that follow, in functions alone. */
void
check_locking(const struct scope *scope, struct select *select, const struct ast_select *ast)
{
    struct diag *diag;

    if (!ast->locking)
        return;
    if (scope->place == PLACE_FUNCTION) {
        select->locking = arena_printf(" %s%s", ast->locking, ast->wait);
        return;
    }
    diag = diag_at(ast->locking_span, PGS2211_LOCKING_HERE,
                   "`%s` locks rows: it stands in functions only", ast->locking);
    diag_hint(diag, "leave it out, or write a `function`");
}

struct statement *
check_function_body(struct checker *checker, const struct params *params,
                    const struct ast_statement *ast)
{
    struct scope scope = {.checker = checker, .place = PLACE_FUNCTION, .params = *params};
    struct statement *statement = arena_alloc(sizeof(*statement));

    statement->span = ast->span;
    statement->kind = (enum statement_kind)ast->kind;
    if (ast->kind == AST_SELECT_STATEMENT) {
        statement->select = check_statement(checker, PLACE_FUNCTION, params, ast->select);
        return statement;
    }
    check_withs(&scope, &ast->with, ast->recursive);
    for (size_t i = 0; i < scope.withs.n; i++) {
        vec_push(&statement->with, scope.withs.at[i]);
        statement->recursive |= scope.withs.at[i]->recursive;
    }
    statement->target = find_target(checker, ast);
    if (ast->kind == AST_INSERT_STATEMENT)
        check_insert(&scope, ast, statement);
    else
        check_change(&scope, ast, statement);
    scope.clause = "`returning`";
    check_output_list(&scope, &statement->returning, &ast->returning);
    return statement;
}

const struct outputs *
check_outputs_of(const struct statement *statement)
{
    return statement->kind == STATEMENT_SELECT ? &statement->select->outputs
                                               : &statement->returning;
}
