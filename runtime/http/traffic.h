/* SPDX-License-Identifier: MIT */
/*
 * Requests by route, method, role and status, and how long they took.  What a client can choose is
 * bounded: a path that is not declared is PGS_ROUTE_OTHER, a method that is none of HTTP's common
 * ones is "other".  Rows appear when they are first needed and stay.
 */
#ifndef PGS_HTTP_TRAFFIC_H
#define PGS_HTTP_TRAFFIC_H

#include <h2o.h>

#include "base/metric.h"
#include "http/info.h"

extern const char pgs_route_other[];

/* Of one thread; only it adds.  Stays until the process ends. */
struct pgs_traffic;
struct pgs_traffic *pgs__traffic_open(void);

/* A request that has ended, at `now_us`. */
void pgs__traffic_add(struct pgs_traffic *traffic, const h2o_req_t *req,
                      const struct pgs_request_info *info, int64_t now_us);

/* ---- for who writes them ---- */

/* What was answered on a route and method: a role (NULL: nobody was known) and status. */
struct pgs_answered {
    _Atomic(struct pgs_answered *) next;
    const char *role;
    int status; /* 0: the client had gone */
    pgs_cell n;
};

struct pgs_traffic_row {
    _Atomic(struct pgs_traffic_row *) next; /* of all rows of the thread */
    const char *route;
    const char *method;
    pgs_cell histogram[PGS_CELLS_HISTOGRAM];
    _Atomic(struct pgs_answered *) answered;

    /* private */
    struct pgs_traffic_row *in_bucket;
};

/* Calls `on_row` for each row of each thread; the same route may come once a thread. */
void pgs_traffic_each(void (*on_row)(const struct pgs_traffic_row *row, void *arg), void *arg);

#endif
