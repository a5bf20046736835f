/* SPDX-License-Identifier: MIT */
/*
 * The last frames of a subscription as they were sent, for a client whose connection was cut before
 * it had read them.
 */
#ifndef PGS_LIVE_SENT_H
#define PGS_LIVE_SENT_H

#include "base/buf.h"
#include "live/shelf.h"

enum {
    PGS_SENT_MAX_BYTES = 65536,
};

struct pgs__sent {
    struct pgs_buf bytes; /* private: frames, oldest first */
    int64_t seq;          /* of the frame before the first, and */
    uint64_t event;       /* its number among all frames of the session */
};

/* How far a client has read: `seq` of its subscription, or the event of its connection. */
struct pgs__mark {
    uint64_t gen; /* of the connection; 0: none is given */
    bool by_seq;
    int64_t seq;
    uint64_t event;
};

struct pgs__sent_frame {
    int64_t seq;
    uint64_t event;
    uint64_t commit; /* number of the last one that it holds, whose place in the log is */
    uint64_t lsn;    /* this; 0: not known */
    size_t len;
    const char *at; /* its rows */
};

/* Nothing is kept yet: what follows builds on this frame. */
void pgs__sent_begin(struct pgs__sent *sent, struct pgs__shelf *shelf, int64_t seq, uint64_t event);

/* Keeps a frame, at the price of older ones where there is no room. */
void pgs__sent_add(struct pgs__sent *sent, struct pgs__shelf *shelf,
                   const struct pgs__sent_frame *frame);

void pgs__sent_clear(struct pgs__sent *sent, struct pgs__shelf *shelf);

/* All that the client misses is here, and it has read no more than was sent. */
bool pgs__sent_holds(const struct pgs__sent *sent, const struct pgs__mark *mark)
    __attribute__((warn_unused_result));

/* Of a mark that it holds: forgets what the client has read.  Answers the `seq` that it has. */
int64_t pgs__sent_forget(struct pgs__sent *sent, struct pgs__shelf *shelf,
                         const struct pgs__mark *mark);

/* The frame at `*place`, which moves on; `*place` begins at 0.  False: that was all. */
bool pgs__sent_next(const struct pgs__sent *sent, size_t *place, struct pgs__sent_frame *frame)
    __attribute__((warn_unused_result));

#endif
