/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/access_log.h"
#include "http/guard.h"
#include "http/info.h"
#include "http/worker.h"

#define GZIP_MIN_BYTES 1024

struct logger {
    h2o_logger_t super;
    h2o_handler_t *handler;
};

struct pgs_server {
    struct pgs_server_config config;
    h2o_globalconf_t globalconf;
    h2o_hostconf_t *host;
    h2o_handler_t *handler;
    struct pgs__worker *workers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int n_ready;
    int n_running;
};

static void
on_log(h2o_logger_t *self, h2o_req_t *req)
{
    const struct logger *logger = (struct logger *)self;
    struct pgs__worker *worker = h2o_context_get_handler_context(req->conn->ctx, logger->handler);
    const struct pgs_server_config *config = worker->config;
    const struct pgs_request_info *info = pgs_request_info(req);
    int64_t now_us = pgs_clock_us();

    if (info == NULL)
        return;
    if (worker->traffic != NULL)
        pgs__traffic_add(worker->traffic, req, info, now_us);
    if (worker->log != NULL)
        pgs_access_log_add(worker->log, req, info, now_us);
    if (config->slow_ms > 0 && now_us - info->start_us > config->slow_ms * INT64_C(1000))
        pgs__log_slow(req, info, now_us);
}

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
    global->max_request_entity_size = config->max_body_bytes;
    global->http1.req_timeout = (uint64_t)config->read_timeout_ms;
    global->http1.upgrade_to_http2 = 0; /* HTTP/2 is for TLS */
    global->http2.idle_timeout = (uint64_t)config->read_timeout_ms;
    server->host = h2o_config_register_host(global, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    path = h2o_config_register_path(server->host, "/", 0);
    server->handler = h2o_create_handler(path, sizeof(*server->handler));
    server->handler->on_req = pgs__on_request;
    if (config->gzip_level > 0)
        h2o_compress_register(path, &compress);
    if (config->access_log != NULL || config->is_counted) {
        add_logger(server, path);
        add_logger(server, &server->host->fallback_path); /* what h2o refuses by itself */
    }
}

struct pgs_server *
pgs_server_open(const struct pgs_server_config *config)
{
    struct pgs_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        abort();
    server->config = *config;
    server->workers = calloc((size_t)config->threads, sizeof(*server->workers));
    if (server->workers == NULL)
        abort();
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_cond_init(&server->changed, NULL);
    pgs__h1_guard_open();
    configure_h2o(server);
    return server;
}

static void
count(struct pgs_server *server, int *what, int change)
{
    (void)pthread_mutex_lock(&server->mutex);
    *what += change;
    (void)pthread_cond_signal(&server->changed);
    (void)pthread_mutex_unlock(&server->mutex);
}

static void
on_worker_ready(void *arg)
{
    struct pgs_server *server = arg;

    count(server, &server->n_ready, 1);
}

static void
on_worker_end(void *arg)
{
    struct pgs_server *server = arg;

    count(server, &server->n_running, -1);
}

/*
 * Copies for the worker of the sockets that are its share: another generation may have been made
 * for more threads or fewer, and a socket that nobody accepts from would swallow connections.
 */
static bool
share_listeners(const struct pgs_server *server, struct pgs__worker *worker)
{
    const struct pgs_listeners *all = &server->config.listeners;
    int threads = server->config.threads;

    worker->fds = calloc((size_t)pgs_listeners_count(all), sizeof(*worker->fds));
    if (worker->fds == NULL)
        abort();
    for (int i = 0; i < pgs_listeners_count(all); i++) {
        int set = i % all->sets, fd;

        if (threads > all->sets ? set != worker->index % all->sets : set % threads != worker->index)
            continue;
        fd = fcntl(all->fds[i], F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return false;
        worker->fds[worker->n_fds++] = fd;
    }
    return true;
}

/* All shares together are the limit; a thread without any would leave who waits for it waiting. */
static int
share_connections(const struct pgs_server_config *config, int index)
{
    int share = config->max_connections / config->threads +
                (index < config->max_connections % config->threads);

    return share > 0 ? share : 1;
}

bool
pgs_server_start(struct pgs_server *server)
{
    for (int i = 0; i < server->config.threads; i++) {
        struct pgs__worker *worker = &server->workers[i];

        worker->config = &server->config;
        worker->globalconf = &server->globalconf;
        worker->handler = server->handler;
        worker->index = i;
        worker->max_connections = share_connections(&server->config, i);
        worker->on_ready = on_worker_ready;
        worker->on_end = on_worker_end;
        worker->arg = server;
        worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (worker->wake_fd < 0 || !share_listeners(server, worker) ||
            pthread_create(&worker->thread, NULL, pgs__worker_run, worker) != 0)
            return false;
        count(server, &server->n_running, 1);
    }
    return true;
}

/* True when `*what` has become `wanted` before the deadline. */
static bool
wait_for_count(struct pgs_server *server, const int *what, int wanted, int deadline_ms)
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
    while (*what != wanted && failed == 0)
        failed = pthread_cond_timedwait(&server->changed, &server->mutex, &until);
    failed = *what != wanted;
    (void)pthread_mutex_unlock(&server->mutex);
    return failed == 0;
}

bool
pgs_server_wait_ready(struct pgs_server *server, int patience_ms)
{
    return wait_for_count(server, &server->n_ready, server->config.threads, patience_ms);
}

bool
pgs_server_stop(struct pgs_server *server, enum pgs_server_end end, int deadline_ms)
{
    uint64_t one = 1;

    if (end == PGS_SERVER_STOPS)
        pgs_listeners_refuse(&server->config.listeners);
    for (int i = 0; i < server->config.threads; i++) {
        struct pgs__worker *worker = &server->workers[i];

        worker->takes_waiting = end == PGS_SERVER_STOPS;
        worker->patience_ms = deadline_ms / 2;
        if (write(worker->wake_fd, &one, sizeof(one)) != sizeof(one))
            return false;
    }
    pgs_listeners_close(&server->config.listeners); /* the workers have copies */
    return wait_for_count(server, &server->n_running, 0, deadline_ms);
}
