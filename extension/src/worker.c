/* SPDX-License-Identifier: MIT */
/* A database's worker: waits, and at each tick does what has been marked since the last one. */
#include "postgres.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "worker.h"

#define RETRY_MS 1000

struct pgr_database *pgr_database = NULL;

static bool triggers_left = true;
static TimestampTz last_tick = 0;

static void
on_end(int code, Datum argument)
{
    if (pgr_database->pid != MyProcPid)
        return; /* it has left, and another may be there by now */
    pgr_slots_free_all(MyDatabaseId);
    LWLockAcquire(pgr_shared->lock, LW_EXCLUSIVE);
    pgr_database->latch = NULL;
    pgr_database->pid = 0;
    LWLockRelease(pgr_shared->lock);
    /* The launcher that started it may be gone: the postmaster tells that one alone. */
    pgr_launcher_wake();
}

bool
pgr_is_worker(void)
{
    return pgr_database != NULL && pgr_database->pid == MyProcPid;
}

static void
begin(void)
{
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    SPI_connect();
    PushActiveSnapshot(GetTransactionSnapshot());
}

static void
commit(void)
{
    PopActiveSnapshot();
    SPI_finish();
    CommitTransactionCommand();
}

void
pgr_next_transaction(void)
{
    commit();
    begin();
}

bool
pgr_is_passing(const ErrorData *error)
{
    int class = ERRCODE_TO_CATEGORY(error->sqlerrcode);

    return class == ERRCODE_INSUFFICIENT_RESOURCES || class == ERRCODE_OPERATOR_INTERVENTION ||
           class == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE ||
           class == ERRCODE_TRANSACTION_ROLLBACK || class == ERRCODE_INTERNAL_ERROR;
}

bool
pgr_guard(void (*step)(struct pgr_subscription *), struct pgr_subscription *subscription,
          ErrorData **error)
{
    MemoryContext memory = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    volatile bool good = true;

    BeginInternalSubTransaction(NULL);
    MemoryContextSwitchTo(memory);
    PG_TRY();
    {
        step(subscription);
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(memory);
        disable_timeout(STATEMENT_TIMEOUT, false);
        *error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
        good = false;
    }
    PG_END_TRY();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
    return good;
}

/* When all that were prepared before the marks were there have gone, the marks say it all. */
static void
look_for_prepared(void)
{
    uint32 old = PGR_PREPARED_BEFORE;

    pgr_command("SELECT FROM pg_prepared_xacts WHERE database = current_database() LIMIT 1");
    if (SPI_processed == 0)
        (void)pg_atomic_compare_exchange_u32(&pgr_database->unknown_prepared, &old, 0);
}

static void
look_at_registry(void)
{
    struct pgr_session before;

    if (pg_atomic_exchange_u32(&pgr_database->registry, 0)) {
        pg_atomic_fetch_add_u64(&pgr_database->loads, 1);
        pgr_registry_read();
        triggers_left = true;
    }
    pgr_registry_refresh();
    if (pg_atomic_read_u32(&pgr_database->unknown_prepared) == PGR_PREPARED_BEFORE) {
        pgr_session_enter_superuser(&before);
        look_for_prepared();
        pgr_session_leave(&before);
    }
}

static void
tick(void)
{
    static uint64 keys[PGR_KEY_BUCKETS];
    List *tables;
    bool all;

    pg_atomic_exchange_u32(&pgr_database->busy, 1);
    pg_atomic_exchange_u32(&pgr_database->woken, 0);
    pgr_count(pgr_database, PGR_COUNT_ticks);
    all = pg_atomic_exchange_u32(&pgr_database->all, 0) != 0;
    tables = pgr_database_take_marks(pgr_database);
    pgr_database_take_keys(pgr_database, keys);
    begin();
    look_at_registry();
    if (all)
        pgr_count(pgr_database, PGR_COUNT_all_dirty);
    pgr_registry_mark(tables, keys, all);
    pgr_dirty_recompute();
    commit();
    if (pg_atomic_read_u64(&pgr_database->loads) % 2 == 1)
        pg_atomic_fetch_add_u64(&pgr_database->loads, 1);
}

/* In a transaction of its own: its locks are strong. */
static void
drop_triggers(void)
{
    struct pgr_session before;

    begin();
    pgr_session_enter_superuser(&before);
    triggers_left = pgr_tables_unwatch();
    pgr_session_leave(&before);
    commit();
}

static bool
has_extension(void)
{
    bool found;

    StartTransactionCommand();
    found = OidIsValid(get_extension_oid(PGR_EXTENSION, true));
    CommitTransactionCommand();
    return found;
}

static bool
registry_has_rows(void)
{
    struct pgr_session before;
    bool found;

    begin();
    pgr_session_enter_superuser(&before);
    pgr_command("SELECT FROM pgr.persisted_subscriptions LIMIT 1");
    found = SPI_processed > 0;
    pgr_session_leave(&before);
    commit();
    return found;
}

/*
 * Who subscribed while this worker was leaving found it still there, and asked nobody.  For good:
 * somebody else knows whether another is wanted.
 */
static void
leave(bool for_good)
{
    pgr_slots_free_all(MyDatabaseId);
    pgr_database_leave(pgr_database);
    if (!for_good && has_extension() && registry_has_rows())
        pgr_launcher_want(MyDatabaseId);
    proc_exit(0);
}

/* Until when nothing is to do, in ms; -1 is for ever. */
static long
patience_ms(void)
{
    TimestampTz now = GetCurrentTimestamp();
    long least = triggers_left ? RETRY_MS : -1;
    ListCell *cell;

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);
        long wait;

        if (subscription->loaded && !subscription->dirty && !subscription->stale)
            continue;
        wait = TimestampDifferenceMilliseconds(now, subscription->not_before);
        if (least < 0 || wait < least)
            least = wait;
    }
    return least;
}

static bool
waits_for_something(void)
{
    ListCell *cell;

    foreach (cell, pgr_subscriptions) {
        struct pgr_subscription *subscription = lfirst(cell);

        if (!subscription->loaded && subscription->retry_ms > 0 && !subscription->hurries)
            continue;
        if (!subscription->loaded || subscription->dirty || subscription->stale)
            return true;
    }
    return false;
}

static void
handle_signals(void)
{
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        ProcessConfigFile(PGC_SIGHUP);
        pgr_settings_keep(pgr_database);
    }
    if (pg_atomic_read_u32(&pgr_database->quit))
        leave(true);
}

static long
since_last_tick_ms(void)
{
    return TimestampDifferenceMilliseconds(last_tick, GetCurrentTimestamp());
}

static void
sleep_until_woken(void)
{
    long wait = patience_ms();
    long pause;

    if (!waits_for_something())
        pg_atomic_exchange_u32(&pgr_database->busy, 0);
    if (wait != 0 && !pg_atomic_read_u32(&pgr_database->woken))
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (wait > 0 ? WL_TIMEOUT : 0),
                        wait, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    handle_signals();
    while ((pause = pgr_tick_interval_ms - since_last_tick_ms()) > 0) {
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | WL_TIMEOUT, pause,
                        PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        handle_signals();
    }
    last_tick = GetCurrentTimestamp();
}

static void
start(Oid database)
{
    pqsignal(SIGTERM, die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(database, InvalidOid,
                                              0); /* who may not log in will do */
    pgr_marks_ignore();
    pgr_database = pgr_database_take(database);
    if (pgr_database == NULL)
        proc_exit(0);
    on_shmem_exit(on_end, 0);
    if (!has_extension())
        leave(false);
    SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);
    SetConfigOption("default_transaction_isolation", "read committed", PGC_USERSET, PGC_S_OVERRIDE);
    SetConfigOption("default_transaction_read_only", "off", PGC_USERSET, PGC_S_OVERRIDE);
    SetConfigOption("lock_timeout", "100ms", PGC_USERSET, PGC_S_OVERRIDE);
    SetConfigOption("statement_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
#if PG_VERSION_NUM >= 170000
    SetConfigOption("transaction_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
#endif
    SetConfigOption("row_security", "on", PGC_USERSET, PGC_S_OVERRIDE);
    pgr_settings_keep(pgr_database);
    pgr_registry_init();
    pgr_session_silence();
    pg_atomic_exchange_u32(&pgr_database->registry, 1);
}

void
pgr_worker_main(Datum argument)
{
    MemoryContext memory;

    start(DatumGetObjectId(argument));
    memory = AllocSetContextCreate(TopMemoryContext, "pg_reactive tick", ALLOCSET_DEFAULT_SIZES);
    for (;;) {
        MemoryContextSwitchTo(memory);
        pgstat_report_activity(STATE_RUNNING, "tick");
        if (!has_extension())
            leave(false);
        tick();
        if (triggers_left)
            drop_triggers();
        if (pgr_subscriptions == NIL && !triggers_left)
            leave(false);
        MemoryContextSwitchTo(TopMemoryContext);
        MemoryContextReset(memory);
        pgstat_report_stat(false);
        pgstat_report_activity(STATE_IDLE, NULL);
        sleep_until_woken();
    }
}
