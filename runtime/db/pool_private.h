/* SPDX-License-Identifier: MIT */
/*
 * What connections and transactions ask of their pool.
 */
#ifndef PGS_DB_POOL_PRIVATE_H
#define PGS_DB_POOL_PRIVATE_H

#include "db/conn.h"
#include "db/hosts.h"
#include "db/lane.h"
#include "db/pool.h"

struct pgs_pool {
    h2o_loop_t *loop;
    struct pgs_pool_config config; /* texts are copies */
    char *session_within_sql;      /* the same, and a time for each statement */
    struct pgs__conn *conns;       /* pipelined ones first */
    int n_conns;
    h2o_linklist_t queues[2]; /* of transactions: quick, slow */
    int n_queued;
    h2o_linklist_t ended; /* transactions whose `done` is due */
    h2o_timeout_t now;    /* 0 ms: at the end of this turn of the loop */
    h2o_timeout_entry_t flush;
    h2o_timeout_t soon;
    h2o_timeout_entry_t tick;
    int64_t reading_us;    /* when what is read now has come; 0: nothing is read */
    int64_t down_since_ms; /* no connection is ready; -1: one is */
    struct pgs__hosts hosts;
    struct pgs__lanes lanes;
    struct pgs_txn *ping; /* under way; NULL: none */
    int64_t ping_sent_ms;
    bool is_mute; /* PostgreSQL has left it without an answer */
    bool is_closing;
    char refusal[256];       /* "": none */
    struct pgs_text *values; /* scratch, for the parameters of one statement */
    int values_room;
};

/* Calls `done`, unless the requester has gone, and frees the transaction. */
void pgs__pool_deliver(struct pgs_txn *txn, enum pgs_txn_state state);

/* Queues it again, first of all, for a second attempt; a pool that closes makes none. */
void pgs__pool_retry(struct pgs_txn *txn);

/* Queues those that were not begun again, first of all, in their order. */
void pgs__pool_requeue(h2o_linklist_t *txns);

/* Replaces all connections, each when its last answer has come. */
void pgs__pool_renew(struct pgs_pool *pool);

/* The least busy connection of a kind that has room; NULL: none. */
struct pgs__conn *pgs__pool_choose(struct pgs_pool *pool, bool slow);

/* A transaction of the login itself, which takes no role. */
struct pgs_txn *pgs__pool_own_txn(struct pgs_pool *pool, const char *sql);

/* Sends it over a connection that the pool's choice has given. */
void pgs__pool_send_over(struct pgs__conn *conn, struct pgs_txn *txn);

/* Asks PostgreSQL, when there is reason to; called with the pool's tick. */
void pgs__ping_tick(struct pgs_pool *pool, int64_t now_ms);

/* An answer came, to whatever. */
void pgs__ping_heard(struct pgs_pool *pool);

/* A connection has become ready, has room again, or was lost. */
void pgs__pool_changed(struct pgs_pool *pool);

/* Some connection has failed to connect since it last succeeded: that has been said. */
bool pgs__pool_is_failing(const struct pgs_pool *pool);

/* One that has failed before is connecting: the others wait for what comes of it. */
bool pgs__pool_is_probing(const struct pgs_pool *pool);

/* One has succeeded: the others need not wait any longer. */
void pgs__pool_hurry(struct pgs_pool *pool);

/* Room for the parameters of any statement of `txn`; NULL: no memory. */
struct pgs_text *pgs__pool_values(struct pgs_pool *pool, int n);

#endif
