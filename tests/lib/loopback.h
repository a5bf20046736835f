/* SPDX-License-Identifier: MIT */
/*
 * The server in the calling thread, asked over a pair of sockets: libh2o, the guard, and the routes
 * of the root application.  There is no database: what would reach one is answered 503.
 */
#ifndef TESTS_LIB_LOOPBACK_H
#define TESTS_LIB_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

#define LOOPBACK_ANON_KEY "anon"
#define LOOPBACK_SERVICE_KEY "service"
#define LOOPBACK_SECRET "a secret that is long enough to be one"

/* Of `authenticated`, signed with it. */
#define LOOPBACK_TOKEN                                                                             \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoiYXV0aGVudGljYXR"                             \
    "lZCIsInN1YiI6IjEwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMSI"                             \
    "sImV4cCI6NDEwMjQ0NDgwMH0.07c5HRB3yWnq9stFtdE-fDEs7ZI4wUe1GFWHf-3"                             \
    "dXH4"

/* What the server wrote. */
struct loopback_output {
    const char *at; /* until the next connection; NUL-terminated */
    size_t len;
    bool is_closed; /* by the server, before the client had ended */
};

/* Once a process; the second has live queries too, and no feed. */
void loopback_open(void);
void loopback_open_live(void);

/* One connection at a time.  False: the server refused it. */
bool loopback_connect(bool http2);

/* Sends as much as the server takes, lets it work, and takes what it wrote. */
void loopback_send(const void *bytes, size_t len);

/* The client sends no more, then goes; aborts when the server keeps the connection after that. */
struct loopback_output loopback_end(void);

#endif
