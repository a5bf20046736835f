/* SPDX-License-Identifier: MIT */
/* The schema's own types in the migration, and the functions that are made before tables. */
#include "emit/emit.h"
#include "model/names.h"
#include "sql/sql.h"

static void
emit_enumeration(struct out *out, const struct enumeration *enumeration)
{
    out_printf(out, "-- %s  type %s\ncreate type public.%s as enum (", out_place(enumeration->span),
               out_plain(enumeration->name), name_sql(enumeration->name));
    for (size_t i = 0; i < enumeration->labels.n; i++)
        out_printf(out, "%s%s", i == 0 ? "" : ", ", sql_literal(enumeration->labels.at[i]));
    out_add(out, ");\n\n");
}

static void
emit_composite(struct out *out, const struct composite *composite)
{
    out_printf(out, "-- %s  type %s\ncreate type public.%s as (", out_place(composite->span),
               out_plain(composite->name), name_sql(composite->name));
    for (size_t i = 0; i < composite->fields.n; i++)
        out_printf(out, "%s\n  %s %s", i == 0 ? "" : ",", name_sql(composite->fields.at[i]->name),
                   sql_type(composite->fields.at[i]->type));
    out_add(out, "\n);\n\n");
}

static void
emit_range(struct out *out, const struct range_type *range)
{
    out_printf(out,
               "-- %s  type %s\ncreate type public.%s as range (\n"
               "  subtype = %s,\n  multirange_type_name = public.%s\n);\n\n",
               out_place(range->span), out_plain(range->name), name_sql(range->name),
               sql_type(range->subtype), name_sql(range->multirange));
}

static void
emit_domain(struct out *out, const struct domain *domain)
{
    out_printf(out, "-- %s  domain %s\ncreate domain public.%s as %s", out_place(domain->span),
               out_plain(domain->name), name_sql(domain->name), sql_type(domain->type));
    if (domain->default_expr != NULL)
        out_printf(out, " default %s", sql_expr(domain->default_expr, SQL_PLAIN));
    if (domain->not_null)
        out_add(out, " not null");
    for (size_t i = 0; i < domain->checks.n; i++)
        out_printf(out, "\n  constraint %s check (%s)", name_sql(domain->checks.at[i].name),
                   sql_expr(domain->checks.at[i].check, SQL_PLAIN));
    out_add(out, ";\n\n");
}

static void
emit_made(struct out *out, const struct made *made)
{
    if (made->composite != NULL)
        emit_composite(out, made->composite);
    else if (made->range != NULL)
        emit_range(out, made->range);
    else if (made->domain != NULL)
        emit_domain(out, made->domain);
    else
        emit_declared_function(out, made->function);
}

void
emit_types_up(struct out *out, const struct model *model)
{
    for (size_t i = 0; i < model->enumerations.n; i++)
        emit_enumeration(out, model->enumerations.at[i]);
    for (size_t i = 0; i < model->made_first; i++)
        emit_made(out, &model->made.at[i]);
}

void
emit_early_functions_up(struct out *out, const struct model *model)
{
    for (size_t i = model->made_first; i < model->made.n; i++)
        emit_made(out, &model->made.at[i]);
}

static void
drop_made(struct out *out, const struct made *made)
{
    if (made->domain != NULL)
        out_printf(out, "drop domain public.%s;\n", name_sql(made->domain->name));
    else if (made->function != NULL)
        out_printf(out, "drop function public.%s;\n", name_sql(made->function->name));
    else
        out_printf(out, "drop type public.%s;\n",
                   name_sql(made->composite ? made->composite->name : made->range->name));
}

void
emit_early_functions_down(struct out *out, const struct model *model)
{
    for (size_t i = model->made.n; i-- > model->made_first;)
        drop_made(out, &model->made.at[i]);
}

void
emit_types_down(struct out *out, const struct model *model)
{
    for (size_t i = model->made_first; i-- > 0;)
        drop_made(out, &model->made.at[i]);
    for (size_t i = model->enumerations.n; i-- > 0;)
        out_printf(out, "drop type public.%s;\n", name_sql(model->enumerations.at[i]->name));
}
