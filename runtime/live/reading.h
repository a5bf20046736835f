/* SPDX-License-Identifier: MIT */
/* The rows that PostgreSQL answered with, as a result. */
#ifndef PGS_LIVE_READING_H
#define PGS_LIVE_READING_H

#include "db/pool.h"
#include "live/apply.h"

enum pgs__read {
    PGS__READ,
    PGS__TOO_LARGE,
    PGS__UNPLACED, /* a value has no order that is known here */
};

/* `held` is empty.  Marks of its rows are touches of the pool, with their texts. */
enum pgs__read pgs__rows_read(const struct pgs__rows *rows, struct pgs_txn *txn, int statement,
                              h2o_mem_pool_t *pool, struct pgs__held *held)
    __attribute__((warn_unused_result));

#endif
