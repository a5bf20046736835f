/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server: one h2o loop a thread, each with sockets of its own on the same port
 * (SO_REUSEPORT), nothing shared but the counts of clients.  Requests are guarded (http/guard.h),
 * given an id, handed to `on_request`, and logged when they end.
 */
#ifndef PGS_HTTP_SERVER_H
#define PGS_HTTP_SERVER_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/addresses.h"
#include "http/tls.h"

struct pgs_server_config {
    const char *host; /* name or address */
    uint16_t port;
    int threads;
    size_t max_body_bytes;
    struct pgs_tls *tls;  /* NULL: clear text */
    int write_timeout_ms; /* for a client to take some of its answer */
    int read_timeout_ms;  /* for a whole request to arrive, and between requests */
    int max_connections;  /* of each thread */
    int max_requests;     /* of one connection under way */
    struct pgs_addresses *addresses;
    int gzip_level;              /* 0: off */
    struct pgs_sink *access_log; /* NULL: none */
    int slow_ms;     /* a request that takes longer has an event of its own; 0: none has */
    bool is_counted; /* its traffic is in /metrics */

    /* On each thread, in this order; `arg` is the caller's. */
    void *arg;
    void *(*thread_open)(h2o_loop_t *loop, int index, void *arg);
    void (*on_request)(void *state, h2o_req_t *req); /* answers, now or later */
    /* When all requests are answered: begin to stop, true when stopped (asked in each turn of the
     * loop), free. */
    void (*thread_stop)(void *state);
    bool (*thread_is_stopped)(const void *state);
    void (*thread_close)(void *state);
};

struct pgs_server;

/* True if HTTP/2 is safe with the libh2o that is installed (http/h2_guard.h).  Before any thread
 * serves. */
bool pgs_server_http2_works(void);

/* Binds and listens, so that a port in use is known at once.  NULL: `why` (256 bytes) says why. */
struct pgs_server *pgs_server_open(const struct pgs_server_config *config, char why[256]);

/* The port that it listens on; another than config.port where that was 0. */
uint16_t pgs_server_port(const struct pgs_server *server);

/* Starts the threads; they serve until pgs_server_stop.  False: they could not be started. */
bool pgs_server_start(struct pgs_server *server) __attribute__((warn_unused_result));

/*
 * Stops listening, lets requests end, closes idle connections, waits up to `deadline_ms`.  True:
 * nothing is under way any more; false: something hangs.  Either way the process should exit now.
 */
bool pgs_server_stop(struct pgs_server *server, int deadline_ms);

#endif
