/* SPDX-License-Identifier: MIT */
/*
 * What the server knows of a request beside what h2o knows: its id, its start, who asks.  The
 * access log is written from it.
 */
#ifndef PGS_HTTP_INFO_H
#define PGS_HTTP_INFO_H

#include <h2o.h>
#include <stdbool.h>

#include "base/address.h"
#include "http/trace.h"

struct pgs_request_info {
    const char *id;             /* read-only; also sent as X-Request-Id */
    const char *role;           /* public: set when it is known; constant text */
    const char *client;         /* read-only: address of who asks, without port */
    int64_t start_us;           /* read-only: of pgs_clock_us */
    struct pgs_address address; /* read-only: the same */
    bool is_secure;             /* read-only: it came by TLS, to us or to a trusted proxy */
    const char *route;          /* public: the declared path, constant text; NULL: none was found */
    struct pgs_trace trace;     /* read-only */
    int64_t wait_us;            /* public: spent waiting for a connection to PostgreSQL */
    int64_t db_us;              /* public: from sending to its answer */
    int64_t auth_us;            /* public: until it was known who asks; 0: the client is not told */
    int64_t answered_us;        /* public: when PostgreSQL had answered, where the client is told */
    bool is_resting; /* public: an answer that goes on, and of which nothing waits to be sent */
    void *work;      /* private to http/work.c; NULL: none */
};

/* Of a request that pgs_server's on_request has been called with; lives as long as the request. */
struct pgs_request_info *pgs_request_info(const h2o_req_t *req);

/* Makes it, once a request. */
struct pgs_request_info *pgs__info_add(h2o_req_t *req);

#endif
