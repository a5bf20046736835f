/* SPDX-License-Identifier: MIT */
#ifndef PGS_HTTP_UPGRADE_H
#define PGS_HTTP_UPGRADE_H

#include <h2o.h>
#include <h2o/http1.h>

/* Answers the handshake of a WebSocket (RFC 6455, 4.2.2); `key` is the client's, 24 bytes.
 * `on_complete` gets the socket once the answer is with the kernel, or NULL: the client has gone.
 */
void pgs_upgrade_to_websocket(h2o_req_t *req, const char *key, h2o_http1_upgrade_cb on_complete,
                              void *data);

#endif
