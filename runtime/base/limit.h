/* SPDX-License-Identifier: MIT */
/*
 * The limits of limits.def, and how often each was reached.
 */
#ifndef PGS_BASE_LIMIT_H
#define PGS_BASE_LIMIT_H

#include <stdint.h>
#include <stdio.h>

enum pgs_limit {
#define PGS_LIMIT(id, name, setting, value, meaning) PGS_LIMIT_##id,
#include "base/limits.def"
#undef PGS_LIMIT
    PGS_LIMITS,
};

/* Counts; from any thread. */
void pgs_limit_hit(enum pgs_limit limit);

/* Before there is a client: forgets what trials of our own have counted. */
void pgs_limits_forget(void);

uint64_t pgs_limit_hits(enum pgs_limit limit);
const char *pgs_limit_name(enum pgs_limit limit);

/* The table, for people: `--show-limits`. */
void pgs_limits_print(FILE *out);

#endif
