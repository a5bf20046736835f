/* SPDX-License-Identifier: MIT */
/*
 * Subscriptions whose connection has ended, kept for a while for clients that come back.  Nothing
 * is asked for them meanwhile: what changed is found out when they go on.
 *
 * All threads share one shelf, because a client comes back to any of them.  It may do so before the
 * server knows that the connection is dead: so sessions that live are known here, too.
 */
#ifndef PGS_LIVE_SHELF_H
#define PGS_LIVE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pgs_buf;
struct pgs_live_thread;
struct pgs__mark;
struct pgs__session;
struct pgs__shelf;
struct pgs__subscription;

enum {
    PGS_SHELF_MAX_BYTES = 67108864, /* of all that is kept for clients that may come back */
    PGS_SHELF_MAX_CLAIMS = 8,       /* of one session, that its thread has not heard of yet */
};

/* NULL: out of memory. */
struct pgs__shelf *pgs__shelf_open(void);
void pgs__shelf_close(struct pgs__shelf *shelf);

/* Counts `n` bytes.  False: there is no room for them. */
bool pgs__shelf_take(struct pgs__shelf *shelf, size_t n) __attribute__((warn_unused_result));
void pgs__shelf_give_back(struct pgs__shelf *shelf, size_t n);

/* Takes a suspended subscription of `session`, which it may free at any time, `ms` from now at the
 * latest. */
void pgs__shelf_put(struct pgs__shelf *shelf, const struct pgs__session *session,
                    struct pgs__subscription *subscription, int64_t ms);

/* What is looked for: the same caller, query and arguments, under the same name. */
struct pgs__wanted {
    struct pgs__session *session; /* of the caller who asks */
    const char *id;
    const struct pgs_live *live;
    const struct pgs_text *arguments;
};

/* Hands it out for good; NULL: there is none, or not all that was sent since the mark. */
struct pgs__subscription *pgs__shelf_find(struct pgs__shelf *shelf,
                                          const struct pgs__wanted *wanted,
                                          const struct pgs__mark *mark);

/* From now on the session is found by the gen that it has; it is the caller's to take off again.
 * `shelf` NULL: there is none. */
void pgs__shelf_know(struct pgs__shelf *shelf, struct pgs__session *session);
void pgs__shelf_forget(struct pgs__shelf *shelf, struct pgs__session *session);

/* Tells the thread of the session that has this gen that its client has come back as the caller of
 * `by`.  False: there is no such session, or too many say so. */
bool pgs__shelf_claim(struct pgs__shelf *shelf, const struct pgs__session *by, uint64_t gen);

/* For each claim once.  A session of the thread that asks; NULL: it has none of that gen and
 * caller. */
struct pgs__session *pgs__shelf_claimed(struct pgs__shelf *shelf,
                                        const struct pgs_live_thread *thread, uint64_t gen,
                                        const struct pgs_buf *caller);

/* Frees what nobody came back for. */
void pgs__shelf_sweep(struct pgs__shelf *shelf);

#endif
