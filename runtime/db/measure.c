/* SPDX-License-Identifier: MIT */
#include "db/measure.h"

#include "base/clock.h"

_Static_assert(PGS_LABELS_OUTCOMES == PGS_TXN_UNWANTED + 1,
               "a label for each end of a transaction");

static int
lane_of(const struct pgs_pool *pool, bool slow)
{
    return (int)pool->config.plane * PGS_LANES + (slow ? PGS_LANE_SLOW : PGS_LANE_QUICK);
}

void
pgs__measure_sent(struct pgs_txn *txn, int64_t now_us)
{
    txn->sent_us = now_us;
    pgs_observe(PGS_CELL_POOL_WAIT, lane_of(txn->pool, txn->slow), now_us - txn->queued_us);
}

void
pgs__measure_end(struct pgs_txn *txn)
{
    const struct pgs_pool *pool = txn->pool;

    pgs_count(PGS_CELL_TRANSACTIONS + (int)txn->state, 1);
    if (txn->state == PGS_TXN_FAILED)
        pgs_count_error(pgs_txn_error(txn).sqlstate);
    if (txn->sent_us == 0)
        return;
    txn->db_us = (pool->reading_us > 0 ? pool->reading_us : pgs_clock_us()) - txn->sent_us;
    pgs_observe(PGS_CELL_DATABASE, lane_of(pool, txn->slow), txn->db_us);
}

static enum pgs_conn_shown
shown_state(const struct pgs__conn *conn)
{
    switch (conn->state) {
    case PGS__CONN_DOWN:
        return PGS_SHOWN_DOWN;
    case PGS__CONN_CONNECTING:
    case PGS__CONN_SETTING_UP:
        return PGS_SHOWN_CONNECTING;
    case PGS__CONN_READY:
        break;
    }
    return conn->n_in_flight > 0 ? PGS_SHOWN_BUSY : PGS_SHOWN_IDLE;
}

void
pgs__measure_queued(const struct pgs_txn *txn, int change)
{
    pgs_gauge_add(PGS_CELL_POOL_WAITING + lane_of(txn->pool, txn->slow), change);
}

void
pgs__measure_pool(const struct pgs_pool *pool)
{
    uint64_t shown[2][PGS_SHOWN_STATES] = {{0}}, in_flight[2] = {0}, statements = 0;

    for (int i = 0; i < pool->n_conns; i++) {
        const struct pgs__conn *conn = &pool->conns[i];

        shown[conn->slow][shown_state(conn)]++;
        in_flight[conn->slow] += (uint64_t)conn->n_in_flight;
        statements += (uint64_t)conn->statements.n;
    }
    for (int slow = 0; slow < 2; slow++) {
        int lane = lane_of(pool, slow == 1);

        for (int state = 0; state < PGS_SHOWN_STATES; state++)
            pgs_gauge_set(PGS_CELL_POOL_CONNECTIONS + lane * PGS_SHOWN_STATES + state,
                          shown[slow][state]);
        pgs_gauge_set(PGS_CELL_POOL_IN_FLIGHT + lane, in_flight[slow]);
    }
    pgs_gauge_set(PGS_CELL_STATEMENTS + (int)pool->config.plane, statements);
}
