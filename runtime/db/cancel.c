/* SPDX-License-Identifier: MIT */
/*
 * Statements that nobody waits for any more.
 *
 * A cancel request hits whatever its backend runs when it arrives.  So it is made only where one
 * transaction, with what is prepared for it, is alone on its connection, and nothing else is sent
 * there until PostgreSQL has said that the signal is out; a backend that is idle by then ignores
 * it.  It is asked for over another connection of the pool, in SQL: that blocks nothing, needs no
 * key in clear text, and names the backend by its process number and its start, which no other
 * backend of any server shares.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "db/pool_private.h"

#define CANCEL_AFTER_MS 100 /* what is quicker ends by itself */

const char pgs__cancel_sql[] =
    "select pg_catalog.pg_cancel_backend(pid) from pg_catalog.pg_stat_activity"
    " where pid = $1::integer and extract(epoch from backend_start) = $2::numeric";

static void
on_cancelled(struct pgs_txn *cancel, void *owner)
{
    struct pgs__conn *conn = owner;

    conn->cancel = NULL;
    switch (pgs_txn_state(cancel)) {
    case PGS_TXN_OK:
        break;
    case PGS_TXN_UNAVAILABLE: /* it was not begun */
    case PGS_TXN_BUSY:
        if (pgs__conn_txn_job(conn) != NULL)
            conn->jobs->is_cancelled = pgs__conn_txn_job(conn)->txn->is_cancelled = false;
        break;
    case PGS_TXN_LOST:
        /* It may arrive at any time, and hit another. */
        pgs__conn_lose(conn, "a cancel request was lost on its way");
        return;
    default:
        PGS_LOG(PGS_LOG_WARN, "database_cancel_failed",
                PGS_LOG_STR("why", pgs_txn_error(cancel).message));
    }
    pgs__pool_changed(conn->pool);
}

/* What cleans up after it does not count: hit in its place, it ends with the connection. */
static bool
is_last(const struct pgs__job *job)
{
    return job->next == NULL || (job->next->kind == PGS__JOB_CLEAN && job->next->next == NULL);
}

bool
pgs__conn_is_forsaken(const struct pgs__conn *conn)
{
    const struct pgs__job *job = pgs__conn_txn_job(conn);

    return conn->state == PGS__CONN_READY && job != NULL && is_last(job) && job->txn->is_unwanted;
}

static bool
is_abandoned(const struct pgs__conn *conn, int64_t now_ms)
{
    return pgs__conn_is_forsaken(conn) && conn->cancel == NULL && !conn->jobs->is_cancelled &&
           now_ms - pgs__conn_txn_job(conn)->txn->sent_us / 1000 >= CANCEL_AFTER_MS;
}

static struct pgs__conn *
choose_another(struct pgs__conn *conn)
{
    struct pgs__conn *quick = pgs__pool_choose(conn->pool, false);

    return quick != NULL && quick != conn ? quick : pgs__pool_choose(conn->pool, true);
}

void
pgs__conn_cancel_abandoned(struct pgs__conn *conn, int64_t now_ms)
{
    char pid[16];
    struct pgs__conn *over;
    struct pgs_txn *cancel;

    if (!is_abandoned(conn, now_ms))
        return;
    over = choose_another(conn);
    if (over == NULL || over == conn)
        return;
    cancel = pgs__pool_own_txn(conn->pool, pgs__cancel_sql);
    if (cancel == NULL)
        return;
    conn->jobs->is_cancelled = true;
    pgs__conn_txn_job(conn)->txn->is_cancelled = true;
    (void)snprintf(pid, sizeof(pid), "%d", PQbackendPID(conn->pg));
    pgs_txn_bind_text(cancel, pid, strlen(pid));
    pgs_txn_bind_text(cancel, conn->backend_start, strlen(conn->backend_start));
    cancel->done = on_cancelled;
    cancel->owner = conn;
    conn->cancel = cancel;
    pgs__pool_send_over(over, cancel);
}

void
pgs__conn_forget_cancel(struct pgs__conn *conn)
{
    if (conn->cancel != NULL)
        pgs_txn_detach(conn->cancel);
    conn->cancel = NULL;
}
