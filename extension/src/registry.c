/* SPDX-License-Identifier: MIT */
/*
 * The worker's list of subscriptions, which follows pgr.persisted_subscriptions.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "worker.h"

#define RETRY_MS 1000
#define RETRY_MOST_MS 60000

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
    pgr_shape_leave(subscription);
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
    subscription->asked_us = -1;
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
retry_in(struct pgr_subscription *subscription, int ms)
{
    subscription->not_before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ms);
}

/*
 * A first load that fails may go well later: a restore makes keys and views after the registry's
 * rows.  It is tried again, less and less often until somebody changes the schema.
 */
static void
put_off(struct pgr_subscription *subscription, const ErrorData *error)
{
    int twice = Max(RETRY_MS, Min(subscription->retry_ms * 2, RETRY_MOST_MS));

    subscription->retry_ms = pgr_is_passing(error) ? 0 : twice;
    retry_in(subscription, Max(RETRY_MS, subscription->retry_ms));
    if (subscription->slot < 0)
        subscription->slot = pgr_slot_take(MyDatabaseId, subscription->query_id);
    if (subscription->slot < 0)
        return;
    pgr_shared->slots[subscription->slot].generation = subscription->generation;
    pgr_slot_fail(subscription->slot, error->sqlerrcode);
}

static void
end_one(struct pgr_subscription *subscription)
{
    pgr_subscription_end(subscription, "schema");
}

static void
log_failure(const struct pgr_subscription *subscription, const ErrorData *error)
{
    ereport(LOG, errmsg("subscription \"%s\": %s", subscription->query_id, error->message),
            error->detail != NULL ? errdetail_internal("%s", error->detail) : 0);
}

/* What cannot be watched any more ends; what may go well at another time is tried again. */
static void
settle(struct pgr_subscription *subscription, ErrorData *error)
{
    ErrorData *second;

    retry_in(subscription, RETRY_MS);
    pgr_slot_fail(subscription->slot, error->sqlerrcode);
    if (!pgr_is_passing(error) && !pgr_guard(end_one, subscription, &second))
        ereport(LOG, errmsg("subscription \"%s\" is not ended yet: %s", subscription->query_id,
                            second->message));
}

/* New triggers are committed at once: their locks are not held while queries are read and run. */
static bool
take_step(void (*step)(struct pgr_subscription *), struct pgr_subscription *subscription,
          ErrorData **error)
{
    if (!pgr_guard(step, subscription, error))
        return false;
    if (subscription->new_triggers)
        pgr_next_transaction();
    return true;
}

static bool
load_twice(struct pgr_subscription *subscription, ErrorData **error)
{
    return take_step(pgr_subscription_load, subscription, error) &&
           (subscription->loaded || take_step(pgr_subscription_load, subscription, error));
}

static void
load(struct pgr_subscription *subscription)
{
    ErrorData *error;

    subscription->stale = false;
    if (load_twice(subscription, &error)) {
        subscription->retry_ms = 0;
        if (subscription->filling)
            pgr_subscription_fill(subscription);
        return;
    }
    log_failure(subscription, error);
    put_off(subscription, error);
}

static void
revalidate(struct pgr_subscription *subscription)
{
    ErrorData *error;

    subscription->stale = false;
    if (take_step(pgr_subscription_revalidate, subscription, &error))
        return;
    subscription->stale = true;
    log_failure(subscription, error);
    settle(subscription, error);
}

static bool
is_due(const struct pgr_subscription *subscription)
{
    return !subscription->ended && subscription->not_before <= GetCurrentTimestamp();
}

/* True if there was one. */
static bool
revalidate_all(void)
{
    bool found = false;
    ListCell *cell;

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);

        if (!subscription->loaded || !subscription->stale || !is_due(subscription))
            continue;
        revalidate(subscription);
        found = true;
    }
    return found;
}

/* The schema has another look: what was put off is tried soon. */
static void
hurry(struct pgr_subscription *subscription)
{
    TimestampTz soon = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RETRY_MS);

    subscription->hurries = false;
    subscription->retry_ms = 0;
    subscription->not_before = Min(subscription->not_before, soon);
}

void
pgr_registry_refresh(void)
{
    TimestampTz batch = GetCurrentTimestamp();

    if (revalidate_all())
        pgr_next_transaction();
    for (int i = 0; i < list_length(pgr_subscriptions); i++) {
        struct pgr_subscription *subscription = list_nth(pgr_subscriptions, i);

        if (subscription->loaded)
            continue;
        if (subscription->hurries)
            hurry(subscription);
        if (!is_due(subscription))
            continue;
        load(subscription);
        if (!pgr_async_recompute ||
            TimestampDifferenceExceeds(batch, GetCurrentTimestamp(), PGR_BATCH_MS)) {
            pgr_next_transaction();
            batch = GetCurrentTimestamp();
        }
    }
    sweep();
}

bool
pgr_tables_concern(List *tables, const struct pgr_table *written, bool any_key)
{
    ListCell *cell;

    foreach (cell, tables) {
        const struct pgr_table *table = lfirst(cell);
        uint64 columns = written->columns;

        if (table->key == 0 || any_key)
            columns |= written->unkeyed;
        if (table->oid == written->oid && (table->columns & columns) != 0)
            return true;
    }
    return false;
}

static bool
keys_concern(List *tables, const uint64 *keys)
{
    ListCell *cell;

    foreach (cell, tables) {
        const struct pgr_table *table = lfirst(cell);

        if (table->key != 0 && (table->columns & keys[table->bucket]) != 0)
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

/* A query may fail over a row that it would not have shown: whichever it is may mend it. */
void
pgr_registry_mark(List *tables, const uint64 *keys, bool all)
{
    ListCell *cell, *table;

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);
        bool concerned = all || keys_concern(subscription->tables, keys);

        foreach (table, tables)
            concerned = concerned || pgr_tables_concern(subscription->tables, lfirst(table),
                                                        subscription->failing);
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

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);

        subscription->hurries = !subscription->loaded;
        if (uses(subscription, relation))
            subscription->stale = true;
    }
}

/* A function, a role or a label of an enumeration: who uses it is not known. */
static void
on_any(Datum argument, int cache, uint32 hash)
{
    on_relation(argument, InvalidOid);
}

void
pgr_registry_init(void)
{
    CacheRegisterRelcacheCallback(on_relation, 0);
    CacheRegisterSyscacheCallback(PROCOID, on_any, 0);
    CacheRegisterSyscacheCallback(ENUMOID, on_any, 0);
    CacheRegisterSyscacheCallback(AUTHOID, on_any, 0);
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, on_any, 0);
}
