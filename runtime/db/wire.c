/* SPDX-License-Identifier: MIT */
/*
 * What comes from PostgreSQL is trusted for its meaning, not for its lengths: nothing is read
 * beyond a message, whatever it says.
 */
#include "db/wire.h"

#include <string.h>

#define MAX_MESSAGE 0x40000000 /* PostgreSQL's own bound is a byte less */

/* ---- writing ---- */

static char *
put_int32(char *to, uint32_t n)
{
    to[0] = (char)(n >> 24);
    to[1] = (char)(n >> 16);
    to[2] = (char)(n >> 8);
    to[3] = (char)n;
    return to + 4;
}

static char *
put_int16(char *to, unsigned n)
{
    to[0] = (char)(n >> 8);
    to[1] = (char)n;
    return to + 2;
}

static char *
put_bytes(char *to, const char *at, size_t len)
{
    if (len > 0)
        memcpy(to, at, len);
    return to + len;
}

/* The head of a message, and room for its body, which the caller writes whole; NULL: no memory, or
 * more than a message can hold. */
static char *
begin(struct pgs_buf *out, char type, size_t body_len)
{
    char *to;

    if (body_len > MAX_MESSAGE - 4) {
        out->failed = true;
        return NULL;
    }
    to = pgs_buf_reserve(out, PGS__MESSAGE_HEAD + body_len);
    if (to == NULL)
        return NULL;
    out->len += PGS__MESSAGE_HEAD + body_len;
    *to = type;
    return put_int32(to + 1, (uint32_t)(body_len + 4));
}

void
pgs__wire_parse(struct pgs_buf *out, const char *name, struct pgs_text sql)
{
    size_t name_size = strlen(name) + 1;
    char *to = begin(out, 'P', name_size + sql.len + 1 + 2);

    if (to == NULL)
        return;
    to = put_bytes(to, name, name_size);
    to = put_bytes(to, sql.at, sql.len);
    *to++ = '\0';
    (void)put_int16(to, 0); /* PostgreSQL infers the types of all parameters */
}

static size_t
size_of(const struct pgs_text *values, int n)
{
    size_t size = (size_t)n * 4;

    for (int i = 0; i < n; i++)
        size += values[i].at != NULL ? values[i].len : 0;
    return size;
}

void
pgs__wire_bind(struct pgs_buf *out, const char *name, const struct pgs_text *values, int n)
{
    size_t name_size = strlen(name) + 1;
    char *to = begin(out, 'B', 1 + name_size + 2 + 2 + size_of(values, n) + 2);

    if (to == NULL)
        return;
    *to++ = '\0'; /* the unnamed portal */
    to = put_bytes(to, name, name_size);
    to = put_int16(to, 0); /* all in text form */
    to = put_int16(to, (unsigned)n);
    for (int i = 0; i < n; i++) {
        if (values[i].at == NULL) {
            to = put_int32(to, UINT32_MAX);
            continue;
        }
        to = put_int32(to, (uint32_t)values[i].len);
        to = put_bytes(to, values[i].at, values[i].len);
    }
    (void)put_int16(to, 0);
}

void
pgs__wire_execute(struct pgs_buf *out)
{
    static const char message[] = {'E', 0, 0, 0, 9, 0, 0, 0, 0, 0}; /* all rows */

    pgs_buf_add(out, message, sizeof(message));
}

void
pgs__wire_sync(struct pgs_buf *out)
{
    static const char message[] = {'S', 0, 0, 0, 4};

    pgs_buf_add(out, message, sizeof(message));
}

/* ---- reading ---- */

static uint32_t
get_int32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static unsigned
get_int16(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (unsigned)b[0] << 8 | b[1];
}

enum pgs__wire_state
pgs__wire_next(const char *bytes, size_t len, struct pgs__message *message)
{
    uint32_t said;

    if (len < PGS__MESSAGE_HEAD)
        return PGS__WIRE_MORE;
    said = get_int32(bytes + 1);
    if (said < 4 || said > MAX_MESSAGE)
        return PGS__WIRE_BAD;
    if (len - 1 < said)
        return PGS__WIRE_MORE;
    *message = (struct pgs__message){*bytes, bytes + PGS__MESSAGE_HEAD, said - 4};
    return PGS__WIRE_MESSAGE;
}

int
pgs__row_columns(const struct pgs__message *row)
{
    const char *at = row->at, *end = row->at + row->len;
    unsigned n;

    if (row->len < 2)
        return -1;
    n = get_int16(at);
    at += 2;
    for (unsigned i = 0; i < n; i++) {
        uint32_t len;

        if (end - at < 4)
            return -1;
        len = get_int32(at);
        at += 4;
        if (len == UINT32_MAX)
            continue;
        if (len > (size_t)(end - at))
            return -1;
        at += len;
    }
    return at == end ? (int)n : -1;
}

const char *
pgs__row_values(const char *row)
{
    return row + 2;
}

struct pgs_text
pgs__row_next(const char **at)
{
    uint32_t len = get_int32(*at);
    struct pgs_text value = {*at + 4, len};

    *at += 4;
    if (len == UINT32_MAX)
        return (struct pgs_text){NULL, 0};
    *at += len;
    return value;
}

bool
pgs__error_is_sound(struct pgs_text error)
{
    const char *at = error.at, *end = error.at + error.len;

    while (at < end && *at != '\0') {
        at = memchr(at, '\0', (size_t)(end - at));
        if (at == NULL)
            return false;
        at++;
    }
    return at == end - 1;
}

const char *
pgs__error_field(struct pgs_text error, char which)
{
    if (error.at == NULL)
        return "";
    for (const char *at = error.at; *at != '\0'; at += strlen(at) + 1)
        if (*at == which)
            return at + 1;
    return "";
}

int64_t
pgs__tag_rows(struct pgs_text tag)
{
    size_t at = tag.len > 0 && tag.at[tag.len - 1] == '\0' ? tag.len - 1 : tag.len;
    int64_t n = 0, unit = 1;

    for (int digits = 0; digits < 18 && at > 0; digits++) {
        char c = tag.at[--at];

        if (c < '0' || c > '9')
            return c == ' ' ? n : 0;
        n += (c - '0') * unit;
        unit *= 10;
    }
    return 0;
}

bool
pgs__parameter_read(const struct pgs__message *message, const char **name, const char **value)
{
    const char *end = message->at + message->len, *middle;

    middle = message->len > 0 ? memchr(message->at, '\0', message->len) : NULL;
    if (middle == NULL || middle + 1 >= end || end[-1] != '\0')
        return false;
    *name = message->at;
    *value = middle + 1;
    return true;
}
