/* SPDX-License-Identifier: MIT */
/*
 * The rate limits that a route declares, before anything else is done for the request.
 */
#ifndef PGS_REST_RATES_H
#define PGS_REST_RATES_H

#include "rest/request.h"

/*
 * Counts the request, and adds RateLimit headers.  `is_known`: it is known who asks; else only the
 * limits by address count.  False: answered, with 429.
 */
bool pgs__rates_admit(struct pgs_request *rq, const struct pgs_route *route, bool is_known);

#endif
