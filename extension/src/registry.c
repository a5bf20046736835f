/* SPDX-License-Identifier: MIT */
/*
 * The worker's list of subscriptions, which follows pgr.persisted_subscriptions.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "worker.h"

#define RETRY_MS 1000

List *pgr_subscriptions = NIL;

static struct pgr_subscription *
find_subscription(const char *query_id)
{
    ListCell *cell;

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);

        if (!subscription->ended && strcmp(subscription->query_id, query_id) == 0)
            return subscription;
    }
    return NULL;
}

static void
free_subscription(struct pgr_subscription *subscription)
{
    if (subscription->plan != NULL)
        SPI_freeplan(subscription->plan);
    if (subscription->rows != NULL)
        hash_destroy(subscription->rows);
    if (subscription->slot >= 0)
        pgr_slot_free(subscription->slot);
    MemoryContextDelete(subscription->memory);
}

static void
sweep(void)
{
    ListCell *cell;

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);

        if (!subscription->ended)
            continue;
        pgr_subscriptions = foreach_delete_current(pgr_subscriptions, cell);
        free_subscription(subscription);
    }
}

static void
drop_and_tell(struct pgr_subscription *subscription)
{
    struct pgr_session before;

    pgr_session_enter_superuser(&before);
    pgr_snapshot_drop(subscription->query_id);
    pgr_session_leave(&before);
    pgr_send_invalidated(subscription, subscription->seq + 1, "unsubscribed");
}

/* It is no longer in the registry, or has become another one there. */
static void
forget(struct pgr_subscription *subscription)
{
    ErrorData *error;

    if (!pgr_guard(drop_and_tell, subscription, &error)) {
        ereport(LOG, errmsg("subscription \"%s\" is not removed yet: %s", subscription->query_id,
                            error->message));
        pg_atomic_exchange_u32(&pgr_database->registry, 1);
        return;
    }
    subscription->loaded = false;
    subscription->ended = true;
}

void
pgr_subscription_end(struct pgr_subscription *subscription, const char *reason)
{
    Oid types[] = {TEXTOID, INT8OID};
    Datum values[] = {CStringGetTextDatum(subscription->query_id),
                      Int64GetDatum(subscription->generation)};
    struct pgr_session before;

    pgr_session_enter_superuser(&before);
    pgr_sql("DELETE FROM pgr.persisted_subscriptions WHERE query_id = $1 AND generation = $2", 2,
            types, values, NULL);
    pgr_snapshot_drop(subscription->query_id);
    pgr_session_leave(&before);
    pgr_send_invalidated(subscription, subscription->seq + 1, reason);
    pgr_count(pgr_database, PGR_COUNT_ended);
    subscription->loaded = false;
    subscription->ended = true;
}

static char *
column(HeapTuple tuple, TupleDesc columns, int number, MemoryContext memory)
{
    return MemoryContextStrdup(memory, SPI_getvalue(tuple, columns, number));
}

struct pgr_subscription *
pgr_subscription_read(HeapTuple tuple, TupleDesc columns, MemoryContext memory)
{
    struct pgr_subscription *subscription = MemoryContextAllocZero(memory, sizeof(*subscription));

    subscription->memory = memory;
    strlcpy(subscription->query_id, SPI_getvalue(tuple, columns, 1), NAMEDATALEN);
    subscription->query = column(tuple, columns, 2, memory);
    subscription->notify_only = strcmp(SPI_getvalue(tuple, columns, 3), "notify") == 0;
    subscription->owner = atooid(SPI_getvalue(tuple, columns, 4));
    subscription->search_path = column(tuple, columns, 5, memory);
    subscription->generation = strtoi64(SPI_getvalue(tuple, columns, 6), NULL, 10);
    subscription->active = *SPI_getvalue(tuple, columns, 7) == 't';
    subscription->slot = -1;
    return subscription;
}

static void
add(HeapTuple tuple, TupleDesc columns)
{
    MemoryContext memory =
        AllocSetContextCreate(TopMemoryContext, "pg_reactive subscription", ALLOCSET_SMALL_SIZES);
    struct pgr_subscription *subscription = pgr_subscription_read(tuple, columns, memory);
    MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

    subscription->listed = true;
    pgr_subscriptions = lappend(pgr_subscriptions, subscription);
    MemoryContextSwitchTo(before);
}

static void
take_row(HeapTuple tuple, TupleDesc columns)
{
    struct pgr_subscription *held = find_subscription(SPI_getvalue(tuple, columns, 1));
    int64 generation = strtoi64(SPI_getvalue(tuple, columns, 6), NULL, 10);

    if (held != NULL && held->generation == generation) {
        held->listed = true;
        return;
    }
    if (held != NULL) { /* its new self takes over the snapshot's table, and tells so */
        held->loaded = false;
        held->ended = true;
    }
    add(tuple, columns);
}

void
pgr_registry_read(void)
{
    struct pgr_session before;
    SPITupleTable *rows;
    uint64 count;
    ListCell *cell;

    foreach (cell, pgr_subscriptions)
        ((struct pgr_subscription *)lfirst(cell))->listed = false;
    pgr_session_enter_superuser(&before);
    pgr_command("SELECT " PGR_REGISTRY_COLUMNS
                " FROM pgr.persisted_subscriptions ORDER BY subscribed_at, query_id");
    pgr_session_leave(&before);
    rows = SPI_tuptable;
    count = SPI_processed;
    for (uint64 i = 0; i < count; i++)
        take_row(rows->vals[i], rows->tupdesc);
    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);

        if (!subscription->listed && !subscription->ended)
            forget(subscription);
    }
    sweep();
}

static void
end_one(struct pgr_subscription *subscription)
{
    pgr_subscription_end(subscription, "schema");
}

/* A step that failed for good ends the subscription; one that may go well later is tried again. */
static void
settle(struct pgr_subscription *subscription, ErrorData *error)
{
    ErrorData *second;

    ereport(LOG, errmsg("subscription \"%s\": %s", subscription->query_id, error->message),
            error->detail != NULL ? errdetail_internal("%s", error->detail) : 0);
    subscription->not_before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RETRY_MS);
    if (!pgr_is_passing(error) && !pgr_guard(end_one, subscription, &second))
        ereport(LOG, errmsg("subscription \"%s\" is not ended yet: %s", subscription->query_id,
                            second->message));
}

static void
refresh(struct pgr_subscription *subscription)
{
    ErrorData *error;

    if (subscription->ended || subscription->not_before > GetCurrentTimestamp())
        return;
    if (!subscription->loaded) {
        if (!pgr_guard(pgr_subscription_load, subscription, &error))
            settle(subscription, error);
        return;
    }
    if (!subscription->stale)
        return;
    subscription->stale = false;
    if (!pgr_guard(pgr_subscription_revalidate, subscription, &error)) {
        subscription->stale = true;
        settle(subscription, error);
    }
}

void
pgr_registry_refresh(void)
{
    for (int i = 0; i < list_length(pgr_subscriptions); i++) {
        struct pgr_subscription *subscription = list_nth(pgr_subscriptions, i);
        bool was_loaded = subscription->loaded;

        refresh(subscription);
        if (!was_loaded && !pgr_async_recompute)
            pgr_next_transaction();
    }
    sweep();
}

bool
pgr_tables_concern(List *tables, const struct pgr_table *written)
{
    ListCell *cell;

    foreach (cell, tables) {
        const struct pgr_table *table = lfirst(cell);

        if (table->oid == written->oid && (table->columns & written->columns) != 0)
            return true;
    }
    return false;
}

static void
mark(struct pgr_subscription *subscription)
{
    if (!subscription->loaded)
        return;
    subscription->dirty = true;
    pgr_shared->slots[subscription->slot].invalidation_count++;
}

void
pgr_registry_mark(List *tables, bool all)
{
    ListCell *cell, *table;

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);
        bool concerned = all;

        foreach (table, tables)
            concerned = concerned || pgr_tables_concern(subscription->tables, lfirst(table));
        if (concerned)
            mark(subscription);
    }
}

static bool
uses(const struct pgr_subscription *subscription, Oid relation)
{
    ListCell *cell;

    if (relation == InvalidOid || list_member_oid(subscription->views, relation))
        return true;
    foreach (cell, subscription->tables)
        if (((struct pgr_table *)lfirst(cell))->oid == relation)
            return true;
    return false;
}

static void
on_relation(Datum argument, Oid relation)
{
    ListCell *cell;

    foreach (cell, pgr_subscriptions)
        if (uses(lfirst(cell), relation))
            ((struct pgr_subscription *)lfirst(cell))->stale = true;
}

static void
on_function(Datum argument, int cache, uint32 hash)
{
    on_relation(argument, InvalidOid);
}

void
pgr_registry_init(void)
{
    CacheRegisterRelcacheCallback(on_relation, 0);
    CacheRegisterSyscacheCallback(PROCOID, on_function, 0);
}
