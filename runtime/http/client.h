/* SPDX-License-Identifier: MIT */
/*
 * Who asks: the peer of the connection, or whom a trusted proxy asks for.
 */
#ifndef PGS_HTTP_CLIENT_H
#define PGS_HTTP_CLIENT_H

#include <h2o.h>
#include <stdbool.h>

#include "base/address.h"

/* By X-Forwarded-For, where the peer is a trusted proxy. */
struct pgs_address pgs__client_address(const h2o_req_t *req);

/* True: it came by TLS, to us or by X-Forwarded-Proto to the proxy that is connected. */
bool pgs__client_is_secure(const h2o_req_t *req);

#endif
