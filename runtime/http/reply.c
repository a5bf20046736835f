/* SPDX-License-Identifier: MIT */
/*
 * h2o keeps pointers to what it sends until the socket has taken it.  Small bodies are copied into
 * the request's pool; large ones keep their own memory, freed when the pool is.
 */
#include "http/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "codec/json_write.h"
#include "http/info.h"
#include "http/timing.h"

#define COPY_MAX 2048

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static h2o_mime_attributes_t compressible = {1, H2O_MIME_ATTRIBUTE_PRIORITY_NORMAL};

static const char *
reason_of(int status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

static void
add_timing(h2o_req_t *req, const struct pgs_request_info *info)
{
    char value[PGS_TIMING_MAX];
    size_t len = pgs__timing_write(info, pgs_clock_us(), value);

    pgs_reply_header(req, "server-timing", value, len);
}

static void
begin(h2o_req_t *req, int status, size_t content_length)
{
    static h2o_generator_t generator = {NULL, NULL};
    const struct pgs_request_info *info = pgs_request_info(req);

    if (info->auth_us > 0)
        add_timing(req, info);
    if (info->is_secure)
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_STRICT_TRANSPORT_SECURITY, NULL,
                       H2O_STRLIT("max-age=31536000"));
    /* What a caller may see is for nobody else: a cache knows nothing of `apikey`. */
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CACHE_CONTROL, NULL,
                   H2O_STRLIT("no-store"));
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("x-content-type-options"), 0,
                          NULL, H2O_STRLIT("nosniff"));
    req->res.status = status;
    req->res.reason = reason_of(status);
    req->res.content_length = content_length;
    if (req->conn->ctx->shutdown_requested)
        req->http1_is_persistent = 0;
    /* The end of an encoded body is marked by chunks, which HTTP/1.0 does not know. */
    if (req->version < 0x101)
        req->compress_hint = H2O_COMPRESS_HINT_DISABLE;
    h2o_start_response(req, &generator);
}

struct owned {
    char *bytes;
};

static void
free_owned(void *cell)
{
    free(((struct owned *)cell)->bytes);
}

/* The body's bytes in memory that lives as long as the request. */
static h2o_iovec_t
keep(h2o_req_t *req, struct pgs_buf *body)
{
    h2o_iovec_t kept;

    if (body->len <= COPY_MAX) {
        kept = h2o_strdup(&req->pool, body->at != NULL ? body->at : "", body->len);
        pgs_buf_clear(body);
        return kept;
    }
    struct owned *owned = h2o_mem_alloc_shared(&req->pool, sizeof(*owned), free_owned);
    owned->bytes = kept.base = pgs_buf_take(body, &kept.len);
    return kept;
}

void
pgs_reply(h2o_req_t *req, int status, const char *content_type, struct pgs_buf *body)
{
    h2o_iovec_t bytes;

    if (body->failed) {
        pgs_buf_clear(body);
        pgs_reply_problem(req,
                          &(struct pgs_problem){503, "PGRST003",
                                                "Not enough memory for this answer", NULL, NULL});
        return;
    }
    bytes = keep(req, body);
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, content_type,
                   strlen(content_type));
    req->res.mime_attr = &compressible;
    begin(req, status, bytes.len);
    if (h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("HEAD")))
        h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
    else
        h2o_send(req, &bytes, 1, H2O_SEND_STATE_FINAL);
}

void
pgs_reply_empty(h2o_req_t *req, int status)
{
    /* RFC 9110, section 8.6: no Content-Length with 204, none of zero with 304. */
    begin(req, status, status == 204 || status == 304 ? SIZE_MAX : 0);
    h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
}

/* A message may quote the request's path, whose bytes are any. */
static void
add_text(struct pgs_buf *buf, const char *text)
{
    size_t len, good;

    if (text == NULL) {
        pgs_buf_add_str(buf, "null");
        return;
    }
    len = strlen(text);
    good = pgs_utf8_check(text, len);
    pgs_json_string(buf, text, good);
}

static void
add_member(struct pgs_buf *buf, const char *name, const char *text)
{
    pgs_buf_add_str(buf, name);
    add_text(buf, text);
}

static bool
wants_problem(const h2o_req_t *req)
{
    h2o_iovec_t accept = pgs_request_header(req, "accept");

    return accept.base != NULL &&
           h2o_strstr(accept.base, accept.len, H2O_STRLIT("application/problem+json")) != SIZE_MAX;
}

void
pgs_reply_problem(h2o_req_t *req, const struct pgs_problem *problem)
{
    bool rfc9457 = wants_problem(req);
    struct pgs_buf body;

    if (problem->status == 503)
        pgs_reply_header(req, "retry-after", "1", 1);
    if (problem->status == 401)
        pgs_reply_header(req, "www-authenticate", "Bearer", 6);
    pgs_buf_init(&body, 0);
    if (rfc9457) {
        pgs_buf_add_str(&body, "{\"type\":\"about:blank\",\"title\":");
        add_text(&body, reason_of(problem->status));
        pgs_buf_add_str(&body, ",\"status\":");
        pgs_buf_add_int(&body, problem->status);
        add_member(&body, ",\"detail\":", problem->message);
        add_member(&body, ",\"code\":", problem->code);
    } else {
        add_member(&body, "{\"code\":", problem->code);
        add_member(&body, ",\"message\":", problem->message);
    }
    add_member(&body, ",\"details\":", problem->details);
    add_member(&body, ",\"hint\":", problem->hint);
    pgs_buf_add_char(&body, '}');
    if (body.failed) {
        pgs_buf_clear(&body);
        pgs_reply_empty(req, problem->status);
        return;
    }
    pgs_reply(req, problem->status,
              rfc9457 ? "application/problem+json" : "application/json; charset=utf-8", &body);
}

void
pgs_reply_header(h2o_req_t *req, const char *name, const char *value, size_t len)
{
    const h2o_token_t *token = h2o_lookup_token(name, strlen(name));
    h2o_iovec_t copy;

    for (size_t i = 0; i < len; i++)
        if (value[i] == '\r' || value[i] == '\n' || value[i] == '\0')
            return;
    copy = h2o_strdup(&req->pool, value, len);
    if (token != NULL)
        h2o_add_header(&req->pool, &req->res.headers, token, NULL, copy.base, copy.len);
    else
        h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 0, NULL, copy.base,
                              copy.len);
}

h2o_iovec_t
pgs_request_header(const h2o_req_t *req, const char *name)
{
    size_t len = strlen(name);
    const h2o_token_t *token = h2o_lookup_token(name, len);
    ssize_t at = token != NULL ? h2o_find_header(&req->headers, token, -1)
                               : h2o_find_header_by_str(&req->headers, name, len, -1);

    return at != -1 ? req->headers.entries[at].value : h2o_iovec_init(NULL, 0);
}
