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
#define PGS_GUARD_MAX_LINE 8192 /* of the request line */
#define PGS_MAX_HEADERS 100     /* H2O_MAX_HEADERS, which libh2o holds HTTP/1 to */

/*
 * Looks at a request that begins at `bytes`; `len` may reach into its body or beyond.  0: all is
 * well; else the status to answer with before the connection is closed, 400, 414 or 431, and `*why`
 * is a constant sentence.
 */
int pgs_guard_check(const char *bytes, size_t len, const char **why)
    __attribute__((warn_unused_result));

/* The same of HTTP/2's method and target, which no line holds; their bytes are `len` in all with
 * the header fields. */
int pgs_guard_check_h2(const char *method, size_t method_len, const char *target, size_t target_len,
                       size_t len, const char **why) __attribute__((warn_unused_result));

/* Puts the wrappers for HTTP/1 in libh2o's place; before anything listens. */
void pgs__h1_guard_open(void);

/* How often libh2o has called them, in this thread. */
unsigned pgs__h1_guard_count(void);

#endif
