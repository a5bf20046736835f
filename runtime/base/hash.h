/* SPDX-License-Identifier: MIT */
/*
 * A quick hash for tables whose entries are then compared byte for byte.  With a secret seed nobody
 * outside can choose keys that meet.
 */
#ifndef PGS_BASE_HASH_H
#define PGS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
pgs_hash(uint64_t seed, const char *bytes, size_t len)
{
    uint64_t h = seed, word;

    for (; len >= sizeof(word); bytes += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    word = len;
    memcpy(&word, bytes, len);
    h = (h ^ word ^ (uint64_t)len << 56) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

#endif
