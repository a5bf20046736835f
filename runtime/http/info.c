/* SPDX-License-Identifier: MIT */
/*
 * h2o's request has no member for its user.  Its environment is a vector of names and values that
 * only CGI handlers use: ours is the first pair.
 */
#include "http/info.h"

#include <openssl/rand.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/client.h"
#include "http/reply.h"
#include "http/worker.h"

#define ID_MAX 64

static const char info_name[] = "pgs";

struct pgs_request_info *
pgs_request_info(const h2o_req_t *req)
{
    if (req->env.size < 2 || req->env.entries[0].base != info_name)
        return NULL;
    return (struct pgs_request_info *)req->env.entries[1].base;
}

/* A client's own id is kept when it is short and plain, so that its logs and ours meet. */
static bool
is_plain(h2o_iovec_t id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.base[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return id.len > 0 && id.len <= ID_MAX;
}

static void
write_hex(char *at, uint64_t n, int digits)
{
    for (; digits > 0; digits--, n >>= 4)
        at[digits - 1] = "0123456789abcdef"[n & 15];
}

/* Unique, not secret: a random start for each thread, then a count. */
static h2o_iovec_t
make_id(h2o_mem_pool_t *pool)
{
    static __thread uint64_t prefix, count;
    char text[24];

    if (prefix == 0) {
        if (RAND_bytes((unsigned char *)&prefix, sizeof(prefix)) != 1)
            prefix = (uint64_t)pgs_clock_us() ^ (uint64_t)(uintptr_t)&prefix; /* no memory */
        prefix |= 1;
    }
    count++;
    write_hex(text, prefix, 16);
    write_hex(text + 16, count, 8);
    return h2o_strdup(pool, text, sizeof(text));
}

/* Who sent one, valid or not, learns which trace and span the request has become. */
static void
begin_trace(h2o_req_t *req, struct pgs_trace *trace)
{
    static const char name[] = "traceparent";
    size_t name_len = sizeof(name) - 1;
    ssize_t at = h2o_find_header_by_str(&req->headers, name, name_len, -1);
    h2o_iovec_t given = {NULL, 0};
    char *answer;

    if (at == -1) {
        pgs_trace_begin(trace, NULL, 0);
        return;
    }
    if (h2o_find_header_by_str(&req->headers, name, name_len, at) == -1)
        given = req->headers.entries[at].value;
    pgs_trace_begin(trace, given.base, given.len);
    answer = h2o_mem_alloc_pool(&req->pool, PGS_TRACE_LEN);
    pgs_trace_write(trace, answer);
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, name_len, 0, NULL, answer,
                          PGS_TRACE_LEN);
}

/* The address as text, which the connection may have already. */
static const char *
address_text(h2o_req_t *req, const struct pgs_address *address)
{
    struct pgs__connection *connection = pgs__connection_of(req);
    char *text;

    if (memcmp(address, &connection->peer, sizeof(*address)) == 0)
        return connection->peer_text;
    text = h2o_mem_alloc_pool(&req->pool, PGS_ADDRESS_TEXT);
    pgs_address_write(address, text);
    return text;
}

struct pgs_request_info *
pgs__info_add(h2o_req_t *req)
{
    struct pgs_address address = pgs__client_address(req);
    struct pgs_request_info *info = h2o_mem_alloc_pool(&req->pool, sizeof(*info));
    h2o_iovec_t id = pgs_request_header(req, "x-request-id");

    id = is_plain(id) ? h2o_strdup(&req->pool, id.base, id.len) : make_id(&req->pool);
    *info = (struct pgs_request_info){.id = id.base,
                                      .client = address_text(req, &address),
                                      .start_us = pgs_clock_us(),
                                      .address = address,
                                      .is_secure = pgs__client_is_secure(req)};
    begin_trace(req, &info->trace);
    h2o_vector_reserve(&req->pool, &req->env, 2);
    req->env.size = 2;
    req->env.entries[0] = h2o_iovec_init(info_name, sizeof(info_name) - 1);
    req->env.entries[1] = h2o_iovec_init(info, sizeof(*info));
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("x-request-id"), 0, NULL,
                          id.base, id.len);
    return info;
}
