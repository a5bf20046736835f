/* SPDX-License-Identifier: MIT */
/*
 * Frames of a WebSocket leave together.  h2o writes the head of a frame and what is in it one after
 * the other, each in a system call and a segment of its own, and frame after frame.
 */
#ifndef PGS_LIVE_GATHER_H
#define PGS_LIVE_GATHER_H

#include <h2o/websocket.h>

/* From now on, what waits to be sent is written at once; before anything is sent. */
void pgs__gather(h2o_websocket_conn_t *conn);

#endif
