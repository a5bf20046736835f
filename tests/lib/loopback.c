/* SPDX-License-Identifier: MIT */
#include "loopback.h"

#include <errno.h>
#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/guard.h"
#include "http/worker.h"
#include "live/hub.h"
#include "rest/rest.h"

#define TURNS_AT_WORK 4 /* of the loop, for what one piece sets off */
#define TURNS_TO_END 500
#define OUTPUT_MAX (4 << 20) /* of one connection; more is not taken from the server */

static h2o_globalconf_t global;
static struct pgs_server_config config;
static struct pgs__worker worker;
static struct pgs_thread thread;
static struct pgs_live_thread *live; /* NULL: none */
static bool has_live;
static int64_t now_us;
static int client = -1;
static struct {
    char at[OUTPUT_MAX + 1];
    size_t len;
    bool is_closed;
} output;

static int64_t
clock_us(void)
{
    return now_us;
}

/* Its feed finds no PostgreSQL; what is subscribed to is asked for as if it did. */
static struct pgs_live_thread *
open_live(h2o_loop_t *loop)
{
    struct pgs_hub *hub = pgs_hub_open(&pgs_app, "host=/nowhere", 20, 0);
    const struct pgs_live_config live_config = {
        .app = &pgs_app,
        .hub = hub,
        .pool = thread.pool,
        .authn = thread.authn,
        .idle_ms = 3600000,
        .kept_ms = 60000,
    };

    if (hub == NULL)
        abort();
    pgs__hub_on_state(hub, true);
    return pgs_live_open(loop, &live_config);
}

static void *
thread_open(h2o_loop_t *loop, int index, void *arg)
{
    static const struct pgs_keys keys = {
        .anon_key = LOOPBACK_ANON_KEY,
        .service_key = LOOPBACK_SERVICE_KEY,
        .jwt = {.secret = (const uint8_t *)LOOPBACK_SECRET,
                .secret_len = sizeof(LOOPBACK_SECRET) - 1},
    };
    struct pgs_pool_config pool = {
        .conninfo = "host=/nowhere",
        .session_sql = pgs_app.session_sql,
        .n_session = 2 + (size_t)pgs_app.reads_jwt + pgs_app.n_claims,
        .connections = 1,
        .slow_connections = 1,
        .max_in_flight = 8,
        .max_waiting = 8,
        .max_statements = 64,
        .statement_timeout_ms = 1000,
        .wait_timeout_ms = 1000,
    };

    (void)index;
    (void)arg;
    thread.app = &pgs_app;
    thread.router = pgs_router_open(&pgs_app);
    thread.authn = pgs_authn_open(&pgs_app, &keys);
    thread.pool = thread.admin_pool = pgs_pool_open(loop, &pool);
    live = has_live ? open_live(loop) : NULL;
    return &thread;
}

static void
on_request(void *state, h2o_req_t *req)
{
    if (live == NULL || !pgs_live_on_request(live, req))
        pgs_rest_on_request(state, req);
}

static void
turn(int n)
{
    while (n-- > 0)
        (void)h2o_evloop_run(worker.loop, 0);
}

void
loopback_open(void)
{
    static const struct pgs_clock clock = {clock_us, NULL};
    const struct pgs_addresses_config addresses = {
        .max_connections = INT_MAX, .max_requests = INT_MAX, .max_floods = INT_MAX, .room = 64};
    h2o_hostconf_t *host;
    h2o_pathconf_t *path;

    config = (struct pgs_server_config){
        .max_body_bytes = 65536,
        .read_timeout_ms = 3600000,
        .write_timeout_ms = 3600000,
        .max_requests = 1000,
        .addresses = pgs_addresses_open(&addresses),
        .is_counted = true,
        .thread_open = thread_open,
        .on_request = on_request,
    };
    pgs_log_open(STDERR_FILENO, PGS_LOG_OFF);
    now_us = 1000000;
    pgs_clock_replace(&clock);
    pgs__h1_guard_open();
    h2o_config_init(&global);
    global.server_name = h2o_iovec_init("", 0);
    global.max_request_entity_size = config.max_body_bytes;
    global.http1.req_timeout = (uint64_t)config.read_timeout_ms;
    global.http1.upgrade_to_http2 = 0;
    host = h2o_config_register_host(&global, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    path = h2o_config_register_path(host, "/", 0);
    worker.handler = h2o_create_handler(path, sizeof(*worker.handler));
    worker.handler->on_req = pgs__on_request;
    worker.config = &config;
    worker.globalconf = &global;
    worker.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pgs__worker_open(&worker);
    turn(TURNS_AT_WORK);
    now_us += 10000000; /* by then PostgreSQL counts as away: requests do not wait for it */
}

void
loopback_open_live(void)
{
    has_live = true;
    loopback_open();
}

/* False: the server has closed. */
static bool
receive(void)
{
    for (;;) {
        ssize_t n = recv(client, output.at + output.len, OUTPUT_MAX - output.len, 0);

        if (output.len == OUTPUT_MAX)
            return true;
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        output.len += (size_t)n;
    }
}

bool
loopback_connect(bool http2)
{
    h2o_socket_t *socket;
    int fds[2];

    output.len = 0;
    output.is_closed = false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return false;
    client = fds[1];
    socket = h2o_evloop_socket_create(worker.loop, fds[0], H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    if (!pgs__connection_add(&worker, socket)) {
        (void)close(client);
        client = -1;
        return false;
    }
    if (http2)
        h2o_http2_accept(&worker.accept, socket, (struct timeval){.tv_sec = 0});
    else
        h2o_http1_accept(&worker.accept, socket, (struct timeval){.tv_sec = 0});
    return true;
}

void
loopback_send(const void *bytes, size_t len)
{
    for (size_t sent = 0; sent < len && !output.is_closed;) {
        ssize_t n = send(client, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        turn(TURNS_AT_WORK);
        if (!receive() || (n < 0 && errno != EAGAIN))
            output.is_closed = true;
        else if (n < 0)
            break; /* it does not read: a request is under way, or the connection is dead */
    }
}

struct loopback_output
loopback_end(void)
{
    (void)shutdown(client, SHUT_WR);
    turn(TURNS_AT_WORK);
    (void)receive();
    output.at[output.len] = '\0';
    (void)close(client);
    client = -1;
    for (int i = 0; worker.n_connections > 0; i++) {
        if (i == TURNS_TO_END) {
            fprintf(stderr, "the server keeps a connection whose client has gone\n");
            abort();
        }
        turn(1);
    }
    return (struct loopback_output){output.at, output.len, output.is_closed};
}
