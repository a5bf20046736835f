/* SPDX-License-Identifier: MIT */
/*
 * The Server-Timing header (W3C): how long each part of an answer took, in milliseconds.
 */
#ifndef PGS_HTTP_TIMING_H
#define PGS_HTTP_TIMING_H

#include <h2o.h>

/* Room for the value of any header that pgs_timing_write writes. */
#define PGS_TIMING_MAX 192

struct pgs_request_info;

/* `auth;dur=0.05, queue;dur=0.01, db;dur=1.2, encode;dur=0.03, total;dur=1.31` as of `now_us`;
 * without the middle three where PostgreSQL was not asked.  Returns the length. */
size_t pgs__timing_write(const struct pgs_request_info *info, int64_t now_us,
                         char value[PGS_TIMING_MAX]);

#endif
