/* SPDX-License-Identifier: MIT */
/*
 * What connections and transactions ask of their pool.
 */
#ifndef PGS_DB_POOL_PRIVATE_H
#define PGS_DB_POOL_PRIVATE_H

#include "db/conn.h"
#include "db/pool.h"

struct pgs_pool {
    h2o_loop_t *loop;
    struct pgs_pool_config config; /* texts are copies */
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
    bool is_closing;
    const char **values; /* scratch, for the parameters of one statement */
    int values_room;
};

/* Calls `done`, unless the requester has gone, and frees the transaction. */
void pgs__pool_deliver(struct pgs_txn *txn, enum pgs_txn_state state);

/* Queues it again, first of all, for a second attempt; a pool that closes makes none. */
void pgs__pool_retry(struct pgs_txn *txn);

/* A connection has become ready, has room again, or was lost. */
void pgs__pool_changed(struct pgs_pool *pool);

/* Some connection has failed to connect since it last succeeded: that has been said. */
bool pgs__pool_is_failing(const struct pgs_pool *pool);

/* Room for the parameters of any statement of `txn`. */
const char **pgs__pool_values(struct pgs_pool *pool, int n);

#endif
