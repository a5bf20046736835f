/* SPDX-License-Identifier: MIT */
/* How a subscription begins, goes from one connection to another, and ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/frame.h"
#include "live/match.h"

#define LONG_AGO_MS 1000

/* The array, then the texts; `*bytes` grows by what they take. */
static struct pgs_text *
copy_arguments(const struct pgs_text *arguments, size_t n, size_t *bytes)
{
    size_t size = (n + 1) * sizeof(*arguments);
    struct pgs_text *copy;
    char *at;

    for (size_t i = 0; i < n; i++)
        size += arguments[i].len;
    *bytes += size;
    copy = calloc(1, size);
    if (copy == NULL)
        return NULL;
    at = (char *)(copy + n + 1);
    for (size_t i = 0; i < n; i++) {
        if (arguments[i].at == NULL)
            continue;
        memcpy(at, arguments[i].at, arguments[i].len);
        copy[i] = (struct pgs_text){at, arguments[i].len};
        at += arguments[i].len;
    }
    return copy;
}

/* As many as it may ever have. */
static struct pgs__member *
make_members(struct pgs__subscription *subscription, const struct pgs_live *live)
{
    size_t n = live->n_watched;
    struct pgs__member *members;

    for (size_t i = 0; i < live->n_matchers; i++)
        n = live->matchers[i].n_sources > n ? live->matchers[i].n_sources : n;
    subscription->own_bytes += (n + 1) * sizeof(*members);
    members = calloc(n + 1, sizeof(*members));
    for (size_t i = 0; members != NULL && i < n; i++)
        members[i].subscription = subscription;
    return members;
}

/* Asked for at once. */
static void
join(struct pgs__subscription *subscription, struct pgs__session *session)
{
    subscription->session = session;
    subscription->start_ms = -LONG_AGO_MS;
    h2o_linklist_insert(&session->subscriptions, &subscription->link);
    session->n_subscriptions++;
    pgs__thread_count(session->thread, subscription->live, 1);
    h2o_linklist_insert(&session->thread->due, &subscription->turn);
}

struct pgs__subscription *
pgs__subscription_open(struct pgs__session *session, const struct pgs_live *live, const char *id,
                       const struct pgs_text *arguments)
{
    struct pgs__subscription *subscription = calloc(1, sizeof(*subscription));

    if (subscription == NULL)
        return NULL;
    subscription->arguments =
        copy_arguments(arguments, live->arguments->n_fields, &subscription->own_bytes);
    subscription->members = make_members(subscription, live);
    if (subscription->arguments == NULL || subscription->members == NULL) {
        free(subscription->arguments);
        free(subscription->members);
        free(subscription);
        return NULL;
    }
    subscription->live = live;
    (void)snprintf(subscription->id, sizeof(subscription->id), "%s", id);
    join(subscription, session);
    return subscription;
}

void
pgs__subscription_resume(struct pgs__subscription *subscription, struct pgs__session *session,
                         const struct pgs__mark *mark)
{
    subscription->counted_bytes = subscription->facts_bytes = 0;
    subscription->matcher = NULL;
    subscription->again = false;
    subscription->tries = 0;
    join(subscription, session);
    pgs__frame_resume(subscription, mark);
    pgs__subscription_count_bytes(subscription);
}

void
pgs__subscription_suspend(struct pgs__subscription *subscription)
{
    uint64_t last = subscription->session->thread->recent.last;

    if (subscription->applied < last)
        subscription->applied = last;
    if (subscription->txn != NULL) {
        pgs_txn_detach(subscription->txn);
        subscription->session->thread->n_in_flight--;
    }
    if (h2o_linklist_is_linked(&subscription->turn))
        h2o_linklist_unlink(&subscription->turn);
    h2o_linklist_unlink(&subscription->link);
    subscription->session->n_subscriptions--;
    subscription->session->result_bytes -= subscription->counted_bytes;
    subscription->session->thread->result_bytes -= subscription->counted_bytes;
    pgs__thread_count(subscription->session->thread, subscription->live, -1);
    pgs__match_leave(subscription);
    free(subscription->facts);
    subscription->facts = NULL;
    subscription->txn = NULL;
    subscription->session = NULL;
}

void
pgs__subscription_free(struct pgs__subscription *subscription)
{
    pgs__held_clear(&subscription->held);
    pgs__seen_clear(&subscription->seen);
    free(subscription->members);
    free(subscription->arguments);
    free(subscription);
}

void
pgs__subscription_close(struct pgs__subscription *subscription)
{
    struct pgs__shelf *shelf = subscription->session->shelf;

    pgs__subscription_suspend(subscription);
    pgs__sent_clear(&subscription->sent, shelf);
    pgs__subscription_free(subscription);
}
