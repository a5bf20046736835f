/* SPDX-License-Identifier: MIT */
/* Fields of composites, and rows that become one. */
#include "check/checker.h"

#include <string.h>

#include "model/types.h"
#include "syntax/spell.h"

VEC_STRUCT(field_names, const char *);

static void
report_unknown_field(const struct composite *composite, const struct ast_name *name)
{
    struct field_names known = {0};
    struct diag *diag = diag_at(name->span, PGS1204_UNKNOWN_FIELD,
                                "type \"%s\" has no field \"%s\"", composite->name, name->text);

    for (size_t i = 0; i < composite->fields.n; i++)
        vec_push(&known, composite->fields.at[i]->name);
    check_suggest(diag, name->text, known.at, known.n);
    diag_note(diag, composite->span, "\"%s\" is here", composite->name);
}

static void
report_no_fields(const struct expr *of)
{
    struct diag *diag =
        diag_at(of->span, PGS1205_NO_FIELDS, "%s has no fields", type_text(of->type));

    diag_hint(diag, "%s",
              of->type.array ? "take an item first: `(items[1]).field`"
                             : "only a composite has any: `type t as (a int, b text)`");
}

struct expr *
check_field(struct scope *scope, const struct ast_expr *ast)
{
    return check_field_of(check_expr(scope, ast->args.at[0]), &ast->names.at[0], ast->span);
}

struct expr *
check_field_of(struct expr *of, const struct ast_name *name, struct span span)
{
    struct expr *expr = check_new_expr(EXPR_FIELD, span);

    vec_push(&expr->args, of);
    expr->name = name->text;
    if (type_is_open(of->type))
        return expr;
    if (of->type.kind != TYPE_COMPOSITE || of->type.array) {
        report_no_fields(of);
        return expr;
    }
    for (size_t i = 0; i < of->type.composite->fields.n; i++) {
        const struct column *field = of->type.composite->fields.at[i];

        if (strcmp(field->name, name->text) != 0)
            continue;
        uses_note(name->span, USE_COLUMN, field);
        expr->type = field->type;
        return expr;
    }
    report_unknown_field(of->type.composite, name);
    return expr;
}

/* The type of the column or argument that a bare name means; TYPE_VOID: there is none. */
static struct type
type_named(const struct scope *scope, const char *table, const char *name)
{
    for (; scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->ranges.n; i++) {
            const struct range *range = scope->ranges.at[i];
            const struct column *column = check_column_named(range->table, name);

            if (column && (!table || strcmp(range->alias, table) == 0))
                return column->type;
        }
        for (size_t i = 0; !table && i < scope->params.n; i++)
            if (strcmp(scope->params.at[i]->name, name) == 0)
                return scope->params.at[i]->type;
    }
    return type_scalar(TYPE_VOID);
}

bool
check_field_of_name(const struct scope *scope, const struct ast_expr *ast)
{
    const struct ast_name *of = &ast->names.at[ast->names.n - 2], *name = of + 1;
    const char *table = ast->names.n > 2 ? ast->names.at[0].text : NULL;
    const char *whole = spell_name(of->text), *hint;
    struct type type = type_named(scope, table, of->text);
    struct diag *diag;

    if (type.kind == TYPE_VOID)
        return false;
    if (table)
        whole = arena_printf("%s.%s", spell_name(table), whole);
    diag = diag_at(of->span, PGS1205_NO_FIELDS, "\"%s\" is no table here but a value, of type %s",
                   of->text, type_text(type));
    if (type.kind == TYPE_COMPOSITE && !type.array)
        hint = arena_printf("(%s).%s", whole, spell_name(name->text));
    else if (type.kind == TYPE_JSON || type.kind == TYPE_JSONB)
        hint = arena_printf("%s ->> %s", whole, spell_string(name->text));
    else
        hint = NULL;
    if (!hint) {
        diag_hint(diag, "only a composite has fields");
        return true;
    }
    diag_hint(diag, "write `%s`", hint);
    diag_fix(diag, ast->span, "%s", hint);
    return true;
}

static struct expr *
row_as(struct scope *scope, const struct ast_expr *ast, struct type want)
{
    struct expr *row = check_new_expr(EXPR_ROW, ast->span);
    const struct composite *composite = want.composite;

    row->type = want;
    row->nullable = false;
    if (ast->args.n != composite->fields.n) {
        struct diag *diag =
            diag_at(ast->span, PGS1206_ROW_LENGTH, "\"%s\" has %zu fields, and this row %zu",
                    composite->name, composite->fields.n, ast->args.n);
        diag_note(diag, composite->span, "\"%s\" is here", composite->name);
        diag_hint(diag, "give each field its value, or null");
    }
    for (size_t i = 0; i < ast->args.n && i < composite->fields.n; i++) {
        const struct column *field = composite->fields.at[i];
        struct expr *item = check_value(scope, ast->args.at[i], field->type);

        check_becomes(item, field->type, CAST_EXPLICIT, arena_printf("\"%s\"", field->name));
        vec_push(&row->args, item);
    }
    return row;
}

struct expr *
check_value(struct scope *scope, const struct ast_expr *ast, struct type want)
{
    bool is_row = ast->kind == AST_ROW && want.kind == TYPE_COMPOSITE && !want.array;

    return is_row ? row_as(scope, ast, want) : check_expr(scope, ast);
}
