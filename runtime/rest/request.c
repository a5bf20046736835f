/* SPDX-License-Identifier: MIT */
/*
 * The way of a request: CORS, who is asking, path, what is wanted, handler.  Each step answers by
 * itself when it refuses.
 */
#include "rest/request.h"

#include "base/clock.h"
#include "base/limit.h"
#include "http/cors.h"
#include "http/info.h"
#include "rest/fail.h"
#include "rest/rates.h"

static const char calls_path[] = "/rest/v1/rpc/";

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

    pgs__forsake(rq);
    for (int i = 0; i < rq->n_statements; i++)
        pgs__sql_clear(&rq->statements[i]);
    h2o_mem_clear_pool(&rq->scratch_pool);
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
    h2o_mem_init_pool(&rq->scratch_pool);
    rq->scratch = (struct pgs_memory){pool_alloc, &rq->scratch_pool};
    lease->rq = rq;
    return rq;
}

static bool
is_method(const h2o_req_t *req, const char *word)
{
    return h2o_memis(req->method.base, req->method.len, word, strlen(word));
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

    for (size_t i = 0; i < PGS_COUNT(methods); i++) {
        if (!is_method(req, methods[i].word))
            continue;
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
fail_method(struct pgs_request *rq, const struct pgs_path *path)
{
    char allow[PGS_PATH_METHODS_MAX];

    pgs_path_methods(path, allow);
    pgs_reply_header(rq->req, "allow", allow, strlen(allow));
    pgs__fail(rq, 405, "PGRST117", NULL, NULL, "Unsupported HTTP method: %.*s",
              (int)rq->req->method.len, rq->req->method.base);
}

static void
fail_path(struct pgs_request *rq)
{
    h2o_iovec_t path = rq->req->path_normalized;
    bool is_call =
        path.len > strlen(calls_path) && memcmp(path.base, calls_path, strlen(calls_path)) == 0;

    pgs__fail(rq, 404, is_call ? "PGRST202" : "PGRST205", NULL, NULL,
              "Could not find the %s '%.*s'", is_call ? "function" : "path",
              (int)(path.len < 200 ? path.len : 200), path.base);
}

static const struct pgs_route *
route_of(const struct pgs_request *rq, const struct pgs_path *path)
{
    enum pgs_method method;

    return path != NULL && read_method(rq->req, &method) ? path->by_method[method] : NULL;
}

/* False: answered. */
static bool
check_route(struct pgs_request *rq, const struct pgs_path *path)
{
    if (path == NULL) {
        fail_path(rq);
        return false;
    }
    if (rq->route == NULL) {
        fail_method(rq, path);
        return false;
    }
    if ((rq->route->roles >> rq->who.role & 1) != 0)
        return true;
    pgs__fail_denied(rq);
    return false;
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
may_see_timing(const struct pgs_request *rq)
{
    enum pgs_timing timing = rq->thread->timing;

    return timing == PGS_TIMING_ALL || (timing == PGS_TIMING_SERVICE && rq->who.is_service);
}

static void
begin_timing(struct pgs_request_info *info)
{
    int64_t took_us = pgs_clock_us() - info->start_us;

    info->auth_us = took_us > 0 ? took_us : 1;
}

static bool
authenticate(struct pgs_request *rq)
{
    const char *why = NULL;

    if (pgs_authenticate(rq->thread->authn, rq->req, &rq->who, &why)) {
        pgs_request_info(rq->req)->role = rq->thread->app->roles[rq->who.role].name;
        if (may_see_timing(rq))
            begin_timing(pgs_request_info(rq->req));
        return true;
    }
    if (pgs__rates_admit(rq, rq->route, false))
        pgs__fail(rq, 401, "PGRST301", NULL, NULL, "%s", why);
    return false;
}

static bool
is_schema(h2o_iovec_t asked, const char *name)
{
    return name != NULL && h2o_memis(asked.base, asked.len, name, strlen(name));
}

/* supabase-js names "public" unless it is told `.schema(name)`: that is as good as nothing. */
static bool
check_profile(struct pgs_request *rq)
{
    const char *header = rq->route->method == PGS_GET ? "accept-profile" : "content-profile";
    const char *own = rq->route->schema;
    h2o_iovec_t asked = pgs_request_header(rq->req, header);

    if (asked.base == NULL || is_schema(asked, "public") || is_schema(asked, own))
        return true;
    pgs__fail(rq, 406, "PGRST106", NULL, NULL,
              "The schema must be one of the following: public%s%s", own != NULL ? ", " : "",
              own != NULL ? own : "");
    return false;
}

/* It has come whole: until now MAX_BODY_BYTES has bounded it. */
static bool
check_body(struct pgs_request *rq)
{
    uint32_t max = rq->route->max_body;

    if (max == 0 || rq->req->entity.len <= max)
        return true;
    pgs_limit_hit(PGS_LIMIT_ROUTE_BODY);
    pgs__fail(rq, 413, "PGRST102", NULL, NULL, "Request body is too large: %u bytes at most here",
              (unsigned)max);
    return false;
}

/* The query of a call is read when its arguments are known: pgs_read_arguments. */
static bool
read_wishes(struct pgs_request *rq)
{
    bool is_call = strncmp(rq->route->path, calls_path, strlen(calls_path)) == 0;

    return read_accept(rq) && read_prefer(rq) && (is_call || pgs__read_query(rq, NULL));
}

void
pgs_rest_on_request(struct pgs_thread *thread, h2o_req_t *req)
{
    struct pgs_request *rq = new_request(thread, req);
    const struct pgs_path *path =
        pgs_router_find(thread->router, req->path_normalized.base, req->path_normalized.len);
    const struct pgs_cors *cors = path != NULL ? path_cors(thread, path) : thread->app->cors;

    if (path != NULL)
        pgs_request_info(req)->route = path->name;
    if (path != NULL && is_method(req, "OPTIONS")) {
        pgs_cors_options(req, path, cors);
        return;
    }
    pgs_cors_apply(req, cors);
    rq->route = route_of(rq, path);
    if (authenticate(rq) && pgs__rates_admit(rq, rq->route, true) && check_route(rq, path) &&
        check_profile(rq) && check_body(rq) && read_wishes(rq))
        rq->route->handle(rq);
}
