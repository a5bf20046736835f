/* SPDX-License-Identifier: MIT */
/*
 * Commits and the subscriptions that they concern.  What can be matched is applied to the result
 * and told at once; the rest is asked for again.
 */
#ifndef PGS_LIVE_MATCH_H
#define PGS_LIVE_MATCH_H

#include "live/thread.h"

/* The newest commit of thread->recent. */
void pgs__match_commit(struct pgs_live_thread *thread);

/* How far a result that was asked for could be brought up to date. */
enum pgs__replay {
    PGS__REPLAYED, /* it holds every commit that the thread was told of */
    PGS__STOPPED,  /* it holds all before commit `*stopped`: for that one it must be asked again */
    PGS__IMPOSSIBLE, /* it is spoilt */
};

/*
 * Applies to `held` what `snapshot`, under which it was read, does not see yet.  Marks of its rows
 * are touches with their texts, before and after.
 */
enum pgs__replay pgs__match_replay(struct pgs__subscription *subscription, struct pgs__held *held,
                                   const struct pgs__snapshot *snapshot, h2o_mem_pool_t *pool,
                                   uint64_t *stopped);

/* Finds out what leads nowhere from `held`, which was read under `snapshot` and is as it was: from
 * the commits that may be why it was asked for. */
void pgs__match_learn(const struct pgs__subscription *subscription, struct pgs__held *held,
                      const struct pgs__snapshot *snapshot, h2o_mem_pool_t *pool);

/* Takes its places among those whom changes concern, by what is known of it now. */
void pgs__match_join(struct pgs__subscription *subscription);
void pgs__match_leave(struct pgs__subscription *subscription);

/* How rows become rows of its result; `match` NULL: they are not matched. */
struct pgs__rows pgs__match_rows(const struct pgs__subscription *subscription);

/* The matcher for the role of its session; NULL: there is none that can be used. */
const struct pgs_matcher *pgs__match_choose(const struct pgs__subscription *subscription);

#endif
