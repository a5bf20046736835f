/* SPDX-License-Identifier: MIT */
/*
 * Indexes and exclusions: what they are over, and whether their method can hold it and has what is
 * asked of it.
 */
#include "check/checker.h"

#include <string.h>

#include "model/names.h"
#include "model/opclass.h"

/* ---- what a method can ---- */

struct method {
    const char *name;
    bool orders, unique, includes;
    const char *settings[6];
};

static const struct method methods[] = {
    {"btree", true, true, true, {"fillfactor", "deduplicate_items"}},
    {"hash", false, false, false, {"fillfactor"}},
    {"gin", false, false, false, {"fastupdate", "gin_pending_list_limit"}},
    {"gist", false, false, true, {"fillfactor", "buffering"}},
    {"brin", false, false, false, {"pages_per_range", "autosummarize"}},
};

static const struct method *
find_method(const char *name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static const struct method *
check_method(const struct ast_name *name)
{
    const struct method *method = find_method(name->text ? name->text : "btree");
    struct diag *diag;

    if (method)
        return method;
    diag = diag_at(name->span, PGS1164_UNKNOWN_INDEX_METHOD, "there is no index method \"%s\"",
                   name->text);
    diag_hint(diag, "btree, hash, gin, gist or brin");
    return NULL;
}

static void
refuse_option(struct span span, const struct method *method, const char *what, const char *hint)
{
    struct diag *diag =
        diag_at(span, PGS1257_INDEX_OPTION, "an index of method %s has no %s", method->name, what);

    diag_hint(diag, "%s", hint);
}

static void
check_settings(const struct ast_index *ast, const struct method *method, struct index *index)
{
    for (size_t i = 0; i < ast->settings.n; i++) {
        const struct ast_index_setting *setting = &ast->settings.at[i];
        struct setting known = {setting->name.text, setting->value};
        bool found = false;

        for (size_t j = 0; method->settings[j]; j++)
            found = found || strcmp(method->settings[j], setting->name.text) == 0;
        if (!found)
            refuse_option(setting->span, method, arena_printf("setting \"%s\"", setting->name.text),
                          arena_printf("it has %s%s%s", method->settings[0],
                                       method->settings[1] ? " and " : "",
                                       method->settings[1] ? method->settings[1] : ""));
        vec_push(&index->settings, known);
    }
}

static void
check_options(const struct ast_index *ast, const struct method *method)
{
    struct diag *diag;

    if (ast->unique && !method->unique)
        refuse_option(ast->span, method, "`unique`", "leave `using` out: btree has it");
    if (ast->include.n > 0 && !method->includes)
        refuse_option(ast->include.at[0].span, method, "`include`",
                      "btree and gist have it; or leave it out");
    for (size_t i = 0; i < ast->items.n; i++)
        if (!method->orders && (ast->items.at[i].descending || ast->items.at[i].nulls))
            refuse_option(ast->items.at[i].span, method, "order", "drop `desc` and `nulls`");
    if (!ast->nulls_not_distinct || ast->unique)
        return;
    diag = diag_at(ast->span, PGS1257_INDEX_OPTION, "`nulls not distinct` is for unique indexes");
    diag_hint(diag, "write `index unique (...) nulls not distinct`, or drop it");
}

/* ---- indexes ---- */

static void
check_index_items(struct checker *checker, const struct table *table, const struct ast_items *ast,
                  const char *method, struct index_items *out)
{
    struct check_items of = {table, PLACE_INDEX, "an index", method};

    for (size_t i = 0; i < ast->n; i++) {
        const struct opclass *opclass;

        vec_push(out, check_item(checker, &of, &ast->at[i], &opclass));
    }
}

void
check_index(struct checker *checker, struct table *table, const struct ast_index *ast)
{
    struct index *index = arena_alloc(sizeof(*index));
    struct scope scope = check_row_scope(checker, PLACE_INDEX, table);
    const struct method *method = check_method(&ast->method);

    if (!method)
        return;
    index->span = ast->span;
    index->unique = ast->unique;
    index->global = ast->global;
    index->nulls_not_distinct = ast->nulls_not_distinct;
    index->method = method->name;
    check_options(ast, method);
    check_index_items(checker, table, &ast->items, method->name, &index->items);
    for (size_t i = 0; i < ast->include.n; i++) {
        const struct column *column = check_find_column(table, &ast->include.at[i]);

        if (column)
            vec_push(&index->include, column);
    }
    check_settings(ast, method, index);
    scope.clause = "an index";
    if (ast->where)
        index->where = check_condition(&scope, ast->where, "the condition of an index");
    index->name = ast->name.text
                      ? check_given_name(checker, table, &ast->name, true)
                      : check_choose_name(
                            checker, table,
                            check_items_name(&index->items, index->include.at, index->include.n),
                            "idx", true);
    vec_push(&table->indexes, index);
}

/* ---- exclusions ---- */

static void
check_excludes(const struct ast_item *ast, const struct opclass *opclass, const char *method)
{
    struct diag *diag;

    if (!opclass || opclass_has_operator(opclass, ast->op))
        return;
    diag = diag_at(ast->op_span, PGS1261_EXCLUSION_OPERATOR,
                   "\"%s\" is no operator that %s can exclude by with `using %s`", ast->op,
                   ast->expr->kind == AST_COLUMN ? "this column" : "this expression", method);
    if (opclass->operators[0])
        diag_hint(diag, "it has: %s", opclass->operators);
    else
        diag_hint(diag, "write `using gist`");
}

static void
collect_column(const struct expr *expr, void *data)
{
    struct constraint *constraint = data;

    if (expr->kind == EXPR_COLUMN)
        vec_push(&constraint->columns, expr->column);
}

static void
check_exclusion_items(struct checker *checker, const struct table *table,
                      const struct ast_constraint *ast, struct constraint *exclusion)
{
    struct check_items of = {table, PLACE_INDEX, "an exclusion", exclusion->method};

    for (size_t i = 0; i < ast->items.n; i++) {
        const struct opclass *opclass;
        struct index_item item = check_item(checker, &of, &ast->items.at[i], &opclass);

        check_excludes(&ast->items.at[i], opclass, exclusion->method);
        if (item.column)
            vec_push(&exclusion->columns, item.column);
        else
            walk_expr(item.expr, collect_column, exclusion);
        vec_push(&exclusion->items, item);
    }
}

/* btree is PostgreSQL's own choice; what it could exclude is a unique key. */
void
check_exclusion(struct checker *checker, struct table *table, const struct ast_constraint *ast)
{
    struct constraint *exclusion = arena_alloc(sizeof(*exclusion));
    struct scope scope = check_row_scope(checker, PLACE_INDEX, table);
    const struct method *method = check_method(&ast->method);

    if (!method)
        return;
    exclusion->span = ast->span;
    exclusion->kind = CONSTRAINT_EXCLUDE;
    exclusion->method = method->name;
    if (strcmp(method->name, "gin") == 0 || strcmp(method->name, "brin") == 0) {
        refuse_option(ast->method.span, method, "exclusion", "write `using gist`");
        return;
    }
    check_exclusion_items(checker, table, ast, exclusion);
    scope.clause = "an exclusion";
    if (ast->where)
        exclusion->where = check_condition(&scope, ast->where, "the condition of an exclusion");
    check_deferral(ast, exclusion);
    exclusion->name =
        ast->name.text
            ? check_given_name(checker, table, &ast->name, true)
            : check_choose_name(checker, table, check_items_name(&exclusion->items, NULL, 0),
                                "excl", true);
    vec_push(&table->constraints, exclusion);
}
