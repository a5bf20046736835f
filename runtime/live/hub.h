/* SPDX-License-Identifier: MIT */
/* From the feed's thread to those that serve. */
#ifndef PGS_LIVE_HUB_H
#define PGS_LIVE_HUB_H

#include "live/live.h"
#include "live/recent.h"

struct pgs__news {
    h2o_multithread_message_t super;
    enum {
        PGS__NEWS_COMMIT,
        PGS__NEWS_CONNECTED, /* everything must be looked at again */
        PGS__NEWS_LOST,
    } kind;
    struct pgs_changes *changes; /* of a commit: a reference for the receiver */
    uint64_t number;             /* of the commit, in the hub */
};

/* A thread's place in the hub. */
struct pgs__listener {
    h2o_multithread_receiver_t receiver; /* gets struct pgs__news, to be freed */
    struct pgs__listener *next;
    bool wants_commits;
};

/* What is kept for the clients of all threads. */
struct pgs__shelf *pgs__hub_shelf(const struct pgs_hub *hub);

/* From now on the listener is told of connections; true: the feed is connected. */
bool pgs__hub_join(struct pgs_hub *hub, struct pgs__listener *listener)
    __attribute__((warn_unused_result));
void pgs__hub_leave(struct pgs_hub *hub, struct pgs__listener *listener);

/* From now on the listener is told of commits; `recent` becomes what came before, with the hub's
 * numbers: news of them are old. */
void pgs__hub_listen(struct pgs_hub *hub, struct pgs__listener *listener,
                     struct pgs__recent *recent);
void pgs__hub_unlisten(struct pgs_hub *hub, struct pgs__listener *listener);

/* Rows of a watched table are looked at by one more (1) or one less (-1). */
void pgs__hub_want_rows(struct pgs_hub *hub, unsigned watched, int change);

#endif
