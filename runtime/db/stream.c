/* SPDX-License-Identifier: MIT */
/*
 * libpq's TLS object brings libpq's way to the socket, which never raises SIGPIPE.
 */
#include "db/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROOM 16384     /* for one read */
#define KEEP 65536     /* no more of either buffer is kept when it is empty */
#define TURN (1 << 20) /* of input, before others have their turn */

bool
pgs__stream_open(struct pgs__stream *stream, PGconn *pg, const char **why)
{
    *stream = (struct pgs__stream){.fd = PQsocket(pg), .ssl = PQsslStruct(pg, "OpenSSL")};
    pgs_buf_init(&stream->out, 0);
    *why = "it is encrypted by GSSAPI: set gssencmode=disable";
    if (PQgssEncInUse(pg) != 0)
        return false;
    *why = "its TLS is not OpenSSL's";
    if (PQsslInUse(pg) != 0 && stream->ssl == NULL)
        return false;
    if (stream->ssl != NULL)
        (void)SSL_set_mode(stream->ssl,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return true;
}

void
pgs__stream_close(struct pgs__stream *stream)
{
    pgs_buf_clear(&stream->out);
    free(stream->in);
    *stream = (struct pgs__stream){.fd = -1};
}

/* ---- one call of the system ---- */

static enum pgs__stream_state
system_fault(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return PGS__STREAM_WAITS;
    return errno == ECONNRESET || errno == EPIPE ? PGS__STREAM_ENDED : PGS__STREAM_FAILED;
}

static enum pgs__stream_state
tls_fault(SSL *ssl, int returned)
{
    switch (SSL_get_error(ssl, returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return PGS__STREAM_WAITS;
    case SSL_ERROR_ZERO_RETURN:
        return PGS__STREAM_ENDED;
    case SSL_ERROR_SYSCALL:
        return errno != 0 ? system_fault() : PGS__STREAM_ENDED;
    default:
        errno = 0;
        return PGS__STREAM_FAILED;
    }
}

/* `*n` bytes went or came; PGS__STREAM_OK: at least one. */
static enum pgs__stream_state
write_some(struct pgs__stream *stream, const char *at, size_t len, size_t *n)
{
    ssize_t sent;

    errno = 0;
    *n = 0;
    if (stream->ssl != NULL) {
        int ok;

        ERR_clear_error();
        ok = SSL_write_ex(stream->ssl, at, len, n);
        return ok == 1 ? PGS__STREAM_OK : tls_fault(stream->ssl, ok);
    }
    sent = send(stream->fd, at, len, MSG_NOSIGNAL);
    if (sent < 0)
        return system_fault();
    *n = (size_t)sent;
    return PGS__STREAM_OK;
}

static enum pgs__stream_state
read_some(struct pgs__stream *stream, char *at, size_t len, size_t *n)
{
    ssize_t came;

    errno = 0;
    *n = 0;
    if (stream->ssl != NULL) {
        int ok;

        ERR_clear_error();
        ok = SSL_read_ex(stream->ssl, at, len, n);
        return ok == 1 ? PGS__STREAM_OK : tls_fault(stream->ssl, ok);
    }
    came = recv(stream->fd, at, len, 0);
    if (came < 0)
        return system_fault();
    *n = (size_t)came;
    return came > 0 ? PGS__STREAM_OK : PGS__STREAM_ENDED;
}

/* ---- out ---- */

enum pgs__stream_state
pgs__stream_flush(struct pgs__stream *stream)
{
    struct pgs_buf *out = &stream->out;

    while (stream->out_done < out->len) {
        size_t n;
        enum pgs__stream_state state =
            write_some(stream, out->at + stream->out_done, out->len - stream->out_done, &n);

        if (state != PGS__STREAM_OK)
            return state;
        stream->out_done += n;
    }
    stream->out_done = 0;
    if (out->size > KEEP)
        pgs_buf_clear(out);
    out->len = 0;
    return PGS__STREAM_OK;
}

/* ---- in ---- */

void
pgs__stream_drop(struct pgs__stream *stream)
{
    if (stream->in_done == 0)
        return;
    stream->in_len -= stream->in_done;
    if (stream->in_len > 0)
        memmove(stream->in, stream->in + stream->in_done, stream->in_len);
    stream->in_done = 0;
    if (stream->in_len == 0 && stream->in_size > KEEP) {
        free(stream->in);
        stream->in = NULL;
        stream->in_size = 0;
    }
}

/* False: no memory. */
static bool
make_room(struct pgs__stream *stream)
{
    size_t size = stream->in_size > 0 ? stream->in_size : ROOM;
    char *grown;

    while (size - stream->in_len < ROOM)
        size *= 2;
    if (size == stream->in_size)
        return true;
    grown = realloc(stream->in, size);
    if (grown == NULL) {
        errno = ENOMEM;
        return false;
    }
    stream->in = grown;
    stream->in_size = size;
    return true;
}

enum pgs__stream_state
pgs__stream_fill(struct pgs__stream *stream)
{
    size_t taken = 0;

    while (taken < TURN || (stream->ssl != NULL && SSL_has_pending(stream->ssl) == 1)) {
        size_t room, n;
        enum pgs__stream_state state;

        if (!make_room(stream))
            return PGS__STREAM_FAILED;
        room = stream->in_size - stream->in_len;
        state = read_some(stream, stream->in + stream->in_len, room, &n);
        if (state != PGS__STREAM_OK)
            return state == PGS__STREAM_WAITS ? PGS__STREAM_OK : state;
        stream->in_len += n;
        taken += n;
        /* A plain socket that gave less than there was room for is empty. */
        if (stream->ssl == NULL && n < room)
            break;
    }
    return PGS__STREAM_OK;
}
