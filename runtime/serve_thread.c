/* SPDX-License-Identifier: MIT */
#include "serve_thread.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "demo.h"
#include "health.h"
#include "http/reply.h"
#include "metrics/page.h"

enum {
    MAX_IN_FLIGHT = 64,
    MAX_STATEMENTS = 512,
    WAIT_TIMEOUT_MS = 5000,
};

/* What a thread serves. */
struct loop_state {
    struct pgs_thread rest;       /* the first: health and rest/ are given it alone */
    struct pgs_live_thread *live; /* NULL: on the admin port */
    struct pgs_pool *live_pool;   /* NULL: no live queries */
    const char *demo_dir;         /* NULL: no pages */
};

static struct pgs_pool_config
pool_config(const struct pgs__program *program, const char *url, int connections, int slow)
{
    return (struct pgs_pool_config){
        .conninfo = url,
        .session_sql = pgs_app.session_sql,
        .n_session = 2 + (size_t)pgs_app.reads_jwt + pgs_app.n_claims,
        .connections = connections,
        .slow_connections = slow,
        .max_in_flight = MAX_IN_FLIGHT,
        .max_waiting = program->config.max_waiting,
        .max_statements = MAX_STATEMENTS,
        .statement_timeout_ms = program->config.statement_timeout_ms,
        .plane = url == program->config.admin_database_url ? PGS_PLANE_ADMIN : PGS_PLANE_DATA,
        .lock_timeout_ms = program->config.lock_timeout_ms,
        .wait_timeout_ms = WAIT_TIMEOUT_MS,
        .slow_after_ms = program->config.slow_after_ms,
        .max_answer_bytes = (size_t)program->config.max_answer_bytes,
        .login = url == program->config.database_url ? &program->login : &program->admin_login,
    };
}

static struct pgs_pool *
open_pool(const struct pgs__program *program, h2o_loop_t *loop, const char *url, int connections,
          int slow)
{
    struct pgs_pool_config config = pool_config(program, url, connections, slow);

    /* A thread accepts as soon as the data plane is connected. */
    config.comes_later = program->is_admin || config.plane != PGS_PLANE_DATA;
    return pgs_pool_open(loop, &config);
}

static struct pgs_pool *
open_live_pool(const struct pgs__program *program, h2o_loop_t *loop)
{
    struct pgs_pool_config config = pool_config(program, program->config.database_url,
                                                PGS_LIVE_CONNECTIONS, PGS_LIVE_SLOW_CONNECTIONS);

    config.plane = PGS_PLANE_LIVE;
    config.target = "primary"; /* as the feed's: a standby may not have yet what the log told */
    config.one_snapshot = true;
    config.comes_later = true;
    config.max_answer_bytes = PGS_LIVE_MAX_ANSWER_BYTES;
    return pgs_pool_open(loop, &config);
}

static void
open_pools(const struct pgs__program *program, h2o_loop_t *loop, struct loop_state *state)
{
    const struct pgs_config *config = &program->config;
    const struct pgs_shares *shares = &program->shares;

    state->rest.pool = open_pool(program, loop, config->database_url, shares->quick, shares->slow);
    if (shares->admin_quick > 0)
        state->rest.admin_pool = open_pool(program, loop, config->admin_database_url,
                                           shares->admin_quick, shares->admin_slow);
    if (program->hub != NULL && !program->is_admin)
        state->live_pool = open_live_pool(program, loop);
}

static struct pgs_live_thread *
open_live(const struct pgs__program *program, h2o_loop_t *loop, const struct loop_state *state)
{
    struct pgs_live_config config = {
        .app = &pgs_app,
        .hub = state->live_pool != NULL ? program->hub : NULL,
        .relay = program->is_admin ? NULL : program->relay,
        .pool = state->live_pool,
        .authn = state->rest.authn,
        .idle_ms = program->config.live_idle_ms,
        .refuses_anon = program->config.live_refuses_anon,
        .kept_ms = program->config.live_kept_ms,
    };

    return pgs_live_open(loop, &config);
}

static void *
thread_open(h2o_loop_t *loop, int index, void *arg)
{
    const struct pgs__program *program = arg;
    struct loop_state *state = calloc(1, sizeof(*state));

    (void)index;
    if (state == NULL)
        return NULL;
    state->rest.app = &pgs_app;
    state->rest.router = program->router;
    state->rest.rates = program->rates;
    state->rest.timing = program->config.server_timing;
    state->rest.tells_lsn = program->config.live_database_url != NULL && !pgs_app.has_outbox;
    state->demo_dir = program->config.demo_dir;
    open_pools(program, loop, state); /* before all else: PostgreSQL takes its time */
    state->rest.authn = pgs_authn_open(&pgs_app, &program->keys);
    state->live = open_live(program, loop, state);
    return state;
}

static void
on_request(void *arg, h2o_req_t *req)
{
    struct loop_state *state = arg;

    if (!pgs_health_on_request(&state->rest, req) && !pgs_live_on_request(state->live, req) &&
        !pgs_demo_on_request(state->demo_dir, req))
        pgs_rest_on_request(&state->rest, req);
}

static void
on_admin_request(void *state, h2o_req_t *req)
{
    if (!pgs_health_on_request(state, req) && !pgs_metrics_on_request(req))
        pgs_reply_problem(req, &(struct pgs_problem){.status = 404,
                                                     .code = "PGRST205",
                                                     .message = "The admin port has no such path"});
}

/* Said by a thread, told by the main one: the first thing that keeps us from serving. */
static struct {
    pthread_mutex_t mutex;
    char why[320];
} refusal = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static bool
is_up(const struct pgs_pool *pool, const char *variable)
{
    const char *why = pgs_pool_refusal(pool);

    if (why != NULL) {
        (void)pthread_mutex_lock(&refusal.mutex);
        if (refusal.why[0] == '\0')
            (void)snprintf(refusal.why, sizeof(refusal.why), "%s: %s", variable, why);
        (void)pthread_mutex_unlock(&refusal.mutex);
    }
    return pgs_pool_is_connected(pool);
}

bool
pgs__serve_was_refused(void)
{
    bool refused;

    (void)pthread_mutex_lock(&refusal.mutex);
    refused = refusal.why[0] != '\0';
    if (refused)
        fprintf(stderr, "%s\n", refusal.why);
    (void)pthread_mutex_unlock(&refusal.mutex);
    return refused;
}

static bool
thread_can_accept(const void *state)
{
    const struct pgs_thread *thread = state; /* the first member of a struct loop_state */

    return is_up(thread->pool, "DATABASE_URL");
}

static bool
thread_is_ready(const void *state)
{
    const struct pgs_thread *thread = state;

    return thread_can_accept(state) &&
           (thread->admin_pool == NULL || is_up(thread->admin_pool, "ADMIN_DATABASE_URL"));
}

/* Those that are there, for the three that follow. */
static int
pools_of(const struct loop_state *state, struct pgs_pool *pools[3])
{
    int n = 0;

    pools[n++] = state->rest.pool;
    if (state->rest.admin_pool != NULL)
        pools[n++] = state->rest.admin_pool;
    if (state->live_pool != NULL)
        pools[n++] = state->live_pool;
    return n;
}

static void
thread_stopping(void *arg)
{
    struct loop_state *state = arg;

    pgs_live_stop(state->live);
}

static void
thread_stop(void *arg)
{
    struct loop_state *state = arg;
    struct pgs_pool *pools[3];
    int n = pools_of(state, pools);

    for (int i = 0; i < n; i++)
        pgs_pool_close(pools[i]);
}

static bool
thread_is_stopped(const void *state)
{
    struct pgs_pool *pools[3];
    int n = pools_of(state, pools);

    for (int i = 0; i < n; i++)
        if (!pgs_pool_is_closed(pools[i]))
            return false;
    return true;
}

static void
thread_close(void *arg)
{
    struct loop_state *state = arg;
    struct pgs_pool *pools[3];
    int n = pools_of(state, pools);

    pgs_live_close(state->live);
    for (int i = 0; i < n; i++)
        pgs_pool_free(pools[i]);
    pgs_authn_close(state->rest.authn);
    free(state);
}

void
pgs__serve_threads(struct pgs__program *program, struct pgs_server_config *config)
{
    config->arg = program;
    config->thread_open = thread_open;
    config->thread_can_accept = thread_can_accept;
    config->thread_is_ready = thread_is_ready;
    config->on_request = program->is_admin ? on_admin_request : on_request;
    config->thread_stopping = thread_stopping;
    config->thread_stop = thread_stop;
    config->thread_is_stopped = thread_is_stopped;
    config->thread_close = thread_close;
}
