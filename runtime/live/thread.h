/* SPDX-License-Identifier: MIT */
/*
 * What the files of live/ share.  One thread has sessions (a client's connection), a session has
 * subscriptions, a subscription has the result that its client holds.
 */
#ifndef PGS_LIVE_THREAD_H
#define PGS_LIVE_THREAD_H

#include "live/hub.h"
#include "live/live.h"
#include "live/result.h"

enum {
    PGS_LIVE_MAX_SUBSCRIPTIONS = 100, /* of a session */
    PGS_LIVE_MAX_ROWS = 10000,        /* of a result, and */
    PGS_LIVE_MAX_RESULT_BYTES = 8388608,
    PGS_LIVE_MAX_SESSION_BYTES = 16777216, /* of the results of a session, and */
    PGS_LIVE_MAX_THREAD_BYTES = 268435456, /* of those of a thread */
    PGS_LIVE_MAX_MESSAGE_BYTES = 65536,
    PGS_LIVE_MAX_QUEUED_BYTES = 1048576, /* for a client that does not read */
    PGS_LIVE_MAX_ID_BYTES = 64,
};

struct pgs_live_thread {
    h2o_loop_t *loop;
    struct pgs_live_config config;
    h2o_multithread_queue_t *queue;
    struct pgs__listener listener;
    bool is_connected; /* the feed */
    bool is_stopping;
    struct pgs__recent recent;
    h2o_linklist_t sessions;
    h2o_linklist_t due;     /* subscriptions to ask for */
    h2o_linklist_t waiting; /* the same, not before their time */
    int n_in_flight;
    size_t result_bytes; /* of all results */
    h2o_timeout_t tick_timeout, second_timeout, now_timeout;
    h2o_timeout_entry_t tick, second;
};

/* How frames reach a client. */
struct pgs__transport {
    /* Copies the frame; it leaves in the next turn of the loop. */
    void (*send)(void *at, const struct pgs_buf *frame);
    size_t (*queued_bytes)(void *at);
    /* Ends the connection with a close code of RFC 6455; the session is closed later. */
    void (*end)(void *at, int code, const char *reason);
    /* Asks whether the client is still there. */
    void (*ping)(void *at);
};

struct pgs__session {
    h2o_linklist_t link;
    struct pgs_live_thread *thread;
    const struct pgs__transport *transport;
    void *at;            /* the transport's */
    h2o_mem_pool_t pool; /* of `who` */
    struct pgs_identity who;
    h2o_linklist_t subscriptions;
    int n_subscriptions;
    size_t result_bytes; /* of its results */
    bool is_ending;
};

struct pgs__subscription {
    h2o_linklist_t link; /* of the session */
    h2o_linklist_t turn; /* due or waiting; unlinked while it is asked for, and at rest */
    struct pgs__session *session;
    const struct pgs_live *live;
    char id[PGS_LIVE_MAX_ID_BYTES + 1];
    struct pgs_text *arguments; /* at NULL: null */
    pgs_watched_set tables;
    struct pgs_txn *txn; /* in flight */
    struct pgs__result result;
    bool has_result;
    bool again;       /* what is asked for now does not count for the last */
    uint64_t seen;    /* number of the last commit that the result holds */
    int64_t start_ms; /* of the last asking */
    int64_t not_before_ms;
    int tries; /* in a row that brought nothing new */
    int64_t seq;
};

/* ---- session.c ---- */

/* `credential` with `base` NULL: there is none.  NULL: `*why` is a constant sentence. */
struct pgs__session *pgs__session_open(struct pgs_live_thread *thread,
                                       const struct pgs__transport *transport, void *at,
                                       h2o_iovec_t credential, const char **why);
void pgs__session_close(struct pgs__session *session);

/* A message of the client; `type` is what it is where it does not say so, or NULL. */
void pgs__session_receive(struct pgs__session *session, const char *type, const char *text,
                          size_t len);

/* Tells the client of a failure; `id` NULL: not of one subscription. */
void pgs__session_fail(struct pgs__session *session, const char *id, const char *code,
                       const char *message);

/* The token is not good any more: says so and ends. */
void pgs__session_expire(struct pgs__session *session);

/* ---- subscription.c ---- */

/* `arguments` are copied.  Its snapshot follows. */
struct pgs__subscription *pgs__subscription_open(struct pgs__session *session,
                                                 const struct pgs_live *live, const char *id,
                                                 const struct pgs_text *arguments);
void pgs__subscription_close(struct pgs__subscription *subscription);

/* Its result may be another: a commit came that its next result must hold. */
void pgs__subscription_mark(struct pgs__subscription *subscription);

/* Its result may be another, whatever commits it holds. */
void pgs__subscription_restart(struct pgs__subscription *subscription);

/* Asks for what is due, as many at a time as the database should be asked. */
void pgs__subscriptions_pump(struct pgs_live_thread *thread);

/* ---- socket.c ---- */

void pgs__socket_accept(struct pgs_live_thread *thread, h2o_req_t *req);

/* ---- stream.c ---- */

void pgs__stream_accept(struct pgs_live_thread *thread, h2o_req_t *req);

#endif
