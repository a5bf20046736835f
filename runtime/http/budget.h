/* SPDX-License-Identifier: MIT */
/*
 * Token buckets, and how many frames of each kind an HTTP/2 connection may send: the numbers of
 * base/limits.def.  What honest clients send stays far below.
 */
#ifndef PGS_HTTP_BUDGET_H
#define PGS_HTTP_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limit.h"

enum pgs__spent_on {
    PGS_SPENT_RESET,
    PGS_SPENT_PING,
    PGS_SPENT_SETTINGS,
    PGS_SPENT_PRIORITY,
    PGS_SPENT_WINDOW,
    PGS_SPENT_UNKNOWN,
    PGS_SPENT_EMPTY_DATA,
    PGS_SPENT_GOAWAY,
    PGS_SPENT_KINDS,
};

/* Zero-filled: nothing spent. */
struct pgs__bucket {
    int64_t spent_milli; /* thousandths, so that a second refills evenly */
    int64_t since_ms;
};

struct pgs__bucket_size {
    int64_t burst, per_second;
    enum pgs_limit limit;
};

/* Spends one; false: there was none left, and the limit's counter says so. */
bool pgs__bucket_spend(struct pgs__bucket *bucket, const struct pgs__bucket_size *size,
                       int64_t now_ms) __attribute__((warn_unused_result));

struct pgs__budget {
    struct pgs__bucket of[PGS_SPENT_KINDS];
};

/* The same of that kind. */
bool pgs__budget_spend(struct pgs__budget *budget, enum pgs__spent_on kind, int64_t now_ms)
    __attribute__((warn_unused_result));

#endif
