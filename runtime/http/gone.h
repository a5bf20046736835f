/* SPDX-License-Identifier: MIT */
#ifndef PGS_HTTP_GONE_H
#define PGS_HTTP_GONE_H

#include <h2o.h>
#include <stdbool.h>

/* The client has closed its side of the connection, or all of it; which of both is not to be known
 * before something is sent. */
bool pgs_client_has_left(h2o_req_t *req);

#endif
