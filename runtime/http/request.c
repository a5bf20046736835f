/* SPDX-License-Identifier: MIT */
/*
 * The way of every request before it is anybody's: counted, numbered, guarded.
 */
#include "base/clock.h"
#include "base/limit.h"
#include "http/guard.h"
#include "http/info.h"
#include "http/reply.h"
#include "http/work.h"
#include "http/worker.h"

/*
 * h2o stops reading while a request is under way and starts again after it: two epoll_ctl(2) a
 * request.  Watching on, without reading, leaves the epoll set as it is.  More input, or its end,
 * is h2o's to read once the request is answered.
 */
static void
on_early_input(h2o_socket_t *socket, const char *err)
{
    (void)err;
    h2o_socket_read_stop(socket);
    h2o_socket_dont_read(socket, 0);
}

static void
watch_on(h2o_socket_t *socket)
{
    h2o_socket_dont_read(socket, 1);
    h2o_socket_read_start(socket, on_early_input);
}

static void
watch_off(h2o_socket_t *socket)
{
    if (socket->_cb.read == on_early_input)
        on_early_input(socket, NULL);
}

static void
on_request_end(void *cell)
{
    struct pgs__lease *lease = cell;
    struct pgs__connection *connection = lease->connection;

    h2o_linklist_unlink(&lease->link);
    pgs_gauge_add(PGS_CELL_REQUESTS_ACTIVE, -1);
    if (h2o_timeout_is_linked(&lease->later))
        h2o_timeout_unlink(&lease->later);
    if (!connection->is_h2)
        watch_off(connection->socket);
    if (--connection->n_requests > 0)
        return;
    connection->idle_since_ms = pgs_clock_ms();
}

static void
refuse(h2o_req_t *req, int status, const char *code, const char *message)
{
    req->http1_is_persistent = 0;
    pgs_reply_problem(req, &(struct pgs_problem){status, code, message, NULL, NULL});
}

static void
serve(struct pgs__lease *lease)
{
    struct pgs__worker *worker = lease->connection->worker;

    if (pgs__work_begin(lease->req, &pgs_request_info(lease->req)->address))
        worker->config->on_request(worker->state, lease->req);
    else
        pgs_reply_problem(lease->req, &(struct pgs_problem){.status = 503,
                                                            .code = "PGRST003",
                                                            .message = "Too many requests of this "
                                                                       "client are under way"});
}

static void
on_later(h2o_timeout_entry_t *entry)
{
    serve(H2O_STRUCT_FROM_MEMBER(struct pgs__lease, later, entry));
}

/* HTTP/1 was parsed from bytes that are looked at; HTTP/2 comes in parts. */
static int
check_h2(const h2o_req_t *req, const char **why)
{
    size_t bytes = req->input.path.len + req->input.authority.len;

    if (req->headers.size > PGS_MAX_HEADERS) {
        *why = "too many header fields";
        return 431;
    }
    for (size_t i = 0; i < req->headers.size; i++) {
        bytes += req->headers.entries[i].name->len + req->headers.entries[i].value.len;
        if (req->headers.entries[i].name->len == 0) {
            *why = "malformed header line";
            return 400;
        }
    }
    return pgs_guard_check_h2(req->input.method.base, req->input.method.len, req->input.path.base,
                              req->input.path.len, bytes, why);
}

static enum pgs_limit
limit_of(int status, const h2o_req_t *req)
{
    if (status == 400)
        return PGS_LIMIT_MALFORMED;
    return req->headers.size > PGS_MAX_HEADERS ? PGS_LIMIT_HEADER_COUNT : PGS_LIMIT_HEAD_BYTES;
}

/*
 * One turn of the loop later: a stream that is reset by the same bytes that opened it is gone by
 * then, and has cost nothing (CVE-2023-44487).
 */
static void
serve_h2(struct pgs__lease *lease)
{
    const char *why;
    int status = check_h2(lease->req, &why);

    if (status != 0) {
        pgs_limit_hit(limit_of(status, lease->req));
        refuse(lease->req, status, "PGRST100", why);
        return;
    }
    lease->later.cb = on_later;
    h2o_timeout_link(lease->connection->worker->loop, &lease->req->conn->ctx->zero_timeout,
                     &lease->later);
}

static void
serve_h1(struct pgs__lease *lease)
{
    const h2o_buffer_t *input = lease->connection->socket->input;
    const char *why;
    int status;

    watch_on(lease->connection->socket);
    status = pgs_guard_check(input->bytes, input->size, &why);
    if (status == 0) {
        serve(lease);
        return;
    }
    pgs_limit_hit(limit_of(status, lease->req));
    refuse(lease->req, status, "PGRST100", why);
}

/* ---- what libh2o refuses by itself: its function is replaced as those of h2_guard.c are ---- */

__attribute__((visibility("default"))) void
h2o_send_error_generic(h2o_req_t *req, int status, const char *reason, const char *body, int flags);

/* As libh2o does for a request that no handler has seen. */
static void
bind_request(h2o_req_t *req)
{
    h2o_hostconf_t *host = req->conn->hosts[0];

    h2o_get_timestamp(req->conn->ctx, &req->pool, &req->processed_at);
    if (req->input.authority.base == NULL)
        req->input.authority = host->authority.hostport;
    req->scheme = req->input.scheme;
    req->method = req->input.method;
    req->authority = req->input.authority;
    req->path = req->input.path;
    req->path_normalized = h2o_url_normalize_path(&req->pool, req->path.base, req->path.len,
                                                  &req->query_at, &req->norm_indexes);
    req->input.query_at = req->query_at;
    h2o_req_bind_conf(req, host, &host->fallback_path);
}

void
h2o_send_error_generic(h2o_req_t *req, int status, const char *reason, const char *body, int flags)
{
    (void)reason;
    if (body == pgs__h2_too_large)
        status = 413;
    if (req->pathconf == NULL)
        bind_request(req);
    if ((flags & H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION) != 0)
        req->http1_is_persistent = 0;
    if (pgs_request_info(req) == NULL)
        (void)pgs__info_add(req);
    pgs_limit_hit(status == 413 ? PGS_LIMIT_BODY_BYTES : PGS_LIMIT_MALFORMED);
    pgs_reply_problem(req, &(struct pgs_problem){status, status == 413 ? "PGRST102" : "PGRST100",
                                                 body, NULL, NULL});
}

int
pgs__on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct pgs__connection *connection = pgs__connection_of(req);
    struct pgs__lease *lease = h2o_mem_alloc_shared(&req->pool, sizeof(*lease), on_request_end);

    (void)handler;
    *lease = (struct pgs__lease){.connection = connection, .req = req};
    h2o_linklist_insert(&connection->worker->requests, &lease->link);
    connection->n_requests++;
    connection->has_asked = true;
    pgs_gauge_add(PGS_CELL_REQUESTS_ACTIVE, 1);
    (void)pgs__info_add(req);
    if (connection->is_h2)
        serve_h2(lease);
    else
        serve_h1(lease);
    return 0;
}
