/* SPDX-License-Identifier: MIT */
#include "live/turns.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limit.h"
#include "live/thread.h"

/* ---- lines ---- */

static void
unlink_if(h2o_linklist_t *link)
{
    if (h2o_linklist_is_linked(link))
        h2o_linklist_unlink(link);
}

static struct pgs__subscription *
first_due(const struct pgs__place *place)
{
    return H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, turn, place->due.next);
}

static bool
may_ask(const struct pgs__session *session)
{
    return session->places.n_asked < PGS_LIVE_MAX_SESSION_ASKED;
}

/* At the end, if it is not there and has a reason to be. */
static void
stand_in_line(struct pgs__session *session, enum pgs__line line)
{
    struct pgs__place *place = &session->places.in[line];

    if (!h2o_linklist_is_linked(&place->link) && !h2o_linklist_is_empty(&place->due) &&
        may_ask(session))
        h2o_linklist_insert(&session->thread->turns.lines[line].places, &place->link);
}

bool
pgs__turns_have_room(const struct pgs_live_thread *thread, enum pgs__line line)
{
    return thread->turns.lines[line].n_asked < thread->turns.lines[line].max;
}

static struct pgs__subscription *
next_in(struct pgs_live_thread *thread, enum pgs__line line)
{
    h2o_linklist_t *places = &thread->turns.lines[line].places;

    while (!h2o_linklist_is_empty(places) && pgs__turns_have_room(thread, line)) {
        struct pgs__place *place = H2O_STRUCT_FROM_MEMBER(struct pgs__place, link, places->next);
        struct pgs__subscription *subscription;

        h2o_linklist_unlink(&place->link);
        if (h2o_linklist_is_empty(&place->due) || !may_ask(first_due(place)->session))
            continue;
        subscription = first_due(place);
        h2o_linklist_unlink(&subscription->turn);
        stand_in_line(subscription->session, line);
        return subscription;
    }
    return NULL;
}

struct pgs__subscription *
pgs__turns_next(struct pgs_live_thread *thread)
{
    struct pgs__subscription *quick = next_in(thread, PGS__LINE_QUICK);

    return quick != NULL ? quick : next_in(thread, PGS__LINE_SLOW);
}

/* ---- turns ---- */

void
pgs__turn_now(struct pgs__subscription *subscription)
{
    struct pgs__session *session = subscription->session;

    if (!pgs__turns_have_room(session->thread, subscription->line) || !may_ask(session))
        pgs_limit_hit(PGS_LIMIT_LIVE_ASKED);
    unlink_if(&subscription->turn);
    h2o_linklist_insert(&session->places.in[subscription->line].due, &subscription->turn);
    stand_in_line(session, subscription->line);
}

static void
start_ticking(struct pgs_live_thread *thread)
{
    if (!h2o_linklist_is_empty(&thread->turns.waiting) && !h2o_timeout_is_linked(&thread->tick))
        h2o_timeout_link(thread->loop, &thread->tick_timeout, &thread->tick);
}

void
pgs__turn_later(struct pgs__subscription *subscription, int64_t ms)
{
    struct pgs_live_thread *thread = subscription->session->thread;

    unlink_if(&subscription->turn);
    subscription->not_before_ms = pgs_clock_ms() + ms;
    h2o_linklist_insert(&thread->turns.waiting, &subscription->turn);
    start_ticking(thread);
}

void
pgs__turn_drop(struct pgs__subscription *subscription)
{
    unlink_if(&subscription->turn);
}

void
pgs__turns_tick(struct pgs_live_thread *thread)
{
    h2o_linklist_t *waiting = &thread->turns.waiting, *link = waiting->next;
    int64_t now_ms = pgs_clock_ms();

    while (link != waiting) {
        struct pgs__subscription *subscription =
            H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, turn, link);

        link = link->next;
        if (subscription->not_before_ms <= now_ms)
            pgs__turn_now(subscription);
    }
    start_ticking(thread);
}

/* ---- what is asked for ---- */

struct pgs__asking *
pgs__asking_begin(struct pgs__subscription *subscription, struct pgs_txn *txn)
{
    struct pgs__session *session = subscription->session;
    struct pgs__asking *asking = calloc(1, sizeof(*asking));

    if (asking == NULL)
        return NULL;
    asking->thread = session->thread;
    asking->session = session;
    asking->subscription = subscription;
    asking->txn = txn;
    asking->line = subscription->line;
    h2o_linklist_insert(&session->places.askings, &asking->link);
    session->places.n_asked++;
    session->thread->turns.lines[asking->line].n_asked++;
    subscription->asking = asking;
    return asking;
}

static void
leave(struct pgs__asking *asking)
{
    h2o_linklist_unlink(&asking->link);
    asking->session->places.n_asked--;
    asking->session = NULL;
}

struct pgs__subscription *
pgs__asking_end(struct pgs__asking *asking)
{
    struct pgs__subscription *subscription = asking->subscription;
    struct pgs__session *session = asking->session;

    asking->thread->turns.lines[asking->line].n_asked--;
    if (subscription != NULL)
        subscription->asking = NULL;
    if (session != NULL) {
        leave(asking);
        for (enum pgs__line line = 0; line < PGS__LINES; line++)
            stand_in_line(session, line);
    }
    free(asking);
    return subscription;
}

void
pgs__asking_forsake(struct pgs__subscription *subscription)
{
    struct pgs__asking *asking = subscription->asking;

    if (asking == NULL)
        return;
    subscription->asking = NULL;
    asking->subscription = NULL;
    pgs_txn_cancel(asking->txn);
}

/* ---- beginning and end ---- */

void
pgs__turns_init(struct pgs__turns *turns)
{
    for (size_t i = 0; i < PGS__LINES; i++)
        h2o_linklist_init_anchor(&turns->lines[i].places);
    turns->lines[PGS__LINE_QUICK].max = PGS_LIVE_MAX_ASKED;
    turns->lines[PGS__LINE_SLOW].max = PGS_LIVE_SLOW_CONNECTIONS;
    h2o_linklist_init_anchor(&turns->waiting);
}

void
pgs__places_init(struct pgs__places *places)
{
    for (size_t i = 0; i < PGS__LINES; i++)
        h2o_linklist_init_anchor(&places->in[i].due);
    h2o_linklist_init_anchor(&places->askings);
}

void
pgs__places_leave(struct pgs__places *places)
{
    for (size_t i = 0; i < PGS__LINES; i++)
        unlink_if(&places->in[i].link);
    while (!h2o_linklist_is_empty(&places->askings))
        leave(H2O_STRUCT_FROM_MEMBER(struct pgs__asking, link, places->askings.next));
}
