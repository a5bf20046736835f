/* SPDX-License-Identifier: MIT */
/*
 * One connection to PostgreSQL on an h2o loop, in libpq's pipeline mode.
 *
 * What is sent lies in a queue of jobs, each closed by a Sync of its own; answers come in the same
 * order.  A connection that is lost ends its jobs and opens itself again, later and later.
 */
#ifndef PGS_DB_CONN_H
#define PGS_DB_CONN_H

#include "db/txn.h"

/* Sent first over each connection. */
extern const char pgs__settings_sql[];

/* What was sent between two Syncs. */
struct pgs__job {
    enum {
        PGS__JOB_SETTINGS,
        PGS__JOB_PREPARE,
        PGS__JOB_DEALLOCATE,
        PGS__JOB_TXN,
    } kind;
    struct pgs__job *next;
    struct pgs__statement *statement; /* of PREPARE */
    struct pgs_txn *txn;              /* of TXN */
};

struct pgs__conn {
    /* read-only */
    enum {
        PGS__CONN_DOWN,
        PGS__CONN_CONNECTING,
        PGS__CONN_SETTING_UP,
        PGS__CONN_READY,
    } state;
    bool slow;       /* one transaction at a time */
    int n_in_flight; /* transactions */

    /* private */
    struct pgs_pool *pool;
    PGconn *pg;
    h2o_socket_t *socket; /* over a copy of libpq's file descriptor */
    struct pgs__job *jobs;
    struct pgs__job **jobs_end;
    struct pgs__statements statements;
    int n_results; /* of the first job, so far */
    PGresult *job_error;
    int64_t deadline_ms; /* to connect, to retry, or for the next answer */
    int failures;        /* to connect, in a row */
};

void pgs__conn_init(struct pgs__conn *conn, struct pgs_pool *pool, bool slow);

/* Begins to connect. */
void pgs__conn_open(struct pgs__conn *conn);

/* Sends a transaction; prepares what it needs before.  The connection is ready. */
void pgs__conn_send(struct pgs__conn *conn, struct pgs_txn *txn);

/* After one or more pgs__conn_send: hands what libpq still holds to the socket. */
void pgs__conn_flush(struct pgs__conn *conn);

/* Deadlines and retries; called every few milliseconds while the pool is not at rest. */
void pgs__conn_tick(struct pgs__conn *conn, int64_t now_ms);

/* Nothing is under way and nothing is waited for. */
bool pgs__conn_is_at_rest(const struct pgs__conn *conn);

/* Between conn.c and answer.c. */

/* Takes in what has come.  False: it makes no sense, and the connection must be given up.
 * conn->pg is NULL where it was lost on the way. */
bool pgs__conn_read(struct pgs__conn *conn) __attribute__((warn_unused_result));

/* The oldest job; the caller frees it. */
struct pgs__job *pgs__conn_take_job(struct pgs__conn *conn);

/* In a Sync of its own: whatever becomes of the transaction that needs it, others find it prepared.
 * NULL: it could not be sent. */
struct pgs__statement *pgs__conn_prepare(struct pgs__conn *conn, struct pgs_text role,
                                         struct pgs_text sql);

/* Ends all statements, on the server too, in a Sync of its own: what was sent before still finds
 * them.  False: it could not be sent. */
bool pgs__conn_forget_statements(struct pgs__conn *conn);

/* Gives the connection up; it will be opened again.  `why` has no secrets. */
void pgs__conn_lose(struct pgs__conn *conn, const char *why);
void pgs__conn_lose_with_message(struct pgs__conn *conn); /* libpq's */

/* Closes it for good; what is in flight ends as unavailable. */
void pgs__conn_close(struct pgs__conn *conn);

#endif
