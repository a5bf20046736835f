/* SPDX-License-Identifier: MIT */
/*
 * pgr.subscribe and pgr.unsubscribe.  They write the registry, in the caller's transaction; the
 * worker follows when it has been committed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "shared.h"

#define RESTORE_PATIENCE_MS 30000

PG_FUNCTION_INFO_V1(pgr_subscribe);
PG_FUNCTION_INFO_V1(pgr_unsubscribe);
PG_FUNCTION_INFO_V1(pgr_restore_subscriptions);

static void
need_server(void)
{
    if (pgr_shared == NULL)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("pg_reactive is not running"),
                errhint("Add it to shared_preload_libraries and restart PostgreSQL."));
}

static char *
text_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
    if (PG_ARGISNULL(number))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s is null", name));
    return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static char *
read_id(FunctionCallInfo fcinfo)
{
    char *id = text_argument(fcinfo, 0, "p_query_id");

    if (*id == '\0' || strlen(id) > PGR_ID_BYTES)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("p_query_id must have 1 to %d bytes", (int)PGR_ID_BYTES));
    return id;
}

static char *
read_query_text(FunctionCallInfo fcinfo)
{
    char *query = text_argument(fcinfo, 1, "p_query");

    if (strlen(query) > PGR_MAX_QUERY_BYTES)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("p_query has more than %d bytes", PGR_MAX_QUERY_BYTES));
    return query;
}

static char *
read_mode(FunctionCallInfo fcinfo)
{
    char *mode = text_argument(fcinfo, 2, "p_mode");

    if (strcmp(mode, "delta") != 0 && strcmp(mode, "notify") != 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("p_mode must be delta or notify, not \"%s\"", mode));
    return mode;
}

static void
check_audience(FunctionCallInfo fcinfo)
{
    if (!PG_ARGISNULL(3) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(3)))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("p_audience must be a JSON object"));
}

/* The caller's rights and most mistakes show at once, not in the worker's log. */
static void
try_query(const char *query)
{
    SPIPlanPtr plan = SPI_prepare(query, 0, NULL);
    Portal portal;

    if (plan == NULL)
        elog(ERROR, "%s", SPI_result_code_string(SPI_result));
    portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
    SPI_cursor_fetch(portal, true, 1);
    SPI_cursor_close(portal);
}

static const char register_sql[] =
    "INSERT INTO pgr.persisted_subscriptions AS p"
    " (query_id, query, mode, audience, generation, owner, search_path, tables)"
    " VALUES ($1, $2, $3, $4, nextval('pgr.generation_seq'), $5, $6, $7)"
    " ON CONFLICT (query_id) DO UPDATE SET query = excluded.query, mode = excluded.mode,"
    "  audience = excluded.audience, generation = excluded.generation, owner = excluded.owner,"
    "  search_path = excluded.search_path, tables = excluded.tables, subscribed_at = now(), active "
    "= false"
    "  WHERE pg_has_role($5, p.owner, 'USAGE')"
    " RETURNING jsonb_build_object('query_id', query_id, 'mode', mode, 'generation', generation,"
    "  'tables', (SELECT jsonb_agg(t::regclass::text ORDER BY t::regclass::text) FROM "
    "unnest(tables) t))";

static Datum
register_subscription(FunctionCallInfo fcinfo, const char *search_path, Oid caller, List *tables)
{
    Oid types[] = {TEXTOID, TEXTOID, TEXTOID, JSONBOID, OIDOID, TEXTOID, OIDARRAYOID};
    Datum values[] = {PG_GETARG_DATUM(0),       PG_GETARG_DATUM(1),
                      PG_GETARG_DATUM(2),       PG_GETARG_DATUM(3),
                      ObjectIdGetDatum(caller), CStringGetTextDatum(search_path),
                      pgr_tables_oids(tables)};
    char nulls[] = "       ";
    bool is_null;

    if (PG_ARGISNULL(3))
        nulls[3] = 'n';
    pgr_sql(register_sql, lengthof(types), types, values, nulls);
    if (SPI_processed == 0)
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("a subscription of that name belongs to another role"));
    return SPI_datumTransfer(
        SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null), false, -1);
}

Datum
pgr_subscribe(PG_FUNCTION_ARGS)
{
    const char *search_path = GetConfigOption("search_path", false, false);
    Oid caller = GetUserId();
    struct pgr_session before;
    struct pgr_query query;
    char *text;
    Datum result;

    need_server();
    (void)read_id(fcinfo);
    (void)read_mode(fcinfo);
    text = read_query_text(fcinfo);
    check_audience(fcinfo);
    search_path = pstrdup(search_path);
    SPI_connect();
    pgr_query_read(text, &query);
    try_query(text);
    pgr_session_enter_superuser(&before);
    (void)pgr_tables_watch(query.tables);
    result = register_subscription(fcinfo, search_path, caller, query.tables);
    pgr_session_leave(&before);
    SPI_finish();
    return result;
}

Datum
pgr_unsubscribe(PG_FUNCTION_ARGS)
{
    Oid types[] = {TEXTOID, OIDOID};
    Datum values[] = {PG_GETARG_DATUM(0), ObjectIdGetDatum(GetUserId())};
    struct pgr_session before;
    bool there;

    SPI_connect();
    pgr_session_enter_superuser(&before);
    pgr_sql("DELETE FROM pgr.persisted_subscriptions WHERE query_id = $1 AND pg_has_role($2, "
            "owner, 'USAGE')",
            2, types, values, NULL);
    there = SPI_processed > 0;
    if (!there) {
        pgr_sql("SELECT FROM pgr.persisted_subscriptions WHERE query_id = $1", 1, types, values,
                NULL);
        if (SPI_processed > 0)
            ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("a subscription of that name belongs to another role"));
    }
    pgr_session_leave(&before);
    SPI_finish();
    PG_RETURN_BOOL(there);
}

static bool
registry_is_empty(void)
{
    struct pgr_session before;
    bool empty;

    SPI_connect();
    pgr_session_enter_superuser(&before);
    pgr_command("SELECT FROM pgr.persisted_subscriptions LIMIT 1");
    empty = SPI_processed == 0;
    pgr_session_leave(&before);
    SPI_finish();
    return empty;
}

/* Asks for a pass over the registry; the number that `loads` has when one is over that began later.
 */
static uint64
ask_for_load(struct pgr_database *database)
{
    uint64 loads;

    pg_atomic_exchange_u32(&database->registry, 1);
    loads = pg_atomic_read_u64(&database->loads);
    pgr_database_wake(database);
    return loads + 2 + loads % 2;
}

static void
refuse_to_wait(const struct pgr_database *database)
{
    if (database == NULL || database->pid == 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("no worker of pg_reactive serves this database"),
                errhint("See pg_reactive.database, max_worker_processes and the server's log."));
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("the worker of pg_reactive has not come to all subscriptions within %d s",
                   RESTORE_PATIENCE_MS / 1000),
            errhint("It goes on. pgr.get_subscriptions() says which it holds, and what fails."));
}

Datum
pgr_restore_subscriptions(PG_FUNCTION_ARGS)
{
    TimestampTz start = GetCurrentTimestamp();
    struct pgr_database *asked = NULL;
    uint64 wanted = 0;

    need_server();
    if (registry_is_empty())
        PG_RETURN_INT32(0);
    for (;;) {
        struct pgr_database *database = pgr_database_find(MyDatabaseId);

        if (database == NULL)
            pgr_launcher_want(MyDatabaseId);
        else if (database != asked)
            wanted = ask_for_load(asked = database);
        else if (pg_atomic_read_u64(&database->loads) >= wanted)
            break;
        if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(), RESTORE_PATIENCE_MS))
            refuse_to_wait(database);
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10,
                        PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
    PG_RETURN_INT32(pgr_slots_count(MyDatabaseId));
}
