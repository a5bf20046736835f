/* SPDX-License-Identifier: MIT */
/*
 * Comparing what a client must not guess: the time taken depends on the length alone.
 */
#ifndef PGS_BASE_SECRET_H
#define PGS_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Word by word; `volatile` keeps the compiler from leaving the loops early. */
static inline bool
pgs_secret_is(const char *secret, const char *given, size_t len)
{
    volatile uint64_t differ = 0;
    uint64_t a, b;

    for (; len >= sizeof(a); secret += sizeof(a), given += sizeof(a), len -= sizeof(a)) {
        memcpy(&a, secret, sizeof(a));
        memcpy(&b, given, sizeof(a));
        differ |= a ^ b;
    }
    for (; len > 0; len--)
        differ |= (unsigned char)(*secret++ ^ *given++);
    return differ == 0;
}

#endif
