/* SPDX-License-Identifier: MIT */
/*
 * What the pool's thread counts of it for /metrics.
 */
#ifndef PGS_DB_MEASURE_H
#define PGS_DB_MEASURE_H

#include "base/metric.h"
#include "db/pool_private.h"

/* A transaction comes into the queue (1), or leaves it (-1). */
void pgs__measure_queued(const struct pgs_txn *txn, int change);

/* A transaction is sent. */
void pgs__measure_sent(struct pgs_txn *txn, int64_t now_us);

/* A transaction has ended; notes how long PostgreSQL took. */
void pgs__measure_end(struct pgs_txn *txn);

/* What the pool holds right now. */
void pgs__measure_pool(const struct pgs_pool *pool);

#endif
