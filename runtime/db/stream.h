/* SPDX-License-Identifier: MIT */
/*
 * The bytes of one connection, both ways: the socket that libpq has connected and authenticated,
 * plain or with its TLS.  Never blocks.
 */
#ifndef PGS_DB_STREAM_H
#define PGS_DB_STREAM_H

#include <libpq-fe.h>
#include <openssl/types.h>

#include "base/buf.h"

struct pgs__stream {
    struct pgs_buf out; /* append here, then flush */

    /* What has come: `in_len` bytes, of which the first `in_done` are of no use any more. */
    char *in;
    size_t in_len;
    size_t in_done;

    /* private */
    size_t in_size;
    size_t out_done;
    int fd; /* libpq's own */
    SSL *ssl;
};

enum pgs__stream_state {
    PGS__STREAM_OK,
    PGS__STREAM_WAITS, /* for room in the socket */
    PGS__STREAM_ENDED, /* by PostgreSQL */
    PGS__STREAM_FAILED /* see errno; 0: the fault is TLS's */
};

/* False: `*why` says what this connection has that we do not speak. */
bool pgs__stream_open(struct pgs__stream *stream, PGconn *pg, const char **why);
void pgs__stream_close(struct pgs__stream *stream);

/* Sends what lies in `out`, as far as the socket takes it. */
enum pgs__stream_state pgs__stream_flush(struct pgs__stream *stream);

/* Takes in all that has come. */
enum pgs__stream_state pgs__stream_fill(struct pgs__stream *stream);

/* Forgets the bytes that are done with, and their memory where it was much; the others move. */
void pgs__stream_drop(struct pgs__stream *stream);

#endif
