/* SPDX-License-Identifier: MIT */
/* An access matrix for one who asks: narrowed, the policies of a role and command joined. */
#ifndef VIEW_H
#define VIEW_H

#include "base/str.h"
#include "review/matrix.h"

/* Each NULL: all of them.  Names as the matrix has them. */
struct view {
    const char *role;
    const char *table; /* or view, or query */
    const char *command;
};

void view_print_text(struct str *out, const struct matrix *matrix, const struct view *view);
void view_print_json(struct str *out, const struct matrix *matrix, const struct view *view);

#endif
