/* SPDX-License-Identifier: MIT */
/*
 * Each accepted socket carries a struct pgs__connection, which knows how many requests are under
 * way: libh2o 2.2.5 counts none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/log.h"
#include "http/worker.h"

#define ACCEPTS_A_WAKE 16
#define PAUSE_MS 100 /* after accept(2) found no file descriptor free */

static enum pgs_way
way_of(const struct pgs__connection *connection)
{
    if (connection->is_h2)
        return PGS_WAY_H2_TLS;
    return connection->worker->config->tls != NULL ? PGS_WAY_H1_TLS : PGS_WAY_H1;
}

static void set_accepting(struct pgs__worker *worker, bool accepting);

/* libh2o ends HTTP/1 that sends no whole request, and does not say so. */
static void
count_timeout(const struct pgs__connection *connection)
{
    if (!connection->is_h2 && connection->n_requests == 0 && !connection->worker->is_stopping &&
        pgs_clock_ms() - connection->idle_since_ms >= connection->worker->config->read_timeout_ms)
        pgs_limit_hit(PGS_LIMIT_READ_TIMEOUT);
}

static void
on_connection_close(void *data)
{
    struct pgs__connection *connection = data;
    struct pgs__worker *worker = connection->worker;

    pgs__h2_guard_forget(&connection->h2);
    connection->socket = NULL;
    if (worker == NULL) /* of the guard's self-test, which looks at it */
        return;
    count_timeout(connection);
    pgs__address_leave(connection->place);
    h2o_linklist_unlink(&connection->link);
    worker->n_connections--;
    pgs_gauge_add(PGS_CELL_CONNECTIONS + (int)way_of(connection), -1);
    if (connection->n_works == 0)
        free(connection);
    if (worker->is_paused && !h2o_timeout_is_linked(&worker->pause))
        set_accepting(worker, true);
}

void
pgs__connection_drop_work(struct pgs__connection *connection)
{
    if (--connection->n_works == 0 && connection->socket == NULL)
        free(connection);
}

void
pgs__connection_flooded(struct pgs__connection *connection)
{
    if (connection->worker != NULL)
        pgs__address_flooded(connection->worker->config->addresses, connection->place,
                             pgs_clock_ms());
}

struct pgs__connection *
pgs__connection_of_socket(const h2o_socket_t *socket)
{
    return socket->on_close.cb == on_connection_close ? socket->on_close.data : NULL;
}

void
pgs__connection_guard(struct pgs__connection *connection, h2o_socket_t *socket)
{
    connection->socket = socket;
    socket->on_close.cb = on_connection_close;
    socket->on_close.data = connection;
}

/* False: its address has enough. */
static bool
may_stay(struct pgs__connection *connection, h2o_socket_t *socket)
{
    struct pgs_addresses *addresses = connection->worker->config->addresses;
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};

    (void)h2o_socket_getpeername(socket, (struct sockaddr *)&peer);
    connection->peer = pgs_address_of((struct sockaddr *)&peer);
    connection->is_proxy = pgs_networks_hold(pgs__addresses_trusted(addresses), &connection->peer);
    pgs_address_write(&connection->peer, connection->peer_text);
    return pgs__address_connect(addresses, &connection->peer, pgs_clock_ms(), &connection->place);
}

bool
pgs__connection_add(struct pgs__worker *worker, h2o_socket_t *socket)
{
    struct pgs__connection *connection = calloc(1, sizeof(*connection));

    if (connection != NULL)
        connection->worker = worker;
    if (connection == NULL || !may_stay(connection, socket)) {
        free(connection);
        h2o_socket_close(socket);
        return false;
    }
    connection->idle_since_ms = pgs_clock_ms();
    h2o_linklist_insert(&worker->connections, &connection->link);
    worker->n_connections++;
    pgs_count(PGS_CELL_ACCEPTED, 1);
    pgs_gauge_add(PGS_CELL_CONNECTIONS + (int)way_of(connection), 1);
    pgs__connection_guard(connection, socket);
    return true;
}

static void
begin(struct pgs__worker *worker, h2o_socket_t *socket)
{
    if (!pgs__connection_add(worker, socket))
        return;
    if (worker->config->tls != NULL)
        worker->accept.ssl_ctx = worker->tls = pgs_tls_context(worker->config->tls, worker->tls);
    h2o_accept(&worker->accept, socket);
}

static void
on_accept(h2o_socket_t *listener, const char *err)
{
    struct pgs__worker *worker = listener->data;

    if (err != NULL)
        return;
    for (int i = 0; i < ACCEPTS_A_WAKE || worker->is_stopping; i++) {
        h2o_socket_t *socket;

        if (worker->n_connections >= worker->max_connections) {
            pgs_limit_hit(PGS_LIMIT_CONNECTIONS);
            set_accepting(worker, false);
            return;
        }
        errno = 0;
        socket = h2o_evloop_socket_accept(listener);
        if (socket != NULL) {
            begin(worker, socket);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pgs_limit_hit(PGS_LIMIT_DESCRIPTORS);
            PGS_LOG(PGS_LOG_WARN, "accept_paused", PGS_LOG_STR("error", strerror(errno)));
            set_accepting(worker, false);
            h2o_timeout_link(worker->loop, &worker->pause_timeout, &worker->pause);
        }
        return;
    }
}

static void
set_accepting(struct pgs__worker *worker, bool accepting)
{
    if (worker->is_stopping || worker->is_paused == !accepting)
        return;
    worker->is_paused = !accepting;
    for (int i = 0; i < worker->n_fds; i++) {
        if (accepting)
            h2o_socket_read_start(worker->listeners[i], on_accept);
        else
            h2o_socket_read_stop(worker->listeners[i]);
    }
}

static void
on_pause_end(h2o_timeout_entry_t *entry)
{
    set_accepting(H2O_STRUCT_FROM_MEMBER(struct pgs__worker, pause, entry), true);
}

struct pgs__connection *
pgs__connection_of(const h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn)->on_close.data;
}

void
pgs__accept_open(struct pgs__worker *worker)
{
    worker->accept.ctx = &worker->context;
    worker->accept.hosts = worker->globalconf->hosts;
    h2o_linklist_init_anchor(&worker->connections);
    h2o_linklist_init_anchor(&worker->requests);
    h2o_timeout_init(worker->loop, &worker->pause_timeout, PAUSE_MS);
    worker->pause.cb = on_pause_end;
}

void
pgs__accept_begin(struct pgs__worker *worker)
{
    worker->is_listening = true;
    worker->listeners = h2o_mem_alloc((size_t)worker->n_fds * sizeof(*worker->listeners));
    for (int i = 0; i < worker->n_fds; i++) {
        worker->listeners[i] =
            h2o_evloop_socket_create(worker->loop, worker->fds[i], H2O_SOCKET_FLAG_DONT_READ);
        worker->listeners[i]->data = worker;
        h2o_socket_read_start(worker->listeners[i], on_accept);
    }
}

void
pgs__accept_close(struct pgs__worker *worker)
{
    h2o_timeout_unlink(&worker->pause);
    for (int i = 0; i < worker->n_fds; i++) {
        if (!worker->is_listening) {
            (void)close(worker->fds[i]);
            continue;
        }
        if (worker->takes_waiting)
            on_accept(worker->listeners[i], NULL);
        h2o_socket_close(worker->listeners[i]);
    }
    if (worker->is_listening)
        free(worker->listeners);
    free(worker->fds);
}
