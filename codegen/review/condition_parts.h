/* SPDX-License-Identifier: MIT */
/* What condition.c, condition_read.c and canonical.c share. */
#ifndef CONDITION_PARTS_H
#define CONDITION_PARTS_H

#include "base/str.h"
#include "review/condition.h"
#include "syntax/ast.h"

enum condition_kind {
    COND_TRUE,
    COND_FALSE,
    COND_AND,
    COND_OR,
    COND_NOT,  /* of one of the two below: `not` is driven inwards */
    COND_IN,   /* text is one of `values` */
    COND_PART, /* text; `call` where it is no more than a call of that name */
};

struct condition {
    enum condition_kind kind;
    VEC(const struct condition *) parts;
    const char *text; /* canonical */
    struct words values;
    struct words names; /* in the text */
    const char *call;
};

/* Its form is decided by condition_of, not by canonical_text. */
bool condition_is_logical(const struct ast_expr *expr);

const struct condition *condition_of(const struct ast_expr *expr);

/* The same text for what is the same but for its spelling. */
const char *condition_text(const struct condition *condition);
const char *canonical_text(const struct ast_expr *expr);

#endif
