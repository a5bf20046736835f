/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket (RFC 6455), made for many that are open and say little: libwslay reads messages, and
 * its 8 KiB are there from the first byte of a message to its last, and once the end has begun.
 * Frames that are sent are whole messages, written here.
 */
#ifndef PGS_LIVE_WEBSOCKET_H
#define PGS_LIVE_WEBSOCKET_H

#include <h2o.h>
#include <wslay/wslay.h>

#include "base/buf.h"

struct pgs__websocket;

/* Whose it is. */
struct pgs__websocket_owner {
    size_t max_message_bytes;
    /* A message has come, or a control frame. */
    void (*on_message)(struct pgs__websocket *websocket, uint8_t opcode, const char *bytes,
                       size_t len);
    /* A fragment has come that says next to nothing, and not the last of its message. */
    void (*on_crumb)(struct pgs__websocket *websocket);
    /* It is over: to be cleared. */
    void (*on_end)(struct pgs__websocket *websocket);
};

struct pgs__websocket { /* private */
    const struct pgs__websocket_owner *owner;
    h2o_socket_t *sock; /* NULL: the answer to its handshake is under way */
    h2o_timeout_t *now;
    h2o_timeout_entry_t flush;
    wslay_event_context_ptr reader; /* NULL: between two messages */
    uint64_t owed;       /* bytes of a frame that the reader has begun and does not have */
    bool is_in_parts;    /* a message whose last fragment has not begun */
    uint16_t close_code; /* to be sent behind all that waits; 0: none, or it was sent */
    const char *close_reason;
    struct pgs__websocket_frames {
        struct pgs_buf bytes;
        size_t n;
    } waiting, leaving;
    size_t left_bytes; /* of `leaving` */
};

/* `now` is a timeout of 0 ms.  What is sent waits for the start. */
void pgs__websocket_init(struct pgs__websocket *websocket, const struct pgs__websocket_owner *owner,
                         h2o_timeout_t *now);

/* Answers the handshake, then starts. */
void pgs__websocket_upgrade(struct pgs__websocket *websocket, h2o_req_t *req, const char *key);

/* `sock` is a WebSocket from its next byte on, and belongs to this one. */
void pgs__websocket_start(struct pgs__websocket *websocket, h2o_socket_t *sock);

/* Frees all that it has and closes the socket. */
void pgs__websocket_clear(struct pgs__websocket *websocket);

/* Copies a message, or the payload of a ping; it leaves in the next turn of the loop, all of a turn
 * together.  Behind a close nothing is sent. */
void pgs__websocket_send(struct pgs__websocket *websocket, uint8_t opcode, const char *bytes,
                         size_t len);

/* Closes behind what was sent; `reason` is constant.  It is over when the client has answered. */
void pgs__websocket_end(struct pgs__websocket *websocket, uint16_t code, const char *reason);

/* At once, without a close; it is over soon. */
void pgs__websocket_cut(struct pgs__websocket *websocket);

/* What the client has not taken yet. */
size_t pgs__websocket_waiting_bytes(const struct pgs__websocket *websocket);
size_t pgs__websocket_waiting_frames(const struct pgs__websocket *websocket);

/* The client has closed, by itself or in answer, and said that all is well. */
bool pgs__websocket_has_goodbye(const struct pgs__websocket *websocket)
    __attribute__((warn_unused_result));

#endif
