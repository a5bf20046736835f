/* SPDX-License-Identifier: MIT */
#include "http/worker.h"

#include <linux/sched.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/loop.h"

static void
on_wake(h2o_socket_t *socket, const char *err)
{
    struct pgs__worker *worker = socket->data;
    uint64_t count;

    (void)err;
    if (read(worker->wake_fd, &count, sizeof(count)) != sizeof(count) || worker->is_stopping)
        return;
    worker->is_stopping = true;
    worker->stopping_since_ms = pgs_clock_ms();
    worker->config->thread_stopping(worker->state);
    pgs__accept_close(worker);
    pgs__connections_say_close(worker);
}

/* One step towards the end; true: reached. */
static bool
is_stopped(struct pgs__worker *worker)
{
    const struct pgs_server_config *config = worker->config;

    if (worker->n_connections > 0) {
        pgs__connections_say_close(worker);
        pgs__connections_end_idle(worker);
        return false;
    }
    if (!worker->state_is_stopping) {
        worker->state_is_stopping = true;
        config->thread_stop(worker->state);
    }
    return config->thread_is_stopped(worker->state);
}

void
pgs__worker_open(struct pgs__worker *worker)
{
    const struct pgs_server_config *config = worker->config;

    worker->loop = h2o_evloop_create();
    h2o_context_init(&worker->context, worker->loop, worker->globalconf);
    h2o_context_set_handler_context(&worker->context, worker->handler, worker);
    if (config->is_counted) {
        pgs_metrics_open();
        worker->traffic = pgs__traffic_open();
    }
    if (config->access_log != NULL)
        worker->log = pgs_access_log_open(config->access_log);
    worker->state = config->thread_open(worker->loop, worker->index, config->arg);
    worker->wake =
        h2o_evloop_socket_create(worker->loop, worker->wake_fd, H2O_SOCKET_FLAG_DONT_READ);
    worker->wake->data = worker;
    h2o_socket_read_start(worker->wake, on_wake);
    pgs__accept_open(worker);
    pgs__reaper_open(worker);
}

/* libh2o keeps freed memory for its thread and cannot give it back: loop and context stay until the
 * process ends, and the thread waits for that. */
static void
close_worker(struct pgs__worker *worker)
{
    pgs__reaper_close(worker);
    worker->config->thread_close(worker->state);
    if (worker->log != NULL)
        pgs_access_log_close(worker->log);
    worker->on_end(worker->arg);
    for (;;)
        (void)pause();
}

static void
get_ready(struct pgs__worker *worker)
{
    const struct pgs_server_config *config = worker->config;

    if (worker->is_ready || worker->is_stopping)
        return;
    if (!worker->is_listening && config->thread_can_accept(worker->state))
        pgs__accept_begin(worker);
    worker->is_ready = worker->is_listening && config->thread_is_ready(worker->state);
    if (worker->is_ready)
        worker->on_ready(worker->arg);
}

/* Whoever sends us something is about to send more.  Woken at once, a thread would take the
 * processor from PostgreSQL after each of its answers, and from a proxy after each request; when it
 * waits for its turn, it finds many. */
static void
wait_for_turn(void)
{
    const struct sched_param priority = {0};

    if (sched_getscheduler(0) == SCHED_OTHER)
        (void)sched_setscheduler(0, SCHED_BATCH, &priority);
}

void *
pgs__worker_run(void *arg)
{
    struct pgs__worker *worker = arg;
    uint64_t now_ms = 0;

    wait_for_turn();
    pgs__worker_open(worker);
    while (!worker->is_stopping || !is_stopped(worker)) {
        get_ready(worker);
        pgs__loop_turn(worker->loop, &now_ms, worker->is_stopping ? 20 : INT32_MAX);
        if (worker->log != NULL)
            pgs_access_log_flush(worker->log);
    }
    close_worker(worker);
    return NULL;
}
