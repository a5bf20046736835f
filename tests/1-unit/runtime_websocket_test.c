/* SPDX-License-Identifier: MIT */
/* Frames of a WebSocket, the writes that they leave in, and what is kept in between: each write is
 * a packet of its own here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/websocket.h"

#define LONG_BYTES 70000
#define WRITE_BYTES 65536

static h2o_loop_t *loop;
static h2o_timeout_t now;
static struct pgs__websocket websocket;
static int client_fd;
static bool is_over;
static char heard[64]; /* what the owner was given, one behind the other */
static int n_crumbs;

static void
on_message(struct pgs__websocket *at, uint8_t opcode, const char *bytes, size_t len)
{
    (void)at;
    (void)opcode;
    assert_true(strlen(heard) + len < sizeof(heard));
    strncat(heard, len > 0 ? bytes : "", len);
}

static void
on_crumb(struct pgs__websocket *at)
{
    (void)at;
    n_crumbs++;
}

static void
on_end(struct pgs__websocket *at)
{
    (void)at;
    is_over = true;
    h2o_socket_read_stop(at->sock);
}

static int
open_connection(void **state)
{
    static const struct pgs__websocket_owner owner = {1000, on_message, on_crumb, on_end};
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    client_fd = fds[1];
    is_over = false;
    heard[0] = '\0';
    n_crumbs = 0;
    pgs__websocket_init(&websocket, &owner, &now);
    pgs__websocket_start(&websocket, h2o_evloop_socket_create(loop, fds[0], 0));
    return 0;
}

static int
close_connection(void **state)
{
    (void)state;
    pgs__websocket_clear(&websocket);
    (void)h2o_evloop_run(loop, 0);
    if (client_fd >= 0)
        (void)close(client_fd);
    return 0;
}

static void
turn(void)
{
    for (int i = 0; i < 10; i++)
        (void)h2o_evloop_run(loop, 0);
}

/* A client's bytes: one packet, one reading. */
static void
say(const char *bytes, size_t len)
{
    assert_int_equal(send(client_fd, bytes, len, 0), (ssize_t)len);
    turn();
}

#define SAY(literal) say(literal, sizeof(literal) - 1)

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

static void
send_text(const char *text)
{
    pgs__websocket_send(&websocket, WSLAY_TEXT_FRAME, text, strlen(text));
}

/* ---- out ---- */

/* Its head and what is in it. */
static void
test_a_frame_is_a_write(void **state)
{
    (void)state;
    send_text("one");
    assert_int_equal(pgs__websocket_waiting_frames(&websocket), 1);
    turn();
    expect_packet("\x81\3one", 5);
    assert_int_equal(pgs__websocket_waiting_frames(&websocket), 0);
    assert_int_equal(pgs__websocket_waiting_bytes(&websocket), 0);
    send_text("");
    turn();
    expect_packet("\x81\0", 2);
    expect_nothing();
}

static void
test_frames_leave_together(void **state)
{
    (void)state;
    send_text("one");
    send_text("");
    pgs__websocket_send(&websocket, WSLAY_PING, NULL, 0);
    send_text("three");
    turn();
    expect_packet("\x81\3one\x81\0\x89\0\x81\5three", 16);
    expect_nothing();
}

/* What is written at once has a bound. */
static void
test_long_frames(void **state)
{
    static char all[2 * LONG_BYTES + 20];
    static const char head[] = "\x81\x7f\0\0\0\0\0\1\x11\x70";
    size_t at = 0;

    (void)state;
    memset(all, 'x', sizeof(all));
    memcpy(all, head, 10);
    memcpy(all + 10 + LONG_BYTES, head, 10);
    pgs__websocket_send(&websocket, WSLAY_TEXT_FRAME, all + 10, LONG_BYTES);
    pgs__websocket_send(&websocket, WSLAY_TEXT_FRAME, all + 10, LONG_BYTES);
    for (; sizeof(all) - at > WRITE_BYTES; at += WRITE_BYTES) {
        turn();
        expect_packet(all + at, WRITE_BYTES);
    }
    turn();
    expect_packet(all + at, sizeof(all) - at);
    expect_nothing();
    assert_int_equal(pgs__websocket_waiting_bytes(&websocket), 0);
}

/* Behind what was sent, and nothing behind it. */
static void
test_a_close(void **state)
{
    (void)state;
    send_text("one");
    pgs__websocket_end(&websocket, 1001, "bye");
    turn();
    expect_packet("\x81\3one\x88\5\3\xe9"
                  "bye",
                  12);
    send_text("two");
    SAY("\x89\x80\0\0\0\0");
    expect_nothing();
    assert_false(is_over);
    SAY("\x88\x82\0\0\0\0\3\xe9");
    assert_true(is_over);
    assert_false(pgs__websocket_has_goodbye(&websocket));
}

/* Who closes has no use for what waits. */
static void
test_a_close_of_the_client(void **state)
{
    (void)state;
    send_text("one");
    SAY("\x88\x82\0\0\0\0\3\xe8");
    expect_packet("\x88\2\3\xe8", 4);
    expect_nothing();
    assert_true(is_over);
    assert_true(pgs__websocket_has_goodbye(&websocket));
}

static void
test_a_client_that_has_gone(void **state)
{
    (void)state;
    (void)close(client_fd);
    client_fd = -1;
    send_text("one");
    turn();
    assert_true(is_over);
}

/* ---- in ---- */

static void
expect_reader(bool is_there, const char *all_heard)
{
    assert_int_equal(websocket.reader != NULL, is_there);
    assert_string_equal(heard, all_heard);
}

static void
test_between_messages_there_is_no_reader(void **state)
{
    (void)state;
    expect_reader(false, "");
    SAY("\x81\x81\0\0\0\0"
        "a");
    expect_reader(false, "a");
    SAY("\x81\x82\0\0");
    expect_reader(true, "a");
    SAY("\0\0b");
    expect_reader(true, "a");
    SAY("c\x81");
    expect_reader(false, "abc"); /* the byte waits with libh2o */
    SAY("\x80\0\0\0\0");
    expect_reader(false, "abc");
    assert_int_equal(websocket.sock->input->size, 0);
}

static void
test_fragments_keep_the_reader(void **state)
{
    (void)state;
    SAY("\1\x81\0\0\0\0"
        "a");
    expect_reader(true, "");
    SAY("\x89\x81\0\0\0\0"
        "p");
    expect_reader(true, "p");
    expect_packet("\x8a\1p", 3);
    SAY("\0\x80\0\0\0\0");
    expect_reader(true, "p");
    SAY("\x80\x81\0\0\0\0"
        "b");
    expect_reader(false, "pab");
    SAY("\x80\x81\0\0\0\0"
        "c"); /* of nothing */
    expect_reader(true, "pab");
    expect_packet("\x88\2\3\xea", 4);
    assert_true(is_over);
}

/* Whatever is less than 16 bytes, and neither the last of its message nor between its fragments. */
static void
test_crumbs(void **state)
{
    (void)state;
    SAY("\1\x80\0\0\0\0");
    assert_int_equal(n_crumbs, 1);
    SAY("\0\x8f\0\0\0\0fifteen bytes..");
    assert_int_equal(n_crumbs, 2);
    SAY("\0\x90\0\0\0\0sixteen bytes...");
    SAY("\x89\x80\0\0\0\0");
    SAY("\x80\x80\0\0\0\0");
    SAY("\x81\x81\0\0\0\0"
        "a");
    assert_int_equal(n_crumbs, 2);
    assert_string_equal(heard, "fifteen bytes..sixteen bytes...a");
}

/* The reason is UTF-8, wherever it is cut. */
static void
test_a_close_in_pieces(void **state)
{
    static const char frame[] = "\x88\x85\0\0\0\0\3\xe8\xe2\x82\xac";

    (void)state;
    for (size_t i = 0; i < sizeof(frame) - 2; i++) {
        say(frame + i, 1);
        expect_reader(false, "");
        expect_nothing();
    }
    say(frame + sizeof(frame) - 2, 1);
    expect_packet("\x88\5\3\xe8\xe2\x82\xac", 7);
    assert_true(is_over);
}

static void
test_a_message_that_is_too_long(void **state)
{
    (void)state;
    SAY("\x81\xfe\3\xe9\0\0\0\0");
    expect_nothing(); /* libwslay looks at its first byte */
    SAY("x");
    expect_packet("\x88\2\3\xf1", 4);
    assert_true(is_over);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_connection, close_connection)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_frame_is_a_write),
        CASE(test_frames_leave_together),
        CASE(test_long_frames),
        CASE(test_a_close),
        CASE(test_a_close_of_the_client),
        CASE(test_a_client_that_has_gone),
        CASE(test_between_messages_there_is_no_reader),
        CASE(test_fragments_keep_the_reader),
        CASE(test_crumbs),
        CASE(test_a_close_in_pieces),
        CASE(test_a_message_that_is_too_long),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    loop = h2o_evloop_create();
    h2o_timeout_init(loop, &now, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
