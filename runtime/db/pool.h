/* SPDX-License-Identifier: MIT */
/*
 * The connections of one thread, and the transactions that run in their pipelines.
 *
 * One transaction is one implicit transaction of PostgreSQL: session settings (role and claims,
 * is_local), then its statements, then Sync.  Many are in flight on a connection; an error stays
 * within its own Sync.  Statements are prepared once a connection under (role, text), in a Sync of
 * their own, so that no failure of one request can take a statement from another.
 *
 * A transaction owns itself: it lives until PostgreSQL has answered, whether its requester waits
 * or not.  `done` is called exactly once, on the loop's thread, after the commit is certain
 * (ReadyForQuery) or the transaction has failed; never from inside pgs_txn_send.
 */
#ifndef PGS_DB_POOL_H
#define PGS_DB_POOL_H

#include <h2o.h>

#include "base/buf.h"
#include "base/metric.h"
#include "db/login.h"
#include "pgs/types.h"

struct pgs_pool;
struct pgs_txn;

struct pgs_pool_config {
    const char *conninfo;    /* libpq connection string or URI; never from a client */
    const char *target;      /* constant: target_session_attrs where that has none; or NULL */
    const char *session_sql; /* pgs_app.session_sql */
    size_t n_session;        /* its parameters, role first */
    int connections;         /* pipelined, of this thread */
    int slow_connections;    /* one transaction at a time */
    int max_in_flight;       /* of one pipelined connection */
    int max_waiting;         /* queued in this thread; above it transactions fail at once */
    int max_statements;      /* prepared, of one connection; the least recently used goes */
    int statement_timeout_ms;
    enum pgs_plane plane; /* whose numbers it counts */
    int lock_timeout_ms;  /* 0: none of its own */
    int wait_timeout_ms;  /* longest stay in the queue before sending */
    int slow_after_ms; /* what takes longer goes to a slow connection the next time; 0: nothing */
    size_t max_answer_bytes; /* of a transaction, which fails when more comes; 0: any */
    bool one_snapshot;       /* all statements of a transaction see the same rows, and write none */
    bool comes_later;        /* lets another pool of its thread begin to connect first */
    /* What the role of each new connection must stand up to, not copied; NULL: it is not looked at.
     */
    const struct pgs_login *login;
};

/* Opens the pool on `loop`; texts of `config` are copied; it connects by itself and reconnects with
 * back-off. */
struct pgs_pool *pgs_pool_open(h2o_loop_t *loop, const struct pgs_pool_config *config);

/* Fails what is queued, lets what is in flight end, closes.  The loop must run on until
 * pgs_pool_is_closed. */
void pgs_pool_close(struct pgs_pool *pool);
bool pgs_pool_is_closed(const struct pgs_pool *pool);
void pgs_pool_free(struct pgs_pool *pool);

/* Why the role of the last new connection was refused; NULL: it was not. */
const char *pgs_pool_refusal(const struct pgs_pool *pool);

/* At least one connection is usable. */
bool pgs_pool_is_connected(const struct pgs_pool *pool);

/* The same, and PostgreSQL answers on it: begins to ask, and has what came of the last time. */
bool pgs_pool_is_answering(struct pgs_pool *pool);

enum pgs_txn_state {
    PGS_TXN_OK,
    PGS_TXN_FAILED,      /* PostgreSQL refused: see pgs_txn_error */
    PGS_TXN_READ_ONLY,   /* PostgreSQL takes no writes: a standby */
    PGS_TXN_UNAVAILABLE, /* no connection: nothing was done */
    PGS_TXN_LOST,        /* the connection broke before the answer came: done, or not */
    PGS_TXN_BUSY,        /* the queue is full, or the wait was too long */
    PGS_TXN_UNWANTED,    /* ended by pgs_txn_cancel */
};

/* Texts are valid during `done`. "" where PostgreSQL gave none. */
struct pgs_db_error {
    const char *sqlstate; /* five characters */
    const char *message;
    const char *detail;
    const char *hint;
    bool is_raised;    /* by code of a function, in words of its own: they may hold any value */
    bool is_too_large; /* not PostgreSQL's: it answered more than the pool takes */
};

typedef void pgs_txn_done(struct pgs_txn *txn, void *owner);

/*
 * A new transaction.  `session` are config.n_session values for the session statement (copied);
 * a NULL `at` is sent as an empty string.  session[0] is the role.  NULL: no memory.
 */
struct pgs_txn *pgs_txn_new(struct pgs_pool *pool, const struct pgs_text *session);

/* The same, whose statements may take `within_ms` each; 0, and what is not less than the pool's
 * statement timeout: that holds. */
struct pgs_txn *pgs_txn_new_within(struct pgs_pool *pool, const struct pgs_text *session,
                                   uint32_t within_ms);

/* What starts such a transaction, for the caller to free. */
char *pgs_session_within_sql(const char *session_sql, size_t n_session);

/* Begins a statement; `sql` is copied.  Parameters follow in order.  Eight statements at most. */
void pgs_txn_statement(struct pgs_txn *txn, const char *sql, size_t len);

/* The next parameter, copied.  The statement casts it to the type that it wants. */
void pgs_txn_bind_text(struct pgs_txn *txn, const char *text, size_t len);
void pgs_txn_bind_null(struct pgs_txn *txn);

/* A counted cell of h2o's memory, which the transaction releases when it ends; NULL: none. */
void pgs_txn_keep(struct pgs_txn *txn, void *cell);

/* It runs what may leave something in its session that outlives it: a setting, a lock, a temporary
 * table.  The session is cleaned behind it, whatever becomes of it. */
void pgs_txn_leaves_traces(struct pgs_txn *txn);

/* Complete, and its like has been slow of late: it goes to a slow connection by itself. */
bool pgs_txn_is_slow(struct pgs_txn *txn) __attribute__((warn_unused_result));

/* Queues it; it leaves with all others of this tick in one send.  `slow`: on a connection of its
 * own, so that it holds up no other. */
void pgs_txn_send(struct pgs_txn *txn, bool slow, pgs_txn_done *done, void *owner);

/* The requester has gone: `done` will not be called.  Else as pgs_txn_cancel. */
void pgs_txn_detach(struct pgs_txn *txn);

/* The client has gone, and `done` may come early: unsent work is dropped, and a statement that runs
 * for long, and alone on its connection, is cancelled. */
void pgs_txn_cancel(struct pgs_txn *txn);

/* For a transaction that was made and never sent. */
void pgs_txn_discard(struct pgs_txn *txn);

/* During `done`: */
enum pgs_txn_state pgs_txn_state(const struct pgs_txn *txn);
struct pgs_db_error pgs_txn_error(const struct pgs_txn *txn);
/* Waiting for a connection, and from sending to the answer; 0 as far as it did not come. */
void pgs_txn_times(const struct pgs_txn *txn, int64_t *wait_us, int64_t *db_us);
int pgs_txn_row_count(const struct pgs_txn *txn, int statement);    /* rows returned */
int64_t pgs_txn_affected(const struct pgs_txn *txn, int statement); /* of the command tag */
int pgs_txn_column_count(const struct pgs_txn *txn, int statement); /* 0 where no row came */
/* A value in text form; NULL for SQL null, and where there is none.  Quick in the order of rows and
 * columns. */
const char *pgs_txn_value(struct pgs_txn *txn, int statement, int row, int column, size_t *len);
/* The same for a whole number; 0 for all else. */
int64_t pgs_txn_int(struct pgs_txn *txn, int statement, int row, int column);

#endif
