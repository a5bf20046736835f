/* SPDX-License-Identifier: MIT */
#include "demo.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "http/info.h"
#include "http/reply.h"

static const char root[] = "/demo";

/* A page gets nothing from elsewhere, runs nothing that is not a file of its own, and is in no
 * frame. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
                             "img-src 'self'; connect-src 'self'; base-uri 'none'; "
                             "form-action 'none'; frame-ancestors 'none'";

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

/* NULL: no such file is served. */
static const char *
type_of(const char *name, size_t len)
{
    for (size_t i = 0; i < PGS_COUNT(types); i++) {
        size_t n = strlen(types[i].ending);

        if (len > n && memcmp(name + len - n, types[i].ending, n) == 0)
            return types[i].type;
    }
    return NULL;
}

/* Letters, digits, `-` and `_`; a dot or a slash only behind one of these. */
static bool
is_plain_path(const char *name, size_t len)
{
    bool may_break = false;

    for (size_t i = 0; i < len; i++) {
        bool is_break = name[i] == '.' || name[i] == '/';

        if (is_break ? !may_break
                     : !isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
            return false;
        may_break = !is_break;
    }
    return len > 0;
}

static void
add_headers(h2o_req_t *req)
{
    pgs_reply_header(req, "content-security-policy", policy, sizeof(policy) - 1);
    pgs_reply_header(req, "referrer-policy", "no-referrer", 11);
    pgs_reply_header(req, "x-content-type-options", "nosniff", 7);
    pgs_reply_header(req, "cache-control", "no-store", 8);
}

/* False: there is no such file. */
static bool
send_file(const char *folder, h2o_req_t *req, h2o_iovec_t name)
{
    const char *type = is_plain_path(name.base, name.len) ? type_of(name.base, name.len) : NULL;
    size_t room = strlen(folder) + name.len + 2;
    char *path;

    if (type == NULL)
        return false;
    path = h2o_mem_alloc_pool(&req->pool, room);
    (void)snprintf(path, room, "%s/%.*s", folder, (int)name.len, name.base);
    if (access(path, R_OK) != 0)
        return false;
    h2o_filecache_clear(req->conn->ctx->filecache); /* pages change while they are shown */
    add_headers(req);
    return h2o_file_send(req, 200, "OK", path, h2o_iovec_init(type, strlen(type)), 0) == 0;
}

/* Links in a page are relative: they need the slash. */
static void
send_to_slash(h2o_req_t *req)
{
    pgs_reply_header(req, "location", "/demo/", 6);
    pgs_reply_empty(req, 308);
}

bool
pgs_demo_on_request(const char *folder, h2o_req_t *req)
{
    size_t root_len = sizeof(root) - 1;
    h2o_iovec_t name = req->path_normalized;

    if (folder == NULL || name.len < root_len || memcmp(name.base, root, root_len) != 0 ||
        (name.len > root_len && name.base[root_len] != '/'))
        return false;
    pgs_request_info(req)->route = root;
    if (!h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET"))) {
        pgs_reply_header(req, "allow", "GET", 3);
        pgs_reply_empty(req, 405);
        return true;
    }
    if (name.len == root_len) {
        send_to_slash(req);
        return true;
    }
    name = h2o_iovec_init(name.base + root_len + 1, name.len - root_len - 1);
    if (!send_file(folder, req, name.len > 0 ? name : h2o_iovec_init(H2O_STRLIT("index.html"))))
        pgs_reply_problem(
            req, &(struct pgs_problem){404, "PGRST205", "There is no such page", NULL, NULL});
    return true;
}
