/* SPDX-License-Identifier: MIT */
/*
 * From clauses: tables and views, what `with` declares, selects in parentheses and calls that give
 * rows.  What is not a table gets columns of its own, so that names are found in all alike.
 */
#include "check/checker.h"

#include <string.h>

#include "model/types.h"

/* ---- what is derived ---- */

struct table *
check_new_derived(const char *name, struct span span)
{
    struct table *table = arena_alloc(sizeof(*table));

    table->span = span;
    table->schema = "";
    table->name = name;
    table->derived = true;
    return table;
}

void
check_add_column(struct table *table, struct span span, const char *name, struct type type,
                 bool not_null)
{
    struct column *column = arena_alloc(sizeof(*column));

    column->span = span;
    column->table = table;
    column->name = name ? name : "?column?";
    column->number = (int)table->columns.n;
    column->type = type;
    column->not_null = not_null;
    vec_push(&table->columns, column);
}

void
check_rename_columns(struct table *table, const struct ast_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        if (i == table->columns.n) {
            struct diag *diag = diag_at(
                names->at[i].span, PGS2201_TOO_MANY_COLUMNS, "\"%s\" has %zu column%s, not %zu",
                table->name, table->columns.n, table->columns.n == 1 ? "" : "s", names->n);
            diag_hint(diag, "name no more columns than there are");
            return;
        }
        table->columns.at[i]->name = names->at[i].text;
        table->columns.at[i]->span = names->at[i].span;
    }
}

struct table *
check_derived_table(const struct select *select, const struct ast_name *name,
                    const struct ast_names *columns)
{
    struct table *table = check_new_derived(name->text, name->span);

    for (size_t i = 0; i < select->outputs.n; i++) {
        const struct output *output = &select->outputs.at[i];

        check_add_column(table, output->span, output->name, output->expr->type,
                         !output->expr->nullable);
        if (check_is_broken(output->expr))
            table->schema = NULL; /* unknown: see check_is_unknown */
    }
    check_rename_columns(table, columns);
    return table;
}

/* ---- with ---- */

static struct with_item *
find_with(const struct scope *scope, const struct ast_path *path)
{
    if (path->schema.text)
        return NULL;
    for (; scope; scope = scope->outer)
        for (size_t i = scope->withs.n; i > 0; i--)
            if (strcmp(scope->withs.at[i - 1]->name, path->name.text) == 0)
                return scope->withs.at[i - 1];
    return NULL;
}

static void
check_with_twice(const struct scope *scope, const struct ast_with *ast)
{
    for (size_t i = 0; i < scope->withs.n; i++) {
        struct diag *diag;

        if (strcmp(scope->withs.at[i]->name, ast->name.text) != 0)
            continue;
        diag = diag_at(ast->name.span, PGS2203_WITH_TWICE, "`with` declares \"%s\" twice",
                       ast->name.text);
        diag_note(diag, scope->withs.at[i]->span, "the first one is here");
        diag_hint(diag, "rename one of the two");
        return;
    }
}

/* The side that does not read itself says which columns there are. */
static void
check_recursive_item(struct scope *scope, const struct ast_with *ast, struct with_item *item)
{
    struct select *first = check_select(scope, ast->select->left);

    item->table = check_derived_table(first, &ast->name, &ast->columns);
    for (size_t i = 0; i < item->table->columns.n; i++)
        item->table->columns.at[i]->not_null = false;
    vec_push(&scope->withs, item);
    item->select = check_recursive_select(scope, ast->select, first, item);
}

/* The rows that it gives are not known: whoever reads them is not told of it again. */
static void
refuse_writing(struct scope *scope, const struct ast_with *ast, struct with_item *item)
{
    struct diag *diag = diag_at(ast->writes, PGS2225_WRITES_IN_WITH,
                                "\"%s\" writes: `with` holds selects here", ast->name.text);

    diag_hint(diag, "one statement after the other stands in a function in plpgsql; all in one, as "
                    "it is, in a function's `as $$ ... $$`");
    item->table = check_new_derived(ast->name.text, ast->name.span);
    item->table->schema = NULL; /* unknown: see check_is_unknown */
    item->select = arena_alloc(sizeof(*item->select));
    vec_push(&scope->withs, item);
}

static void
check_with_item(struct scope *scope, const struct ast_with *ast, bool recursive)
{
    struct with_item *item = arena_alloc(sizeof(*item));

    check_with_twice(scope, ast);
    item->span = ast->name.span;
    item->name = ast->name.text;
    uses_note(item->span, USE_WITH, item);
    item->materialized = ast->materialized;
    if (!ast->select) {
        refuse_writing(scope, ast, item);
        return;
    }
    if (recursive && ast->select->kind == AST_UNION) {
        check_recursive_item(scope, ast, item);
        return;
    }
    item->select = check_select(scope, ast->select);
    item->table = check_derived_table(item->select, &ast->name, &ast->columns);
    vec_push(&scope->withs, item);
}

void
check_withs(struct scope *scope, const struct ast_withs *ast, bool recursive)
{
    for (size_t i = 0; i < ast->n; i++)
        check_with_item(scope, &ast->at[i], recursive);
}

/* ---- one range ---- */

static void
check_alias(const struct scope *scope, const struct range *range)
{
    for (size_t i = 0; i < scope->ranges.n; i++) {
        struct diag *diag;

        if (strcmp(scope->ranges.at[i]->alias, range->alias) != 0)
            continue;
        diag = diag_at(range->span, PGS2011_DUPLICATE_ALIAS,
                       "\"%s\" stands twice in this from clause", range->alias);
        diag_note(diag, scope->ranges.at[i]->span, "the first one is here");
        diag_hint(diag, "give each an alias of its own");
        return;
    }
}

static void
range_of_select(struct scope *scope, const struct ast_from *ast, struct range *range)
{
    struct scope around = *scope;

    if (!ast->lateral) {
        around.ranges = (struct ranges){0};
        around.merged.n = 0;
    }
    range->lateral = ast->lateral;
    range->select = check_select(&around, ast->select);
    range->alias = ast->alias.text;
    if (!range->alias) {
        struct diag *diag = diag_at(ast->select->outer, PGS2200_FROM_WITHOUT_NAME,
                                    "this select in `from` has no name");
        diag_hint(diag, "give it one: `(select ...) as name`");
        range->alias = "?";
    }
    range->table = check_derived_table(range->select, &(struct ast_name){range->alias, range->span},
                                       &ast->columns);
}

static void
range_of_table(struct scope *scope, const struct ast_from *ast, struct range *range)
{
    struct with_item *with = find_with(scope, &ast->table);
    struct table *table = with ? with->table : check_find_table(scope->checker, &ast->table);

    if (!table)
        table = arena_alloc(sizeof(*table)); /* unknown: see check_is_unknown */
    if (table->is_view)
        check_view_now(scope->checker, table);
    uses_note(ast->table.name.span, USE_WITH, with);
    range->with = with;
    range->table = table;
    range->alias = ast->alias.text ? ast->alias.text : ast->table.name.text;
    if (ast->columns.n > 0) {
        struct diag *diag = diag_at(ast->columns.at[0].span, PGS2201_TOO_MANY_COLUMNS,
                                    "the columns of a table keep their names here");
        diag_hint(diag, "rename them in a select: `(select a as b from %s) as %s`",
                  ast->table.name.text, range->alias);
        range->table = arena_alloc(sizeof(*table)); /* unknown: see check_is_unknown */
    }
}

/* The side that an outer join leaves open. */
static void
open_sides(struct scope *scope, struct range *range)
{
    range->absent = range->join == JOIN_LEFT || range->join == JOIN_FULL;
    if (range->join != JOIN_RIGHT && range->join != JOIN_FULL)
        return;
    for (size_t i = scope->ranges.n; i > 0; i--) {
        scope->ranges.at[i - 1]->absent = true;
        if (scope->ranges.at[i - 1]->join == JOIN_NONE)
            return;
    }
}

/* ---- using ---- */

struct expr *
check_column_expr(const struct range *range, const struct column *column, struct span span)
{
    struct expr *expr = check_new_expr(EXPR_COLUMN, span);

    expr->range = range;
    expr->column = column;
    expr->type = column->type;
    expr->nullable = !column->not_null;
    return expr;
}

/* The column on the left: of a join before this one with the same name, or of one table. */
static struct expr *
left_of_using(struct scope *scope, const struct ast_name *name)
{
    struct ast_expr ast = {.kind = AST_COLUMN, .span = name->span, .depth = 1};
    struct scope level = *scope;

    level.outer = NULL;
    level.params = (struct params){0};
    vec_push(&ast.names, *name);
    return check_name(&level, &ast);
}

static struct expr *
merge_columns(const struct range *range, struct expr *left, struct expr *right)
{
    struct expr *both;

    if (range->join == JOIN_RIGHT)
        return right;
    if (range->join != JOIN_FULL)
        return left;
    both = check_new_expr(EXPR_CALL, right->span);
    both->name = "coalesce";
    both->column = right->column; /* whose name it has */
    both->type = left->type;
    both->nullable = left->nullable && right->nullable;
    vec_push(&both->args, left);
    vec_push(&both->args, right);
    return both;
}

static struct expr *
equal(const struct ast_name *name, struct expr *left, struct expr *right)
{
    struct ast_expr ast = {
        .kind = AST_OP, .span = name->span, .op = "=", .op_span = name->span, .depth = 1};
    struct expr *expr = check_new_expr(EXPR_OP, name->span), *pair[] = {left, right};
    struct resolution found;

    check_apply_operator(&ast, "=", pair, 2, &found);
    expr->name = "=";
    expr->type = type_scalar(TYPE_BOOL);
    vec_push(&expr->args, left);
    vec_push(&expr->args, right);
    return expr;
}

static void
join_by(struct scope *scope, struct range *range, const struct ast_name *name)
{
    struct column *column = check_column_named(range->table, name->text);
    struct expr *left, *right, *same, *both;
    struct merged merged = {.name = name->text};

    if (check_is_unknown(range->table))
        return;
    if (!column) {
        check_find_column(range->table, name);
        return;
    }
    left = left_of_using(scope, name);
    if (left->kind != EXPR_COLUMN && left->kind != EXPR_CALL)
        return;
    right = check_column_expr(range, column, name->span);
    same = equal(name, left, right);
    merged.expr = merge_columns(range, left, right);
    merged.left = left->kind == EXPR_COLUMN ? left->column : NULL;
    merged.right = column;
    vec_push(&scope->merged, merged);
    if (!range->on) {
        range->on = same;
        return;
    }
    both = check_new_expr(EXPR_OP, range->on->span);
    both->name = "and";
    both->type = type_scalar(TYPE_BOOL);
    vec_push(&both->args, range->on);
    vec_push(&both->args, same);
    range->on = both;
}

bool
check_is_overtaken(const struct scope *scope, size_t i)
{
    for (size_t j = i + 1; j < scope->merged.n; j++)
        if (strcmp(scope->merged.at[j].name, scope->merged.at[i].name) == 0)
            return true;
    return false;
}

static void
check_join(struct scope *scope, struct range *range, const struct ast_from *ast)
{
    struct diag *diag;

    for (size_t i = 0; i < ast->join_using.n; i++)
        join_by(scope, range, &ast->join_using.at[i]);
    if (!ast->natural)
        return;
    diag = diag_at(ast->span, PGS2202_NATURAL_JOIN,
                   "`natural` joins by whatever columns have the same name, now and later");
    diag_hint(diag, "name them: `join %s using (column)`", range->alias);
}

void
check_from(struct scope *scope, const struct ast_from *ast)
{
    static const int joins[] = {
        [AST_JOIN_NONE] = JOIN_NONE,   [AST_JOIN_INNER] = JOIN_INNER, [AST_JOIN_LEFT] = JOIN_LEFT,
        [AST_JOIN_CROSS] = JOIN_CROSS, [AST_JOIN_RIGHT] = JOIN_RIGHT, [AST_JOIN_FULL] = JOIN_FULL,
    };
    struct range *range = arena_alloc(sizeof(*range));

    range->span = ast->select ? ast->select->outer : ast->call ? ast->call->span : ast->table.span;
    range->alias_span = ast->alias.span;
    uses_note(ast->alias.span, USE_ALIAS, range);
    range->join = joins[ast->join];
    if (ast->select)
        range_of_select(scope, ast, range);
    else if (ast->call)
        check_range_of_call(scope, ast, range);
    else
        range_of_table(scope, ast, range);
    check_alias(scope, range);
    check_join(scope, range, ast);
    vec_push(&scope->ranges, range);
    if (ast->on) {
        scope->clause = "a join condition";
        range->on = check_condition(scope, ast->on, "a join condition");
    }
    open_sides(scope, range);
}
