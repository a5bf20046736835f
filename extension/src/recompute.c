/* SPDX-License-Identifier: MIT */
/* One subscription asked again: result, snapshot, message, in this order and in one transaction. */
#include "postgres.h"

#include "utils/memutils.h"

#include "worker.h"

static void
publish(struct pgr_subscription *subscription, struct pgr_delta *delta)
{
    struct pgr_session before;
    int64 seq = subscription->seq + 1;

    pgr_session_enter_superuser(&before);
    pgr_snapshot_change(subscription, delta);
    if (!subscription->filling)
        pgr_snapshot_set_seq(subscription, seq);
    pgr_session_leave(&before);
    if (subscription->filling)
        return;
    if (subscription->notify_only)
        pgr_send_invalidated(subscription, seq, NULL);
    else
        pgr_send_delta(subscription, seq, delta);
}

/* What is in memory follows the tables.  If memory runs out on the way, nobody knows how far it
 * has. */
static void
accept(struct pgr_subscription *subscription, const struct pgr_delta *delta, bool changed)
{
    struct pgr_slot *slot = &pgr_shared->slots[subscription->slot];

    subscription->unsure = true;
    pgr_result_accept(subscription, delta);
    subscription->unsure = false;
    if (changed && !subscription->filling)
        subscription->seq++;
    subscription->filling = false;
    slot->seq = subscription->seq;
    slot->row_count = delta->row_count;
}

void
pgr_subscription_recompute(struct pgr_subscription *subscription)
{
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "pg_reactive recompute",
                                                 ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(memory);
    struct pgr_delta delta;
    bool changed;

    pgr_result_compare(subscription, &delta);
    changed = delta.inserted_count > 0 || delta.gone_count > 0;
    if (changed)
        publish(subscription, &delta);
    else
        pgr_count(pgr_database, PGR_COUNT_unchanged);
    accept(subscription, &delta, changed);
    MemoryContextSwitchTo(before);
    MemoryContextDelete(memory);
}
