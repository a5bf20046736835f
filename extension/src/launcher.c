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
#include "utils/varlena.h"
#include "utils/wait_event.h"

#include "shared.h"
#include "worker.h"

#define RETRY_MS 1000

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
    if (!RegisterDynamicBackgroundWorker(&worker, &handle))
        return false;
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

        if (database != NULL && database->pid != 0) {
            all_run &= pg_atomic_read_u32(&database->quit) == 0;
        } else if (!start_worker(lfirst_oid(cell))) {
            ereport(LOG, errmsg("pg_reactive has no room for a worker"),
                    errhint("Raise max_worker_processes."));
            return false;
        }
    }
    return all_run;
}

/* Workers that ended but did not leave. */
static bool
restart_workers(void)
{
    bool all_run = true;

    for (int i = 0; i < PGR_MAX_DATABASES; i++) {
        struct pgr_database *database = &pgr_shared->databases[i];
        Oid oid = pg_atomic_read_u32(&database->oid);
        List *found;

        if (oid == 0 || database->pid != 0)
            continue;
        found = candidates(oid);
        if (found == NIL)
            pgr_database_leave(database);
        all_run &= start_workers(found);
    }
    return all_run;
}

/* True when there is nothing to do until somebody says so. */
static bool
serve(void)
{
    Oid wanted = pg_atomic_exchange_u32(&pgr_shared->wanted, 0);
    bool rescan = pg_atomic_exchange_u32(&pgr_shared->rescan, 0) != 0;
    bool done = true;

    if (rescan)
        done = start_workers(candidates(InvalidOid));
    else if (wanted != 0)
        done = start_workers(candidates(wanted));
    if (!done)
        pg_atomic_exchange_u32(&pgr_shared->rescan, 1);
    return restart_workers() && done;
}

void
pgr_launcher_main(Datum argument)
{
    MemoryContext memory;
    bool well;

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
        CHECK_FOR_INTERRUPTS();
        ResetLatch(MyLatch);
        MemoryContextSwitchTo(memory);
        well = serve();
        MemoryContextReset(memory);
        /* Whoever dies tells this process; a pause keeps one that always dies from spinning. */
        (void)WaitLatch(MyLatch, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, RETRY_MS / 10,
                        PG_WAIT_EXTENSION);
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (well ? 0 : WL_TIMEOUT),
                        RETRY_MS, PG_WAIT_EXTENSION);
    }
}
