/* SPDX-License-Identifier: MIT */
/*
 * /metrics of the admin listener, in the text form of Prometheus (exposition format 0.0.4).
 */
#ifndef PGS_METRICS_H
#define PGS_METRICS_H

#include <h2o.h>
#include <stdbool.h>

/* False: the request is for something else. */
bool pgs_metrics_on_request(h2o_req_t *req);

#endif
