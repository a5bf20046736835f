/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL that does not answer: frozen, or behind a network that carries nothing.
 *
 * A statement may run for long, so silence of its connection says nothing.  A connection that is
 * idle must answer at once: it is asked when another has been silent for a while, and for /health.
 */
#include "base/clock.h"
#include "base/log.h"
#include "db/pool_private.h"

#define PING_EVERY_MS 500
#define PATIENCE_MS 1500

const char pgs__ping_sql[] = "select true";

static void
on_ping(struct pgs_txn *ping, void *owner)
{
    struct pgs_pool *pool = owner;

    (void)ping;
    pool->ping = NULL;
}

static struct pgs__conn *
choose_idle(struct pgs_pool *pool)
{
    struct pgs__conn *quick = pgs__pool_choose(pool, false);

    if (quick != NULL && quick->jobs == NULL)
        return quick;
    return pgs__pool_choose(pool, true);
}

static void
ping(struct pgs_pool *pool, int64_t now_ms)
{
    struct pgs__conn *conn;

    if (pool->ping != NULL || now_ms - pool->ping_sent_ms < PING_EVERY_MS)
        return;
    conn = choose_idle(pool);
    if (conn == NULL)
        return;
    pool->ping = pgs__pool_own_txn(pool, pgs__ping_sql);
    if (pool->ping == NULL)
        return;
    pool->ping->done = on_ping;
    pool->ping->owner = pool;
    pool->ping_sent_ms = now_ms;
    pgs__pool_send_over(conn, pool->ping);
}

static bool
is_silent(const struct pgs__conn *conn, int64_t now_ms)
{
    return conn->state == PGS__CONN_READY && !conn->slow && conn->jobs != NULL &&
           now_ms - conn->heard_ms > PATIENCE_MS;
}

void
pgs__ping_tick(struct pgs_pool *pool, int64_t now_ms)
{
    bool wants_to_know = pool->is_mute;

    for (int i = 0; i < pool->n_conns; i++)
        wants_to_know |= is_silent(&pool->conns[i], now_ms);
    if (wants_to_know)
        ping(pool, now_ms);
    if (pool->ping == NULL || pool->is_mute || now_ms - pool->ping_sent_ms < PATIENCE_MS)
        return;
    PGS_LOG(PGS_LOG_WARN, "database_silent", PGS_LOG_INT("since_ms", now_ms - pool->ping_sent_ms));
    pool->is_mute = true;
}

void
pgs__ping_heard(struct pgs_pool *pool)
{
    if (pool->is_mute)
        PGS_LOG(PGS_LOG_INFO, "database_answers",
                PGS_LOG_INT("after_ms", pgs_clock_ms() - pool->ping_sent_ms));
    pool->is_mute = false;
}

bool
pgs_pool_is_answering(struct pgs_pool *pool)
{
    if (!pgs_pool_is_connected(pool))
        return false;
    ping(pool, pgs_clock_ms());
    return !pool->is_mute;
}
