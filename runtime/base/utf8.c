/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The second byte carries what an overlong form, a surrogate or too great a number would break. */
static bool
is_second(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return (second & 0xC0) == 0x80;
    }
}

static size_t
expected_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2)
        return 0;
    if (first < 0xE0)
        return 2;
    if (first < 0xF0)
        return 3;
    return first < 0xF5 ? 4 : 0;
}

size_t
pgs_utf8_sequence(const char *at, size_t n)
{
    const unsigned char *bytes = (const unsigned char *)at;
    size_t len = expected_length(bytes[0]);

    if (len < 2)
        return len;
    if (len > n || !is_second(bytes[0], bytes[1]))
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

size_t
pgs_utf8_check(const char *at, size_t len)
{
    size_t i = 0;

    while (i < len) {
        uint64_t word;
        size_t n;

        if (len - i >= sizeof(word)) {
            memcpy(&word, at + i, sizeof(word));
            if ((word & HIGH_BITS) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        n = pgs_utf8_sequence(at + i, len - i);
        if (n == 0)
            return i;
        i += n;
    }
    return len;
}

size_t
pgs_utf8_count(const char *at, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)at[i] & 0xC0) != 0x80;
    return n;
}

size_t
pgs_utf8_cut(const char *at, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)at[max] & 0xC0) == 0x80)
        max--;
    return max;
}

size_t
pgs_utf8_write(char *at, uint32_t code)
{
    if (code < 0x80) {
        at[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        at[0] = (char)(0xC0 | code >> 6);
        at[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        at[0] = (char)(0xE0 | code >> 12);
        at[1] = (char)(0x80 | (code >> 6 & 0x3F));
        at[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    at[0] = (char)(0xF0 | code >> 18);
    at[1] = (char)(0x80 | (code >> 12 & 0x3F));
    at[2] = (char)(0x80 | (code >> 6 & 0x3F));
    at[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}
