/* SPDX-License-Identifier: MIT */
/*
 * Bodies in chunks (RFC 9112 section 7.1), read strictly: sizes of up to 15 digits, CRLF and
 * nothing else between them, no extensions, trailers of up to 4 KiB dropped.  libh2o's own reader
 * takes `0x7` as 0 and bare LF, and a proxy before us may see other requests in such bytes than we
 * do.
 */
#ifndef PGS_HTTP_CHUNKED_H
#define PGS_HTTP_CHUNKED_H

#include <stddef.h>
#include <sys/types.h>

/* libh2o's struct phr_chunked_decoder: it makes one, zero-filled but for consume_trailer. */
struct pgs__chunked {
    size_t left; /* of the chunk; in trailers: bytes seen */
    char consume_trailer;
    char digits;
    char state;
};

/*
 * Takes the chunks' marks out of `bytes`, in place.  `*len` becomes the length of what they hold.
 * -2: more is to come; -1: malformed; else the bytes that follow the body, which stand behind it.
 */
ssize_t pgs__chunked_read(struct pgs__chunked *chunked, char *bytes, size_t *len);

#endif
