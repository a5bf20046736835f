/* SPDX-License-Identifier: MIT */
/*
 * The functions and operators of functions.def: which row a call means, by PostgreSQL's rules of
 * overloading, and of which type its result is.
 */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

enum volatility {
    IMMUTABLE,
    STABLE,
    VOLATILE,
};

/* When a result may be NULL. */
enum nulls {
    STRICT, /* only when an argument is */
    NEVER,
    MAYBE,
};

struct function {
    const char *name;
    const char *args;
    const char *result;
    enum volatility volatility;
    enum nulls nulls;
    bool aggregate;
};

#define FUNCTION_MAX_ARGS 32

/* What a call was found to mean: the row, and the types that its arguments and result then have. */
struct resolution {
    const struct function *function;
    struct type args[FUNCTION_MAX_ARGS];
    struct type result;
};

/* A function of this name, whatever its arguments; NULL: there is none. */
const struct function *function_find(const char *name);

/* The one that fits these arguments best; false: none fits. */
bool function_resolve(const char *name, const struct type *args, size_t n, struct resolution *out);

/* An operator; a prefix when n is 1. */
bool operator_resolve(const char *symbol, const struct type *args, size_t n,
                      struct resolution *out);

/* Every name, for "did you mean". */
const char *const *function_names(size_t *n);

/* "lower(text)", one for each row of the name, separated by "; ": for messages. */
const char *function_forms(const char *name);

#endif
