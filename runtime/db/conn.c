/* SPDX-License-Identifier: MIT */
/*
 * libpq owns its file descriptor and closes it when it likes, so h2o watches a copy.  Order
 * matters: libpq closes first, then h2o; the copy is then the last one, and the kernel takes it
 * out of the loop's epoll set by itself.
 *
 * libpq 15 flushes at each PQpipelineSync: one send(2) a transaction.  (PQsendPipelineSync, which
 * does not, came with 17.)
 */
#include "db/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/measure.h"

#define CONNECT_TIMEOUT_MS 5000
#define SETUP_TIMEOUT_MS 5000
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define SILENCE_MS 10000 /* beyond the statement timeout */

static void on_ready(h2o_socket_t *socket, const char *err);

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
    conn->deadline_ms = pgs_clock_ms() + conn->pool->config.statement_timeout_ms + SILENCE_MS;
}

static struct pgs__job *
add_job(struct pgs__conn *conn, int kind)
{
    struct pgs__job *job = calloc(1, sizeof(*job));

    if (job == NULL)
        abort();
    job->kind = kind;
    if (conn->jobs == NULL)
        put_off_deadline(conn);
    *conn->jobs_end = job;
    conn->jobs_end = &job->next;
    return job;
}

struct pgs__job *
pgs__conn_take_job(struct pgs__conn *conn)
{
    struct pgs__job *job = conn->jobs;

    conn->jobs = job->next;
    if (conn->jobs == NULL)
        conn->jobs_end = &conn->jobs;
    conn->n_results = 0;
    return job;
}

static void
set_phase_in_flight(struct pgs__conn *conn, struct pgs_txn *txn)
{
    txn->phase = PGS__TXN_IN_FLIGHT;
    conn->n_in_flight++;
    add_job(conn, PGS__JOB_TXN)->txn = txn;
}

/* ---- the end of a connection ---- */

static void
drop_socket(struct pgs__conn *conn)
{
    if (conn->socket != NULL)
        h2o_socket_close(conn->socket);
    conn->socket = NULL;
}

static void
end_job(struct pgs__conn *conn, struct pgs__job *job)
{
    if (job->statement != NULL)
        pgs__statement_unref(job->statement);
    if (job->txn != NULL) {
        conn->n_in_flight--;
        pgs__pool_deliver(job->txn, PGS_TXN_UNAVAILABLE);
    }
    free(job);
}

static void
disconnect(struct pgs__conn *conn)
{
    PQfinish(conn->pg);
    conn->pg = NULL;
    drop_socket(conn);
    conn->state = PGS__CONN_DOWN;
    PQclear(conn->job_error);
    conn->job_error = NULL;
    pgs__statements_clear(&conn->statements);
    while (conn->jobs != NULL)
        end_job(conn, pgs__conn_take_job(conn));
}

static int64_t
backoff_ms(int failures)
{
    int64_t most = BACKOFF_MIN_MS;

    if (failures == 0)
        return 0;
    for (int i = 1; i < failures && most < BACKOFF_MAX_MS; i++)
        most *= 2;
    if (most > BACKOFF_MAX_MS)
        most = BACKOFF_MAX_MS;
    /* Half of it by chance, so that many servers do not come back together. */
    return most / 2 + (int64_t)((uint64_t)pgs_clock_us() * 2654435761u >> 7) % (most / 2 + 1);
}

void
pgs__conn_lose(struct pgs__conn *conn, const char *why)
{
    bool was_ready = conn->state == PGS__CONN_READY;
    int lost = conn->n_in_flight;

    pgs_count(PGS_CELL_POOL_EVENTS + (was_ready ? PGS_EVENT_LOST : PGS_EVENT_FAILED), 1);
    if (!conn->pool->is_closing && (was_ready || !pgs__pool_is_failing(conn->pool)))
        PGS_LOG(PGS_LOG_WARN, was_ready ? "database_connection_lost" : "database_connect_failed",
                PGS_LOG_STR("why", why), PGS_LOG_INT("in_flight", lost));
    conn->failures = was_ready ? 0 : conn->failures + 1;
    conn->deadline_ms = pgs_clock_ms() + backoff_ms(conn->failures);
    disconnect(conn);
    pgs__pool_changed(conn->pool);
}

/* libpq's own words, on one line. */
void
pgs__conn_lose_with_message(struct pgs__conn *conn)
{
    char why[512];
    size_t len;

    (void)snprintf(why, sizeof(why), "%s", PQerrorMessage(conn->pg));
    len = strlen(why);
    while (len > 0 && why[len - 1] == '\n')
        why[--len] = '\0';
    for (char *c = why; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    pgs__conn_lose(conn, why);
}

void
pgs__conn_close(struct pgs__conn *conn)
{
    disconnect(conn);
}

/* ---- opening ---- */

/* libpq would print them, and the last words of a connection that ends while it begins. */
static void
ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

/* The same socket, not only the same number: libpq may have closed one and opened another. */
static bool
is_watched(const struct pgs__conn *conn)
{
    struct stat ours, theirs;

    return conn->socket != NULL && fstat(h2o_socket_get_fd(conn->socket), &ours) == 0 &&
           fstat(PQsocket(conn->pg), &theirs) == 0 && ours.st_ino == theirs.st_ino;
}

/* False: lost, and to be tried again. */
static bool
watch(struct pgs__conn *conn)
{
    int fd;

    if (is_watched(conn))
        return true;
    drop_socket(conn);
    fd = dup(PQsocket(conn->pg));
    if (fd < 0) {
        pgs__conn_lose(conn, "no file descriptor is free");
        return false;
    }
    conn->socket = h2o_evloop_socket_create(conn->pool->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    conn->socket->data = conn;
    return true;
}

const char pgs__settings_sql[] =
    "select set_config('DateStyle', 'ISO, YMD', false), set_config('TimeZone', 'UTC', false),"
    " set_config('IntervalStyle', 'postgres', false),"
    " set_config('bytea_output', 'hex', false), set_config('extra_float_digits', '1', false),"
    " set_config('search_path', 'pg_catalog, pg_temp', false),"
    " set_config('statement_timeout', $1, false)";

static bool
send_settings(struct pgs__conn *conn)
{
    char timeout[16];
    const char *values[] = {timeout};

    (void)snprintf(timeout, sizeof(timeout), "%d", conn->pool->config.statement_timeout_ms);
    if (PQsetnonblocking(conn->pg, 1) != 0 || PQenterPipelineMode(conn->pg) != 1 ||
        PQsendQueryParams(conn->pg, pgs__settings_sql, 1, NULL, values, NULL, NULL, 0) != 1 ||
        PQpipelineSync(conn->pg) != 1)
        return false;
    (void)add_job(conn, PGS__JOB_SETTINGS);
    return true;
}

static void
on_connected(struct pgs__conn *conn)
{
    if (!watch(conn))
        return;
    conn->state = PGS__CONN_SETTING_UP;
    if (!send_settings(conn)) {
        pgs__conn_lose_with_message(conn);
        return;
    }
    conn->deadline_ms = pgs_clock_ms() + SETUP_TIMEOUT_MS;
    h2o_socket_read_start(conn->socket, on_ready);
    pgs__conn_flush(conn);
}

/* libpq may change its socket at each step: another address, another try with TLS. */
static void
on_connecting(h2o_socket_t *socket, const char *err)
{
    struct pgs__conn *conn = socket->data;
    PostgresPollingStatusType next;

    (void)err;
    if (h2o_socket_is_reading(socket))
        h2o_socket_read_stop(socket);
    next = PQconnectPoll(conn->pg);
    if (next == PGRES_POLLING_OK) {
        on_connected(conn);
        return;
    }
    if (next == PGRES_POLLING_FAILED) {
        pgs__conn_lose_with_message(conn);
        return;
    }
    if (!watch(conn))
        return;
    if (next == PGRES_POLLING_READING)
        h2o_socket_read_start(conn->socket, on_connecting);
    else
        h2o_socket_notify_write(conn->socket, on_connecting);
}

void
pgs__conn_open(struct pgs__conn *conn)
{
    /* What stands before the connection string is a default that it may override. */
    static const char *const words[] = {
        "fallback_application_name", "keepalives_idle", "keepalives_interval", "keepalives_count",
        "tcp_user_timeout",          "dbname",          "client_encoding",     NULL};
    const char *const values[] = {"pgstack", "30", "10", "3", "30000", conn->pool->config.conninfo,
                                  "UTF8",    NULL};

    conn->state = PGS__CONN_CONNECTING;
    conn->deadline_ms = pgs_clock_ms() + CONNECT_TIMEOUT_MS;
    conn->pg = PQconnectStartParams(words, values, 1);
    if (conn->pg == NULL)
        abort();
    (void)PQsetNoticeReceiver(conn->pg, ignore_notice, NULL);
    if (PQstatus(conn->pg) == CONNECTION_BAD) {
        pgs__conn_lose_with_message(conn);
        return;
    }
    if (watch(conn))
        h2o_socket_notify_write(conn->socket, on_connecting);
}

/* ---- sending ---- */

struct pgs__statement *
pgs__conn_prepare(struct pgs__conn *conn, struct pgs_text role, struct pgs_text sql)
{
    struct pgs__statement *statement = pgs__statement_add(&conn->statements, role, sql);

    if (PQsendPrepare(conn->pg, statement->name, pgs__statement_sql(statement), 0, NULL) != 1 ||
        PQpipelineSync(conn->pg) != 1)
        return NULL;
    pgs_count(PGS_CELL_PREPARED, 1);
    add_job(conn, PGS__JOB_PREPARE)->statement = pgs__statement_ref(statement);
    return statement;
}

static bool
deallocate(struct pgs__conn *conn, const char *what)
{
    char sql[64];

    (void)snprintf(sql, sizeof(sql), "deallocate %s", what);
    if (PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0) != 1 ||
        PQpipelineSync(conn->pg) != 1)
        return false;
    (void)add_job(conn, PGS__JOB_DEALLOCATE);
    return true;
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

/* The session's settings are the same statement for every role. */
static bool
prepare_steps(struct pgs__conn *conn, struct pgs_txn *txn)
{
    for (int i = 0; i < txn->n_steps; i++) {
        struct pgs__step *step = &txn->steps[i];
        struct pgs_text role = i == 0 ? (struct pgs_text){"", 0} : pgs__txn_role(txn);
        struct pgs_text sql = pgs__txn_sql(txn, step);
        struct pgs__statement *statement = pgs__statement_find(&conn->statements, role, sql);

        if (statement == NULL && make_room(conn))
            statement = pgs__conn_prepare(conn, role, sql);
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
        const char **values = pgs__pool_values(conn->pool, step->n_params);

        if (!pgs__txn_execute(txn, step, conn->pg, values))
            return false;
    }
    return PQpipelineSync(conn->pg) == 1;
}

void
pgs__conn_send(struct pgs__conn *conn, struct pgs_txn *txn)
{
    bool sent = prepare_steps(conn, txn);

    /* From here on it is the connection's, and ends with it. */
    set_phase_in_flight(conn, txn);
    if (!sent || !execute_steps(conn, txn))
        pgs__conn_lose_with_message(conn);
}

static void
on_writable(h2o_socket_t *socket, const char *err)
{
    (void)err;
    pgs__conn_flush(socket->data);
}

void
pgs__conn_flush(struct pgs__conn *conn)
{
    if (conn->pg == NULL || h2o_socket_is_writing(conn->socket))
        return;
    if (PQflush(conn->pg) == 1)
        h2o_socket_notify_write(conn->socket, on_writable);
}

/* ---- answers and time ---- */

static void
drop_notifications(struct pgs__conn *conn)
{
    PGnotify *notify;

    while (conn->pg != NULL && (notify = PQnotifies(conn->pg)) != NULL)
        PQfreemem(notify);
}

static void
on_ready(h2o_socket_t *socket, const char *err)
{
    struct pgs__conn *conn = socket->data;
    bool is_open = PQconsumeInput(conn->pg) == 1, is_sane;

    (void)err;
    conn->pool->reading_us = pgs_clock_us();
    is_sane = pgs__conn_read(conn); /* also what came before the end */
    conn->pool->reading_us = 0;
    if (conn->pg == NULL)
        return;
    put_off_deadline(conn);
    if (!is_sane)
        pgs__conn_lose(conn, "the answer was not what the protocol allows");
    else if (!is_open || PQstatus(conn->pg) == CONNECTION_BAD)
        pgs__conn_lose_with_message(conn);
    drop_notifications(conn);
    if (conn->pg != NULL)
        pgs__conn_flush(conn);
    pgs__pool_changed(conn->pool);
}

bool
pgs__conn_is_at_rest(const struct pgs__conn *conn)
{
    return conn->state == PGS__CONN_READY && conn->jobs == NULL;
}

void
pgs__conn_tick(struct pgs__conn *conn, int64_t now_ms)
{
    if (now_ms < conn->deadline_ms || pgs__conn_is_at_rest(conn))
        return;
    switch (conn->state) {
    case PGS__CONN_DOWN:
        if (!conn->pool->is_closing)
            pgs__conn_open(conn);
        break;
    case PGS__CONN_CONNECTING:
    case PGS__CONN_SETTING_UP:
        pgs__conn_lose(conn, "connecting took too long");
        break;
    case PGS__CONN_READY:
        pgs__conn_lose(conn, "no answer in time");
        break;
    }
}
