/* SPDX-License-Identifier: MIT */
/* The rows of one role and command: its permissive policies by OR, the restrictive ones by AND. */
#ifndef ROWS_H
#define ROWS_H

#include "review/condition.h"

/* What one side says of the rows: of those that are there, or of those that a write leaves. */
struct rows {
    const struct condition *condition;
    const char *text;
    bool any; /* some policy is named */
};

struct rows rows_of(const struct section *section, const char *role, const char *command,
                    bool new_row);

/* The facts that decide them: a policy without `new row` is decided by its `rows`. */
bool rows_is_fact(const struct section *section, const struct fact *fact, const char *role,
                  const char *command, bool new_row);

#endif
