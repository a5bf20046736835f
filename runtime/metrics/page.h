/* SPDX-License-Identifier: MIT */
/*
 * `/metrics` of the admin port, in Prometheus' text form: every number of base/ and http/, summed
 * over the threads.
 */
#ifndef PGS_METRICS_PAGE_H
#define PGS_METRICS_PAGE_H

#include <h2o.h>
#include <stdbool.h>

/* False: the path is another, and nothing was answered. */
bool pgs_metrics_on_request(h2o_req_t *req);

#endif
