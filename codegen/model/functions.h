/* SPDX-License-Identifier: MIT */
/*
 * Functions and operators: which row of PostgreSQL's catalog a call means, by PostgreSQL's rules of
 * overloading, and of which type its result is.  An expression that was checked keeps its row in
 * `function` (EXPR_CALL, EXPR_OP, EXPR_IN, EXPR_ANY, EXPR_ALL, EXPR_EXTRACT), NULL where it is none
 * of PostgreSQL's: and, or, not, is null, a function of the schema.
 *
 * The catalog holds releases 15 to 18.  A call means what it means in 15; one that only newer
 * releases have is found too, and its resolution says since when.
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
    EMPTY, /* of an aggregate: only of no rows, or when an argument is */
    MAYBE,
};

enum {
    OLDEST_RELEASE = 15,
    NEWEST_RELEASE = 18,
};

struct function {
    const char *name;
    const char *args;   /* "text, int4", "any..." */
    const char *result; /* "text", "setof text" */
    char kind;          /* f function, a aggregate, o and h one that takes `within group`,
                           w window function, s SQL's own syntax, x operator */
    int defaults;       /* how many of the last arguments may be left out */
    bool strict;        /* NULL for a NULL argument */
    enum nulls nulls;
    enum volatility volatility; /* what holds in every release */
    const char *releases;  /* a letter for each of 15 to 18: i, s, v; - where it is not there */
    const char *leakproof; /* the same: L, n */
    bool aggregate;
    const char *extension; /* that brings it; NULL: it is PostgreSQL's own */
};

#define FUNCTION_MAX_ARGS 100

/* What a call was found to mean: the row, and the types that its arguments and result then have. */
struct resolution {
    const struct function *function;
    struct type args[FUNCTION_MAX_ARGS];
    struct type result;
    bool is_exact;     /* of the very types that were given */
    bool is_ambiguous; /* nothing was found, because several rows fit equally well */
};

/* A function of this name, whatever its arguments; NULL: there is none. */
const struct function *function_find(const char *name);

/* One that an extension brings, where PostgreSQL itself has none. */
const struct function *function_find_extension(const char *name);

/* The one that these arguments mean; false: none, or several. */
bool function_resolve(const char *name, const struct type *args, size_t n, struct resolution *out);

/* An operator; a prefix when n is 1.  Words are operators too: like, ilike, similar to, ... */
bool operator_resolve(const char *symbol, const struct type *args, size_t n,
                      struct resolution *out);

/* Every name, for "did you mean". */
const char *const *function_names(size_t *n);

/* "lower(text)", one for each row of the name, separated by "; ": for messages. */
const char *function_forms(const char *name);

/* The operands that an operator takes, "text, text; jsonb, jsonb": for messages; NULL: no such. */
const char *operator_forms(const char *symbol, size_t n);

/* The first release that has it. */
int function_since(const struct function *function);

bool function_is_set(const struct function *function);

/*
 * For whoever asks what PostgreSQL does with a condition.  A function that is not leakproof is not
 * run before row security has chosen the rows, so no index serves it; volatile ones run once a row.
 */
enum volatility function_volatility(const struct function *function, int release);
bool function_is_leakproof(const struct function *function); /* in every release that has it */

/* Of `left symbol right`, the casts that PostgreSQL puts around the operands included. */
bool operator_is_leakproof(const char *symbol, struct type left, struct type right);
bool cast_is_leakproof(struct type from, struct type to);
enum volatility cast_volatility(struct type from, struct type to);

/* By a function of its own: not a mere other name, nor through text. */
bool cast_has_function(struct type from, struct type to);

/* The result may be NULL though the value is not. */
bool cast_gives_null(struct type from, struct type to);

#endif
