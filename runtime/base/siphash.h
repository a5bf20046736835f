/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 with 64 bits (Aumasson and Bernstein, SipHash: a fast short-input PRF).  libcrypto
 * has it, at five times the price where a text is as short as those that tables are looked up by.
 */
#ifndef PGS_BASE_SIPHASH_H
#define PGS_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct pgs_siphash_key {
    uint64_t low, high;
};

uint64_t pgs_siphash(const struct pgs_siphash_key *key, const void *bytes, size_t len);

#endif
