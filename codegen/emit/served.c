/* SPDX-License-Identifier: MIT */
/* What is told without being asked, in the access matrix: live queries, webhooks, auth. */
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "emit/access_text.h"
#include "emit/emit.h"
#include "model/access.h"
#include "model/served.h"

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

static int
compare_roles(const void *a, const void *b)
{
    return strcmp((*(const struct role *const *)a)->name, (*(const struct role *const *)b)->name);
}

/* The role that the live query names through which `role` may subscribe; NULL: none. */
static const struct role *
subscriber(const struct live *live, const struct role *role)
{
    for (; role != NULL; role = role->inherits)
        for (size_t i = 0; i < live->roles.n; i++)
            if (live->roles.at[i] == role)
                return role;
    return NULL;
}

static void
write_subscribers(struct out *out, const struct model *model, const struct live *live)
{
    VEC(const struct role *) roles = {0};
    struct words sent = {0};
    const char *names;

    for (size_t i = 0; i < live->body->outputs.n; i++)
        if (live->body->outputs.at[i].name != NULL)
            words_add(&sent, live->body->outputs.at[i].name);
    names = sorted_names(&sent);
    for (size_t i = 0; i < model->roles.n; i++)
        if (subscriber(live, model->roles.at[i]) != NULL)
            vec_push(&roles, model->roles.at[i]);
    if (roles.n > 0)
        qsort(roles.at, roles.n, sizeof(roles.at[0]), compare_roles);
    for (size_t i = 0; i < roles.n; i++) {
        const struct role *from = subscriber(live, roles.at[i]);

        out_printf(out, "  %s may subscribe%s%s: %s\n", access_name(roles.at[i]->name),
                   from == roles.at[i] ? "" : " as ",
                   from == roles.at[i] ? "" : access_name(from->name), names);
    }
}

static void
write_live(struct out *out, const struct model *model, const struct live *live)
{
    out_printf(out, "\nlive %s\n", access_name(live->name));
    write_subscribers(out, model, live);
    if (live->body->where != NULL && live->table == NULL)
        out_printf(out, "  rows: %s\n", access_condition(live->body->where));
    for (size_t i = 0; live->table != NULL && i < live->params.n; i++)
        out_printf(out, "  rows: %s = the argument\n", access_name(live->params.at[i]->name));
}

static void
write_webhook(struct out *out, const struct webhook *webhook)
{
    struct words sent = {0};

    out_printf(out, "\nwebhook %s\n", access_name(webhook->name));
    for (int command = 0; command < COMMANDS; command++)
        if (webhook->events[command])
            out_printf(out, "  after %s: %s\n", command_name((enum command)command),
                       access_name(webhook->table->name));
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
