/* SPDX-License-Identifier: MIT */
/*
 * base64url as JSON Web Tokens use it (RFC 4648 section 5, RFC 7515 section 2).
 */
#ifndef PGS_CODEC_BASE64URL_H
#define PGS_CODEC_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * No padding, no other alphabet, no stray bits: each value has one spelling, anything else is
 * false.  `to` has room for `len` bytes; `*n` of them are written.
 */
bool pgs_base64url_decode(const char *text, size_t len, uint8_t *to, size_t *n)
    __attribute__((warn_unused_result));

#endif
