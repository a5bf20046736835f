/* SPDX-License-Identifier: MIT */
/* What the checks of privileged writes share. */
#ifndef CHECK_PRIVILEGE_H
#define CHECK_PRIVILEGE_H

#include "check/checker.h"

struct branches;

struct writing {
    struct checker *checker;
    const struct grant *grant;
    const struct column *column;
    struct span span; /* of the column in the grant, or of the grant */
};

/* Another finding is about the place or the column; from now on this one is. */
bool check_write_is_told(const struct writing *writing);

/* Something looks at new rows before they are there. */
bool check_has_trigger(const struct model *model, const struct table *table, enum command command);

/* Some side reads the column of the new row. */
bool check_is_read_by(const struct branches *written, const struct column *column);

/* price.c */
void check_price(const struct writing *writing);

#endif
