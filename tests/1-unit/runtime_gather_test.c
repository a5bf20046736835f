/* SPDX-License-Identifier: MIT */
/* Frames of a WebSocket and the writes that they leave in: each write is a packet of its own here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/gather.h"

#define LONG_BYTES 70000

static h2o_loop_t *loop;
static h2o_websocket_conn_t *conn;
static int client_fd;
static bool is_over;

static void
on_event(h2o_websocket_conn_t *at, const struct wslay_event_on_msg_recv_arg *message)
{
    (void)at;
    is_over = message == NULL;
}

static int
open_connection(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    client_fd = fds[1];
    is_over = false;
    conn = calloc(1, sizeof(*conn));
    assert_non_null(conn);
    assert_int_equal(wslay_event_context_server_init(&conn->ws_ctx, &conn->ws_callbacks, conn), 0);
    conn->cb = on_event;
    conn->sock = h2o_evloop_socket_create(loop, fds[0], 0);
    conn->sock->data = conn;
    pgs__gather(conn);
    return 0;
}

static int
close_connection(void **state)
{
    (void)state;
    h2o_websocket_close(conn);
    (void)h2o_evloop_run(loop, 0);
    if (client_fd >= 0)
        (void)close(client_fd);
    return 0;
}

static void
queue(uint8_t opcode, const char *text, size_t len)
{
    struct wslay_event_msg message = {opcode, (const uint8_t *)text, len};

    assert_int_equal(wslay_event_queue_msg(conn->ws_ctx, &message), 0);
}

static void
proceed(void)
{
    h2o_websocket_proceed(conn);
    for (int i = 0; i < 10; i++)
        (void)h2o_evloop_run(loop, 0);
}

static void
expect_packet(const char *bytes, size_t len)
{
    char packet[2 * LONG_BYTES];
    ssize_t n = recv(client_fd, packet, sizeof(packet), MSG_DONTWAIT);

    assert_int_equal(n, (ssize_t)len);
    assert_memory_equal(packet, bytes, len);
}

static void
expect_nothing(void)
{
    char packet[1];

    assert_int_equal(recv(client_fd, packet, sizeof(packet), MSG_DONTWAIT), -1);
}

/* Its head and what is in it. */
static void
test_a_frame_is_a_write(void **state)
{
    (void)state;
    queue(WSLAY_TEXT_FRAME, "one", 3);
    proceed();
    expect_packet("\x81\3one", 5);
    queue(WSLAY_TEXT_FRAME, "", 0);
    proceed();
    expect_packet("\x81\0", 2);
    expect_nothing();
}

static void
test_frames_leave_together(void **state)
{
    (void)state;
    queue(WSLAY_TEXT_FRAME, "one", 3);
    queue(WSLAY_TEXT_FRAME, "", 0);
    queue(WSLAY_TEXT_FRAME, "three", 5);
    proceed();
    expect_packet("\x81\3one\x81\0\x81\5three", 14);
    expect_nothing();
}

/* What is gathered has a bound. */
static void
test_long_frames(void **state)
{
    static char text[LONG_BYTES], frame[LONG_BYTES + 10] = "\x81\x7f\0\0\0\0\0\1\x11\x70";

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(frame + 10, text, sizeof(text));
    queue(WSLAY_TEXT_FRAME, text, sizeof(text));
    queue(WSLAY_TEXT_FRAME, text, sizeof(text));
    proceed();
    expect_packet(frame, sizeof(frame));
    proceed();
    expect_packet(frame, sizeof(frame));
    expect_nothing();
}

/* Control frames overtake others, and nothing is held back behind them. */
static void
test_control_frames(void **state)
{
    (void)state;
    queue(WSLAY_TEXT_FRAME, "one", 3);
    queue(WSLAY_TEXT_FRAME, "two", 3);
    queue(WSLAY_PING, "", 0);
    queue(WSLAY_PONG, "hi", 2);
    proceed();
    expect_packet("\x89\0", 2);
    expect_packet("\x8a\2hi", 4);
    expect_packet("\x81\3one\x81\3two", 10);
    queue(WSLAY_TEXT_FRAME, "three", 5);
    assert_int_equal(wslay_event_queue_close(conn->ws_ctx, 1000, NULL, 0), 0);
    proceed();
    expect_packet("\x88\2\3\xe8", 4);
    expect_nothing();
    assert_false(is_over);
}

static void
test_a_client_that_has_gone(void **state)
{
    (void)state;
    (void)close(client_fd);
    client_fd = -1;
    queue(WSLAY_TEXT_FRAME, "one", 3);
    proceed();
    assert_true(is_over);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_frame_is_a_write, open_connection, close_connection),
        cmocka_unit_test_setup_teardown(test_frames_leave_together, open_connection,
                                        close_connection),
        cmocka_unit_test_setup_teardown(test_long_frames, open_connection, close_connection),
        cmocka_unit_test_setup_teardown(test_control_frames, open_connection, close_connection),
        cmocka_unit_test_setup_teardown(test_a_client_that_has_gone, open_connection,
                                        close_connection),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    loop = h2o_evloop_create();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
