/* SPDX-License-Identifier: MIT */
/* What changed between two texts, as `diff -u` shows it. */
#ifndef LINEDIFF_H
#define LINEDIFF_H

#include <stdio.h>

/* Nothing when they are the same. */
void linediff_print(FILE *out, const char *path, const char *before, const char *after);

#endif
