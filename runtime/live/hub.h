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
    struct pgs__commit commit;
};

/* A thread's place in the hub. */
struct pgs__listener {
    h2o_multithread_receiver_t receiver; /* gets struct pgs__news, to be freed */
    struct pgs__listener *next;
};

/* From now on the listener is told; true: the feed is connected. */
bool pgs__hub_join(struct pgs_hub *hub, struct pgs__listener *listener)
    __attribute__((warn_unused_result));
void pgs__hub_leave(struct pgs_hub *hub, struct pgs__listener *listener);

#endif
