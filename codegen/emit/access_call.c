/* SPDX-License-Identifier: MIT */
/* Queries, declared functions and triggers in the access matrix. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "emit/access_parts.h"
#include "emit/access_text.h"
#include "emit/emit.h"
#include "model/access.h"
#include "model/walk.h"

static void
write_callers(struct out *out, const struct model *model, const struct role *const *roles, size_t n)
{
    struct access_roles all = access_roles(model);

    for (size_t i = 0; i < all.n; i++) {
        const struct role *from = access_nearest(roles, n, all.at[i]);

        if (from != NULL && !access_is_service(all.at[i]))
            out_printf(out, "  %s may call%s\n", access_name(all.at[i]->name),
                       access_as_role(all.at[i], from));
    }
}

static void
write_route(struct out *out, const char *name, bool may_get)
{
    if (may_get)
        out_printf(out, "  GET /rest/v1/rpc/%s: call\n", name);
    out_printf(out, "  POST /rest/v1/rpc/%s: call\n", name);
}

/* ---- queries ---- */

static void
write_limits(struct out *out, const struct query *query)
{
    struct words list = {0};

    access_add_rates(&list, NULL, &query->rates);
    access_add_cost(&list, NULL, &query->cost);
    access_write_limits(out, LIMITED, &list);
}

static void
write_query(struct out *out, const struct model *model, const struct query *query)
{
    const char *name = access_name(query->name);

    out_printf(out, "\nquery %s\n", name);
    write_route(out, name, true);
    write_limits(out, query);
    if (query->raw != NULL)
        out_printf(out, "  unchecked: %s\n", access_digest(query->raw));
    write_callers(out, model, query->roles.at, query->roles.n);
}

static int
compare_queries(const void *a, const void *b)
{
    return strcmp((*(const struct query *const *)a)->name, (*(const struct query *const *)b)->name);
}

static void
write_queries(struct out *out, const struct model *model)
{
    VEC(const struct query *) queries = {0};

    for (size_t i = 0; i < model->queries.n; i++)
        if (model->queries.at[i]->function == NULL)
            vec_push(&queries, model->queries.at[i]);
    if (queries.n > 0)
        qsort(queries.at, queries.n, sizeof(queries.at[0]), compare_queries);
    for (size_t i = 0; i < queries.n; i++)
        write_query(out, model, queries.at[i]);
}

/* ---- functions ---- */

struct deciding {
    VEC(const struct declared_function *) functions;
};

static void
visit_deciding(const struct expr *expr, void *data)
{
    struct deciding *deciding = data;

    if (expr->kind != EXPR_FUNCTION)
        return;
    for (size_t i = 0; i < deciding->functions.n; i++)
        if (deciding->functions.at[i] == expr->declared)
            return;
    vec_push(&deciding->functions, expr->declared);
    if (expr->declared->body != NULL)
        walk_statement(expr->declared->body, visit_deciding, data);
}

/* Those that a condition calls, and those that these call: what they say, decides. */
static struct deciding
find_deciding(const struct model *model)
{
    struct deciding found = {0};

    for (size_t i = 0; i < model->policies.n; i++) {
        if (model->policies.at[i]->using_expr != NULL)
            walk_expr(model->policies.at[i]->using_expr, visit_deciding, &found);
        if (model->policies.at[i]->check_expr != NULL)
            walk_expr(model->policies.at[i]->check_expr, visit_deciding, &found);
    }
    for (size_t i = 0; i < model->predicates.n; i++)
        walk_expr(model->predicates.at[i]->body, visit_deciding, &found);
    for (size_t i = 0; i < model->webhooks.n; i++)
        if (model->webhooks.at[i]->when != NULL)
            walk_expr(model->webhooks.at[i]->when, visit_deciding, &found);
    return found;
}

static bool
decides(const struct deciding *deciding, const struct declared_function *function)
{
    for (size_t i = 0; i < deciding->functions.n; i++)
        if (deciding->functions.at[i] == function)
            return true;
    return false;
}

/* What it reads and writes with the owner's rights, past the policies. */
static void
write_owner(struct out *out, const struct declared_function *function)
{
    static const char *const commands[] = {"reads", "inserts", "updates", "deletes"};
    struct access_reach reach = {0};

    out_add(out, "  runs as the owner\n");
    if (function->body != NULL)
        access_reach_statement(&reach, function->body);
    if (reach.unchecked.list.n > 0)
        out_printf(out, "  runs unchecked as the owner: %s\n", access_reached(&reach.unchecked));
    reach.writes[CMD_SELECT] = reach.reads;
    for (int command = 0; command < COMMANDS; command++)
        if (reach.writes[command].list.n > 0)
            out_printf(out, "  %s past policies: %s\n", commands[command],
                       access_reached(&reach.writes[command]));
}

/* NULL: it is not served. */
static const struct query *
served_as(const struct model *model, const struct declared_function *function)
{
    for (size_t i = 0; i < model->queries.n; i++)
        if (model->queries.at[i]->function == function)
            return model->queries.at[i];
    return NULL;
}

static void
write_function(struct out *out, const struct model *model, const struct deciding *deciding,
               const struct declared_function *function)
{
    const struct query *served = served_as(model, function);
    const char *name = access_name(function->name);

    out_printf(out, "\nfunction %s\n", name);
    if (served != NULL) {
        write_route(out, name, function->volatility != FUNCTION_VOLATILE);
        write_limits(out, served);
    } else {
        out_add(out, "  not served\n");
    }
    if (function->definer)
        write_owner(out, function);
    if (function->raw != NULL)
        out_printf(out, "  unchecked: %s\n", access_digest(function->raw));
    else if (function->definer || decides(deciding, function))
        out_printf(out, "  body: %s\n", access_statement(function->body->span));
    write_callers(out, model, function->roles.at, function->roles.n);
}

static int
compare_functions(const void *a, const void *b)
{
    return strcmp((*(const struct declared_function *const *)a)->name,
                  (*(const struct declared_function *const *)b)->name);
}

static void
write_functions(struct out *out, const struct model *model)
{
    struct deciding deciding = find_deciding(model);
    VEC(const struct declared_function *) functions = {0};

    for (size_t i = 0; i < model->functions.n; i++)
        vec_push(&functions, model->functions.at[i]);
    if (functions.n > 0)
        qsort(functions.at, functions.n, sizeof(functions.at[0]), compare_functions);
    for (size_t i = 0; i < functions.n; i++)
        write_function(out, model, &deciding, functions.at[i]);
}

/* ---- triggers ---- */

static const char *
trigger_events(const struct trigger *trigger)
{
    struct str str = {0};
    struct words columns = {0};

    for (size_t i = 0; i < trigger->columns.n; i++)
        words_add(&columns, trigger->columns.at[i]->name);
    for (int command = 0; command < COMMANDS; command++) {
        if (!trigger->on[command])
            continue;
        str_printf(&str, "%s%s", str.n > 0 ? " or " : "", command_name((enum command)command));
        if (command == CMD_UPDATE && columns.list.n > 0)
            str_printf(&str, " of (%s)", access_names(columns.list.at, columns.list.n));
    }
    return str.at;
}

static const char *
trigger_line(const struct trigger *trigger)
{
    static const char *const times[] = {"before", "after", "instead of"};
    const char *when = trigger->when != NULL ? access_condition(trigger->when) : NULL;

    return arena_printf(
        "trigger %s: %s %s, each %s%s%s%s runs %s%s%s", access_name(trigger->name),
        times[trigger->time], trigger_events(trigger), trigger->for_row ? "row" : "statement",
        when != NULL ? " when (" : "", when != NULL ? when : "", when != NULL ? ")" : "",
        access_name(trigger->function->name), trigger->function->definer ? ", as the owner" : "",
        trigger->function->raw != NULL ? ", unchecked" : "");
}

void
access_write_triggers(struct out *out, const struct model *model, const struct table *table)
{
    struct words lines = {0};

    for (size_t i = 0; i < model->triggers.n; i++)
        if (model->triggers.at[i]->table == table)
            words_add(&lines, trigger_line(model->triggers.at[i]));
    access_write_sorted(out, "  ", &lines);
}

void
access_write_calls(struct out *out, const struct plan *plan)
{
    write_queries(out, plan->model);
    write_functions(out, plan->model);
}
