/* SPDX-License-Identifier: MIT */
/* The choice among the rows of one name; for functions.c. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "model/catalog.h"

/* False: none fits, or out->is_ambiguous. */
bool resolve_rows(struct rows rows, const struct type *args, size_t n, struct resolution *out);

/* Only a row of these very types. */
bool resolve_exact(struct rows rows, const struct type *args, size_t n, struct resolution *out);

#endif
