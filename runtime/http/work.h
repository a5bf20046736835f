/* SPDX-License-Identifier: MIT */
/*
 * A request's place among those under way, of its connection and of its client.  It is given back
 * when the answer has left and, where that is later, PostgreSQL has done with it: whoever asks and
 * goes away again has not paid yet.
 */
#ifndef PGS_HTTP_WORK_H
#define PGS_HTTP_WORK_H

#include <h2o.h>
#include <stdbool.h>

#include "base/address.h"

/* Takes a place for the request.  False: there is none, and the limit's counter says so. */
bool pgs__work_begin(h2o_req_t *req, const struct pgs_address *client)
    __attribute__((warn_unused_result));

/* The place, held once more: to be released with h2o_mem_release_shared().  NULL: it has none. */
void *pgs_work_hold(const h2o_req_t *req);

#endif
