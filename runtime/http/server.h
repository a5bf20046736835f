/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server: one h2o loop a thread, each accepting from sockets of its own on the same port
 * (SO_REUSEPORT), nothing shared but the counts of clients.  Requests are guarded (http/guard.h),
 * given an id, handed to `on_request`, and logged when they end.
 */
#ifndef PGS_HTTP_SERVER_H
#define PGS_HTTP_SERVER_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/addresses.h"
#include "http/listen.h"
#include "http/tls.h"

struct pgs_server_config {
    struct pgs_listeners listeners; /* the server closes them */
    int threads;
    size_t max_body_bytes;
    struct pgs_tls *tls;  /* NULL: clear text */
    int write_timeout_ms; /* for a client to take 1 KiB of its answer */
    int read_timeout_ms;  /* for a whole request to arrive, and between requests */
    int max_connections;  /* of all threads, of each at least one */
    int max_requests;     /* of one connection under way */
    struct pgs_addresses *addresses;
    int gzip_level;              /* 0: off */
    struct pgs_sink *access_log; /* NULL: none */
    int slow_ms;     /* a request that takes longer has an event of its own; 0: none has */
    bool is_counted; /* its traffic is in /metrics */

    /* On each thread, in this order; `arg` is the caller's. */
    void *arg;
    void *(*thread_open)(h2o_loop_t *loop, int index, void *arg);
    bool (*thread_can_accept)(const void *state); /* asked in each turn of the loop, as the next */
    bool (*thread_is_ready)(const void *state);   /* for everything */
    void (*on_request)(void *state, h2o_req_t *req); /* answers, now or later */
    /* The server begins to stop: requests that would never end by themselves should. */
    void (*thread_stopping)(void *state);
    /* When all requests are answered: begin to stop, true when stopped (asked in each turn of the
     * loop), free. */
    void (*thread_stop)(void *state);
    bool (*thread_is_stopped)(const void *state);
    void (*thread_close)(void *state);
};

struct pgs_server;

/* True if HTTP/1, or HTTP/2, is safe with the libh2o that is installed: our wrappers (http/guard.h,
 * http/h2_guard.h) are in its functions' place, tried with real bytes.  Before any thread serves.
 */
bool pgs_server_http1_works(void);
bool pgs_server_http2_works(void);

struct pgs_server *pgs_server_open(const struct pgs_server_config *config);

/* Starts the threads; each accepts when it can.  False: they could not be started. */
bool pgs_server_start(struct pgs_server *server) __attribute__((warn_unused_result));

/* True when all threads are ready; false: not within `patience_ms`. */
bool pgs_server_wait_ready(struct pgs_server *server, int patience_ms)
    __attribute__((warn_unused_result));

enum pgs_server_end {
    PGS_SERVER_RETIRES, /* another process accepts from the same sockets */
    PGS_SERVER_STOPS,   /* nobody will: who waits to be accepted is served first */
};

/*
 * Accepts no more, lets requests end, has clients go (`connection: close`, GOAWAY), closes idle
 * connections after a grace, waits up to `deadline_ms`.  True: nothing is under way any more;
 * false: something hangs.  Either way the process should exit now.
 */
bool pgs_server_stop(struct pgs_server *server, enum pgs_server_end end, int deadline_ms);

#endif
