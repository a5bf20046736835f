/* SPDX-License-Identifier: MIT */
/*
 * Row security, policies and grants.  Every table has row security on and forced, so that its owner
 * is held to it as well; only a table that a definer predicate reads past its own policies is not
 * forced.
 */
#include <string.h>

#include "access.h"
#include "emit.h"
#include "names.h"
#include "sql.h"

static const char rls_up[] = "-- @place@  row security of @name@@why@\n"
                             "alter table @table@ enable row level security;\n"
                             "@force@"
                             "create policy pgstack_service on @table@ for all to service_role\n"
                             "  using (true) with check (true);\n"
                             "grant all on @table@ to service_role;\n";

static const char force_up[] = "alter table @table@ force row level security;\n";

static void
emit_row_security(struct out *out, const struct table *table)
{
    const char *sql = sql_relation(table);
    struct out *force = out_scratch();

    if (!table->read_past_policies)
        out_fill(force, force_up, "table", sql, NULL);
    out_fill(out, rls_up, "place", out_place(table->span), "name", out_plain(table->name), "why",
             table->read_past_policies ? ", not forced: a definer predicate reads it" : "", "table",
             sql, "force", out_text(force), NULL);
}

static const char *
role_list(const struct role *const *roles, size_t n)
{
    struct out *out = out_scratch();

    for (size_t i = 0; i < n; i++)
        out_printf(out, "%s%s", i == 0 ? "" : ", ", name_sql(roles[i]->name));
    return out_text(out);
}

static void
emit_policy(struct out *out, const struct policy *policy)
{
    VEC(const struct role *) roles = {0};

    for (size_t i = 0; i < policy->roles.n; i++)
        vec_push(&roles, policy->roles.at[i]);
    out_printf(out, "-- %s  policy %s\n", out_place(policy->span), out_plain(policy->name));
    out_printf(out, "create policy %s on %s%s for %s to %s\n", name_sql(policy->sql_name),
               sql_relation(policy->table), policy->restrictive ? " as restrictive" : "",
               command_name(policy->command), role_list(roles.at, roles.n));
    if (policy->using_expr != NULL)
        out_printf(out, "  using (%s)%s", sql_expr(policy->using_expr, SQL_POLICY),
                   policy->check_expr != NULL ? "\n" : "");
    if (policy->check_expr != NULL)
        out_printf(out, "  with check (%s)", sql_expr(policy->check_expr, SQL_POLICY));
    out_add(out, ";\n");
}

/* The columns without those that no endpoint may show. */
static struct plan_grant
without_private(struct plan_grant grant, const struct table *table)
{
    struct plan_grant shown = {.any = grant.any, .all = grant.all, .span = grant.span};

    for (size_t i = 0; i < table->columns.n; i++)
        if (table->columns.at[i]->is_private)
            shown.all = false;
    for (size_t i = 0; grant.all && !shown.all && i < table->columns.n; i++)
        if (!table->columns.at[i]->is_private)
            vec_push(&shown.columns, table->columns.at[i]);
    for (size_t i = 0; !grant.all && i < grant.columns.n; i++)
        if (!grant.columns.at[i]->is_private)
            vec_push(&shown.columns, grant.columns.at[i]);
    return shown;
}

/* "select, insert (team_id, title), delete"; NULL: nothing.  `*span`: of the first grant. */
static const char *
granted_commands(const struct table *table, const struct role *role, struct span *span)
{
    struct out *out = out_scratch();
    bool any = false;

    for (int command = 0; command < COMMANDS; command++) {
        struct plan_grant grant = plan_grant_of(table, role, (enum command)command);

        if (!grant.any)
            continue;
        if (!any)
            *span = grant.span;
        if (command == CMD_SELECT)
            grant = without_private(grant, table);
        out_printf(out, "%s%s", any ? ", " : "", command_name((enum command)command));
        if (!grant.all)
            out_printf(out, " (%s)", sql_columns(grant.columns.at, grant.columns.n));
        any = true;
    }
    return any ? out_text(out) : NULL;
}

static void
emit_grants(struct out *out, const struct model *model, const struct table *table)
{
    for (size_t i = 0; i < model->roles.n; i++) {
        const struct role *role = model->roles.at[i];
        struct span span;
        const char *commands = granted_commands(table, role, &span);

        if (commands != NULL)
            out_printf(out, "-- %s  grant\ngrant %s\n  on %s to %s;\n", out_place(span), commands,
                       sql_relation(table), name_sql(role->name));
    }
}

void
emit_rights(struct out *out, const struct model *model)
{
    for (size_t i = 0; i < model->tables.n; i++) {
        const struct table *table = model->tables.at[i];

        if (table->builtin)
            continue;
        if (table->is_view)
            out_printf(out, "-- %s  rights on view %s\ngrant all on %s to service_role;\n",
                       out_place(table->span), out_plain(table->name), sql_relation(table));
        else
            emit_row_security(out, table);
        for (size_t j = 0; j < table->policies.n; j++)
            emit_policy(out, table->policies.at[j]);
        emit_grants(out, model, table);
        out_add(out, "\n");
    }
}
