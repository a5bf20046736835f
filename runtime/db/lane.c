/* SPDX-License-Identifier: MIT */
#include "db/lane.h"

#include "base/hash.h"
#include "base/limit.h"

#define STRIKES 3

uint64_t
pgs__lane_shape(const struct pgs_txn *txn)
{
    struct pgs_text role = pgs__txn_role(txn);
    uint64_t shape = pgs_hash(14695981039346656037u, role.at, role.len);

    for (int i = 1; i < txn->n_steps; i++) {
        struct pgs_text sql = pgs__txn_sql(txn, &txn->steps[i]);

        shape = pgs_hash(shape, sql.at, sql.len);
    }
    return shape != 0 ? shape : 1;
}

bool
pgs__lane_is_slow(const struct pgs__lanes *lanes, uint64_t shape)
{
    return lanes->slots[shape & (PGS__LANE_SLOTS - 1)].shape == shape;
}

void
pgs__lane_note(struct pgs__lanes *lanes, const struct pgs_txn *txn, int64_t took_us,
               int slow_after_ms)
{
    uint64_t *shape = &lanes->slots[txn->shape & (PGS__LANE_SLOTS - 1)].shape;
    int *strikes = &lanes->slots[txn->shape & (PGS__LANE_SLOTS - 1)].strikes;

    if (took_us > slow_after_ms * INT64_C(1000)) {
        if (*shape != txn->shape)
            pgs_limit_hit(PGS_LIMIT_SLOW_LANE);
        *shape = txn->shape;
        *strikes = STRIKES;
    } else if (*shape == txn->shape && --*strikes == 0) {
        *shape = 0;
    }
}
