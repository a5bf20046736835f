/* SPDX-License-Identifier: MIT */
/*
 * The time, in one place, so that a test may stand still or jump.  Deadlines use the monotonic
 * clock; what is compared with a token or printed uses the wall clock.
 */
#ifndef PGS_BASE_CLOCK_H
#define PGS_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds that never go back, from an unspecified start. */
int64_t pgs_clock_ms(void);

/* Microseconds of the same clock, to measure with. */
int64_t pgs_clock_us(void);

/* Seconds since 1970-01-01T00:00:00Z. */
int64_t pgs_clock_wall_s(void);

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t pgs_clock_wall_ms(void);

/* Where the time comes from; a test's own, in microseconds.  Each may be NULL: the system's. */
struct pgs_clock {
    int64_t (*monotonic_us)(void);
    int64_t (*wall_us)(void);
};

/* Replaces the source of time; NULL gives the system's back.  Not while threads run. */
void pgs_clock_replace(const struct pgs_clock *clock);

#endif
