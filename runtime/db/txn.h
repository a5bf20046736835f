/* SPDX-License-Identifier: MIT */
/*
 * What a transaction is inside db/: its texts, where it is on its way, its results.
 */
#ifndef PGS_DB_TXN_H
#define PGS_DB_TXN_H

#include "db/pool.h"
#include "db/statement.h"
#include "db/wire.h"

#define PGS__MAX_STEPS 9  /* the session's settings, then eight statements */
#define PGS__FEW_PARAMS 8 /* that need no memory of their own */

/* What one statement gave.  Its rows lie in the transaction's answer. */
struct pgs__result {
    size_t first; /* offset of its first row's message */
    int n_rows;
    int n_columns; /* of its rows */
    int64_t affected;
};

/* The value that comes next when all are read in order. */
struct pgs__cursor {
    const struct pgs__result *result; /* NULL: none was read yet */
    const char *row_at;
    const char *value_at;
    int row;
    int column;
};

/* One statement to execute. */
struct pgs__step {
    size_t sql; /* offset into bytes */
    size_t sql_len;
    int first_param;
    int n_params;
    struct pgs__statement *statement; /* on the connection that it was sent on */
    struct pgs__result result;
};

/* Where a parameter lies in `bytes`. */
struct pgs__param {
    size_t at; /* SIZE_MAX: null */
    size_t len;
};

struct pgs_txn {
    struct pgs_pool *pool;
    h2o_linklist_t link; /* in a queue of the pool */
    enum {
        PGS__TXN_NEW,
        PGS__TXN_QUEUED,
        PGS__TXN_IN_FLIGHT,
        PGS__TXN_ENDED, /* waits for its `done` */
        PGS__TXN_DELIVERING,
    } phase;
    bool slow;
    bool leaves_traces; /* in its session, for all that is known */
    bool retried;
    bool is_unwanted; /* its client has gone */
    bool is_cancelled;
    bool is_too_large;  /* its answer: the rows were let go as they came */
    pgs_txn_done *done; /* NULL: the requester has gone */
    void *owner;
    void *kept; /* a counted cell, released at the end; NULL: none */
    int64_t queued_us;
    int64_t sent_us; /* 0: not yet */
    int64_t db_us;

    struct pgs_buf bytes;      /* all texts */
    struct pgs__param *params; /* those here, or others where there are more */
    struct pgs__param few_params[PGS__FEW_PARAMS];
    int n_params;
    int params_room;
    struct pgs__step steps[PGS__MAX_STEPS];
    int n_steps;
    size_t role_len; /* the role is the first parameter */
    uint64_t shape;  /* of lane.h; 0: its time says nothing */

    enum pgs_txn_state state;
    const char *answer;        /* what PostgreSQL sent, until `done` has returned */
    struct pgs__cursor cursor; /* in it */
    struct pgs_text error;     /* its error, or that of the prepare of a statement; NULL: none */
    const char *refused_state; /* or: why it was never sent, a SQLSTATE and a constant sentence */
    const char *refused;
};

/* Forgets what an attempt left, so that it may be sent again. */
void pgs__txn_rewind(struct pgs_txn *txn);

void pgs__txn_free(struct pgs_txn *txn);

struct pgs_text pgs__txn_role(const struct pgs_txn *txn);
struct pgs_text pgs__txn_sql(const struct pgs_txn *txn, const struct pgs__step *step);

/* Writes one step; `values` has room for its parameters. */
void pgs__txn_execute(const struct pgs_txn *txn, const struct pgs__step *step, struct pgs_buf *out,
                      struct pgs_text *values);

#endif
