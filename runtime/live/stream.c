/* SPDX-License-Identifier: MIT */
/*
 * Server-Sent Events (HTML Living Standard, section 9.2), over HTTP/1.1 and HTTP/2: the frames of
 * the WebSocket, one an event.  What is wanted stands in the URL; there is no way back but the next
 * request.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/cors.h"
#include "http/gone.h"
#include "http/info.h"
#include "http/reply.h"
#include "live/url.h"

#define HEARTBEAT_MS 10000 /* proxies end what is silent */

struct stream {
    h2o_generator_t generator;
    struct pgs__session *session;
    h2o_req_t *req;
    struct pgs_buf waiting; /* to be sent */
    struct pgs_buf leaving; /* h2o's until it asks for more */
    bool is_busy, is_ending;
    int64_t said_ms;
    h2o_timeout_entry_t flush;
};

/* ---- out ---- */

static void
free_stream(struct stream *stream)
{
    if (h2o_timeout_is_linked(&stream->flush))
        h2o_timeout_unlink(&stream->flush);
    if (stream->session != NULL)
        pgs__session_close(stream->session, true);
    pgs_buf_clear(&stream->waiting);
    pgs_buf_clear(&stream->leaving);
    free(stream);
}

static void
proceed(struct stream *stream)
{
    h2o_iovec_t bytes;
    struct pgs_buf empty = stream->leaving;

    if (stream->is_busy || (stream->waiting.len == 0 && !stream->is_ending))
        return;
    empty.len = 0;
    stream->leaving = stream->waiting;
    stream->waiting = empty;
    bytes = h2o_iovec_init(stream->leaving.at, stream->leaving.len);
    pgs_request_info(stream->req)->is_resting = false;
    stream->is_busy = true;
    stream->said_ms = pgs_clock_ms();
    h2o_send(stream->req, &bytes, bytes.len > 0,
             stream->is_ending ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

static void
on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct stream *stream = H2O_STRUCT_FROM_MEMBER(struct stream, generator, generator);

    stream->is_busy = false;
    pgs_request_info(req)->is_resting = true;
    proceed(stream);
}

static void
on_flush(h2o_timeout_entry_t *entry)
{
    proceed(H2O_STRUCT_FROM_MEMBER(struct stream, flush, entry));
}

static void
flush_later(struct stream *stream)
{
    if (!stream->is_busy && !h2o_timeout_is_linked(&stream->flush))
        h2o_timeout_link(stream->session->thread->loop, &stream->session->thread->now_timeout,
                         &stream->flush);
}

/* "GEN.N", which a client that comes back names in Last-Event-ID. */
static void
write_event_id(const struct pgs__session *session, struct pgs_buf *out)
{
    pgs_buf_add_str(out, "id: ");
    pgs_buf_add_int(out, (int64_t)session->gen);
    pgs_buf_add_char(out, '.');
    pgs_buf_add_int(out, (int64_t)session->n_frames);
}

/* What is not of ours is of no use, and a fresh snapshot the answer. */
static void
read_event_id(const h2o_req_t *req, struct pgs__mark *mark)
{
    h2o_iovec_t id = pgs_request_header(req, "last-event-id");
    size_t dot = id.base != NULL ? h2o_strstr(id.base, id.len, H2O_STRLIT(".")) : SIZE_MAX;
    size_t gen, event;

    if (dot == SIZE_MAX)
        return;
    gen = h2o_strtosize(id.base, dot);
    event = h2o_strtosize(id.base + dot + 1, id.len - dot - 1);
    mark->gen = gen != SIZE_MAX ? gen : 1;
    mark->event = event != SIZE_MAX ? event : 0;
}

static void
send_frame(void *at, const struct pgs_buf *frame)
{
    struct stream *stream = at;

    write_event_id(stream->session, &stream->waiting);
    pgs_buf_add_str(&stream->waiting, "\ndata: ");
    pgs_buf_add(&stream->waiting, frame->at, frame->len);
    pgs_buf_add_str(&stream->waiting, "\n\n");
    if (frame->failed || stream->waiting.failed)
        stream->is_ending = stream->session->is_ending = true;
    flush_later(stream);
}

static size_t
queued_bytes(void *at)
{
    const struct stream *stream = at;

    return stream->waiting.len + (stream->is_busy ? stream->leaving.len : 0);
}

static void
end(void *at, int code, const char *reason)
{
    struct stream *stream = at;

    (void)code;
    (void)reason;
    stream->is_ending = stream->session->is_ending = true;
    flush_later(stream);
}

static void
heartbeat(void *at)
{
    struct stream *stream = at;

    if (!stream->is_ending && pgs_client_has_left(stream->req))
        end(stream, 0, "");
    if (pgs_clock_ms() - stream->said_ms < HEARTBEAT_MS || stream->is_busy)
        return;
    pgs_buf_add_str(&stream->waiting, ":\n\n");
    flush_later(stream);
}

static const struct pgs__transport transport = {send_frame, queued_bytes, end, heartbeat};

/* ---- the request ---- */

static void
refuse(h2o_req_t *req, int status, const char *code, const char *message)
{
    pgs_reply_problem(req, &(struct pgs_problem){status, code, message, NULL, NULL});
}

/* A cell of the request's pool, freed with it: the client has gone, or all was sent. */
static void
on_request_end(void *cell)
{
    free_stream(*(struct stream **)cell);
}

static struct stream *
make_stream(h2o_req_t *req)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    struct stream **cell;

    if (stream == NULL)
        return NULL;
    stream->req = req;
    stream->generator.proceed = on_proceed;
    stream->flush.cb = on_flush;
    stream->said_ms = pgs_clock_ms();
    pgs_buf_init(&stream->waiting, 0);
    pgs_buf_init(&stream->leaving, 0);
    cell = h2o_mem_alloc_shared(&req->pool, sizeof(struct stream *), on_request_end);
    *cell = stream;
    return stream;
}

static void
start_response(struct stream *stream)
{
    h2o_req_t *req = stream->req;

    req->res.status = 200;
    req->res.reason = "OK";
    req->compress_hint = H2O_COMPRESS_HINT_DISABLE;
    pgs_reply_header(req, "content-type", "text/event-stream", 17);
    pgs_reply_header(req, "cache-control", "no-store", 8);
    pgs_reply_header(req, "x-accel-buffering", "no", 2);
    h2o_start_response(req, &stream->generator);
    pgs_buf_add_str(&stream->waiting, ":\n\n"); /* the head leaves with it */
    flush_later(stream);
}

static void
subscribe_all(struct pgs__session *session, const struct pgs__live_url *url)
{
    if (url->query.at != NULL)
        pgs__live_url_subscribe(session, url);
    for (size_t i = 0; i < url->n_subscribe; i++)
        pgs__session_receive(session, "subscribe", url->subscribe[i].at, url->subscribe[i].len);
}

/* What a page of another origin asks before it sends its token. */
static void
answer_preflight(h2o_req_t *req, const struct pgs_cors *cors)
{
    static const struct pgs_route get = {.method = PGS_GET};
    static const struct pgs_path path = {.by_method = {[PGS_GET] = &get}};

    pgs_cors_options(req, &path, cors);
}

static const struct pgs_problem not_signed_in = {
    403, "42501", "Live queries are for users who have signed in", NULL, NULL};

/* Nothing is streamed to it. */
static void
turn_away(struct stream *stream, const struct pgs_problem *problem)
{
    pgs__session_close(stream->session, false);
    stream->session = NULL;
    pgs_reply_problem(stream->req, problem);
}

void
pgs__stream_accept(struct pgs_live_thread *thread, h2o_req_t *req)
{
    struct pgs__live_url url;
    struct stream *stream;
    const char *why = NULL;

    if (h2o_memis(req->method.base, req->method.len, H2O_STRLIT("OPTIONS"))) {
        answer_preflight(req, thread->config.app->cors);
        return;
    }
    pgs_cors_apply(req, thread->config.app->cors);
    if (!h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET"))) {
        refuse(req, 405, "PGRST117", "A stream is asked for with GET");
    } else if (!pgs__live_url_read(req, &url, &why)) {
        refuse(req, 400, "PGRST100", why);
    } else if (url.query.at == NULL && url.n_subscribe == 0) {
        refuse(req, 400, "PGRST100", "say what to follow: ?query=NAME&params={...}");
    } else if ((stream = make_stream(req)) == NULL) {
        refuse(req, 503, "PGRST003", "Out of memory");
    } else if ((stream->session = pgs__session_open(
                    thread, &transport, stream, pgs__live_credential(req, &url), &why)) == NULL) {
        refuse(req, 401, "PGRST301", why);
    } else if (!pgs__session_is_admitted(stream->session)) {
        turn_away(stream, &not_signed_in);
    } else if (pgs__thread_problem(thread) != NULL) {
        turn_away(stream, pgs__thread_problem(thread));
    } else {
        pgs_request_info(req)->role = thread->config.app->roles[stream->session->who.role].name;
        read_event_id(req, &stream->session->mark);
        start_response(stream);
        subscribe_all(stream->session, &url);
    }
}
