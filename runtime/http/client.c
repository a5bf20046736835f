/* SPDX-License-Identifier: MIT */
/*
 * Forwarded (RFC 7239) is not read: a proxy that knows only X-Forwarded-For passes it on as its
 * client wrote it.
 */
#include "http/client.h"

#include "codec/forwarded.h"
#include "http/guard.h"
#include "http/reply.h"
#include "http/worker.h"

struct pgs_address
pgs__client_address(const h2o_req_t *req)
{
    const struct pgs__connection *connection = pgs__connection_of(req);
    struct pgs_text values[PGS_MAX_HEADERS];
    ssize_t at = -1;
    size_t n = 0;

    if (!connection->is_proxy)
        return connection->peer;
    while (n < PGS_MAX_HEADERS &&
           (at = h2o_find_header(&req->headers, H2O_TOKEN_X_FORWARDED_FOR, at)) != -1) {
        h2o_iovec_t value = req->headers.entries[at].value;

        values[n++] = (struct pgs_text){value.base, value.len};
    }
    return pgs_forwarded_client(
        connection->peer, pgs__addresses_trusted(connection->worker->config->addresses), values, n);
}

/* The proxy's own word is the last of the list. */
static bool
is_https(h2o_iovec_t list)
{
    static const char https[] = "https";
    const size_t len = sizeof(https) - 1;
    size_t before;

    if (list.len < len || !h2o_lcstris(list.base + list.len - len, len, https, len))
        return false;
    before = list.len - len;
    return before == 0 || list.base[before - 1] == ',' || list.base[before - 1] == ' ';
}

bool
pgs__client_is_secure(const h2o_req_t *req)
{
    const struct pgs__connection *connection = pgs__connection_of(req);
    ssize_t at = -1, last = -1;

    if (connection->socket->ssl != NULL)
        return true;
    if (!connection->is_proxy)
        return false;
    while ((at = h2o_find_header_by_str(&req->headers, H2O_STRLIT("x-forwarded-proto"), at)) != -1)
        last = at;
    return last != -1 && is_https(req->headers.entries[last].value);
}
