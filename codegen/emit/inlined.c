/* SPDX-License-Identifier: MIT */
/*
 * Row security keeps a condition whose operator is not leakproof from using an index: it must come
 * after the policy.  For a table with `inline policies` each role lists a view of the owner, with
 * the role's policies in its where clause, where the planner may turn them around.  The view is
 * neither security_invoker nor a barrier, so the table's row security is not forced.
 */
#include <string.h>

#include "emit/access_text.h"
#include "emit/emit.h"
#include "model/access.h"
#include "model/names.h"
#include "sql/sql.h"

static bool
is_listed(const struct table *table, const struct role *role)
{
    return table->inlined && !(role->builtin && strcmp(role->name, "service_role") == 0) &&
           access_table(role, table, CMD_SELECT) && access_policed(role, table, CMD_SELECT);
}

/* Two tables that are served have different names; a long one would be cut. */
static const char *
view_name(const struct table *table, const struct role *role)
{
    const char *name = arena_printf("r%d_%s", role->number, table->name);

    if (strlen(name) > NAME_MAX_BYTES)
        name = arena_printf("r%d_%s", role->number, access_digest(table->name));
    return arena_printf("pgstack.%s", name_sql(name));
}

const char *
emit_inlined_view(const struct table *table, const struct role *role)
{
    return is_listed(table, role) ? view_name(table, role) : NULL;
}

/* "(a) or (b)" of the permissive policies, or "(a) and (b)" of the restrictive ones. */
static const char *
joined_policies(const struct table *table, const struct role *role, bool restrictive)
{
    struct out *out = out_scratch();
    bool first = true;

    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *policy = table->policies.at[i];

        if (policy->restrictive != restrictive || policy->using_expr == NULL ||
            !policy_applies(policy, role, table, CMD_SELECT))
            continue;
        out_printf(out, "%s(%s)",
                   first         ? ""
                   : restrictive ? " and "
                                 : " or ",
                   sql_expr(policy->using_expr, SQL_POLICY));
        first = false;
    }
    return out_text(out);
}

/* All that may be shown: what the role may not read is granted to it here as little as there. */
static void
add_columns(struct words *shown, struct words *granted, const struct table *table,
            const struct role *role)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct column *column = table->columns.at[i];

        if (column->is_private)
            continue;
        words_add(shown, name_sql(column->name));
        if (access_column(role, column, CMD_SELECT))
            words_add(granted, name_sql(column->name));
    }
}

static void
emit_inlined(struct out *out, const struct table *table, const struct role *role)
{
    const char *view = view_name(table, role), *only = joined_policies(table, role, true);
    struct words shown = {0}, granted = {0};

    add_columns(&shown, &granted, table, role);
    out_printf(out, "create view %s as\n  select %s\n    from %s\n   where (%s)%s%s;\n", view,
               emit_list(&shown), sql_relation(table), joined_policies(table, role, false),
               *only != '\0' ? "\n     and " : "", only);
    out_printf(out, "grant select (%s) on %s to %s;\n", emit_list(&granted), view,
               name_sql(role->name));
}

void
emit_inlined_up(struct out *out, const struct model *model)
{
    for (size_t i = 0; i < model->endpoints.n; i++) {
        const struct endpoint *endpoint = model->endpoints.at[i];

        if (endpoint->inline_span.file == NULL)
            continue;
        out_printf(out, "-- %s  inline policies of %s\n", out_place(endpoint->inline_span),
                   out_plain(endpoint->table->name));
        for (size_t r = 0; r < model->roles.n; r++)
            if (is_listed(endpoint->table, model->roles.at[r]))
                emit_inlined(out, endpoint->table, model->roles.at[r]);
        out_add(out, "\n");
    }
}

void
emit_inlined_down(struct out *out, const struct model *model)
{
    for (size_t i = 0; i < model->endpoints.n; i++)
        for (size_t r = 0; r < model->roles.n; r++)
            if (is_listed(model->endpoints.at[i]->table, model->roles.at[r]))
                out_printf(out, "drop view %s;\n",
                           view_name(model->endpoints.at[i]->table, model->roles.at[r]));
}
