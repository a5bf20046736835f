/* SPDX-License-Identifier: MIT */
/*
 * What comes back on a connection, job by job.
 *
 * A statement gives its rows and then that it is complete; after an error PostgreSQL says nothing
 * until the Sync, to which it answers that it is ready.  Only then is a commit certain: a deferred
 * constraint fails after all statements have succeeded.
 *
 * The whole answer to a transaction stays in the stream's buffer until its `done` has returned, and
 * is read there.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "codec/sqlstate.h"
#include "db/measure.h"

static bool
has_field(struct pgs_text error, char which, const char *value)
{
    return strcmp(pgs__error_field(error, which), value) == 0;
}

/*
 * PostgreSQL's own error, and none that an application raised with the same code.  The name of the
 * C function is the same in every language of the message.
 */
static bool
is_from(struct pgs_text error, const char *sqlstate, const char *function)
{
    return has_field(error, 'C', sqlstate) && has_field(error, 'R', function);
}

/* With these words PostgreSQL ends a session from its side.  No function of an application can
 * raise FATAL, nor anything in the name of quickdie(), which ends all sessions when one has
 * crashed. */
static bool
is_goodbye(struct pgs_text notice)
{
    return has_field(notice, 'V', "FATAL") || has_field(notice, 'R', "quickdie");
}

/*
 * The transaction failed because of the name or the plan of a prepared statement, not because of
 * itself; it was rolled back, so a second attempt is safe.  Whatever took that statement may have
 * taken others that it needs: the second attempt finds none of them.
 */
static bool
may_retry(struct pgs__conn *conn, struct pgs_txn *txn, int failed_step)
{
    bool is_missing = is_from(txn->error, "26000", "FetchPreparedStatement");
    bool is_stale = is_from(txn->error, "0A000", "RevalidateCachedQuery");
    struct pgs__statement *statement;

    if (failed_step >= txn->n_steps || (!is_missing && !is_stale))
        return false;
    statement = txn->steps[failed_step].statement;
    if (is_missing && statement->error.at != NULL) { /* it was never prepared */
        txn->error = statement->error;
        return !txn->retried && pgs_sqlstate_is_passing(pgs__error_field(statement->error, 'C'));
    }
    if (statement->is_cached && !pgs__conn_forget_statements(conn))
        return false;
    return !txn->retried;
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

/* From when PostgreSQL could begin with it. */
static int64_t
took_us(const struct pgs__conn *conn, const struct pgs_txn *txn, int64_t now_us)
{
    return now_us - (conn->done_us > txn->sent_us ? conn->done_us : txn->sent_us);
}

static void
note_time(struct pgs__conn *conn, const struct pgs_txn *txn)
{
    if (txn->shape != 0)
        pgs__lane_note(&conn->pool->lanes, txn, took_us(conn, txn, conn->pool->reading_us),
                       conn->pool->config.slow_after_ms);
}

/* The others of its kind need not wait for its end. */
void
pgs__conn_note_slow(struct pgs__conn *conn, int64_t now_us)
{
    const struct pgs__job *job = pgs__conn_txn_job(conn);
    const struct pgs_txn *txn = job != NULL ? job->txn : NULL;
    int slow_after_ms = conn->pool->config.slow_after_ms;

    if (txn != NULL && txn->shape != 0 &&
        pgs__lane_is_very_slow(took_us(conn, txn, now_us), slow_after_ms))
        pgs__lane_note(&conn->pool->lanes, txn, took_us(conn, txn, now_us), slow_after_ms);
}

/* By itself: with one_snapshot it is we who want none. */
static bool
takes_no_writes(const struct pgs__conn *conn)
{
    return !conn->pool->config.one_snapshot && (conn->is_standby || conn->is_read_only);
}

static void
fail_too_large(struct pgs_txn *txn)
{
    txn->refused_state = "54000";
    txn->refused = "the answer has too many bytes";
    pgs__pool_deliver(txn, PGS_TXN_FAILED);
}

static void
finish_txn(struct pgs__conn *conn, struct pgs_txn *txn, struct pgs_text error, int n_results)
{
    conn->n_in_flight--;
    note_time(conn, txn);
    txn->answer = conn->stream.in + conn->stream.in_done;
    txn->error = error;
    if (error.at == NULL && txn->is_too_large)
        fail_too_large(txn);
    else if (error.at == NULL && n_results == txn->n_steps)
        pgs__pool_deliver(txn, PGS_TXN_OK);
    else if (has_field(error, 'C', "25006") && takes_no_writes(conn))
        refuse_write(conn, txn);
    else if (error.at != NULL && may_retry(conn, txn, n_results - 1))
        pgs__pool_retry(txn);
    else
        pgs__pool_deliver(txn, PGS_TXN_FAILED);
}

static void
finish_prepare(struct pgs__conn *conn, struct pgs__statement *statement, struct pgs_text error)
{
    if (error.at != NULL) {
        pgs__statement_fail(statement, error);
        pgs__statement_forget(&conn->statements, statement);
    }
    pgs__statement_unref(statement);
}

static void
finish_login(struct pgs__conn *conn, struct pgs_text error, int n_results)
{
    bool answered = error.at == NULL && n_results == 1;
    char why[sizeof(conn->pool->refusal)];

    if (answered && conn->pool->refusal[0] == '\0')
        return;
    (void)snprintf(why, sizeof(why), "%s",
                   answered ? conn->pool->refusal : "the login role could not be checked");
    pgs__conn_lose(conn, why);
}

static void
finish_settings(struct pgs__conn *conn, struct pgs_text error)
{
    if (error.at != NULL) {
        PGS_LOG(PGS_LOG_ERROR, "database_settings_refused",
                PGS_LOG_STR("why", pgs__error_field(error, 'M')));
        pgs__conn_lose(conn, "the session's settings were refused");
        return;
    }
    conn->state = PGS__CONN_READY;
    conn->failures = 0;
    pgs_count(PGS_CELL_POOL_EVENTS + PGS_EVENT_CONNECTED, 1);
    if (pgs__conn_prepare(conn, (struct pgs_text){"", 0},
                          (struct pgs_text){conn->pool->config.session_sql,
                                            strlen(conn->pool->config.session_sql)}) == NULL)
        pgs__conn_lose(conn, "not enough memory");
    else
        pgs__pool_changed(conn->pool);
}

/* The bytes of the first job's answer are not needed any more. */
static void
drop_answer(struct pgs__conn *conn)
{
    conn->stream.in_done += conn->n_read;
    conn->n_read = 0;
}

/* A Sync came back: the first job is over, for good or ill. */
static void
finish_job(struct pgs__conn *conn)
{
    int n_results = conn->n_results;
    struct pgs_text error = {NULL, 0};
    struct pgs__job *job, done;

    if (conn->has_error)
        error = (struct pgs_text){conn->stream.in + conn->stream.in_done + conn->error_at,
                                  conn->error_len};
    job = pgs__conn_take_job(conn);
    done = *job;
    free(job);
    switch (done.kind) {
    case PGS__JOB_LOGIN:
        finish_login(conn, error, n_results);
        break;
    case PGS__JOB_SETTINGS:
        finish_settings(conn, error);
        break;
    case PGS__JOB_PREPARE:
        finish_prepare(conn, done.statement, error);
        break;
    case PGS__JOB_DEALLOCATE: /* if it failed, it was gone already */
        break;
    case PGS__JOB_TXN:
        finish_txn(conn, done.txn, error, n_results);
        break;
    case PGS__JOB_CLEAN:
        pgs__conn_finish_clean(conn, &done, error);
        break;
    }
    conn->done_us = conn->pool->reading_us;
    if (conn->pg == NULL)
        return;
    drop_answer(conn);
}

/* ---- messages ---- */

/* False: no row of this result. */
static bool
on_row(struct pgs__conn *conn, const struct pgs__message *row, size_t at)
{
    struct pgs__result *result = &conn->result;
    int n_columns = pgs__row_columns(row);

    if (conn->jobs == NULL || n_columns < 0 || result->n_rows == INT_MAX ||
        (result->n_rows > 0 && n_columns != result->n_columns))
        return false;
    if (result->n_rows++ == 0) {
        result->first = at;
        result->n_columns = n_columns;
    }
    return true;
}

/* The last column of the answer to our settings. */
static void
keep_backend_start(struct pgs__conn *conn)
{
    const char *row = conn->stream.in + conn->stream.in_done + conn->result.first;
    const char *at = pgs__row_values(row + PGS__MESSAGE_HEAD);
    struct pgs_text value = {NULL, 0};

    for (int i = 0; i < conn->result.n_columns; i++)
        value = pgs__row_next(&at);
    if (value.at != NULL)
        (void)snprintf(conn->backend_start, sizeof(conn->backend_start), "%.*s", (int)value.len,
                       value.at);
}

/* One row has the fault of the role, none is none. */
static void
note_refusal(struct pgs__conn *conn)
{
    const char *row = conn->stream.in + conn->stream.in_done + conn->result.first;
    const char *at = pgs__row_values(row + PGS__MESSAGE_HEAD);
    struct pgs_text fault = {"", 0};

    conn->pool->refusal[0] = '\0';
    if (conn->result.n_rows == 0)
        return;
    if (conn->result.n_columns == 1)
        fault = pgs__row_next(&at);
    (void)snprintf(conn->pool->refusal, sizeof(conn->pool->refusal), "login role \"%s\" %.*s",
                   PQuser(conn->pg), (int)fault.len, fault.at == NULL ? "" : fault.at);
}

/* A statement is complete; its result is the transaction's until its `done` has returned. */
static bool
on_complete(struct pgs__conn *conn, struct pgs_text tag)
{
    struct pgs_txn *txn;
    int step = conn->n_results++;

    if (conn->jobs == NULL)
        return false;
    txn = conn->jobs->txn;
    conn->result.affected = pgs__tag_rows(tag);
    if (conn->jobs->kind == PGS__JOB_LOGIN)
        note_refusal(conn);
    if (conn->jobs->kind == PGS__JOB_SETTINGS && conn->result.n_rows == 1)
        keep_backend_start(conn);
    if (txn != NULL && step < txn->n_steps)
        txn->steps[step].result = conn->result;
    conn->result = (struct pgs__result){0};
    return true;
}

static void
keep_last_words(struct pgs__conn *conn, struct pgs_text error)
{
    (void)snprintf(conn->last_words, sizeof(conn->last_words), "%s:  %s: %s",
                   pgs__error_field(error, 'S'), pgs__error_field(error, 'C'),
                   pgs__error_field(error, 'M'));
    for (char *c = conn->last_words; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

/* Also at the Sync itself: a deferred constraint that fails at commit. */
static bool
on_error(struct pgs__conn *conn, struct pgs_text error, size_t at)
{
    if (!pgs__error_is_sound(error))
        return false;
    if (is_goodbye(error)) {
        conn->said_goodbye = true;
        keep_last_words(conn, error);
    }
    if (conn->jobs == NULL || conn->has_error)
        return true;
    conn->has_error = true;
    conn->error_at = at + PGS__MESSAGE_HEAD;
    conn->error_len = error.len;
    conn->n_results++;
    return true;
}

static bool
on_notice(struct pgs__conn *conn, struct pgs_text notice)
{
    if (!pgs__error_is_sound(notice))
        return false;
    conn->said_goodbye |= is_goodbye(notice);
    return true;
}

static bool
on_parameter(struct pgs__conn *conn, const struct pgs__message *message)
{
    const char *name, *value;

    if (!pgs__parameter_read(message, &name, &value))
        return false;
    if (strcmp(name, "in_hot_standby") == 0)
        conn->is_standby = strcmp(value, "on") == 0;
    else if (strcmp(name, "default_transaction_read_only") == 0)
        conn->is_read_only = strcmp(value, "on") == 0;
    return true;
}

/* `at` is its place in the answer.  False: the connection makes no sense any more. */
static bool
on_message(struct pgs__conn *conn, const struct pgs__message *message, size_t at)
{
    struct pgs_text body = {message->at, message->len};

    switch (message->type) {
    case PGS__MESSAGE_ROW:
        return on_row(conn, message, at);
    case PGS__MESSAGE_COMPLETE:
    case PGS__MESSAGE_EMPTY:
        return on_complete(conn, body);
    case PGS__MESSAGE_READY:
        if (conn->jobs == NULL)
            return false;
        finish_job(conn);
        return true;
    case PGS__MESSAGE_ERROR:
        return on_error(conn, body, at);
    case PGS__MESSAGE_NOTICE:
        return on_notice(conn, body);
    case PGS__MESSAGE_PARAMETER:
        return on_parameter(conn, message);
    case PGS__MESSAGE_PARSED:
    case PGS__MESSAGE_BOUND:
        return conn->jobs != NULL;
    case PGS__MESSAGE_NOTIFICATION:
        return true;
    default:
        return false;
    }
}

/* Its rows are of no use, and are not kept.  No error has come yet: rows do not follow one. */
static void
bound_answer(struct pgs__conn *conn)
{
    size_t max = conn->pool->config.max_answer_bytes;

    if (max == 0 || conn->n_read <= max || conn->jobs == NULL || conn->jobs->txn == NULL)
        return;
    conn->jobs->txn->is_too_large = true;
    drop_answer(conn);
}

bool
pgs__conn_read(struct pgs__conn *conn)
{
    const struct pgs__stream *stream = &conn->stream;

    while (conn->pg != NULL && stream->in_done + conn->n_read < stream->in_len) {
        size_t begin = stream->in_done + conn->n_read, at = conn->n_read;
        struct pgs__message message;
        enum pgs__wire_state state =
            pgs__wire_next(stream->in + begin, stream->in_len - begin, &message);

        if (state != PGS__WIRE_MESSAGE)
            return state == PGS__WIRE_MORE;
        conn->n_read += PGS__MESSAGE_HEAD + message.len;
        if (!on_message(conn, &message, at))
            return false;
        if (conn->pg != NULL && conn->jobs == NULL)
            drop_answer(conn);
        else if (message.type == PGS__MESSAGE_ROW)
            bound_answer(conn);
    }
    return true;
}
