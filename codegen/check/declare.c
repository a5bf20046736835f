/* SPDX-License-Identifier: MIT */
/*
 * Every declared name, once.  Tables, views and types share one space, as they do in PostgreSQL (a
 * table is also a row type).
 */
#include "check/checker.h"

#include <string.h>

#include "model/functions.h"
#include "model/names.h"

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

/* Where the name is taken already among tables, views and types; false: it is free. */
static bool
find_relation_name(const struct checker *checker, const char *schema, const char *name,
                   struct span *first)
{
    const struct table *table = check_table_named(checker, schema, name);
    const struct enumeration *type = check_enumeration_named(checker->model, name);
    const struct declared_type *defined = check_declared_type(checker, name);

    if (strcmp(schema, "public") != 0) {
        type = NULL;
        defined = NULL;
    }
    if (table)
        *first = table->span;
    else if (type)
        *first = type->span;
    else if (defined)
        *first = defined->name.span;
    return table || type || defined;
}

static bool
claim_relation_name(const struct checker *checker, const char *what, const char *schema,
                    const struct ast_name *name)
{
    struct span first;

    if (find_relation_name(checker, schema, name->text, &first)) {
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

static bool
claim_type_name(const struct checker *checker, const char *what, const struct ast_name *name)
{
    struct type builtin;

    if (type_find(name->text, &builtin)) {
        struct diag *diag = diag_at(name->span, PGS1131_RESERVED_NAME,
                                    "\"%s\" is a type of PostgreSQL itself", name->text);
        diag_hint(diag, "choose another name");
    }
    return claim_relation_name(checker, what, "public", name);
}

static void
declare_enum(struct checker *checker, const struct ast_enum *ast)
{
    struct enumeration *type = arena_alloc(sizeof(*type));

    if (!claim_type_name(checker, "type", &ast->name))
        return;
    type->span = ast->name.span;
    type->name = ast->name.text;
    declare_labels(type, ast);
    vec_push(&checker->model->enumerations, type);
}

/* With its multirange's, which PostgreSQL makes beside it. */
static bool
claim_range_name(const struct checker *checker, const struct ast_name *name)
{
    struct ast_name multirange = {check_multirange_name(name->text), name->span};

    return claim_type_name(checker, "type", name) && claim_type_name(checker, "type", &multirange);
}

static void
declare_types(struct checker *checker, const struct ast *ast)
{
    for (size_t i = 0; i < ast->composites.n; i++)
        if (claim_type_name(checker, "type", &ast->composites.at[i]->name))
            vec_push(&checker->types, ((struct declared_type){.name = ast->composites.at[i]->name,
                                                              .composite = ast->composites.at[i]}));
    for (size_t i = 0; i < ast->range_types.n; i++)
        if (claim_range_name(checker, &ast->range_types.at[i]->name))
            vec_push(&checker->types, ((struct declared_type){.name = ast->range_types.at[i]->name,
                                                              .range = ast->range_types.at[i]}));
    for (size_t i = 0; i < ast->domains.n; i++)
        if (claim_type_name(checker, "domain", &ast->domains.at[i]->name))
            vec_push(&checker->types, ((struct declared_type){.name = ast->domains.at[i]->name,
                                                              .domain = ast->domains.at[i]}));
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
add_table(struct checker *checker, const char *schema, const struct ast_name *name, bool is_view)
{
    struct table *table = arena_alloc(sizeof(*table));

    table->span = name->span;
    table->schema = schema;
    table->name = name->text;
    table->is_view = is_view;
    vec_push(&checker->model->tables, table);
    map_put(&checker->tables_by_name, check_relation_key(schema, table->name), table);
    return table;
}

static void
declare_table(struct checker *checker, const struct ast_table *ast)
{
    struct declared_table declared = {.ast = ast};
    const char *schema = check_schema_of(checker, &ast->path);

    if (!claim_relation_name(checker, "table", schema, &ast->name))
        return;
    declared.table = add_table(checker, schema, &ast->name, false);
    for (size_t i = 0; i < ast->columns.n; i++)
        declare_column(declared.table, ast->columns.at[i]);
    vec_push(&checker->tables, declared);
}

static void
declare_view(struct checker *checker, const struct ast_view *ast)
{
    struct declared_view declared = {.ast = ast};
    const char *schema = check_schema_of(checker, &ast->path);

    if (!claim_relation_name(checker, "view", schema, &ast->name))
        return;
    declared.table = add_table(checker, schema, &ast->name, true);
    declared.table->materialized = ast->materialized;
    vec_push(&checker->views, declared);
}

/* ---- the other kinds ---- */

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
    claim->path_span = ast->path.text ? ast->path.span : claim->span;
    claim->type = type_scalar(TYPE_ANY);
    vec_push(&checker->model->claims, claim);
}

/* A predicate goes before a function: `length(title) > 3` would no longer mean what it says. */
static void
check_predicate_name(const struct ast_name *name)
{
    struct diag *diag;

    if (function_find(name->text))
        diag = diag_at(name->span, PGS1131_RESERVED_NAME,
                       "\"%s\" is a function of PostgreSQL itself", name->text);
    else if (check_is_auth_function(name->text))
        diag = diag_at(name->span, PGS1131_RESERVED_NAME,
                       "\"%s\" is a function of pgstack itself: auth.%s()", name->text, name->text);
    else
        return;
    diag_hint(diag, "choose another name");
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
    check_predicate_name(&ast->name);
    predicate->span = ast->name.span;
    predicate->name = ast->name.text;
    predicate->definer = ast->definer;
    vec_push(&checker->model->predicates, predicate);
}

static void
declare_cors(struct checker *checker, const struct ast_cors *ast)
{
    struct cors *same = check_cors_named(checker->model, ast->name.text);
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
    struct query *same = check_query_named(checker->model, ast->name.text);
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
    check_declare_schemas(checker);
    for (size_t i = 0; i < ast->tables.n; i++)
        declare_table(checker, ast->tables.at[i]);
    for (size_t i = 0; i < ast->views.n; i++)
        declare_view(checker, ast->views.at[i]);
    for (size_t i = 0; i < ast->enums.n; i++)
        declare_enum(checker, ast->enums.at[i]);
    declare_types(checker, ast);
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
    check_declare_functions(checker);
}
