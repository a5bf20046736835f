/* SPDX-License-Identifier: MIT */
/*
 * `Vary: Origin` goes with every answer that a policy could have changed, allowed or not, so that
 * no cache hands one origin's answer to another.
 */
#include "http/cors.h"

#include <stdio.h>
#include <string.h>

#include "http/info.h"
#include "http/reply.h"

#define ALLOWED_HEADERS                                                                            \
    "authorization, apikey, content-type, prefer, range, range-unit, accept, x-client-info, "      \
    "accept-profile, content-profile, x-retry-count, x-supabase-api-version, x-request-id, "       \
    "traceparent, tracestate"
#define EXPOSED_HEADERS                                                                            \
    "content-range, content-location, location, preference-applied, x-request-id, traceparent, "   \
    "retry-after, ratelimit, ratelimit-policy, pgstack-lsn"

static const char *const *configured_origins;
static bool any_origin;

void
pgs_cors_configure(const char *const *origins, bool any)
{
    configured_origins = origins;
    any_origin = any;
}

static bool
has_policy(const struct pgs_cors *cors)
{
    return cors != NULL || configured_origins != NULL || any_origin;
}

/* One label or more stand for the star of a pattern, and nothing else. */
static bool
matches_star(const char *pattern, const char *origin, size_t len)
{
    const char *star = strchr(pattern, '*');
    size_t before = star != NULL ? (size_t)(star - pattern) : 0;
    size_t after = star != NULL ? strlen(star + 1) : 0;

    if (star == NULL || len <= before + after || origin[before] == '.' ||
        memcmp(origin, pattern, before) != 0 || memcmp(origin + len - after, star + 1, after) != 0)
        return false;
    for (size_t i = before; i < len - after; i++)
        if ((origin[i] < 'a' || origin[i] > 'z') && (origin[i] < '0' || origin[i] > '9') &&
            origin[i] != '-' && origin[i] != '.' && origin[i] != '_')
            return false;
    return true;
}

bool
pgs_cors_allows(const struct pgs_cors *cors, const char *origin, size_t len)
{
    const char *const *origins = configured_origins != NULL ? configured_origins
                                 : cors != NULL             ? cors->origins
                                                            : NULL;

    if (any_origin)
        return true;
    for (; origins != NULL && *origins != NULL; origins++)
        if ((strlen(*origins) == len && memcmp(*origins, origin, len) == 0) ||
            (configured_origins == NULL && matches_star(*origins, origin, len)))
            return true;
    return false;
}

static void
add(h2o_req_t *req, const char *name, const char *value)
{
    pgs_reply_header(req, name, value, strlen(value));
}

/* The request's origin when the policy admits it; at NULL otherwise. */
static h2o_iovec_t
admitted_origin(const h2o_req_t *req, const struct pgs_cors *cors)
{
    h2o_iovec_t origin = pgs_request_header(req, "origin");

    if (origin.base == NULL || !pgs_cors_allows(cors, origin.base, origin.len))
        return h2o_iovec_init(NULL, 0);
    return origin;
}

static void
add_origin(h2o_req_t *req, const struct pgs_cors *cors, h2o_iovec_t origin)
{
    if (any_origin) {
        add(req, "access-control-allow-origin", "*");
        return;
    }
    pgs_reply_header(req, "access-control-allow-origin", origin.base, origin.len);
    if (cors != NULL && cors->credentials)
        add(req, "access-control-allow-credentials", "true");
}

void
pgs_cors_apply(h2o_req_t *req, const struct pgs_cors *cors)
{
    h2o_iovec_t origin;

    if (!has_policy(cors))
        return;
    add(req, "vary", "Origin");
    origin = admitted_origin(req, cors);
    if (origin.base == NULL)
        return;
    add_origin(req, cors, origin);
    add(req, "access-control-expose-headers", EXPOSED_HEADERS);
}

static bool
is_served(const struct pgs_path *path, h2o_iovec_t method)
{
    static const char *const words[PGS_METHODS] = {"GET", "POST", "PATCH", "DELETE"};

    if (h2o_memis(method.base, method.len, H2O_STRLIT("HEAD")))
        return path->by_method[PGS_GET] != NULL;
    for (int i = 0; i < PGS_METHODS; i++)
        if (h2o_memis(method.base, method.len, words[i], strlen(words[i])))
            return path->by_method[i] != NULL;
    return false;
}

static void
add_preflight(h2o_req_t *req, const struct pgs_path *path, const struct pgs_cors *cors,
              h2o_iovec_t method)
{
    h2o_iovec_t origin = admitted_origin(req, cors);
    char methods[PGS_PATH_METHODS_MAX], max_age[16];

    add(req, "vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    if (origin.base == NULL || !is_served(path, method))
        return;
    pgs_path_methods(path, methods);
    add_origin(req, cors, origin);
    add(req, "access-control-allow-methods", methods);
    add(req, "access-control-allow-headers", ALLOWED_HEADERS);
    if (cors != NULL && cors->max_age_s > 0) {
        (void)snprintf(max_age, sizeof(max_age), "%u", (unsigned)cors->max_age_s);
        add(req, "access-control-max-age", max_age);
    }
}

void
pgs_cors_options(h2o_req_t *req, const struct pgs_path *path, const struct pgs_cors *cors)
{
    h2o_iovec_t method = pgs_request_header(req, "access-control-request-method");
    char methods[PGS_PATH_METHODS_MAX];

    if (method.base != NULL && has_policy(cors)) {
        add_preflight(req, path, cors, method);
    } else {
        pgs_path_methods(path, methods);
        add(req, "allow", methods);
    }
    pgs_reply_empty(req, 204);
}

/* 0: of another scheme.  What serves a page without TLS may be anybody on the way: it has no access
 * to a server with TLS. */
static size_t
scheme_len(h2o_iovec_t origin, bool is_secure)
{
    static const char https[] = "https://", http[] = "http://";

    if (origin.len > sizeof(https) && memcmp(origin.base, https, sizeof(https) - 1) == 0)
        return sizeof(https) - 1;
    if (!is_secure && origin.len > sizeof(http) && memcmp(origin.base, http, sizeof(http) - 1) == 0)
        return sizeof(http) - 1;
    return 0;
}

bool
pgs_cors_admits_socket(const h2o_req_t *req, const struct pgs_cors *cors)
{
    h2o_iovec_t origin = pgs_request_header(req, "origin");
    size_t scheme;

    if (origin.base == NULL || pgs_cors_allows(cors, origin.base, origin.len))
        return true;
    scheme = scheme_len(origin, pgs_request_info(req)->is_secure);
    return scheme > 0 && h2o_lcstris(origin.base + scheme, origin.len - scheme, req->authority.base,
                                     req->authority.len) != 0;
}
