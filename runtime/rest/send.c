/* SPDX-License-Identifier: MIT */
/*
 * From built statements to PostgreSQL's answer.  What failed is answered here; `respond` sees
 * committed rows only.
 */
#include <string.h>

#include "base/log.h"
#include "rest/request.h"
#include "rest/sqlstate.h"

struct pgs_sql *
pgs__statement(struct pgs_request *rq)
{
    struct pgs_sql *sql = &rq->statements[rq->n_statements++];

    pgs__sql_init(sql, rq->memory);
    return sql;
}

static const char *
or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* What PostgreSQL says about its own troubles is for the log, not for the client. */
static void
fail_internal(struct pgs_request *rq, int status, const struct pgs_db_error *error)
{
    PGS_LOG(PGS_LOG_ERROR, "database_error", PGS_LOG_STR("sqlstate", error->sqlstate),
            PGS_LOG_STR("message", error->message));
    pgs__fail(rq, status, error->sqlstate, NULL, NULL, "%s",
              status == 504 ? "canceling statement due to statement timeout"
                            : "The database could not answer this request");
}

static void
fail_sql(struct pgs_request *rq, const struct pgs_db_error *error)
{
    int status = pgs_sqlstate_status(error->sqlstate, rq->who.role == 0);

    if (strcmp(error->sqlstate, "PGS16") == 0) {
        pgs__fail(rq, 406, "PGRST116", error->message, NULL,
                  "Cannot coerce the result to a single JSON object");
        return;
    }
    if (status >= 500 && strncmp(error->sqlstate, "PT", 2) != 0) {
        fail_internal(rq, status, error);
        return;
    }
    pgs__fail(rq, status, error->sqlstate, or_null(error->detail), or_null(error->hint), "%s",
              error->message);
}

static void start(struct pgs_request *rq);

static void
on_done(struct pgs_txn *txn, void *owner)
{
    struct pgs_request *rq = owner;
    struct pgs_db_error error;

    rq->txn = NULL;
    switch (pgs_txn_state(txn)) {
    case PGS_TXN_OK:
        rq->respond(rq, txn);
        break;
    case PGS_TXN_FAILED:
        error = pgs_txn_error(txn);
        fail_sql(rq, &error);
        break;
    case PGS_TXN_BUSY:
        pgs__fail(rq, 503, "PGRST003", NULL, NULL,
                  "Too many requests are waiting for the database");
        break;
    case PGS_TXN_UNAVAILABLE:
        /* A read that was lost with its connection has changed nothing: ask once more. */
        if (rq->idempotent && !rq->retried) {
            rq->retried = true;
            start(rq);
            break;
        }
        pgs__fail(rq, 503, "PGRST001", NULL, NULL, "Database connection error");
        break;
    }
}

static void
start(struct pgs_request *rq)
{
    struct pgs_pool *pool = rq->who.is_service ? rq->thread->admin_pool : rq->thread->pool;

    rq->txn = pgs_txn_new(pool, rq->who.session);
    for (size_t i = 0; i < rq->n_statements; i++) {
        const struct pgs_sql *sql = &rq->statements[i];

        pgs_txn_statement(rq->txn, sql->text.at, sql->text.len);
        for (size_t p = 0; p < sql->n_params; p++) {
            if (sql->params[p].at != NULL)
                pgs_txn_bind_text(rq->txn, sql->params[p].at, sql->params[p].len);
            else
                pgs_txn_bind_null(rq->txn);
        }
    }
    pgs_txn_send(rq->txn, rq->slow, on_done, rq);
}

void
pgs__send(struct pgs_request *rq, pgs_respond *respond)
{
    rq->respond = respond;
    for (size_t i = 0; i < rq->n_statements; i++)
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
