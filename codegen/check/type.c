/* SPDX-License-Identifier: MIT */
/*
 * A type as it is written: by name, with its length or precision.
 */
#include "check/checker.h"

#include <string.h>

#include "model/catalog.h"
#include "model/types.h"

VEC_STRUCT(type_names, const char *);

/* What people will try, and what to write for it. */
static const char *
usual_type(const char *spelling)
{
    static const char *const pairs[][2] = {
        {"nvarchar", "varchar(n)"},
        {"varchar2", "varchar(n)"},
        {"nchar", "char(n)"},
        {"name", "text"},
        {"string", "text"},
        {"clob", "text"},
        {"tinytext", "text"},
        {"mediumtext", "text"},
        {"longtext", "text"},
        {"number", "numeric"},
        {"dec", "numeric"},
        {"double", "double precision"},
        {"tinyint", "smallint"},
        {"mediumint", "integer"},
        {"oid", "bigint"},
        {"xid", "bigint"},
        {"xid8", "bigint"},
        {"pg_lsn", "text"},
        {"regclass", "text"},
        {"regtype", "text"},
        {"regproc", "text"},
        {"regprocedure", "text"},
        {"regrole", "text"},
        {"regnamespace", "text"},
        {"regconfig", "text"},
        {"blob", "bytea"},
        {"binary", "bytea"},
        {"varbinary", "bytea"},
        {"datetime", "timestamptz"},
        {"guid", "uuid"},
        {"uniqueidentifier", "uuid"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(pairs[i][0], spelling) == 0)
            return pairs[i][1];
    return NULL;
}

static bool
report_unknown_type(struct checker *checker, const struct ast_type *ast)
{
    struct type_names known = {0};
    struct diag *diag;
    size_t n;
    const char *const *spellings = type_spellings(&n);

    for (size_t i = 0; i < checker->model->enumerations.n; i++)
        vec_push(&known, checker->model->enumerations.at[i]->name);
    for (size_t i = 0; i < checker->types.n; i++)
        vec_push(&known, checker->types.at[i].name.text);
    for (size_t i = 0; i < n; i++)
        vec_push(&known, spellings[i]);
    diag = diag_at(ast->span, PGS2002_UNKNOWN_TYPE, "there is no type \"%s\"", ast->spelling);
    if (strstr(ast->spelling, "serial")) {
        diag_hint(diag, "write `bigint generated always as identity`: it needs no right on a "
                        "sequence");
        diag_fix(diag, ast->span, "bigint generated always as identity");
    } else if (usual_type(ast->spelling)) {
        diag_hint(diag, "write `%s`", usual_type(ast->spelling));
        if (!strchr(usual_type(ast->spelling), '('))
            diag_fix(diag, ast->span, "%s", usual_type(ast->spelling));
    } else if (check_table_named(checker, "public", ast->spelling)) {
        diag_hint(diag, "only a `function` takes rows of a table");
    } else {
        check_suggest(diag, ast->spelling, known.at, known.n);
    }
    return false;
}

/* ---- lengths and precisions ---- */

/* The kinds that take one number, and what it may be. */
static const struct {
    enum type_kind kind;
    long least, most;
    const char *name; /* of the number */
} bounds[] = {
    {TYPE_VARCHAR, 1, 10485760, "length"}, {TYPE_BPCHAR, 1, 10485760, "length"},
    {TYPE_BIT, 1, 83886080, "length"},     {TYPE_VARBIT, 1, 83886080, "length"},
    {TYPE_TIME, 0, 6, "precision"},        {TYPE_TIMETZ, 0, 6, "precision"},
    {TYPE_TIMESTAMP, 0, 6, "precision"},   {TYPE_TIMESTAMPTZ, 0, 6, "precision"},
    {TYPE_INTERVAL, 0, 6, "precision"},    {TYPE_FLOAT8, 1, 53, "precision"},
};

static bool
report_arguments(const struct ast_type *ast, const char *hint)
{
    struct diag *diag;

    if (ast->bad_args)
        return false;
    diag = diag_at(ast->span, PGS1141_TYPE_ARGUMENTS, "type \"%s\" cannot have these arguments",
                   ast->spelling);
    diag_hint(diag, "%s", hint);
    return false;
}

static bool
read_numeric(const struct ast_type *ast, struct type *type)
{
    long scale = ast->n_args == 2 ? ast->args[1] : 0;

    if (ast->args[0] < 1 || ast->args[0] > 1000 || scale < -1000 || scale > 1000)
        return report_arguments(ast, "numeric(p, s) takes a precision from 1 to 1000 and a scale "
                                     "from -1000 to 1000");
    type->precision = (int)ast->args[0];
    type->scale = (int)scale;
    return true;
}

static void
set_argument(struct type *type, int number)
{
    switch (type->kind) {
    case TYPE_VARCHAR:
    case TYPE_BPCHAR:
    case TYPE_BIT:
    case TYPE_VARBIT:
        type->length = number;
        break;
    case TYPE_FLOAT8: /* float(n), in binary digits */
        type->kind = number <= 24 ? TYPE_FLOAT4 : TYPE_FLOAT8;
        break;
    default:
        type->has_digits = true;
        type->digits = number;
        break;
    }
}

static bool
read_bounded(const struct ast_type *ast, struct type *type)
{
    bool is_float = strcmp(ast->spelling, "float") == 0;
    bool counted = type->kind != TYPE_FLOAT8 || is_float;

    for (size_t i = 0; counted && i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        if (bounds[i].kind != type->kind)
            continue;
        if (ast->n_args != 1 || ast->args[0] < bounds[i].least || ast->args[0] > bounds[i].most)
            return report_arguments(
                ast, arena_printf("%s(n) takes one %s from %ld to %ld",
                                  is_float ? "float" : type_text(type_element(*type)),
                                  bounds[i].name, bounds[i].least, bounds[i].most));
        set_argument(type, (int)ast->args[0]);
        return true;
    }
    return report_arguments(ast, "leave them out; `varchar(n)`, `numeric(p, s)`, `timestamp(n)` "
                                 "have some");
}

/* `char` and `bit` alone have the length 1, as in SQL. */
static bool
read_arguments(const struct ast_type *ast, struct type *type)
{
    if (type->domain && ast->n_args > 0)
        return report_arguments(ast, "a domain says its length itself");
    if (ast->n_args == 0) {
        if (strcmp(ast->spelling, "char") == 0 || strcmp(ast->spelling, "character") == 0 ||
            strcmp(ast->spelling, "bit") == 0)
            type->length = 1;
        return true;
    }
    return type->kind == TYPE_NUMERIC ? read_numeric(ast, type) : read_bounded(ast, type);
}

/* ---- arrays ---- */

static bool
read_dimensions(const struct ast_type *ast, struct type *type)
{
    struct diag *diag;

    if (ast->dimensions > 0 && type->array) {
        diag = diag_at(ast->span, PGS1142_ARRAY_DIMENSIONS, "\"%s\" is an array already",
                       ast->spelling);
        diag_hint(diag, "write `%s`, or make an array of a composite that holds one",
                  ast->spelling);
        return false;
    }
    type->array = type->array || ast->dimensions > 0;
    if (ast->dimensions > 1) {
        diag = diag_at(ast->span, PGS1142_ARRAY_DIMENSIONS,
                       "a type does not say how many dimensions its arrays have");
        diag_hint(diag, "write `%s[]`: PostgreSQL keeps arrays of any dimensions in it",
                  ast->spelling);
        return false;
    }
    if (ast->dimensions > 0 && type->kind == TYPE_BOX) {
        diag = diag_at(ast->span, PGS1140_TYPE_NOT_STORABLE, "there are no arrays of box here");
        diag_hint(diag, "write `polygon[]`: PostgreSQL parts boxes, alone of all types, by `;`");
        return false;
    }
    return true;
}

/* ---- all of it ---- */

/* PostgreSQL's type of one byte, which only its catalogs use. */
static bool
is_quoted_char(const struct ast_type *ast)
{
    return strcmp(ast->spelling, "char") == 0 && ast->span.file->text[ast->span.start] == '"';
}

static bool
report_quoted_char(const struct ast_type *ast)
{
    struct diag *diag = diag_at(ast->span, PGS2002_UNKNOWN_TYPE,
                                "\"char\" in double quotes is a type of PostgreSQL's catalogs");

    diag_hint(diag, "write `char(1)`, or an enumeration");
    return false;
}

/* Less what follows the name: `[]`. */
static void
note_type(const struct ast_type *ast, const struct type *type)
{
    struct span span = ast->span;

    while (span.file && span.end > span.start && strchr("[] \t\n", span.file->text[span.end - 1]))
        span.end--;
    uses_note_type(span, type, ast->spelling);
}

static bool
type_of_extension(const struct checker *checker, const struct ast_type *ast, struct type *out)
{
    const struct catalog_type *row = catalog_type_named(ast->spelling);
    const struct extension *extension =
        check_extension(checker, ast->span, row->extension, arena_printf("type %s", row->name));

    if (!extension)
        return false;
    *out = catalog_type_get(row);
    out->extension = extension;
    return true;
}

bool
check_type(struct checker *checker, const struct ast_type *ast, struct type *out)
{
    const struct enumeration *type = check_enumeration_named(checker->model, ast->spelling);
    struct declared_type *declared = check_declared_type(checker, ast->spelling);

    *out = type_scalar(TYPE_ANY);
    if (ast->schema && strcmp(ast->schema, "public") != 0) {
        struct diag *diag = diag_at(ast->span, PGS2008_UNKNOWN_SCHEMA,
                                    "there is no schema \"%s\" for types", ast->schema);
        diag_hint(diag, "types are named without a schema");
        return false;
    }
    if (is_quoted_char(ast))
        return report_quoted_char(ast);
    if (declared && !check_resolve_type(checker, declared, out))
        return false;
    if (declared && strcmp(declared->name.text, ast->spelling) != 0)
        out->kind = TYPE_MULTIRANGE;
    if (type && !declared)
        *out = (struct type){.kind = TYPE_ENUM, .enumeration = type};
    else if (!declared && !type_find(ast->spelling, out)) {
        if (!catalog_type_named(ast->spelling) || !catalog_type_named(ast->spelling)->extension)
            return report_unknown_type(checker, ast);
        if (!type_of_extension(checker, ast, out))
            return false;
    }
    note_type(ast, out);
    return read_dimensions(ast, out) && read_arguments(ast, out);
}

bool
check_storable_type(struct checker *checker, const struct ast_type *ast, struct type *out)
{
    struct diag *diag;

    if (!check_type(checker, ast, out))
        return false;
    if (type_is_storable(*out))
        return true;
    diag = diag_at(ast->span, PGS1140_TYPE_NOT_STORABLE, "no column or argument can be of type %s",
                   type_text(*out));
    diag_hint(diag, "only a query `returns void`");
    *out = type_scalar(TYPE_ANY);
    return false;
}
