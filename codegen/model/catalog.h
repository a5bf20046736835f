/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's own types, functions, operators and casts: the rows of catalog_*.def, which
 * tools/catalog writes from real servers, and what their words mean.  functions.h and types.h ask
 * the questions; this is what they share.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "model/functions.h"
#include "model/model.h"

struct catalog_type {
    unsigned oid, array_oid;
    const char *name; /* of pg_type: "int4", "timestamptz" */
    char category;
    bool preferred;
    const char *part;      /* of a range its subtype, of a multirange its range; "": none */
    const char *extension; /* that brings it; NULL: it is PostgreSQL's own */
};

/* NULL when there is none of this name. */
const struct catalog_type *catalog_type_named(const char *name);

/* It brings types: their operators are looked for where it is. */
bool catalog_has_types_of(const char *extension);

/* The row of a type's kind, whether it is an array or not; NULL for what the schema declares. */
const struct catalog_type *catalog_type_of(struct type type);

/* The type of a row: of the language's own kind where it has one. */
struct type catalog_type_get(const struct catalog_type *row);

/* Number of a row, for tables over all of them. */
size_t catalog_type_number(const struct catalog_type *row);
size_t catalog_type_count(void);

/* What an argument or result that is not one type stands for. */
enum generic {
    GENERIC_NONE,
    GENERIC_ANY, /* "any": each argument its own type */
    GENERIC_ELEMENT,
    GENERIC_NONARRAY,
    GENERIC_ENUM,
    GENERIC_ARRAY,
    GENERIC_RANGE,
    GENERIC_MULTIRANGE,
};

struct slot {
    enum generic generic;
    bool compatible; /* anycompatible and its like: a common type will do */
    struct type type;
};

struct signature {
    size_t n;
    bool variadic; /* the last one any number of times, once at least */
    bool is_set;
    struct slot result;
    const struct slot *slots;
};

/* The rows of a name, one after the other; n is 0 when there are none. */
struct rows {
    const struct function *at;
    size_t n;
};

struct rows catalog_functions_named(const char *name);
struct rows catalog_operators_named(const char *symbol);

/* All of PostgreSQL's own functions, sorted by name. */
struct rows catalog_functions(void);

const struct signature *catalog_signature(const struct function *function);

/* The slot that the i-th argument of a call fills. */
const struct slot *catalog_slot(const struct signature *signature, size_t i);

/*
 * Finds what the generic slots stand for in a call.  With `out` NULL only whether the arguments fit
 * one another; else all must be known, and args and result are filled in.
 */
bool catalog_unify(const struct signature *signature, const struct type *args, size_t n,
                   struct resolution *out);

#endif
