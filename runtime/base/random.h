/* SPDX-License-Identifier: MIT */
/* Numbers that nobody can guess. */
#ifndef PGS_BASE_RANDOM_H
#define PGS_BASE_RANDOM_H

#include <stddef.h>

/* Fills them from the kernel; ends the process where it has none to give. */
void pgs_random(void *bytes, size_t n);

#endif
