/* SPDX-License-Identifier: MIT */
/* Names and values of a URL's query (WHATWG URL, application/x-www-form-urlencoded). */
#ifndef PGS_CODEC_URL_DECODE_H
#define PGS_CODEC_URL_DECODE_H

#include "pgs/types.h"

/*
 * Percent-escapes and `+` of one name or value, from `at` to `end`, into `to`, which has room for
 * as many bytes.  NULL: `text` is valid UTF-8 without U+0000; else why not, a constant sentence.
 */
const char *pgs_url_decode(const char *at, const char *end, char *to, struct pgs_text *text)
    __attribute__((warn_unused_result));

#endif
