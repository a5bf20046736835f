/* SPDX-License-Identifier: MIT */
/*
 * /rest/v1/: the only code that joins http to db.  main fills a struct pgs_thread for each loop and
 * hands every request that is not its own (/health, /ready) to pgs_rest_on_request.
 */
#ifndef PGS_REST_REST_H
#define PGS_REST_REST_H

#include <h2o.h>

#include "auth/authn.h"
#include "config/config.h"
#include "db/pool.h"
#include "http/rates.h"
#include "http/route.h"
#include "pgs/app.h"

/* What the requests of one thread share; it outlives them all. */
struct pgs_thread {
    const struct pgs_app *app;
    struct pgs_pool *pool;
    struct pgs_pool *admin_pool; /* for service_role; NULL: not configured, 503 */
    struct pgs_authn *authn;
    struct pgs_rates *rates; /* of all threads */
    const struct pgs_router *router;
    enum pgs_timing timing;
    bool tells_lsn;     /* live queries do, by the log */
    bool is_mismatched; /* the log has been told that the database is of another model */
};

/* Answers `req`, now or later: every path that is not in the router is 404. */
void pgs_rest_on_request(struct pgs_thread *thread, h2o_req_t *req);

#endif
