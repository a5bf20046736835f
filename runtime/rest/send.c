/* SPDX-License-Identifier: MIT */
/*
 * From built statements to PostgreSQL's answer.  What failed is answered here; `respond` sees
 * committed rows only.
 */
#include <assert.h>

#include "base/clock.h"
#include "http/gone.h"
#include "http/info.h"
#include "http/work.h"
#include "rest/fail.h"
#include "rest/lsn.h"
#include "rest/request.h"

struct pgs_sql *
pgs__statement(struct pgs_request *rq)
{
    struct pgs_sql *sql = &rq->statements[rq->n_statements];

    assert(rq->n_statements < PGS_MAX_STATEMENTS);
    rq->n_statements++;
    pgs__sql_init(sql, rq->scratch);
    return sql;
}

static void start(struct pgs_request *rq);

/* A read that was lost with its connection has changed nothing: it is asked once more. */
static bool
is_retried(struct pgs_request *rq)
{
    if (!rq->idempotent || rq->retried)
        return false;
    rq->retried = true;
    start(rq);
    return true;
}

static void
fail_lost(struct pgs_request *rq)
{
    pgs__fail(rq, 503, "PGRST001",
              rq->idempotent ? NULL
                             : "The connection broke before the answer came: it was done, or not",
              NULL, "Database connection error");
}

static void
note_times(const struct pgs_request *rq, const struct pgs_txn *txn)
{
    struct pgs_request_info *info = pgs_request_info(rq->req);
    int64_t wait_us, db_us;

    pgs_txn_times(txn, &wait_us, &db_us);
    info->wait_us += wait_us;
    info->db_us += db_us;
    if (info->auth_us > 0)
        info->answered_us = pgs_clock_us();
}

static void
on_done(struct pgs_txn *txn, void *owner)
{
    struct pgs_request *rq = owner;
    struct pgs_db_error error;

    rq->txn = NULL;
    note_times(rq, txn);
    h2o_timeout_unlink(&rq->look);
    switch (pgs_txn_state(txn)) {
    case PGS_TXN_OK:
        rq->respond(rq, txn);
        break;
    case PGS_TXN_FAILED:
        error = pgs_txn_error(txn);
        pgs__fail_database(rq, &error);
        break;
    case PGS_TXN_READ_ONLY:
        pgs__fail(rq, 503, "25006", NULL, NULL, "The database takes no writes at present");
        break;
    case PGS_TXN_UNAVAILABLE:
        pgs__fail(rq, 503, "PGRST001", NULL, NULL, "Database connection error");
        break;
    case PGS_TXN_LOST:
        if (!is_retried(rq))
            fail_lost(rq);
        break;
    case PGS_TXN_BUSY:
        pgs__fail(rq, 503, "PGRST003", NULL, NULL,
                  "Too many requests are waiting for the database");
        break;
    case PGS_TXN_UNWANTED:
        pgs__fail(rq, 499, "PGS106", NULL, NULL, "The client has closed its connection");
        break;
    }
}

/* Over HTTP/1 libh2o does not notice that a client leaves before its answer. */
static void
on_look(h2o_timeout_entry_t *entry)
{
    struct pgs_request *rq = H2O_STRUCT_FROM_MEMBER(struct pgs_request, look, entry);

    if (pgs_client_has_left(rq->req))
        pgs_txn_cancel(rq->txn);
    else
        h2o_timeout_link(rq->req->conn->ctx->loop, &rq->req->conn->ctx->one_sec_timeout, entry);
}

static void
look_after_client(struct pgs_request *rq)
{
    rq->look.cb = on_look;
    if (rq->req->version < 0x200)
        h2o_timeout_link(rq->req->conn->ctx->loop, &rq->req->conn->ctx->one_sec_timeout, &rq->look);
}

void
pgs__forsake(struct pgs_request *rq)
{
    h2o_timeout_unlink(&rq->look);
    if (rq->txn != NULL)
        pgs_txn_detach(rq->txn);
    pgs__lsn_forsake(rq);
}

static void
add_statement(struct pgs_txn *txn, const struct pgs_sql *sql)
{
    pgs_txn_statement(txn, sql->text.at, sql->text.len);
    for (size_t i = 0; i < sql->n_params; i++) {
        if (sql->params[i].at != NULL)
            pgs_txn_bind_text(txn, sql->params[i].at, sql->params[i].len);
        else
            pgs_txn_bind_null(txn);
    }
}

/* The transaction has copied them; a large body need not lie in memory twice while it is sent. */
static void
drop_statements(struct pgs_request *rq)
{
    for (int i = 0; i < rq->n_statements; i++)
        pgs__sql_clear(&rq->statements[i]);
    rq->n_statements = 0;
    h2o_mem_clear_pool(&rq->scratch_pool);
}

static void
start(struct pgs_request *rq)
{
    struct pgs_pool *pool = rq->who.is_service ? rq->thread->admin_pool : rq->thread->pool;

    rq->txn = pgs_txn_new_within(pool, rq->who.session, rq->route->within_ms);
    if (rq->txn == NULL) {
        pgs__fail(rq, 503, "PGRST003", NULL, NULL, "Out of memory");
        return;
    }
    pgs_txn_keep(rq->txn, pgs_work_hold(rq->req));
    if (rq->leaves_traces)
        pgs_txn_leaves_traces(rq->txn);
    for (int i = 0; i < rq->n_statements; i++)
        add_statement(rq->txn, &rq->statements[i]);
    if (!rq->idempotent)
        drop_statements(rq);
    look_after_client(rq);
    pgs_txn_send(rq->txn, rq->slow || rq->route->slow, on_done, rq);
}

void
pgs__send(struct pgs_request *rq, bool built, pgs_respond *respond)
{
    rq->respond = respond;
    if (!built) {
        pgs__fail_refused(rq);
        return;
    }
    for (int i = 0; i < rq->n_statements; i++)
        if (rq->statements[i].text.failed) {
            pgs__fail(rq, 503, "PGRST003", NULL, NULL, "Out of memory");
            return;
        }
    if (rq->who.is_service && rq->thread->admin_pool == NULL) {
        pgs__fail(rq, 503, "PGRST001", NULL, "set ADMIN_DATABASE_URL",
                  "The admin plane has no database connection");
        return;
    }
    start(rq);
}
