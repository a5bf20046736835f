/* SPDX-License-Identifier: MIT */
/* Declared functions and triggers of the first migration. */
#include <string.h>

#include "emit/emit.h"
#include "model/access.h"
#include "model/names.h"
#include "sql/sql.h"

/* "setof public.ticket", "table (day date, n bigint)", "void" */
static const char *
returned(const struct declared_function *function)
{
    struct out *out = out_scratch();
    const char *set = function->returns_set ? "setof " : "";

    if (function->returns_trigger)
        return "trigger";
    if (function->returns_void)
        return "void";
    if (function->returns_table != NULL)
        return arena_printf("%s%s", set, sql_relation(function->returns_table));
    if (function->returns_columns.n == 0)
        return arena_printf("%s%s", set, sql_type(function->returns_type));
    for (size_t i = 0; i < function->returns_columns.n; i++)
        out_printf(out, "%s%s %s", i == 0 ? "table (" : ", ",
                   name_sql(function->returns_columns.at[i]->name),
                   sql_type(function->returns_columns.at[i]->type));
    out_add(out, ")");
    return out_text(out);
}

static void
emit_clauses(struct out *out, const struct declared_function *function)
{
    static const char *const volatilities[] = {
        [FUNCTION_VOLATILE] = "",
        [FUNCTION_STABLE] = " stable",
        [FUNCTION_IMMUTABLE] = " immutable",
    };

    out_printf(out, "  language %s%s%s%s", function->language, volatilities[function->volatility],
               function->strict ? " strict" : "", function->definer ? " security definer" : "");
    for (size_t i = 0; i < function->settings.n; i++)
        out_printf(out, "\n  set %s = %s", name_sql(function->settings.at[i].name),
                   function->settings.at[i].value);
    out_add(out, "\n");
}

/* PUBLIC may execute a new function: never here. */
static void
emit_execute(struct out *out, const struct declared_function *function, const char *signature)
{
    out_printf(out, "revoke execute on function %s from public;\n", signature);
    if (function->returns_trigger)
        return;
    out_printf(out, "grant execute on function %s to service_role", signature);
    for (size_t i = 0; i < function->roles.n; i++)
        out_printf(out, ", %s", name_sql(function->roles.at[i]->name));
    out_add(out, ";\n");
}

void
emit_declared_function(struct out *out, const struct declared_function *function)
{
    const char *name = arena_printf("public.%s", name_sql(function->name));

    out_printf(out, "-- %s  function %s%s%s\n", out_place(function->span),
               out_plain(function->name), function->definer ? ", with the rights of the owner" : "",
               function->raw != NULL ? ", unchecked" : "");
    out_printf(out, "create function %s(%s)\n  returns %s\n", name,
               sql_params(function->params.at, function->params.n), returned(function));
    emit_clauses(out, function);
    if (function->raw != NULL) {
        out_add(out, "as ");
        emit_dollar_quoted(out, function->raw);
        out_add(out, ";\n");
    } else {
        out_add(out, "begin atomic\n");
        emit_statement(out, "  ", sql_statement(function->body, SQL_PLAIN), ";\nend;\n");
    }
    emit_execute(out, function,
                 arena_printf("%s(%s)", name, sql_argument_types(&function->params)));
    out_add(out, "\n");
}

/* ---- triggers ---- */

static const char *
trigger_events(const struct trigger *trigger)
{
    static const enum command order[] = {CMD_INSERT, CMD_UPDATE, CMD_DELETE};
    struct out *out = out_scratch();
    const char *separator = "";

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (!trigger->on[order[i]])
            continue;
        out_printf(out, "%s%s", separator, command_name(order[i]));
        if (order[i] == CMD_UPDATE && trigger->columns.n > 0)
            out_printf(out, " of %s", sql_columns(trigger->columns.at, trigger->columns.n));
        separator = " or ";
    }
    return out_text(out);
}

void
emit_trigger(struct out *out, const struct trigger *trigger)
{
    static const char *const times[] = {
        [TRIGGER_BEFORE] = "before",
        [TRIGGER_AFTER] = "after",
        [TRIGGER_INSTEAD_OF] = "instead of",
    };

    out_printf(out, "-- %s  trigger %s\ncreate trigger %s\n  %s %s on %s\n  for each %s",
               out_place(trigger->span), out_plain(trigger->name), name_sql(trigger->name),
               times[trigger->time], trigger_events(trigger), sql_relation(trigger->table),
               trigger->for_row ? "row" : "statement");
    if (trigger->when != NULL)
        out_printf(out, " when (%s)", sql_trigger_when(trigger));
    out_printf(out, "\n  execute function %s.%s(",
               trigger->function->is_catalog ? "pg_catalog" : "public",
               name_sql(trigger->function->name));
    for (size_t i = 0; i < trigger->args.n; i++)
        out_printf(out, "%s%s", i == 0 ? "" : ", ", sql_literal(trigger->args.at[i]));
    out_add(out, ");\n\n");
}
