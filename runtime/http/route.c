/* SPDX-License-Identifier: MIT */
/*
 * Open addressing over a table at most half full: a path that is not served ends at an empty slot.
 */
#include "http/route.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    size_t len;
    struct pgs_path routes; /* its name NULL: empty */
};

struct pgs_router {
    size_t mask;
    struct slot slots[];
};

void
pgs_path_methods(const struct pgs_path *path, char methods[PGS_PATH_METHODS_MAX])
{
    static const char *const words[PGS_METHODS] = {"GET, HEAD, ", "POST, ", "PATCH, ", "DELETE, "};

    methods[0] = '\0';
    for (int i = 0; i < PGS_METHODS; i++)
        if (path->by_method[i] != NULL)
            strcat(methods, words[i]); /* 40 bytes when all are there */
    strcat(methods, "OPTIONS");
}

/* FNV-1a. */
static size_t
hash(const char *path, size_t len)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)path[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static size_t
count_routes(const struct pgs_app *app)
{
    size_t n = 0;

    for (const struct pgs_route *const *table = app->routes; *table != NULL; table++)
        for (const struct pgs_route *route = *table; route->path != NULL; route++)
            n++;
    return n;
}

/* The slot of the path, or the empty one where it would be. */
static const struct slot *
find(const struct pgs_router *router, const char *path, size_t len)
{
    size_t i = hash(path, len) & router->mask;

    while (router->slots[i].routes.name != NULL &&
           (router->slots[i].len != len || memcmp(router->slots[i].routes.name, path, len) != 0))
        i = (i + 1) & router->mask;
    return &router->slots[i];
}

static void
add(struct pgs_router *router, const struct pgs_route *route)
{
    size_t len = strlen(route->path);
    struct slot *slot = (struct slot *)find(router, route->path, len);

    slot->routes.name = route->path;
    slot->len = len;
    slot->routes.by_method[route->method] = route;
}

struct pgs_router *
pgs_router_open(const struct pgs_app *app)
{
    size_t size = 8, n = count_routes(app);
    struct pgs_router *router;

    while (size < 2 * n)
        size *= 2;
    router = calloc(1, sizeof(*router) + size * sizeof(router->slots[0]));
    if (router == NULL)
        abort();
    router->mask = size - 1;
    for (const struct pgs_route *const *table = app->routes; *table != NULL; table++)
        for (const struct pgs_route *route = *table; route->path != NULL; route++)
            add(router, route);
    return router;
}

void
pgs_router_close(struct pgs_router *router)
{
    free(router);
}

const struct pgs_path *
pgs_router_find(const struct pgs_router *router, const char *path, size_t len)
{
    const struct slot *slot = find(router, path, len);

    return slot->routes.name != NULL ? &slot->routes : NULL;
}
