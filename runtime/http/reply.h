/* SPDX-License-Identifier: MIT */
/*
 * Answers to a request.  Each pgs_reply_* may be called once a request; it takes the request, and
 * the caller must return.
 */
#ifndef PGS_HTTP_REPLY_H
#define PGS_HTTP_REPLY_H

#include <h2o.h>

#include "base/buf.h"

/* PostgREST's error body.  NULL becomes JSON null. */
struct pgs_problem {
    int status;
    const char *code;
    const char *message;
    const char *details;
    const char *hint;
};

/* Sends the bytes of `body`, which is emptied.  HEAD gets headers alone.  `content_type` is
 * constant. */
void pgs_reply(h2o_req_t *req, int status, const char *content_type, struct pgs_buf *body);

/* Sends headers alone: 204, 201, 304. */
void pgs_reply_empty(h2o_req_t *req, int status);

/* Sends a problem as {code, message, details, hint}, or as application/problem+json (RFC 9457)
 * where Accept asks for it.  503 gets Retry-After, 401 gets WWW-Authenticate. */
void pgs_reply_problem(h2o_req_t *req, const struct pgs_problem *problem);

/* Adds a header before the answer is sent; the value is copied, line breaks are refused. */
void pgs_reply_header(h2o_req_t *req, const char *name, const char *value, size_t len);

/* A header of the request, lower-case name; at NULL when absent. */
h2o_iovec_t pgs_request_header(const h2o_req_t *req, const char *name);

#endif
