/* SPDX-License-Identifier: MIT */
#include "db/link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 1000 /* with what follows a connection, changes are followed within 2 s */
#define SETUP_MS 5000

bool
pgs__link_open(struct pgs__link *link, const char *conninfo, void *(*run)(void *), void *arg)
{
    link->conninfo = conninfo;
    pgs__hosts_init(&link->hosts, conninfo);
    link->socket_fd = -1;
    (void)pthread_mutex_init(&link->mutex, NULL);
    link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (link->wake_fd >= 0 && pthread_create(&link->thread, NULL, run, arg) == 0)
        return true;
    if (link->wake_fd >= 0)
        (void)close(link->wake_fd);
    (void)pthread_mutex_destroy(&link->mutex);
    pgs__hosts_clear(&link->hosts);
    return false;
}

void
pgs__link_wake(struct pgs__link *link)
{
    uint64_t one = 1;

    while (write(link->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

void
pgs__link_close(struct pgs__link *link)
{
    link->is_ending = true;
    (void)pthread_mutex_lock(&link->mutex);
    if (link->socket_fd >= 0)
        (void)shutdown(link->socket_fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&link->mutex);
    pgs__link_wake(link);
    pthread_join(link->thread, NULL);
    (void)close(link->wake_fd);
    (void)pthread_mutex_destroy(&link->mutex);
    pgs__hosts_clear(&link->hosts);
}

/* ---- on the thread ---- */

void
pgs__link_begin(void)
{
    sigset_t all;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL); /* they are the main thread's */
    pgs_metrics_open();
}

static void
set_socket(struct pgs__link *link, int fd)
{
    (void)pthread_mutex_lock(&link->mutex);
    link->socket_fd = fd;
    (void)pthread_mutex_unlock(&link->mutex);
}

void
pgs__link_wait(const struct pgs__link *link, int fd, int timeout_ms)
{
    struct pollfd fds[2] = {{link->wake_fd, POLLIN, 0}, {fd, POLLIN, 0}};
    uint64_t times;

    if (poll(fds, fd >= 0 ? 2 : 1, timeout_ms) > 0 && fds[0].revents != 0)
        (void)!read(link->wake_fd, &times, sizeof(times));
}

static void
ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

/* ---- asking ---- */

/* pgs__link_close() ends it, too: the socket is shut down. */
static bool
is_answered(struct pgs__link *link, int64_t end_ms)
{
    while (PQisBusy(link->pg)) {
        struct pollfd fd = {PQsocket(link->pg), POLLIN, 0};
        int64_t left_ms = end_ms - pgs_clock_ms();

        if (left_ms <= 0) {
            link->why = "PostgreSQL does not answer";
            return false;
        }
        if (poll(&fd, 1, (int)left_ms) > 0 && PQconsumeInput(link->pg) != 1)
            return false;
    }
    return true;
}

PGresult *
pgs__link_take(struct pgs__link *link, int timeout_ms)
{
    int64_t end_ms = pgs_clock_ms() + timeout_ms;
    PGresult *result = NULL;

    while (is_answered(link, end_ms)) {
        PGresult *next = PQgetResult(link->pg);

        if (next == NULL)
            return result;
        PQclear(result);
        result = next;
    }
    PQclear(result);
    return NULL;
}

PGresult *
pgs__link_ask(struct pgs__link *link, const char *sql, int n, const char *const *values,
              int timeout_ms)
{
    int sent = n > 0 ? PQsendQueryParams(link->pg, sql, n, NULL, values, NULL, NULL, 0)
                     : PQsendQuery(link->pg, sql);

    return sent == 1 ? pgs__link_take(link, timeout_ms) : NULL;
}

/* ---- connecting ---- */

const char pgs__link_pid_sql[] = "select pg_catalog.pg_backend_pid()";

/* No pooler is between: see db/login.h. */
static bool
is_direct(struct pgs__link *link)
{
    PGresult *result = pgs__link_ask(link, pgs__link_pid_sql, 0, NULL, SETUP_MS);
    bool answered = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    bool same = answered && atoi(PQgetvalue(result, 0, 0)) == PQbackendPID(link->pg);

    if (answered && !same)
        link->why = "a pooler, or a proxy that answers in PostgreSQL's place, is between: name "
                    "PostgreSQL itself";
    PQclear(result);
    return same;
}

bool
pgs__link_connect(struct pgs__link *link, const struct pgs__link_words *words)
{
    static const char *const names[] = {"fallback_application_name",
                                        "connect_timeout",
                                        "keepalives_idle",
                                        "keepalives_interval",
                                        "keepalives_count",
                                        "target_session_attrs",
                                        "dbname",
                                        "host",
                                        "hostaddr",
                                        "port",
                                        "client_encoding",
                                        "replication",
                                        "options",
                                        NULL};
    const char *const values[] = {words->name,
                                  "5",
                                  "30",
                                  "10",
                                  "3",
                                  words->target, /* what the address says comes after */
                                  link->conninfo,
                                  link->hosts.lists[PGS__HOST_NAMES],
                                  link->hosts.lists[PGS__HOST_ADDRESSES],
                                  link->hosts.lists[PGS__HOST_PORTS],
                                  "UTF8",
                                  words->replication,
                                  words->options,
                                  NULL};

    link->why = NULL;
    link->pg = PQconnectdbParams(names, values, 1);
    if (link->pg == NULL)
        return false;
    (void)PQsetNoticeReceiver(link->pg, ignore_notice, NULL);
    if (PQstatus(link->pg) != CONNECTION_OK)
        return false;
    pgs__hosts_prefer(&link->hosts, PQhost(link->pg), PQport(link->pg));
    set_socket(link, PQsocket(link->pg));
    return !link->is_ending && is_direct(link);
}

void
pgs__link_disconnect(struct pgs__link *link)
{
    set_socket(link, -1);
    PQfinish(link->pg);
    link->pg = NULL;
}

void
pgs__link_log_failure(const struct pgs__link *link, const char *event)
{
    char why[512] = "out of memory";

    if (link->failures > 0)
        return;
    if (link->why != NULL)
        (void)snprintf(why, sizeof(why), "%s", link->why);
    else if (link->pg != NULL)
        (void)snprintf(why, sizeof(why), "%s", PQerrorMessage(link->pg));
    for (char *c = why; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    PGS_LOG(PGS_LOG_WARN, event, PGS_LOG_STR("why", why));
}

int
pgs__link_backoff_ms(const struct pgs__link *link)
{
    int ms = BACKOFF_MIN_MS;

    for (int i = 1; i < link->failures && ms < BACKOFF_MAX_MS; i++)
        ms *= 2;
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}
