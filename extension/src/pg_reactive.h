/* SPDX-License-Identifier: MIT */
/*
 * pg_reactive: live queries off the write path.
 *
 * A writer's statement triggers note which tables and columns it touched, in memory of its own
 * (marks.c), and its commit adds them to shared memory (shared.c).  One worker a database
 * (worker.c) takes what is marked at each tick, asks the subscriptions again that depend on it
 * (recompute.c), and is the only process that writes pgr._snap_ tables and sends NOTIFY.
 */
#ifndef PG_REACTIVE_H
#define PG_REACTIVE_H

#include "postgres.h"

#include "access/attnum.h"
#include "datatype/timestamp.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

#define PGR_EXTENSION "pg_reactive"
#define PGR_TRIGGER "pgr_mark"
#define PGR_KEY_TRIGGER "pgr_key"
#define PGR_SNAPSHOT "_snap_"
#define PGR_SNAPSHOT_KEY "_uniq_"

/* A query_id behind PGR_SNAPSHOT or PGR_SNAPSHOT_KEY is still a name. */
#define PGR_ID_BYTES (NAMEDATALEN - sizeof(PGR_SNAPSHOT))

/* What a client may make the worker hold. */
#define PGR_MAX_QUERY_BYTES (64 * 1024)
#define PGR_MAX_ROWS 100000
#define PGR_MAX_BYTES (64 * 1024 * 1024)

/*
 * Columns of a table as bits: column n is bit n % 63, so two columns may share one, which costs a
 * recompute and never misses one.  The last bit stands for the rows as such: insert, delete,
 * truncate.
 */
#define PGR_ALL_COLUMNS (~UINT64CONST(0))
#define PGR_ROWS (UINT64CONST(1) << 63)

static inline uint64
pgr_column_bit(int attribute)
{
    return UINT64CONST(1) << (attribute % 63);
}

/*
 * Keys: a query that reads only rows of a table with `column = constant` depends on writes of such
 * rows alone.  A key is a bucket, and several may share one, which costs a recompute as well.
 */
#define PGR_KEY_BUCKETS 4096

/* Columns of a table whose values writers mark; with others a query depends on the whole table. */
#define PGR_MAX_KEYS 4

/* ---- settings (pg_reactive.c) ---- */

extern bool pgr_async_recompute;
extern bool pgr_batch_invalidation;
extern int pgr_max_subscriptions;
extern char *pgr_databases;
extern char *pgr_notify_channel;
extern int pgr_tick_interval_ms;
extern int pgr_query_timeout_ms;

/* ---- marks (marks.c) ---- */

/* Makes this process's commits mark nothing: the worker reads its own writes. */
extern void pgr_marks_ignore(void);
extern void pgr_marks_init(void);

/* ---- the writer computes (sync.c); used only with async_recompute = off ---- */

struct pgr_table;

/*
 * Asks again what depends on written tables, in the writer's transaction, and sends its messages.
 * False: the worker has to do some of it after the commit.
 */
extern bool pgr_sync_recompute(List *tables, bool all);

/* ---- what a query depends on (query.c, volatility.c, watch.c) ---- */

struct pgr_table {
    Oid oid;
    uint64 columns; /* a mark without one of these bits does not concern the query */
    AttrNumber key; /* a query reads no row without the value of `bucket` in this column; 0: any */
    uint32 bucket;
    uint64 unkeyed; /* of a mark: columns that concern those alone which depend on any row */
};

struct pgr_query {
    Query *tree;  /* rewritten */
    List *tables; /* struct pgr_table, one an oid */
    List *views;  /* oids: what stands behind them is among the tables */
    char *layout; /* names and types of the columns */
};

/*
 * Reads a query as the current user, under the current search_path.  Raises an error with the
 * reason when it cannot be watched.  All of it lives in the current memory context.
 */
extern void pgr_query_read(const char *text, struct pgr_query *query);

/* The same without a look at what it depends on: for one that has been read before. */
extern Query *pgr_query_analyze(const char *text);

/* Adds a table to a list of struct pgr_table, where it stands once: with two keys it has none. */
extern List *pgr_tables_add(List *tables, const struct pgr_table *table);

/* An array of their oids. */
extern Datum pgr_tables_oids(List *tables);

/* Raises an error when a part of an expression may change its value without a write. */
extern void pgr_refuse_volatile(Node *node);

/* Adds the tables through which rows of these can change: partitions, children, their parents. */
extern List *pgr_tables_close(List *tables);

/* Raises an error when writes to a table cannot be seen. */
extern void pgr_refuse_unwatchable(Oid table);

/*
 * As superuser: gives the tables the triggers that mark; true if one had none, or it was off.  A
 * key that they cannot mark is taken off its table in the list.
 */
extern bool pgr_tables_watch(List *tables);

/*
 * As superuser: drops the triggers of tables that no subscription uses.  True if some of those are
 * in use at the moment, and have theirs still.
 */
extern bool pgr_tables_unwatch(void);

/* ---- keys (keys.c) ---- */

/* The key by which a query reads a relation of its own FROM, where its WHERE says one. */
extern void pgr_key_find(Query *query, int relation, struct pgr_table *table);

/* ---- acting as somebody (session.c) ---- */

struct pgr_session {
    Oid user;
    int security;
    int guc_level;
};

/* Until pgr_session_leave: as a user, with a search_path.  An error leaves it with its
 * subtransaction. */
extern void pgr_session_enter(struct pgr_session *before, Oid user, const char *search_path);
extern void pgr_session_enter_superuser(struct pgr_session *before);
extern void pgr_session_leave(const struct pgr_session *before);

/* From here on what this process is given to run may not notify: what it sends itself is believed.
 */
extern void pgr_session_silence(void);

/* Where PostgreSQL is about to: an error, if so. */
extern void pgr_refuse_notify(void);

/* SPI_execute_with_args that must do what it should. */
extern void pgr_sql(const char *text, int count, Oid *types, Datum *values, const char *nulls);

/* A statement without parameters. */
extern void pgr_command(const char *format, ...) pg_attribute_printf(1, 2);

#endif
