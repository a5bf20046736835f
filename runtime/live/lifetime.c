/* SPDX-License-Identifier: MIT */
/* How a subscription begins, goes from one connection to another, and ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/frame.h"
#include "live/joined.h"
#include "live/match.h"

#define LONG_AGO_MS 1000
#define CLAIM_MS 5
#define CLAIM_TRIES 100

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
    subscription->unfed_ms = 0;
    subscription->start_ms = -LONG_AGO_MS;
    h2o_linklist_insert(&session->subscriptions, &subscription->link);
    session->n_subscriptions++;
    pgs__thread_count(session->thread, subscription->live, 1);
    pgs__turn_now(subscription);
}

/* Its snapshot follows.  NULL: no memory. */
static struct pgs__subscription *
open_new(const struct pgs__wanted *wanted)
{
    const struct pgs_live *live = wanted->live;
    struct pgs__subscription *subscription = calloc(1, sizeof(*subscription));

    if (subscription == NULL)
        return NULL;
    subscription->arguments =
        copy_arguments(wanted->arguments, live->arguments->n_fields, &subscription->own_bytes);
    subscription->members = make_members(subscription, live);
    if (subscription->arguments == NULL || subscription->members == NULL) {
        free(subscription->arguments);
        free(subscription->members);
        free(subscription);
        return NULL;
    }
    subscription->live = live;
    (void)snprintf(subscription->id, sizeof(subscription->id), "%s", wanted->id);
    join(subscription, wanted->session);
    return subscription;
}

static bool
resume(const struct pgs__wanted *wanted, const struct pgs__mark *mark)
{
    struct pgs__subscription *subscription = pgs__shelf_find(wanted->session->shelf, wanted, mark);

    if (subscription == NULL)
        return false;
    subscription->counted_bytes = subscription->facts_bytes = 0;
    subscription->matcher = NULL;
    subscription->again = false;
    subscription->tries = 0;
    join(subscription, wanted->session);
    pgs__frame_resume(subscription, mark);
    pgs__subscription_count_bytes(subscription);
    return true;
}

/* The session of the mark seems to live: it is to give up what its client has come back for. */
static bool
claim(struct pgs__subscription *subscription, const struct pgs__mark *mark)
{
    struct pgs__session *session = subscription->session;

    if (session->thread->config.kept_ms == 0 || mark->gen == session->gen ||
        !pgs__shelf_claim(session->shelf, session, mark->gen))
        return false;
    subscription->claim = *mark;
    pgs__turn_later(subscription, CLAIM_MS);
    return true;
}

void
pgs__subscription_begin(const struct pgs__wanted *wanted, const struct pgs__mark *mark)
{
    struct pgs__subscription *subscription;

    if (mark->gen != 0 && resume(wanted, mark))
        return;
    subscription = open_new(wanted);
    if (subscription == NULL)
        pgs__session_fail(wanted->session, wanted->id, "unavailable", "Out of memory");
    else if (mark->gen != 0 && !claim(subscription, mark))
        pgs__frame_reset(subscription);
}

bool
pgs__subscription_has_settled(struct pgs__subscription *subscription)
{
    const struct pgs__wanted wanted = {subscription->session, subscription->id, subscription->live,
                                       subscription->arguments};

    if (subscription->claim.gen == 0)
        return true;
    if (resume(&wanted, &subscription->claim)) {
        pgs__subscription_close(subscription);
        return false;
    }
    if (++subscription->tries < CLAIM_TRIES) {
        pgs__turn_later(subscription, CLAIM_MS);
        return false;
    }
    subscription->claim.gen = 0;
    subscription->tries = 0;
    pgs__frame_reset(subscription);
    return true;
}

/* ---- ends ---- */

void
pgs__subscription_suspend(struct pgs__subscription *subscription)
{
    uint64_t last = subscription->session->thread->recent.last;

    if (subscription->applied < last)
        subscription->applied = last;
    pgs__asking_forsake(subscription);
    pgs__turn_drop(subscription);
    h2o_linklist_unlink(&subscription->link);
    subscription->session->n_subscriptions--;
    subscription->session->result_bytes -= subscription->counted_bytes;
    subscription->session->thread->result_bytes -= subscription->counted_bytes;
    pgs__thread_count(subscription->session->thread, subscription->live, -1);
    pgs__match_leave(subscription);
    free(subscription->facts);
    subscription->facts = NULL;
    pgs__joined_free(subscription->joined);
    subscription->joined = NULL;
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
