/* SPDX-License-Identifier: MIT */
/* What is told without being asked, in the access matrix: live queries, webhooks, auth. */
#include <stdlib.h>
#include <string.h>

#include "emit/access_parts.h"
#include "emit/access_text.h"
#include "emit/emit.h"
#include "model/access.h"
#include "model/walk.h"
#include "plan/match.h"

static int
compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names, sorted, with commas. */
static const char *
sorted_names(struct words *names)
{
    if (names->list.n > 0)
        qsort(names->list.at, names->list.n, sizeof(names->list.at[0]), compare_words);
    return access_names(names->list.at, names->list.n);
}

/* How changes reach the subscribers of a role: that is no right, but what a change costs. */
static void
write_told(struct out *out, const struct model *model, const struct live *live,
           const struct role *role)
{
    const struct match *match = match_make(model, live, role);
    const char *name = access_name(role->name);
    struct words asked = {0};

    for (size_t i = match->compiled ? 1 : 0; i < match->sources.n; i++)
        if (!words_contain(&asked, access_relation(match->sources.at[i].table)))
            words_add(&asked, access_relation(match->sources.at[i].table));
    if (!match->compiled)
        out_printf(out, "  told %s: asked again after changes of %s: %s\n", name,
                   access_reached(&asked), match->reason.text);
    else if (asked.list.n == 0)
        out_printf(out, "  told %s: changes of %s, matched\n", name,
                   access_relation(match->row->table));
    else
        out_printf(out, "  told %s: changes of %s, matched; asked again after changes of %s\n",
                   name, access_relation(match->row->table), access_reached(&asked));
}

static void
write_subscribers(struct out *out, const struct model *model, const struct live *live)
{
    struct access_roles roles = access_roles(model);
    struct words sent = {0};
    const char *names;

    for (size_t i = 0; i < live->body->outputs.n; i++)
        if (live->body->outputs.at[i].name != NULL)
            words_add(&sent, live->body->outputs.at[i].name);
    names = sorted_names(&sent);
    for (size_t i = 0; i < roles.n; i++) {
        const struct role *from = access_nearest(live->roles.at, live->roles.n, roles.at[i]);

        if (from == NULL || access_is_service(roles.at[i]))
            continue;
        out_printf(out, "  %s may subscribe%s: %s\n", access_name(roles.at[i]->name),
                   access_as_role(roles.at[i], from), names);
        write_told(out, model, live, roles.at[i]);
    }
}

static void
visit_range(const struct range *range, void *data)
{
    struct words *names = data;

    if (range->table != NULL && !range->table->derived &&
        !words_contain(names, access_relation(range->table)))
        words_add(names, access_relation(range->table));
}

/* A column that shows another one than its name says. */
static void
write_outputs(struct out *out, const struct live *live)
{
    struct words lines = {0};

    for (size_t i = 0; i < live->body->outputs.n; i++) {
        const struct output *output = &live->body->outputs.at[i];

        if (output->name != NULL && (output->expr->kind != EXPR_COLUMN ||
                                     strcmp(output->expr->column->name, output->name) != 0))
            words_add(&lines, arena_printf("column %s: %s", access_name(output->name),
                                           access_source(output->expr->span)));
    }
    access_write_sorted(out, "  ", &lines);
}

static void
write_live(struct out *out, const struct model *model, const struct live *live)
{
    struct words tables = {0}, asked = {0};

    walk_select_ranges(live->body, visit_range, &tables);
    out_printf(out, "\nlive %s\n  reads: %s\n", access_name(live->name), access_reached(&tables));
    for (size_t i = 0; live->table != NULL && i < live->params.n; i++)
        words_add(&asked, live->params.at[i]->name);
    if (asked.list.n > 0)
        out_printf(out, "  asks for: %s\n", sorted_names(&asked));
    if (live->body->where != NULL && live->table == NULL)
        out_printf(out, "  rows%s: %s\n",
                   access_is_unchecked(live->body->where) ? ", unchecked" : "",
                   access_condition(live->body->where));
    write_outputs(out, live);
    write_subscribers(out, model, live);
}

static void
write_webhook(struct out *out, const struct webhook *webhook)
{
    struct words sent = {0};

    out_printf(out, "\nwebhook %s\n", access_name(webhook->name));
    for (int command = 0; command < COMMANDS; command++)
        if (webhook->events[command])
            out_printf(out, "  after %s: %s\n", command_name((enum command)command),
                       access_relation(webhook->table));
    if (webhook->when != NULL)
        out_printf(out, "  when: %s\n", access_condition(webhook->when));
    for (size_t i = 0; i < webhook->columns.n; i++)
        words_add(&sent, webhook->columns.at[i]->name);
    out_printf(out, "  sends past all policies: %s\n  address: %s\n  key: %s\n",
               sorted_names(&sent), webhook->url_env, webhook->key_env);
}

static void
write_auth(struct out *out, const struct auth *auth)
{
    if (auth == NULL)
        return;
    out_add(out, "\nauth\n");
    if (auth->site != NULL)
        out_printf(out, "  site: %s\n", access_visible(auth->site));
    for (size_t i = 0; i < auth->redirects.n; i++)
        out_printf(out, "  redirect %s: gets tokens\n", access_visible(auth->redirects.at[i]));
    out_printf(out, "  anonymous_sign_in: %s\n",
               auth->anonymous_sign_in ? "on, each guest is authenticated" : "off");
}

static int
compare_lives(const void *a, const void *b)
{
    return strcmp((*(const struct live *const *)a)->name, (*(const struct live *const *)b)->name);
}

static int
compare_webhooks(const void *a, const void *b)
{
    return strcmp((*(const struct webhook *const *)a)->name,
                  (*(const struct webhook *const *)b)->name);
}

void
emit_access_served(struct out *out, const struct model *model)
{
    VEC(const struct live *) lives = {0};
    VEC(const struct webhook *) webhooks = {0};

    for (size_t i = 0; i < model->lives.n; i++)
        vec_push(&lives, model->lives.at[i]);
    for (size_t i = 0; i < model->webhooks.n; i++)
        vec_push(&webhooks, model->webhooks.at[i]);
    if (lives.n > 0)
        qsort(lives.at, lives.n, sizeof(lives.at[0]), compare_lives);
    if (webhooks.n > 0)
        qsort(webhooks.at, webhooks.n, sizeof(webhooks.at[0]), compare_webhooks);
    for (size_t i = 0; i < lives.n; i++)
        write_live(out, model, lives.at[i]);
    for (size_t i = 0; i < webhooks.n; i++)
        write_webhook(out, webhooks.at[i]);
    write_auth(out, model->auth);
}
