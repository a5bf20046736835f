/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 of libh2o 2.2.5 within budgets.  By itself it answers floods of resets, PINGs, SETTINGS or
 * unknown frames without end, unpacks heads of any size, and waits for empty CONTINUATIONs.
 *
 * Debian's libh2o calls its own exported functions through the procedure linkage table, so a
 * function of the same name in this program takes their place, and calls the original.  Whether
 * that works is tried at start (http/self_test.c): where it does not, HTTP/2 stays off.
 */
#ifndef PGS_HTTP_H2_GUARD_H
#define PGS_HTTP_H2_GUARD_H

#include <h2o.h>

#include "http/budget.h"
#include "http/h2_body.h"

/* Of one connection, within its struct pgs__connection. */
struct pgs__h2_guard {
    struct pgs__budget budget;
    h2o_socket_cb on_read; /* libh2o's; NULL: the connection is not HTTP/2 */
    int continuations;     /* in a row */
    uint64_t frames;
    unsigned resets; /* of open streams, for what came on them */
    int last_type;   /* of the frame that libh2o looks at */
    uint32_t head;   /* the stream of the last HEADERS */
    struct pgs__h2_bodies bodies;
    bool is_dead; /* over a budget: libh2o says GOAWAY, and the socket ends */
};

/* To be called when a guarded socket is closed, which may happen while it reads. */
void pgs__h2_guard_forget(const struct pgs__h2_guard *guard);

#endif
