/* SPDX-License-Identifier: MIT */
/*
 * /live/v1: declared queries whose subscribers are told each change of their result.
 *
 * One thread reads the log, or an outbox (db/feed.h), and hands each commit to every serving
 * thread.  Rows that generated code can judge are matched with what a subscriber holds; what else a
 * commit may have changed is asked for again, as the subscriber.  So row security decides what a
 * subscriber sees, with the rights of that moment, and writers pay nothing but the log, or
 * what an outbox's triggers do.
 */
#ifndef PGS_LIVE_LIVE_H
#define PGS_LIVE_LIVE_H

#include <h2o.h>

#include "auth/authn.h"
#include "db/pool.h"
#include "pgs/app.h"

/* The feed of a process, and the threads that follow it. */
struct pgs_hub;

/* `conninfo`: of pgstack_replicator.  It connects by itself; an outbox is read every `poll_ms`.
 * Changes are followed while there are subscriptions, and for `kept_ms` more.  NULL: out of
 * resources. */
struct pgs_hub *pgs_hub_open(const struct pgs_app *app, const char *conninfo, int poll_ms,
                             int kept_ms);

/* After the threads have closed what they opened. */
void pgs_hub_close(struct pgs_hub *hub);

/* What the extension pg_reactive tells a process, and the threads that follow it. */
struct pgs_relay;

/* `conninfo`: of a role that may ask pgr.subscription_meta() and pgr.sender().  It connects by
 * itself.  NULL: out of resources. */
struct pgs_relay *pgs_relay_open(const char *conninfo);

/* After the threads have closed what they opened. */
void pgs_relay_close(struct pgs_relay *relay);

/* Of the pool of a thread. */
enum {
    PGS_LIVE_CONNECTIONS = 1,
    PGS_LIVE_SLOW_CONNECTIONS = 1,
    PGS_LIVE_MAX_ANSWER_BYTES = 16777216,
};

/* What one thread serves. */
struct pgs_live_thread;

struct pgs_live_config {
    const struct pgs_app *app;
    struct pgs_hub *hub;     /* NULL: not configured, and requests are answered so */
    struct pgs_relay *relay; /* NULL: not configured, and there are no such paths */
    struct pgs_pool *pool;   /* gives each transaction one snapshot (config.one_snapshot) */
    struct pgs_authn *authn;
    int idle_ms; /* a WebSocket whose client is silent that long is ended */
    bool refuses_anon;
    int kept_ms; /* how long what it was told is kept for a client to come back */
};

struct pgs_live_thread *pgs_live_open(h2o_loop_t *loop, const struct pgs_live_config *config);
void pgs_live_close(struct pgs_live_thread *thread);

/* False: the path is not under /live/v1 or /ws, and the request is somebody else's. */
bool pgs_live_on_request(struct pgs_live_thread *thread, h2o_req_t *req)
    __attribute__((warn_unused_result));

/* Tells all subscribers that the server goes away. */
void pgs_live_stop(struct pgs_live_thread *thread);

#endif
