/* SPDX-License-Identifier: MIT */
/* Parts of secret.c: keys that only their place gives away. */
#ifndef CHECK_SECRET_H
#define CHECK_SECRET_H

#include "check/checker.h"

/* Values beside words such as `apikey` and `password`, and keys in calls that encrypt. */
void check_secret_values(const struct source *file, void (*report)(struct span, const char *));

/* default 'changeme' of a password: the same in all rows, and in the sources. */
void check_secret_defaults(const struct model *model);

#endif
