/* SPDX-License-Identifier: MIT */
/* Types in the model, and those that the schema makes.  Part of model.h. */
#ifndef TYPE_H
#define TYPE_H

#include <stdbool.h>

#include "base/vec.h"
#include "text/source.h"

struct column;
struct extension;
struct expr;
struct table;

enum type_kind {
#define PGS_TYPE(kind, sql, ctype, oid, array_oid, json) TYPE_##kind,
#include "pgs/types.def"
#undef PGS_TYPE
    TYPE_ENUM,
    TYPE_COMPOSITE,
    TYPE_RANGE, /* of the schema's own; `range` says which, also of its multirange */
    TYPE_MULTIRANGE,
    TYPE_VOID,
    TYPE_NULL,    /* a bare NULL before it meets another operand */
    TYPE_UNKNOWN, /* a literal in quotes before it meets another operand */
    TYPE_ANY,     /* of raw SQL: unchecked */
    TYPE_CATALOG, /* one of PostgreSQL's that only expressions meet: `catalog` */
};

struct enumeration {
    struct span span;
    const char *name;
    VEC(const char *) labels;
    VEC(struct span) label_spans;
    VEC(const char *) label_was; /* beside them: former values; NULL: none */
    const char *was;             /* former name; NULL: none */
    struct span was_span;
};

/* A domain's values are its base type's in expressions: kind, array and length are the base's. */
struct type {
    enum type_kind kind; /* of the element, when `array` */
    bool array;
    int length;           /* varchar(n), char(n), bit(n), bit varying(n); 0: none */
    int precision, scale; /* numeric(p, s); precision 0: none */
    bool has_digits;      /* time(n), timestamp(n), interval(n) and their like: */
    int digits;           /* of seconds; may be 0 */
    const struct enumeration *enumeration;
    const struct composite *composite;
    const struct range_type *range;
    const struct domain *domain; /* NULL: none */
    const struct catalog_type *catalog;
    const struct extension *extension; /* that brings it, as it is declared; NULL: none */
};

/* type t as (a int, b text) */
struct composite {
    struct span span;
    const char *name;
    VEC(struct column *) fields;
    const struct table *row_of; /* it is the type of its rows; NULL: declared by itself */
};

/* type r as range (subtype = t) */
struct range_type {
    struct span span;
    const char *name;
    const char *multirange; /* the name that PostgreSQL gives to its multirange */
    struct type subtype;
};

struct domain_check {
    struct span span;
    const char *name; /* given, or as PostgreSQL would choose it */
    struct expr *check;
};

struct domain {
    struct span span;
    const char *name;
    struct type type; /* what it is made of, itself perhaps a domain */
    bool not_null;
    struct expr *default_expr; /* NULL: none */
    VEC(struct domain_check) checks;
    const struct table *row; /* its one column is the `value` that checks read */
};

/* One of the three, the others NULL. */
struct defined_type {
    const struct composite *composite;
    const struct range_type *range;
    const struct domain *domain;
};

#endif
