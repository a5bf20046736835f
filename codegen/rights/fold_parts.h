/* SPDX-License-Identifier: MIT */
/* What check_fold.c and check_fold_operator.c share. */
#ifndef CHECK_FOLD_PARTS_H
#define CHECK_FOLD_PARTS_H

#include "rights/fold.h"

/* What stands for the parameters of a predicate. */
struct binding {
    const struct binding *caller;
    const struct expr *call;
};

static const struct value unknown = {V_UNKNOWN, NULL}, null = {V_NULL, NULL};

static inline struct value
truth(bool is_true)
{
    return (struct value){is_true ? V_TRUE : V_FALSE, NULL};
}

static inline struct value
negate(struct value value)
{
    if (value.kind == V_TRUE || value.kind == V_FALSE)
        return truth(value.kind == V_FALSE);
    return value;
}

/* An operator with its operands. */
struct value check_fold_operator(const struct expr *expr, const struct assumption *a);

/* `left op right`, where op compares. */
struct value check_fold_comparison(const struct expr *left, const struct expr *right,
                                   const char *op, const struct assumption *a);

#endif
