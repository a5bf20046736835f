/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets.
 */
#ifndef PGS_HTTP_LISTEN_H
#define PGS_HTTP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#define PGS_LISTEN_MAX 4 /* addresses of one name */

/*
 * Binds `sets` sockets to each address of `host`, all on `port`, and listens: fds[set][address].
 * Port 0: any free one, put into `*port`.  Another process on the port is an error, although
 * SO_REUSEPORT would let us share it.  Returns the number of addresses; 0: `why` says why.
 */
int pgs_listen(const char *host, uint16_t *port, int sets, int (*fds)[PGS_LISTEN_MAX],
               char why[256]);

#endif
