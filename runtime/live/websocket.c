/* SPDX-License-Identifier: MIT */
/*
 * libwslay's reader is given up between two messages, where it knows nothing that the next one
 * would not know: no byte of a frame, no fragment, no close.  It answers pings and closes by
 * itself; those answers are taken from it at once, so that all that waits to be sent waits here.
 *
 * The owner frees everything in on_end, which is called from the loop alone, as the last thing.
 */
#include "live/websocket.h"

#include <string.h>
#include <sys/socket.h>

#include "base/metric.h"
#include "http/upgrade.h"

#define MAX_WRITE_BYTES 65536 /* at a time: over TLS it lies there once more, encrypted */
#define CRUMB_BYTES 16        /* fragments below take more work, and memory, than they count for */

/* ---- out ---- */

static void on_flush(h2o_timeout_entry_t *entry);

static void
flush_later(struct pgs__websocket *websocket)
{
    if (websocket->sock != NULL && !h2o_timeout_is_linked(&websocket->flush))
        h2o_timeout_link(h2o_socket_get_loop(websocket->sock), websocket->now, &websocket->flush);
}

static void
clear_frames(struct pgs__websocket_frames *frames)
{
    pgs_buf_clear(&frames->bytes);
    frames->n = 0;
}

/* One frame, not masked, without extensions. */
static void
add_frame(struct pgs_buf *to, uint8_t opcode, const char *bytes, size_t len)
{
    int n_len_bytes = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

    (void)pgs_buf_reserve(to, len + 10);
    pgs_buf_add_char(to, (char)(0x80 | opcode));
    pgs_buf_add_char(to, (char)(n_len_bytes == 0 ? len : n_len_bytes == 2 ? 126 : 127));
    while (n_len_bytes-- > 0)
        pgs_buf_add_char(to, (char)(uint8_t)(len >> 8 * n_len_bytes));
    pgs_buf_add(to, bytes, len);
}

static bool
is_closed(const struct pgs__websocket *websocket)
{
    return websocket->reader != NULL && !wslay_event_get_write_enabled(websocket->reader);
}

void
pgs__websocket_send(struct pgs__websocket *websocket, uint8_t opcode, const char *bytes, size_t len)
{
    if (is_closed(websocket))
        return;
    add_frame(&websocket->waiting.bytes, opcode, bytes, len);
    websocket->waiting.n++;
    flush_later(websocket);
}

void
pgs__websocket_end(struct pgs__websocket *websocket, uint16_t code, const char *reason)
{
    websocket->close_code = code;
    websocket->close_reason = reason;
    flush_later(websocket);
}

void
pgs__websocket_cut(struct pgs__websocket *websocket)
{
    if (websocket->sock != NULL)
        (void)shutdown(h2o_socket_get_fd(websocket->sock), SHUT_RDWR);
}

size_t
pgs__websocket_waiting_bytes(const struct pgs__websocket *websocket)
{
    return websocket->waiting.bytes.len + websocket->leaving.bytes.len - websocket->left_bytes;
}

size_t
pgs__websocket_waiting_frames(const struct pgs__websocket *websocket)
{
    return websocket->waiting.n + websocket->leaving.n;
}

/* ---- the reader ---- */

/*
 * Of the frame that begins the input; 0: it is too early to begin with it.  libwslay takes the
 * reason of a close for UTF-8 of its own wherever it is cut, so control frames wait until they are
 * whole.
 */
static uint64_t
count_frame(const h2o_buffer_t *input)
{
    const uint8_t *at = (const uint8_t *)input->bytes;
    uint8_t opcode;
    uint64_t len;
    size_t head;

    if (input->size < 2)
        return 0;
    opcode = at[0] & 0xf; /* for a macro without brackets */
    len = at[1] & 0x7f;
    head = len < 126 ? 2 : len == 126 ? 4 : 10;
    if (input->size < head)
        return 0;
    if (head > 2)
        len = 0;
    for (size_t i = 2; i < head; i++)
        len = len << 8 | at[i];
    head += at[1] & 0x80 ? 4 : 0; /* a mask */
    if (wslay_is_ctrl_frame(opcode) && input->size < head + len && len < 126)
        return 0;
    return len < UINT64_MAX - head ? len + head : UINT64_MAX;
}

static ssize_t
on_wanted(wslay_event_context_ptr reader, uint8_t *to, size_t len, int flags, void *at)
{
    struct pgs__websocket *websocket = at;
    h2o_buffer_t *input = websocket->sock->input;

    (void)flags;
    if (websocket->owed == 0)
        websocket->owed = count_frame(input);
    if (websocket->owed == 0 || input->size == 0) {
        wslay_event_set_error(reader, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    len = len < input->size ? len : input->size;
    len = len < websocket->owed ? len : (size_t)websocket->owed;
    memcpy(to, input->bytes, len);
    h2o_buffer_consume(&websocket->sock->input, len);
    websocket->owed -= len;
    return (ssize_t)len;
}

static ssize_t
on_answer(wslay_event_context_ptr reader, const uint8_t *bytes, size_t len, int flags, void *at)
{
    struct pgs__websocket *websocket = at;

    (void)flags;
    pgs_buf_add(&websocket->waiting.bytes, bytes, len);
    if (!websocket->waiting.bytes.failed)
        return (ssize_t)len;
    wslay_event_set_error(reader, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void
on_frame(wslay_event_context_ptr reader, const struct wslay_event_on_frame_recv_start_arg *frame,
         void *at)
{
    struct pgs__websocket *websocket = at;

    (void)reader;
    if (wslay_is_ctrl_frame(frame->opcode))
        return;
    websocket->is_in_parts = !frame->fin;
    if (websocket->is_in_parts && frame->payload_length < CRUMB_BYTES)
        websocket->owner->on_crumb(websocket);
}

/* False: out of memory. */
static bool
take_answers(struct pgs__websocket *websocket)
{
    websocket->waiting.n += wslay_event_get_queued_msg_count(websocket->reader);
    return wslay_event_send(websocket->reader) == 0;
}

/* A close is on its way that answers the client. */
static bool
is_closing(const struct pgs__websocket *websocket)
{
    return !wslay_event_get_read_enabled(websocket->reader) && !is_closed(websocket);
}

/* A pong goes before the answer to the next message. */
static void
on_message(wslay_event_context_ptr reader, const struct wslay_event_on_msg_recv_arg *message,
           void *at)
{
    struct pgs__websocket *websocket = at;

    (void)reader;
    if (!is_closing(websocket))
        (void)take_answers(websocket); /* what fails fails again */
    websocket->owner->on_message(websocket, message->opcode, (const char *)message->msg,
                                 message->msg_length);
}

static bool
open_reader(struct pgs__websocket *websocket)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_wanted,
        .send_callback = on_answer,
        .on_frame_recv_start_callback = on_frame,
        .on_msg_recv_callback = on_message,
    };

    if (websocket->reader != NULL)
        return true;
    if (wslay_event_context_server_init(&websocket->reader, &callbacks, websocket) != 0) {
        websocket->reader = NULL;
        return false;
    }
    wslay_event_config_set_max_recv_msg_length(websocket->reader,
                                               websocket->owner->max_message_bytes);
    pgs_gauge_add(PGS_CELL_LIVE_READERS, 1);
    return true;
}

static void
close_reader(struct pgs__websocket *websocket)
{
    if (websocket->reader == NULL)
        return;
    wslay_event_context_free(websocket->reader);
    websocket->reader = NULL;
    pgs_gauge_add(PGS_CELL_LIVE_READERS, -1);
}

static bool
is_between_messages(const struct pgs__websocket *websocket)
{
    return websocket->owed == 0 && !websocket->is_in_parts &&
           wslay_event_get_read_enabled(websocket->reader) && !is_closed(websocket);
}

/* False: what came makes no sense, or there is no memory. */
static bool
take_input(struct pgs__websocket *websocket)
{
    if (websocket->sock->input->size == 0)
        return true;
    if (!open_reader(websocket) || wslay_event_recv(websocket->reader) != 0)
        return false;
    if (is_closing(websocket)) /* who closes, or breaks the rules, wants nothing more */
        clear_frames(&websocket->waiting);
    if (!take_answers(websocket))
        return false;
    if (is_between_messages(websocket))
        close_reader(websocket);
    return true;
}

/* The reader is there to the end, and knows what an answer to it is.  False: out of memory. */
static bool
add_close(struct pgs__websocket *websocket)
{
    if (websocket->close_code == 0)
        return true;
    if (!open_reader(websocket))
        return false;
    (void)wslay_event_queue_close(websocket->reader, websocket->close_code,
                                  (const uint8_t *)websocket->close_reason,
                                  strlen(websocket->close_reason));
    websocket->close_code = 0;
    return take_answers(websocket);
}

bool
pgs__websocket_has_goodbye(const struct pgs__websocket *websocket)
{
    return websocket->reader != NULL && wslay_event_get_close_received(websocket->reader) &&
           wslay_event_get_status_code_received(websocket->reader) == WSLAY_CODE_NORMAL_CLOSURE;
}

/* ---- both ---- */

static void on_read(h2o_socket_t *sock, const char *error);
static void on_written(h2o_socket_t *sock, const char *error);

static size_t
next_write_bytes(const struct pgs__websocket *websocket)
{
    size_t n = websocket->leaving.bytes.len - websocket->left_bytes;

    return n < MAX_WRITE_BYTES ? n : MAX_WRITE_BYTES;
}

static void
write_waiting(struct pgs__websocket *websocket)
{
    h2o_iovec_t bytes;

    if (h2o_socket_is_writing(websocket->sock))
        return;
    if (websocket->leaving.bytes.len == 0) {
        websocket->leaving = websocket->waiting;
        websocket->waiting = (struct pgs__websocket_frames){.n = 0};
    }
    bytes.len = next_write_bytes(websocket);
    if (bytes.len == 0)
        return;
    bytes.base = websocket->leaving.bytes.at + websocket->left_bytes;
    h2o_socket_write(websocket->sock, &bytes, 1, on_written);
}

/* Most of the time a client says nothing: what its words were read into is not kept for more. */
static void
release_input(h2o_socket_t *sock)
{
    if (sock->input->size > 0 || sock->input->bytes == NULL)
        return;
    h2o_buffer_dispose(&sock->input);
    h2o_buffer_init(&sock->input, &h2o_socket_buffer_prototype);
}

/* Nothing is read any more, and all has been written. */
static bool
is_over(const struct pgs__websocket *websocket)
{
    return websocket->reader != NULL && !wslay_event_get_read_enabled(websocket->reader) &&
           !h2o_socket_is_writing(websocket->sock) && pgs__websocket_waiting_bytes(websocket) == 0;
}

/* False: it is over.  A frame for which there was no memory cannot be left out. */
static bool
may_go_on(struct pgs__websocket *websocket)
{
    if (!take_input(websocket) || !add_close(websocket) || websocket->waiting.bytes.failed)
        return false;
    release_input(websocket->sock);
    write_waiting(websocket);
    return !is_over(websocket);
}

static void
go_on(struct pgs__websocket *websocket)
{
    if (!may_go_on(websocket))
        websocket->owner->on_end(websocket);
    else if (websocket->reader == NULL || wslay_event_get_read_enabled(websocket->reader))
        h2o_socket_read_start(websocket->sock, on_read);
    else
        h2o_socket_read_stop(websocket->sock);
}

static void
on_read(h2o_socket_t *sock, const char *error)
{
    struct pgs__websocket *websocket = sock->data;

    if (error != NULL)
        websocket->owner->on_end(websocket);
    else
        go_on(websocket);
}

static void
on_written(h2o_socket_t *sock, const char *error)
{
    struct pgs__websocket *websocket = sock->data;

    websocket->left_bytes += next_write_bytes(websocket);
    if (websocket->left_bytes == websocket->leaving.bytes.len) {
        clear_frames(&websocket->leaving);
        websocket->left_bytes = 0;
    }
    on_read(sock, error);
}

static void
on_flush(h2o_timeout_entry_t *entry)
{
    go_on(H2O_STRUCT_FROM_MEMBER(struct pgs__websocket, flush, entry));
}

/* ---- opening and closing ---- */

void
pgs__websocket_init(struct pgs__websocket *websocket, const struct pgs__websocket_owner *owner,
                    h2o_timeout_t *now)
{
    *websocket = (struct pgs__websocket){.owner = owner, .now = now, .flush.cb = on_flush};
}

void
pgs__websocket_start(struct pgs__websocket *websocket, h2o_socket_t *sock)
{
    websocket->sock = sock;
    sock->data = websocket;
    go_on(websocket);
}

static void
on_upgraded(void *at, h2o_socket_t *sock, size_t request_bytes)
{
    struct pgs__websocket *websocket = at;

    if (sock == NULL) {
        websocket->owner->on_end(websocket);
        return;
    }
    h2o_buffer_consume(&sock->input, request_bytes);
    pgs__websocket_start(websocket, sock);
}

void
pgs__websocket_upgrade(struct pgs__websocket *websocket, h2o_req_t *req, const char *key)
{
    pgs_upgrade_to_websocket(req, key, on_upgraded, websocket);
}

void
pgs__websocket_clear(struct pgs__websocket *websocket)
{
    if (h2o_timeout_is_linked(&websocket->flush))
        h2o_timeout_unlink(&websocket->flush);
    close_reader(websocket);
    if (websocket->sock != NULL)
        h2o_socket_close(websocket->sock);
    clear_frames(&websocket->waiting);
    clear_frames(&websocket->leaving);
}
