/* SPDX-License-Identifier: MIT */
#include "http/budget.h"

static const struct {
    int64_t burst, per_second;
    enum pgs_limit limit;
} buckets[PGS_SPENT_KINDS] = {
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
pgs__budget_spend(struct pgs__budget *budget, enum pgs__spent_on kind, int64_t now_ms)
{
    int64_t *spent = &budget->spent_milli[kind];
    int64_t passed_ms = now_ms - budget->since_ms[kind];

    if (passed_ms > 0) {
        int64_t refill = passed_ms * buckets[kind].per_second;

        *spent = *spent > refill ? *spent - refill : 0;
        budget->since_ms[kind] = now_ms;
    }
    *spent += 1000;
    if (*spent <= buckets[kind].burst * 1000)
        return true;
    pgs_limit_hit(buckets[kind].limit);
    return false;
}
