/* SPDX-License-Identifier: MIT */
/*
 * libh2o has no timeout for a client that does not read, and over HTTP/2 none while a stream is
 * open: whoever sends half a request, or reads nothing, would keep its connection, and the answer's
 * memory, for ever.  Ended by shutdown(2); libh2o cleans up.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/memory.h"
#include "http/info.h"
#include "http/worker.h"

#define REAP_MS 1000
#define CROWD 100 /* connections of one thread */

/* Who takes fewer bytes within WRITE_TIMEOUT takes nothing: windows can be opened by one at a time.
 */
#define LEAST_TAKEN 1024

/* Bytes that the peer has acknowledged; what was handed to the kernel says nothing of the peer. */
static uint64_t
acked_bytes(const h2o_socket_t *socket)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(h2o_socket_get_fd((h2o_socket_t *)(uintptr_t)socket), IPPROTO_TCP, TCP_INFO,
                   &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_acked;
}

/* True: an answer waits in the socket, and next to nothing of it was taken for WRITE_TIMEOUT. */
static bool
is_stalled(struct pgs__connection *connection, int64_t now_ms)
{
    uint64_t acked;

    if (!h2o_socket_is_writing(connection->socket)) {
        connection->acked_ms = 0;
        return false;
    }
    acked = acked_bytes(connection->socket);
    if (connection->acked_ms == 0 || acked - connection->acked >= LEAST_TAKEN) {
        connection->acked = acked;
        connection->acked_ms = now_ms;
    }
    return now_ms - connection->acked_ms > connection->worker->config->write_timeout_ms;
}

/* True: the client's window has had next to no room for what waits of an answer for WRITE_TIMEOUT.
 */
static bool
is_withheld(struct pgs__lease *lease, int64_t now_ms)
{
    if (lease->req->res.status == 0 || !lease->connection->is_h2 ||
        h2o_socket_is_writing(lease->connection->socket))
        return false;
    if (pgs_request_info(lease->req)->is_resting) {
        lease->sent_ms = 0;
        return false;
    }
    if (lease->sent_ms == 0 || lease->req->bytes_sent - lease->sent >= LEAST_TAKEN) {
        lease->sent = lease->req->bytes_sent;
        lease->sent_ms = now_ms;
    }
    return now_ms - lease->sent_ms > lease->connection->worker->config->write_timeout_ms;
}

/* True: HTTP/2 without a whole request for READ_TIMEOUT; HTTP/1 is libh2o's to time. */
static bool
is_idle(const struct pgs__connection *connection, int64_t now_ms)
{
    return connection->is_h2 && connection->n_requests == 0 &&
           now_ms - connection->idle_since_ms > connection->worker->config->read_timeout_ms;
}

static void
end(const struct pgs__connection *connection, enum pgs_limit limit)
{
    pgs_limit_hit(limit);
    pgs__connection_end(connection);
}

/* A crowd has gone: what it left, glibc keeps for the next one. */
static void
give_back_memory(struct pgs__worker *worker)
{
    if (worker->n_connections > worker->most_connections)
        worker->most_connections = worker->n_connections;
    if (worker->most_connections - worker->n_connections < CROWD ||
        worker->n_connections > worker->most_connections / 4)
        return;
    pgs_memory_give_back();
    worker->most_connections = worker->n_connections;
}

static void
on_time(h2o_timeout_entry_t *entry)
{
    struct pgs__worker *worker = H2O_STRUCT_FROM_MEMBER(struct pgs__worker, reap, entry);
    int64_t now_ms = pgs_clock_ms();

    for (h2o_linklist_t *link = worker->connections.next; link != &worker->connections;
         link = link->next) {
        struct pgs__connection *connection =
            H2O_STRUCT_FROM_MEMBER(struct pgs__connection, link, link);

        if (is_stalled(connection, now_ms))
            end(connection, PGS_LIMIT_WRITE_TIMEOUT);
        else if (is_idle(connection, now_ms))
            end(connection, PGS_LIMIT_READ_TIMEOUT);
    }
    for (h2o_linklist_t *link = worker->requests.next; link != &worker->requests;
         link = link->next) {
        struct pgs__lease *lease = H2O_STRUCT_FROM_MEMBER(struct pgs__lease, link, link);

        if (is_withheld(lease, now_ms))
            end(lease->connection, PGS_LIMIT_WRITE_TIMEOUT);
    }
    give_back_memory(worker);
    h2o_timeout_link(worker->loop, &worker->reap_timeout, entry);
}

void
pgs__reaper_open(struct pgs__worker *worker)
{
    h2o_timeout_init(worker->loop, &worker->reap_timeout, REAP_MS);
    worker->reap.cb = on_time;
    h2o_timeout_link(worker->loop, &worker->reap_timeout, &worker->reap);
}

void
pgs__reaper_close(struct pgs__worker *worker)
{
    h2o_timeout_unlink(&worker->reap);
}
