/* SPDX-License-Identifier: MIT */
/*
 * Indexes: what they are over, and whether their method can hold it.
 */
#include "check/checker.h"

#include <string.h>

#include "model/names.h"

static bool
is_method(const char *name)
{
    static const char *const methods[] = {"btree", "hash", "gin", "gist", "brin"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(methods[i], name) == 0)
            return true;
    return false;
}

static bool
is_shape(enum type_kind kind)
{
    return kind == TYPE_POINT || kind == TYPE_BOX || kind == TYPE_POLYGON || kind == TYPE_CIRCLE;
}

/* Default operator classes, which PostgreSQL has without an extension. */
static bool
can_index(const char *method, struct type type)
{
    bool is_text_search = type.kind == TYPE_TSVECTOR || type.kind == TYPE_TSQUERY;
    bool is_bits = type.kind == TYPE_BIT || type.kind == TYPE_VARBIT;

    if (type_is_open(type))
        return true;
    if (strcmp(method, "gin") == 0)
        return type.array || type.kind == TYPE_TSVECTOR || type.kind == TYPE_JSONB;
    if (strcmp(method, "gist") == 0)
        return !type.array && (is_text_search || type_is_range(type) || is_shape(type.kind));
    if (!type_is_comparable(type) || is_text_search)
        return false;
    if (strcmp(method, "hash") == 0)
        return !is_bits && type.kind != TYPE_MONEY;
    return true;
}

static void
check_index_type(const struct index *index, struct span span, struct type type)
{
    struct diag *diag;

    if (can_index(index->method, type))
        return;
    diag = diag_at(span, PGS1166_INDEX_TYPE, "an index of method %s cannot hold %s", index->method,
                   type_text(type));
    diag_hint(diag, strcmp(index->method, "btree") == 0
                        ? "write `index using gin (...)` for arrays, jsonb and tsvector, `using "
                          "gist` for ranges and shapes"
                        : "leave `using` out: btree serves = and <");
}

static struct index_item
index_item(struct checker *checker, const struct table *table, const struct ast_order *ast)
{
    struct index_item item = {.descending = ast->descending, .nulls = ast->nulls};
    struct scope scope = check_row_scope(checker, PLACE_INDEX, table);
    struct expr *expr;

    scope.clause = "an index";
    expr = check_expr(&scope, ast->expr);
    if (expr->kind == EXPR_COLUMN)
        item.column = expr->column;
    else
        item.expr = expr;
    return item;
}

/* As PostgreSQL names it: columns by their name, calls by the function's, others "expr". */
static const char *
item_name(const struct index_item *item)
{
    if (item->column)
        return item->column->name;
    return item->expr->kind == EXPR_CALL ? item->expr->name : "expr";
}

static const char *
index_name(struct checker *checker, const struct table *table, const struct index *index)
{
    VEC(const char *) names = {0};

    for (size_t i = 0; i < index->items.n; i++)
        vec_push(&names, item_name(&index->items.at[i]));
    return check_choose_name(checker, table, name_join(names.at, names.n), "idx", true);
}

void
check_index(struct checker *checker, struct table *table, const struct ast_index *ast)
{
    struct index *index = arena_alloc(sizeof(*index));
    struct scope scope = check_row_scope(checker, PLACE_INDEX, table);

    index->span = ast->span;
    index->unique = ast->unique;
    index->method = ast->method.text ? ast->method.text : "btree";
    if (!is_method(index->method)) {
        struct diag *diag = diag_at(ast->method.span, PGS1164_UNKNOWN_INDEX_METHOD,
                                    "there is no index method \"%s\"", index->method);
        diag_hint(diag, "btree, hash, gin, gist or brin");
        return;
    }
    for (size_t i = 0; i < ast->items.n; i++) {
        struct index_item item = index_item(checker, table, &ast->items.at[i]);

        check_index_type(index, ast->items.at[i].span,
                         item.column ? item.column->type : item.expr->type);
        vec_push(&index->items, item);
    }
    scope.clause = "an index";
    if (ast->where)
        index->where = check_condition(&scope, ast->where, "the condition of an index");
    index->name = ast->name.text ? check_given_name(checker, table, &ast->name, true)
                                 : index_name(checker, table, index);
    vec_push(&table->indexes, index);
}
