/* SPDX-License-Identifier: MIT */
#include "live/gather.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 65536 /* before they are written, and the frame that came on top */

/* Where h2o has a buffer of its own, which it frees with the connection. */
struct gathered {
    size_t len;
    size_t last; /* where the last frame begins */
    bool is_cut; /* that has only its head yet */
    char bytes[];
};

static void
on_written(h2o_socket_t *sock, const char *error)
{
    h2o_websocket_conn_t *conn = sock->data;

    free(conn->_write_buf);
    conn->_write_buf = NULL;
    if (error != NULL)
        conn->cb(conn, NULL);
    else
        h2o_websocket_proceed(conn);
}

static struct gathered *
add(h2o_websocket_conn_t *conn, const uint8_t *bytes, size_t len, bool is_head)
{
    struct gathered *gathered = conn->_write_buf;
    size_t before = gathered != NULL ? gathered->len : 0;

    gathered = h2o_mem_realloc(gathered, sizeof(*gathered) + before + len);
    conn->_write_buf = gathered;
    if (before == 0 || !gathered->is_cut)
        gathered->last = before;
    gathered->is_cut = is_head;
    memcpy(gathered->bytes + before, bytes, len);
    gathered->len = before + len;
    return gathered;
}

/* More comes in the same call: the rest of the frame, or another one.  Behind a control frame that
 * is not certain, for nothing follows a close. */
static bool
is_more_to_come(const h2o_websocket_conn_t *conn, const struct gathered *gathered)
{
    bool is_control = (gathered->bytes[gathered->last] & 0x08) != 0;

    return gathered->is_cut || (!is_control && gathered->len < MAX_BYTES &&
                                wslay_event_get_queued_msg_count(conn->ws_ctx) > 1);
}

static ssize_t
gather(wslay_event_context_ptr ctx, const uint8_t *bytes, size_t len, int flags, void *arg)
{
    h2o_websocket_conn_t *conn = arg;
    struct gathered *gathered;
    h2o_iovec_t all;

    if (h2o_socket_is_writing(conn->sock)) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    gathered = add(conn, bytes, len, (flags & WSLAY_MSG_MORE) != 0);
    if (!is_more_to_come(conn, gathered)) {
        all = h2o_iovec_init(gathered->bytes, gathered->len);
        h2o_socket_write(conn->sock, &all, 1, on_written);
    }
    return (ssize_t)len;
}

void
pgs__gather(h2o_websocket_conn_t *conn)
{
    conn->ws_callbacks.send_callback = gather;
    wslay_event_config_set_callbacks(conn->ws_ctx, &conn->ws_callbacks);
}
