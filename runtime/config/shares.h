/* SPDX-License-Identifier: MIT */
/*
 * How PG_POOL_MAX_CONNS is shared out: it holds for all threads and both planes together.
 */
#ifndef PGS_CONFIG_SHARES_H
#define PGS_CONFIG_SHARES_H

#include "config/config.h"

struct pgs_shares {
    int threads;
    /* Connections of each thread. */
    int quick; /* that carry many requests at a time */
    int slow;  /* that carry one, which may take long */
    int admin_quick;
    int admin_slow; /* these are 0 without an admin plane */
};

/* Two quick and two slow ones a thread are the optimum that was measured; the admin plane has one
 * of each.  Where they do not suffice there are fewer, then fewer threads than THREADS or `cores`.
 */
struct pgs_shares pgs_shares_of(const struct pgs_config *config, long cores);

#endif
