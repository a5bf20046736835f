/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets.
 *
 * A connection waits in the queue of one socket, and is lost when the last copy of that socket is
 * closed.  So a set of sockets outlives the threads and processes that accept from it.
 */
#ifndef PGS_HTTP_LISTEN_H
#define PGS_HTTP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

struct pgs_listeners {
    int sets; /* one for each thread that is expected */
    int addresses;
    int *fds; /* [address * sets + set] */
};

/*
 * Binds `sets` sockets to each address of `host`, all on `port`, and listens.  Port 0: any free
 * one.  Another process on the port is an error, although SO_REUSEPORT would let us share it.
 * False: `why` says why.
 */
bool pgs_listen(const char *host, uint16_t port, int sets, struct pgs_listeners *listeners,
                char why[256]) __attribute__((warn_unused_result));

uint16_t pgs_listeners_port(const struct pgs_listeners *listeners);
int pgs_listeners_count(const struct pgs_listeners *listeners);

/* From now on the kernel drops who begins to connect; those who wait already can be accepted, to
 * the last, and then the sockets can be closed without losing one. */
void pgs_listeners_refuse(const struct pgs_listeners *listeners);

void pgs_listeners_close(struct pgs_listeners *listeners);

#endif
