/* SPDX-License-Identifier: MIT */
#include "http/budget.h"

static const struct pgs__bucket_size sizes[PGS_SPENT_KINDS] = {
    [PGS_SPENT_RESET] = {200, 33, PGS_LIMIT_H2_RESET},
    [PGS_SPENT_PING] = {100, 50, PGS_LIMIT_H2_PING},
    [PGS_SPENT_SETTINGS] = {40, 4, PGS_LIMIT_H2_SETTINGS},
    [PGS_SPENT_PRIORITY] = {1000, 200, PGS_LIMIT_H2_PRIORITY},
    [PGS_SPENT_WINDOW] = {40000, 40000, PGS_LIMIT_H2_WINDOW},
    [PGS_SPENT_UNKNOWN] = {200, 50, PGS_LIMIT_H2_UNKNOWN},
    [PGS_SPENT_EMPTY_DATA] = {100, 20, PGS_LIMIT_H2_EMPTY_DATA},
    [PGS_SPENT_GOAWAY] = {4, 1, PGS_LIMIT_H2_GOAWAY},
};

bool
pgs__bucket_spend(struct pgs__bucket *bucket, const struct pgs__bucket_size *size, int64_t now_ms)
{
    int64_t passed_ms = now_ms - bucket->since_ms;

    if (passed_ms > 0) {
        int64_t refill = passed_ms * size->per_second;

        bucket->spent_milli = bucket->spent_milli > refill ? bucket->spent_milli - refill : 0;
        bucket->since_ms = now_ms;
    }
    bucket->spent_milli += 1000;
    if (bucket->spent_milli <= size->burst * 1000)
        return true;
    pgs_limit_hit(size->limit);
    return false;
}

bool
pgs__budget_spend(struct pgs__budget *budget, enum pgs__spent_on kind, int64_t now_ms)
{
    return pgs__bucket_spend(&budget->of[kind], &sizes[kind], now_ms);
}
