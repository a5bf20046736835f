/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a client, through libh2o with the guard in it, to the routes of the root
 * application. The first byte says in pieces of how many bytes they come; 0: in one.
 *
 * What comes back must be whole answers, one behind the other and each of the length that it says:
 * not more than there were requests, and none from what a client wrote (response splitting).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/loopback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    loopback_open();
    return 0;
}

static void
require(bool holds, const char *what, const char *at)
{
    if (holds)
        return;
    fprintf(stderr, "%s: %.2000s\n", what, at);
    abort();
}

/* Where the head ends, behind its empty line; every line of it is `name: value`. */
static const char *
check_head(const char *at, size_t *length)
{
    const char *line = strstr(at, "\r\n");

    require(strncmp(at, "HTTP/1.1 ", 9) == 0 && line != NULL, "no status line", at);
    *length = 0;
    while (strncmp(line += 2, "\r\n", 2) != 0) {
        const char *end = strstr(line, "\r\n"), *colon = strchr(line, ':');

        require(end != NULL && colon != NULL && colon < end, "no header line", line);
        require(memchr(line, '\n', (size_t)(end - line)) == NULL, "a line in a header", line);
        if (strncasecmp(line, "content-length:", 15) == 0)
            *length = strtoul(colon + 1, NULL, 10);
        line = end;
    }
    return line + 2;
}

static size_t
check_answers(const struct loopback_output *output)
{
    const char *at = output->at, *end = output->at + output->len;
    size_t n = 0;

    require(strlen(at) == output->len, "NUL in an answer", at);
    for (; at < end; n++) {
        size_t length;
        bool is_interim = strncmp(at, "HTTP/1.1 100", 12) == 0;
        const char *body = check_head(at, &length);

        n -= is_interim;
        if (is_interim || strncmp(body, "HTTP/1.1 ", 9) == 0 || body == end)
            at = body; /* of HEAD */
        else
            at = body + length;
        require(at <= end, "an answer is shorter than it says", body);
    }
    return n;
}

/* Requests that are there at most: each needs the end of a line. */
static size_t
count_lines(const uint8_t *data, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++)
        n += data[i] == '\n';
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece = size == 0 || data[0] == 0 ? size : data[0];
    struct loopback_output output;

    if (size < 2 || !loopback_connect(false))
        return 0;
    for (size_t at = 1; at < size; at += piece)
        loopback_send(data + at, size - at < piece ? size - at : piece);
    output = loopback_end();
    require(check_answers(&output) <= count_lines(data + 1, size - 1) / 2 + 1, "too many answers",
            output.at);
    return 0;
}
