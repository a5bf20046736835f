/* SPDX-License-Identifier: MIT */
/*
 * Names, types and lists as SQL text; expressions and selects are in sql_expr.c and sql_select.c.
 */
#include "sql/printer.h"

#include <string.h>

#include "model/names.h"
#include "model/types.h"

const char *
sql_literal(const char *text)
{
    return name_literal(text);
}

const char *
sql_relation(const struct table *table)
{
    return arena_printf("%s.%s", name_sql(table->schema), name_sql(table->name));
}

const char *
sql_cast_type(struct type type)
{
    const char *text;

    if (type.domain)
        text = arena_printf("public.%s", name_sql(type.domain->name));
    else if (type_is_row(type_element(type)))
        text = sql_relation(type.composite->row_of);
    else if (type.kind == TYPE_ENUM || type.kind == TYPE_COMPOSITE || type.kind == TYPE_RANGE ||
             type.kind == TYPE_MULTIRANGE)
        text = arena_printf("public.%s", name_sql(type_text(type_element(type))));
    else if (type.extension)
        text = arena_printf("%s.%s", name_sql(type.extension->schema),
                            name_sql(type_text(type_element(type))));
    else if (type_info(type.kind))
        text = type_info(type.kind)->sql;
    else
        text = type_text(type_element(type));
    return type.array && !type_is_domain(type) ? arena_printf("%s[]", text) : text;
}

/* `timestamp(3) with time zone`: the digits stand behind the first word. */
static const char *
with_digits(const char *text, int digits)
{
    size_t word = strcspn(text, " ");

    return arena_printf("%.*s(%d)%s", (int)word, text, digits, text + word);
}

const char *
sql_type(struct type type)
{
    const char *text = sql_cast_type(type_element(type));

    if (type.domain)
        return sql_cast_type(type);
    if (type.length > 0) {
        text = type.kind == TYPE_BPCHAR ? "character" : type.kind == TYPE_BIT ? "bit" : text;
        text = arena_printf("%s(%d)", text, type.length);
    }
    if (type.has_digits)
        text = with_digits(text, type.digits);
    if (type.kind == TYPE_NUMERIC && type.precision > 0)
        text = arena_printf("%s(%d,%d)", text, type.precision, type.scale);
    return type.array ? arena_printf("%s[]", text) : text;
}

const char *
sql_columns(const struct column *const *columns, size_t n)
{
    struct str out = {0};

    str_puts(&out, "");
    for (size_t i = 0; i < n; i++)
        str_printf(&out, "%s%s", i ? ", " : "", name_sql(columns[i]->name));
    return out.at;
}

const char *
sql_params(struct param *const *params, size_t n)
{
    struct str out = {0};

    str_puts(&out, "");
    for (size_t i = 0; i < n; i++) {
        str_printf(&out, "%s%s %s", i ? ", " : "", name_sql(params[i]->name),
                   sql_cast_type(params[i]->type));
        if (params[i]->default_expr)
            str_printf(&out, " default %s", sql_expr(params[i]->default_expr, SQL_PLAIN));
    }
    return out.at;
}

const char *
sql_argument_types(const struct params *params)
{
    struct str out = {0};

    str_puts(&out, "");
    for (size_t i = 0; i < params->n; i++)
        str_printf(&out, "%s%s", i ? ", " : "", sql_cast_type(params->at[i]->type));
    return out.at;
}

void
sql_direction(struct str *out, bool descending, int nulls)
{
    static const char *const words[] = {"", " nulls first", " nulls last"};

    str_printf(out, "%s%s", descending ? " desc" : "", words[nulls]);
}

const char *
sql_items(const struct index_items *items)
{
    struct str out = {0};

    for (size_t i = 0; i < items->n; i++) {
        const struct index_item *item = &items->at[i];

        str_puts(&out, i ? ", " : "");
        if (item->column)
            str_puts(&out, name_sql(item->column->name));
        else
            str_printf(&out, "(%s)", sql_expr(item->expr, SQL_PLAIN));
        if (item->collation)
            str_printf(&out, " collate %s", item->collation);
        if (item->opclass)
            str_printf(&out, " %s", item->opclass);
        sql_direction(&out, item->descending, item->nulls);
        if (item->op)
            str_printf(&out, " with %s", item->op);
    }
    return out.at;
}
