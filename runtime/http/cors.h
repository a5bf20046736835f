/* SPDX-License-Identifier: MIT */
/*
 * What a page of another site may ask (Fetch Standard, CORS protocol).  Origins are compared byte
 * for byte with the list of the policy; an origin that is not on it gets no header at all.
 */
#ifndef PGS_HTTP_CORS_H
#define PGS_HTTP_CORS_H

#include <h2o.h>

#include "http/route.h"

/*
 * Replaces the origins of every policy, and serves as the policy where there is none: the
 * operator's ALLOWED_ORIGINS, NULL-terminated, or NULL.  `any` admits every origin, without
 * credentials.  Before the threads start; kept, not copied.
 */
void pgs_cors_configure(const char *const *origins, bool any);

/* A page of `origin` may read answers under `cors` (NULL: no policy). */
bool pgs_cors_allows(const struct pgs_cors *cors, const char *origin, size_t len);

/* A WebSocket, which browsers let any page ask for: pages of the same host, and those that `cors`
 * names.  No Origin: no browser. */
bool pgs_cors_admits_socket(const h2o_req_t *req, const struct pgs_cors *cors);

/* Adds Access-Control-Allow-Origin and its kin to an answer, and Vary: Origin.  `cors` may be
 * NULL. */
void pgs_cors_apply(h2o_req_t *req, const struct pgs_cors *cors);

/* Answers OPTIONS: a preflight by `cors` (or NULL), any other with Allow. */
void pgs_cors_options(h2o_req_t *req, const struct pgs_path *path, const struct pgs_cors *cors);

#endif
