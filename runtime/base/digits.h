/* SPDX-License-Identifier: MIT */
/*
 * Whole numbers, without the price of printf.
 */
#ifndef PGS_BASE_DIGITS_H
#define PGS_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PGS_DIGITS_MAX 20 /* the sign included */
#define PGS_HEX_MAX 16

/* Writes `value` and returns the end; room for PGS_DIGITS_MAX bytes, no NUL. */
static inline char *
pgs_write_int(char *to, int64_t value)
{
    char digits[PGS_DIGITS_MAX];
    size_t at = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--at] = '-';
    memcpy(to, digits + at, sizeof(digits) - at);
    return to + (sizeof(digits) - at);
}

/* The same in hexadecimal, with capitals; room for PGS_HEX_MAX bytes. */
static inline char *
pgs_write_hex(char *to, uint64_t value)
{
    int shift = 60;

    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *to++ = "0123456789ABCDEF"[value >> shift & 0xf];
    return to;
}

#endif
