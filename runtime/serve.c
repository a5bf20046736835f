/* SPDX-License-Identifier: MIT */
/*
 * What all threads share, the servers, and the end of them.
 */
#include "serve.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sink.h"
#include "db/login.h"
#include "health.h"
#include "http/cors.h"
#include "logins.h"
#include "serve_thread.h"

enum {
    REFRESH_S = 2, /* how old the keys of JWT_KEYS_FILE may be */
    READY_MS = 10000,
    REFUSAL_MS = 20, /* in between we look whether there is any use in waiting */
    ADMIN_STOP_DEADLINE_MS = 1000,
    ACCESS_LOG_BYTES = 1048576,
    ACCESS_LOG_GATHER_MS = 5,
};

/* The server's own copies of the sockets that were handed over. */
static struct pgs_listeners
listeners_of(const struct pgs__program *program)
{
    const struct pgs_handover *handover = &program->handover;
    struct pgs_listeners listeners = {handover->sets, handover->n_fds / handover->sets, NULL};
    const int *fds = handover->fds;

    if (program->is_admin) {
        listeners = (struct pgs_listeners){1, 1, NULL};
        fds = &handover->admin_fd;
    }
    listeners.fds = calloc((size_t)pgs_listeners_count(&listeners), sizeof(*listeners.fds));
    if (listeners.fds == NULL)
        abort();
    memcpy(listeners.fds, fds, (size_t)pgs_listeners_count(&listeners) * sizeof(*fds));
    return listeners;
}

static struct pgs_server *
open_server(struct pgs__program *program)
{
    const struct pgs_config *config = &program->config;
    struct pgs_server_config server_config = {
        .listeners = listeners_of(program),
        .threads = program->shares.threads,
        .max_body_bytes = (size_t)config->max_body_bytes,
        .read_timeout_ms = config->read_timeout_ms,
        .write_timeout_ms = config->write_timeout_ms,
        .tls = program->is_admin ? NULL : program->tls,
        .max_connections = config->max_connections,
        .max_requests = config->max_requests_per_connection,
        .addresses = program->addresses,
        .gzip_level = config->gzip_level,
        .access_log = program->is_admin ? NULL : program->access_log,
        .slow_ms = program->is_admin ? 0 : config->slow_request_ms,
        .is_counted = !program->is_admin,
    };

    pgs__serve_threads(program, &server_config);
    return pgs_server_open(&server_config);
}

static struct pgs_addresses *
open_addresses(const struct pgs_config *config)
{
    struct pgs_addresses_config addresses = {
        .trusted = config->trusted_proxies,
        .max_connections = config->max_connections_per_address,
        .max_requests = config->max_requests_per_address,
        .max_floods = config->max_floods_per_address,
        .room = config->max_addresses,
    };

    return pgs_addresses_open(&addresses);
}

static void
close_counts(struct pgs__program *program, struct pgs__program *admin)
{
    pgs_rates_close(program->rates);
    pgs_addresses_close(program->addresses);
    pgs_addresses_close(admin->addresses);
}

/* False: told why JWT_KEYS_FILE cannot be used. */
static bool
read_keys(const struct pgs_config *config, struct pgs_keys *keys)
{
    char why[256] = "out of memory";

    *keys = (struct pgs_keys){
        .anon_key = config->anon_key,
        .service_key = config->service_role_key,
        .jwt =
            {
                .secret = (const uint8_t *)config->jwt_secret,
                .secret_len = config->jwt_secret != NULL ? strlen(config->jwt_secret) : 0,
                .audience = config->jwt_audience,
                .issuer = config->jwt_issuer,
                .leeway_s = config->jwt_leeway_s,
            },
    };
    if (config->jwt_keys_file == NULL)
        return true;
    keys->keyring = pgs_keyring_open(config->jwt_keys_file, why);
    if (keys->keyring == NULL)
        fprintf(stderr, "config: JWT_KEYS_FILE: %s\n", why);
    return keys->keyring != NULL;
}

static void
log_listening(const struct pgs__program *program)
{
    const struct pgs_shares *shares = &program->shares;
    struct pgs_listeners listeners = listeners_of(program);

    PGS_LOG(
        PGS_LOG_INFO, "listening", PGS_LOG_STR("app", pgs_app.name),
        PGS_LOG_STR("host", program->config.host),
        PGS_LOG_INT("port", pgs_listeners_port(&listeners)),
        PGS_LOG_STR("schema", pgs_app.fingerprint), PGS_LOG_INT("threads", shares->threads),
        PGS_LOG_INT("connections", shares->threads * (shares->quick + shares->slow +
                                                      shares->admin_quick + shares->admin_slow)),
        PGS_LOG_INT("generation", program->handover.generation));
    free(listeners.fds);
}

/* False: told that this libh2o cannot be used. */
static bool
is_guarded(void)
{
    if (pgs_server_http1_works())
        return true;
    fprintf(stderr, "libh2o: this one does not let itself be guarded, and nothing is served\n");
    return false;
}

/* HTTP/2 is offered only where the guard has been seen to work. */
static bool
offers_http2(const struct pgs_config *config)
{
    if (!config->http2)
        return false;
    if (pgs_server_http2_works())
        return true;
    PGS_LOG(PGS_LOG_ERROR, "HTTP/2 is off",
            PGS_LOG_STR("why", "this libh2o does not let itself be guarded"));
    return false;
}

/* False: told why the certificate cannot be used. */
static bool
open_tls(struct pgs__program *program)
{
    const struct pgs_config *config = &program->config;
    char why[256] = "out of memory";

    if (!config->tls)
        return true;
    program->tls =
        pgs_tls_open(config->tls_cert_file, config->tls_key_file, offers_http2(config), why);
    if (program->tls == NULL)
        fprintf(stderr, "config: %s\n", why);
    return program->tls != NULL;
}

/* What the main thread takes one by one.  Under a supervisor SIGINT is for that one alone: a
 * terminal sends it to both. */
static void
our_signals(const struct pgs__program *program, sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, PGS_SIGNAL_RETIRE);
    if (program->handover.supervisor == 0)
        sigaddset(signals, SIGINT);
}

/* Starts the threads with all signals blocked; until all is ready, one ends the program. */
static bool
start_servers(struct pgs_server *server, struct pgs_server *admin_server)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    started = pgs_server_start(server) && (admin_server == NULL || pgs_server_start(admin_server));
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        fprintf(stderr, "the threads could not be started\n");
        return false;
    }
    for (int ms = 0; ms < READY_MS; ms += REFUSAL_MS) {
        if (pgs_server_wait_ready(server, REFUSAL_MS) &&
            (admin_server == NULL || pgs_server_wait_ready(admin_server, REFUSAL_MS)))
            return true;
        if (pgs__serve_was_refused())
            return false;
    }
    fprintf(stderr, "DATABASE_URL: PostgreSQL does not answer\n");
    return false;
}

/* The signal that ends us; until then the main thread looks after keys and certificate, at once on
 * SIGHUP. */
static int
wait_for_signal(const sigset_t *signals, const struct pgs__program *program)
{
    const struct timespec pause = {.tv_sec = REFRESH_S};

    for (;;) {
        int number = sigtimedwait(signals, NULL, &pause);

        if (number > 0 && number != SIGHUP)
            return number;
        if (program->keys.keyring != NULL)
            pgs_keyring_refresh(program->keys.keyring);
        if (program->tls != NULL)
            pgs_tls_refresh(program->tls);
    }
}

static void
on_second_signal(int number)
{
    (void)number;
    _exit(1);
}

/* A supervisor sees to that itself. */
static void
end_at_second_signal(const sigset_t *signals)
{
    struct sigaction action = {.sa_handler = on_second_signal};

    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static int
stop_servers(const struct pgs__program *program, struct pgs_server *server,
             struct pgs_server *admin_server, int number)
{
    bool retires = number == PGS_SIGNAL_RETIRE;
    enum pgs_server_end end = retires ? PGS_SERVER_RETIRES : PGS_SERVER_STOPS;
    bool stopped;

    PGS_LOG(PGS_LOG_INFO, retires ? "retiring" : "stopping", PGS_LOG_INT("signal", number),
            PGS_LOG_INT("generation", program->handover.generation));
    if (!retires)
        pgs_health_enter(PGS_HEALTH_DRAINING);
    stopped = pgs_server_stop(server, end,
                              retires ? pgs_serve_retire_ms(&program->config)
                                      : program->config.stop_timeout_ms);
    if (admin_server != NULL)
        stopped = pgs_server_stop(admin_server, end, ADMIN_STOP_DEADLINE_MS) && stopped;
    return stopped ? 0 : 1;
}

/* False: out of resources. */
static bool
open_hub(struct pgs__program *program)
{
    const char *url = program->config.live_database_url;
    char why[256];

    if (url == NULL || pgs_app.lives == NULL)
        return true;
    if (!pgs_login_can_try(url, why, sizeof(why))) {
        fprintf(stderr, "LIVE_DATABASE_URL: %s\n", why);
        return false;
    }
    program->hub =
        pgs_hub_open(&pgs_app, url, program->config.live_poll_ms, program->config.live_kept_ms);
    if (program->hub == NULL)
        fprintf(stderr, "LIVE_DATABASE_URL: no thread can be started\n");
    return program->hub != NULL;
}

static bool
open_relay(struct pgs__program *program)
{
    const char *url = program->config.reactive_database_url;
    char why[256];

    if (url == NULL)
        return true;
    if (!pgs_login_can_try(url, why, sizeof(why))) {
        fprintf(stderr, "REACTIVE_DATABASE_URL: %s\n", why);
        return false;
    }
    program->relay = pgs_relay_open(url);
    if (program->relay == NULL)
        fprintf(stderr, "REACTIVE_DATABASE_URL: no thread can be started\n");
    return program->relay != NULL;
}

/* A later generation has another one beside it that serves, or is tried again. */
static bool
ends_all_if_it_fails(const struct pgs_handover *handover)
{
    return handover->generation <= 1;
}

static int
serve_until_signal(struct pgs__program *program, struct pgs__program *admin)
{
    struct pgs_server *server = open_server(program);
    struct pgs_server *admin_server = program->handover.admin_fd >= 0 ? open_server(admin) : NULL;
    sigset_t signals;
    int number;

    if (ends_all_if_it_fails(&program->handover))
        pgs_health_enter(PGS_HEALTH_STARTING);
    if (!start_servers(server, admin_server))
        return 1;
    our_signals(program, &signals);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    log_listening(program);
    pgs_log_wait(); /* before the supervisor says that it is ready */
    pgs_handover_tell_ready(&program->handover);
    pgs_health_enter(PGS_HEALTH_SERVING);
    number = wait_for_signal(&signals, program);
    if (program->handover.supervisor == 0)
        end_at_second_signal(&signals);
    return stop_servers(program, server, admin_server, number);
}

/* The slowest request can have its answer. */
int
pgs_serve_retire_ms(const struct pgs_config *config)
{
    return config->statement_timeout_ms + config->stop_timeout_ms;
}

static void
close_logs(struct pgs_sink *access_log)
{
    if (access_log != NULL)
        pgs_sink_close(access_log, 1);
    pgs_log_stop();
}

/* Some of our threads are still at work: what an exit in order would take apart, as OpenSSL does
 * with what it keeps, they would go on using. */
static _Noreturn void
end_with_threads(struct pgs_sink *access_log, int status)
{
    close_logs(access_log);
    _exit(status);
}

int
pgs_serve(const struct pgs_config *config, const struct pgs_handover *handover)
{
    /* They outlive the threads, also those that hang at the end. */
    static struct pgs__program program, admin;
    int status;

    program.config = *config;
    program.handover = *handover;
    program.login = pgs_logins_get(false);
    program.admin_login = pgs_logins_get(true);
    program.shares = pgs_shares_of(config, sysconf(_SC_NPROCESSORS_ONLN));
    if (!is_guarded() || !pgs_logins_can_try(config) || !read_keys(config, &program.keys) ||
        !open_tls(&program))
        return 1;
    pgs_log_start();
    if (!open_hub(&program) || !open_relay(&program))
        end_with_threads(NULL, 1);
    if (config->access_log)
        program.access_log = pgs_sink_open(STDOUT_FILENO, ACCESS_LOG_BYTES, ACCESS_LOG_GATHER_MS);
    program.router = pgs_router_open(&pgs_app);
    program.addresses = open_addresses(config);
    program.rates = pgs_rates_open(config->max_rate_callers);
    pgs_cors_configure(config->allowed_origins, config->permissive_cors);
    admin = program;
    admin.is_admin = true;
    admin.addresses = open_addresses(config); /* whoever is shut out may still look */
    admin.shares = (struct pgs_shares){.threads = 1, .quick = 1};
    status = serve_until_signal(&program, &admin);
    if (status != 0)
        end_with_threads(program.access_log, status);
    if (program.hub != NULL)
        pgs_hub_close(program.hub);
    if (program.relay != NULL)
        pgs_relay_close(program.relay);
    close_logs(program.access_log);
    pgs_router_close(program.router);
    close_counts(&program, &admin);
    if (program.keys.keyring != NULL)
        pgs_keyring_close(program.keys.keyring);
    return 0;
}
