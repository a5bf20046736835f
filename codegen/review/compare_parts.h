/* SPDX-License-Identifier: MIT */
/* What compare.c and marks.c share. */
#ifndef COMPARE_PARTS_H
#define COMPARE_PARTS_H

#include "review/compare.h"

struct comparing {
    const struct matrix *old, *new;
    const struct section *was, *now; /* of one name; empty where it was or is not there */
    bool added, removed;             /* the section as a whole */
    struct changes *changes;
};

struct change *compare_add(struct comparing *c, enum direction direction, const char *what);

/* What is in `a` and not in `b`. */
struct words compare_without(const struct words *a, const struct words *b);

/* The mark of this name, on either side. */
void compare_mark(struct comparing *c, const char *name);

#endif
