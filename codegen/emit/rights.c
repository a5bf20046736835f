/* SPDX-License-Identifier: MIT */
/*
 * Row security, policies and grants.  Every table has row security on and forced, so that its owner
 * is held to it as well; only a table that a definer predicate reads past its own policies is not
 * forced.
 */
#include <string.h>

#include "model/access.h"
#include "emit/emit.h"
#include "model/names.h"
#include "sql/sql.h"

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

    if (!table->read_past_policies && !table->inlined)
        out_fill(force, force_up, "table", sql, NULL);
    out_fill(out, rls_up, "place", out_place(table->span), "name", out_plain(table->name), "why",
             table->read_past_policies ? ", not forced: it is read past its policies"
             : table->inlined          ? ", not forced: views with its policies read it"
                                       : "",
             "table", sql, "force", out_text(force), NULL);
}

/* "  using (...)", with a newline behind it where another condition follows. */
static void
emit_condition(struct out *out, const char *head, const struct expr *expr, const char *tail)
{
    if (expr != NULL)
        emit_statement(out, head, sql_expr(expr, SQL_POLICY), tail);
}

static void
emit_policy(struct out *out, const struct policy *policy)
{
    VEC(const struct role *) roles = {0};

    for (size_t i = 0; i < policy->roles.n; i++)
        vec_push(&roles, policy->roles.at[i]);
    out_printf(out, "create policy %s on %s%s for %s to %s\n", name_sql(policy->sql_name),
               sql_relation(policy->table), policy->restrictive ? " as restrictive" : "",
               command_name(policy->command), emit_role_list(roles.at, roles.n));
    emit_condition(out, "  using (", policy->using_expr, policy->check_expr != NULL ? ")\n" : ")");
    emit_condition(out, "  with check (", policy->check_expr, ")");
    out_add(out, ";\n");
}

/* One declaration for several commands has become several policies side by side. */
static void
emit_policies(struct out *out, const struct table *table)
{
    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *policy = table->policies.at[i];

        if (i == 0 || strcmp(table->policies.at[i - 1]->name, policy->name) != 0)
            out_printf(out, "-- %s  policy %s\n", out_place(policy->span), out_plain(policy->name));
        emit_policy(out, policy);
    }
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

/* "select", "insert (team_id, title)", "delete"; `*span`: of the first grant. */
static struct words
granted_commands(const struct table *table, const struct role *role, struct span *span)
{
    struct words words = {0};

    for (int command = 0; command < COMMANDS; command++) {
        struct plan_grant grant = plan_grant_of(table, role, (enum command)command);
        const char *name = command_name((enum command)command);

        if (!grant.any)
            continue;
        if (words.list.n == 0)
            *span = grant.span;
        if (command == CMD_SELECT)
            grant = without_private(grant, table);
        words_add(&words, grant.all ? name
                                    : arena_printf("%s (%s)", name,
                                                   sql_columns(grant.columns.at, grant.columns.n)));
    }
    return words;
}

/* On one line, or on one for each command. */
static void
emit_grant(struct out *out, const struct words *commands, const char *to)
{
    const char *line = arena_printf("grant %s %s;", words_join(commands, ", "), to);

    if (strlen(line) > OUT_COLUMNS)
        line = arena_printf("grant %s\n  %s;", words_join(commands, ",\n  "), to);
    out_printf(out, "%s\n", line);
}

static void
emit_grants(struct out *out, const struct model *model, const struct table *table)
{
    for (size_t i = 0; i < model->roles.n; i++) {
        const struct role *role = model->roles.at[i];
        struct span span;
        struct words commands = granted_commands(table, role, &span);

        if (commands.list.n == 0)
            continue;
        out_printf(out, "-- %s  grant\n", out_place(span));
        emit_grant(out, &commands,
                   arena_printf("on %s to %s", sql_relation(table), name_sql(role->name)));
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
        emit_policies(out, table);
        emit_grants(out, model, table);
        out_add(out, "\n");
    }
}
