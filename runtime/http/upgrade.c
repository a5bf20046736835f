/* SPDX-License-Identifier: MIT */
/* libh2o's own way to a WebSocket keeps a reader of frames for as long as it is open. */
#include "http/upgrade.h"

#include <string.h>

#include <openssl/sha.h>

#include "http/reply.h"

#define KEY_BYTES 24
#define ACCEPT_ROOM 29 /* 20 bytes in base64, NUL-terminated */

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static size_t
write_accept(char accept[ACCEPT_ROOM], const char *key)
{
    unsigned char text[KEY_BYTES + sizeof(guid) - 1], digest[SHA_DIGEST_LENGTH];

    memcpy(text, key, KEY_BYTES);
    memcpy(text + KEY_BYTES, guid, sizeof(guid) - 1);
    SHA1(text, sizeof(text), digest);
    return h2o_base64_encode(accept, digest, sizeof(digest), 0);
}

void
pgs_upgrade_to_websocket(h2o_req_t *req, const char *key, h2o_http1_upgrade_cb on_complete,
                         void *data)
{
    char accept[ACCEPT_ROOM];
    size_t len = write_accept(accept, key);

    req->res.status = 101;
    req->res.reason = "Switching Protocols";
    pgs_reply_header(req, "upgrade", "websocket", strlen("websocket"));
    pgs_reply_header(req, "sec-websocket-accept", accept, len);
    h2o_http1_upgrade(req, NULL, 0, on_complete, data);
}
