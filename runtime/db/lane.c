/* SPDX-License-Identifier: MIT */
#include "db/lane.h"

#include "base/hash.h"
#include "base/limit.h"
#include "db/pool_private.h"

enum {
    SLOW_AT = 8,
    POINTS = 4, /* of a slow answer */
    HIGHEST = SLOW_AT + 2,
    VERY = 4, /* times SLOW_LANE_AFTER */
};

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
    const struct pgs__lane_slot *slot = &lanes->slots[shape & (PGS__LANE_SLOTS - 1)];

    return slot->shape == shape && slot->score >= SLOW_AT;
}

bool
pgs_txn_is_slow(struct pgs_txn *txn)
{
    const struct pgs_pool *pool = txn->pool;

    if (pool->config.slow_connections == 0 || pool->config.slow_after_ms == 0 ||
        txn->refused != NULL) /* it may be without its texts */
        return false;
    if (txn->shape == 0)
        txn->shape = pgs__lane_shape(txn);
    return pgs__lane_is_slow(&pool->lanes, txn->shape);
}

bool
pgs__lane_is_very_slow(int64_t took_us, int slow_after_ms)
{
    return took_us > VERY * slow_after_ms * INT64_C(1000);
}

static void
add_points(struct pgs__lane_slot *slot, uint64_t shape, int points)
{
    if (slot->shape != shape)
        *slot = (struct pgs__lane_slot){.shape = shape};
    if (slot->score < SLOW_AT && slot->score + points >= SLOW_AT)
        pgs_limit_hit(PGS_LIMIT_SLOW_LANE);
    slot->score += points;
    if (slot->score >= SLOW_AT)
        slot->score = HIGHEST;
}

void
pgs__lane_note(struct pgs__lanes *lanes, const struct pgs_txn *txn, int64_t took_us,
               int slow_after_ms)
{
    struct pgs__lane_slot *slot = &lanes->slots[txn->shape & (PGS__LANE_SLOTS - 1)];

    if (pgs__lane_is_very_slow(took_us, slow_after_ms))
        add_points(slot, txn->shape, SLOW_AT);
    else if (took_us > slow_after_ms * INT64_C(1000))
        add_points(slot, txn->shape, POINTS);
    else if (slot->shape == txn->shape && slot->score > 0)
        slot->score--;
}
