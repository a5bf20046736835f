/* SPDX-License-Identifier: MIT */
/*
 * What comes back on a connection, job by job.
 *
 * A command gives one result, then a NULL; after an error the rest of its job is reported as
 * aborted; the Sync is a result of its own.  Only then is a commit certain: a deferred constraint
 * fails after all commands have succeeded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/measure.h"

static bool
is_state(const PGresult *error, const char *sqlstate)
{
    const char *is = PQresultErrorField(error, PG_DIAG_SQLSTATE);

    return is != NULL && strcmp(is, sqlstate) == 0;
}

/* Not the statement's fault: it may be prepared another time. */
static bool
is_passing(const PGresult *error)
{
    const char *is = PQresultErrorField(error, PG_DIAG_SQLSTATE);

    return is == NULL || strncmp(is, "57", 2) == 0 || strncmp(is, "53", 2) == 0 ||
           strncmp(is, "55", 2) == 0 || strncmp(is, "40", 2) == 0;
}

/*
 * PostgreSQL's own error, and none that an application raised with the same code.  The name of the
 * C function is the same in every language of the message.
 */
static bool
is_from(const PGresult *error, const char *sqlstate, const char *function)
{
    const char *is = PQresultErrorField(error, PG_DIAG_SOURCE_FUNCTION);

    return is_state(error, sqlstate) && is != NULL && strcmp(is, function) == 0;
}

/*
 * The transaction failed because of the name or the plan of a prepared statement, not because of
 * itself; it was rolled back, so a second attempt is safe.  Whatever took that statement may have
 * taken others that it needs: the second attempt finds none of them.
 */
static bool
may_retry(struct pgs__conn *conn, struct pgs_txn *txn, const PGresult *error, int failed_step)
{
    bool is_missing = is_from(error, "26000", "FetchPreparedStatement");
    bool is_stale = is_from(error, "0A000", "RevalidateCachedQuery");
    struct pgs__statement *statement;

    if (failed_step >= txn->n_steps || (!is_missing && !is_stale))
        return false;
    statement = txn->steps[failed_step].statement;
    if (is_missing && statement->error != NULL) { /* it was never prepared */
        txn->borrowed = statement->error;
        return !txn->retried && is_passing(statement->error);
    }
    if (statement->is_cached && !pgs__conn_forget_statements(conn))
        return false;
    return !txn->retried;
}

/* The server has become a standby, or was told to take no writes. */
static bool
is_read_only(PGconn *pg)
{
    static const char *const settings[] = {"in_hot_standby", "default_transaction_read_only"};

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        const char *value = PQparameterStatus(pg, settings[i]);

        if (value != NULL && strcmp(value, "on") == 0)
            return true;
    }
    return false;
}

/* A write that a standby refused was not done.  Where the connection string asks for a server that
 * takes writes, another connection will find it. */
static void
refuse_write(struct pgs__conn *conn, struct pgs_txn *txn)
{
    if (pgs__wants_writes(conn->pg)) {
        pgs__pool_renew(conn->pool);
        if (!txn->retried) {
            pgs__pool_retry(txn);
            return;
        }
    }
    pgs__pool_deliver(txn, PGS_TXN_READ_ONLY);
}

static void
finish_txn(struct pgs__conn *conn, struct pgs_txn *txn, PGresult *error, int n_results)
{
    conn->n_in_flight--;
    txn->error = error;
    if (error == NULL && n_results == txn->n_steps)
        pgs__pool_deliver(txn, PGS_TXN_OK);
    else if (error != NULL && is_state(error, "25006") && is_read_only(conn->pg))
        refuse_write(conn, txn);
    else if (error != NULL && may_retry(conn, txn, error, n_results - 1))
        pgs__pool_retry(txn);
    else
        pgs__pool_deliver(txn, PGS_TXN_FAILED);
}

static void
finish_prepare(struct pgs__conn *conn, struct pgs__statement *statement, PGresult *error)
{
    if (error != NULL) {
        statement->error = error;
        pgs__statement_forget(&conn->statements, statement);
    }
    pgs__statement_unref(statement);
}

static void
finish_settings(struct pgs__conn *conn, PGresult *error)
{
    if (error != NULL) {
        const char *why = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);

        PGS_LOG(PGS_LOG_ERROR, "database_settings_refused", PGS_LOG_STR("why", why));
        PQclear(error);
        pgs__conn_lose(conn, "the session's settings were refused");
        return;
    }
    conn->state = PGS__CONN_READY;
    conn->failures = 0;
    pgs_count(PGS_CELL_POOL_EVENTS + PGS_EVENT_CONNECTED, 1);
    if (pgs__conn_prepare(conn, (struct pgs_text){"", 0},
                          (struct pgs_text){conn->pool->config.session_sql,
                                            strlen(conn->pool->config.session_sql)}) == NULL)
        pgs__conn_lose_with_message(conn);
    else
        pgs__pool_changed(conn->pool);
}

/* A Sync came back: the first job is over, for good or ill. */
static void
finish_job(struct pgs__conn *conn)
{
    int n_results = conn->n_results;
    struct pgs__job *job = pgs__conn_take_job(conn);
    PGresult *error = conn->job_error;
    struct pgs__job done = *job;

    free(job);
    conn->job_error = NULL;
    switch (done.kind) {
    case PGS__JOB_SETTINGS:
        finish_settings(conn, error);
        break;
    case PGS__JOB_PREPARE:
        finish_prepare(conn, done.statement, error);
        break;
    case PGS__JOB_DEALLOCATE:
        PQclear(error); /* it was gone already */
        break;
    case PGS__JOB_TXN:
        finish_txn(conn, done.txn, error, n_results);
        break;
    }
    if (conn->is_outdated && conn->jobs == NULL)
        pgs__conn_lose(conn, "the server takes no writes any more");
}

/* Keeps the result of a transaction's statement until its `done` has returned. */
static void
keep_result(struct pgs__conn *conn, PGresult *result)
{
    struct pgs_txn *txn = conn->jobs->txn;
    int step = conn->n_results++;

    if (conn->jobs->kind == PGS__JOB_SETTINGS && PQntuples(result) == 1)
        (void)snprintf(conn->backend_start, sizeof(conn->backend_start), "%s",
                       PQgetvalue(result, 0, PQnfields(result) - 1));
    if (txn != NULL && step > 0 && step < txn->n_steps)
        txn->steps[step].result = result;
    else
        PQclear(result);
}

static void
keep_error(struct pgs__conn *conn, PGresult *error)
{
    if (conn->job_error != NULL) {
        PQclear(error);
        return;
    }
    conn->job_error = error;
    conn->n_results++;
}

/* False: the connection makes no sense any more. */
static bool
on_result(struct pgs__conn *conn, PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        finish_job(conn);
        return true;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        keep_result(conn, result);
        return true;
    case PGRES_PIPELINE_ABORTED:
        PQclear(result);
        return true;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
        /* Also at the Sync itself: a deferred constraint that fails at commit. */
        conn->said_goodbye |= pgs__is_goodbye(result);
        keep_error(conn, result);
        return true;
    default:
        PQclear(result);
        return false;
    }
}

bool
pgs__conn_read(struct pgs__conn *conn)
{
    int empty = 0;

    while (conn->pg != NULL && conn->jobs != NULL && PQisBusy(conn->pg) == 0) {
        PGresult *result = PQgetResult(conn->pg);

        if (result != NULL) {
            empty = 0;
            if (!on_result(conn, result))
                return false;
        } else if (++empty > 3) {
            /* One is due between two commands.  More: the server has said goodbye, and the end of
             * the connection is on its way. */
            break;
        }
    }
    return true;
}
