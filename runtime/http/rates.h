/* SPDX-License-Identifier: MIT */
/*
 * Rate limits of the policy, over all threads: how much of each declared rate each caller has used.
 *
 * The table has a fixed size.  Where it is full, what was used least is forgotten first, so that
 * whoever comes with many addresses gains little and nobody else pays.
 */
#ifndef PGS_HTTP_RATES_H
#define PGS_HTTP_RATES_H

#include "pgs/app.h"

struct pgs_rates;
struct pgs_rates *pgs_rates_open(int room);
void pgs_rates_close(struct pgs_rates *rates);

/* How a caller stands after a request. */
struct pgs_rate_state {
    uint32_t remaining; /* requests that it may send at once */
    int64_t full_us;    /* until it may send all of them */
    int64_t wait_us;    /* until it may send one; 0: now */
};

/*
 * Spends one request of the caller's, at `now_us` of pgs_clock_us.  All requests of a rate may come
 * at once; then one comes back at a time.  False: there is none left, and none was spent.
 */
bool pgs_rate_spend(struct pgs_rates *rates, const struct pgs_rate *rate, struct pgs_text caller,
                    int64_t now_us, struct pgs_rate_state *state)
    __attribute__((warn_unused_result));

#endif
