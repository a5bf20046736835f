/* SPDX-License-Identifier: MIT */
/*
 * What a tick asks again: subscriptions of one shape in one statement where several are due, the
 * same query once for all who have it, others by themselves.  Each is told by itself, so what fails
 * for one fails for no other.
 */
#include "postgres.h"

#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "worker.h"

/* A subscription takes at most this part of the worker's time. */
#define REST_FACTOR 10
#define REST_MOST_MS 60000

/* What depends on a table that somebody has locked is looked at again after this. */
#define LOCKED_MS 100

/* So many different queries of a shape are worth planning a statement for, and so many are told
 * between two looks at the clock. */
#define TOGETHER_LEAST 8
#define TOGETHER_MOST 256

/* A statement for several may take this, and twice as long as all of them alone; else they are
 * asked apart for a while. */
#define TOGETHER_US 10000
#define APART_MS 60000

/* Where writers compute, seq is theirs too: the lock comes first. */
static void
tell_failure(struct pgr_subscription *subscription)
{
    struct pgr_session before;
    int64 seq;

    if (!pgr_async_recompute)
        pgr_subscription_follow_writers(subscription);
    seq = subscription->seq + 1;
    pgr_session_enter_superuser(&before);
    pgr_snapshot_set_seq(subscription, seq);
    pgr_session_leave(&before);
    pgr_send_invalidated(subscription, seq, pgr_shared->slots[subscription->slot].failing);
}

/* False: it must be asked again, for its readers do not know yet. */
static bool
report_failure(struct pgr_subscription *subscription, const ErrorData *error)
{
    ErrorData *second;

    pgr_count(pgr_database, PGR_COUNT_failures);
    pgr_slot_fail(subscription->slot, error->sqlerrcode);
    if (subscription->failing)
        return true; /* its readers know */
    ereport(LOG, errmsg("subscription \"%s\" cannot be computed: %s", subscription->query_id,
                        error->message));
    if (!pgr_async_recompute && error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
        return false; /* a writer has it */
    if (!pgr_guard(tell_failure, subscription, &second))
        return false;
    subscription->seq++;
    subscription->failing = true;
    return true;
}

/* What costs much is asked less often.  `start`: of what it has cost. */
static void
let_rest(struct pgr_subscription *subscription, TimestampTz start)
{
    struct pgr_slot *slot = &pgr_shared->slots[subscription->slot];
    TimestampTz now = GetCurrentTimestamp();

    slot->recompute_ms = (double)(now - start) / 1000.0;
    slot->recompute_count++;
    subscription->not_before =
        now + Min((now - start) * REST_FACTOR, (TimestampTz)REST_MOST_MS * 1000);
}

static void
begin(struct pgr_subscription *subscription)
{
    subscription->dirty = false;
    pgr_count(pgr_database, PGR_COUNT_recomputes);
}

/* `error` is NULL when it went well. */
static void
finish(struct pgr_subscription *subscription, const ErrorData *error, TimestampTz start)
{
    subscription->delta = NULL;
    if (error == NULL) {
        subscription->failing = false;
        pgr_shared->slots[subscription->slot].failing[0] = '\0';
    } else {
        if (subscription->unsure)
            ereport(FATAL, errmsg("subscription \"%s\" has lost its place: %s",
                                  subscription->query_id, error->message));
        /* Time may mend it; a write to its tables makes it dirty anyway. */
        subscription->dirty = !report_failure(subscription, error) || pgr_is_passing(error);
    }
    subscription->filling = false; /* if that failed: whoever asks has an empty snapshot by now */
    let_rest(subscription, start);
}

static void
recompute(struct pgr_subscription *subscription, TimestampTz start)
{
    ErrorData *error = NULL;

    (void)pgr_guard(pgr_subscription_recompute, subscription, &error);
    finish(subscription, error, start);
}

void
pgr_subscription_fill(struct pgr_subscription *subscription)
{
    PopActiveSnapshot();
    PushActiveSnapshot(GetTransactionSnapshot());
    begin(subscription);
    recompute(subscription, GetCurrentTimestamp());
}

/* ---- together ---- */

/* Lists of those with the same constants. */
static List *
by_constants(List *members)
{
    List *places = NIL;
    ListCell *cell, *other;

    foreach (cell, members) {
        struct pgr_subscription *subscription = lfirst(cell);

        foreach (other, places) {
            struct pgr_subscription *first = linitial(lfirst(other));

            if (first->constants_hash == subscription->constants_hash &&
                equal(first->constants, subscription->constants))
                break;
        }
        if (other != NULL)
            lfirst(other) = lappend(lfirst(other), subscription);
        else
            places = lappend(places, list_make1(subscription));
    }
    return places;
}

static struct pgr_subscription *
first_of(List *places)
{
    return linitial(linitial(places));
}

static void
ask(struct pgr_subscription *first)
{
    pgr_result_compare(first->shape->asked);
}

/* Whether it has cost more than it is worth, as far as it is known what each costs alone. */
static bool
is_dear(List *places, int64 us)
{
    int64 alone = 0;
    ListCell *cell;

    foreach (cell, places) {
        const struct pgr_subscription *subscription = linitial(lfirst(cell));

        if (subscription->asked_us < 0)
            return false;
        alone += subscription->asked_us;
    }
    return us > 2 * alone + TOGETHER_US;
}

/* All have their deltas; or it went wrong, and why is in `error`.  What it has cost is in `share`.
 */
static bool
ask_together(List *places, ErrorData **error, TimestampTz *share)
{
    struct pgr_shape *shape = first_of(places)->shape;
    TimestampTz start = GetCurrentTimestamp();
    int64 start_us = pgr_processor_us();
    bool good;

    shape->asked = places;
    good = pgr_guard(ask, first_of(places), error);
    shape->asked = NIL;
    if (list_length(places) > 1 && (!good || is_dear(places, pgr_processor_us() - start_us)))
        shape->apart_until = TimestampTzPlusMilliseconds(start, APART_MS);
    *share = (GetCurrentTimestamp() - start) / list_length(places);
    return good;
}

/* `start` is when it would have begun, had it been asked by itself. */
static void
tell_place(List *members, const ErrorData *error, TimestampTz share)
{
    ListCell *cell;

    share /= list_length(members);
    foreach (cell, members) {
        TimestampTz start = GetCurrentTimestamp() - share;

        pgr_count(pgr_database, PGR_COUNT_together);
        if (error == NULL)
            recompute(lfirst(cell), start);
        else
            finish(lfirst(cell), error, start);
    }
}

/* The same query: an error is the error of all. */
static void
recompute_place(List *members)
{
    ErrorData *error = NULL;
    TimestampTz share;

    if (list_length(members) == 1) {
        recompute(linitial(members), GetCurrentTimestamp());
        return;
    }
    (void)ask_together(list_make1(members), &error, &share);
    tell_place(members, error, share);
}

static void
forget_deltas(List *places)
{
    ListCell *cell, *member;

    foreach (cell, places)
        foreach (member, lfirst(cell))
            ((struct pgr_subscription *)lfirst(member))->delta = NULL;
}

/* An error may be that of one of them: then each is asked by itself. */
static void
recompute_places(List *places)
{
    bool apart = list_length(places) < TOGETHER_LEAST ||
                 first_of(places)->shape->apart_until > GetCurrentTimestamp();
    TimestampTz share;
    ErrorData *error;
    ListCell *cell;

    if (!apart && ask_together(places, &error, &share)) {
        foreach (cell, places)
            tell_place(lfirst(cell), NULL, share);
        return;
    }
    forget_deltas(places);
    foreach (cell, places)
        recompute_place(lfirst(cell));
}

/* ---- the tick ---- */

static bool
is_due(const struct pgr_subscription *subscription, TimestampTz now)
{
    return subscription->loaded && subscription->dirty && !subscription->stale &&
           subscription->not_before <= now;
}

/* Nothing is waited for: others may depend on the same table, and still others on none of it. */
static bool
lock_tables(struct pgr_subscription *subscription)
{
    ListCell *cell;

    foreach (cell, subscription->tables) {
        Oid table = ((struct pgr_table *)lfirst(cell))->oid;

        if (!ConditionalLockRelationOid(table, AccessShareLock)) {
            subscription->not_before =
                TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOCKED_MS);
            pgr_slot_fail(subscription->slot, ERRCODE_LOCK_NOT_AVAILABLE);
            return false;
        }
    }
    return true;
}

static List *
begin_if_due(List *due, struct pgr_subscription *subscription, TimestampTz now)
{
    if (!is_due(subscription, now) || !lock_tables(subscription))
        return due;
    begin(subscription);
    return lappend(due, subscription);
}

/* Those of one shape that can be asked now.  Where writers compute, the worker has one lock at a
 * time. */
static List *
find_due(struct pgr_subscription *subscription, TimestampTz now)
{
    List *due = NIL;
    ListCell *cell;

    if (!pgr_async_recompute)
        return begin_if_due(NIL, subscription, now);
    foreach (cell, subscription->shape->members)
        if (list_length(due) < TOGETHER_MOST)
            due = begin_if_due(due, lfirst(cell), now);
    return due;
}

static void
recompute_shape(struct pgr_subscription *subscription, TimestampTz now)
{
    MemoryContext memory =
        AllocSetContextCreate(CurrentMemoryContext, "pg_reactive together", ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(memory);
    List *due = find_due(subscription, now);

    if (list_length(due) == 1)
        recompute(linitial(due), GetCurrentTimestamp());
    else if (due != NIL)
        recompute_places(by_constants(due));
    MemoryContextSwitchTo(before);
    MemoryContextDelete(memory);
}

/* The snapshot comes after the marks were taken, and after triggers were put on new tables. */
void
pgr_dirty_recompute(void)
{
    TimestampTz now = GetCurrentTimestamp();
    TimestampTz batch = now;
    ListCell *cell;

    PopActiveSnapshot();
    PushActiveSnapshot(GetTransactionSnapshot());
    foreach (cell, pgr_subscriptions) {
        if (!is_due(lfirst(cell), now))
            continue;
        if (!pgr_async_recompute ||
            TimestampDifferenceExceeds(batch, GetCurrentTimestamp(), PGR_BATCH_MS)) {
            pgr_next_transaction();
            batch = GetCurrentTimestamp();
        }
        recompute_shape(lfirst(cell), now);
    }
}
