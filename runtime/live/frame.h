/* SPDX-License-Identifier: MIT */
/* What a subscriber is told. */
#ifndef PGS_LIVE_FRAME_H
#define PGS_LIVE_FRAME_H

#include "live/delta.h"
#include "live/thread.h"

/* The whole result; `mark` of each row is a touch with its text. */
void pgs__frame_snapshot(struct pgs__subscription *subscription, const struct pgs__held *held);

/* Nothing where the delta is empty. */
void pgs__frame_delta(struct pgs__subscription *subscription, const struct pgs__delta *delta);

/* The client has to forget what it holds: a snapshot follows. */
void pgs__frame_reset(struct pgs__subscription *subscription);

/* The client goes on from the mark: what was sent since is sent again. */
void pgs__frame_resume(struct pgs__subscription *subscription, const struct pgs__mark *mark);

#endif
