/* SPDX-License-Identifier: MIT */
/*
 * async_recompute = off: each writer asks again what it has changed, before its commit, and its
 * messages are those of its transaction.  The lock on pgr._state makes writers of one subscription
 * wait for one another, and fail one another under REPEATABLE READ; an error of a query is the
 * writer's error.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "worker.h"

static bool
is_concerned(struct pgr_subscription *subscription, List *written)
{
    struct pgr_session before;
    struct pgr_query query;
    bool concerned = false;
    ListCell *cell;

    pgr_session_enter(&before, subscription->owner, subscription->search_path);
    pgr_query_read(subscription->query, &query);
    pgr_session_leave(&before);
    foreach (cell, written)
        concerned = concerned || pgr_tables_concern(query.tables, lfirst(cell), true);
    return concerned;
}

/* False: the worker is about to fill its snapshot, and must know of this write. */
static bool
recompute(struct pgr_subscription *subscription)
{
    struct pgr_session before;
    bool known;

    pgr_subscription_make_rows(subscription);
    pgr_session_enter_superuser(&before);
    known = pgr_snapshot_resume(subscription);
    pgr_session_leave(&before);
    if (!known)
        return false;
    pgr_count(pgr_database, PGR_COUNT_recomputes);
    subscription->plan = pgr_subscription_plan(subscription);
    if (!pgr_subscription_publish(subscription, true))
        pgr_count(pgr_database, PGR_COUNT_unchanged);
    hash_destroy(subscription->rows);
    return true;
}

/* In the order of their names, so that two writers do not wait for one another. */
static void
read_registry(List *tables, bool all)
{
    Oid types[] = {OIDARRAYOID, BOOLOID};
    Datum values[] = {pgr_tables_oids(tables), BoolGetDatum(all)};
    struct pgr_session before;

    pgr_session_enter_superuser(&before);
    pgr_sql("SELECT " PGR_REGISTRY_COLUMNS " FROM pgr.persisted_subscriptions"
            " WHERE $2 OR tables && $1 ORDER BY query_id",
            2, types, values, NULL);
    pgr_session_leave(&before);
}

static bool
recompute_all(List *tables, bool all)
{
    bool done = true;
    SPITupleTable *rows;
    uint64 count;

    read_registry(tables, all);
    rows = SPI_tuptable;
    count = SPI_processed;
    for (uint64 i = 0; i < count; i++) {
        struct pgr_subscription *subscription =
            pgr_subscription_read(rows->vals[i], rows->tupdesc, CurrentMemoryContext);

        if (all || is_concerned(subscription, tables))
            done &= recompute(subscription);
    }
    return done;
}

bool
pgr_sync_recompute(List *tables, bool all)
{
    int level;
    bool done;

    pgr_database = pgr_database_find(MyDatabaseId);
    if (!pgr_settings_enter(pgr_database, &level))
        return false;
    CommandCounterIncrement();
    SPI_connect();
    PushActiveSnapshot(GetTransactionSnapshot());
    done = recompute_all(tables, all);
    PopActiveSnapshot();
    SPI_finish();
    pgr_settings_leave(level);
    return done;
}
