/* SPDX-License-Identifier: MIT */
/*
 * libh2o 2.2.5 neither counts connections nor closes idle ones when it stops, so each accepted
 * socket carries a struct connection in its on_close: it knows how many requests are under way.
 * An idle connection is ended by shutdown(2); h2o then reads its end and cleans up itself.
 */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/access_log.h"
#include "http/guard.h"
#include "http/info.h"
#include "http/listen.h"
#include "http/reply.h"

#define ACCEPTS_A_WAKE 16
#define PAUSE_MS 100     /* after accept(2) found no file descriptor free */
#define PATIENCE_MS 2000 /* for half-sent requests, when stopping */
#define GZIP_MIN_BYTES 1024
#define BODY_SLACK 65536 /* a body slightly too large is read, so that its client can read why */

struct worker {
    struct pgs_server *server;
    int index;
    pthread_t thread;
    h2o_loop_t *loop;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listeners[PGS_LISTEN_MAX];
    int wake_fd; /* written to when it is time to stop */
    h2o_socket_t *wake;
    h2o_linklist_t connections;
    int n_connections;
    bool is_paused; /* does not accept */
    h2o_timeout_t pause_timeout;
    h2o_timeout_entry_t pause;
    bool is_stopping;
    int64_t stopping_since_ms;
    bool state_is_stopping;
    void *state;
    struct pgs_access_log *log;
};

struct connection {
    h2o_linklist_t link;
    struct worker *worker;
    h2o_socket_t *socket;
    int n_requests; /* under way */
    char client[INET6_ADDRSTRLEN];
};

struct handler {
    h2o_handler_t super;
    struct pgs_server *server;
};

struct logger {
    h2o_logger_t super;
    struct handler *handler;
};

struct pgs_server {
    struct pgs_server_config config;
    h2o_globalconf_t globalconf;
    h2o_hostconf_t *host;
    struct handler *handler;
    int n_addresses;
    int (*fds)[PGS_LISTEN_MAX];
    struct worker *workers;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    int n_running;
};

/* ---- connections ---- */

static void
end_connection(const struct connection *connection)
{
    (void)shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR);
}

static void set_accepting(struct worker *worker, bool accepting);

static void
on_connection_close(void *data)
{
    struct connection *connection = data;
    struct worker *worker = connection->worker;

    h2o_linklist_unlink(&connection->link);
    worker->n_connections--;
    free(connection);
    if (worker->is_paused && !h2o_timeout_is_linked(&worker->pause))
        set_accepting(worker, true);
}

static void
add_connection(struct worker *worker, h2o_socket_t *socket)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL) {
        h2o_socket_close(socket);
        return;
    }
    connection->worker = worker;
    connection->socket = socket;
    h2o_linklist_insert(&worker->connections, &connection->link);
    worker->n_connections++;
    socket->on_close.cb = on_connection_close;
    socket->on_close.data = connection;
    h2o_accept(&worker->accept, socket);
}

static const char *
client_of(struct connection *connection)
{
    struct sockaddr_storage address;
    const void *bytes = &((struct sockaddr_in *)&address)->sin_addr;

    if (connection->client[0] != '\0')
        return connection->client;
    if (h2o_socket_getpeername(connection->socket, (struct sockaddr *)&address) == 0)
        return "unknown";
    if (address.ss_family == AF_INET6)
        bytes = &((struct sockaddr_in6 *)&address)->sin6_addr;
    if (inet_ntop(address.ss_family, bytes, connection->client, sizeof(connection->client)) == NULL)
        return "unknown";
    return connection->client;
}

/* ---- accepting ---- */

static void
on_accept(h2o_socket_t *listener, const char *err)
{
    struct worker *worker = listener->data;

    if (err != NULL)
        return;
    for (int i = 0; i < ACCEPTS_A_WAKE; i++) {
        h2o_socket_t *socket;

        if (worker->n_connections >= worker->server->config.max_connections) {
            set_accepting(worker, false);
            return;
        }
        errno = 0;
        socket = h2o_evloop_socket_accept(listener);
        if (socket != NULL) {
            add_connection(worker, socket);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            PGS_LOG(PGS_LOG_WARN, "accept_paused", PGS_LOG_STR("error", strerror(errno)));
            set_accepting(worker, false);
            h2o_timeout_link(worker->loop, &worker->pause_timeout, &worker->pause);
        }
        return;
    }
}

static void
set_accepting(struct worker *worker, bool accepting)
{
    if (worker->is_stopping || worker->is_paused == !accepting)
        return;
    worker->is_paused = !accepting;
    for (int i = 0; i < worker->server->n_addresses; i++) {
        if (accepting)
            h2o_socket_read_start(worker->listeners[i], on_accept);
        else
            h2o_socket_read_stop(worker->listeners[i]);
    }
}

static void
on_pause_end(h2o_timeout_entry_t *entry)
{
    set_accepting(H2O_STRUCT_FROM_MEMBER(struct worker, pause, entry), true);
}

/* ---- requests ---- */

/*
 * h2o stops reading while a request is under way and starts again after it: two epoll_ctl(2) a
 * request.  Watching on, without reading, leaves the epoll set as it is.  More input, or its end,
 * is h2o's to read once the request is answered.
 */
static void
on_early_input(h2o_socket_t *socket, const char *err)
{
    (void)err;
    h2o_socket_read_stop(socket);
    h2o_socket_dont_read(socket, 0);
}

static void
watch_on(h2o_socket_t *socket)
{
    h2o_socket_dont_read(socket, 1);
    h2o_socket_read_start(socket, on_early_input);
}

static void
watch_off(h2o_socket_t *socket)
{
    if (socket->_cb.read == on_early_input)
        on_early_input(socket, NULL);
}

struct lease {
    struct connection *connection;
};

static void
on_request_end(void *cell)
{
    struct connection *connection = ((struct lease *)cell)->connection;

    watch_off(connection->socket);
    if (--connection->n_requests == 0 && connection->worker->is_stopping)
        end_connection(connection);
}

static void
refuse(h2o_req_t *req, int status, const char *code, const char *message)
{
    req->http1_is_persistent = 0;
    pgs_reply_problem(req, &(struct pgs_problem){status, code, message, NULL, NULL});
}

static int
on_request(h2o_handler_t *self, h2o_req_t *req)
{
    struct worker *worker = h2o_context_get_handler_context(req->conn->ctx, self);
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    struct connection *connection = socket->on_close.data;
    struct lease *lease = h2o_mem_alloc_shared(&req->pool, sizeof(*lease), on_request_end);
    const char *wrong;

    connection->n_requests++;
    lease->connection = connection;
    watch_on(socket);
    (void)pgs__info_add(req, client_of(connection));
    wrong = pgs_guard_check(socket->input->bytes, socket->input->size);
    if (wrong != NULL)
        refuse(req, 400, "PGRST100", wrong);
    else if (req->entity.len > worker->server->config.max_body_bytes)
        refuse(req, 413, "PGRST102", "the body is too large");
    else
        worker->server->config.on_request(worker->state, req);
    return 0;
}

static void
on_log(h2o_logger_t *self, h2o_req_t *req)
{
    struct handler *handler = ((struct logger *)self)->handler;
    struct worker *worker = h2o_context_get_handler_context(req->conn->ctx, &handler->super);

    if (worker->log != NULL)
        pgs_access_log_add(worker->log, req, pgs_request_info(req));
}

/* ---- a thread ---- */

static void
close_listeners(struct worker *worker)
{
    for (int i = 0; i < worker->server->n_addresses; i++)
        h2o_socket_close(worker->listeners[i]);
}

static void
end_idle_connections(struct worker *worker, bool half_sent_too)
{
    for (h2o_linklist_t *link = worker->connections.next; link != &worker->connections;
         link = link->next) {
        struct connection *connection = H2O_STRUCT_FROM_MEMBER(struct connection, link, link);

        if (connection->n_requests == 0 && (half_sent_too || connection->socket->input->size == 0))
            end_connection(connection);
    }
}

static void
on_wake(h2o_socket_t *socket, const char *err)
{
    struct worker *worker = socket->data;
    uint64_t count;

    (void)err;
    if (read(worker->wake_fd, &count, sizeof(count)) != sizeof(count) || worker->is_stopping)
        return;
    h2o_timeout_unlink(&worker->pause);
    close_listeners(worker);
    worker->is_stopping = true;
    worker->stopping_since_ms = pgs_clock_ms();
    /* h2o_context_request_shutdown() would start HTTP/2's timers as well. */
    worker->context.shutdown_requested = 1;
    end_idle_connections(worker, false);
}

/* One step towards the end; true: reached. */
static bool
is_stopped(struct worker *worker)
{
    const struct pgs_server_config *config = &worker->server->config;

    if (worker->n_connections > 0) {
        if (pgs_clock_ms() - worker->stopping_since_ms > PATIENCE_MS)
            end_idle_connections(worker, true);
        return false;
    }
    if (!worker->state_is_stopping) {
        worker->state_is_stopping = true;
        config->thread_stop(worker->state);
    }
    return config->thread_is_stopped(worker->state);
}

static h2o_socket_t *
watch(struct worker *worker, int fd, h2o_socket_cb on_ready)
{
    h2o_socket_t *socket = h2o_evloop_socket_create(worker->loop, fd, H2O_SOCKET_FLAG_DONT_READ);

    socket->data = worker;
    h2o_socket_read_start(socket, on_ready);
    return socket;
}

static void
open_worker(struct worker *worker)
{
    struct pgs_server *server = worker->server;

    worker->loop = h2o_evloop_create();
    h2o_context_init(&worker->context, worker->loop, &server->globalconf);
    h2o_context_set_handler_context(&worker->context, &server->handler->super, worker);
    worker->accept.ctx = &worker->context;
    worker->accept.hosts = server->globalconf.hosts;
    h2o_linklist_init_anchor(&worker->connections);
    h2o_timeout_init(worker->loop, &worker->pause_timeout, PAUSE_MS);
    worker->pause.cb = on_pause_end;
    if (server->config.access_log_fd >= 0)
        worker->log = pgs_access_log_open(server->config.access_log_fd);
    worker->state = server->config.thread_open(worker->loop, worker->index, server->config.arg);
    worker->wake = watch(worker, worker->wake_fd, on_wake);
    for (int i = 0; i < server->n_addresses; i++)
        worker->listeners[i] = watch(worker, server->fds[worker->index][i], on_accept);
}

/* libh2o keeps freed memory for its thread and cannot give it back: loop and context stay until the
 * process ends, and the thread waits for that. */
static void
close_worker(struct worker *worker)
{
    struct pgs_server *server = worker->server;

    server->config.thread_close(worker->state);
    if (worker->log != NULL)
        pgs_access_log_close(worker->log);
    (void)pthread_mutex_lock(&server->mutex);
    server->n_running--;
    (void)pthread_cond_signal(&server->ended);
    (void)pthread_mutex_unlock(&server->mutex);
    for (;;)
        (void)pause();
}

static void *
run_worker(void *arg)
{
    struct worker *worker = arg;

    open_worker(worker);
    while (!worker->is_stopping || !is_stopped(worker)) {
        (void)h2o_evloop_run(worker->loop, worker->is_stopping ? 20 : INT32_MAX);
        if (worker->log != NULL)
            pgs_access_log_flush(worker->log);
    }
    close_worker(worker);
    return NULL;
}

/* ---- the server ---- */

static void
add_logger(struct pgs_server *server, h2o_pathconf_t *path)
{
    struct logger *logger = (struct logger *)h2o_create_logger(path, sizeof(*logger));

    logger->super.log_access = on_log;
    logger->handler = server->handler;
}

static void
configure_h2o(struct pgs_server *server)
{
    const struct pgs_server_config *config = &server->config;
    h2o_globalconf_t *global = &server->globalconf;
    h2o_compress_args_t compress = {GZIP_MIN_BYTES, {config->gzip_level}, {-1}};
    h2o_pathconf_t *path;

    h2o_config_init(global);
    global->server_name = h2o_iovec_init("", 0);
    global->max_request_entity_size = config->max_body_bytes + BODY_SLACK;
    global->http1.req_timeout = (uint64_t)config->read_timeout_ms;
    global->http1.upgrade_to_http2 = 0;
    server->host = h2o_config_register_host(global, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    path = h2o_config_register_path(server->host, "/", 0);
    server->handler = (struct handler *)h2o_create_handler(path, sizeof(*server->handler));
    server->handler->super.on_req = on_request;
    server->handler->server = server;
    if (config->gzip_level > 0)
        h2o_compress_register(path, &compress);
    if (config->access_log_fd >= 0) {
        add_logger(server, path);
        add_logger(server, &server->host->fallback_path); /* what h2o refuses by itself */
    }
}

static void
free_server(struct pgs_server *server)
{
    h2o_config_dispose(&server->globalconf);
    (void)pthread_cond_destroy(&server->ended);
    (void)pthread_mutex_destroy(&server->mutex);
    free(server->workers);
    free(server->fds);
    free(server);
}

struct pgs_server *
pgs_server_open(const struct pgs_server_config *config, char why[256])
{
    struct pgs_server *server = calloc(1, sizeof(*server));
    size_t threads = (size_t)config->threads;
    uint16_t port = config->port;

    if (server == NULL)
        abort();
    server->config = *config;
    server->fds = calloc(threads, sizeof(*server->fds));
    server->workers = calloc(threads, sizeof(*server->workers));
    if (server->fds == NULL || server->workers == NULL)
        abort();
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_cond_init(&server->ended, NULL);
    configure_h2o(server);
    server->n_addresses = pgs_listen(config->host, &port, config->threads, server->fds, why);
    if (server->n_addresses == 0) {
        free_server(server);
        return NULL;
    }
    server->config.port = port;
    return server;
}

uint16_t
pgs_server_port(const struct pgs_server *server)
{
    return server->config.port;
}

bool
pgs_server_start(struct pgs_server *server)
{
    for (int i = 0; i < server->config.threads; i++) {
        struct worker *worker = &server->workers[i];

        worker->server = server;
        worker->index = i;
        worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (worker->wake_fd < 0 || pthread_create(&worker->thread, NULL, run_worker, worker) != 0)
            return false;
        (void)pthread_mutex_lock(&server->mutex);
        server->n_running++;
        (void)pthread_mutex_unlock(&server->mutex);
    }
    return true;
}

static bool
wait_for_end(struct pgs_server *server, int deadline_ms)
{
    struct timespec until;
    int failed = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += deadline_ms / 1000;
    until.tv_nsec += deadline_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    (void)pthread_mutex_lock(&server->mutex);
    while (server->n_running > 0 && failed == 0)
        failed = pthread_cond_timedwait(&server->ended, &server->mutex, &until);
    failed = server->n_running;
    (void)pthread_mutex_unlock(&server->mutex);
    return failed == 0;
}

bool
pgs_server_stop(struct pgs_server *server, int deadline_ms)
{
    uint64_t one = 1;

    for (int i = 0; i < server->config.threads; i++)
        if (write(server->workers[i].wake_fd, &one, sizeof(one)) != sizeof(one))
            return false;
    return wait_for_end(server, deadline_ms);
}
