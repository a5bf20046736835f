/* SPDX-License-Identifier: MIT */
#include "http/chunked.h"

#include <string.h>

#define DIGITS_MAX 15
#define TRAILER_MAX 4096

enum state {
    SIZE, /* libh2o's zero */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_LINE, /* at its beginning */
    TRAILER,
    TRAILER_LF,
    END_LF,
};

enum {
    MORE = -2,
    BAD = -1,
    COMPLETE = 0
};

static int
digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
go(struct pgs__chunked *chunked, enum state state)
{
    chunked->state = (char)state;
    return MORE;
}

static int
read_size(struct pgs__chunked *chunked, char c)
{
    int value = digit(c);

    if (value < 0)
        return c == '\r' && chunked->digits > 0 ? go(chunked, SIZE_LF) : BAD;
    if (chunked->digits++ == DIGITS_MAX)
        return BAD;
    chunked->left = chunked->left * 16 + (size_t)value;
    return MORE;
}

static int
read_trailer(struct pgs__chunked *chunked, char c)
{
    if (++chunked->left > TRAILER_MAX || c == '\n' || c == '\0')
        return BAD;
    if (c == '\r')
        return go(chunked, chunked->state == TRAILER_LINE ? END_LF : TRAILER_LF);
    return go(chunked, TRAILER);
}

static int
read_byte(struct pgs__chunked *chunked, char c)
{
    switch ((enum state)chunked->state) {
    case SIZE:
        return read_size(chunked, c);
    case SIZE_LF:
        chunked->digits = 0;
        return c != '\n' ? BAD : go(chunked, chunked->left > 0 ? DATA : TRAILER_LINE);
    case DATA:
        return BAD; /* read in one piece by the caller */
    case DATA_CR:
        return c == '\r' ? go(chunked, DATA_LF) : BAD;
    case DATA_LF:
        return c == '\n' ? go(chunked, SIZE) : BAD;
    case TRAILER_LINE:
    case TRAILER:
        return read_trailer(chunked, c);
    case TRAILER_LF:
        return c == '\n' ? go(chunked, TRAILER_LINE) : BAD;
    case END_LF:
        return c == '\n' ? COMPLETE : BAD;
    }
    return BAD;
}

ssize_t
pgs__chunked_read(struct pgs__chunked *chunked, char *bytes, size_t *len)
{
    size_t in = 0, out = 0, following;
    int result = MORE;

    while (in < *len && result == MORE) {
        size_t n = *len - in < chunked->left ? *len - in : chunked->left;

        if (chunked->state != DATA) {
            result = read_byte(chunked, bytes[in++]);
            continue;
        }
        memmove(bytes + out, bytes + in, n);
        in += n;
        out += n;
        chunked->left -= n;
        if (chunked->left == 0)
            chunked->state = DATA_CR;
    }
    if (result == BAD)
        return BAD;
    following = *len - in;
    memmove(bytes + out, bytes + in, following);
    *len = out;
    return result == COMPLETE ? (ssize_t)following : MORE;
}
