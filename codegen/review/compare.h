/* SPDX-License-Identifier: MIT */
/*
 * What changed between two access matrices, and in which direction.  A change that is not known to
 * narrow counts as widened: `changed` says that it could not be told.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include "base/str.h"
#include "review/matrix.h"

enum direction {
    CHANGE_NARROWED,
    CHANGE_WIDENED,
    CHANGE_CHANGED, /* neither is known to imply the other */
    DIRECTIONS,
};

struct change {
    enum direction direction;
    const char *where;   /* "table ticket"; "": of the whole application */
    const char *role;    /* NULL: of no role alone */
    const char *command; /* NULL: of none alone */
    const char *what;    /* "columns", "rows", "new row", "route", ... */
    struct words gained, lost;
    const char *was, *now; /* NULL: nothing to show */
    struct words policies; /* "tickets_all added", ... */
};

struct changes {
    VEC(struct change) list;
    size_t n[DIRECTIONS];
};

/* Sorted as the matrices are. */
struct changes compare_matrices(const struct matrix *old, const struct matrix *new);

bool changes_widen(const struct changes *changes);

/* For a terminal, for programs, and for a comment on a pull request. */
void changes_print_text(struct str *out, const struct changes *changes);
void changes_print_json(struct str *out, const struct changes *changes);
void changes_print_markdown(struct str *out, const struct changes *changes);

#endif
