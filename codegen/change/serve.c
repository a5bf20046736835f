/* SPDX-License-Identifier: MIT */
/* What was served or told, and no longer is, or is called in another way. */
#include <string.h>

#include "change/change.h"

static bool
is_dropped(const struct change *change, const char *name)
{
    for (size_t i = 0; i < change->now->drops.n; i++)
        if (strcmp(change->now->drops.at[i]->name, name) == 0)
            return true;
    return false;
}

static void
report_gone(const struct change *change, const char *what, const char *name, struct span span)
{
    struct diag *diag;

    if (is_dropped(change, name))
        return;
    diag = diag_at(span, PGS4328_VIEW_GONE,
                   "%s \"%s\" is gone: clients of the last release ask for it", what, name);
    diag_hint(diag, "keep it until none is left, then write `drop %s %s;`", what, name);
}

static bool
is_served(const struct model *model, const struct table *table)
{
    for (size_t i = 0; i < model->endpoints.n; i++)
        if (model->endpoints.at[i]->table == table)
            return true;
    return false;
}

/* The table is still there, and no request reaches it. */
static void
check_endpoint(const struct change *change, const struct endpoint *last)
{
    const struct table *now = last->table ? change_table_now(change, last->table) : NULL;
    struct diag *diag;

    if (!now || is_served(change->now, now))
        return;
    diag = diag_at(now->span, PGS4328_VIEW_GONE,
                   "\"%s\" is no longer served: clients of the last release ask for it", now->name);
    diag_note(diag, last->span, "its endpoint was here");
    diag_hint(diag, "keep the endpoint until none is left");
}

/* ---- calls ---- */

static const struct param *
param_named(const struct params *params, const char *name)
{
    for (size_t i = 0; i < params->n; i++)
        if (strcmp(params->at[i]->name, name) == 0)
            return params->at[i];
    return NULL;
}

static void
report_call(const struct query *last, const struct query *now, struct span span, const char *what)
{
    struct diag *diag =
        diag_at(span, PGS4564_CALL_CHANGED, "calls of the last release no longer fit \"%s\": %s",
                now->name, what);

    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "give it a default, or another name to the new one, until no such client is "
                    "left");
}

/* Clients of the last release name its arguments, all that it had. */
static void
check_arguments(const struct query *last, const struct query *now)
{
    for (size_t i = 0; i < last->params.n; i++)
        if (!param_named(&now->params, last->params.at[i]->name)) {
            report_call(last, now, now->span,
                        arena_printf("its argument \"%s\" is gone", last->params.at[i]->name));
            return;
        }
    for (size_t i = 0; i < now->params.n; i++) {
        const struct param *param = now->params.at[i];
        const struct param *before = param_named(&last->params, param->name);

        if (!before && !param->default_expr)
            report_call(last, now, param->span,
                        arena_printf("its argument \"%s\" is new and has no default", param->name));
        else if (before && before->default_expr && !param->default_expr)
            report_call(last, now, param->span,
                        arena_printf("its argument \"%s\" has lost its default", param->name));
    }
}

/* ---- what is told ---- */

static void
check_live(const struct change *change, const struct live *last)
{
    for (size_t i = 0; i < change->now->lives.n; i++)
        if (strcmp(change->now->lives.at[i]->name, last->name) == 0)
            return;
    report_gone(change, "live query", last->name, last->span);
}

static void
check_webhook(const struct change *change, const struct webhook *last)
{
    const struct table *now = last->table ? change_table_now(change, last->table) : NULL;
    struct diag *diag;

    for (size_t i = 0; i < change->now->webhooks.n; i++)
        if (strcmp(change->now->webhooks.at[i]->name, last->name) == 0)
            return;
    if (!now)
        return;
    diag = diag_at(now->span, PGS4328_VIEW_GONE,
                   "webhook \"%s\" on \"%s\" is gone: its receiver is told nothing any more",
                   last->name, now->name);
    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "keep it, unless nobody waits for it");
}

void
change_check_served(const struct change *change)
{
    const struct model *last = change->last, *now = change->now;

    for (size_t i = 0; i < last->tables.n; i++) {
        const struct table *view = last->tables.at[i];

        if (view->is_view && view->grants.n > 0 && !change_table_now(change, view))
            report_gone(change, view->materialized ? "materialized view" : "view", view->name,
                        view->span);
    }
    for (size_t i = 0; i < last->queries.n; i++) {
        const struct query *query = last->queries.at[i];
        bool found = false;

        for (size_t j = 0; j < now->queries.n; j++) {
            if (strcmp(now->queries.at[j]->name, query->name) != 0)
                continue;
            found = true;
            check_arguments(query, now->queries.at[j]);
        }
        if (!found)
            report_gone(change, query->function ? "function" : "query", query->name, query->span);
    }
    for (size_t i = 0; i < last->endpoints.n; i++)
        check_endpoint(change, last->endpoints.at[i]);
    for (size_t i = 0; i < last->lives.n; i++)
        check_live(change, last->lives.at[i]);
    for (size_t i = 0; i < last->webhooks.n; i++)
        check_webhook(change, last->webhooks.at[i]);
}
