/* SPDX-License-Identifier: MIT */
/*
 * The way of every request before it is anybody's: counted, numbered, guarded.
 */
#include "http/guard.h"
#include "http/info.h"
#include "http/reply.h"
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

struct lease {
    struct pgs__connection *connection;
};

static void
on_request_end(void *cell)
{
    struct pgs__connection *connection = ((struct lease *)cell)->connection;

    watch_off(connection->socket);
    if (--connection->n_requests == 0 && connection->worker->is_stopping)
        pgs__connection_end(connection);
}

static void
refuse(h2o_req_t *req, int status, const char *code, const char *message)
{
    req->http1_is_persistent = 0;
    pgs_reply_problem(req, &(struct pgs_problem){status, code, message, NULL, NULL});
}

/*
 * h2o reads a chunk size of `0x7` as 0 and has swallowed the evidence when we are asked.  So
 * nothing that follows a body in chunks is taken for a request, and one without content is not
 * believed.
 */
static const char *
check_chunked(h2o_req_t *req)
{
    req->http1_is_persistent = 0;
    return req->entity.len > 0 ? NULL : "a body in chunks has content";
}

int
pgs__on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct pgs__worker *worker = h2o_context_get_handler_context(req->conn->ctx, handler);
    struct pgs__connection *connection = pgs__connection_of(req);
    const h2o_buffer_t *input = connection->socket->input;
    struct lease *lease = h2o_mem_alloc_shared(&req->pool, sizeof(*lease), on_request_end);
    const char *wrong;
    bool is_chunked;

    connection->n_requests++;
    lease->connection = connection;
    watch_on(connection->socket);
    (void)pgs__info_add(req, pgs__connection_client(connection));
    wrong = pgs_guard_check(input->bytes, input->size, &is_chunked);
    if (wrong == NULL && is_chunked)
        wrong = check_chunked(req);
    if (wrong != NULL)
        refuse(req, 400, "PGRST100", wrong);
    else
        worker->config->on_request(worker->state, req);
    return 0;
}
