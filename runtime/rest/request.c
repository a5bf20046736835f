/* SPDX-License-Identifier: MIT */
/*
 * The way of a request: path, CORS, who is asking, what is wanted, handler.  Each step answers by
 * itself when it refuses.
 */
#include "rest/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/cors.h"
#include "http/info.h"

static void *
pool_alloc(void *pool, size_t size)
{
    return h2o_mem_alloc_pool(pool, size);
}

/* A cell of the request's pool whose end tells us that the client, or the answer, has gone. */
struct lease {
    struct pgs_request *rq;
};

static void
on_request_end(void *cell)
{
    struct pgs_request *rq = ((struct lease *)cell)->rq;

    if (rq->txn != NULL)
        pgs_txn_detach(rq->txn);
    for (size_t i = 0; i < rq->n_statements; i++)
        pgs__sql_clear(&rq->statements[i]);
}

static struct pgs_request *
new_request(struct pgs_thread *thread, h2o_req_t *req)
{
    struct pgs_request *rq = h2o_mem_alloc_pool(&req->pool, sizeof(*rq));
    struct lease *lease = h2o_mem_alloc_shared(&req->pool, sizeof(*lease), on_request_end);

    memset(rq, 0, sizeof(*rq));
    rq->req = req;
    rq->thread = thread;
    rq->memory = (struct pgs_memory){pool_alloc, &req->pool};
    rq->limit = -1;
    lease->rq = rq;
    return rq;
}

void
pgs__fail(struct pgs_request *rq, int status, const char *code, const char *details,
          const char *hint, const char *format, ...)
{
    char message[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    pgs_reply_problem(rq->req, &(struct pgs_problem){status, code, message, details, hint});
}

void
pgs__fail_denied(struct pgs_request *rq, const char *relation)
{
    pgs__fail(rq, rq->who.role == 0 ? 401 : 403, "42501", NULL, NULL,
              "permission denied for table %s", relation);
}

static bool
read_method(const h2o_req_t *req, enum pgs_method *method)
{
    static const struct {
        const char *word;
        enum pgs_method method;
    } methods[] = {{"GET", PGS_GET},
                   {"HEAD", PGS_GET},
                   {"POST", PGS_POST},
                   {"PATCH", PGS_PATCH},
                   {"DELETE", PGS_DELETE}};

    for (size_t i = 0; i < PGS_COUNT(methods); i++)
        if (h2o_memis(req->method.base, req->method.len, methods[i].word,
                      strlen(methods[i].word))) {
            *method = methods[i].method;
            return true;
        }
    return false;
}

static const struct pgs_cors *
path_cors(const struct pgs_thread *thread, const struct pgs_path *path)
{
    for (int i = 0; i < PGS_METHODS; i++)
        if (path->by_method[i] != NULL)
            return path->by_method[i]->cors;
    return thread->app->cors;
}

static void
refuse_method(struct pgs_request *rq, const struct pgs_path *path)
{
    static const char *const words[PGS_METHODS] = {"GET, HEAD, ", "POST, ", "PATCH, ", "DELETE, "};
    char allow[64] = "";

    for (int i = 0; i < PGS_METHODS; i++)
        if (path->by_method[i] != NULL)
            strcat(allow, words[i]); /* all of them fit */
    strcat(allow, "OPTIONS");
    pgs_reply_header(rq->req, "allow", allow, strlen(allow));
    pgs__fail(rq, 405, "PGRST117", NULL, NULL, "Unsupported HTTP method: %.*s",
              (int)rq->req->method.len, rq->req->method.base);
}

/* The route, or NULL after 404, 405 or an answer to OPTIONS. */
static const struct pgs_route *
find_route(struct pgs_request *rq)
{
    h2o_req_t *req = rq->req;
    const struct pgs_path *path =
        pgs_router_find(rq->thread->router, req->path_normalized.base, req->path_normalized.len);
    const struct pgs_cors *cors =
        path != NULL ? path_cors(rq->thread, path) : rq->thread->app->cors;
    bool is_options = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("OPTIONS"));
    enum pgs_method method;

    if (path != NULL && is_options) {
        pgs_cors_options(req, path, cors);
        return NULL;
    }
    pgs_cors_apply(req, cors);
    if (path == NULL) {
        pgs__fail(rq, 404, "PGRST205", NULL, NULL, "Could not find the path '%.*s'",
                  (int)(req->path_normalized.len < 200 ? req->path_normalized.len : 200),
                  req->path_normalized.base);
        return NULL;
    }
    if (!read_method(req, &method) || path->by_method[method] == NULL) {
        refuse_method(rq, path);
        return NULL;
    }
    return path->by_method[method];
}

static bool
read_accept(struct pgs_request *rq)
{
    h2o_iovec_t accept = pgs_request_header(rq->req, "accept");
    enum pgs_accept wanted =
        accept.base != NULL ? pgs_accept_read(accept.base, accept.len) : PGS_ACCEPT_JSON;

    if (wanted == PGS_ACCEPT_NONE) {
        pgs__fail(rq, 406, "PGRST107", NULL, NULL, "None of these media types are available: %.*s",
                  (int)(accept.len < 200 ? accept.len : 200), accept.base);
        return false;
    }
    rq->single = wanted == PGS_ACCEPT_OBJECT;
    return true;
}

static bool
read_prefer(struct pgs_request *rq)
{
    ssize_t at = -1;

    while ((at = h2o_find_header_by_str(&rq->req->headers, H2O_STRLIT("prefer"), at)) != -1)
        pgs_prefer_read(rq->req->headers.entries[at].value.base,
                        rq->req->headers.entries[at].value.len, &rq->prefer);
    if (!rq->prefer.strict || rq->prefer.unknown == NULL)
        return true;
    pgs__fail(
        rq, 400, "PGRST122", NULL, NULL, "Invalid preferences given with handling=strict: %.*s",
        (int)(rq->prefer.unknown_len < 200 ? rq->prefer.unknown_len : 200), rq->prefer.unknown);
    return false;
}

static bool
read_query(struct pgs_request *rq, bool is_call)
{
    const h2o_req_t *req = rq->req;
    struct pgs_read_error error = {0};
    const char *text = "";
    size_t len = 0;

    if (req->query_at != SIZE_MAX) {
        text = req->path.base + req->query_at + 1;
        len = req->path.len - req->query_at - 1;
    }
    if (pgs_query_string_read(text, len, is_call, rq->memory, &rq->query, &error))
        return true;
    pgs__fail(rq, 400, error.code, error.field[0] != '\0' ? error.field : NULL, NULL, "%s",
              error.message);
    return false;
}

/* Range counts within what limit= and offset= leave, as PostgREST's do. */
static void
read_page(struct pgs_request *rq)
{
    h2o_iovec_t range = pgs_request_header(rq->req, "range");
    int64_t first, last;

    rq->limit = rq->query.limit;
    rq->offset = rq->query.offset;
    if (range.base == NULL || rq->route->method != PGS_GET ||
        !pgs_range_read(range.base, range.len, &first, &last))
        return;
    rq->offset += first;
    if (rq->limit >= 0)
        rq->limit = rq->limit > first ? rq->limit - first : 0;
    if (last >= 0 && (rq->limit < 0 || last - first + 1 < rq->limit))
        rq->limit = last - first + 1;
}

static bool
authenticate(struct pgs_request *rq)
{
    const char *why = NULL;

    if (pgs_authenticate(rq->thread->authn, rq->req, &rq->who, &why)) {
        pgs_request_info(rq->req)->role = rq->thread->app->roles[rq->who.role].name;
        return true;
    }
    pgs__fail(rq, 401, "PGRST301", NULL, NULL, "%s", why);
    return false;
}

static const char *
last_segment(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

void
pgs_rest_on_request(struct pgs_thread *thread, h2o_req_t *req)
{
    struct pgs_request *rq = new_request(thread, req);
    bool is_call;

    rq->route = find_route(rq);
    if (rq->route == NULL || !authenticate(rq))
        return;
    if ((rq->route->roles >> rq->who.role & 1) == 0) {
        pgs__fail_denied(rq, last_segment(rq->route->path));
        return;
    }
    is_call = strncmp(rq->route->path, "/rest/v1/rpc/", strlen("/rest/v1/rpc/")) == 0;
    if (!read_accept(rq) || !read_prefer(rq) || !read_query(rq, is_call))
        return;
    read_page(rq);
    rq->route->handle(rq);
}
