/* SPDX-License-Identifier: MIT */
/*
 * The launcher gives each database that has subscriptions a worker.  It cannot see which those are
 * without a connection, so at the start each database gets one, which leaves when it is not needed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"

#include "shared.h"
#include "worker.h"

/* Between two looks; after one that could not do all there was to do, more and more. */
#define PAUSE_MS 100
#define RETRY_MS 1000
#define RETRY_MOST_MS 60000

/* A worker that has lived for so long is no longer one that ends again and again. */
#define CALM_MS 10000

/* When the worker of an entry was started again, and how soon after that it may be the next time.
 */
static struct {
    TimestampTz at;
    int pause_ms;
} restarts[PGR_MAX_DATABASES];

void
pgr_launcher_register(void)
{
    BackgroundWorker worker = {
        .bgw_name = "pg_reactive launcher",
        .bgw_type = "pg_reactive launcher",
        .bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
        .bgw_start_time = BgWorkerStart_RecoveryFinished,
        .bgw_restart_time = 1,
        .bgw_library_name = "pg_reactive",
        .bgw_function_name = "pgr_launcher_main",
    };

    RegisterBackgroundWorker(&worker);
}

static void
on_end(int code, Datum argument)
{
    pgr_shared->launcher = NULL;
}

/* Whether the setting names it; an empty one names all. */
static bool
is_named(const char *database)
{
    char *names = pstrdup(pgr_databases);
    List *list = NIL;
    ListCell *cell;

    if (!SplitGUCList(names, ',', &list))
        ereport(LOG, errmsg("pg_reactive.database is no list of names: \"%s\"", pgr_databases));
    foreach (cell, list)
        if (strcmp(lfirst(cell), database) == 0)
            return true;
    return pgr_databases[strspn(pgr_databases, " ")] == '\0';
}

static bool
may_have(Form_pg_database database)
{
    return database->datallowconn && !database->datistemplate &&
           is_named(NameStr(database->datname));
}

/* Databases that may have a worker: all of them, or the one. */
static List *
candidates(Oid only)
{
    MemoryContext memory = CurrentMemoryContext;
    List *found = NIL;
    Relation table;
    TableScanDesc scan;
    HeapTuple tuple;

    StartTransactionCommand();
    (void)GetTransactionSnapshot();
    table = table_open(DatabaseRelationId, AccessShareLock);
    scan = table_beginscan_catalog(table, 0, NULL);
    while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection))) {
        Form_pg_database database = (Form_pg_database)GETSTRUCT(tuple);
        MemoryContext before = MemoryContextSwitchTo(memory);

        if ((only == InvalidOid || only == database->oid) && may_have(database))
            found = lappend_oid(found, database->oid);
        MemoryContextSwitchTo(before);
    }
    table_endscan(scan);
    table_close(table, AccessShareLock);
    CommitTransactionCommand();
    MemoryContextSwitchTo(memory);
    return found;
}

/* False: there is no room. */
static bool
start_worker(Oid database)
{
    BackgroundWorker worker = {
        .bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
        .bgw_start_time = BgWorkerStart_RecoveryFinished,
        .bgw_restart_time = BGW_NEVER_RESTART,
        .bgw_library_name = "pg_reactive",
        .bgw_function_name = "pgr_worker_main",
        .bgw_main_arg = ObjectIdGetDatum(database),
        .bgw_notify_pid = MyProcPid,
    };
    BackgroundWorkerHandle *handle;
    pid_t pid;

    snprintf(worker.bgw_name, BGW_MAXLEN, "pg_reactive worker of database %u", database);
    strlcpy(worker.bgw_type, "pg_reactive worker", BGW_MAXLEN);
    if (!RegisterDynamicBackgroundWorker(&worker, &handle)) {
        ereport(LOG, errmsg("pg_reactive has no room for a worker"),
                errhint("Raise max_worker_processes."));
        return false;
    }
    (void)WaitForBackgroundWorkerStartup(handle, &pid);
    return true;
}

/* False: there is no room for all of them now, or one is about to leave. */
static bool
start_workers(List *databases)
{
    bool all_run = true;
    ListCell *cell;

    foreach (cell, databases) {
        struct pgr_database *database = pgr_database_find(lfirst_oid(cell));

        if (database != NULL)
            all_run &= pg_atomic_read_u32(&database->quit) == 0;
        else if (!start_worker(lfirst_oid(cell)))
            return false;
    }
    return all_run;
}

static void
note_restart(int i)
{
    TimestampTz now = GetCurrentTimestamp();
    int pause = restarts[i].pause_ms;
    bool was_calm = TimestampDifferenceExceeds(restarts[i].at, now, pause + CALM_MS);

    restarts[i].at = now;
    restarts[i].pause_ms = was_calm ? 0 : Min(Max(pause * 2, PAUSE_MS), RETRY_MOST_MS);
}

static long
rest_ms(int i)
{
    TimestampTz end = TimestampTzPlusMilliseconds(restarts[i].at, restarts[i].pause_ms);

    return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);
}

/* False: there is no room. */
static bool
restart_worker(int i)
{
    struct pgr_database *database = &pgr_shared->databases[i];
    Oid oid = pg_atomic_read_u32(&database->oid);

    if (candidates(oid) == NIL) {
        pgr_database_leave(database);
        return true;
    }
    note_restart(i);
    return start_worker(oid);
}

/* Workers that ended but did not leave.  In how many ms to look again; -1: not by itself. */
static long
restart_workers(bool *all_run)
{
    long least = -1;

    for (int i = 0; i < PGR_MAX_DATABASES; i++) {
        struct pgr_database *database = &pgr_shared->databases[i];
        long rest = rest_ms(i);

        if (pg_atomic_read_u32(&database->oid) == 0 || database->pid != 0)
            continue;
        if (rest == 0)
            *all_run &= restart_worker(i);
        else if (least < 0 || rest < least)
            least = rest;
    }
    return least;
}

/* In how many ms to look again; -1: when somebody says so. */
static long
serve(void)
{
    static int retry_ms = 0;
    Oid wanted = pg_atomic_exchange_u32(&pgr_shared->wanted, 0);
    bool rescan = pg_atomic_exchange_u32(&pgr_shared->rescan, 0) != 0;
    bool done = true;
    long wait;

    if (rescan)
        done = start_workers(candidates(InvalidOid));
    else if (wanted != 0)
        done = start_workers(candidates(wanted));
    if (!done)
        pg_atomic_exchange_u32(&pgr_shared->rescan, 1);
    wait = restart_workers(&done);
    retry_ms = done ? 0 : Min(Max(retry_ms * 2, RETRY_MS), RETRY_MOST_MS);
    return done || (wait >= 0 && wait < retry_ms) ? wait : retry_ms;
}

void
pgr_launcher_main(Datum argument)
{
    MemoryContext memory;
    long wait;

    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnection(NULL, NULL, 0);
    on_shmem_exit(on_end, 0);
    pgr_marks_ignore();
    pgr_shared->launcher = MyLatch;
    pg_atomic_exchange_u32(&pgr_shared->rescan, 1); /* the last one may have died over it */
    memory =
        AllocSetContextCreate(TopMemoryContext, "pg_reactive launcher", ALLOCSET_DEFAULT_SIZES);
    for (;;) {
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        MemoryContextSwitchTo(memory);
        wait = serve();
        MemoryContextReset(memory);
        /* Whoever dies tells this process; a pause keeps one that always dies from spinning. */
        (void)WaitLatch(MyLatch, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PAUSE_MS, PG_WAIT_EXTENSION);
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (wait < 0 ? 0 : WL_TIMEOUT),
                        wait, PG_WAIT_EXTENSION);
    }
}
