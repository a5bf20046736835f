/* SPDX-License-Identifier: MIT */
/*
 * A second look at the raw head of an HTTP/1 request.  libh2o 2.2.5 takes what RFC 9112 forbids
 * and hides it from handlers: two Content-Lengths, Content-Length beside Transfer-Encoding, bare
 * LF, folded lines, no Host or two.  Behind a proxy that reads such a request in another way, the
 * difference smuggles requests.
 */
#ifndef PGS_HTTP_GUARD_H
#define PGS_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#define PGS_GUARD_MAX_HEAD 32768

/*
 * Looks at a request that begins at `bytes`; `len` may reach into its body or beyond.  NULL: all
 * is well; else a constant sentence on what is wrong: answer 400 and close.  `*is_chunked`: its
 * body came in chunks.
 */
const char *pgs_guard_check(const char *bytes, size_t len, bool *is_chunked)
    __attribute__((warn_unused_result));

#endif
