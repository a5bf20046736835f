/* SPDX-License-Identifier: MIT */
#include "live/notice.h"

#include <string.h>

#include "base/utf8.h"

#define MAX_DIGITS 18

bool
pgs__notice_is_id(struct pgs_text id)
{
    if (id.len == 0 || id.len > PGS_REACTIVE_ID_BYTES || pgs_utf8_check(id.at, id.len) != id.len)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if ((unsigned char)id.at[i] < ' ' || id.at[i] == '\x7f')
            return false;
    return true;
}

/* What is left of a message. */
struct reading {
    const char *at, *end;
};

static bool
skip(struct reading *reading, const char *expected)
{
    size_t len = strlen(expected);

    if ((size_t)(reading->end - reading->at) < len || memcmp(reading->at, expected, len) != 0)
        return false;
    reading->at += len;
    return true;
}

/* A string of JSON, in which no more than the two that must be are escaped. */
static bool
read_id(struct reading *reading, char id[PGS_REACTIVE_ID_BYTES + 1])
{
    size_t n = 0;

    if (!skip(reading, "\""))
        return false;
    for (; reading->at < reading->end && *reading->at != '"'; reading->at++) {
        if (*reading->at == '\\' && ++reading->at < reading->end && *reading->at != '"' &&
            *reading->at != '\\')
            return false;
        if (reading->at == reading->end || n == PGS_REACTIVE_ID_BYTES)
            return false;
        id[n++] = *reading->at;
    }
    id[n] = '\0';
    return skip(reading, "\"") && pgs__notice_is_id((struct pgs_text){id, n});
}

static bool
read_number(struct reading *reading, int64_t *number)
{
    const char *first = reading->at;

    *number = 0;
    while (reading->at < reading->end && *reading->at >= '0' && *reading->at <= '9' &&
           reading->at - first < MAX_DIGITS)
        *number = *number * 10 + (*reading->at++ - '0');
    return reading->at > first;
}

/* These say why there will be no more; every other reason is an error that may pass. */
static bool
is_end(struct reading reading)
{
    return skip(&reading, ",\"invalidated\":true,\"reason\":") &&
           (skip(&reading, "\"unsubscribed\"}") || skip(&reading, "\"evicted\"}") ||
            skip(&reading, "\"schema\"}"));
}

bool
pgs__notice_read(struct pgs_text message, struct pgs__notice *notice)
{
    struct reading reading = {message.at, message.at + message.len};
    int64_t seq;

    notice->is_renewal = skip(&reading, "{\"type\":\"resubscribed\",\"query_id\":");
    if (!notice->is_renewal && !skip(&reading, "{\"query_id\":"))
        return false;
    if (!read_id(&reading, notice->id) ||
        (!notice->is_renewal && !(skip(&reading, ",\"seq\":") && read_number(&reading, &seq))) ||
        !skip(&reading, ",\"gen\":") || !read_number(&reading, &notice->generation))
        return false;
    notice->is_last = is_end(reading);
    return true;
}
