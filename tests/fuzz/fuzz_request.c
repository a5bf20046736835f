/* SPDX-License-Identifier: MIT */
/*
 * Requests that libh2o and the guard let through, so that mutations reach what is behind them:
 * query strings, the headers that the server reads, bodies.  Each line of the input gives a part
 * by its first byte: a path, the query, a header; behind an empty line is the body.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lib/loopback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MAX_LINE 4000

static const char *const starts[] = {
    "GET /rest/v1/ticket",
    "POST /rest/v1/ticket",
    "PATCH /rest/v1/ticket",
    "DELETE /rest/v1/ticket",
    "GET /rest/v1/team",
    "POST /rest/v1/team",
    "POST /rest/v1/member",
    "POST /rest/v1/comment",
    "POST /rest/v1/attachment",
    "POST /rest/v1/time_entry",
    "GET /rest/v1/article",
    "GET /rest/v1/rpc/search_tickets",
    "POST /rest/v1/rpc/ticket_ages",
    "HEAD /rest/v1/ticket",
    "OPTIONS /rest/v1/ticket",
    "POST /rest/v1/rpc/search_tickets",
};

static const char *const names[] = {
    "Prefer",
    "Range",
    "Range-Unit",
    "Accept",
    "Content-Type",
    "Accept-Encoding",
    "Origin",
    "Access-Control-Request-Method",
    "Accept-Profile",
    "Content-Profile",
    "X-Request-Id",
    "If-None-Match",
    "Connection",
    "Expect",
    "X-HTTP-Method-Override",
};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    loopback_open();
    return 0;
}

/* What may stand in a request target or a field; the guard has targets of its own. */
static void
add_visible(struct pgs_buf *out, const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len && i < MAX_LINE; i++)
        if (at[i] > ' ' && at[i] != 0x7f)
            pgs_buf_add_char(out, (char)at[i]);
        else
            pgs_buf_add_char(out, '+');
}

static void
add_header(struct pgs_buf *out, const uint8_t *line, size_t len)
{
    pgs_buf_add_str(out, "\r\n");
    pgs_buf_add_str(out, names[line[0] % COUNT(names)]);
    pgs_buf_add_str(out, ": ");
    for (size_t i = 1; i < len && i < MAX_LINE; i++)
        if (line[i] >= ' ' && line[i] != 0x7f)
            pgs_buf_add_char(out, (char)line[i]);
}

/* The head; what is left of the input is the body. */
static size_t
add_head(struct pgs_buf *out, const uint8_t *data, size_t size)
{
    size_t at = 0;

    for (int n = 0; at < size && n < 20; n++) {
        const uint8_t *line = data + at, *end = memchr(line, '\n', size - at);
        size_t len = end != NULL ? (size_t)(end - line) : size - at;

        at += len + (end != NULL);
        if (len == 0)
            break;
        if (n > 0) {
            add_header(out, line, len);
            continue;
        }
        pgs_buf_add_str(out, starts[line[0] % COUNT(starts)]);
        if (len > 1)
            pgs_buf_add_char(out, '?');
        add_visible(out, line + 1, len - 1);
        pgs_buf_add_str(out, " HTTP/1.1\r\nHost: x\r\napikey: " LOOPBACK_SERVICE_KEY);
    }
    return at;
}

static void
require(bool holds, const struct loopback_output *output)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", output->at);
    abort();
}

/* One whole answer, and of what the server says of itself: no 500. */
static void
check(const struct loopback_output *output)
{
    const char *head = output->at;

    if (strncmp(head, "HTTP/1.1 100", 12) == 0)
        head = strstr(head, "\r\n\r\n") + 4;
    require(strncmp(head, "HTTP/1.1 ", 9) == 0, output);
    require(strncmp(head + 9, "500", 3) != 0, output);
    require(strstr(head, "\r\n\r\n") != NULL, output);
    require(strstr(head + 9, "\nHTTP/1.1 ") == NULL, output);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loopback_output output;
    struct pgs_buf out;
    char length[64];
    size_t at;

    if (size < 1 || data[0] == '\n' || !loopback_connect(false))
        return 0;
    pgs_buf_init(&out, 0);
    at = add_head(&out, data, size);
    (void)snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n\r\n", size - at);
    pgs_buf_add_str(&out, length);
    pgs_buf_add(&out, (const char *)data + at, size - at);
    loopback_send(out.at, out.len);
    output = loopback_end();
    check(&output);
    pgs_buf_clear(&out);
    return 0;
}
