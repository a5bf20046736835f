/* SPDX-License-Identifier: MIT */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "shared.h"

struct pgr_shared *pgr_shared = NULL;

static shmem_request_hook_type next_request = NULL;
static shmem_startup_hook_type next_startup = NULL;

static Size
shared_size(void)
{
    return add_size(offsetof(struct pgr_shared, slots),
                    mul_size(pgr_max_subscriptions, sizeof(struct pgr_slot)));
}

static void
request(void)
{
    if (next_request != NULL)
        next_request();
    RequestAddinShmemSpace(shared_size());
    RequestNamedLWLockTranche(PGR_EXTENSION, 1);
}

static void
init_database(struct pgr_database *database)
{
    pg_atomic_init_u32(&database->oid, 0);
    pg_atomic_init_u32(&database->woken, 0);
    pg_atomic_init_u32(&database->all, 0);
    pg_atomic_init_u32(&database->registry, 0);
    pg_atomic_init_u32(&database->quit, 0);
    pg_atomic_init_u32(&database->unknown_prepared, PGR_PREPARED_BEFORE);
    pg_atomic_init_u32(&database->busy, 0);
    database->has_settings = false;
    for (int i = 0; i < PGR_COUNTER_COUNT; i++)
        pg_atomic_init_u64(&database->counters[i], 0);
    for (int i = 0; i < PGR_MAX_TABLES; i++) {
        pg_atomic_init_u32(&database->marks[i].table, 0);
        pg_atomic_init_u64(&database->marks[i].columns, 0);
        pg_atomic_init_u64(&database->marks[i].unkeyed, 0);
        pg_atomic_init_u64(&database->marks[i].prepared, 0);
    }
    pg_atomic_init_u32(&database->has_keys, 0);
    for (int i = 0; i < PGR_KEY_BUCKETS; i++)
        pg_atomic_init_u64(&database->keys[i], 0);
}

static void
startup(void)
{
    bool found;

    if (next_startup != NULL)
        next_startup();
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    pgr_shared = ShmemInitStruct(PGR_EXTENSION, shared_size(), &found);
    if (!found) {
        memset(pgr_shared, 0, shared_size());
        pgr_shared->lock = &GetNamedLWLockTranche(PGR_EXTENSION)->lock;
        pg_atomic_init_u32(&pgr_shared->rescan, 1);
        pg_atomic_init_u32(&pgr_shared->wanted, 0);
        for (int i = 0; i < PGR_MAX_DATABASES; i++) {
            pg_atomic_init_u64(&pgr_shared->databases[i].loads, 0);
            init_database(&pgr_shared->databases[i]);
        }
        for (int i = 0; i < pgr_max_subscriptions; i++)
            pg_atomic_init_u64(&pgr_shared->slots[i].last_used, 0);
    }
    LWLockRelease(AddinShmemInitLock);
}

void
pgr_shared_init(void)
{
    next_request = shmem_request_hook;
    shmem_request_hook = request;
    next_startup = shmem_startup_hook;
    shmem_startup_hook = startup;
}

struct pgr_database *
pgr_database_find(Oid oid)
{
    static int last = 0;

    if (pgr_shared == NULL)
        return NULL;
    if (pg_atomic_read_u32(&pgr_shared->databases[last].oid) == oid)
        return &pgr_shared->databases[last];
    for (int i = 0; i < PGR_MAX_DATABASES; i++)
        if (pg_atomic_read_u32(&pgr_shared->databases[i].oid) == oid)
            return &pgr_shared->databases[last = i];
    return NULL;
}

/* The entry of a worker that died is taken over, with what was marked meanwhile. */
static struct pgr_database *
take(Oid oid)
{
    struct pgr_database *database = pgr_database_find(oid);

    if (database != NULL)
        return database->pid == 0 ? database : NULL;
    for (int i = 0; i < PGR_MAX_DATABASES; i++)
        if (pg_atomic_read_u32(&pgr_shared->databases[i].oid) == 0)
            return &pgr_shared->databases[i];
    ereport(LOG, errmsg("pg_reactive serves %d databases already", PGR_MAX_DATABASES));
    return NULL;
}

struct pgr_database *
pgr_database_take(Oid oid)
{
    struct pgr_database *database;

    LWLockAcquire(pgr_shared->lock, LW_EXCLUSIVE);
    database = take(oid);
    if (database != NULL) {
        database->pid = MyProcPid;
        database->latch = MyLatch;
        pg_atomic_write_u32(&database->quit, 0);
        if (pg_atomic_read_u64(&database->loads) % 2 == 1) /* the last worker died on the way */
            pg_atomic_fetch_add_u64(&database->loads, 1);
        pg_atomic_exchange_u32(&database->oid, oid); /* a barrier: marks begin here */
    }
    LWLockRelease(pgr_shared->lock);
    return database;
}

void
pgr_database_leave(struct pgr_database *database)
{
    LWLockAcquire(pgr_shared->lock, LW_EXCLUSIVE);
    database->pid = 0;
    database->latch = NULL;
    init_database(database);
    LWLockRelease(pgr_shared->lock);
    pg_memory_barrier();
}

/* The mark of a table; a key stays once it is there.  NULL: there is no room. */
static struct pgr_mark *
find_mark(struct pgr_database *database, Oid table)
{
    uint32 at = murmurhash32(table);

    for (int i = 0; i < PGR_MAX_TABLES; i++) {
        struct pgr_mark *mark = &database->marks[(at + i) % PGR_MAX_TABLES];
        uint32 key = 0;

        if (pg_atomic_compare_exchange_u32(&mark->table, &key, table) || key == table)
            return mark;
    }
    return NULL;
}

void
pgr_database_mark(struct pgr_database *database, Oid table, uint64 columns, uint64 unkeyed)
{
    struct pgr_mark *mark = find_mark(database, table);

    if (mark == NULL) {
        pg_atomic_exchange_u32(&database->all, 1);
        return;
    }
    if (columns != 0)
        pg_atomic_fetch_or_u64(&mark->columns, columns);
    if (unkeyed != 0)
        pg_atomic_fetch_or_u64(&mark->unkeyed, unkeyed);
}

void
pgr_database_mark_key(struct pgr_database *database, uint32 bucket, uint64 columns)
{
    pg_atomic_fetch_or_u64(&database->keys[bucket], columns);
    pg_atomic_exchange_u32(&database->has_keys, 1);
}

/* A full table is what pgr_database_commit_prepared looks for. */
void
pgr_database_mark_prepared(struct pgr_database *database, Oid table, uint64 columns)
{
    struct pgr_mark *mark = find_mark(database, table);

    if (mark != NULL)
        pg_atomic_fetch_or_u64(&mark->prepared, columns);
}

/* Which of the prepared transactions it was is not known here, so it was each of them. */
void
pgr_database_commit_prepared(struct pgr_database *database)
{
    bool full = true;

    for (int i = 0; i < PGR_MAX_TABLES; i++) {
        struct pgr_mark *mark = &database->marks[i];

        if (pg_atomic_read_u32(&mark->table) == 0)
            full = false;
        else
            pg_atomic_fetch_or_u64(&mark->columns, pg_atomic_read_u64(&mark->prepared));
    }
    if (full || pg_atomic_read_u32(&database->unknown_prepared))
        pg_atomic_exchange_u32(&database->all, 1);
}

void
pgr_database_wake(struct pgr_database *database)
{
    Latch *latch;

    if (pg_atomic_exchange_u32(&database->woken, 1) != 0)
        return; /* it has been told and has not looked yet */
    latch = *(Latch *volatile *)&database->latch;
    if (latch != NULL)
        SetLatch(latch);
}

void
pgr_databases_wake(void)
{
    for (int i = 0; i < PGR_MAX_DATABASES; i++)
        if (pg_atomic_read_u32(&pgr_shared->databases[i].oid) != 0)
            pgr_database_wake(&pgr_shared->databases[i]);
}

void
pgr_launcher_wake(void)
{
    Latch *latch = *(Latch *volatile *)&pgr_shared->launcher;

    if (latch != NULL)
        SetLatch(latch);
}

void
pgr_launcher_want(Oid database)
{
    uint32 wanted = 0;

    if (pgr_shared == NULL)
        return;
    if (!pg_atomic_compare_exchange_u32(&pgr_shared->wanted, &wanted, database) &&
        wanted != database)
        pg_atomic_exchange_u32(&pgr_shared->rescan, 1);
    pgr_launcher_wake();
}

List *
pgr_database_take_marks(struct pgr_database *database)
{
    List *tables = NIL;

    for (int i = 0; i < PGR_MAX_TABLES; i++) {
        struct pgr_mark *mark = &database->marks[i];
        struct pgr_table *table;

        if (pg_atomic_read_u64(&mark->columns) == 0 && pg_atomic_read_u64(&mark->unkeyed) == 0)
            continue;
        table = palloc0(sizeof(*table));
        table->oid = pg_atomic_read_u32(&mark->table);
        table->columns = pg_atomic_exchange_u64(&mark->columns, 0);
        table->unkeyed = pg_atomic_exchange_u64(&mark->unkeyed, 0);
        tables = lappend(tables, table);
    }
    return tables;
}

void
pgr_database_take_keys(struct pgr_database *database, uint64 keys[PGR_KEY_BUCKETS])
{
    memset(keys, 0, sizeof(*keys) * PGR_KEY_BUCKETS);
    if (pg_atomic_exchange_u32(&database->has_keys, 0) == 0)
        return;
    for (int i = 0; i < PGR_KEY_BUCKETS; i++)
        if (pg_atomic_read_u64(&database->keys[i]) != 0)
            keys[i] = pg_atomic_exchange_u64(&database->keys[i], 0);
}

void
pgr_count(struct pgr_database *database, enum pgr_counter counter)
{
    if (database != NULL)
        pg_atomic_fetch_add_u64(&database->counters[counter], 1);
}
