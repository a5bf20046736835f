/* SPDX-License-Identifier: MIT */
#include "rest/prefer.h"

#include <string.h>
#include <strings.h>

struct part {
    const char *at;
    size_t len;
};

/* The next part up to `separator`, without blanks around it; false at the end. */
static bool
next_part(const char **at, const char *end, char separator, struct part *part)
{
    const char *start = *at, *stop;

    if (start >= end)
        return false;
    stop = memchr(start, separator, (size_t)(end - start));
    if (stop == NULL)
        stop = end;
    *at = stop + 1;
    while (start < stop && (*start == ' ' || *start == '\t'))
        start++;
    while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    *part = (struct part){start, (size_t)(stop - start)};
    return true;
}

static bool
is(struct part part, const char *word)
{
    return part.len == strlen(word) && strncasecmp(part.at, word, part.len) == 0;
}

static bool
read_return(struct part part, struct pgs_prefer *prefer)
{
    enum pgs_return value;

    if (is(part, "return=minimal"))
        value = PGS_RETURN_MINIMAL;
    else if (is(part, "return=headers-only"))
        value = PGS_RETURN_HEADERS_ONLY;
    else if (is(part, "return=representation"))
        value = PGS_RETURN_REPRESENTATION;
    else
        return false;
    if (prefer->returning == PGS_RETURN_DEFAULT)
        prefer->returning = value;
    return true;
}

static bool
read_resolution(struct part part, struct pgs_prefer *prefer)
{
    enum pgs_resolution value;

    if (is(part, "resolution=merge-duplicates"))
        value = PGS_RESOLUTION_MERGE;
    else if (is(part, "resolution=ignore-duplicates"))
        value = PGS_RESOLUTION_IGNORE;
    else
        return false;
    if (prefer->resolution == PGS_RESOLUTION_NONE)
        prefer->resolution = value;
    return true;
}

static bool
read_flag(struct part part, struct pgs_prefer *prefer)
{
    if (is(part, "count=exact") || is(part, "count=planned") || is(part, "count=estimated"))
        prefer->count = true;
    else if (is(part, "missing=default"))
        prefer->missing_default = true;
    else if (is(part, "handling=strict"))
        prefer->strict = true;
    else if (is(part, "lsn"))
        prefer->lsn = true;
    else
        return is(part, "handling=lenient") || is(part, "missing=null") || is(part, "tx=commit");
    return true;
}

void
pgs_prefer_read(const char *header, size_t len, struct pgs_prefer *prefer)
{
    const char *at = header;
    struct part part;

    while (next_part(&at, header + len, ',', &part)) {
        if (part.len == 0 || read_return(part, prefer) || read_resolution(part, prefer) ||
            read_flag(part, prefer))
            continue;
        if (prefer->unknown == NULL) {
            prefer->unknown = part.at;
            prefer->unknown_len = part.len;
        }
    }
}

/* Digits up to 15, so that sums cannot overflow. */
static bool
read_number(const char **at, const char *end, int64_t *value)
{
    const char *start = *at;

    *value = 0;
    while (*at < end && **at >= '0' && **at <= '9' && *at - start < 15)
        *value = *value * 10 + (*(*at)++ - '0');
    return *at > start;
}

bool
pgs_range_read(const char *header, size_t len, int64_t *first, int64_t *last)
{
    const char *at = header, *end = header + len;

    if (len > 6 && strncasecmp(at, "items=", 6) == 0)
        at += 6;
    if (!read_number(&at, end, first) || at == end || *at++ != '-')
        return false;
    *last = -1;
    if (at == end)
        return true;
    return read_number(&at, end, last) && at == end;
}

/* PostgREST leaves nulls out then, also within json; that is a form of its own, which we lack. */
static bool
strips_nulls(const char *at, const char *end)
{
    struct part parameter;

    while (next_part(&at, end, ';', &parameter))
        if (is(parameter, "nulls=stripped"))
            return true;
    return false;
}

static enum pgs_accept
media_type(struct part part)
{
    static const char *const json[] = {"*/*",
                                       "application/*",
                                       "application/json",
                                       "application/problem+json",
                                       "application/vnd.pgrst.array+json",
                                       "application/vnd.pgrst.array"};
    const char *at = part.at, *end = part.at + part.len;
    struct part name;

    if (!next_part(&at, end, ';', &name) || strips_nulls(at, end))
        return PGS_ACCEPT_NONE;
    if (is(name, "application/vnd.pgrst.object+json") || is(name, "application/vnd.pgrst.object"))
        return PGS_ACCEPT_OBJECT;
    for (size_t i = 0; i < sizeof(json) / sizeof(json[0]); i++)
        if (is(name, json[i]))
            return PGS_ACCEPT_JSON;
    return PGS_ACCEPT_NONE;
}

enum pgs_accept
pgs_accept_read(const char *header, size_t len)
{
    const char *at = header;
    struct part part;
    bool any = false;

    while (next_part(&at, header + len, ',', &part)) {
        enum pgs_accept accept = part.len > 0 ? media_type(part) : PGS_ACCEPT_NONE;

        any = any || part.len > 0;
        if (accept != PGS_ACCEPT_NONE)
            return accept;
    }
    return any ? PGS_ACCEPT_NONE : PGS_ACCEPT_JSON;
}
