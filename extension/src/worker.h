/* SPDX-License-Identifier: MIT */
/*
 * Inside a worker: the subscriptions of its database, and what a tick does with them.
 *
 * A tick is a transaction, or several when it takes long.  What fails for one subscription is
 * rolled back for that one (pgr_guard).  What fails otherwise ends the worker; the next one begins
 * from the tables, which have the messages sent so far and nothing else.
 */
#ifndef PGR_WORKER_H
#define PGR_WORKER_H

#include "executor/spi.h"
#include "utils/hsearch.h"

#include "shared.h"

#define PGR_HASH_BYTES 16

/* A transaction of a tick ends after this, so that messages do not wait for all the others. */
#define PGR_BATCH_MS 50

/* A row of a result: the hash of its JSON, and how many rows are the same. */
struct pgr_row {
    uint8 hash[PGR_HASH_BYTES];
    int32 copies;
    int32 seen;
};

/* Queries of one owner that differ in constants alone (shape.c). */
struct pgr_shape {
    Oid owner;
    char *search_path;
    Query *lifted;           /* with columns of a VALUES list in the place of the constants */
    List *members;           /* struct pgr_subscription */
    List *asked;             /* together, now: lists of members with the same constants */
    TimestampTz apart_until; /* asking them together has not paid */
    MemoryContext memory;
};

struct pgr_subscription {
    char query_id[NAMEDATALEN];
    int64 generation;
    int64 seq; /* of the last message */
    bool notify_only;
    bool active; /* messages of this generation may have been sent */
    Oid owner;
    char *query;
    char *search_path;

    MemoryContext memory; /* of all that it holds */
    bool loaded;
    List *tables;
    List *views;
    char *layout;
    SPIPlanPtr plan;
    struct pgr_shape *shape;
    List *constants; /* Const: its own, where those of the same shape have others */
    uint32 constants_hash;
    MemoryContext constants_memory;
    HTAB *rows;              /* struct pgr_row: what pgr._snap_ has */
    struct pgr_delta *delta; /* of a run together with others, not told yet */
    int64 asked_us;          /* of the processor, for the last run by itself; -1: none yet */
    int slot;

    bool listed;  /* seen in the registry in this pass */
    bool ended;   /* to be taken off the list */
    bool stale;   /* something that it depends on has another definition */
    bool dirty;   /* to be asked again */
    bool filling; /* its first result is no message */
    bool failing;
    bool unsure; /* `rows` may be neither the last result nor this one */
    TimestampTz not_before;
    int retry_ms;      /* its first load has failed for good, and is tried after so long; or 0 */
    bool hurries;      /* it is not loaded, and something in the schema has changed */
    bool new_triggers; /* the last step has put some on tables, and keeps their writers waiting */
};

/* What a result has that the last one had not.  It lives in the current memory context. */
struct pgr_delta {
    int inserted_count;
    Datum *inserted_hashes; /* uuid */
    Datum *inserted_bodies; /* text */
    int deleted_count;      /* rows */
    int gone_count;         /* different rows */
    Datum *gone_hashes;
    Datum *gone_copies;
    List *deleted_bodies; /* C strings, one a row */
    int64 row_count;
    int64 bytes; /* of all rows */
};

/* launcher.c */
extern void pgr_launcher_register(void);
extern PGDLLEXPORT void pgr_launcher_main(Datum argument);

/* worker.c */
extern PGDLLEXPORT void pgr_worker_main(Datum argument);
extern struct pgr_database *pgr_database;

/* Whether this process is the worker of its database, and not a writer that computes. */
extern bool pgr_is_worker(void);

/*
 * Between two subscriptions.  Where writers compute, the worker holds the lock of one at a time, so
 * that it never is what a writer waits for in a circle.
 */
extern void pgr_next_transaction(void);

/* Runs one step for one subscription in a subtransaction.  False: it failed, and why is in `error`.
 */
extern bool pgr_guard(void (*step)(struct pgr_subscription *),
                      struct pgr_subscription *subscription, ErrorData **error);

/* True for what may go well at another time: locks, memory, cancellation, DDL at the same moment.
 */
extern bool pgr_is_passing(const ErrorData *error);

/* registry.c */
extern List *pgr_subscriptions;
extern void pgr_registry_init(void);

/* The columns of the registry that pgr_subscription_read takes, in its order. */
#define PGR_REGISTRY_COLUMNS "query_id, query, mode, owner::oid, search_path, generation, active"
extern struct pgr_subscription *pgr_subscription_read(HeapTuple tuple, TupleDesc columns,
                                                      MemoryContext memory);

/* Whether a query that depends on some tables depends on what was written of one; `any_key`: on
 * any row of it. */
extern bool pgr_tables_concern(List *tables, const struct pgr_table *written, bool any_key);
extern void pgr_registry_read(void);
extern void pgr_registry_mark(List *tables, const uint64 *keys, bool all);

/*
 * Loads what is not loaded, and looks again at what may mean something else now.  It may end the
 * transaction and begin another.
 */
extern void pgr_registry_refresh(void);

/* Ends a subscription for everybody: registry, snapshot, message. */
extern void pgr_subscription_end(struct pgr_subscription *subscription, const char *reason);

/* load.c: steps for pgr_guard.  With new triggers nothing is loaded: that is for the next
 * transaction. */
extern void pgr_subscription_load(struct pgr_subscription *subscription);
extern void pgr_subscription_revalidate(struct pgr_subscription *subscription);

/* A new table for `rows`, with nothing in it. */
extern void pgr_subscription_make_rows(struct pgr_subscription *subscription);
extern SPIPlanPtr pgr_subscription_plan(const struct pgr_subscription *subscription);

/* shape.c */
extern void pgr_shape_join(struct pgr_subscription *subscription, Query *tree);
extern void pgr_shape_leave(struct pgr_subscription *subscription);

/*
 * The statement for several: `places` are lists of constants, and the last column of the result
 * says whose row it is, from 0.  `tree` is the query of one of them, as it is read now.
 */
extern Query *pgr_shape_query(const struct pgr_shape *shape, Query *tree, List *places);

/* dirty.c */
/*
 * The first result of what has just been loaded.  It is no message, so nobody may see the snapshot
 * without it: both are of one transaction.
 */
extern void pgr_subscription_fill(struct pgr_subscription *subscription);

/* Asks again what is marked, and tells what is different.  It may take several transactions. */
extern void pgr_dirty_recompute(void);

/* recompute.c */
/*
 * Where writers compute, they have changed the snapshot since; the lock keeps them from it now.
 */
extern void pgr_subscription_follow_writers(struct pgr_subscription *subscription);

/* What this process has taken of the processor: other load of the machine is not in it. */
extern int64 pgr_processor_us(void);

/* Asks, if nobody has asked for it, and tells.  A step for pgr_guard. */
extern void pgr_subscription_recompute(struct pgr_subscription *subscription);

/*
 * Compares, writes the snapshot and sends the message; false when nothing is different.  `anew`:
 * what others have committed by now counts, not only what the active snapshot has.
 */
extern bool pgr_subscription_publish(struct pgr_subscription *subscription, bool anew);

/* result.c */
/*
 * Runs one statement for all that are in `places`, lists of subscriptions with the same query, and
 * gives each its delta.
 */
extern void pgr_result_compare(List *places);
extern void pgr_result_accept(struct pgr_subscription *subscription, const struct pgr_delta *delta);

/* snapshot.c: as superuser */
/* Reads where the messages stand, and locks it; false when nobody knows. */
extern bool pgr_snapshot_resume(struct pgr_subscription *subscription);
extern void pgr_snapshot_open(struct pgr_subscription *subscription);
extern void pgr_snapshot_change(struct pgr_subscription *subscription, struct pgr_delta *delta);
extern void pgr_snapshot_set_seq(struct pgr_subscription *subscription, int64 seq);
extern void pgr_snapshot_drop(const char *query_id);

/* message.c */
extern void pgr_send_delta(const struct pgr_subscription *subscription, int64 seq,
                           const struct pgr_delta *delta);
extern void pgr_send_invalidated(const struct pgr_subscription *subscription, int64 seq,
                                 const char *reason);
extern void pgr_send_resubscribed(const struct pgr_subscription *subscription);

#endif
