/* SPDX-License-Identifier: MIT */
/*
 * Every declared name, once; and the look-ups by name.  Tables, views and types share one space, as
 * they do in PostgreSQL (a table is also a row type).
 */
#include "checker.h"

#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "str.h"
#include "types.h"

VEC_STRUCT(known_names, const char *);

void
check_suggest(struct diag *diag, const char *name, const char *const *known, size_t n)
{
    const char *nearest = diag_nearest(name, known, n);

    if (nearest)
        diag_hint(diag, "did you mean \"%s\"?", nearest);
}

static void
report_twice(enum diag_code code, struct span again, struct span first, const char *what,
             const char *name)
{
    struct diag *diag = diag_at(again, code, "%s \"%s\" is declared twice", what, name);

    diag_note(diag, first, "first declared here");
    diag_hint(diag, "rename one of the two, or drop it");
}

/* ---- what is built in ---- */

static struct role *
add_role(struct model *model, const char *name, struct span span, bool builtin)
{
    struct role *role = arena_alloc(sizeof(*role));

    role->name = name;
    role->span = span;
    role->builtin = builtin;
    role->number = (int)model->roles.n;
    vec_push(&model->roles, role);
    return role;
}

static struct column *
add_column(struct table *table, const char *name, struct type type, bool not_null)
{
    struct column *column = arena_alloc(sizeof(*column));

    column->table = table;
    column->name = name;
    column->number = (int)table->columns.n;
    column->type = type;
    column->not_null = not_null;
    vec_push(&table->columns, column);
    return column;
}

static void
add_key(struct table *table, enum constraint_kind kind, const char *name, struct column *column)
{
    struct constraint *key = arena_alloc(sizeof(*key));

    key->kind = kind;
    key->name = name;
    vec_push(&key->columns, column);
    vec_push(&table->constraints, key);
    if (kind == CONSTRAINT_PRIMARY_KEY)
        table->primary_key = key;
}

/* pgstack.users: made by the platform's part of the first migration. */
static void
declare_users(struct model *model)
{
    struct table *users = arena_alloc(sizeof(*users));
    struct column *id;

    users->schema = "pgstack";
    users->name = "users";
    users->builtin = true;
    id = add_column(users, "id", type_scalar(TYPE_UUID), true);
    add_key(users, CONSTRAINT_PRIMARY_KEY, "users_pkey", id);
    add_key(users, CONSTRAINT_UNIQUE, "users_email_key",
            add_column(users, "email", type_scalar(TYPE_TEXT), false));
    add_column(users, "role", type_scalar(TYPE_TEXT), true);
    add_column(users, "user_metadata", type_scalar(TYPE_JSONB), true);
    add_column(users, "app_metadata", type_scalar(TYPE_JSONB), true);
    add_column(users, "created_at", type_scalar(TYPE_TIMESTAMPTZ), true);
    vec_push(&model->tables, users);
}

static void
declare_builtins(struct model *model)
{
    struct span nowhere = {0};

    add_role(model, "anon", nowhere, true);
    add_role(model, "authenticated", nowhere, true);
    add_role(model, "service_role", nowhere, true);
    declare_users(model);
}

/* ---- relations and types ---- */

static const struct table *
table_named(const struct model *model, const char *schema, const char *name)
{
    for (size_t i = 0; i < model->tables.n; i++)
        if (strcmp(model->tables.at[i]->name, name) == 0 &&
            strcmp(model->tables.at[i]->schema, schema) == 0)
            return model->tables.at[i];
    return NULL;
}

static const struct enumeration *
enumeration_named(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->enumerations.n; i++)
        if (strcmp(model->enumerations.at[i]->name, name) == 0)
            return model->enumerations.at[i];
    return NULL;
}

/* Where the name is taken already among tables, views and types; false: it is free. */
static bool
find_relation_name(const struct model *model, const char *name, struct span *first)
{
    const struct table *table = table_named(model, "public", name);
    const struct enumeration *type = enumeration_named(model, name);

    if (table)
        *first = table->span;
    else if (type)
        *first = type->span;
    return table || type;
}

static bool
claim_relation_name(const struct model *model, const char *what, const struct ast_name *name)
{
    struct span first;

    if (find_relation_name(model, name->text, &first)) {
        report_twice(PGS1110_DUPLICATE_RELATION, name->span, first, what, name->text);
        return false;
    }
    return true;
}

static void
declare_labels(struct enumeration *type, const struct ast_enum *ast)
{
    for (size_t i = 0; i < ast->labels.n; i++) {
        const struct ast_string *label = &ast->labels.at[i];

        for (size_t j = 0; j < type->labels.n; j++)
            if (strcmp(type->labels.at[j], label->text) == 0)
                report_twice(PGS1113_DUPLICATE_LABEL, label->span, type->label_spans.at[j], "value",
                             label->text);
        if (strlen(label->text) > NAME_MAX_BYTES || label->text[0] == '\0') {
            struct diag *diag = diag_at(label->span, PGS1132_LABEL_LENGTH,
                                        "a value of a type has 1 to %d bytes", NAME_MAX_BYTES);
            diag_hint(diag, "shorten it");
        }
        vec_push(&type->labels, label->text);
        vec_push(&type->label_spans, label->span);
    }
}

static void
declare_enum(struct checker *checker, const struct ast_enum *ast)
{
    struct enumeration *type = arena_alloc(sizeof(*type));
    struct type builtin;

    if (type_find(ast->name.text, &builtin)) {
        struct diag *diag = diag_at(ast->name.span, PGS1131_RESERVED_NAME,
                                    "\"%s\" is a type of PostgreSQL itself", ast->name.text);
        diag_hint(diag, "choose another name");
    }
    if (!claim_relation_name(checker->model, "type", &ast->name))
        return;
    type->span = ast->name.span;
    type->name = ast->name.text;
    declare_labels(type, ast);
    vec_push(&checker->model->enumerations, type);
}

/* PostgreSQL has columns of its own in every table. */
static bool
is_system_column(const char *name)
{
    static const char *const names[] = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void
declare_column(struct table *table, const struct ast_column *ast)
{
    struct column *same = check_column_named(table, ast->name.text);
    struct column *column;

    if (same) {
        report_twice(PGS1111_DUPLICATE_COLUMN, ast->name.span, same->span, "column",
                     ast->name.text);
        return;
    }
    if (is_system_column(ast->name.text)) {
        struct diag *diag = diag_at(ast->name.span, PGS1131_RESERVED_NAME,
                                    "\"%s\" is a column of PostgreSQL itself", ast->name.text);
        diag_hint(diag, "choose another name");
    }
    column = add_column(table, ast->name.text, type_scalar(TYPE_ANY), ast->not_null);
    column->span = ast->name.span;
    column->is_private = ast->is_private;
    column->was = ast->was.text;
    column->was_span = ast->was.span;
}

static struct table *
add_table(struct model *model, const struct ast_name *name, bool is_view)
{
    struct table *table = arena_alloc(sizeof(*table));

    table->span = name->span;
    table->schema = "public";
    table->name = name->text;
    table->is_view = is_view;
    vec_push(&model->tables, table);
    return table;
}

static void
declare_table(struct checker *checker, const struct ast_table *ast)
{
    struct declared_table declared = {.ast = ast};

    if (!claim_relation_name(checker->model, "table", &ast->name))
        return;
    declared.table = add_table(checker->model, &ast->name, false);
    for (size_t i = 0; i < ast->columns.n; i++)
        declare_column(declared.table, ast->columns.at[i]);
    vec_push(&checker->tables, declared);
}

static void
declare_view(struct checker *checker, const struct ast_view *ast)
{
    struct declared_view declared = {.ast = ast};

    if (!claim_relation_name(checker->model, "view", &ast->name))
        return;
    declared.table = add_table(checker->model, &ast->name, true);
    vec_push(&checker->views, declared);
}

/* ---- the other kinds ---- */

#define FIND_NAMED(list, wanted)                                                                   \
    for (size_t i = 0; i < (list).n; i++)                                                          \
        if (strcmp((list).at[i]->name, wanted) == 0)                                               \
            return (list).at[i];                                                                   \
    return NULL

struct role *
check_role_named(const struct checker *checker, const char *name)
{
    FIND_NAMED(checker->model->roles, name);
}

static struct cors *
cors_named(const struct model *model, const char *name)
{
    FIND_NAMED(model->cors, name);
}

static struct query *
query_named(const struct model *model, const char *name)
{
    FIND_NAMED(model->queries, name);
}

struct claim *
check_claim_named(const struct checker *checker, const char *name)
{
    FIND_NAMED(checker->model->claims, name);
}

struct predicate *
check_predicate_named(const struct checker *checker, const char *name)
{
    FIND_NAMED(checker->model->predicates, name);
}

struct column *
check_column_named(const struct table *table, const char *name)
{
    FIND_NAMED(table->columns, name);
}

/* PostgreSQL's own roles and those that pgstack makes. */
static bool
is_reserved_role(const char *name)
{
    static const char *const names[] = {"postgres",     "public",       "none",
                                        "current_user", "session_user", "current_role",
                                        "authenticator"};

    if (strncmp(name, "pg_", 3) == 0 || strncmp(name, "pgstack_", 8) == 0 ||
        strncmp(name, "authenticator_", 14) == 0)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void
declare_role(struct checker *checker, const struct ast_role *ast)
{
    struct role *same = check_role_named(checker, ast->name.text);

    if (same || is_reserved_role(ast->name.text)) {
        if (same && !same->builtin) {
            report_twice(PGS1114_DUPLICATE_ROLE, ast->name.span, same->span, "role",
                         ast->name.text);
            return;
        }
        struct diag *diag = diag_at(ast->name.span, PGS1130_RESERVED_ROLE,
                                    "role \"%s\" is built in", ast->name.text);
        diag_hint(diag, same ? "use it without declaring it" : "choose another name");
        return;
    }
    add_role(checker->model, ast->name.text, ast->name.span, false);
}

static void
declare_claim(struct checker *checker, const struct ast_claim *ast)
{
    struct claim *same = check_claim_named(checker, ast->name.text);
    struct claim *claim = arena_alloc(sizeof(*claim));

    if (same) {
        report_twice(PGS1115_DUPLICATE_CLAIM, ast->name.span, same->span, "claim", ast->name.text);
        return;
    }
    claim->span = ast->name.span;
    claim->name = ast->name.text;
    claim->path = ast->path.text ? ast->path.text : ast->name.text;
    claim->type = type_scalar(TYPE_ANY);
    vec_push(&checker->model->claims, claim);
}

static void
declare_predicate(struct checker *checker, const struct ast_predicate *ast)
{
    struct predicate *same = check_predicate_named(checker, ast->name.text);
    struct predicate *predicate = arena_alloc(sizeof(*predicate));

    if (same) {
        report_twice(PGS1116_DUPLICATE_PREDICATE, ast->name.span, same->span, "predicate",
                     ast->name.text);
        return;
    }
    predicate->span = ast->name.span;
    predicate->name = ast->name.text;
    predicate->definer = ast->definer;
    vec_push(&checker->model->predicates, predicate);
}

static void
declare_cors(struct checker *checker, const struct ast_cors *ast)
{
    struct cors *same = cors_named(checker->model, ast->name.text);
    struct cors *cors = arena_alloc(sizeof(*cors));

    if (same) {
        report_twice(PGS1118_DUPLICATE_CORS, ast->name.span, same->span, "cors", ast->name.text);
        return;
    }
    cors->span = ast->name.span;
    cors->name = ast->name.text;
    vec_push(&checker->model->cors, cors);
}

static void
declare_query(struct checker *checker, const struct ast_query *ast)
{
    struct query *same = query_named(checker->model, ast->name.text);
    struct query *query = arena_alloc(sizeof(*query));

    if (same) {
        report_twice(PGS1119_DUPLICATE_QUERY, ast->name.span, same->span, "query", ast->name.text);
        return;
    }
    query->span = ast->name.span;
    query->name = ast->name.text;
    vec_push(&checker->model->queries, query);
}

void
check_declare(struct checker *checker)
{
    const struct ast *ast = checker->ast;

    declare_builtins(checker->model);
    for (size_t i = 0; i < ast->tables.n; i++)
        declare_table(checker, ast->tables.at[i]);
    for (size_t i = 0; i < ast->views.n; i++)
        declare_view(checker, ast->views.at[i]);
    for (size_t i = 0; i < ast->enums.n; i++)
        declare_enum(checker, ast->enums.at[i]);
    for (size_t i = 0; i < ast->roles.n; i++)
        declare_role(checker, ast->roles.at[i]);
    for (size_t i = 0; i < ast->claims.n; i++)
        declare_claim(checker, ast->claims.at[i]);
    for (size_t i = 0; i < ast->predicates.n; i++)
        declare_predicate(checker, ast->predicates.at[i]);
    for (size_t i = 0; i < ast->cors.n; i++)
        declare_cors(checker, ast->cors.at[i]);
    for (size_t i = 0; i < ast->queries.n; i++)
        declare_query(checker, ast->queries.at[i]);
}

/* ---- look-ups that report ---- */

static struct known_names
names_of_tables(const struct model *model)
{
    struct known_names names = {0};

    for (size_t i = 0; i < model->tables.n; i++)
        if (!model->tables.at[i]->builtin)
            vec_push(&names, model->tables.at[i]->name);
    return names;
}

struct table *
check_find_table(struct checker *checker, const struct ast_path *path)
{
    const char *schema = path->schema.text ? path->schema.text : "public";
    const struct table *table = table_named(checker->model, schema, path->name.text);
    struct known_names known;
    struct diag *diag;

    if (table)
        return (struct table *)table;
    if (strcmp(schema, "public") != 0 && strcmp(schema, "pgstack") != 0) {
        diag =
            diag_at(path->schema.span, PGS2008_UNKNOWN_SCHEMA, "there is no schema \"%s\"", schema);
        diag_hint(diag, "tables are named without a schema; \"pgstack\" has pgstack.users");
        return NULL;
    }
    known = names_of_tables(checker->model);
    diag = diag_at(path->span, PGS2001_UNKNOWN_TABLE, "there is no table \"%s\"", path->name.text);
    check_suggest(diag, path->name.text, known.at, known.n);
    return NULL;
}

struct column *
check_find_column(const struct table *table, const struct ast_name *name)
{
    struct column *column = check_column_named(table, name->text);
    struct known_names known = {0};
    const char *nearest;
    struct diag *diag;

    if (column || check_is_unknown(table))
        return column;
    for (size_t i = 0; i < table->columns.n; i++)
        vec_push(&known, table->columns.at[i]->name);
    diag = diag_at(name->span, PGS2003_UNKNOWN_COLUMN, "%s \"%s\" has no column \"%s\"",
                   table->is_view ? "view" : "table", table->name, name->text);
    nearest = diag_nearest(name->text, known.at, known.n);
    if (nearest && !table->builtin)
        diag_note(diag, check_column_named(table, nearest)->span, "did you mean \"%s\"?", nearest);
    return NULL;
}

struct role *
check_find_role(struct checker *checker, const struct ast_name *name)
{
    struct role *role = check_role_named(checker, name->text);
    struct known_names known = {0};
    struct diag *diag;

    if (role)
        return role;
    for (size_t i = 0; i < checker->model->roles.n; i++)
        vec_push(&known, checker->model->roles.at[i]->name);
    diag = diag_at(name->span, PGS2004_UNKNOWN_ROLE, "there is no role \"%s\"", name->text);
    check_suggest(diag, name->text, known.at, known.n);
    return NULL;
}

const struct cors *
check_find_cors(struct checker *checker, const struct ast_name *name)
{
    struct cors *cors = cors_named(checker->model, name->text);
    struct known_names known = {0};
    struct diag *diag;

    if (cors)
        return cors;
    for (size_t i = 0; i < checker->model->cors.n; i++)
        vec_push(&known, checker->model->cors.at[i]->name);
    diag = diag_at(name->span, PGS2007_UNKNOWN_CORS, "there is no cors \"%s\"", name->text);
    check_suggest(diag, name->text, known.at, known.n);
    return NULL;
}

/* ---- types ---- */

static bool
report_unknown_type(struct checker *checker, const struct ast_type *ast)
{
    struct known_names known = {0};
    struct diag *diag;
    size_t n;
    const char *const *spellings = type_spellings(&n);

    for (size_t i = 0; i < checker->model->enumerations.n; i++)
        vec_push(&known, checker->model->enumerations.at[i]->name);
    for (size_t i = 0; i < n; i++)
        vec_push(&known, spellings[i]);
    diag = diag_at(ast->span, PGS2002_UNKNOWN_TYPE, "there is no type \"%s\"", ast->spelling);
    if (strstr(ast->spelling, "serial"))
        diag_hint(diag, "write `bigint generated always as identity`: it needs no right on a "
                        "sequence");
    else
        check_suggest(diag, ast->spelling, known.at, known.n);
    return false;
}

static bool
report_arguments(const struct ast_type *ast, const char *hint)
{
    struct diag *diag = diag_at(ast->span, PGS1141_TYPE_ARGUMENTS,
                                "type \"%s\" cannot have these arguments", ast->spelling);

    diag_hint(diag, "%s", hint);
    return false;
}

static bool
read_arguments(const struct ast_type *ast, struct type *type)
{
    if (ast->n_args == 0)
        return true;
    if (type->kind == TYPE_VARCHAR) {
        if (ast->n_args != 1 || ast->args[0] < 1 || ast->args[0] > 10485760)
            return report_arguments(ast, "varchar(n) takes one length from 1 to 10485760");
        type->length = (int)ast->args[0];
        return true;
    }
    if (type->kind == TYPE_NUMERIC) {
        long scale = ast->n_args == 2 ? ast->args[1] : 0;

        if (ast->args[0] < 1 || ast->args[0] > 1000 || scale < 0 || scale > ast->args[0])
            return report_arguments(ast, "numeric(p, s) takes a precision from 1 to 1000 and a "
                                         "scale that is not larger");
        type->precision = (int)ast->args[0];
        type->scale = (int)scale;
        return true;
    }
    return report_arguments(ast, "only varchar(n) and numeric(p, s) have any");
}

bool
check_type(struct checker *checker, const struct ast_type *ast, struct type *out)
{
    const struct enumeration *type = enumeration_named(checker->model, ast->spelling);

    *out = type_scalar(TYPE_ANY);
    if (ast->schema && strcmp(ast->schema, "public") != 0) {
        struct diag *diag = diag_at(ast->span, PGS2008_UNKNOWN_SCHEMA,
                                    "there is no schema \"%s\" for types", ast->schema);
        diag_hint(diag, "types are named without a schema");
        return false;
    }
    if (type)
        *out = (struct type){.kind = TYPE_ENUM, .enumeration = type};
    else if (!type_find(ast->spelling, out))
        return report_unknown_type(checker, ast);
    if (ast->dimensions > 1) {
        struct diag *diag =
            diag_at(ast->span, PGS1142_ARRAY_DIMENSIONS, "an array has one dimension here");
        diag_hint(diag, "write `%s[]`, or use jsonb", ast->spelling);
        return false;
    }
    out->array = ast->dimensions == 1;
    return read_arguments(ast, out);
}

bool
check_storable_type(struct checker *checker, const struct ast_type *ast, struct type *out)
{
    if (!check_type(checker, ast, out))
        return false;
    if (!type_is_storable(*out)) {
        struct diag *diag = diag_at(ast->span, PGS1140_TYPE_NOT_STORABLE,
                                    "no column or argument can be of type %s", type_text(*out));
        if (out->kind == TYPE_INTERVAL)
            diag_hint(diag, "keep a number of seconds (integer), or two times");
        else if (out->kind == TYPE_TSVECTOR)
            diag_hint(diag, "index the expression instead: `index using gin (to_tsvector(...))`");
        *out = type_scalar(TYPE_ANY);
        return false;
    }
    return true;
}
