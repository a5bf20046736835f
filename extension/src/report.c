/* SPDX-License-Identifier: MIT */
/* What the worker tells of itself: pgr.stats, and the slots behind pgr.get_subscriptions. */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "shared.h"

PG_FUNCTION_INFO_V1(pgr_stats);
PG_FUNCTION_INFO_V1(pgr_sender);
PG_FUNCTION_INFO_V1(pgr_slots);
PG_FUNCTION_INFO_V1(pgr_touch);

static void
put_metric(FunctionCallInfo fcinfo, const char *name, uint64 value)
{
    ReturnSetInfo *result = (ReturnSetInfo *)fcinfo->resultinfo;
    Datum values[2] = {CStringGetTextDatum(name),
                       CStringGetTextDatum(psprintf(UINT64_FORMAT, value))};
    bool nulls[2] = {false, false};

    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
pgr_stats(PG_FUNCTION_ARGS)
{
    static const char *const names[] = {
#define X(name) #name,
        PGR_COUNTERS(X)
#undef X
    };
    struct pgr_database *database = pgr_database_find(MyDatabaseId);

    InitMaterializedSRF(fcinfo, 0);
    put_metric(fcinfo, "worker_pid", database != NULL ? database->pid : 0);
    put_metric(fcinfo, "subscriptions", pgr_shared != NULL ? pgr_slots_count(MyDatabaseId) : 0);
    put_metric(fcinfo, "max_subscriptions", pgr_shared != NULL ? pgr_max_subscriptions : 0);
    put_metric(fcinfo, "pending",
               database != NULL &&
                   (pg_atomic_read_u32(&database->woken) || pg_atomic_read_u32(&database->busy)));
    for (int i = 0; i < PGR_COUNTER_COUNT; i++)
        put_metric(fcinfo, names[i],
                   database != NULL ? pg_atomic_read_u64(&database->counters[i]) : 0);
    return (Datum)0;
}

Datum
pgr_sender(PG_FUNCTION_ARGS)
{
    struct pgr_database *database = pgr_database_find(MyDatabaseId);

    if (pgr_shared != NULL && !pgr_async_recompute)
        PG_RETURN_NULL();
    PG_RETURN_INT32(database != NULL ? database->pid : 0);
}

static void
put_slot(ReturnSetInfo *result, const struct pgr_slot *slot)
{
    Datum values[] = {
        CStringGetTextDatum(slot->query_id),
        Int64GetDatum(slot->generation),
        Int32GetDatum(slot->table_count),
        Int64GetDatum(slot->row_count),
        Int64GetDatum(slot->invalidation_count),
        Int64GetDatum(slot->recompute_count),
        Float8GetDatum(slot->recompute_ms),
        Int64GetDatum((int64)pg_atomic_read_u64((pg_atomic_uint64 *)&slot->last_used)),
        CStringGetTextDatum(slot->failing)};
    bool nulls[lengthof(values)] = {false};

    nulls[lengthof(values) - 1] = slot->failing[0] == '\0';
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
pgr_slots(PG_FUNCTION_ARGS)
{
    InitMaterializedSRF(fcinfo, 0);
    if (pgr_shared == NULL)
        return (Datum)0;
    LWLockAcquire(pgr_shared->lock, LW_SHARED);
    for (int i = 0; i < pgr_max_subscriptions; i++)
        if (pgr_shared->slots[i].database == MyDatabaseId)
            put_slot((ReturnSetInfo *)fcinfo->resultinfo, &pgr_shared->slots[i]);
    LWLockRelease(pgr_shared->lock);
    return (Datum)0;
}

Datum
pgr_touch(PG_FUNCTION_ARGS)
{
    PG_RETURN_BOOL(pgr_slot_use(MyDatabaseId, text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
