/* SPDX-License-Identifier: MIT */
/*
 * Frames of a client behind the preface, through libh2o with the guard in it.  The input is a list
 * of records, so that mutations stay frames: kind, flags, stream, length, payload.
 *
 * What comes back must be frames, of known types, one behind the other.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loopback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum {
    HEADERS = 1,
    UNKNOWN = 10, /* and above: frame types that nobody knows */
    GET = 11,     /* HEADERS with a block that is a request already */
    POST = 12,
    RAW = 13, /* bytes without a head */
};

#define LITERAL(name_len, name, value_len, value) "\0" name_len name value_len value
#define KEY LITERAL("\x06", "apikey", "\x07", LOOPBACK_SERVICE_KEY)
#define PATH(len, path) LITERAL("\x05", ":path", len, path)
#define HOST LITERAL("\x0a", ":authority", "\x01", "x")

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
static const char get[] = "\x82\x87" PATH("\x0f", "/rest/v1/ticket") HOST KEY;
static const char post[] = "\x83\x87" PATH("\x0f", "/rest/v1/ticket")
    HOST KEY LITERAL("\x0c", "content-type", "\x10", "application/json");

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    loopback_open();
    return 0;
}

static void
send_frame(uint8_t type, uint8_t flags, uint32_t stream, const char *block, size_t block_len,
           const uint8_t *payload, size_t len)
{
    uint8_t frame[9 + 512];
    size_t total = block_len + len;

    frame[0] = 0;
    frame[1] = (uint8_t)(total >> 8);
    frame[2] = (uint8_t)total;
    frame[3] = type;
    frame[4] = flags;
    frame[5] = (uint8_t)(stream >> 24);
    frame[6] = (uint8_t)(stream >> 16);
    frame[7] = (uint8_t)(stream >> 8);
    frame[8] = (uint8_t)stream;
    memcpy(frame + 9, block, block_len);
    memcpy(frame + 9 + block_len, payload, len);
    loopback_send(frame, 9 + total);
}

static void
send_record(const uint8_t record[4], const uint8_t *payload, size_t len)
{
    /* 0, then 1 2 3 ...; the last are far ahead of the others. */
    uint32_t stream = record[2] < 250 ? record[2] : UINT32_MAX - (255 - record[2]);

    switch (record[0] % 16) {
    case GET:
        send_frame(HEADERS, record[1], stream, get, sizeof(get) - 1, payload, len);
        break;
    case POST:
        send_frame(HEADERS, record[1], stream, post, sizeof(post) - 1, payload, len);
        break;
    case RAW:
        loopback_send(payload, len);
        break;
    default:
        send_frame(record[0] % 16, record[1], stream, "", 0, payload, len);
    }
}

static void
check_frames(const struct loopback_output *output)
{
    const uint8_t *at = (const uint8_t *)output->at, *end = at + output->len;

    while (end - at >= 9) {
        size_t length = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];

        if (at[3] > 9 || length > 16384 || length + 9 > (size_t)(end - at)) {
            fprintf(stderr, "no frame at %zu: type %d, length %zu of %zu\n",
                    (size_t)(at - (const uint8_t *)output->at), at[3], length, output->len);
            abort();
        }
        at += 9 + length;
    }
    if (at != end)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loopback_output output;

    if (!loopback_connect(true))
        return 0;
    loopback_send(preface, sizeof(preface) - 1);
    for (size_t at = 0; at + 4 <= size;) {
        size_t len = data[at + 3] <= size - at - 4 ? data[at + 3] : size - at - 4;

        send_record(data + at, data + at + 4, len);
        at += 4 + len;
    }
    output = loopback_end();
    check_frames(&output);
    return 0;
}
