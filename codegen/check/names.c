/* SPDX-License-Identifier: MIT */
/*
 * Look-ups by name, and those that report the nearest one when there is none.
 */
#include "check/checker.h"

#include <string.h>

VEC_STRUCT(known_names, const char *);

/* ---- look-ups ---- */

const struct table *
check_table_named(const struct checker *checker, const char *schema, const char *name)
{
    const struct model *model = checker->model;

    if (strcmp(schema, "pgstack") != 0)
        return map_get(&checker->tables_by_name, check_relation_key(schema, name));
    for (size_t i = 0; i < model->tables.n; i++)
        if (strcmp(model->tables.at[i]->name, name) == 0 &&
            strcmp(model->tables.at[i]->schema, schema) == 0)
            return model->tables.at[i];
    return NULL;
}

const struct enumeration *
check_enumeration_named(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->enumerations.n; i++)
        if (strcmp(model->enumerations.at[i]->name, name) == 0)
            return model->enumerations.at[i];
    return NULL;
}

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

struct cors *
check_cors_named(const struct model *model, const char *name)
{
    FIND_NAMED(model->cors, name);
}

struct query *
check_query_named(const struct model *model, const char *name)
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

/* ---- look-ups that report ---- */

void
check_suggest(struct diag *diag, const char *name, const char *const *known, size_t n)
{
    const char *nearest = diag_nearest(name, known, n);

    if (!nearest)
        return;
    diag_hint(diag, "did you mean \"%s\"?", nearest);
    if (diag_nearest_alone(name, known, n))
        check_fix_name(diag, name, nearest);
}

static struct known_names
names_of_tables(const struct model *model)
{
    struct known_names names = {0};

    for (size_t i = 0; i < model->tables.n; i++)
        if (!model->tables.at[i]->builtin)
            vec_push(&names, model->tables.at[i]->name);
    return names;
}

/* A table of that name in another schema. */
static bool
hint_schema(const struct model *model, struct diag *diag, const char *name)
{
    for (size_t i = 0; i < model->tables.n; i++) {
        const struct table *table = model->tables.at[i];

        if (strcmp(table->name, name) != 0 || table->builtin)
            continue;
        if (strcmp(table->schema, "public") == 0)
            diag_hint(diag, "write `%s`, without a schema", name);
        else
            diag_hint(diag, "write `%s.%s`", table->schema, name);
        return true;
    }
    return false;
}

struct table *
check_find_table(struct checker *checker, const struct ast_path *path)
{
    const char *schema = path->schema.text ? path->schema.text : "public";
    const struct table *table = check_table_named(checker, schema, path->name.text);
    struct known_names known;
    struct diag *diag;

    uses_note(path->schema.span, USE_SCHEMA, check_schema_named(checker->model, schema));
    uses_note(path->name.span, USE_TABLE, table);
    if (table)
        return (struct table *)table;
    if (!check_has_schema(checker, schema) && strcmp(schema, "pgstack") != 0) {
        diag =
            diag_at(path->schema.span, PGS2008_UNKNOWN_SCHEMA, "there is no schema \"%s\"", schema);
        if (check_is_reserved_schema(schema))
            diag_hint(diag, "it has no tables for schemas; \"pgstack\" has pgstack.users");
        else
            diag_hint(diag, "declare it: `schema %s;`", schema);
        if (strcmp(schema, "auth") == 0 && strcmp(path->name.text, "users") == 0)
            diag_fix(diag, path->span, "pgstack.users");
        return NULL;
    }
    known = names_of_tables(checker->model);
    diag = diag_at(path->span, PGS2001_UNKNOWN_TABLE, "there is no table \"%s\"%s", path->name.text,
                   path->schema.text ? arena_printf(" in schema \"%s\"", schema) : "");
    if (hint_schema(checker->model, diag, path->name.text))
        return NULL;
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

    uses_note(name->span, USE_COLUMN, column);
    if (column || check_is_unknown(table))
        return column;
    if (table->is_domain) {
        diag =
            diag_at(name->span, PGS2003_UNKNOWN_COLUMN,
                    "the domain \"%s\" has no \"%s\", only its `value`", table->name, name->text);
        diag_hint(diag, "write `value`");
        check_fix_name(diag, name->text, "value");
        return NULL;
    }
    for (size_t i = 0; i < table->columns.n; i++)
        vec_push(&known, table->columns.at[i]->name);
    diag = diag_at(name->span, PGS2003_UNKNOWN_COLUMN, "%s \"%s\" has no column \"%s\"",
                   table->is_view ? "view" : "table", table->name, name->text);
    nearest = diag_nearest(name->text, known.at, known.n);
    if (diag_nearest_alone(name->text, known.at, known.n))
        check_fix_name(diag, name->text, nearest);
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

    uses_note(name->span, USE_ROLE, role);
    if (role)
        return role;
    for (size_t i = 0; i < checker->model->roles.n; i++)
        vec_push(&known, checker->model->roles.at[i]->name);
    diag = diag_at(name->span, PGS2004_UNKNOWN_ROLE, "there is no role \"%s\"", name->text);
    if (strcmp(name->text, "public") == 0) {
        diag_hint(diag, "PUBLIC is everybody, and every role of tomorrow: name the roles, such as "
                        "`anon, authenticated`");
        return NULL;
    }
    check_suggest(diag, name->text, known.at, known.n);
    return NULL;
}

void
check_find_roles(struct checker *checker, const struct ast_names *names, struct roles *out)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct role *role = check_find_role(checker, &names->at[i]);

        if (role)
            vec_push(out, role);
    }
}

const struct cors *
check_find_cors(struct checker *checker, const struct ast_name *name)
{
    struct cors *cors = check_cors_named(checker->model, name->text);
    struct known_names known = {0};
    struct diag *diag;

    uses_note(name->span, USE_CORS, cors);
    if (cors)
        return cors;
    for (size_t i = 0; i < checker->model->cors.n; i++)
        vec_push(&known, checker->model->cors.at[i]->name);
    diag = diag_at(name->span, PGS2007_UNKNOWN_CORS, "there is no cors \"%s\"", name->text);
    check_suggest(diag, name->text, known.at, known.n);
    return NULL;
}

bool
check_is_user_path(const char *path)
{
    return strcmp(path, "user_metadata") == 0 || strncmp(path, "user_metadata.", 14) == 0 ||
           strncmp(path, "raw_user_meta_data", 18) == 0;
}
