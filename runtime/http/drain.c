/* SPDX-License-Identifier: MIT */
/*
 * How connections end when their worker stops.  No client shall see its request fail for it: so
 * each is told in an answer that it is the last one, or by GOAWAY; and one that has not asked
 * anything since is given a grace, in which it may, before it is closed.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/worker.h"

#define GRACE_MS 1000
#define FIRST_GRACE_MS 5000 /* to one that has just come: a TLS handshake takes a client's time */

/* libh2o then reads the end and cleans up by itself. */
void
pgs__connection_end(const struct pgs__connection *connection)
{
    (void)shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR);
}

/* libh2o does so for requests whose head comes later. */
static void
answer_with_close(struct pgs__worker *worker)
{
    for (h2o_linklist_t *link = worker->requests.next; link != &worker->requests;
         link = link->next) {
        struct pgs__lease *lease = H2O_STRUCT_FROM_MEMBER(struct pgs__lease, link, link);

        if (lease->req->res.status == 0)
            lease->req->http1_is_persistent = 0;
    }
}

/* HTTP/2 that has not begun: the client takes nothing before SETTINGS, which answers its preface.
 */
static bool
is_mute(const struct pgs__connection *connection)
{
    return connection->is_h2 && connection->h2.frames == 0;
}

/* How many connections have not been told to go; -1: one of them is mute. */
static int
count_untold(const struct pgs__worker *worker)
{
    int n = 0;

    for (h2o_linklist_t *link = worker->connections.next; link != &worker->connections;
         link = link->next) {
        const struct pgs__connection *connection =
            H2O_STRUCT_FROM_MEMBER(struct pgs__connection, link, link);

        if (is_mute(connection))
            return -1;
        n += connection->is_h2 && !connection->is_told;
    }
    return n;
}

static void
mark_told(struct pgs__worker *worker)
{
    for (h2o_linklist_t *link = worker->connections.next; link != &worker->connections;
         link = link->next) {
        struct pgs__connection *connection =
            H2O_STRUCT_FROM_MEMBER(struct pgs__connection, link, link);

        connection->is_told = connection->is_h2;
    }
}

/* Nothing has come for a grace, and nothing is under way. */
static bool
is_quiet(struct pgs__connection *connection, int64_t now_ms)
{
    if (connection->n_requests > 0 || connection->h2.frames != connection->seen_frames) {
        connection->seen_frames = connection->h2.frames;
        connection->seen_ms = now_ms;
    }
    return now_ms - connection->seen_ms > GRACE_MS;
}

static bool
are_quiet(struct pgs__worker *worker, int64_t now_ms)
{
    bool quiet = true;

    for (h2o_linklist_t *link = worker->connections.next; link != &worker->connections;
         link = link->next) {
        struct pgs__connection *connection =
            H2O_STRUCT_FROM_MEMBER(struct pgs__connection, link, link);

        if (connection->is_h2 && !is_quiet(connection, now_ms))
            quiet = false; /* and look at the others too */
    }
    return quiet;
}

/*
 * The first GOAWAY allows what is on its way, the second no more.  libh2o sends the first once, to
 * whoever is connected then, also before SETTINGS, and the second to all, a second later: too soon
 * for a client that is slow to read, or whose TLS handshake has just ended.  So we say when.
 */
static void
send_goaway(struct pgs__worker *worker)
{
    h2o_timeout_entry_t *second = &worker->context.http2._graceful_shutdown_timeout;
    int64_t now_ms = pgs_clock_ms();
    bool is_late = now_ms - worker->stopping_since_ms > worker->patience_ms;
    int untold = count_untold(worker);

    if (untold > 0) {
        second->cb = NULL;
        h2o_context_request_shutdown(&worker->context);
        h2o_timeout_unlink(second);
        mark_told(worker);
    } else if (second->cb != NULL && (is_late || (untold == 0 && are_quiet(worker, now_ms)))) {
        second->cb(second);
    }
}

void
pgs__connections_say_close(struct pgs__worker *worker)
{
    worker->context.shutdown_requested = 1;
    answer_with_close(worker);
    send_goaway(worker);
}

/* Nothing of a request has come, as far as can be known here. */
static bool
is_silent(const struct pgs__connection *connection)
{
    int waiting = 0;

    return connection->socket->input->size == 0 &&
           ioctl(h2o_socket_get_fd(connection->socket), FIONREAD, &waiting) == 0 && waiting == 0;
}

static bool
is_over(const struct pgs__connection *connection, int64_t now_ms)
{
    const struct pgs__worker *worker = connection->worker;
    int64_t since_ms = connection->idle_since_ms;
    int64_t grace_ms = connection->has_asked ? GRACE_MS : FIRST_GRACE_MS;

    if (connection->n_requests > 0)
        return false;
    if (now_ms - worker->stopping_since_ms > worker->patience_ms)
        return true;
    if (connection->has_asked && since_ms < worker->stopping_since_ms)
        since_ms = worker->stopping_since_ms;
    /* HTTP/2 has been told to go away, and goes by itself. */
    return (!connection->is_h2 || is_mute(connection)) && now_ms - since_ms > grace_ms &&
           is_silent(connection);
}

void
pgs__connections_end_idle(struct pgs__worker *worker)
{
    int64_t now_ms = pgs_clock_ms();

    for (h2o_linklist_t *link = worker->connections.next; link != &worker->connections;
         link = link->next) {
        struct pgs__connection *connection =
            H2O_STRUCT_FROM_MEMBER(struct pgs__connection, link, link);

        if (is_over(connection, now_ms))
            pgs__connection_end(connection);
    }
}
