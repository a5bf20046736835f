/* SPDX-License-Identifier: MIT */
#include "live/url.h"

#include <string.h>

#include "base/text.h"
#include "codec/json_write.h"
#include "live/message.h"
#include "codec/url_decode.h"
#include "http/reply.h"

/* Where a value goes; NULL: there is no such name, or it came before. */
static struct pgs_text *
find_place(struct pgs__live_url *url, struct pgs_text name, const char **why)
{
    struct pgs_text *place = NULL;

    *why = "the URL may have token, apikey, query, params and subscribe";
    if (pgs_text_is(name, "token"))
        place = &url->token;
    else if (pgs_text_is(name, "apikey"))
        place = &url->apikey;
    else if (pgs_text_is(name, "query"))
        place = &url->query;
    else if (pgs_text_is(name, "params"))
        place = &url->params;
    else if (pgs_text_is(name, "subscribe") && url->n_subscribe < PGS_LIVE_MAX_SUBSCRIPTIONS)
        return &url->subscribe[url->n_subscribe++];
    if (place == NULL || place->at == NULL)
        return place;
    *why = "a name is given twice in the URL";
    return NULL;
}

static bool
read_pair(struct pgs__live_url *url, const char *at, const char *end, char *to, const char **why)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    struct pgs_text name, *place;

    if (equals == NULL) {
        *why = "expected name=value in the URL";
        return false;
    }
    *why = pgs_url_decode(at, equals, to, &name);
    if (*why != NULL || (place = find_place(url, name, why)) == NULL)
        return false;
    *why = pgs_url_decode(equals + 1, end, to + name.len, place);
    return *why == NULL;
}

bool
pgs__live_url_read(h2o_req_t *req, struct pgs__live_url *url, const char **why)
{
    const char *at, *end;
    char *decoded;

    memset(url, 0, sizeof(*url));
    if (req->query_at == SIZE_MAX)
        return true;
    at = req->path.base + req->query_at + 1;
    end = req->path.base + req->path.len;
    decoded = h2o_mem_alloc_pool(&req->pool, (size_t)(end - at) + 1);
    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));

        if (stop == NULL)
            stop = end;
        if (stop > at && !read_pair(url, at, stop, decoded, why))
            return false;
        decoded += stop - at;
        at = stop + 1;
    }
    return true;
}

/* "pgstack.live.v1, bearer.TOKEN": what a browser can say in place of a header. */
static h2o_iovec_t
offered_token(h2o_iovec_t offered)
{
    size_t at = offered.base != NULL ? h2o_strstr(offered.base, offered.len, H2O_STRLIT("bearer."))
                                     : SIZE_MAX;
    h2o_iovec_t token;

    if (at == SIZE_MAX)
        return h2o_iovec_init(NULL, 0);
    token = h2o_iovec_init(offered.base + at + 7, offered.len - at - 7);
    for (size_t i = 0; i < token.len; i++)
        if (token.base[i] == ',' || token.base[i] == ' ')
            token.len = i;
    return token;
}

h2o_iovec_t
pgs__live_credential(const h2o_req_t *req, const struct pgs__live_url *url)
{
    h2o_iovec_t bearer = pgs_request_header(req, "authorization"), other;

    if (bearer.base != NULL) /* what is no bearer token is a bad one */
        return bearer.len > 7 && h2o_lcstris(bearer.base, 7, H2O_STRLIT("bearer "))
                   ? h2o_iovec_init(bearer.base + 7, bearer.len - 7)
                   : h2o_iovec_init("", 0);
    other = offered_token(pgs_request_header(req, "sec-websocket-protocol"));
    if (other.base != NULL)
        return other;
    if (url->token.at != NULL)
        return h2o_iovec_init(url->token.at, url->token.len);
    other = pgs_request_header(req, "apikey");
    return other.base != NULL ? other : h2o_iovec_init(url->apikey.at, url->apikey.len);
}

/* Nothing that the URL says may be a member of the message itself. */
static bool
is_one_object(const struct pgs_buf *message, struct pgs_text params)
{
    struct pgs__message read;
    const char *why;
    h2o_mem_pool_t pool;
    bool is_one;

    h2o_mem_init_pool(&pool);
    is_one = pgs__message_read("subscribe", message->at, message->len, pgs__live_memory(&pool),
                               &read, &why) &&
             read.params.len == params.len;
    h2o_mem_clear_pool(&pool);
    return is_one;
}

void
pgs__live_url_subscribe(struct pgs__session *session, const struct pgs__live_url *url)
{
    struct pgs_text params = url->params.at != NULL ? url->params : pgs_text_of("{}");
    struct pgs_buf message;

    pgs_buf_init(&message, 0);
    pgs_buf_add_str(&message, "{\"id\":");
    pgs_json_string(&message, url->query.at, url->query.len);
    pgs_buf_add_str(&message, ",\"query\":");
    pgs_json_string(&message, url->query.at, url->query.len);
    pgs_buf_add_str(&message, ",\"params\":");
    pgs_buf_add(&message, params.at, params.len);
    pgs_buf_add_char(&message, '}');
    if (message.failed || !is_one_object(&message, params))
        pgs__session_fail(session, NULL, "bad_params", "\"params\" must be a JSON object");
    else
        pgs__session_receive(session, "subscribe", message.at, message.len);
    pgs_buf_clear(&message);
}
