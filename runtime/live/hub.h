/* SPDX-License-Identifier: MIT */
/* From the feed's thread to those that serve. */
#ifndef PGS_LIVE_HUB_H
#define PGS_LIVE_HUB_H

#include <stdatomic.h>

#include "live/live.h"
#include "live/recent.h"

enum {
    PGS_HUB_MAX_WAITING_BYTES = 67108864, /* of commits, for one listener */
    PGS_HUB_MAX_TOGETHER = 64,            /* commits, where more have come at once */
};

/* What is known of changes. */
enum pgs__feed_state {
    PGS__FEED_LOST,      /* they cannot be followed, or it is not known yet */
    PGS__FEED_RESTING,   /* they can, and will be when somebody wants it */
    PGS__FEED_FOLLOWING, /* each is told */
};

struct pgs__news {
    h2o_multithread_message_t super;
    enum {
        PGS__NEWS_COMMITS,
        PGS__NEWS_BEHIND, /* no more commits before pgs__hub_catch_up */
        PGS__NEWS_STATE,  /* another one; from FOLLOWING on everything must be looked at again */
        PGS__NEWS_IMPOSSIBLE, /* as PostgreSQL is set up, there will be none */
        PGS__NEWS_CLAIMED,    /* a client of one of its sessions has come back over another one */
    } kind;
    enum pgs__feed_state state;
    uint64_t n_states;     /* how many there have been, with this one */
    uint64_t number;       /* in the hub: of the last commit, or of the last one before; a gen */
    struct pgs_buf caller; /* of who claims: for the receiver to free */
    size_t n_commits;
    struct pgs_changes *commits[]; /* references for the receiver; the last is `number` */
};

/* A thread's place in the hub. */
struct pgs__listener {
    h2o_multithread_receiver_t receiver; /* gets struct pgs__news, to be freed */
    struct pgs__listener *next;
    bool wants_commits;
    uint64_t n_states; /* of its thread: news of as many or fewer are old */
    atomic_bool is_behind;
    atomic_size_t waiting_bytes; /* of commits that it has not taken yet */
};

/* What is kept for the clients of all threads. */
struct pgs__shelf *pgs__hub_shelf(const struct pgs_hub *hub);

/* From now on the listener is told of states; this is the first. */
enum pgs__feed_state pgs__hub_join(struct pgs_hub *hub, struct pgs__listener *listener)
    __attribute__((warn_unused_result));
void pgs__hub_leave(struct pgs_hub *hub, struct pgs__listener *listener);

/* Changes cannot be followed as PostgreSQL is set up, so that nobody should be let in. */
bool pgs__hub_is_impossible(const struct pgs_hub *hub) __attribute__((warn_unused_result));

/* From now on the listener is told of commits, as soon as they are followed; `recent` becomes what
 * came before, with the hub's numbers: news of them are old.  Answers the state. */
enum pgs__feed_state pgs__hub_listen(struct pgs_hub *hub, struct pgs__listener *listener,
                                     struct pgs__recent *recent)
    __attribute__((warn_unused_result));

/* Changes are followed for as long after the last listener as its clients may come back. */
void pgs__hub_unlisten(struct pgs_hub *hub, struct pgs__listener *listener);

/* The listener has taken the news, whose commits wait no more.  Before they are released. */
void pgs__hub_take(struct pgs__listener *listener, const struct pgs__news *news);

/* After PGS__NEWS_BEHIND: `recent` becomes what the hub remembers, and what comes now is told.
 * False: it is not behind. */
bool pgs__hub_catch_up(struct pgs_hub *hub, struct pgs__listener *listener,
                       struct pgs__recent *recent) __attribute__((warn_unused_result));

/* Rows of a watched table are looked at by one more (1) or one less (-1). */
void pgs__hub_want_rows(struct pgs_hub *hub, unsigned watched, int change);

/* What the feed says (db/feed.h); `hub` is a struct pgs_hub. */
void pgs__hub_on_changes(void *hub, struct pgs_changes *changes);
void pgs__hub_on_pause(void *hub);
void pgs__hub_on_state(void *hub, bool is_connected);
bool pgs__hub_wants_changes(void *hub) __attribute__((warn_unused_result));
bool pgs__hub_on_rest(void *hub) __attribute__((warn_unused_result));

#endif
