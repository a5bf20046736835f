/* SPDX-License-Identifier: MIT */
/*
 * What the files of live/ share.  One thread has sessions (a client's connection), a session has
 * subscriptions, a subscription has the result that its client holds.
 */
#ifndef PGS_LIVE_THREAD_H
#define PGS_LIVE_THREAD_H

#include "http/reply.h"
#include "live/apply.h"
#include "live/hub.h"
#include "live/interest.h"
#include "live/live.h"
#include "live/recent.h"
#include "live/sent.h"
#include "live/turns.h"

enum {
    PGS_LIVE_MAX_SUBSCRIPTIONS = 100,      /* of a session */
    PGS_LIVE_MAX_RESULT_BYTES = 8388608,   /* of one result */
    PGS_LIVE_MAX_SESSION_BYTES = 16777216, /* of the results of a session, and */
    PGS_LIVE_MAX_THREAD_BYTES = 268435456, /* of those of a thread */
    PGS_LIVE_MAX_MESSAGE_BYTES = 65536,
    PGS_LIVE_MAX_QUEUED_BYTES = 1048576, /* for a client that does not read */
    PGS_LIVE_MAX_ID_BYTES = 64,
    PGS_LIVE_MAX_UNFED_MS = 5000, /* for changes to be followed, before there is a result */
};

struct pgs__question;
struct pgs__relayed;
struct pgs__relayed_table;

struct pgs_live_thread {
    h2o_loop_t *loop;
    struct pgs_live_config config;
    h2o_multithread_queue_t *queue;
    struct pgs__listener listener;
    enum pgs__feed_state feed;
    bool is_stopping;
    struct pgs__recent recent; /* while there are subscriptions */
    struct pgs__interests interests;
    struct pgs__relayed_table *relayed; /* who follows pg_reactive, by id; NULL: not configured */
    h2o_linklist_t sessions;
    int n_subscriptions;
    struct pgs__turns turns;
    size_t result_bytes; /* of all results */
    h2o_timeout_t tick_timeout, second_timeout, now_timeout;
    h2o_timeout_entry_t tick, second;
    /* While a commit is matched: */
    h2o_mem_pool_t scratch;
    struct pgs__subscription *worked; /* those whose result it changes */
    size_t own_text_bytes;            /* of a commit: of texts that are no two subscribers' */
};

/* How frames reach a client. */
struct pgs__transport {
    /* Copies the frame; it leaves in the next turn of the loop. */
    void (*send)(void *at, const struct pgs_buf *frame);
    size_t (*queued_bytes)(void *at);
    /* Ends the connection behind what was sent, with a close code of RFC 6455 and a constant
     * reason; the session is closed later. */
    void (*end)(void *at, int code, const char *reason);
    /* Each second: asks whether the client is still there. */
    void (*ping)(void *at);
};

struct pgs__session {
    h2o_linklist_t link;
    struct pgs_live_thread *thread;
    const struct pgs__transport *transport;
    void *at; /* the transport's */
    struct pgs_identity who;
    void *who_block;          /* what it is in */
    unsigned keys_generation; /* when it was let in */
    struct pgs__shelf *shelf;
    uint64_t gen; /* names the connection, another one once the log was lost; of pg_reactive the
                     subscription's generation */
    h2o_linklist_t living; /* on the shelf, by gen; under its mutex, as both below */
    unsigned n_claims;     /* that its thread has not heard of yet */
    uint64_t claimed_by;   /* gen of the session that sent the last of them */
    uint64_t n_frames;     /* sent so far */
    struct pgs__mark mark; /* where the client comes back to, if all of it does */
    h2o_linklist_t subscriptions;
    int n_subscriptions;
    struct pgs__places places;
    size_t result_bytes;          /* of its results */
    const char *single;           /* the query of a socket that has just one; or NULL */
    bool is_relayed;              /* that one is of pg_reactive: it lives without the feed */
    struct pgs__relayed *relayed; /* where it is, once it is followed; or NULL */
    char *refusal; /* room for why, while it is still to be seen whether there will be a socket;
                    * or NULL */
    bool is_ending;
};

struct pgs__subscription {
    h2o_linklist_t link; /* of the session */
    h2o_linklist_t turn; /* due or waiting; unlinked while it is asked for, and at rest */
    enum pgs__line line; /* where it stands when it is due */
    struct pgs__session *session;
    const struct pgs_live *live;
    char id[PGS_LIVE_MAX_ID_BYTES + 1];
    struct pgs_text *arguments; /* at NULL: null */
    struct pgs__asking *asking; /* under way; NULL: none */
    struct pgs__held held;
    struct pgs__sent sent;
    bool has_result;
    bool again;        /* what is asked for now does not count for the last */
    bool is_unmatched; /* PostgreSQL refused it with its facts, as this caller */
    uint64_t from;     /* what is asked for now holds at least all commits up to this one */
    uint64_t applied;  /* what its client has holds no commit after this one */
    uint64_t told;     /* number of the commit up to which its client has every one */
    struct pgs__seen seen;
    int64_t unfed_ms; /* since when it waits for changes to be followed; 0: it does not */
    int64_t start_ms; /* of the last asking */
    int64_t not_before_ms;
    int failures;           /* of the database in a row */
    int tries;              /* in a row after which it had to be asked for again */
    struct pgs__mark claim; /* waits for another session to give it up; gen 0: it does not */
    int64_t seq;

    const struct pgs_matcher *matcher; /* NULL: every change of a table means asking again */
    struct pgs_facts *facts;           /* that it goes by; NULL as above */
    size_t own_bytes;                  /* of its arguments and members */
    size_t counted_bytes;              /* of the session and the thread */
    size_t facts_bytes;
    struct pgs__joined *joined;  /* what its rows have from other tables; NULL: not known */
    struct pgs__member *members; /* its places in thread->interests */
    size_t n_members;
    struct pgs__work work; /* commit 0: none */
    struct pgs__subscription *next_worked;
};

/* ---- thread.c ---- */

/* A subscription of `live` has come (1) or gone (-1). */
void pgs__thread_count(struct pgs_live_thread *thread, const struct pgs_live *live, int change);

/* Why no live query can be followed, for those who have been let in; NULL: they can. */
const struct pgs_problem *pgs__thread_problem(const struct pgs_live_thread *thread);

/* ---- session.c ---- */

/* `credential` with `base` NULL: there is none.  NULL: `*why` is a constant sentence. */
struct pgs__session *pgs__session_open(struct pgs_live_thread *thread,
                                       const struct pgs__transport *transport, void *at,
                                       h2o_iovec_t credential, const char **why);

/* `may_return`: its subscriptions are kept for a while. */
void pgs__session_close(struct pgs__session *session, bool may_return);

/* What a message is read into. */
struct pgs_memory pgs__live_memory(h2o_mem_pool_t *pool);

/* Whoever it is may have live queries at all. */
bool pgs__session_is_admitted(const struct pgs__session *session)
    __attribute__((warn_unused_result));

/* `name` as the client says it; NULL: there is none. */
const struct pgs_live *pgs__live_find(const struct pgs_app *app, struct pgs_text name);
bool pgs__session_may_subscribe(const struct pgs__session *session, const struct pgs_live *live)
    __attribute__((warn_unused_result));

/* Its client has come back over another connection: ends, and what it holds goes to the shelf. */
void pgs__session_give_up(struct pgs__session *session);

/* Copies the frame to the client. */
void pgs__session_send(struct pgs__session *session, const struct pgs_buf *frame);

/* What is told from now on does not follow from what was told before. */
void pgs__session_renew(struct pgs__session *session);

/* A message of the client; `type` is what it is where it does not say so, or NULL. */
void pgs__session_receive(struct pgs__session *session, const char *type, const char *text,
                          size_t len);

/* Tells the client of a failure; `id` NULL: not of one subscription. */
void pgs__session_fail(struct pgs__session *session, const char *id, const char *code,
                       const char *message);

/* Too much waits for its client to read. */
bool pgs__session_is_full(const struct pgs__session *session);

/* The token is not good any more: says so and ends. */
void pgs__session_expire(struct pgs__session *session);

/* ---- lifetime.c ---- */

/* Goes on from the mark where all is there that its client misses since; else it begins anew. */
void pgs__subscription_begin(const struct pgs__wanted *wanted, const struct pgs__mark *mark);
void pgs__subscription_close(struct pgs__subscription *subscription);

/* Takes it from its session, with the result that its client holds; to go on or to be freed. */
void pgs__subscription_suspend(struct pgs__subscription *subscription);
void pgs__subscription_free(struct pgs__subscription *subscription);

/* It is to be asked for.  False: it waits for another session to give it up, or that has. */
bool pgs__subscription_has_settled(struct pgs__subscription *subscription)
    __attribute__((warn_unused_result));

/* ---- subscription.c ---- */

/* Its result may be another: the newest commit is one that its next result must hold. */
void pgs__subscription_mark(struct pgs__subscription *subscription);

/* Its result may be another, whatever commits it holds. */
void pgs__subscription_restart(struct pgs__subscription *subscription);

/* Counts the memory that it has now; where that is too much it is closed. */
void pgs__subscription_count_bytes(struct pgs__subscription *subscription);

/* Changes are not followed: those that have waited for it for too long, without a result, end. */
void pgs__subscriptions_give_up(struct pgs__session *session);

/* Asks for what is due and may be asked for. */
void pgs__subscriptions_pump(struct pgs_live_thread *thread);

/* ---- socket.c ---- */

void pgs__socket_accept(struct pgs_live_thread *thread, h2o_req_t *req);

/* One query, told as live/single.h has it. */
void pgs__socket_accept_single(struct pgs_live_thread *thread, h2o_req_t *req, h2o_iovec_t query);

/* A subscription of pg_reactive, told as live/relayed.h has it.  `id` lives as long as `req`. */
void pgs__socket_accept_relayed(struct pgs_live_thread *thread, h2o_req_t *req, h2o_iovec_t id);

/* Whether it may has been found out. */
void pgs__socket_judge(const struct pgs__question *question);

/* ---- stream.c ---- */

void pgs__stream_accept(struct pgs_live_thread *thread, h2o_req_t *req);

#endif
