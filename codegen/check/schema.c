/* SPDX-License-Identifier: MIT */
/* Schemas and extensions, comments on what there is, and what is gone on purpose. */
#include "check/checker.h"

#include <string.h>

#include "model/names.h"
#include "syntax/spell.h"

/* ---- schemas ---- */

bool
check_is_reserved_schema(const char *name)
{
    static const char *const names[] = {
        "public",       "pgstack",           "auth", "claim", "pgstack_policy",
        "pgstack_live", "information_schema"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return strncmp(name, "pg_", 3) == 0;
}

const struct schema *
check_schema_named(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->schemas.n; i++)
        if (strcmp(model->schemas.at[i]->name, name) == 0)
            return model->schemas.at[i];
    return NULL;
}

static void
declare_schema(struct model *model, const struct ast_name *ast)
{
    const struct schema *same = check_schema_named(model, ast->text);
    struct schema *schema = arena_alloc(sizeof(*schema));
    struct diag *diag;

    if (same) {
        diag = diag_at(ast->span, PGS1270_DUPLICATE_SCHEMA, "schema \"%s\" is declared twice",
                       ast->text);
        diag_note(diag, same->span, "first declared here");
        diag_hint(diag, "drop one of the two");
        return;
    }
    if (check_is_reserved_schema(ast->text)) {
        diag = diag_at(ast->span, PGS1271_RESERVED_SCHEMA,
                       "schema \"%s\" is there without being declared", ast->text);
        diag_hint(diag, strcmp(ast->text, "public") == 0
                            ? "drop the line: what has no schema is in public"
                            : "choose another name: it is PostgreSQL's or the platform's");
        return;
    }
    schema->span = ast->span;
    schema->name = ast->text;
    vec_push(&model->schemas, schema);
}

bool
check_has_schema(const struct checker *checker, const char *name)
{
    return strcmp(name, "public") == 0 || check_schema_named(checker->model, name);
}

const char *
check_schema_of(struct checker *checker, const struct ast_path *path)
{
    struct diag *diag;

    if (path->schema.text)
        uses_note(path->schema.span, USE_SCHEMA,
                  check_schema_named(checker->model, path->schema.text));
    if (!path->schema.text || check_has_schema(checker, path->schema.text))
        return path->schema.text ? path->schema.text : "public";
    diag = diag_at(path->schema.span, PGS2008_UNKNOWN_SCHEMA, "there is no schema \"%s\"",
                   path->schema.text);
    if (check_is_reserved_schema(path->schema.text))
        diag_hint(diag, "it is the platform's or PostgreSQL's own: choose another");
    else
        diag_hint(diag, "declare it: `schema %s;`", name_sql(path->schema.text));
    return path->schema.text;
}

const char *
check_relation_key(const char *schema, const char *name)
{
    return strcmp(schema, "public") == 0 ? name : arena_printf("%s\n%s", schema, name);
}

/* ---- extensions ---- */

static void
declare_extension(struct checker *checker, const struct ast_extension *ast)
{
    struct extension *extension = arena_alloc(sizeof(*extension));
    struct ast_path path = {.schema = ast->schema, .name = ast->name};
    struct model *model = checker->model;

    for (size_t i = 0; i < model->extensions.n; i++)
        if (strcmp(model->extensions.at[i]->name, ast->name.text) == 0) {
            struct diag *diag = diag_at(ast->name.span, PGS1272_DUPLICATE_EXTENSION,
                                        "extension \"%s\" is declared twice", ast->name.text);
            diag_note(diag, model->extensions.at[i]->span, "first declared here");
            diag_hint(diag, "drop one of the two");
            return;
        }
    extension->span = ast->name.span;
    extension->name = ast->name.text;
    extension->schema = check_schema_of(checker, &path);
    vec_push(&model->extensions, extension);
}

static const struct extension *
extension_named(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->extensions.n; i++)
        if (strcmp(model->extensions.at[i]->name, name) == 0)
            return model->extensions.at[i];
    return NULL;
}

const struct extension *
check_extension(const struct checker *checker, struct span span, const char *name, const char *what)
{
    const struct extension *extension = extension_named(checker->model, name);
    const char *line = arena_printf("extension %s;", spell_name(name));
    struct diag *diag;

    if (extension)
        return extension;
    diag = diag_at(span, PGS1255_EXTENSION_MISSING,
                   "%s comes with extension \"%s\", which is not declared", what, name);
    diag_hint(diag, "add `%s`", line);
    check_fix_heading(diag, checker->ast, line);
    return NULL;
}

void
check_declare_schemas(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->schemas.n; i++)
        declare_schema(checker->model, &checker->ast->schemas.at[i]);
    for (size_t i = 0; i < checker->ast->extensions.n; i++)
        declare_extension(checker, checker->ast->extensions.at[i]);
}

/* ---- comments ---- */

static const struct column *
find_commented_column(struct checker *checker, const struct ast_names *names)
{
    struct ast_path path = {.name = names->at[names->n > 2 ? 1 : 0]};
    const struct table *table;

    if (names->n > 2)
        path.schema = names->at[0];
    path.span = span_join(names->at[0].span, path.name.span);
    if (names->n < 2) {
        struct diag *diag =
            diag_at(names->at[0].span, PGS2003_UNKNOWN_COLUMN,
                    "a column of which table? \"%s\" alone does not say", names->at[0].text);
        diag_hint(diag, "write `comment on column TABLE.%s is '...'`", names->at[0].text);
        return NULL;
    }
    table = check_find_table(checker, &path);
    return table ? check_find_column(table, &names->at[names->n - 1]) : NULL;
}

static void
report_unknown(const struct ast_path *path, enum diag_code code, const char *what)
{
    struct diag *diag = diag_at(path->span, code, "there is no %s \"%s\"", what, path->name.text);

    diag_hint(diag, "a comment is on what these sources declare");
}

static const void *
type_named(const struct checker *checker, const char *name)
{
    const struct declared_type *declared = check_declared_type(checker, name);

    if (!declared)
        return check_enumeration_named(checker->model, name);
    return declared->composite ? (const void *)declared->type.composite
           : declared->range   ? (const void *)declared->type.range
                               : (const void *)declared->type.domain;
}

static void
find_commented(struct checker *checker, const struct ast_comment *ast, struct comment *out)
{
    switch (ast->kind) {
    case AST_KIND_COLUMN:
        out->column = find_commented_column(checker, &ast->column);
        return;
    case AST_KIND_TABLE:
    case AST_KIND_VIEW:
    case AST_KIND_MATERIALIZED_VIEW:
        out->table = check_find_table(checker, &ast->path);
        return;
    case AST_KIND_TYPE:
        out->type = type_named(checker, ast->path.name.text);
        out->type_name = ast->path.name.text;
        if (!out->type)
            report_unknown(&ast->path, PGS2002_UNKNOWN_TYPE, "type");
        return;
    case AST_KIND_QUERY:
    case AST_KIND_FUNCTION:
        out->function = check_function_named(checker->model, ast->path.name.text);
        out->query = check_query_named(checker->model, ast->path.name.text);
        if (!out->query && !out->function)
            report_unknown(&ast->path, PGS2006_UNKNOWN_FUNCTION,
                           ast->kind == AST_KIND_QUERY ? "query" : "function");
        return;
    case AST_KIND_SCHEMA:
        if (check_schema_named(checker->model, ast->path.name.text))
            out->schema = ast->path.name.text;
        else
            report_unknown(&ast->path, PGS2008_UNKNOWN_SCHEMA, "schema");
        return;
    }
}

/* `comment on table v` where v is a view is an error in PostgreSQL, too. */
static bool
is_of_kind(const struct ast_comment *ast, const struct table *table)
{
    enum ast_kind kind = !table->is_view       ? AST_KIND_TABLE
                         : table->materialized ? AST_KIND_MATERIALIZED_VIEW
                                               : AST_KIND_VIEW;
    static const char *const words[] = {
        [AST_KIND_TABLE] = "table",
        [AST_KIND_VIEW] = "view",
        [AST_KIND_MATERIALIZED_VIEW] = "materialized view",
    };
    struct diag *diag;

    if (ast->kind == kind)
        return true;
    diag = diag_at(ast->path.span, PGS1274_COMMENT, "\"%s\" is a %s", table->name, words[kind]);
    diag_hint(diag, "write `comment on %s %s`", words[kind], table->name);
    return false;
}

static bool
is_same(const struct comment *a, const struct comment *b)
{
    return a->table == b->table && a->column == b->column && a->type == b->type &&
           a->query == b->query && a->function == b->function && a->schema == b->schema;
}

static void
check_comment(struct checker *checker, const struct ast_comment *ast)
{
    struct comment *comment = arena_alloc(sizeof(*comment));

    comment->span = ast->span;
    comment->text = ast->text.text;
    find_commented(checker, ast, comment);
    if (!comment->table && !comment->column && !comment->type && !comment->query &&
        !comment->function && !comment->schema)
        return;
    if (comment->table && (comment->table->builtin || !is_of_kind(ast, comment->table)))
        return;
    for (size_t i = 0; i < checker->model->comments.n; i++) {
        const struct comment *other = checker->model->comments.at[i];
        struct diag *diag;

        if (!is_same(other, comment))
            continue;
        diag = diag_at(ast->span, PGS1274_COMMENT, "this has a comment already");
        diag_note(diag, other->span, "the first one is here");
        diag_hint(diag, "drop one of the two: PostgreSQL keeps the last");
        return;
    }
    vec_push(&checker->model->comments, comment);
}

/* ---- what is gone ---- */

static void
check_drop(struct checker *checker, const struct ast_drop *ast)
{
    static const enum drop_kind kinds[] = {
        [AST_KIND_TABLE] = DROP_TABLE,       [AST_KIND_VIEW] = DROP_VIEW,
        [AST_KIND_TYPE] = DROP_TYPE,         [AST_KIND_MATERIALIZED_VIEW] = DROP_MATERIALIZED_VIEW,
        [AST_KIND_FUNCTION] = DROP_FUNCTION, [AST_KIND_QUERY] = DROP_QUERY,
        [AST_KIND_SCHEMA] = DROP_SCHEMA,
    };
    struct drop *drop = arena_alloc(sizeof(*drop));
    const char *schema = ast->path.schema.text ? ast->path.schema.text : "public";
    const struct table *table = check_table_named(checker, schema, ast->path.name.text);
    struct diag *diag;

    drop->span = ast->path.span;
    drop->kind = kinds[ast->kind];
    drop->schema = schema;
    drop->name = ast->path.name.text;
    vec_push(&checker->model->drops, drop);
    if (!table || drop->kind > DROP_MATERIALIZED_VIEW)
        return;
    diag = diag_at(ast->path.span, PGS1267_DROPPED_IS_THERE, "\"%s\" is dropped, and is there",
                   table->name);
    diag_note(diag, table->span, "it is declared here");
    diag_hint(diag, "drop one of the two");
}

void
check_comments(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->comments.n; i++)
        check_comment(checker, checker->ast->comments.at[i]);
    for (size_t i = 0; i < checker->ast->drops.n; i++)
        check_drop(checker, checker->ast->drops.at[i]);
}
