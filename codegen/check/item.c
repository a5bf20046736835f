/* SPDX-License-Identifier: MIT */
/*
 * Items of indexes, exclusions and partition keys: what they are over, their collation and operator
 * class.  A class that only an extension unknown to the compiler can have is taken as it is.
 */
#include "check/checker.h"

#include <string.h>

#include "base/words.h"
#include "model/names.h"
#include "model/opclass.h"

/* ---- operator classes ---- */

/* An extension that may have classes of any name. */
static const struct extension *
unknown_extension(const struct model *model)
{
    for (size_t i = 0; i < model->extensions.n; i++)
        if (!opclass_knows_extension(model->extensions.at[i]->name))
            return model->extensions.at[i];
    return NULL;
}

static void
report_unknown_class(const struct ast_item *ast, const char *method)
{
    const char *name = ast->opclass.name.text;
    const struct opclass *other = opclass_named(NULL, name);
    struct diag *diag = diag_at(ast->opclass.span, PGS1253_UNKNOWN_OPCLASS,
                                "there is no operator class \"%s\" for method %s", name, method);
    const char *nearest;
    size_t n;
    const char *const *names = opclass_names(method, &n);

    nearest = diag_nearest(name, names, n);
    if (other)
        diag_hint(diag, "it is one of `using %s`", other->method);
    else if (nearest)
        diag_hint(diag, "did you mean \"%s\"?", nearest);
    else
        diag_hint(diag, "leave it out for the usual one; a class of an extension needs "
                        "`extension NAME;`");
}

/* "gin_trgm_ops", with the schema where it is an extension's. */
static const char *
class_sql(const struct ast_path *path, const struct extension *extension)
{
    const char *schema = path->schema.text ? path->schema.text
                         : extension       ? extension->schema
                                           : NULL;

    return schema ? arena_printf("%s.%s", name_sql(schema), name_sql(path->name.text))
                  : name_sql(path->name.text);
}

static const struct opclass *
check_written_class(struct checker *checker, const struct ast_item *ast, const char *method,
                    struct type type, struct index_item *item)
{
    const struct model *model = checker->model;
    const char *name = ast->opclass.name.text;
    const struct opclass *found = opclass_find(method, name, type);
    const struct opclass *named = opclass_named(method, name);
    struct diag *diag;

    if (!named && unknown_extension(model)) {
        item->opclass = class_sql(&ast->opclass, unknown_extension(model));
        return NULL;
    }
    if (!named) {
        report_unknown_class(ast, method);
        return NULL;
    }
    if (!found && !type_is_open(type)) {
        diag = diag_at(ast->opclass.span, PGS1254_OPCLASS_TYPE,
                       "operator class \"%s\" does not take %s", name, type_text(type));
        diag_hint(diag, "leave it out, or index an expression of type %s", named->type);
        return NULL;
    }
    if (named->extension && !opclass_extension(model, named)) {
        check_extension(checker, ast->opclass.span, named->extension,
                        arena_printf("operator class \"%s\"", name));
        return NULL;
    }
    item->opclass = class_sql(&ast->opclass, opclass_extension(model, named));
    return found;
}

static void
report_no_class(const struct ast_item *ast, const char *method, struct type type)
{
    struct diag *diag = diag_at(ast->span, PGS1166_INDEX_TYPE,
                                "an index of method %s cannot hold %s", method, type_text(type));

    diag_hint(diag, strcmp(method, "btree") == 0
                        ? "write `index using gin (...)` for arrays, jsonb and tsvector, `using "
                          "gist` for ranges and shapes"
                        : "leave `using` out: btree serves = and <");
}

static const struct opclass *
check_usual_class(struct checker *checker, const struct ast_item *ast, const char *method,
                  struct type type)
{
    const struct opclass *found = opclass_default(checker->model, method, type);
    bool missing;

    if (type_is_open(type) || (!found && unknown_extension(checker->model)))
        return NULL;
    missing = found && found->extension && !opclass_extension(checker->model, found);
    if (!found || (missing && strcmp(method, "gist") != 0))
        report_no_class(ast, method, type);
    else if (missing)
        check_extension(checker, ast->span, found->extension,
                        arena_printf("what `using %s` needs for %s", method, type_text(type)));
    else
        return found;
    return NULL;
}

/* ---- collations ---- */

static void
check_collation(const struct ast_item *ast, struct type type, struct index_item *item)
{
    const struct ast_path *path = &ast->collation;
    struct diag *diag;

    if (!path->name.text)
        return;
    item->collation = path->schema.text ? arena_printf("%s.%s", name_sql(path->schema.text),
                                                       name_sql(path->name.text))
                                        : name_sql(path->name.text);
    if (type_is_open(type) || type_is_text(type_element(type)))
        return;
    diag = diag_at(path->span, PGS1256_COLLATION_TYPE, "%s has no collation", type_text(type));
    diag_hint(diag, "leave `collate` out: it is for text");
}

/* ---- all ---- */

struct index_item
check_item(struct checker *checker, const struct check_items *of, const struct ast_item *ast,
           const struct opclass **opclass)
{
    struct index_item item = {.descending = ast->descending, .nulls = ast->nulls, .op = ast->op};
    struct scope scope = check_row_scope(checker, of->place, of->table);
    struct expr *expr;
    struct type type;

    scope.clause = of->clause;
    expr = check_expr(&scope, ast->expr);
    type = expr->type;
    if (expr->kind == EXPR_COLUMN)
        item.column = expr->column;
    else
        item.expr = expr;
    check_collation(ast, type, &item);
    *opclass = ast->opclass.name.text ? check_written_class(checker, ast, of->method, type, &item)
                                      : check_usual_class(checker, ast, of->method, type);
    return item;
}

/* As PostgreSQL's FigureIndexColname has it; NULL: no name of its own. */
static const char *
expr_name(const struct expr *expr)
{
    const char *name;

    switch (expr->kind) {
    case EXPR_COLUMN:
        return expr->column->name;
    case EXPR_CALL:
        return expr->name;
    case EXPR_EXTRACT:
        return "extract";
    case EXPR_CASE:
        return "case";
    case EXPR_ARRAY:
        return "array";
    case EXPR_ROW:
        return "row";
    case EXPR_CAST:
        name = expr_name(expr->args.at[0]);
        return name ? name : opclass_type_name(expr->type);
    default:
        return NULL;
    }
}

const char *
check_item_name(const struct index_item *item)
{
    const char *name = item->column ? item->column->name : expr_name(item->expr);

    return name ? name : "expr";
}

/* With 1, 2, ... behind one that is there already, as PostgreSQL tells them apart. */
static void
add_name(struct words *names, const char *name)
{
    const char *free = name;

    for (int i = 1; words_contain(names, free); i++)
        free = arena_printf("%s%d", name, i);
    words_add(names, free);
}

const char *
check_items_name(const struct index_items *items, const struct column *const *include, size_t n)
{
    struct words names = {0};

    for (size_t i = 0; i < items->n; i++)
        add_name(&names, check_item_name(&items->at[i]));
    for (size_t i = 0; i < n; i++)
        add_name(&names, include[i]->name);
    return name_join(names.list.at, names.list.n);
}
