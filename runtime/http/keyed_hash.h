/* SPDX-License-Identifier: MIT */
/*
 * A hash for tables that clients fill.  Its key is of this process and random, so that nobody can
 * choose what falls into one place (SipHash-2-4).
 */
#ifndef PGS_HTTP_KEYED_HASH_H
#define PGS_HTTP_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t pgs__keyed_hash(const void *bytes, size_t len);

#endif
