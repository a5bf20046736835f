/* SPDX-License-Identifier: MIT */
/* What a thread is told, its timers, and the requests under /live/v1. */
#include "live/thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metric.h"
#include "http/reply.h"
#include "live/match.h"
#include "live/relayed.h"

#define TICK_MS 2
#define SECOND_MS 1000

static const char path[] = "/live/v1", stream_path[] = "/live/v1/stream", single_path[] = "/ws/";

/* ---- news ---- */

typedef void visit_subscription(struct pgs__subscription *subscription, void *arg);

static void
for_each_subscription(struct pgs_live_thread *thread, visit_subscription *visit, void *arg)
{
    for (h2o_linklist_t *s = thread->sessions.next; s != &thread->sessions; s = s->next) {
        struct pgs__session *session = H2O_STRUCT_FROM_MEMBER(struct pgs__session, link, s);

        for (h2o_linklist_t *link = session->subscriptions.next; link != &session->subscriptions;
             link = link->next)
            visit(H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, link, link), arg);
    }
}

/* What was missed is held by whatever is asked for from now on. */
static void
begin_anew(struct pgs__subscription *subscription, void *arg)
{
    (void)arg;
    pgs__subscription_restart(subscription);
}

static void
take_commit(struct pgs_live_thread *thread, uint64_t number, struct pgs_changes *changes)
{
    if (thread->n_subscriptions == 0 || number <= thread->recent.last ||
        thread->listener.is_behind) { /* then all is asked for anew anyway */
        pgs_changes_release(changes);
        return;
    }
    pgs__recent_add(&thread->recent, changes);
    pgs__match_commit(thread);
}

static void
take_commits(struct pgs_live_thread *thread, const struct pgs__news *news)
{
    for (size_t i = 0; i < news->n_commits; i++)
        take_commit(thread, news->number - news->n_commits + i + 1, news->commits[i]);
}

/* Nothing is lost: what the hub remembers goes on, and results are asked for once more. */
static void
catch_up(struct pgs_live_thread *thread)
{
    if (pgs__hub_catch_up(thread->config.hub, &thread->listener, &thread->recent))
        for_each_subscription(thread, begin_anew, NULL);
}

static bool
has_results(const struct pgs__session *session)
{
    for (h2o_linklist_t *link = session->subscriptions.next; link != &session->subscriptions;
         link = link->next)
        if (H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, link, link)->has_result)
            return true;
    return false;
}

/* Of who was told nothing yet, nothing has to follow. */
static void
renew_sessions(struct pgs_live_thread *thread)
{
    for (h2o_linklist_t *link = thread->sessions.next; link != &thread->sessions;
         link = link->next) {
        struct pgs__session *session = H2O_STRUCT_FROM_MEMBER(struct pgs__session, link, link);

        if (!session->is_relayed && has_results(session))
            pgs__session_renew(session);
    }
}

/* Where they are lost the next answer may be of another primary already. */
static void
take_state(struct pgs_live_thread *thread, const struct pgs__news *news)
{
    if (news->n_states <= thread->listener.n_states)
        return;
    thread->feed = news->state;
    if (news->state != PGS__FEED_RESTING)
        renew_sessions(thread);
    if (news->state != PGS__FEED_FOLLOWING)
        return;
    pgs__recent_part(&thread->recent, news->number);
    for_each_subscription(thread, begin_anew, NULL);
}

static void
give_up(struct pgs_live_thread *thread, const struct pgs__news *news)
{
    struct pgs__session *session =
        pgs__shelf_claimed(pgs__hub_shelf(thread->config.hub), thread, news->number, &news->caller);

    if (session != NULL)
        pgs__session_give_up(session);
}

/* Those of pg_reactive need no feed: they end `with_relayed` alone. */
static void
end_sessions(struct pgs_live_thread *thread, int code, const char *why, bool with_relayed)
{
    for (h2o_linklist_t *link = thread->sessions.next; link != &thread->sessions;
         link = link->next) {
        struct pgs__session *session = H2O_STRUCT_FROM_MEMBER(struct pgs__session, link, link);

        if (with_relayed || !session->is_relayed)
            session->transport->end(session->at, code, why);
    }
}

static void
take_news(struct pgs_live_thread *thread, const struct pgs__news *news)
{
    switch (news->kind) {
    case PGS__NEWS_COMMITS:
        take_commits(thread, news);
        break;
    case PGS__NEWS_BEHIND:
        catch_up(thread);
        break;
    case PGS__NEWS_STATE:
        take_state(thread, news);
        break;
    case PGS__NEWS_CLAIMED:
        give_up(thread, news);
        break;
    case PGS__NEWS_IMPOSSIBLE:
        end_sessions(thread, 1013, "changes cannot be followed", false);
        break;
    }
}

static void
free_news(struct pgs__news *news)
{
    pgs_buf_clear(&news->caller);
    free(news);
}

static void
on_news(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct pgs__listener *listener =
        H2O_STRUCT_FROM_MEMBER(struct pgs__listener, receiver, receiver);
    struct pgs_live_thread *thread =
        H2O_STRUCT_FROM_MEMBER(struct pgs_live_thread, listener, listener);

    while (!h2o_linklist_is_empty(messages)) {
        struct pgs__news *news =
            H2O_STRUCT_FROM_MEMBER(struct pgs__news, super.link, messages->next);

        h2o_linklist_unlink(&news->super.link);
        pgs__hub_take(listener, news);
        take_news(thread, news);
        free_news(news);
    }
    pgs__subscriptions_pump(thread);
}

/* ---- subscriptions ---- */

/* While there are none nothing is heard, and nothing is kept. */
void
pgs__thread_count(struct pgs_live_thread *thread, const struct pgs_live *live, int change)
{
    if (live->n_matchers > 0)
        for (size_t i = 0; i < live->n_watched; i++)
            pgs__hub_want_rows(thread->config.hub, live->watched[i], change);
    thread->n_subscriptions += change;
    pgs_gauge_add(PGS_CELL_LIVE_SUBSCRIPTIONS, change);
    if (thread->n_subscriptions == 0) {
        pgs__hub_unlisten(thread->config.hub, &thread->listener);
        pgs__recent_clear(&thread->recent);
    } else if (thread->n_subscriptions == 1 && change > 0) {
        thread->feed = pgs__hub_listen(thread->config.hub, &thread->listener, &thread->recent);
    }
}

/* ---- timers ---- */

static void
on_tick(h2o_timeout_entry_t *entry)
{
    struct pgs_live_thread *thread = H2O_STRUCT_FROM_MEMBER(struct pgs_live_thread, tick, entry);

    pgs__turns_tick(thread);
    pgs__subscriptions_pump(thread);
}

/* Its token has expired; or keys have changed, and the one that signed it may be gone. */
static bool
is_over(const struct pgs__session *session)
{
    return (session->who.exp_s != 0 && pgs_clock_wall_s() >= session->who.exp_s) ||
           session->keys_generation != pgs_authn_keys_generation(session->thread->config.authn);
}

static void
on_second(h2o_timeout_entry_t *entry)
{
    struct pgs_live_thread *thread = H2O_STRUCT_FROM_MEMBER(struct pgs_live_thread, second, entry);

    for (h2o_linklist_t *link = thread->sessions.next; link != &thread->sessions;
         link = link->next) {
        struct pgs__session *session = H2O_STRUCT_FROM_MEMBER(struct pgs__session, link, link);

        if (thread->feed != PGS__FEED_FOLLOWING)
            pgs__subscriptions_give_up(session);
        if (is_over(session) && !session->is_ending)
            pgs__session_expire(session);
        else
            session->transport->ping(session->at);
    }
    if (thread->config.hub != NULL)
        pgs__shelf_sweep(pgs__hub_shelf(thread->config.hub));
    h2o_timeout_link(thread->loop, &thread->second_timeout, &thread->second);
}

/* ---- requests ---- */

static bool
is_path(h2o_iovec_t asked, const char *expected)
{
    return h2o_memis(asked.base, asked.len, expected, strlen(expected));
}

/* The path is one of ours, with what is configured. */
static bool
is_ours(const struct pgs_live_config *config, h2o_iovec_t asked, h2o_iovec_t single)
{
    if (single.base != NULL && config->relay != NULL)
        return true;
    return config->app->lives != NULL &&
           (single.base != NULL || is_path(asked, path) || is_path(asked, stream_path));
}

static bool
is_declared(const struct pgs_app *app, h2o_iovec_t name)
{
    return app->lives != NULL &&
           pgs__live_find(app, (struct pgs_text){name.base, name.len}) != NULL;
}

static void
refuse(h2o_req_t *req, const char *message, const char *hint)
{
    pgs_reply_problem(req, &(struct pgs_problem){503, "PGRST001", message, NULL, hint});
}

/* `/ws/` and a name; `base` NULL: it is another path. */
static h2o_iovec_t
single_query(h2o_iovec_t asked)
{
    size_t len = sizeof(single_path) - 1;

    return asked.len > len && memcmp(asked.base, single_path, len) == 0
               ? h2o_iovec_init(asked.base + len, asked.len - len)
               : h2o_iovec_init(NULL, 0);
}

bool
pgs_live_on_request(struct pgs_live_thread *thread, h2o_req_t *req)
{
    const struct pgs_live_config *config = &thread->config;
    h2o_iovec_t asked = req->path_normalized, query = single_query(asked);

    if (!is_ours(config, asked, query))
        return false;
    if (thread->is_stopping)
        refuse(req, "The server is stopping", NULL);
    else if (query.base != NULL && config->relay != NULL && !is_declared(config->app, query))
        pgs__socket_accept_relayed(thread, req, query);
    else if (config->hub == NULL)
        refuse(req, "Live queries are off", "set LIVE_DATABASE_URL");
    else if (is_path(asked, stream_path))
        pgs__stream_accept(thread, req);
    else if (query.base != NULL)
        pgs__socket_accept_single(thread, req, query);
    else
        pgs__socket_accept(thread, req);
    return true;
}

const struct pgs_problem *
pgs__thread_problem(const struct pgs_live_thread *thread)
{
    static const struct pgs_problem impossible = {
        503, "PGRST001", "Live queries are off", NULL,
        "PostgreSQL needs wal_level=logical, or the schema `live outbox;`"};

    return pgs__hub_is_impossible(thread->config.hub) ? &impossible : NULL;
}

/* ---- opening and closing ---- */

static void
start_timers(struct pgs_live_thread *thread)
{
    h2o_timeout_init(thread->loop, &thread->tick_timeout, TICK_MS);
    h2o_timeout_init(thread->loop, &thread->second_timeout, SECOND_MS);
    h2o_timeout_init(thread->loop, &thread->now_timeout, 0);
    thread->tick.cb = on_tick;
    thread->second.cb = on_second;
    h2o_timeout_link(thread->loop, &thread->second_timeout, &thread->second);
}

struct pgs_live_thread *
pgs_live_open(h2o_loop_t *loop, const struct pgs_live_config *config)
{
    struct pgs_live_thread *thread = calloc(1, sizeof(*thread));

    if (thread == NULL)
        return NULL;
    thread->loop = loop;
    thread->config = *config;
    h2o_linklist_init_anchor(&thread->sessions);
    pgs__turns_init(&thread->turns);
    if (config->hub == NULL && config->relay == NULL)
        return thread;
    if (config->hub != NULL && !pgs__interests_init(&thread->interests, config->app)) {
        free(thread);
        return NULL;
    }
    start_timers(thread);
    thread->queue = h2o_multithread_create_queue(loop);
    if (config->hub != NULL) {
        h2o_multithread_register_receiver(thread->queue, &thread->listener.receiver, on_news);
        thread->feed = pgs__hub_join(config->hub, &thread->listener);
    }
    if (config->relay != NULL)
        pgs__relayed_open(thread);
    return thread;
}

void
pgs_live_stop(struct pgs_live_thread *thread)
{
    thread->is_stopping = true;
    end_sessions(thread, 1001, "the server is stopping", true);
}

static void
forget_news(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    (void)receiver;
    while (!h2o_linklist_is_empty(messages)) {
        struct pgs__news *news =
            H2O_STRUCT_FROM_MEMBER(struct pgs__news, super.link, messages->next);

        h2o_linklist_unlink(&news->super.link);
        for (size_t i = 0; i < news->n_commits; i++)
            pgs_changes_release(news->commits[i]);
        free_news(news);
    }
}

static void
leave_hub(struct pgs_live_thread *thread)
{
    pgs__hub_leave(thread->config.hub, &thread->listener);
    forget_news(&thread->listener.receiver, &thread->listener.receiver._messages);
    h2o_multithread_unregister_receiver(thread->queue, &thread->listener.receiver);
    pgs__interests_clear(&thread->interests);
    pgs__recent_clear(&thread->recent);
}

static void
end_timers(struct pgs_live_thread *thread)
{
    h2o_timeout_unlink(&thread->second);
    if (h2o_timeout_is_linked(&thread->tick))
        h2o_timeout_unlink(&thread->tick);
    h2o_timeout_dispose(thread->loop, &thread->tick_timeout);
    h2o_timeout_dispose(thread->loop, &thread->second_timeout);
    h2o_timeout_dispose(thread->loop, &thread->now_timeout);
}

void
pgs_live_close(struct pgs_live_thread *thread)
{
    if (thread->relayed != NULL)
        pgs__relayed_close(thread);
    if (thread->config.hub != NULL)
        leave_hub(thread);
    if (thread->queue != NULL) {
        h2o_multithread_destroy_queue(thread->queue);
        end_timers(thread);
    }
    free(thread);
}
