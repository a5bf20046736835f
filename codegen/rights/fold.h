/* SPDX-License-Identifier: MIT */
/*
 * Conditions in three-valued logic: what one is whatever the row holds, when some claims are
 * missing. What depends on the row stays unknown; nothing is claimed that is not certain.
 */
#ifndef CHECK_FOLD_H
#define CHECK_FOLD_H

#include "model/model.h"

enum value_kind {
    V_UNKNOWN, /* depends on the row, or is not followed */
    V_NULL,
    V_TRUE,
    V_FALSE,
    V_CONSTANT, /* text */
};

struct value {
    enum value_kind kind;
    const char *text;
};

/* What is taken for granted; all zero: nothing. */
struct assumption {
    const char *role;               /* what auth.role() gives; NULL: unknown */
    bool uid_is_null;               /* no user */
    bool token_is_null;             /* no token at all: every claim, auth.jwt(), auth.email() */
    const struct claim *null_claim; /* this one is missing */
    const struct binding *binding;
};

struct value check_fold(const struct expr *expr, const struct assumption *a);

/* False or null, whichever: `x and null` is not known, but it is never true. */
bool check_is_never_true(const struct expr *expr, const struct assumption *a);

#endif
