/* SPDX-License-Identifier: MIT */
/* Messages: a header with the length, an empty line, JSON. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lsp/parts.h"

/* More is no message of an editor. */
#define MAX_BYTES ((size_t)64 * 1024 * 1024)

static struct {
    char *at;
    size_t n, room;
} input;

/* Reads what is there; false: nothing comes any more. */
static bool
read_some(void)
{
    ssize_t n;

    if (input.room - input.n < 65536) {
        size_t room = input.room * 2 + 131072;
        char *grown = realloc(input.at, room);

        if (!grown)
            return false;
        input.at = grown;
        input.room = room;
    }
    do
        n = read(STDIN_FILENO, input.at + input.n, input.room - input.n - 1);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    input.n += (size_t)n;
    input.at[input.n] = '\0';
    return true;
}

/* The header's length and that of its message; 0: it is not all there. */
static size_t
header(size_t *body)
{
    const char *end = input.n ? strstr(input.at, "\r\n\r\n") : NULL;

    *body = 0;
    for (const char *line = input.at; end && line < end;) {
        const char *next = strstr(line, "\r\n");

        if (strncmp(line, "Content-Length:", 15) == 0)
            *body = strtoul(line + 15, NULL, 10);
        line = next + 2;
    }
    return end ? (size_t)(end - input.at) + 4 : 0;
}

char *
wire_read(void)
{
    size_t body, head;
    char *message;

    while ((head = header(&body)) == 0 || input.n < head + body)
        if (body > MAX_BYTES || !read_some())
            return NULL;
    message = malloc(body + 1);
    if (!message)
        return NULL;
    memcpy(message, input.at + head, body);
    message[body] = '\0';
    input.n -= head + body;
    memmove(input.at, input.at + head + body, input.n);
    input.at[input.n] = '\0';
    return message;
}

bool
wire_has_more(void)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};

    return input.n > 0 || (poll(&fd, 1, 0) > 0 && (fd.revents & POLLIN) && read_some());
}

void
wire_write(const struct str *message)
{
    printf("Content-Length: %zu\r\n\r\n", message->n);
    fwrite(message->at, 1, message->n, stdout);
    fflush(stdout);
}

/* ---- values ---- */

yajl_val
wire_get(yajl_val from, const char *path)
{
    const char *names[8] = {0};
    char copy[128];
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *name = copy, *dot; name && n < 7; name = dot) {
        dot = strchr(name, '.');
        if (dot)
            *dot++ = '\0';
        names[n++] = name;
    }
    return from ? yajl_tree_get(from, names, yajl_t_any) : NULL;
}

const char *
wire_text(yajl_val from, const char *path)
{
    return YAJL_GET_STRING(wire_get(from, path));
}

long
wire_number(yajl_val from, const char *path, long otherwise)
{
    yajl_val value = wire_get(from, path);

    return YAJL_IS_INTEGER(value) ? (long)YAJL_GET_INTEGER(value) : otherwise;
}
