/* SPDX-License-Identifier: MIT */
#include "codec/base64url.h"

/* -1: not of the alphabet. */
static int
sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool
pgs_base64url_decode(const char *text, size_t len, uint8_t *to, size_t *n)
{
    uint32_t bits = 0;
    int n_bits = 0;

    *n = 0;
    if (len % 4 == 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        int value = sextet(text[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            to[(*n)++] = (uint8_t)(bits >> n_bits);
        }
    }
    return (bits & ((1U << n_bits) - 1)) == 0;
}
