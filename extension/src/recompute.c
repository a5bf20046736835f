/* SPDX-License-Identifier: MIT */
/* One subscription asked again: result, snapshot, message, in this order and in one transaction. */
#include "postgres.h"

#include <time.h>

#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "worker.h"

static void
tell(struct pgr_subscription *subscription, struct pgr_delta *delta)
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
    slot->row_count = delta->row_count;
}

static bool
is_different(const struct pgr_delta *delta)
{
    return delta->inserted_count > 0 || delta->gone_count > 0;
}

int64
pgr_processor_us(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void
ask(struct pgr_subscription *subscription, bool anew)
{
    int64 start = pgr_processor_us();

    if (anew)
        PushActiveSnapshot(GetTransactionSnapshot());
    pgr_result_compare(list_make1(list_make1(subscription)));
    if (anew)
        PopActiveSnapshot();
    subscription->asked_us = pgr_processor_us() - start;
}

bool
pgr_subscription_publish(struct pgr_subscription *subscription, bool anew)
{
    ask(subscription, anew);
    if (!is_different(subscription->delta))
        return false;
    tell(subscription, subscription->delta);
    return true;
}

void
pgr_subscription_follow_writers(struct pgr_subscription *subscription)
{
    struct pgr_session before;

    pgr_subscription_make_rows(subscription);
    pgr_session_enter_superuser(&before);
    (void)pgr_snapshot_resume(subscription);
    pgr_session_leave(&before);
}

void
pgr_subscription_recompute(struct pgr_subscription *subscription)
{
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "pg_reactive recompute",
                                                 ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(memory);
    bool changed;

    if (!pgr_async_recompute)
        pgr_subscription_follow_writers(subscription);
    if (subscription->delta == NULL)
        ask(subscription, !pgr_async_recompute);
    changed = is_different(subscription->delta);
    if (changed)
        tell(subscription, subscription->delta);
    else
        pgr_count(pgr_database, PGR_COUNT_unchanged);
    accept(subscription, subscription->delta, changed);
    MemoryContextSwitchTo(before);
    MemoryContextDelete(memory);
}
