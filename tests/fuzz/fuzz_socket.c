/* SPDX-License-Identifier: MIT */
/*
 * A client of /live/v1 behind the handshake, through libh2o, libwslay and the code of live queries.
 * The input is a list of records, so that mutations stay frames: the first byte of a frame, length,
 * payload; or bytes without a head.
 *
 * What comes back must be frames of a server, one behind the other: JSON, and nothing behind a
 * close.  A short input is sent once more byte by byte, and closed in the same way.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_json.h"
#include "lib/loopback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum {
    FIN = 0x80,
    RAW = 0x40, /* of the bits that no extension has: bytes without a head */
    OPCODE = 0x0f,
    TEXT = 1,
    CLOSE = 8,
    PING = 9,
    PONG = 10,
    SHORT = 64,
    NO_TEXT = 1003,
    BAD_TOKEN = 4401,
};

static const char handshake[] =
    "GET /live/v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Authorization: Bearer " LOOPBACK_TOKEN "\r\n\r\n";

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    loopback_open_live();
    return 0;
}

static void
require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- in ---- */

static void
send_bytes(const uint8_t *bytes, size_t len, bool piecewise)
{
    if (!piecewise)
        loopback_send(bytes, len);
    else
        for (size_t i = 0; i < len; i++)
            loopback_send(bytes + i, 1);
}

/* Masked with zeros. */
static void
send_frame(uint8_t first, const uint8_t *payload, size_t len, bool piecewise)
{
    uint8_t frame[8 + UINT8_MAX];
    size_t head = 2;

    frame[0] = first;
    frame[1] = (uint8_t)(0x80 | (len < 126 ? len : 126));
    if (len >= 126) {
        frame[head++] = 0;
        frame[head++] = (uint8_t)len;
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, payload, len);
    send_bytes(frame, head + 4 + len, piecewise);
}

static void
send_records(const uint8_t *data, size_t size, bool piecewise)
{
    for (size_t at = 0; size - at > 2;) {
        uint8_t first = data[at];
        size_t len = data[at + 1];

        at += 2;
        len = len < size - at ? len : size - at;
        if ((first & RAW) != 0)
            send_bytes(data + at, len, piecewise);
        else
            send_frame(first, data + at, len, piecewise);
        at += len;
    }
}

/* ---- out ---- */

struct frame {
    uint8_t first;
    const uint8_t *payload;
    size_t len;
};

static const uint8_t *
read_frame(const uint8_t *at, const uint8_t *end, struct frame *frame)
{
    size_t n_bytes = 0;

    require(end - at >= 2, "half a head");
    frame->first = at[0];
    require((at[1] & 0x80) == 0, "a server does not mask");
    frame->len = at[1];
    if (frame->len >= 126)
        n_bytes = frame->len == 126 ? 2 : 8;
    at += 2;
    require((size_t)(end - at) >= n_bytes, "half a length");
    if (n_bytes > 0)
        frame->len = 0;
    while (n_bytes-- > 0)
        frame->len = frame->len << 8 | *at++;
    require((size_t)(end - at) >= frame->len, "half a frame");
    frame->payload = at;
    return at + frame->len;
}

static void
check_frame(const struct frame *frame)
{
    int opcode = frame->first & OPCODE;

    require((frame->first & ~OPCODE) == FIN, "a frame is whole, and has no extension");
    require(opcode == TEXT || opcode == CLOSE || opcode == PING || opcode == PONG,
            "a frame of another kind");
    require(opcode == TEXT || frame->len < 126, "a long control frame");
    require(opcode != CLOSE || frame->len != 1, "half a close code");
    require(opcode != TEXT || is_json((const char *)frame->payload, frame->len), "no JSON");
}

/* How the server has closed; 0: it has not, or without a code. */
static int
check_answer(const struct loopback_output *output)
{
    const char *end_of_head = strstr(output->at, "\r\n\r\n");
    const uint8_t *at, *end = (const uint8_t *)output->at + output->len;
    struct frame frame = {0};

    require(strncmp(output->at, "HTTP/1.1 101 ", 13) == 0 && end_of_head != NULL, "no upgrade");
    for (at = (const uint8_t *)end_of_head + 4; at < end;) {
        require((frame.first & OPCODE) != CLOSE, "a frame behind the close");
        at = read_frame(at, end, &frame);
        check_frame(&frame);
    }
    return (frame.first & OPCODE) == CLOSE && frame.len >= 2
               ? frame.payload[0] << 8 | frame.payload[1]
               : 0;
}

static int
attempt(const uint8_t *data, size_t size, bool piecewise)
{
    struct loopback_output output;

    if (!loopback_connect(false))
        return -1;
    loopback_send(handshake, sizeof(handshake) - 1);
    send_records(data, size, piecewise);
    output = loopback_end();
    return check_answer(&output);
}

/* These wait for the end of the turn, in which the client may break the rules or close. */
static bool
is_ours(int code)
{
    return code == NO_TEXT || code == BAD_TOKEN;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int code = attempt(data, size, false), other = code;

    if (size <= SHORT)
        other = attempt(data, size, true);
    require(code == other || is_ours(code) || is_ours(other), "closed in two ways");
    return 0;
}
