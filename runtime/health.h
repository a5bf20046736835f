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

/* From here on /ready is 503: the server is about to end, and nobody should send it more. */
void pgs_health_drain(void);

/* Answers when the path is one of them; false: it is not. */
bool pgs_health_on_request(struct pgs_thread *thread, h2o_req_t *req);

#endif
