/* SPDX-License-Identifier: MIT */
#include "rest/lsn.h"

#include "http/work.h"
#include "rest/respond.h"

static const char lsn_sql[] = PGS_LSN_SQL;

static void
answer(struct pgs_request *rq)
{
    struct pgs_buf body = rq->kept.body;

    pgs_buf_init(&rq->kept.body, 0);
    if (rq->kept.has_body)
        pgs__reply_json(rq, rq->kept.status, &body);
    else
        pgs_reply_empty(rq->req, rq->kept.status);
}

/* What was written is written: an answer without the header says so as well. */
static void
on_lsn(struct pgs_txn *txn, void *owner)
{
    struct pgs_request *rq = owner;
    size_t len = 0;
    const char *lsn;

    rq->txn = NULL;
    if (pgs_txn_state(txn) == PGS_TXN_OK && (lsn = pgs_txn_value(txn, 0, 0, 0, &len)) != NULL)
        pgs_reply_header(rq->req, "pgstack-lsn", h2o_strdup(&rq->req->pool, lsn, len).base, len);
    answer(rq);
}

bool
pgs__lsn_first(struct pgs_request *rq, int status, struct pgs_buf *body)
{
    struct pgs_pool *pool = rq->who.is_service ? rq->thread->admin_pool : rq->thread->pool;

    if ((!rq->prefer.lsn && !rq->is_followed) || rq->idempotent)
        return false;
    rq->txn = pgs_txn_new_within(pool, rq->who.session, rq->route->within_ms);
    if (rq->txn == NULL)
        return false;
    rq->kept.status = status;
    rq->kept.has_body = body != NULL;
    if (body != NULL)
        rq->kept.body = *body;
    pgs_txn_keep(rq->txn, pgs_work_hold(rq->req));
    pgs_txn_statement(rq->txn, lsn_sql, sizeof(lsn_sql) - 1);
    pgs_txn_send(rq->txn, false, on_lsn, rq);
    return true;
}

void
pgs__lsn_forsake(struct pgs_request *rq)
{
    pgs_buf_clear(&rq->kept.body);
}
