/* SPDX-License-Identifier: MIT */
/*
 * What backends and workers share.  A writer's commit only sets bits: no lock, nothing that can
 * fail.
 *
 * A mark follows visibility: it is set after the commit has become visible, and the worker takes it
 * before its snapshot.  So what was marked is seen; what is seen may be marked again, and then
 * nothing is different.
 */
#ifndef PGR_SHARED_H
#define PGR_SHARED_H

#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"

#include "pg_reactive.h"

#define PGR_MAX_DATABASES 64

/* Tables with marks, a database.  Writes to more of them than this mark everything. */
#define PGR_MAX_TABLES 1024

#define PGR_COUNTERS(X)                                                                            \
    X(ticks)                                                                                       \
    X(recomputes)                                                                                  \
    X(together)                                                                                    \
    X(unchanged)                                                                                   \
    X(notifications)                                                                               \
    X(overflows)                                                                                   \
    X(evictions)                                                                                   \
    X(failures)                                                                                    \
    X(ended)                                                                                       \
    X(all_dirty)

enum pgr_counter {
#define X(name) PGR_COUNT_##name,
    PGR_COUNTERS(X)
#undef X
    PGR_COUNTER_COUNT
};

/* What a query's text, its values and their JSON depend on.  One that is longer is not kept. */
#define PGR_SETTING_BYTES 128
#define PGR_SETTINGS(X)                                                                            \
    X(row_security)                                                                                \
    X(DateStyle)                                                                                   \
    X(TimeZone)                                                                                    \
    X(timezone_abbreviations)                                                                      \
    X(IntervalStyle)                                                                               \
    X(extra_float_digits)                                                                          \
    X(bytea_output)                                                                                \
    X(xmlbinary)                                                                                   \
    X(xmloption)                                                                                   \
    X(lc_monetary)                                                                                 \
    X(lc_numeric)                                                                                  \
    X(lc_time)                                                                                     \
    X(default_text_search_config)                                                                  \
    X(array_nulls)                                                                                 \
    X(quote_all_identifiers)                                                                       \
    X(standard_conforming_strings)                                                                 \
    X(backslash_quote)                                                                             \
    X(transform_null_equals)

enum pgr_setting {
#define X(name) PGR_SETTING_##name,
    PGR_SETTINGS(X)
#undef X
    PGR_SETTING_COUNT
};

/* Some may be prepared that are older than the marks; one wrote more tables than it could mark. */
#define PGR_PREPARED_BEFORE 1
#define PGR_PREPARED_ALL 2

struct pgr_mark {
    pg_atomic_uint32 table;
    pg_atomic_uint64 columns;
    pg_atomic_uint64 unkeyed;  /* the same, for what does not go by keys */
    pg_atomic_uint64 prepared; /* written by prepared transactions, whenever those commit */
};

struct pgr_database {
    pg_atomic_uint32 oid; /* 0: free */
    pg_atomic_uint32 woken;
    pg_atomic_uint32 all;
    pg_atomic_uint32 registry;
    pg_atomic_uint32 quit;
    pg_atomic_uint32 unknown_prepared; /* what the marks of prepared ones do not say */
    pg_atomic_uint32 busy;
    pg_atomic_uint64 loads; /* odd while the worker reads the registry; never goes back */
    int pid;
    Latch *latch;
    pg_atomic_uint64 counters[PGR_COUNTER_COUNT];
    bool has_settings;
    char settings[PGR_SETTING_COUNT][PGR_SETTING_BYTES]; /* of the worker; under the lock */
    struct pgr_mark marks[PGR_MAX_TABLES];
    pg_atomic_uint32 has_keys;
    pg_atomic_uint64 keys[PGR_KEY_BUCKETS]; /* columns of rows with a value of the bucket */
};

struct pgr_slot {
    Oid database; /* InvalidOid: free */
    char query_id[NAMEDATALEN];
    int64 generation;
    int32 table_count;
    int64 row_count;
    int64 invalidation_count;
    int64 recompute_count;
    double recompute_ms;
    pg_atomic_uint64 last_used;
    char failing[6]; /* SQLSTATE of the last recompute; empty if it went well */
};

struct pgr_shared {
    LWLock *lock; /* of slots, and of taking and leaving a database */
    Latch *launcher;
    pg_atomic_uint32 wanted; /* a database that the launcher is to give a worker */
    pg_atomic_uint32 rescan; /* it is to look at all databases */
    struct pgr_database databases[PGR_MAX_DATABASES];
    struct pgr_slot slots[FLEXIBLE_ARRAY_MEMBER];
};

/* NULL unless preloaded. */
extern struct pgr_shared *pgr_shared;

extern void pgr_shared_init(void);

/* NULL when no worker serves it: then nothing needs a mark. */
extern struct pgr_database *pgr_database_find(Oid oid);

/* The entry for a worker; NULL if another one serves it, or there is no room. */
extern struct pgr_database *pgr_database_take(Oid oid);
extern void pgr_database_leave(struct pgr_database *database);

/* For a commit, or for that of a prepared transaction later.  These cannot fail. */
extern void pgr_database_mark(struct pgr_database *database, Oid table, uint64 columns,
                              uint64 unkeyed);
extern void pgr_database_mark_key(struct pgr_database *database, uint32 bucket, uint64 columns);
extern void pgr_database_mark_prepared(struct pgr_database *database, Oid table, uint64 columns);
extern void pgr_database_commit_prepared(struct pgr_database *database);
extern void pgr_database_wake(struct pgr_database *database);
extern void pgr_databases_wake(void);

/* Asks for a worker for a database. */
extern void pgr_launcher_want(Oid database);

/* Makes the launcher look for workers that have ended. */
extern void pgr_launcher_wake(void);

/* What has been marked since the last time, as a list of struct pgr_table, and by bucket. */
extern List *pgr_database_take_marks(struct pgr_database *database);
extern void pgr_database_take_keys(struct pgr_database *database, uint64 keys[PGR_KEY_BUCKETS]);

extern void pgr_count(struct pgr_database *database, enum pgr_counter counter);

/* ---- settings of the worker (settings.c) ---- */

extern void pgr_settings_keep(struct pgr_database *database);

/* Until pgr_settings_leave, or an error: as the worker has them; false when it has said nothing
 * yet. */
extern bool pgr_settings_enter(struct pgr_database *database, int *level);
extern void pgr_settings_leave(int level);

/* ---- slots (slots.c): one a subscription that a worker holds ---- */

/* A free slot, made its own; -1 when all are taken. */
extern int pgr_slot_take(Oid database, const char *query_id);
extern void pgr_slot_free(int slot);

/* What its readers see of a failure. */
extern void pgr_slot_fail(int slot, int sqlstate);

/* The least recently used slot of a database, or -1. */
extern int pgr_slot_oldest(Oid database);
extern void pgr_slots_free_all(Oid database);
extern bool pgr_slot_use(Oid database, const char *query_id);
extern int pgr_slots_count(Oid database);

#endif
