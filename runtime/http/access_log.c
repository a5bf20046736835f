/* SPDX-License-Identifier: MIT */
#include "http/access_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define ROOM 65536
#define PATH_MAX_LOGGED 512
#define NAME_MAX_LOGGED 128                                                /* of a route or role */
#define LINE_MAX_BYTES ((PATH_MAX_LOGGED + 2 * NAME_MAX_LOGGED) * 6 + 768) /* all of it escaped */

struct pgs_access_log {
    struct pgs_sink *sink;
    int64_t second; /* that `stamp` is of */
    char stamp[24];
    size_t len;
    char at[ROOM];
};

struct pgs_access_log *
pgs_access_log_open(struct pgs_sink *sink)
{
    struct pgs_access_log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        abort();
    log->sink = sink;
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
    char *to = log->at + log->len;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            *to++ = (char)c;
            continue;
        }
        memcpy(to, "\\u00", 4);
        to[4] = hex[c >> 4];
        to[5] = hex[c & 15];
        to += 6;
    }
    log->len = (size_t)(to - log->at);
}

static void
add_time(struct pgs_access_log *log)
{
    int64_t now_ms = pgs_clock_wall_ms();
    time_t second = (time_t)(now_ms / 1000);
    int ms = (int)(now_ms % 1000);
    const char fraction[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                             (char)('0' + ms % 10), 'Z'};
    struct tm tm;

    if (log->second != (int64_t)second) {
        (void)gmtime_r(&second, &tm);
        (void)strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
        log->second = (int64_t)second;
    }
    ADD(log, "{\"time\":\"");
    add_str(log, log->stamp);
    add(log, fraction, sizeof(fraction));
}

static bool
ends_path(char c)
{
    return c == '?' || c == '&' || c == '=' || c == ';' || c == '\0';
}

/* A query string that came with its `?` encoded is one all the same. */
static size_t
shown_path(h2o_iovec_t path)
{
    size_t len = path.len < PATH_MAX_LOGGED ? path.len : PATH_MAX_LOGGED, n = 0;

    while (n < len && !ends_path(path.base[n]))
        n++;
    return n;
}

static void
add_request(struct pgs_access_log *log, const h2o_req_t *req)
{
    size_t method_len = req->input.method.len < 16 ? req->input.method.len : 16;
    size_t path_len = shown_path(req->path_normalized);

    ADD(log, "\",\"level\":\"info\",\"event\":\"request\",\"method\":\"");
    add_escaped(log, req->input.method.base, method_len);
    ADD(log, "\",\"path\":\"");
    add_escaped(log, req->path_normalized.base, path_len);
    ADD(log, "\",\"status\":");
    add_number(log, req->res.status > 0 ? (uint64_t)req->res.status : 0);
    ADD(log, ",\"bytes\":");
    add_number(log, req->bytes_sent);
}

/* `,"name":"text"`, or null. */
static void
add_name(struct pgs_access_log *log, const char *name, const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;

    ADD(log, ",\"");
    add_str(log, name);
    if (text == NULL) {
        ADD(log, "\":null");
        return;
    }
    ADD(log, "\":\"");
    add_escaped(log, text, len < NAME_MAX_LOGGED ? len : NAME_MAX_LOGGED);
    ADD(log, "\"");
}

static void
add_hex(struct pgs_access_log *log, const uint8_t *bytes, size_t n)
{
    pgs_hex_write(log->at + log->len, bytes, n);
    log->len += 2 * n;
}

static void
add_trace(struct pgs_access_log *log, const struct pgs_trace *trace)
{
    static const uint8_t none[sizeof(trace->parent)];

    ADD(log, ",\"trace_id\":\"");
    add_hex(log, trace->id, sizeof(trace->id));
    ADD(log, "\",\"span_id\":\"");
    add_hex(log, trace->span, sizeof(trace->span));
    if (memcmp(trace->parent, none, sizeof(none)) != 0) {
        ADD(log, "\",\"parent_id\":\"");
        add_hex(log, trace->parent, sizeof(trace->parent));
    }
    ADD(log, "\"");
}

static void
add_info(struct pgs_access_log *log, const struct pgs_request_info *info, int64_t now_us)
{
    int64_t took = now_us - info->start_us;

    ADD(log, ",\"duration_us\":");
    add_number(log, took > 0 ? (uint64_t)took : 0);
    ADD(log, ",\"wait_us\":");
    add_number(log, info->wait_us > 0 ? (uint64_t)info->wait_us : 0);
    ADD(log, ",\"db_us\":");
    add_number(log, info->db_us > 0 ? (uint64_t)info->db_us : 0);
    add_name(log, "route", info->route);
    add_name(log, "role", info->role);
    ADD(log, ",\"id\":\"");
    add_str(log, info->id);
    ADD(log, "\",\"client\":\"");
    add_str(log, info->client);
    ADD(log, "\"");
    add_trace(log, &info->trace);
}

void
pgs_access_log_add(struct pgs_access_log *log, const h2o_req_t *req,
                   const struct pgs_request_info *info, int64_t now_us)
{
    uint64_t dropped;

    if (sizeof(log->at) - log->len < LINE_MAX_BYTES)
        pgs_access_log_flush(log);
    add_time(log);
    add_request(log, req);
    add_info(log, info, now_us);
    dropped = pgs_sink_dropped(log->sink);
    if (dropped > 0) {
        ADD(log, ",\"dropped\":");
        add_number(log, dropped);
    }
    ADD(log, "}\n");
}

void
pgs_access_log_flush(struct pgs_access_log *log)
{
    if (log->len > 0)
        pgs_sink_add(log->sink, log->at, log->len);
    log->len = 0;
}

void
pgs__log_slow(const h2o_req_t *req, const struct pgs_request_info *info, int64_t now_us)
{
    char trace_id[2 * sizeof(info->trace.id)];

    pgs_hex_write(trace_id, info->trace.id, sizeof(info->trace.id));
    PGS_LOG(PGS_LOG_WARN, "slow_request", PGS_LOG_STR("id", info->id),
            PGS_LOG_TEXT("trace_id", trace_id, sizeof(trace_id)),
            PGS_LOG_TEXT("method", req->input.method.base, req->input.method.len),
            PGS_LOG_STR("route", info->route), PGS_LOG_STR("role", info->role),
            PGS_LOG_INT("status", req->res.status),
            PGS_LOG_INT("duration_us", now_us - info->start_us),
            PGS_LOG_INT("wait_us", info->wait_us), PGS_LOG_INT("db_us", info->db_us),
            PGS_LOG_INT("bytes", req->bytes_sent));
}
