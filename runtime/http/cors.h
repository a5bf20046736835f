/* SPDX-License-Identifier: MIT */
/*
 * What a page of another site may ask (Fetch Standard, CORS protocol).  Origins are compared byte
 * for byte with the list of the policy; an origin that is not on it gets no header at all.
 */
#ifndef PGS_HTTP_CORS_H
#define PGS_HTTP_CORS_H

#include <h2o.h>

#include "http/route.h"

/* Adds Access-Control-Allow-Origin and its kin to an answer, and Vary: Origin. */
void pgs_cors_apply(h2o_req_t *req, const struct pgs_cors *cors);

/* Answers OPTIONS: a preflight by `cors`, any other with Allow. */
void pgs_cors_options(h2o_req_t *req, const struct pgs_path *path, const struct pgs_cors *cors);

#endif
