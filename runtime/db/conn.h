/* SPDX-License-Identifier: MIT */
/*
 * One connection to PostgreSQL on an h2o loop, as a pipeline: libpq connects, then the protocol is
 * spoken by ourselves (db/wire.h).
 *
 * What is sent lies in a queue of jobs, each closed by a Sync of its own; answers come in the same
 * order.  A connection that is lost ends its jobs and opens itself again, later and later.
 */
#ifndef PGS_DB_CONN_H
#define PGS_DB_CONN_H

#include "db/stream.h"
#include "db/txn.h"

/* Sent first over each connection. */
extern const char pgs__settings_sql[];

/* Of the pool itself, beside the requests'. */
extern const char pgs__cancel_sql[];
extern const char pgs__ping_sql[];

/* One after the other, NULL-terminated: what a function may have left in its session. */
extern const char *const pgs__clean_sql[];
extern const char pgs__settings_again_sql[]; /* one of them */
/* The same where the pool has one_snapshot. */
extern const char pgs__snapshot_settings_sql[];

/* What was sent between two Syncs. */
struct pgs__job {
    enum {
        PGS__JOB_LOGIN,
        PGS__JOB_SETTINGS,
        PGS__JOB_PREPARE,
        PGS__JOB_DEALLOCATE,
        PGS__JOB_TXN,
        PGS__JOB_CLEAN,
    } kind;
    struct pgs__job *next;
    struct pgs__statement *statement; /* of PREPARE */
    struct pgs_txn *txn;              /* of TXN */
    bool is_cancelled;                /* that was asked for */
    bool is_second;                   /* of CLEAN: the first one failed */
};

struct pgs__conn {
    /* read-only */
    enum {
        PGS__CONN_DOWN,
        PGS__CONN_CONNECTING,
        PGS__CONN_SETTING_UP,
        PGS__CONN_READY,
    } state;
    bool slow;        /* one transaction at a time */
    bool is_outdated; /* takes no more work; goes when the last answer has come */
    int n_in_flight;  /* transactions */

    /* private */
    struct pgs_pool *pool;
    PGconn *pg;
    h2o_socket_t *socket; /* over a copy of libpq's file descriptor */
    struct pgs__stream stream;
    struct pgs__job *jobs;
    struct pgs__job **jobs_end;
    struct pgs__statements statements;

    /* The answer to the first job begins where the stream is not done with. */
    size_t n_read;             /* bytes of it, so far */
    int n_results;             /* in it, its error included */
    struct pgs__result result; /* that comes */
    size_t error_at, error_len;
    bool has_error;

    bool said_goodbye; /* PostgreSQL ends it, and told so */
    char last_words[512];
    bool is_standby, is_read_only;
    int64_t heard_ms;    /* the last answer, or the first job after none */
    int64_t done_us;     /* when the last job was over */
    int64_t deadline_ms; /* to connect, to retry, or for the next answer */
    int failures;        /* to connect, in a row */
    unsigned hosts_turn; /* of the pool's hosts, when it began to connect */
    char backend_start[32];
    struct pgs_txn *cancel; /* under way on another connection; NULL: none */
};

void pgs__conn_init(struct pgs__conn *conn, struct pgs_pool *pool, bool slow);

/* Begins to connect. */
void pgs__conn_open(struct pgs__conn *conn);

/* Sends a transaction; prepares what it needs before.  The connection is ready. */
void pgs__conn_send(struct pgs__conn *conn, struct pgs_txn *txn);

/* After one or more pgs__conn_send: hands all that was written to the socket. */
void pgs__conn_flush(struct pgs__conn *conn);

/* Deadlines and retries; called every few milliseconds while the pool is not at rest. */
void pgs__conn_tick(struct pgs__conn *conn, int64_t now_ms);

/* Nothing is under way and nothing is waited for. */
bool pgs__conn_is_at_rest(const struct pgs__conn *conn);

/* ---- connect.c ---- */

/* h2o watches a copy of libpq's file descriptor until this. */
void pgs__conn_unwatch(struct pgs__conn *conn);

/* How long to wait after so many failures in a row: up to a second, half of it by chance. */
int64_t pgs__conn_backoff_ms(int failures);

/* Tells the log why a connection was lost, or could not be had.  `why` has no secrets. */
void pgs__conn_log_loss(const struct pgs__conn *conn, const char *why);

/* The connection string asks for a server that takes writes. */
bool pgs__wants_writes(PGconn *pg);

/* The parameters of the settings. */
struct pgs__settings {
    char statement_timeout[16], lock_timeout[16];
    struct pgs_text texts[2];
};

/* Fills them in, and says how many there are. */
int pgs__settings_values(const struct pgs_pool *pool, struct pgs__settings *values);

/* ---- clean.c ---- */

/* Prepares what the next one needs.  False: no memory; then the connection must be given up. */
bool pgs__conn_prepare_clean(struct pgs__conn *conn) __attribute__((warn_unused_result));

/* Sends what makes the session as it was when the connection was new, in a Sync of its own.  False:
 * the connection must be given up. */
bool pgs__conn_clean(struct pgs__conn *conn, bool again) __attribute__((warn_unused_result));

/* It has come back.  After an error it is sent once more, or the connection is given up. */
void pgs__conn_finish_clean(struct pgs__conn *conn, const struct pgs__job *job,
                            struct pgs_text error);

/* ---- cancel.c ---- */

/* It works for one transaction alone, which nobody waits for. */
bool pgs__conn_is_forsaken(const struct pgs__conn *conn) __attribute__((warn_unused_result));

/* Ends the statement that nobody waits for any more, when it runs for long, and alone. */
void pgs__conn_cancel_abandoned(struct pgs__conn *conn, int64_t now_ms);

/* The connection has ended: what was to be cancelled has, too. */
void pgs__conn_forget_cancel(struct pgs__conn *conn);

/* ---- between conn.c, connect.c and answer.c ---- */

void pgs__conn_on_ready(h2o_socket_t *socket, const char *err);

/* NULL: no memory. */
struct pgs__job *pgs__conn_add_job(struct pgs__conn *conn, int kind);

/* Takes in what has come.  False: it makes no sense, and the connection must be given up.
 * conn->pg is NULL where it was lost on the way. */
bool pgs__conn_read(struct pgs__conn *conn) __attribute__((warn_unused_result));

/* What PostgreSQL works on is found slow before its answer is there. */
void pgs__conn_note_slow(struct pgs__conn *conn, int64_t now_us);

/* The job of the oldest transaction, if all before it prepare its statements; or NULL. */
struct pgs__job *pgs__conn_txn_job(const struct pgs__conn *conn);

/* The oldest job; the caller frees it. */
struct pgs__job *pgs__conn_take_job(struct pgs__conn *conn);

/* What is prepared already, or pgs__conn_prepare in the place of one that is not.  NULL: no memory.
 */
struct pgs__statement *pgs__conn_statement(struct pgs__conn *conn, struct pgs_text role,
                                           struct pgs_text sql);

/* In a Sync of its own: whatever becomes of the transaction that needs it, others find it prepared.
 * NULL: no memory; then the connection must be given up. */
struct pgs__statement *pgs__conn_prepare(struct pgs__conn *conn, struct pgs_text role,
                                         struct pgs_text sql);

/* Ends all statements, on the server too, in a Sync of its own: what was sent before still finds
 * them.  False: no memory; then the connection must be given up. */
bool pgs__conn_forget_statements(struct pgs__conn *conn);

/* Gives the connection up; it will be opened again.  `why` has no secrets. */
void pgs__conn_lose(struct pgs__conn *conn, const char *why);

/* One statement without a name, in a Sync of its own. */
void pgs__conn_query(struct pgs__conn *conn, const char *sql, const struct pgs_text *values, int n);

/* Closes it for good; what is in flight ends as unavailable. */
void pgs__conn_close(struct pgs__conn *conn);

#endif
