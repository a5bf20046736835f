/* SPDX-License-Identifier: MIT */
/*
 * One thread of the server: its loop, its listeners, its connections.  Nothing in here is shared;
 * the server only starts it and writes to `wake_fd`.
 */
#ifndef PGS_HTTP_WORKER_H
#define PGS_HTTP_WORKER_H

#include <pthread.h>

#include "http/access_log.h"
#include "http/h2_guard.h"
#include "http/listen.h"
#include "http/server.h"
#include "http/traffic.h"

struct pgs__worker {
    /* set by the server before the thread starts */
    const struct pgs_server_config *config;
    h2o_globalconf_t *globalconf;
    h2o_handler_t *handler; /* whose context in each loop is the worker */
    int *fds;               /* its own copies of listening sockets */
    int n_fds;
    int index;
    int max_connections; /* its share */
    int wake_fd;         /* written to when it is time to stop */
    pthread_t thread;
    void (*on_ready)(void *arg); /* for everything */
    void (*on_end)(void *arg);   /* nothing is under way any more */
    void *arg;

    /* set before it is woken */
    bool takes_waiting; /* accepts who waits, then stops */
    int patience_ms;    /* with half-sent requests */

    /* private */
    h2o_loop_t *loop;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_socket_t **listeners;
    h2o_socket_t *wake;
    h2o_linklist_t connections;
    h2o_linklist_t requests;
    int n_connections;
    int most_connections; /* since memory was last given back */
    SSL_CTX *tls;         /* held; NULL: none */
    bool is_listening;
    bool is_ready;
    bool is_paused; /* does not accept for now */
    h2o_timeout_t pause_timeout;
    h2o_timeout_entry_t pause;
    h2o_timeout_t reap_timeout;
    h2o_timeout_entry_t reap;
    bool is_stopping;
    int64_t stopping_since_ms;
    bool state_is_stopping;
    void *state; /* of config->thread_open */
    struct pgs_access_log *log;
    struct pgs_traffic *traffic; /* NULL: not counted */
};

/* Its loop and all that belongs to it, in the calling thread. */
void pgs__worker_open(struct pgs__worker *worker);

/* The thread's function: opens the worker `arg` and serves.  It never returns: see worker.c. */
void *pgs__worker_run(void *arg);

/* An accepted socket; it hangs on h2o's on_close and is freed with it. */
struct pgs__connection {
    h2o_linklist_t link;
    struct pgs__worker *worker;
    h2o_socket_t *socket;
    int n_requests; /* under way */
    bool has_asked; /* anything yet */
    bool is_h2;
    bool is_told; /* by HTTP/2: to go away, as its worker stops */
    uint64_t seen_frames;
    int64_t seen_ms; /* when there were more than before */
    struct pgs__h2_guard h2;
    uint64_t acked;          /* bytes that the client took, when it was last looked at */
    int64_t acked_ms;        /* since when; 0: nothing to take */
    int64_t idle_since_ms;   /* no request under way */
    struct pgs_address peer; /* whom it is connected to */
    char peer_text[PGS_ADDRESS_TEXT];
    bool is_proxy;            /* trusted: X-Forwarded-For says who asks */
    struct pgs__place *place; /* of the peer */
    int n_works;              /* of its requests, also of those that ended */
};

/* The connection of an accepted socket; NULL: another socket. */
struct pgs__connection *pgs__connection_of_socket(const h2o_socket_t *socket);

/* Hangs a connection on its socket. */
void pgs__connection_guard(struct pgs__connection *connection, h2o_socket_t *socket);

/* Ends connections whose clients take nothing, or send no whole request; once a second. */
void pgs__reaper_open(struct pgs__worker *worker);
void pgs__reaper_close(struct pgs__worker *worker);

/* A request on its way; disposed of with its memory. */
struct pgs__lease {
    h2o_linklist_t link; /* of the worker's requests */
    struct pgs__connection *connection;
    h2o_req_t *req;
    h2o_timeout_entry_t later; /* of HTTP/2 */
    size_t sent;               /* of the answer, when it was last looked at */
    int64_t sent_ms;           /* since when; 0: not looked at */
};

/* Makes an accepted socket a connection of the worker; false: no memory, and it is closed. */
bool pgs__connection_add(struct pgs__worker *worker, h2o_socket_t *socket)
    __attribute__((warn_unused_result));

/* Begins with no connections. */
void pgs__accept_open(struct pgs__worker *worker);

/* Listens on the worker's sockets. */
void pgs__accept_begin(struct pgs__worker *worker);

/* Listens no more. */
void pgs__accept_close(struct pgs__worker *worker);

/* Of a worker that stops: lets clients know that each answer is the last of its connection. */
void pgs__connections_say_close(struct pgs__worker *worker);

/* Of a worker that stops: ends connections that have been without a request for a grace, and those
 * with a part of one when its patience ends. */
void pgs__connections_end_idle(struct pgs__worker *worker);

void pgs__connection_end(const struct pgs__connection *connection);
struct pgs__connection *pgs__connection_of(const h2o_req_t *req);

/* For a flood: it counts against its peer. */
void pgs__connection_flooded(struct pgs__connection *connection);

/* One request of it less; it is freed with the last, once it is closed. */
void pgs__connection_drop_work(struct pgs__connection *connection);

/* What h2o calls for each request. */
int pgs__on_request(h2o_handler_t *handler, h2o_req_t *req);

#endif
