/* SPDX-License-Identifier: MIT */
#include "live/hub.h"

#include <pthread.h>
#include <stdlib.h>

#include "db/feed.h"

struct pgs_hub {
    struct pgs_feed *feed;
    pthread_mutex_t mutex; /* over what follows */
    struct pgs__listener *listeners;
    bool is_connected;
};

/* The mutex is held. */
static void
tell(struct pgs_hub *hub, const struct pgs__news *news)
{
    for (struct pgs__listener *listener = hub->listeners; listener != NULL;
         listener = listener->next) {
        struct pgs__news *copy = calloc(1, sizeof(*copy));

        if (copy == NULL)
            abort();
        copy->kind = news->kind;
        copy->commit = news->commit;
        h2o_multithread_send_message(&listener->receiver, &copy->super);
    }
}

static void
on_txn(void *arg, const struct pgs_feed_txn *txn)
{
    struct pgs_hub *hub = arg;
    struct pgs__news news = {.kind = PGS__NEWS_COMMIT,
                             .commit = {.xid = txn->xid, .lsn = txn->lsn}};

    for (size_t i = 0; i < txn->n_watched; i++)
        news.commit.tables |= pgs_watched_bit(txn->watched[i]);
    pthread_mutex_lock(&hub->mutex);
    tell(hub, &news);
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

struct pgs_hub *
pgs_hub_open(const struct pgs_app *app, const char *conninfo)
{
    struct pgs_hub *hub = calloc(1, sizeof(*hub));
    struct pgs_feed_config config = {
        .conninfo = conninfo,
        .publication = "pgstack_live",
        .watched = app->watched,
        .on_txn = on_txn,
        .on_state = on_state,
        .arg = hub,
    };

    if (hub == NULL)
        return NULL;
    pthread_mutex_init(&hub->mutex, NULL);
    hub->feed = pgs_feed_open(&config);
    if (hub->feed != NULL)
        return hub;
    pthread_mutex_destroy(&hub->mutex);
    free(hub);
    return NULL;
}

void
pgs_hub_close(struct pgs_hub *hub)
{
    pgs_feed_close(hub->feed);
    pthread_mutex_destroy(&hub->mutex);
    free(hub);
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
