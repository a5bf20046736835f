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

#endif
