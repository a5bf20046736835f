/* SPDX-License-Identifier: MIT */
/*
 * A pipe that poll(2) calls writable takes PIPE_BUF bytes without blocking, so pieces of whole
 * lines up to that size are written, and poll asked before each.
 */
#include "http/access_log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define ROOM 65536
#define PIECE 4096 /* PIPE_BUF on Linux */
#define PATH_MAX_LOGGED 512
#define LINE_MAX_BYTES (PATH_MAX_LOGGED * 6 + 512) /* every byte of the path escaped */

struct pgs_access_log {
    int fd;
    uint64_t dropped;
    int64_t second; /* that `stamp` is of */
    char stamp[24];
    size_t len;
    char at[ROOM];
};

struct pgs_access_log *
pgs_access_log_open(int fd)
{
    struct pgs_access_log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        abort();
    log->fd = fd;
    return log;
}

void
pgs_access_log_close(struct pgs_access_log *log)
{
    pgs_access_log_flush(log);
    free(log);
}

static void
add(struct pgs_access_log *log, const char *bytes, size_t len)
{
    memcpy(log->at + log->len, bytes, len);
    log->len += len;
}

#define ADD(log, literal) add((log), (literal), sizeof(literal) - 1)

static void
add_str(struct pgs_access_log *log, const char *str)
{
    add(log, str, strlen(str));
}

static void
add_number(struct pgs_access_log *log, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    add(log, digits + at, sizeof(digits) - at);
}

/* Everything that is not plain ASCII is escaped byte by byte: a path need not be UTF-8. */
static void
add_escaped(struct pgs_access_log *log, const char *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            log->at[log->len++] = (char)c;
            continue;
        }
        ADD(log, "\\u00");
        log->at[log->len++] = hex[c >> 4];
        log->at[log->len++] = hex[c & 15];
    }
}

static void
add_time(struct pgs_access_log *log)
{
    int64_t now_ms = pgs_clock_wall_ms();
    time_t second = (time_t)(now_ms / 1000);
    struct tm tm;
    char ms[8];

    if (log->second != (int64_t)second) {
        (void)gmtime_r(&second, &tm);
        (void)strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
        log->second = (int64_t)second;
    }
    ADD(log, "{\"time\":\"");
    add_str(log, log->stamp);
    (void)snprintf(ms, sizeof(ms), ".%03dZ", (int)(now_ms % 1000));
    add_str(log, ms);
}

static void
add_request(struct pgs_access_log *log, const h2o_req_t *req)
{
    size_t method_len = req->input.method.len < 16 ? req->input.method.len : 16;
    size_t path_len =
        req->path_normalized.len < PATH_MAX_LOGGED ? req->path_normalized.len : PATH_MAX_LOGGED;

    ADD(log, "\",\"level\":\"info\",\"event\":\"request\",\"method\":\"");
    add_escaped(log, req->input.method.base, method_len);
    ADD(log, "\",\"path\":\"");
    add_escaped(log, req->path_normalized.base, path_len);
    ADD(log, "\",\"status\":");
    add_number(log, req->res.status > 0 ? (uint64_t)req->res.status : 0);
    ADD(log, ",\"bytes\":");
    add_number(log, req->bytes_sent);
}

static void
add_info(struct pgs_access_log *log, const struct pgs_request_info *info, int64_t now_us)
{
    int64_t took = now_us - info->start_us;

    ADD(log, ",\"duration_us\":");
    add_number(log, took > 0 ? (uint64_t)took : 0);
    ADD(log, ",\"role\":");
    if (info->role != NULL) {
        ADD(log, "\"");
        add_escaped(log, info->role, strlen(info->role));
        ADD(log, "\"");
    } else {
        ADD(log, "null");
    }
    ADD(log, ",\"id\":\"");
    add_str(log, info->id);
    ADD(log, "\",\"client\":\"");
    add_str(log, info->client);
    ADD(log, "\"");
}

void
pgs_access_log_add(struct pgs_access_log *log, const h2o_req_t *req,
                   const struct pgs_request_info *info, int64_t now_us)
{
    if (sizeof(log->at) - log->len < LINE_MAX_BYTES)
        pgs_access_log_flush(log);
    if (sizeof(log->at) - log->len < LINE_MAX_BYTES) {
        log->dropped++;
        return;
    }
    add_time(log);
    add_request(log, req);
    add_info(log, info, now_us);
    if (log->dropped > 0) {
        ADD(log, ",\"dropped\":");
        add_number(log, log->dropped);
        log->dropped = 0;
    }
    ADD(log, "}\n");
}

/* Whole lines at the start, PIECE bytes at most. */
static size_t
next_piece(const char *at, size_t len)
{
    size_t n = len < PIECE ? len : PIECE;

    while (n > 0 && at[n - 1] != '\n')
        n--;
    return n > 0 ? n : len < PIECE ? len : PIECE;
}

void
pgs_access_log_flush(struct pgs_access_log *log)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    size_t done = 0;

    while (done < log->len && poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0) {
        ssize_t n = write(log->fd, log->at + done, next_piece(log->at + done, log->len - done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    memmove(log->at, log->at + done, log->len - done);
    log->len -= done;
}
