/* SPDX-License-Identifier: MIT */
/*
 * Method and path to a const route.  The table is a hash of the paths of all pgs_app.routes, built
 * once before the threads start.
 */
#ifndef PGS_HTTP_ROUTE_H
#define PGS_HTTP_ROUTE_H

#include "pgs/app.h"

struct pgs_router;

/* All routes of a path, by method; NULL where the method is not served. */
struct pgs_path {
    const char *name; /* "/rest/v1/ticket" */
    const struct pgs_route *by_method[PGS_METHODS];
};

/* Writes "GET, HEAD, POST, OPTIONS", as far as the path serves them. */
#define PGS_PATH_METHODS_MAX 64
void pgs_path_methods(const struct pgs_path *path, char methods[PGS_PATH_METHODS_MAX]);

struct pgs_router *pgs_router_open(const struct pgs_app *app);
void pgs_router_close(struct pgs_router *router);

/* NULL: no such path (404).  `path` is without query string, percent-decoded. */
const struct pgs_path *pgs_router_find(const struct pgs_router *router, const char *path,
                                       size_t len);

#endif
