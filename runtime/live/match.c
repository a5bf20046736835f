/* SPDX-License-Identifier: MIT */
#include "live/match.h"

#include <stdlib.h>

#include "base/metric.h"
#include "live/facts.h"
#include "live/frame.h"
#include "live/joined.h"

#define MAX_OWN_TEXT_BYTES 16777216 /* of one commit on a thread */

struct pgs__rows
pgs__match_rows(const struct pgs__subscription *subscription)
{
    struct pgs__rows rows = {subscription->live, NULL};

    if (subscription->facts != NULL)
        rows.match = subscription->matcher->rows;
    if (!pgs__rows_are_usable(&rows))
        rows.match = NULL;
    return rows;
}

/* ---- who is concerned ---- */

const struct pgs_matcher *
pgs__match_choose(const struct pgs__subscription *subscription)
{
    const struct pgs_live *live = subscription->live;
    int role = subscription->session->who.role;

    if (subscription->is_unmatched)
        return NULL;
    for (size_t i = 0; i < live->n_matchers; i++)
        if ((live->matchers[i].roles >> role & 1) != 0)
            return live->matchers[i].n_sets <= PGS_FACTS_MAX_SETS ? &live->matchers[i] : NULL;
    return NULL;
}

static bool
is_matched(const struct pgs__subscription *subscription, size_t source)
{
    return source == 0 && pgs__match_rows(subscription).match != NULL;
}

static void
join_sources(struct pgs__subscription *subscription)
{
    const struct pgs_matcher *matcher = subscription->matcher;

    for (size_t i = 0; i < matcher->n_sources; i++)
        pgs__interest_join(&subscription->session->thread->interests, &subscription->members[i],
                           subscription->live, &matcher->sources[i], is_matched(subscription, i),
                           matcher->sources[i].watched, subscription->facts->values);
    subscription->n_members = matcher->n_sources;
}

void
pgs__match_join(struct pgs__subscription *subscription)
{
    const struct pgs_live *live = subscription->live;

    pgs__match_leave(subscription);
    if (subscription->facts != NULL) {
        join_sources(subscription);
        return;
    }
    for (size_t i = 0; i < live->n_watched; i++)
        pgs__interest_join(&subscription->session->thread->interests, &subscription->members[i],
                           live, NULL, false, live->watched[i], NULL);
    subscription->n_members = live->n_watched;
}

void
pgs__match_leave(struct pgs__subscription *subscription)
{
    while (subscription->n_members > 0)
        pgs__interest_leave(&subscription->members[--subscription->n_members]);
}

/* ---- a commit ---- */

struct visit {
    struct pgs_live_thread *thread;
    const struct pgs__interest *interest;
    const struct pgs__commit *commit;
    struct pgs__image image;
};

static bool
is_settled(struct pgs__subscription *subscription)
{
    return subscription->has_result && subscription->asking == NULL &&
           !h2o_linklist_is_linked(&subscription->turn);
}

static struct pgs__work
work_of(const struct pgs__subscription *subscription, struct pgs__held *held, h2o_mem_pool_t *pool,
        uint64_t commit)
{
    return (struct pgs__work){.rows = pgs__match_rows(subscription),
                              .facts = subscription->facts,
                              .joined = subscription->joined,
                              .held = held,
                              .pool = pool,
                              .commit = commit};
}

static void
begin_work(struct pgs__subscription *subscription)
{
    struct pgs_live_thread *thread = subscription->session->thread;

    if (subscription->work.commit == thread->recent.last)
        return;
    subscription->work =
        work_of(subscription, &subscription->held, &thread->scratch, thread->recent.last);
    subscription->next_worked = thread->worked;
    thread->worked = subscription;
}

static void
ask_again(struct pgs__subscription *subscription)
{
    if (subscription->work.commit != 0)
        pgs__work_undo(&subscription->work);
    subscription->work.commit = 0;
    pgs__subscription_mark(subscription);
}

/* Whether it holds the commit is not known, and what is counted must not be counted twice. */
static bool
is_uncertain(const struct pgs__subscription *subscription)
{
    return subscription->seen.is_lost && subscription->matcher->rows->totals != NULL;
}

/* Rows that are joined are a text for each subscriber, and all of a commit are told at its end. */
static bool
has_room(struct pgs__subscription *subscription, size_t bytes)
{
    struct pgs_live_thread *thread = subscription->session->thread;

    if (subscription->work.rows.match->n_joins > 0)
        thread->own_text_bytes += bytes;
    return subscription->work.rows.match->n_joins == 0 ||
           thread->own_text_bytes <= MAX_OWN_TEXT_BYTES;
}

/* Of a commit that the result holds already. */
static void
learn_late(struct pgs__subscription *subscription, struct visit *visit)
{
    struct pgs__work work = work_of(subscription, &subscription->held, &visit->thread->scratch, 0);

    if (subscription->joined == NULL)
        return;
    if (visit->interest->is_matched && visit->image.change->kind != PGS_CHANGE_UNREAD)
        pgs__work_learn(&work, &visit->image, subscription->joined);
    else
        pgs__joined_forget(subscription->joined);
}

static bool
is_held_already(struct pgs__subscription *subscription, struct visit *visit)
{
    if (pgs__seen_holds(&subscription->seen, visit->commit)) {
        learn_late(subscription, visit);
        return true;
    }
    if (pgs__seen_is_over(&subscription->seen))
        pgs__joined_settle(subscription->joined);
    return false;
}

static void
visit_member(struct pgs__member *member, bool is_sure, void *arg)
{
    struct pgs__subscription *subscription = member->subscription;
    struct visit *visit = arg;
    size_t before;

    (void)is_sure; /* a result is matched by its keys, too: it is right whether it is sure or not */
    if (!is_settled(subscription) || is_held_already(subscription, visit))
        return;
    if (!visit->interest->is_matched || visit->image.change->kind == PGS_CHANGE_UNREAD ||
        is_uncertain(subscription) || pgs__session_is_full(subscription->session)) {
        ask_again(subscription);
        return;
    }
    begin_work(subscription);
    before = subscription->work.text_bytes;
    if (!pgs__work_apply(&subscription->work, &visit->image) ||
        !has_room(subscription, subscription->work.text_bytes - before))
        ask_again(subscription);
}

static void
tell_work(struct pgs__subscription *subscription)
{
    struct pgs_live_thread *thread = subscription->session->thread;
    struct pgs__delta delta;

    if (subscription->work.commit == 0)
        return;                                        /* it is asked for again */
    if (pgs__session_is_full(subscription->session) || /* with what others of it were told */
        !pgs__work_settle(&subscription->work)) {
        ask_again(subscription);
        return;
    }
    pgs_count(PGS_CELL_LIVE_RESULTS + PGS_LIVE_MATCHED, 1);
    subscription->told = thread->recent.last;
    pgs__delta_of_work(&delta, &subscription->work);
    pgs__frame_delta(subscription, &delta);
    pgs__work_done(&subscription->work, false);
    subscription->work.commit = 0;
    pgs__subscription_count_bytes(subscription);
}

void
pgs__match_commit(struct pgs_live_thread *thread)
{
    const struct pgs__commit *commit = pgs__recent_at(&thread->recent, thread->recent.last);

    h2o_mem_init_pool(&thread->scratch);
    thread->worked = NULL;
    thread->own_text_bytes = 0;
    for (const struct pgs_change *change = commit->changes->first; change != NULL;
         change = change->next)
        for (struct pgs__interest *interest = thread->interests.tables[change->watched];
             interest != NULL; interest = interest->next) {
            struct visit visit = {thread, interest, commit, {.change = change}};

            pgs__interest_visit(interest, change, visit_member, &visit);
        }
    while (thread->worked != NULL) {
        struct pgs__subscription *subscription = thread->worked;

        thread->worked = subscription->next_worked;
        tell_work(subscription);
    }
    h2o_mem_clear_pool(&thread->scratch);
}

/* ---- after asking ---- */

enum concern {
    NONE,
    ROWS,
    ANYTHING, /* it must be asked for again */
};

static bool
is_watched(const struct pgs__subscription *subscription, uint16_t table)
{
    for (size_t i = 0; i < subscription->live->n_watched; i++)
        if (subscription->live->watched[i] == table)
            return true;
    return false;
}

static enum concern
concern_of(const struct pgs__subscription *subscription, const struct pgs_change *change)
{
    const struct pgs_matcher *matcher = subscription->matcher;
    enum concern concern = NONE;

    if (subscription->facts == NULL)
        return is_watched(subscription, change->watched) ? ANYTHING : NONE;
    for (size_t i = 0; i < matcher->n_sources; i++) {
        if (matcher->sources[i].watched != change->watched ||
            !pgs__interest_concerns(&matcher->sources[i], subscription->facts->values, change))
            continue;
        if (!is_matched(subscription, i) || change->kind == PGS_CHANGE_UNREAD)
            return ANYTHING;
        concern = ROWS;
    }
    return concern;
}

/* Of all its changes the worst. */
static enum concern
concern_of_commit(const struct pgs__subscription *subscription, const struct pgs__commit *commit)
{
    enum concern concern = NONE;

    if (commit->changes == NULL)
        return ANYTHING;
    for (const struct pgs_change *change = commit->changes->first;
         change != NULL && concern != ANYTHING; change = change->next) {
        enum concern one = concern_of(subscription, change);

        concern = one > concern ? one : concern;
    }
    return concern;
}

/* Nothing has been spoilt where a row leads to what is not known: that is asked for. */
static bool
knows_all(const struct pgs__work *work, const struct pgs__subscription *subscription,
          const struct pgs__commit *commit)
{
    for (const struct pgs_change *change = commit->changes->first; change != NULL;
         change = change->next)
        if (concern_of(subscription, change) == ROWS && !pgs__work_knows(work, change))
            return false;
    return true;
}

static void
learn(const struct pgs__work *work, const struct pgs__subscription *subscription,
      const struct pgs__commit *commit)
{
    for (const struct pgs_change *change = commit->changes->first; change != NULL;
         change = change->next) {
        struct pgs__image image = {.change = change};
        enum concern concern = concern_of(subscription, change);

        if (concern == ROWS)
            pgs__work_learn(work, &image, subscription->joined);
        else if (concern == ANYTHING)
            pgs__joined_forget(subscription->joined);
    }
}

void
pgs__match_learn(const struct pgs__subscription *subscription, struct pgs__held *held,
                 const struct pgs__snapshot *snapshot, h2o_mem_pool_t *pool)
{
    const struct pgs__recent *recent = &subscription->session->thread->recent;
    struct pgs__work work = work_of(subscription, held, pool, 0);
    uint64_t number = subscription->applied;

    /* Before a first result there is nothing to explain, and many rows were written. */
    if (subscription->joined == NULL || !subscription->has_result || number >= recent->last)
        return;
    /* What has been let go, or lost with a connection, may have been of any table. */
    if (number < recent->apart || recent->last - number > PGS_RECENT_SIZE)
        pgs__joined_forget(subscription->joined);
    if (number < recent->apart)
        number = recent->apart;
    for (number = pgs__recent_after(recent, number); number <= recent->last; number++) {
        const struct pgs__commit *commit = pgs__recent_at(recent, number);

        if (!pgs__snapshot_sees(snapshot, commit->xid))
            continue;
        if (commit->changes != NULL)
            learn(&work, subscription, commit);
        else
            pgs__joined_forget(subscription->joined);
    }
}

static bool
apply(struct pgs__work *work, const struct pgs__subscription *subscription,
      const struct pgs__commit *commit)
{
    bool good = true;

    for (const struct pgs_change *change = commit->changes->first; good && change != NULL;
         change = change->next) {
        struct pgs__image image = {.change = change};

        good = concern_of(subscription, change) != ROWS || pgs__work_apply(work, &image);
    }
    good = good && pgs__work_settle(work);
    pgs__work_done(work, true);
    return good;
}

enum pgs__replay
pgs__match_replay(struct pgs__subscription *subscription, struct pgs__held *held,
                  const struct pgs__snapshot *snapshot, h2o_mem_pool_t *pool, uint64_t *stopped)
{
    const struct pgs__recent *recent = &subscription->session->thread->recent;
    uint64_t number = pgs__recent_after(recent, subscription->from);

    for (; number <= recent->last; number++) {
        const struct pgs__commit *commit = pgs__recent_at(recent, number);
        enum concern concern = pgs__snapshot_sees(snapshot, commit->xid)
                                   ? NONE
                                   : concern_of_commit(subscription, commit);

        if (concern == ANYTHING) {
            *stopped = number;
            return PGS__STOPPED;
        }
        if (concern == ROWS) {
            struct pgs__work work = work_of(subscription, held, pool, number);

            if (pgs__snapshot_is_before(snapshot, commit))
                pgs__joined_settle(subscription->joined);
            if (!knows_all(&work, subscription, commit)) {
                *stopped = number;
                return PGS__STOPPED;
            }
            if (!apply(&work, subscription, commit))
                return PGS__IMPOSSIBLE;
        }
    }
    return PGS__REPLAYED;
}
