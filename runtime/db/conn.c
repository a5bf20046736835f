/* SPDX-License-Identifier: MIT */
/*
 * What is written stays in the stream's buffer until the end of the turn: one send(2) for all.
 */
#include "db/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/measure.h"

#define SILENCE_MS 5000 /* beyond the statement timeout */

void
pgs__conn_init(struct pgs__conn *conn, struct pgs_pool *pool, bool slow)
{
    memset(conn, 0, sizeof(*conn));
    conn->pool = pool;
    conn->slow = slow;
    conn->jobs_end = &conn->jobs;
    pgs__statements_init(&conn->statements);
}

/* ---- jobs ---- */

/* Something was sent or came: the next answer may take this long. */
static void
put_off_deadline(struct pgs__conn *conn)
{
    conn->heard_ms = pgs_clock_ms();
    conn->deadline_ms = conn->heard_ms + conn->pool->config.statement_timeout_ms + SILENCE_MS;
}

struct pgs__job *
pgs__conn_add_job(struct pgs__conn *conn, int kind)
{
    struct pgs__job *job = malloc(sizeof(*job));

    if (job == NULL)
        return NULL;
    *job = (struct pgs__job){.kind = kind};
    if (conn->jobs == NULL)
        put_off_deadline(conn);
    *conn->jobs_end = job;
    conn->jobs_end = &job->next;
    return job;
}

struct pgs__job *
pgs__conn_txn_job(const struct pgs__conn *conn)
{
    struct pgs__job *job = conn->jobs;

    while (job != NULL && job->kind == PGS__JOB_PREPARE)
        job = job->next;
    return job != NULL && job->kind == PGS__JOB_TXN ? job : NULL;
}

struct pgs__job *
pgs__conn_take_job(struct pgs__conn *conn)
{
    struct pgs__job *job = conn->jobs;

    conn->jobs = job->next;
    if (conn->jobs == NULL)
        conn->jobs_end = &conn->jobs;
    conn->n_results = 0;
    conn->has_error = false;
    conn->result = (struct pgs__result){0};
    return job;
}

/* From here on it is the connection's, and ends with it; false: it has ended, without memory. */
static bool
set_phase_in_flight(struct pgs__conn *conn, struct pgs_txn *txn)
{
    struct pgs__job *job = pgs__conn_add_job(conn, PGS__JOB_TXN);

    if (job == NULL) {
        pgs__pool_deliver(txn, PGS_TXN_UNAVAILABLE);
        return false;
    }
    txn->phase = PGS__TXN_IN_FLIGHT;
    conn->n_in_flight++;
    job->txn = txn;
    return true;
}

/* ---- the end of a connection ---- */

/*
 * PostgreSQL said goodbye: what it sent before has all come, so a transaction of which nothing has
 * come was not begun.
 */
static void
end_job(struct pgs__conn *conn, struct pgs__job *job, bool is_untouched, h2o_linklist_t *again)
{
    if (job->statement != NULL)
        pgs__statement_unref(job->statement);
    if (job->txn != NULL) {
        conn->n_in_flight--;
        if (is_untouched)
            h2o_linklist_insert(again, &job->txn->link);
        else
            pgs__pool_deliver(job->txn, PGS_TXN_LOST);
    }
    free(job);
}

static void
end_jobs(struct pgs__conn *conn, bool is_untouched)
{
    h2o_linklist_t again;

    h2o_linklist_init_anchor(&again);
    while (conn->jobs != NULL) {
        end_job(conn, pgs__conn_take_job(conn), is_untouched, &again);
        is_untouched = conn->said_goodbye;
    }
    pgs__pool_requeue(&again);
}

static void
disconnect(struct pgs__conn *conn)
{
    int n_good = conn->n_results - (conn->has_error ? 1 : 0);

    pgs__stream_close(&conn->stream);
    PQfinish(conn->pg);
    conn->pg = NULL;
    pgs__conn_unwatch(conn);
    conn->state = PGS__CONN_DOWN;
    conn->n_read = 0;
    conn->last_words[0] = '\0';
    pgs__conn_forget_cancel(conn);
    pgs__statements_clear(&conn->statements);
    end_jobs(conn, conn->said_goodbye && n_good == 0);
    conn->said_goodbye = false;
    conn->is_outdated = false;
}

void
pgs__conn_lose(struct pgs__conn *conn, const char *why)
{
    bool was_ready = conn->state == PGS__CONN_READY;

    pgs_count(PGS_CELL_POOL_EVENTS + (was_ready ? PGS_EVENT_LOST : PGS_EVENT_FAILED), 1);
    if (!conn->pool->is_closing && (was_ready || !pgs__pool_is_failing(conn->pool)))
        pgs__conn_log_loss(conn, why);
    conn->failures = was_ready ? 0 : conn->failures + 1;
    conn->deadline_ms = pgs_clock_ms() + pgs__conn_backoff_ms(conn->failures);
    disconnect(conn);
    pgs__pool_changed(conn->pool);
}

void
pgs__conn_close(struct pgs__conn *conn)
{
    disconnect(conn);
}

/* ---- sending ---- */

struct pgs__statement *
pgs__conn_prepare(struct pgs__conn *conn, struct pgs_text role, struct pgs_text sql)
{
    struct pgs__statement *statement = pgs__statement_add(&conn->statements, role, sql);
    struct pgs__job *job;

    if (statement == NULL || (job = pgs__conn_add_job(conn, PGS__JOB_PREPARE)) == NULL)
        return NULL;
    job->statement = pgs__statement_ref(statement);
    pgs__wire_parse(&conn->stream.out, statement->name, pgs__statement_sql(statement));
    pgs__wire_sync(&conn->stream.out);
    pgs_count(PGS_CELL_PREPARED, 1);
    return statement;
}

void
pgs__conn_query(struct pgs__conn *conn, const char *sql, const struct pgs_text *values, int n)
{
    pgs__wire_parse(&conn->stream.out, "", (struct pgs_text){sql, strlen(sql)});
    pgs__wire_bind(&conn->stream.out, "", values, n);
    pgs__wire_execute(&conn->stream.out);
    pgs__wire_sync(&conn->stream.out);
}

static bool
deallocate(struct pgs__conn *conn, const char *what)
{
    char sql[64];

    (void)snprintf(sql, sizeof(sql), "deallocate %s", what);
    pgs__conn_query(conn, sql, NULL, 0);
    return pgs__conn_add_job(conn, PGS__JOB_DEALLOCATE) != NULL;
}

bool
pgs__conn_forget_statements(struct pgs__conn *conn)
{
    pgs__statements_clear(&conn->statements);
    return deallocate(conn, "all");
}

/* Statements already sent that use it come before its end in the pipeline. */
static bool
make_room(struct pgs__conn *conn)
{
    while (conn->statements.n >= conn->pool->config.max_statements) {
        struct pgs__statement *oldest = pgs__statement_oldest(&conn->statements);

        if (!deallocate(conn, oldest->name))
            return false;
        pgs__statement_forget(&conn->statements, oldest);
    }
    return true;
}

struct pgs__statement *
pgs__conn_statement(struct pgs__conn *conn, struct pgs_text role, struct pgs_text sql)
{
    struct pgs__statement *statement = pgs__statement_find(&conn->statements, role, sql);

    if (statement == NULL && make_room(conn))
        statement = pgs__conn_prepare(conn, role, sql);
    return statement;
}

/* The session's settings are the same statement for every role. */
static bool
prepare_steps(struct pgs__conn *conn, struct pgs_txn *txn)
{
    for (int i = 0; i < txn->n_steps; i++) {
        struct pgs__step *step = &txn->steps[i];
        struct pgs_text role = i == 0 ? (struct pgs_text){"", 0} : pgs__txn_role(txn);
        struct pgs__statement *statement = pgs__conn_statement(conn, role, pgs__txn_sql(txn, step));

        if (statement == NULL)
            return false;
        step->statement = pgs__statement_ref(statement);
    }
    return true;
}

static bool
execute_steps(struct pgs__conn *conn, const struct pgs_txn *txn)
{
    for (int i = 0; i < txn->n_steps; i++) {
        const struct pgs__step *step = &txn->steps[i];
        struct pgs_text *values = pgs__pool_values(conn->pool, step->n_params);

        if (values == NULL)
            return false;
        pgs__txn_execute(txn, step, &conn->stream.out, values);
    }
    pgs__wire_sync(&conn->stream.out);
    return !conn->stream.out.failed;
}

void
pgs__conn_send(struct pgs__conn *conn, struct pgs_txn *txn)
{
    bool prepared =
        (!txn->leaves_traces || pgs__conn_prepare_clean(conn)) && prepare_steps(conn, txn);
    bool kept = set_phase_in_flight(conn, txn);

    if (prepared && !kept)
        return; /* the connection is as good as before */
    if (!prepared || !execute_steps(conn, txn) ||
        (txn->leaves_traces && !pgs__conn_clean(conn, false)))
        pgs__conn_lose(conn, "not enough memory");
}

static void
on_writable(h2o_socket_t *socket, const char *err)
{
    (void)err;
    pgs__conn_flush(socket->data);
}

/* That the socket is broken is seen when it is read, after what PostgreSQL has to say of it. */
void
pgs__conn_flush(struct pgs__conn *conn)
{
    if (conn->pg == NULL || h2o_socket_is_writing(conn->socket))
        return;
    if (conn->stream.out.failed)
        pgs__conn_lose(conn, "not enough memory");
    else if (pgs__stream_flush(&conn->stream) == PGS__STREAM_WAITS)
        h2o_socket_notify_write(conn->socket, on_writable);
}

/* ---- answers and time ---- */

static void
lose_stream(struct pgs__conn *conn, enum pgs__stream_state state)
{
    char why[600];

    if (conn->last_words[0] != '\0')
        (void)snprintf(why, sizeof(why), "%s", conn->last_words);
    else if (state == PGS__STREAM_ENDED)
        (void)snprintf(why, sizeof(why), "the server closed the connection unexpectedly");
    else
        (void)snprintf(why, sizeof(why), "%s", errno != 0 ? strerror(errno) : "TLS failed");
    pgs__conn_lose(conn, why);
}

void
pgs__conn_on_ready(h2o_socket_t *socket, const char *err)
{
    struct pgs__conn *conn = socket->data;
    enum pgs__stream_state state = pgs__stream_fill(&conn->stream);
    int fault = errno;
    bool is_sane;

    (void)err;
    conn->pool->reading_us = pgs_clock_us();
    is_sane = pgs__conn_read(conn); /* also what came before the end */
    conn->pool->reading_us = 0;
    if (conn->pg == NULL)
        return;
    put_off_deadline(conn);
    if (state == PGS__STREAM_OK)
        pgs__ping_heard(conn->pool);
    errno = fault;
    if (!is_sane)
        pgs__conn_lose(conn, "the answer was not what the protocol allows");
    else if (state != PGS__STREAM_OK)
        lose_stream(conn, state);
    if (conn->pg != NULL) {
        pgs__stream_drop(&conn->stream);
        pgs__conn_flush(conn);
    }
    pgs__pool_changed(conn->pool);
}

bool
pgs__conn_is_at_rest(const struct pgs__conn *conn)
{
    return conn->state == PGS__CONN_READY && conn->jobs == NULL && !conn->is_outdated;
}

void
pgs__conn_tick(struct pgs__conn *conn, int64_t now_ms)
{
    if (conn->is_outdated && conn->jobs == NULL)
        pgs__conn_lose(conn, "the server takes no writes any more");
    if (now_ms < conn->deadline_ms || pgs__conn_is_at_rest(conn))
        return;
    switch (conn->state) {
    case PGS__CONN_DOWN:
        if (!conn->pool->is_closing && (conn->failures == 0 || !pgs__pool_is_probing(conn->pool)))
            pgs__conn_open(conn);
        break;
    case PGS__CONN_CONNECTING:
    case PGS__CONN_SETTING_UP:
        pgs__hosts_turn(&conn->pool->hosts, conn->hosts_turn);
        pgs__conn_lose(conn, "connecting took too long");
        break;
    case PGS__CONN_READY:
        pgs__conn_lose(conn, "no answer in time");
        break;
    }
}
