/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 as PostgreSQL takes it (RFC 3629): no overlong forms, no surrogates, nothing above
 * U+10FFFF.  Everything from a client passes here before it may become a value.
 */
#ifndef PGS_BASE_UTF8_H
#define PGS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the valid sequence that starts at `at`, 1 to 4; 0: none does.  `n` > 0 bytes are there.
 */
size_t pgs_utf8_sequence(const char *at, size_t n);

/* The offset of the first byte that is not part of a valid sequence; `len`: all is well. */
size_t pgs_utf8_check(const char *at, size_t len);

/* Characters in valid UTF-8. */
size_t pgs_utf8_count(const char *at, size_t len);

/* The most bytes, `max` at most, that do not end inside a character of valid UTF-8. */
size_t pgs_utf8_cut(const char *at, size_t len, size_t max);

/* Writes a code point that is no surrogate; returns its length, 4 at most. */
size_t pgs_utf8_write(char *at, uint32_t code);

#endif
