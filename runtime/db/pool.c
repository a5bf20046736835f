/* SPDX-License-Identifier: MIT */
/*
 * Everything happens at the end of a turn of the loop, in `flush`: what the turn's requests have
 * queued goes out together, and no `done` is called from inside a call of its owner.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/log.h"
#include "db/hmac.h"
#include "db/measure.h"

#define TICK_MS 50
#define MIN_STATEMENTS 16     /* more than one transaction can need */
#define DOWN_PATIENCE_MS 1000 /* without a connection, before new work fails at once */

enum queue {
    QUICK,
    SLOW,
};

static struct pgs_txn *
first(h2o_linklist_t *list)
{
    return H2O_STRUCT_FROM_MEMBER(struct pgs_txn, link, list->next);
}

static void
wake(h2o_loop_t *loop, h2o_timeout_t *timeout, h2o_timeout_entry_t *entry)
{
    if (!h2o_timeout_is_linked(entry))
        h2o_timeout_link(loop, timeout, entry);
}

static void
schedule_flush(struct pgs_pool *pool)
{
    wake(pool->loop, &pool->now, &pool->flush);
}

static void
start_ticking(struct pgs_pool *pool)
{
    wake(pool->loop, &pool->soon, &pool->tick);
}

/* ---- ends ---- */

void
pgs__pool_deliver(struct pgs_txn *txn, enum pgs_txn_state state)
{
    txn->state = txn->is_cancelled && state == PGS_TXN_FAILED ? PGS_TXN_UNWANTED : state;
    txn->phase = PGS__TXN_DELIVERING;
    pgs__measure_end(txn);
    if (txn->done != NULL)
        txn->done(txn, txn->owner);
    pgs__txn_free(txn);
}

/* Its `done` comes at the end of this turn. */
static void
end_later(struct pgs_txn *txn, enum pgs_txn_state state)
{
    txn->state = state;
    txn->phase = PGS__TXN_ENDED;
    h2o_linklist_insert(&txn->pool->ended, &txn->link);
    schedule_flush(txn->pool);
}

static void
end_busy(struct pgs_txn *txn)
{
    pgs_limit_hit(PGS_LIMIT_WAITING);
    end_later(txn, PGS_TXN_BUSY);
}

static void
unqueue(struct pgs_txn *txn)
{
    h2o_linklist_unlink(&txn->link);
    txn->pool->n_queued--;
    pgs__measure_queued(txn, -1);
}

static void
deliver_ended(struct pgs_pool *pool)
{
    while (!h2o_linklist_is_empty(&pool->ended)) {
        struct pgs_txn *txn = first(&pool->ended);

        h2o_linklist_unlink(&txn->link);
        pgs__pool_deliver(txn, txn->state);
    }
}

/* ---- sending ---- */

static bool
takes_work(const struct pgs__conn *conn)
{
    return conn->state == PGS__CONN_READY && conn->cancel == NULL && !conn->is_outdated;
}

struct pgs__conn *
pgs__pool_choose(struct pgs_pool *pool, bool slow)
{
    struct pgs__conn *best = NULL;
    int room = slow ? 1 : pool->config.max_in_flight;

    for (int i = 0; i < pool->n_conns; i++) {
        struct pgs__conn *conn = &pool->conns[i];

        if (conn->slow != slow || !takes_work(conn) || conn->n_in_flight >= room ||
            (slow && conn->jobs != NULL)) /* not clean yet */
            continue;
        if (best == NULL || conn->n_in_flight < best->n_in_flight)
            best = conn;
    }
    return best;
}

static void
send_queue(struct pgs_pool *pool, enum queue which)
{
    h2o_linklist_t *queue = &pool->queues[which];
    int64_t now_us = h2o_linklist_is_empty(queue) ? 0 : pgs_clock_us();
    struct pgs__conn *conn;

    while (!h2o_linklist_is_empty(queue) &&
           (conn = pgs__pool_choose(pool, which == SLOW)) != NULL) {
        struct pgs_txn *txn = first(queue);

        unqueue(txn);
        pgs__measure_sent(txn, now_us);
        pgs__conn_send(conn, txn);
    }
}

void
pgs__pool_send_over(struct pgs__conn *conn, struct pgs_txn *txn)
{
    txn->slow = conn->slow;
    txn->queued_us = pgs_clock_us();
    pgs__measure_sent(txn, txn->queued_us);
    pgs__conn_send(conn, txn);
    schedule_flush(conn->pool);
    start_ticking(conn->pool);
}

static void
on_flush(h2o_timeout_entry_t *entry)
{
    struct pgs_pool *pool = H2O_STRUCT_FROM_MEMBER(struct pgs_pool, flush, entry);

    send_queue(pool, QUICK);
    send_queue(pool, SLOW);
    for (int i = 0; i < pool->n_conns; i++)
        if (pool->conns[i].state == PGS__CONN_READY)
            pgs__conn_flush(&pool->conns[i]);
    deliver_ended(pool);
    pgs__measure_pool(pool);
}

struct pgs_text *
pgs__pool_values(struct pgs_pool *pool, int n)
{
    if (n > pool->values_room) {
        struct pgs_text *values = realloc(pool->values, (size_t)n * sizeof(*values));

        if (values == NULL)
            return NULL;
        pool->values = values;
        pool->values_room = n;
    }
    return pool->values;
}

static void
queue_again(struct pgs_txn *txn)
{
    struct pgs_pool *pool = txn->pool;
    h2o_linklist_t *queue = &pool->queues[txn->slow ? SLOW : QUICK];

    pgs__txn_rewind(txn);
    if (txn->done == NULL || txn->is_unwanted || pool->is_closing) {
        pgs__pool_deliver(txn, txn->is_unwanted ? PGS_TXN_UNWANTED : PGS_TXN_UNAVAILABLE);
        return;
    }
    txn->phase = PGS__TXN_QUEUED;
    h2o_linklist_insert(queue->next, &txn->link);
    pool->n_queued++;
    pgs__measure_queued(txn, 1);
    pgs_count(PGS_CELL_RETRIES, 1);
    schedule_flush(pool);
}

void
pgs__pool_retry(struct pgs_txn *txn)
{
    txn->retried = true;
    queue_again(txn);
}

void
pgs__pool_requeue(h2o_linklist_t *txns)
{
    while (!h2o_linklist_is_empty(txns)) {
        struct pgs_txn *last = H2O_STRUCT_FROM_MEMBER(struct pgs_txn, link, txns->prev);

        h2o_linklist_unlink(&last->link);
        queue_again(last);
    }
}

void
pgs__pool_renew(struct pgs_pool *pool)
{
    for (int i = 0; i < pool->n_conns; i++)
        pool->conns[i].is_outdated = pool->conns[i].state == PGS__CONN_READY;
}

/* ---- time ---- */

static bool
is_at_rest(const struct pgs_pool *pool)
{
    for (int i = 0; i < pool->n_conns; i++)
        if (!pgs__conn_is_at_rest(&pool->conns[i]))
            return false;
    return pool->n_queued == 0 && !pool->is_mute;
}

static bool
is_down(const struct pgs_pool *pool)
{
    return pool->is_closing || pool->is_mute ||
           (pool->down_since_ms >= 0 && pgs_clock_ms() - pool->down_since_ms > DOWN_PATIENCE_MS);
}

/* A queue is in order of age.  While PostgreSQL is away, nobody waits out the whole time. */
static void
expire(struct pgs_pool *pool, h2o_linklist_t *queue, int64_t now_ms)
{
    while (!h2o_linklist_is_empty(queue)) {
        struct pgs_txn *txn = first(queue);

        if (now_ms - txn->queued_us / 1000 < pool->config.wait_timeout_ms && !is_down(pool))
            return;
        unqueue(txn);
        if (pgs_pool_is_connected(pool) && !pool->is_mute)
            end_busy(txn);
        else
            end_later(txn, PGS_TXN_UNAVAILABLE);
    }
}

static bool
has_forsaken(const struct pgs_pool *pool)
{
    for (int i = 0; i < pool->n_conns; i++)
        if (pgs__conn_is_forsaken(&pool->conns[i]))
            return true;
    return false;
}

/* But for those that may be needed to cancel what would hold up the end. */
static void
close_idle(struct pgs_pool *pool)
{
    bool may_cancel = has_forsaken(pool);

    for (int i = 0; i < pool->n_conns; i++)
        if (pool->conns[i].state != PGS__CONN_READY || (pool->conns[i].jobs == NULL && !may_cancel))
            pgs__conn_close(&pool->conns[i]);
}

static void
tick(struct pgs__conn *conn, int64_t now_ms)
{
    pgs__conn_tick(conn, now_ms);
    pgs__conn_cancel_abandoned(conn, now_ms);
    pgs__conn_note_slow(conn, pgs_clock_us());
}

static void
on_tick(h2o_timeout_entry_t *entry)
{
    struct pgs_pool *pool = H2O_STRUCT_FROM_MEMBER(struct pgs_pool, tick, entry);
    int64_t now_ms = pgs_clock_ms();

    for (int i = 0; i < pool->n_conns; i++)
        tick(&pool->conns[i], now_ms);
    pgs__ping_tick(pool, now_ms);
    expire(pool, &pool->queues[QUICK], now_ms);
    expire(pool, &pool->queues[SLOW], now_ms);
    if (pool->is_closing)
        close_idle(pool);
    if (!is_at_rest(pool) && !pgs_pool_is_closed(pool))
        start_ticking(pool);
}

void
pgs__pool_changed(struct pgs_pool *pool)
{
    bool was_down = pool->down_since_ms >= 0;

    pgs__measure_pool(pool);
    if (pool->is_closing) {
        close_idle(pool);
        return;
    }
    if (pgs_pool_is_connected(pool)) {
        if (was_down) {
            PGS_LOG(PGS_LOG_INFO, "database_connected",
                    PGS_LOG_INT("after_ms", pgs_clock_ms() - pool->down_since_ms));
            pgs__pool_hurry(pool);
        }
        pool->down_since_ms = -1;
    } else if (!was_down) {
        pool->down_since_ms = pgs_clock_ms();
    }
    if (pool->n_queued > 0)
        schedule_flush(pool);
    if (!is_at_rest(pool))
        start_ticking(pool);
}

/* ---- opening and closing ---- */

static char *
copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *kept = malloc(size);

    if (kept == NULL)
        abort();
    return memcpy(kept, text, size);
}

struct pgs_pool *
pgs_pool_open(h2o_loop_t *loop, const struct pgs_pool_config *config)
{
    struct pgs_pool *pool = calloc(1, sizeof(*pool));
    int n = config->connections + config->slow_connections;

    if (pool == NULL)
        abort();
    pool->loop = loop;
    pool->config = *config;
    pool->config.conninfo = copy(config->conninfo);
    pool->config.session_sql = copy(config->session_sql);
    pool->session_within_sql = pgs_session_within_sql(config->session_sql, config->n_session);
    pgs__hosts_init(&pool->hosts, config->conninfo);
    if (pool->config.max_statements < MIN_STATEMENTS)
        pool->config.max_statements = MIN_STATEMENTS;
    pool->conns = calloc((size_t)n, sizeof(*pool->conns));
    if (pool->conns == NULL)
        abort();
    pool->n_conns = n;
    pool->down_since_ms = pgs_clock_ms();
    h2o_linklist_init_anchor(&pool->queues[QUICK]);
    h2o_linklist_init_anchor(&pool->queues[SLOW]);
    h2o_linklist_init_anchor(&pool->ended);
    h2o_timeout_init(loop, &pool->now, 0);
    pool->flush.cb = on_flush;
    h2o_timeout_init(loop, &pool->soon, TICK_MS);
    pool->tick.cb = on_tick;
    for (int i = 0; i < n; i++)
        pgs__conn_init(&pool->conns[i], pool, i >= config->connections);
    if (!config->comes_later)
        pgs__conn_open(&pool->conns[0]);
    pgs__hmac_open(); /* while PostgreSQL begins its session */
    pgs__pool_hurry(pool);
    start_ticking(pool);
    return pool;
}

static void
fail_queue(h2o_linklist_t *queue)
{
    while (!h2o_linklist_is_empty(queue)) {
        struct pgs_txn *txn = first(queue);

        unqueue(txn);
        end_later(txn, PGS_TXN_UNAVAILABLE);
    }
}

void
pgs_pool_close(struct pgs_pool *pool)
{
    pool->is_closing = true;
    fail_queue(&pool->queues[QUICK]);
    fail_queue(&pool->queues[SLOW]);
    close_idle(pool);
    schedule_flush(pool);
    start_ticking(pool);
}

bool
pgs_pool_is_closed(const struct pgs_pool *pool)
{
    for (int i = 0; i < pool->n_conns; i++)
        if (pool->conns[i].state != PGS__CONN_DOWN)
            return false;
    return pool->is_closing && pool->ended.next == &pool->ended;
}

void
pgs_pool_free(struct pgs_pool *pool)
{
    for (int i = 0; i < pool->n_conns; i++)
        pgs__conn_close(&pool->conns[i]);
    deliver_ended(pool);
    h2o_timeout_unlink(&pool->flush);
    h2o_timeout_unlink(&pool->tick);
    h2o_timeout_dispose(pool->loop, &pool->now);
    h2o_timeout_dispose(pool->loop, &pool->soon);
    free((char *)(uintptr_t)pool->config.conninfo);
    free((char *)(uintptr_t)pool->config.session_sql);
    free(pool->session_within_sql);
    pgs__hosts_clear(&pool->hosts);
    free(pool->values);
    free(pool->conns);
    free(pool);
}

bool
pgs_pool_is_connected(const struct pgs_pool *pool)
{
    for (int i = 0; i < pool->n_conns; i++)
        if (pool->conns[i].state == PGS__CONN_READY)
            return true;
    return false;
}

/* ---- transactions ---- */

/* What is declared slow is not looked at; what was found slow is, so that it can come back. */
static bool
belongs_to_slow(const struct pgs_pool *pool, struct pgs_txn *txn, bool declared)
{
    return declared ? pool->config.slow_connections > 0 : pgs_txn_is_slow(txn);
}

void
pgs_txn_send(struct pgs_txn *txn, bool slow, pgs_txn_done *done, void *owner)
{
    struct pgs_pool *pool = txn->pool;

    txn->done = done;
    txn->owner = owner;
    txn->slow = belongs_to_slow(pool, txn, slow);
    txn->queued_us = pgs_clock_us();
    if (txn->refused != NULL) {
        end_later(txn, PGS_TXN_FAILED);
    } else if (is_down(pool)) {
        end_later(txn, PGS_TXN_UNAVAILABLE);
    } else if (pool->n_queued >= pool->config.max_waiting) {
        end_busy(txn);
    } else {
        txn->phase = PGS__TXN_QUEUED;
        h2o_linklist_insert(&pool->queues[txn->slow ? SLOW : QUICK], &txn->link);
        pool->n_queued++;
        pgs__measure_queued(txn, 1);
        schedule_flush(pool);
        start_ticking(pool);
    }
}

void
pgs_txn_cancel(struct pgs_txn *txn)
{
    txn->is_unwanted = true;
    if (txn->phase == PGS__TXN_QUEUED) {
        unqueue(txn);
        end_later(txn, PGS_TXN_UNWANTED);
    }
}

void
pgs_txn_detach(struct pgs_txn *txn)
{
    txn->done = NULL;
    txn->is_unwanted = true;
    if (txn->phase == PGS__TXN_QUEUED) {
        unqueue(txn);
        pgs__txn_free(txn);
    } else if (txn->phase == PGS__TXN_ENDED) {
        h2o_linklist_unlink(&txn->link);
        pgs__txn_free(txn);
    }
}
