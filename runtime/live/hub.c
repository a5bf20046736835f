/* SPDX-License-Identifier: MIT */
#include "live/hub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limit.h"
#include "db/feed.h"
#include "live/shelf.h"

#define MAX_TOGETHER_BYTES 1048576
#define LONG_AGO_MS (INT64_MIN / 2)
#define SWEPT_MS 2000 /* after its time: then nothing lies on the shelf any more */

struct pgs_hub {
    struct pgs_feed *feed;
    struct pgs__shelf *shelf;
    atomic_int *wants;       /* who looks at rows of each watched table */
    bool *decides;           /* each watched table: whether a matcher's facts or sets read it */
    int kept_ms;             /* how long clients may come back */
    atomic_int n_listening;  /* that want commits */
    _Atomic int64_t left_ms; /* when the last of them left */
    atomic_bool is_impossible;
    pthread_mutex_t mutex; /* over what follows */
    struct pgs__listener *listeners;
    enum pgs__feed_state state;
    uint64_t n_states;
    struct pgs__recent recent;
    struct pgs_changes *together[PGS_HUB_MAX_TOGETHER]; /* the last of `recent`: not told yet */
    size_t n_together, together_bytes;
};

/* ---- telling; the mutex is held ---- */

static void
send_news(struct pgs__listener *listener, const struct pgs__news *news,
          struct pgs_changes *const *commits)
{
    size_t n = news->n_commits;
    struct pgs__news *copy = calloc(1, sizeof(*copy) + n * sizeof(struct pgs_changes *));

    if (copy == NULL)
        abort();
    copy->kind = news->kind;
    copy->state = news->state;
    copy->n_states = news->n_states;
    copy->number = news->number;
    copy->n_commits = n;
    for (size_t i = 0; i < n; i++) {
        copy->commits[i] = commits[i];
        pgs_changes_keep(commits[i]);
    }
    h2o_multithread_send_message(&listener->receiver, &copy->super);
}

/* One that is slower than the commits hears of the hub's memory instead of its own growing. */
static void
tell_commits(struct pgs__listener *listener, const struct pgs_hub *hub)
{
    struct pgs__news news = {
        .kind = PGS__NEWS_COMMITS, .number = hub->recent.last, .n_commits = hub->n_together};
    size_t size = sizeof(news) + hub->together_bytes;

    if (!listener->wants_commits || listener->is_behind)
        return;
    if (atomic_fetch_add(&listener->waiting_bytes, size) + size <= PGS_HUB_MAX_WAITING_BYTES) {
        send_news(listener, &news, hub->together);
        return;
    }
    atomic_fetch_sub(&listener->waiting_bytes, size);
    listener->is_behind = true;
    pgs_limit_hit(PGS_LIMIT_LIVE_BEHIND);
    send_news(listener, &(struct pgs__news){.kind = PGS__NEWS_BEHIND}, NULL);
}

/* One message, and one waking, for all that has come. */
static void
tell_together(struct pgs_hub *hub)
{
    if (hub->n_together == 0)
        return;
    for (struct pgs__listener *listener = hub->listeners; listener != NULL;
         listener = listener->next)
        tell_commits(listener, hub);
    for (size_t i = 0; i < hub->n_together; i++)
        pgs_changes_release(hub->together[i]);
    hub->n_together = 0;
    hub->together_bytes = 0;
}

static void
tell(struct pgs_hub *hub, const struct pgs__news *news)
{
    tell_together(hub);
    for (struct pgs__listener *listener = hub->listeners; listener != NULL;
         listener = listener->next)
        send_news(listener, news, NULL);
}

/* ---- the feed ---- */

static bool
wants_rows(void *arg, unsigned watched)
{
    const struct pgs_hub *hub = arg;

    return atomic_load_explicit(&hub->wants[watched], memory_order_relaxed) > 0;
}

static bool
decides(void *arg, unsigned watched)
{
    const struct pgs_hub *hub = arg;

    return hub->decides[watched];
}

/* Of who comes and goes not each has changes followed anew. */
bool
pgs__hub_wants_changes(void *arg)
{
    const struct pgs_hub *hub = arg;

    return atomic_load(&hub->n_listening) > 0 ||
           pgs_clock_ms() < atomic_load(&hub->left_ms) + hub->kept_ms + SWEPT_MS;
}

void
pgs__hub_on_changes(void *arg, struct pgs_changes *changes)
{
    struct pgs_hub *hub = arg;

    pthread_mutex_lock(&hub->mutex);
    pgs_changes_keep(changes);
    hub->together[hub->n_together++] = changes;
    hub->together_bytes += changes->bytes + sizeof(struct pgs_changes *);
    pgs__recent_add(&hub->recent, changes);
    if (hub->n_together == PGS_HUB_MAX_TOGETHER || hub->together_bytes > MAX_TOGETHER_BYTES)
        tell_together(hub);
    pthread_mutex_unlock(&hub->mutex);
}

void
pgs__hub_on_pause(void *arg)
{
    struct pgs_hub *hub = arg;

    pthread_mutex_lock(&hub->mutex);
    tell_together(hub);
    pthread_mutex_unlock(&hub->mutex);
}

/* The mutex is held.  What was told before it began anew can be seen, or was lost with the server
 * that it came from. */
static void
set_state(struct pgs_hub *hub, enum pgs__feed_state state)
{
    if (state != PGS__FEED_LOST)
        hub->is_impossible = false;
    if (state == hub->state)
        return;
    hub->state = state;
    hub->n_states++;
    if (state == PGS__FEED_FOLLOWING)
        pgs__recent_part(&hub->recent, hub->recent.last);
    tell(hub, &(struct pgs__news){.kind = PGS__NEWS_STATE,
                                  .state = state,
                                  .n_states = hub->n_states,
                                  .number = hub->recent.last});
}

void
pgs__hub_on_state(void *arg, bool is_connected)
{
    struct pgs_hub *hub = arg;

    pthread_mutex_lock(&hub->mutex);
    set_state(hub, is_connected ? PGS__FEED_FOLLOWING : PGS__FEED_LOST);
    pthread_mutex_unlock(&hub->mutex);
}

/* Whoever listens from now on finds it resting. */
bool
pgs__hub_on_rest(void *arg)
{
    struct pgs_hub *hub = arg;
    bool rests;

    pthread_mutex_lock(&hub->mutex);
    rests = !pgs__hub_wants_changes(hub);
    if (rests) {
        set_state(hub, PGS__FEED_RESTING);
        pgs__recent_clear(&hub->recent);
    }
    pthread_mutex_unlock(&hub->mutex);
    return rests;
}

static void
on_impossible(void *arg)
{
    struct pgs_hub *hub = arg;

    pthread_mutex_lock(&hub->mutex);
    hub->is_impossible = true;
    tell(hub, &(struct pgs__news){.kind = PGS__NEWS_IMPOSSIBLE});
    pthread_mutex_unlock(&hub->mutex);
}

/* ---- opening and closing ---- */

static size_t
count_watched(const struct pgs_app *app)
{
    size_t n = 0;

    while (app->watched[n].schema != NULL)
        n++;
    return n;
}

/* The first source of a matcher is what its rows are of. */
static void
note_deciding(struct pgs_hub *hub, const struct pgs_live *live)
{
    for (size_t i = 0; i < live->n_matchers; i++)
        for (size_t j = 1; j < live->matchers[i].n_sources; j++)
            hub->decides[live->matchers[i].sources[j].watched] = true;
}

static void
free_hub(struct pgs_hub *hub)
{
    if (hub->shelf != NULL)
        pgs__shelf_close(hub->shelf);
    tell_together(hub); /* nobody listens any more */
    pgs__recent_clear(&hub->recent);
    pthread_mutex_destroy(&hub->mutex);
    free(hub->wants);
    free(hub->decides);
    free(hub);
}

struct pgs_hub *
pgs_hub_open(const struct pgs_app *app, const char *conninfo, int poll_ms, int kept_ms)
{
    struct pgs_hub *hub = calloc(1, sizeof(*hub));
    struct pgs_feed_config config = {
        .conninfo = conninfo,
        .publication = "pgstack_live",
        .watched = app->watched,
        .has_outbox = app->has_outbox,
        .poll_ms = poll_ms,
        .wants_changes = pgs__hub_wants_changes,
        .on_rest = pgs__hub_on_rest,
        .wants_rows = wants_rows,
        .decides = decides,
        .on_changes = pgs__hub_on_changes,
        .on_pause = pgs__hub_on_pause,
        .on_state = pgs__hub_on_state,
        .on_impossible = on_impossible,
        .arg = hub,
    };

    if (hub == NULL)
        return NULL;
    pthread_mutex_init(&hub->mutex, NULL);
    hub->kept_ms = kept_ms;
    atomic_init(&hub->left_ms, LONG_AGO_MS);
    hub->wants = calloc(count_watched(app) + 1, sizeof(*hub->wants));
    hub->decides = calloc(count_watched(app) + 1, sizeof(*hub->decides));
    hub->shelf = pgs__shelf_open();
    for (size_t i = 0; hub->decides != NULL && app->lives != NULL && app->lives[i] != NULL; i++)
        note_deciding(hub, app->lives[i]);
    if (hub->wants != NULL && hub->decides != NULL && hub->shelf != NULL)
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

/* ---- listeners ---- */

struct pgs__shelf *
pgs__hub_shelf(const struct pgs_hub *hub)
{
    return hub->shelf;
}

bool
pgs__hub_is_impossible(const struct pgs_hub *hub)
{
    return hub->is_impossible;
}

enum pgs__feed_state
pgs__hub_join(struct pgs_hub *hub, struct pgs__listener *listener)
{
    enum pgs__feed_state state;

    pthread_mutex_lock(&hub->mutex);
    listener->next = hub->listeners;
    hub->listeners = listener;
    listener->n_states = hub->n_states;
    state = hub->state;
    pthread_mutex_unlock(&hub->mutex);
    return state;
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

enum pgs__feed_state
pgs__hub_listen(struct pgs_hub *hub, struct pgs__listener *listener, struct pgs__recent *recent)
{
    enum pgs__feed_state state;

    pthread_mutex_lock(&hub->mutex);
    atomic_fetch_add(&hub->n_listening, 1);
    listener->wants_commits = true;
    listener->n_states = hub->n_states;
    pgs__recent_copy(recent, &hub->recent);
    state = hub->state;
    pthread_mutex_unlock(&hub->mutex);
    pgs_feed_wake(hub->feed);
    return state;
}

void
pgs__hub_unlisten(struct pgs_hub *hub, struct pgs__listener *listener)
{
    pthread_mutex_lock(&hub->mutex);
    listener->wants_commits = false;
    listener->is_behind = false;
    pthread_mutex_unlock(&hub->mutex);
    atomic_store(&hub->left_ms, pgs_clock_ms());
    atomic_fetch_sub(&hub->n_listening, 1);
}

void
pgs__hub_take(struct pgs__listener *listener, const struct pgs__news *news)
{
    size_t size = sizeof(*news);

    if (news->kind != PGS__NEWS_COMMITS)
        return;
    for (size_t i = 0; i < news->n_commits; i++)
        size += news->commits[i]->bytes + sizeof(struct pgs_changes *);
    atomic_fetch_sub(&listener->waiting_bytes, size);
}

bool
pgs__hub_catch_up(struct pgs_hub *hub, struct pgs__listener *listener, struct pgs__recent *recent)
{
    uint64_t floor = recent->floor;
    bool was_behind;

    pthread_mutex_lock(&hub->mutex);
    was_behind = listener->is_behind;
    listener->is_behind = false;
    if (was_behind)
        pgs__recent_copy(recent, &hub->recent);
    pthread_mutex_unlock(&hub->mutex);
    if (was_behind)
        pgs__recent_raise(recent, floor); /* nobody asks for the hub */
    return was_behind;
}

void
pgs__hub_want_rows(struct pgs_hub *hub, unsigned watched, int change)
{
    (void)atomic_fetch_add_explicit(&hub->wants[watched], change, memory_order_relaxed);
}
