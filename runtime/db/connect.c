/* SPDX-License-Identifier: MIT */
/*
 * From a connection string to a connection that is ready for work.
 *
 * libpq owns its file descriptor and closes it when it likes, so h2o watches a copy.  Order
 * matters: libpq closes first, then h2o; the copy is then the last one, and the kernel takes it
 * out of the loop's epoll set by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/pool_private.h"

#define CONNECT_TIMEOUT_MS 5000
#define HOST_TIMEOUT_MS 1500 /* where there are others to try */
#define SETUP_TIMEOUT_MS 5000
#define STEP_MS 25
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 1000

int64_t
pgs__conn_backoff_ms(int failures)
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

/* ---- one after the other, while it fails ---- */

bool
pgs__pool_is_failing(const struct pgs_pool *pool)
{
    for (int i = 0; i < pool->n_conns; i++)
        if (pool->conns[i].failures > 0)
            return true;
    return false;
}

bool
pgs__pool_is_probing(const struct pgs_pool *pool)
{
    for (int i = 0; i < pool->n_conns; i++)
        if (pool->conns[i].failures > 0 && pool->conns[i].state != PGS__CONN_DOWN)
            return true;
    return false;
}

/* One after the other: to prove a password to PostgreSQL (SCRAM) takes libpq milliseconds, in which
 * the loop answers nobody, and a new session takes PostgreSQL more of them.  Of each kind one comes
 * first. */
void
pgs__pool_hurry(struct pgs_pool *pool)
{
    int64_t now_ms = pgs_clock_ms();
    int quick = pool->config.connections;

    for (int i = 0; i < pool->n_conns; i++)
        if (pool->conns[i].state == PGS__CONN_DOWN)
            pool->conns[i].deadline_ms =
                now_ms + STEP_MS * 2 * (i < quick ? i : i - quick) + (i < quick ? 0 : STEP_MS);
}

/* ---- failing ---- */

const char *
pgs_pool_refusal(const struct pgs_pool *pool)
{
    return pool->refusal[0] != '\0' ? pool->refusal : NULL;
}

/* libpq would print them. */
static void
ignore_notice(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice;
}

/* libpq's own words, on one line. */
static void
lose_with_message(struct pgs__conn *conn)
{
    char why[512], *location; /* in PostgreSQL's source */
    size_t len;

    (void)snprintf(why, sizeof(why), "%s", PQerrorMessage(conn->pg));
    if ((location = strstr(why, "\nLOCATION:")) != NULL)
        *location = '\0';
    len = strlen(why);
    while (len > 0 && why[len - 1] == '\n')
        why[--len] = '\0';
    for (char *c = why; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    pgs__conn_lose(conn, why);
}

/* A login that is refused will not be let in by itself. */
static bool
is_login_refused(const char *why)
{
    return strstr(why, " 28P01: ") != NULL || strstr(why, " 28000: ") != NULL;
}

void
pgs__conn_log_loss(const struct pgs__conn *conn, const char *why)
{
    if (conn->state == PGS__CONN_READY)
        PGS_LOG(PGS_LOG_WARN, "database_connection_lost", PGS_LOG_STR("why", why),
                PGS_LOG_INT("in_flight", conn->n_in_flight));
    else if (is_login_refused(why))
        PGS_LOG(PGS_LOG_ERROR, "database_login_refused", PGS_LOG_STR("why", why),
                PGS_LOG_STR("hint", "look at DATABASE_URL and ADMIN_DATABASE_URL, at the role's "
                                    "password, and at pg_hba.conf"));
    else
        PGS_LOG(PGS_LOG_WARN, "database_connect_failed", PGS_LOG_STR("why", why));
}

bool
pgs__wants_writes(PGconn *pg)
{
    PQconninfoOption *options = PQconninfo(pg);
    bool wants = false;

    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL;
         option++)
        if (strcmp(option->keyword, "target_session_attrs") == 0 && option->val != NULL)
            wants = strcmp(option->val, "read-write") == 0 || strcmp(option->val, "primary") == 0;
    PQconninfoFree(options);
    return wants;
}

/* ---- watching ---- */

void
pgs__conn_unwatch(struct pgs__conn *conn)
{
    if (conn->socket != NULL)
        h2o_socket_close(conn->socket);
    conn->socket = NULL;
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
    pgs__conn_unwatch(conn);
    fd = dup(PQsocket(conn->pg));
    if (fd < 0) {
        pgs__conn_lose(conn, "no file descriptor is free");
        return false;
    }
    conn->socket = h2o_evloop_socket_create(conn->pool->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    conn->socket->data = conn;
    return true;
}

/* ---- settings ---- */

#define SETTINGS                                                                                   \
    "select set_config('DateStyle', 'ISO, YMD', false), set_config('TimeZone', 'UTC', false),"     \
    " set_config('IntervalStyle', 'postgres', false),"                                             \
    " set_config('bytea_output', 'hex', false), set_config('extra_float_digits', '1', false),"     \
    " set_config('search_path', 'pg_catalog, pg_temp', false),"                                    \
    " set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false)"

/* The last column: who we are to PostgreSQL; with the process number, of all servers and times. */
#define STARTED                                                                                    \
    ", (select extract(epoch from backend_start)"                                                  \
    " from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()))"

const char pgs__settings_sql[] = SETTINGS STARTED;

const char pgs__snapshot_settings_sql[] =
    SETTINGS ", set_config('default_transaction_isolation', 'repeatable read', false),"
             " set_config('default_transaction_read_only', 'on', false)" STARTED;

const char pgs__settings_again_sql[] =
    SETTINGS ", set_config('role', 'none', false), pg_catalog.pg_advisory_unlock_all()";

int
pgs__settings_values(const struct pgs_pool *pool, struct pgs__settings *values)
{
    values->texts[0] = (struct pgs_text){values->statement_timeout,
                                         (size_t)snprintf(values->statement_timeout,
                                                          sizeof(values->statement_timeout), "%d",
                                                          pool->config.statement_timeout_ms)};
    values->texts[1] = (struct pgs_text){
        values->lock_timeout, (size_t)snprintf(values->lock_timeout, sizeof(values->lock_timeout),
                                               "%d", pool->config.lock_timeout_ms)};
    return 2;
}

/* Before anything else: no request runs under a role that has not been looked at. */
static bool
send_login(struct pgs__conn *conn)
{
    const struct pgs_login *login = conn->pool->config.login;
    struct pgs_text values[4];
    char pid[16];

    if (login == NULL)
        return true;
    for (int i = 0; i < 3; i++)
        values[i] = (struct pgs_text){login->values[i],
                                      login->values[i] == NULL ? 0 : strlen(login->values[i])};
    values[3] =
        (struct pgs_text){pid, (size_t)snprintf(pid, sizeof(pid), "%d", PQbackendPID(conn->pg))};
    pgs__conn_query(conn, pgs_login_sql, values, 4);
    return pgs__conn_add_job(conn, PGS__JOB_LOGIN) != NULL;
}

static bool
send_settings(struct pgs__conn *conn)
{
    struct pgs__settings values;
    int n = pgs__settings_values(conn->pool, &values);

    if (!send_login(conn))
        return false;
    pgs__conn_query(
        conn, conn->pool->config.one_snapshot ? pgs__snapshot_settings_sql : pgs__settings_sql,
        values.texts, n);
    return pgs__conn_add_job(conn, PGS__JOB_SETTINGS) != NULL;
}

/* libpq has seen what PostgreSQL says when it begins; what changes is seen by answer.c. */
static bool
is_on(PGconn *pg, const char *setting)
{
    const char *value = PQparameterStatus(pg, setting);

    return value != NULL && strcmp(value, "on") == 0;
}

/* ---- opening ---- */

static void
on_connected(struct pgs__conn *conn)
{
    const char *why;

    if (!watch(conn))
        return;
    if (!pgs__stream_open(&conn->stream, conn->pg, &why)) {
        pgs__conn_lose(conn, why);
        return;
    }
    conn->is_standby = is_on(conn->pg, "in_hot_standby");
    conn->is_read_only = is_on(conn->pg, "default_transaction_read_only");
    conn->state = PGS__CONN_SETTING_UP;
    if (!send_settings(conn)) {
        pgs__conn_lose(conn, "not enough memory");
        return;
    }
    conn->deadline_ms = pgs_clock_ms() + SETUP_TIMEOUT_MS;
    h2o_socket_read_start(conn->socket, pgs__conn_on_ready);
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
        lose_with_message(conn);
        return;
    }
    if (!watch(conn))
        return;
    if (next == PGRES_POLLING_READING)
        h2o_socket_read_start(conn->socket, on_connecting);
    else
        h2o_socket_notify_write(conn->socket, on_connecting);
}

/* What stands before the connection string is a default that it may override; what stands behind
 * overrides it. */
static PGconn *
begin(const struct pgs_pool *pool)
{
    static const char *const words[] = {"fallback_application_name",
                                        "keepalives_idle",
                                        "keepalives_interval",
                                        "keepalives_count",
                                        "tcp_user_timeout",
                                        "gssencmode",
                                        "target_session_attrs",
                                        "dbname",
                                        "host",
                                        "hostaddr",
                                        "port",
                                        "client_encoding",
                                        NULL};
    const char *const values[] = {"pgstack",
                                  "30",
                                  "10",
                                  "3",
                                  "30000",
                                  "disable",
                                  pool->config.target,
                                  pool->config.conninfo,
                                  pool->hosts.lists[PGS__HOST_NAMES],
                                  pool->hosts.lists[PGS__HOST_ADDRESSES],
                                  pool->hosts.lists[PGS__HOST_PORTS],
                                  "UTF8",
                                  NULL};

    return PQconnectStartParams(words, values, 1);
}

void
pgs__conn_open(struct pgs__conn *conn)
{
    const struct pgs__hosts *hosts = &conn->pool->hosts;

    conn->state = PGS__CONN_CONNECTING;
    conn->hosts_turn = hosts->turn;
    conn->deadline_ms =
        pgs_clock_ms() + (hosts->are_several ? HOST_TIMEOUT_MS : CONNECT_TIMEOUT_MS);
    conn->pg = begin(conn->pool);
    (void)PQsetNoticeReceiver(conn->pg, ignore_notice, NULL);
    (void)PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE); /* for its SQLSTATE */
    if (PQstatus(conn->pg) == CONNECTION_BAD) {
        lose_with_message(conn);
        return;
    }
    if (watch(conn))
        h2o_socket_notify_write(conn->socket, on_connecting);
}
