/* SPDX-License-Identifier: MIT */
/* Making a row of the registry a subscription that is watched, and following its schema. */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "worker.h"

static void
check_owner(const struct pgr_subscription *subscription)
{
    if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(subscription->owner)))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT),
                errmsg("its owner does not exist any more"));
}

static void
read_as_owner(struct pgr_subscription *subscription, struct pgr_query *query)
{
    struct pgr_session before;

    check_owner(subscription);
    pgr_session_enter(&before, subscription->owner, subscription->search_path);
    pgr_query_read(subscription->query, query);
    pgr_session_leave(&before);
}

static List *
copy_tables(List *tables)
{
    List *copy = NIL;
    ListCell *cell;

    foreach (cell, tables) {
        struct pgr_table *table = lfirst(cell);

        copy = pgr_tables_add(copy, table);
    }
    return copy;
}

static void
keep_dependencies(struct pgr_subscription *subscription, const struct pgr_query *query)
{
    MemoryContext before = MemoryContextSwitchTo(subscription->memory);

    list_free_deep(subscription->tables);
    list_free(subscription->views);
    subscription->tables = copy_tables(query->tables);
    subscription->views = list_copy(query->views);
    MemoryContextSwitchTo(before);
    pgr_shared->slots[subscription->slot].table_count = list_length(subscription->tables);
}

/* Partitions come and go, and a dump has other oids. */
static void
watch_tables(struct pgr_subscription *subscription, List *tables)
{
    Oid types[] = {TEXTOID, INT8OID, OIDARRAYOID};
    Datum values[] = {CStringGetTextDatum(subscription->query_id),
                      Int64GetDatum(subscription->generation), pgr_tables_oids(tables)};

    subscription->new_triggers = pgr_tables_watch(tables);
    pgr_sql("UPDATE pgr.persisted_subscriptions SET tables = $3"
            " WHERE query_id = $1 AND generation = $2 AND tables <> $3",
            3, types, values, NULL);
}

void
pgr_subscription_make_rows(struct pgr_subscription *subscription)
{
    HASHCTL control = {.keysize = PGR_HASH_BYTES,
                       .entrysize = sizeof(struct pgr_row),
                       .hcxt = subscription->memory};

    if (subscription->rows != NULL)
        hash_destroy(subscription->rows);
    subscription->rows =
        hash_create("pg_reactive rows", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
evict(int slot)
{
    ListCell *cell;

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);

        if (subscription->slot != slot || subscription->ended)
            continue;
        pgr_count(pgr_database, PGR_COUNT_evictions);
        pgr_subscription_end(subscription, "evicted");
        subscription->slot = -1;
        pgr_slot_free(slot);
        /* If this load fails, it is still in the registry. */
        pg_atomic_exchange_u32(&pgr_database->registry, 1);
        return;
    }
}

static void
take_slot(struct pgr_subscription *subscription)
{
    int oldest;

    if (subscription->slot >= 0)
        return;
    subscription->slot = pgr_slot_take(MyDatabaseId, subscription->query_id);
    if (subscription->slot >= 0)
        return;
    oldest = pgr_slot_oldest(MyDatabaseId);
    if (oldest >= 0)
        evict(oldest);
    subscription->slot = pgr_slot_take(MyDatabaseId, subscription->query_id);
    if (subscription->slot < 0)
        ereport(ERROR, errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                errmsg("no slot is free for subscription \"%s\"", subscription->query_id),
                errhint("Raise pg_reactive.max_subscriptions."));
}

SPIPlanPtr
pgr_subscription_plan(const struct pgr_subscription *subscription)
{
    struct pgr_session before;
    SPIPlanPtr plan;

    pgr_session_enter(&before, subscription->owner, subscription->search_path);
    plan = SPI_prepare(subscription->query, 0, NULL);
    if (plan == NULL)
        elog(ERROR, "%s", SPI_result_code_string(SPI_result));
    pgr_session_leave(&before);
    return plan;
}

static void
keep_plan(struct pgr_subscription *subscription)
{
    SPIPlanPtr plan = pgr_subscription_plan(subscription);

    SPI_keepplan(plan);
    if (subscription->plan != NULL)
        SPI_freeplan(subscription->plan);
    subscription->plan = plan;
}

void
pgr_subscription_load(struct pgr_subscription *subscription)
{
    struct pgr_session before;
    struct pgr_query query;

    read_as_owner(subscription, &query);
    take_slot(subscription);
    pgr_session_enter_superuser(&before);
    watch_tables(subscription, query.tables);
    pgr_session_leave(&before);
    if (subscription->new_triggers)
        return; /* writers do not wait for the rest */
    keep_plan(subscription);
    keep_dependencies(subscription, &query);
    pgr_shape_join(subscription, query.tree);
    subscription->layout = MemoryContextStrdup(subscription->memory, query.layout);
    pgr_subscription_make_rows(subscription);
    pgr_session_enter_superuser(&before);
    pgr_snapshot_open(subscription);
    pgr_session_leave(&before);
    pgr_shared->slots[subscription->slot].generation = subscription->generation;
    subscription->loaded = subscription->dirty = true;
}

void
pgr_subscription_revalidate(struct pgr_subscription *subscription)
{
    struct pgr_session before;
    struct pgr_query query;

    read_as_owner(subscription, &query);
    if (strcmp(query.layout, subscription->layout) != 0)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("its columns have changed"));
    pgr_session_enter_superuser(&before);
    watch_tables(subscription, query.tables);
    pgr_session_leave(&before);
    keep_plan(subscription); /* PostgreSQL keeps the old one when a role changes */
    keep_dependencies(subscription, &query);
    pgr_shape_join(subscription, query.tree);
    subscription->dirty = true;
}
