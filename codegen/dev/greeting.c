/* SPDX-License-Identifier: MIT */
/* The lines work as printed, for whatever the project serves: they are made from its model. */
#include "dev/dev.h"

#include <stdio.h>
#include <string.h>

#include "model/access.h"

#define TABLES_SHOWN 2

static const struct role *
find_role(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->roles.n; i++)
        if (strcmp(model->roles.at[i]->name, name) == 0)
            return model->roles.at[i];
    return NULL;
}

static bool
can_list(const struct role *role, const struct endpoint *endpoint)
{
    return (endpoint->open || endpoint->verbs[VERB_LIST]) && role != NULL &&
           access_table(role, endpoint->table, CMD_SELECT);
}

static void
print_list(const struct dev *dev, const struct endpoint *endpoint, const char *header,
           const char *credential)
{
    printf("  curl 'http://127.0.0.1:%d/rest/v1/%s?limit=3' -H '%s%s'\n\n", dev->port,
           endpoint->table->name, header, credential);
}

/* The first tables that the role may list; with `unless`, those that this one may not. */
static void
print_lists(const struct dev *dev, const struct model *model, const struct role *role,
            const struct role *unless, const char *header, const char *credential)
{
    int shown = 0;

    for (size_t i = 0; i < model->endpoints.n && shown < TABLES_SHOWN; i++) {
        const struct endpoint *endpoint = model->endpoints.at[i];

        if (!can_list(role, endpoint) || can_list(unless, endpoint))
            continue;
        print_list(dev, endpoint, header, credential);
        shown++;
    }
}

/* A query without required arguments. */
static void
print_query(const struct dev *dev, const struct model *model, const struct role *role)
{
    for (size_t i = 0; i < model->queries.n; i++) {
        const struct query *query = model->queries.at[i];
        bool callable = false;

        for (size_t j = 0; j < query->roles.n; j++)
            callable = callable || role_is(role, query->roles.at[j]);
        for (size_t j = 0; j < query->params.n; j++)
            callable = callable && query->params.at[j]->default_expr != NULL;
        if (!callable)
            continue;
        printf("  curl http://127.0.0.1:%d/rest/v1/rpc/%s -H 'Authorization: Bearer %s'\n\n",
               dev->port, query->name, dev->demo_token);
        return;
    }
}

void
dev_greet(const struct dev *dev, const struct model *model)
{
    const struct role *anon = find_role(model, "anon");
    const struct role *authenticated = find_role(model, "authenticated");

    printf("\n%s is up: http://127.0.0.1:%d.  Try:\n\n", model->app, dev->port);
    printf("  curl http://127.0.0.1:%d/health\n\n", dev->port);
    print_lists(dev, model, anon, NULL, "apikey: ", dev->anon_key);
    if (dev->demo_email != NULL)
        printf("As the demo user %s:\n\n", dev->demo_email);
    else
        printf("As a user:\n\n");
    print_lists(dev, model, authenticated, anon, "Authorization: Bearer ", dev->demo_token);
    if (authenticated != NULL)
        print_query(dev, model, authenticated);
    if (dev_has_page())
        printf("In two browser windows, which show each other's changes:\n\n"
               "  http://127.0.0.1:%d/demo/#%s\n\n",
               dev->port, dev->demo_token);
    printf("As the database's superuser:\n\n  psql %s\n\n",
           dev_url(dev, "postgres", dev->superuser_password));
    printf("Keys and addresses are in " DEV_ENV ", requests in " DEV_SERVER_LOG
           ".  Ctrl-C stops all.\n");
    fflush(stdout);
}
