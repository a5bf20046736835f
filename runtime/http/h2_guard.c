/* SPDX-License-Identifier: MIT */
/*
 * The wrappers.  `reading` is the connection whose input libh2o parses right now; without one, no
 * frame is taken.  h2o/http2_internal.h needs a header that Debian does not install, so what is
 * used of it is declared here, as of 2.2.5.
 */
#include "http/h2_guard.h"

#include <dlfcn.h>
#include <h2o/http2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/worker.h"

#define EXPORT __attribute__((visibility("default")))

enum {
    FRAME_DATA = 0,
    FRAME_HEADERS = 1,
    FRAME_PRIORITY = 2,
    FRAME_RST_STREAM = 3,
    FRAME_SETTINGS = 4,
    FRAME_PING = 6,
    FRAME_GOAWAY = 7,
    FRAME_WINDOW_UPDATE = 8,
    FRAME_CONTINUATION = 9,

    FLAG_END_STREAM = 1,
    FLAG_ACK = 1,
    FLAG_END_HEADERS = 4,

    CONTINUATIONS_MAX = 8,
    HEADERS_MAX = 128,
    HEADER_BYTES_MAX = 65536,
};

struct frame {
    uint32_t length;
    uint8_t type;
    uint8_t flags;
    uint32_t stream_id;
    const uint8_t *payload;
};

struct header_table;
struct stream;
struct st_h2o_cache_digests_t;

EXPORT void h2o_http2_accept(h2o_accept_ctx_t *ctx, h2o_socket_t *socket,
                             struct timeval connected_at);
EXPORT void h2o_socket_read_start(h2o_socket_t *socket, h2o_socket_cb cb);
EXPORT ssize_t h2o_http2_decode_frame(struct frame *frame, const uint8_t *src, size_t len,
                                      const h2o_http2_settings_t *settings, const char **why);
EXPORT void h2o_http2__encode_rst_stream_frame(h2o_buffer_t **buf, uint32_t stream_id, int error);
EXPORT void h2o_http2_stream_reset(h2o_conn_t *conn, struct stream *stream);
EXPORT void h2o_http2_encode_goaway_frame(h2o_buffer_t **buf, uint32_t last_stream_id, int error,
                                          h2o_iovec_t text);
EXPORT int h2o_hpack_parse_headers(h2o_req_t *req, struct header_table *table, const uint8_t *src,
                                   size_t len, int *exists, size_t *content_length,
                                   struct st_h2o_cache_digests_t **digests, const char **why);

static struct {
    __typeof__(&h2o_http2_accept) accept;
    __typeof__(&h2o_socket_read_start) read_start;
    __typeof__(&h2o_http2_decode_frame) decode_frame;
    __typeof__(&h2o_http2__encode_rst_stream_frame) encode_reset;
    __typeof__(&h2o_http2_stream_reset) reset_stream;
    __typeof__(&h2o_http2_encode_goaway_frame) encode_goaway;
    __typeof__(&h2o_hpack_parse_headers) parse_headers;
} libh2o;

static __thread struct pgs__h2_guard *reading;

/* dlsym() gives an object pointer; POSIX has it that it may be a function. */
static void
find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort(); /* another libh2o than the one that we were built for */
    memcpy(function, &found, sizeof(found));
}

__attribute__((constructor)) static void
find_libh2o(void)
{
    find(&libh2o.accept, "h2o_http2_accept");
    find(&libh2o.read_start, "h2o_socket_read_start");
    find(&libh2o.decode_frame, "h2o_http2_decode_frame");
    find(&libh2o.encode_reset, "h2o_http2__encode_rst_stream_frame");
    find(&libh2o.reset_stream, "h2o_http2_stream_reset");
    find(&libh2o.encode_goaway, "h2o_http2_encode_goaway_frame");
    find(&libh2o.parse_headers, "h2o_hpack_parse_headers");
}

static void
end_socket(h2o_socket_t *socket)
{
    (void)shutdown(h2o_socket_get_fd(socket), SHUT_RDWR);
}

/* libh2o's reader, within `reading`.  It may close the socket, which frees the guard. */
static void
on_read(h2o_socket_t *socket, const char *err)
{
    struct pgs__h2_guard *guard = &pgs__connection_of_socket(socket)->h2, *outer = reading;

    if (guard->is_dead && err == NULL) { /* whoever writes on is not listened to */
        h2o_buffer_consume(&socket->input, socket->input->size);
        end_socket(socket);
        return;
    }
    reading = guard;
    guard->on_read(socket, err);
    if (reading == guard && guard->is_dead)
        end_socket(socket); /* GOAWAY has been written */
    reading = outer;
}

void
pgs__h2_guard_forget(const struct pgs__h2_guard *guard)
{
    if (reading == guard)
        reading = NULL;
}

void
h2o_http2_accept(h2o_accept_ctx_t *ctx, h2o_socket_t *socket, struct timeval connected_at)
{
    struct pgs__connection *connection = pgs__connection_of_socket(socket);
    struct pgs__h2_guard *outer = reading;

    if (connection == NULL) { /* nobody to count its frames */
        h2o_socket_close(socket);
        return;
    }
    connection->is_h2 = true;
    pgs_gauge_add(PGS_CELL_CONNECTIONS + PGS_WAY_H1_TLS, -1);
    pgs_gauge_add(PGS_CELL_CONNECTIONS + PGS_WAY_H2_TLS, 1);
    reading = &connection->h2;
    libh2o.accept(ctx, socket, connected_at); /* parses what is there already */
    if (reading == &connection->h2 && connection->h2.is_dead)
        end_socket(socket);
    reading = outer;
}

void
h2o_socket_read_start(h2o_socket_t *socket, h2o_socket_cb cb)
{
    struct pgs__connection *connection = pgs__connection_of_socket(socket);

    libh2o.read_start(socket, cb);
    if (connection == NULL || !connection->is_h2)
        return;
    connection->h2.on_read = cb;
    socket->_cb.read = on_read;
}

/* Over a budget: the connection ends with this frame, which counts against its address. */
static void
mark_dead(struct pgs__h2_guard *guard)
{
    if (!guard->is_dead)
        pgs__connection_flooded(H2O_STRUCT_FROM_MEMBER(struct pgs__connection, h2, guard));
    guard->is_dead = true;
}

static ssize_t
kill_connection(struct pgs__h2_guard *guard, const char **why)
{
    mark_dead(guard);
    *why = "enhance your calm";
    return H2O_HTTP2_ERROR_ENHANCE_YOUR_CALM;
}

static bool
spend(struct pgs__h2_guard *guard, enum pgs__spent_on kind)
{
    return pgs__budget_spend(&guard->budget, kind, pgs_clock_ms());
}

static bool
count_continuation(struct pgs__h2_guard *guard, const struct frame *frame)
{
    bool is_empty = frame->length == 0 && (frame->flags & FLAG_END_HEADERS) == 0;

    if (++guard->continuations <= CONTINUATIONS_MAX && !is_empty)
        return true;
    pgs_limit_hit(PGS_LIMIT_H2_CONTINUATION);
    return false;
}

static bool
is_within_budget(struct pgs__h2_guard *guard, const struct frame *frame)
{
    if (frame->type == FRAME_CONTINUATION)
        return count_continuation(guard, frame);
    guard->continuations = 0;
    switch (frame->type) {
    case FRAME_DATA:
        return frame->length > 0 || (frame->flags & FLAG_END_STREAM) != 0 ||
               spend(guard, PGS_SPENT_EMPTY_DATA);
    case FRAME_HEADERS:
        return true; /* each is answered, or ends as a reset */
    case FRAME_PRIORITY:
        return spend(guard, PGS_SPENT_PRIORITY);
    case FRAME_RST_STREAM:
        return spend(guard, PGS_SPENT_RESET);
    case FRAME_SETTINGS:
        return spend(guard, PGS_SPENT_SETTINGS);
    case FRAME_PING:
        return spend(guard, PGS_SPENT_PING);
    case FRAME_GOAWAY:
        return spend(guard, PGS_SPENT_GOAWAY);
    case FRAME_WINDOW_UPDATE:
        return spend(guard, PGS_SPENT_WINDOW);
    default:
        return spend(guard, PGS_SPENT_UNKNOWN);
    }
}

/* libh2o prints a line for each frame of an unknown type: it gets an answer to a PING instead,
 * which it drops. */
static void
make_harmless(struct frame *frame)
{
    static const uint8_t nothing[8];

    if (frame->type <= FRAME_CONTINUATION)
        return;
    *frame = (struct frame){
        .length = sizeof(nothing), .type = FRAME_PING, .flags = FLAG_ACK, .payload = nothing};
}

ssize_t
h2o_http2_decode_frame(struct frame *frame, const uint8_t *src, size_t len,
                       const h2o_http2_settings_t *settings, const char **why)
{
    ssize_t used;

    if (reading == NULL)
        return H2O_HTTP2_ERROR_ENHANCE_YOUR_CALM;
    if (reading->is_dead)
        return kill_connection(reading, why);
    used = libh2o.decode_frame(frame, src, len, settings, why);
    if (used <= 0)
        return used;
    reading->frames++;
    reading->last_type = frame->type;
    if (frame->type == FRAME_HEADERS)
        reading->head = frame->stream_id;
    pgs__h2_body_look(&reading->bodies, frame->type == FRAME_DATA ? frame->stream_id : 0,
                      frame->length);
    if (!is_within_budget(reading, frame))
        return kill_connection(reading, why);
    make_harmless(frame);
    return used;
}

/* An answer that no handler gives: its connection is not idle. */
static void
count_answer(struct pgs__h2_guard *guard)
{
    H2O_STRUCT_FROM_MEMBER(struct pgs__connection, h2, guard)->idle_since_ms = pgs_clock_ms();
}

/* libh2o refuses streams for two reasons, and tells the client one. */
static bool
is_too_large(const struct pgs__h2_guard *guard, int error)
{
    return error == -H2O_HTTP2_ERROR_REFUSED_STREAM && guard->last_type == FRAME_DATA;
}

/* A stream that the client made us reset costs as much as one that it resets. */
void
h2o_http2__encode_rst_stream_frame(h2o_buffer_t **buf, uint32_t stream_id, int error)
{
    if (reading != NULL && reading->bodies.current != NULL) {
        if (pgs__h2_body_tells(&reading->bodies))
            libh2o.encode_reset(buf, stream_id, 0);
        return;
    }
    if (reading != NULL && !spend(reading, PGS_SPENT_RESET))
        mark_dead(reading);
    if (reading != NULL && is_too_large(reading, error)) {
        pgs_limit_hit(PGS_LIMIT_BODY_BYTES);
        pgs__h2_body_answer(&reading->bodies, stream_id, buf);
        count_answer(reading);
        error = 0;
    } else if (reading != NULL && error == -H2O_HTTP2_ERROR_REFUSED_STREAM) {
        pgs_limit_hit(PGS_LIMIT_H2_STREAMS);
    }
    libh2o.encode_reset(buf, stream_id, error);
}

/* What still comes of a refused body does not end its answer. */
void
h2o_http2_stream_reset(h2o_conn_t *conn, struct stream *stream)
{
    if (reading != NULL)
        reading->resets++;
    if (reading == NULL || reading->bodies.current == NULL)
        libh2o.reset_stream(conn, stream);
}

void
h2o_http2_encode_goaway_frame(h2o_buffer_t **buf, uint32_t last_stream_id, int error,
                              h2o_iovec_t text)
{
    if (reading != NULL && error != 0)
        reading->is_dead = true;
    libh2o.encode_goaway(buf, last_stream_id, error, text);
}

static bool
is_bomb(const h2o_req_t *req)
{
    size_t bytes = req->input.path.len + req->input.authority.len;

    for (size_t i = 0; i < req->headers.size; i++)
        bytes += req->headers.entries[i].name->len + req->headers.entries[i].value.len;
    return req->headers.size > HEADERS_MAX || bytes > HEADER_BYTES_MAX;
}

static bool
is_announced_too_large(const h2o_req_t *req, size_t content_length)
{
    return content_length != SIZE_MAX &&
           content_length > req->conn->ctx->globalconf->max_request_entity_size;
}

int
h2o_hpack_parse_headers(h2o_req_t *req, struct header_table *table, const uint8_t *src, size_t len,
                        int *exists, size_t *content_length,
                        struct st_h2o_cache_digests_t **digests, const char **why)
{
    bool is_trailer = req->input.method.base != NULL;
    size_t n_fields = req->headers.size;
    int result = libh2o.parse_headers(req, table, src, len, exists, content_length, digests, why);

    if (result == H2O_HTTP2_ERROR_PROTOCOL)
        pgs_limit_hit(PGS_LIMIT_MALFORMED);
    if (result != 0 && result != H2O_HTTP2_ERROR_INVALID_HEADER_CHAR)
        return result;
    if (!is_bomb(req)) {
        /* libh2o adds trailers to the head: a credential in there would have passed every proxy. */
        if (is_trailer)
            req->headers.size = n_fields;
        else if (reading != NULL && is_announced_too_large(req, *content_length)) {
            pgs__h2_body_refuse(&reading->bodies, reading->head, req);
            count_answer(reading);
            *why = pgs__h2_too_large;
            return H2O_HTTP2_ERROR_INVALID_HEADER_CHAR; /* libh2o answers, and reads no body */
        }
        return result;
    }
    pgs_limit_hit(PGS_LIMIT_H2_HEADER_BOMB);
    if (reading != NULL)
        mark_dead(reading);
    return H2O_HTTP2_ERROR_ENHANCE_YOUR_CALM;
}
