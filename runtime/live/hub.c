/* SPDX-License-Identifier: MIT */
#include "live/hub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "db/feed.h"
#include "live/shelf.h"

struct pgs_hub {
    struct pgs_feed *feed;
    struct pgs__shelf *shelf;
    atomic_int *wants;     /* who looks at rows of each watched table */
    pthread_mutex_t mutex; /* over what follows */
    struct pgs__listener *listeners;
    bool is_connected;
    struct pgs__recent recent;
};

/* The mutex is held. */
static void
tell(struct pgs_hub *hub, const struct pgs__news *news)
{
    for (struct pgs__listener *listener = hub->listeners; listener != NULL;
         listener = listener->next) {
        struct pgs__news *copy;

        if (news->kind == PGS__NEWS_COMMIT && !listener->wants_commits)
            continue;
        copy = calloc(1, sizeof(*copy));
        if (copy == NULL)
            abort();
        copy->kind = news->kind;
        copy->number = news->number;
        copy->changes = news->changes;
        if (news->changes != NULL)
            pgs_changes_keep(news->changes);
        h2o_multithread_send_message(&listener->receiver, &copy->super);
    }
}

static bool
wants_rows(void *arg, unsigned watched)
{
    const struct pgs_hub *hub = arg;

    return atomic_load_explicit(&hub->wants[watched], memory_order_relaxed) > 0;
}

static void
on_changes(void *arg, struct pgs_changes *changes)
{
    struct pgs_hub *hub = arg;

    pthread_mutex_lock(&hub->mutex);
    pgs__recent_add(&hub->recent, changes);
    tell(hub, &(struct pgs__news){
                  .kind = PGS__NEWS_COMMIT, .changes = changes, .number = hub->recent.last});
    pthread_mutex_unlock(&hub->mutex);
}

static void
on_state(void *arg, bool is_connected)
{
    struct pgs_hub *hub = arg;

    pthread_mutex_lock(&hub->mutex);
    hub->is_connected = is_connected;
    tell(hub, &(struct pgs__news){.kind = is_connected ? PGS__NEWS_CONNECTED : PGS__NEWS_LOST});
    pthread_mutex_unlock(&hub->mutex);
}

static size_t
count_watched(const struct pgs_app *app)
{
    size_t n = 0;

    while (app->watched[n].schema != NULL)
        n++;
    return n;
}

static void
free_hub(struct pgs_hub *hub)
{
    if (hub->shelf != NULL)
        pgs__shelf_close(hub->shelf);
    pgs__recent_clear(&hub->recent);
    pthread_mutex_destroy(&hub->mutex);
    free(hub->wants);
    free(hub);
}

struct pgs_hub *
pgs_hub_open(const struct pgs_app *app, const char *conninfo)
{
    struct pgs_hub *hub = calloc(1, sizeof(*hub));
    struct pgs_feed_config config = {
        .conninfo = conninfo,
        .publication = "pgstack_live",
        .watched = app->watched,
        .wants_rows = wants_rows,
        .on_changes = on_changes,
        .on_state = on_state,
        .arg = hub,
    };

    if (hub == NULL)
        return NULL;
    pthread_mutex_init(&hub->mutex, NULL);
    hub->wants = calloc(count_watched(app) + 1, sizeof(*hub->wants));
    hub->shelf = pgs__shelf_open();
    if (hub->wants != NULL && hub->shelf != NULL)
        hub->feed = pgs_feed_open(&config);
    if (hub->feed != NULL)
        return hub;
    free_hub(hub);
    return NULL;
}

void
pgs_hub_close(struct pgs_hub *hub)
{
    pgs_feed_close(hub->feed);
    free_hub(hub);
}

struct pgs__shelf *
pgs__hub_shelf(const struct pgs_hub *hub)
{
    return hub->shelf;
}

bool
pgs__hub_join(struct pgs_hub *hub, struct pgs__listener *listener)
{
    bool is_connected;

    pthread_mutex_lock(&hub->mutex);
    listener->next = hub->listeners;
    hub->listeners = listener;
    is_connected = hub->is_connected;
    pthread_mutex_unlock(&hub->mutex);
    return is_connected;
}

void
pgs__hub_leave(struct pgs_hub *hub, struct pgs__listener *listener)
{
    struct pgs__listener **at = &hub->listeners;

    pthread_mutex_lock(&hub->mutex);
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    pthread_mutex_unlock(&hub->mutex);
}

void
pgs__hub_listen(struct pgs_hub *hub, struct pgs__listener *listener, struct pgs__recent *recent)
{
    pthread_mutex_lock(&hub->mutex);
    listener->wants_commits = true;
    pgs__recent_copy(recent, &hub->recent);
    pthread_mutex_unlock(&hub->mutex);
}

void
pgs__hub_unlisten(struct pgs_hub *hub, struct pgs__listener *listener)
{
    pthread_mutex_lock(&hub->mutex);
    listener->wants_commits = false;
    pthread_mutex_unlock(&hub->mutex);
}

void
pgs__hub_want_rows(struct pgs_hub *hub, unsigned watched, int change)
{
    (void)atomic_fetch_add_explicit(&hub->wants[watched], change, memory_order_relaxed);
}
