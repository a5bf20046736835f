/* SPDX-License-Identifier: MIT */
/*
 * /health: is the process alive and PostgreSQL within reach.  /ready: is the database the one that
 * this binary was compiled for.
 */
#ifndef PGS_HEALTH_H
#define PGS_HEALTH_H

#include <h2o.h>

#include "rest/rest.h"

/* What /ready asks. */
extern const char pgs_ready_sql[];

enum pgs_health_phase {
    PGS_HEALTH_SERVING,
    PGS_HEALTH_STARTING, /* it may end yet: not all of its threads and logins are there */
    PGS_HEALTH_DRAINING, /* it is about to end */
};

/* In any phase but the first /ready is 503: nobody should send us requests. */
void pgs_health_enter(enum pgs_health_phase phase);

/* Answers when the path is one of them; false: it is not. */
bool pgs_health_on_request(struct pgs_thread *thread, h2o_req_t *req);

#endif
