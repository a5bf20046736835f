/* SPDX-License-Identifier: MIT */
/*
 * Which statements have been slow of late.
 *
 * On a pipelined connection whatever is sent after a slow statement waits for it.  What will be
 * slow cannot be known before; but the same text under the same role mostly is what it was the last
 * time. So after two slow answers, or one very slow one, those of its shape go to the slow lane,
 * until several in a row were quick there.  One alone may be a stall of the machine, and among many
 * quick ones it is forgotten: the slow lane is no place for what is quick.
 *
 * It is a table of fixed size: a shape may push another one out, which is then found slow anew.
 */
#ifndef PGS_DB_LANE_H
#define PGS_DB_LANE_H

#include "db/txn.h"

#define PGS__LANE_SLOTS 512 /* a power of two */

struct pgs__lane_slot {
    uint64_t shape; /* 0: empty */
    int score;      /* slow answers raise it, quick ones lower it */
};

struct pgs__lanes {
    struct pgs__lane_slot slots[PGS__LANE_SLOTS];
};

/* Of role and statements, without their values; never 0. */
uint64_t pgs__lane_shape(const struct pgs_txn *txn);

bool pgs__lane_is_slow(const struct pgs__lanes *lanes, uint64_t shape);

/* Slow beyond doubt: found so while it still runs. */
bool pgs__lane_is_very_slow(int64_t took_us, int slow_after_ms);

/* What it took PostgreSQL alone, without waiting behind others. */
void pgs__lane_note(struct pgs__lanes *lanes, const struct pgs_txn *txn, int64_t took_us,
                    int slow_after_ms);

#endif
