/* SPDX-License-Identifier: MIT */
/*
 * SQL types as the compiler knows them: how they are spelled, which casts PostgreSQL makes by
 * itself, and what each is in C and in JSON.  The scalar ones come from pgs/types.def.
 */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

enum json_form {
    JSON_FORM_NUMBER,
    JSON_FORM_STRING,
    JSON_FORM_BOOLEAN,
    JSON_FORM_ANY,
};

/* What types.def says of a scalar type. */
struct type_info {
    const char *kind;  /* "INT8": PGS_INT8 in C */
    const char *sql;   /* "bigint" */
    const char *ctype; /* "int64_t" */
    unsigned oid, array_oid;
    enum json_form json;
};

/* How a cast from one type to another may happen; each kind includes the ones after it. */
enum type_cast {
    CAST_NONE,
    CAST_EXPLICIT,   /* only when written */
    CAST_ASSIGNMENT, /* also into a column, a default or an argument of a query's caller */
    CAST_IMPLICIT,   /* also inside any expression */
};

/* NULL for kinds that no column has (void, a bare null) and for enumerations. */
const struct type_info *type_info(enum type_kind kind);

struct type type_scalar(enum type_kind kind);
struct type type_array_of(struct type element);
struct type type_element(struct type array);

/* By any spelling that PostgreSQL takes ("int", "timestamptz", "character varying"); lower case. */
bool type_find(const char *spelling, struct type *out);

/* The same, and the types that only expressions meet: name, oid, regclass, regconfig, ... */
bool type_find_for_cast(const char *spelling, struct type *out);

/* The spellings that type_find takes, for "did you mean". */
const char *const *type_spellings(size_t *n);

/* For messages: "text", "ticket_state", "varchar(80)", "text[]". */
const char *type_text(struct type type);

/* The same type, whatever its length or precision. */
bool type_same(struct type a, struct type b);

/* What `from` needs to become `to`; CAST_IMPLICIT when they are the same. */
enum type_cast type_cast_kind(struct type from, struct type to);

bool type_is_number(struct type type);
bool type_is_integer(struct type type);
bool type_is_text(struct type type);
bool type_is_bool(struct type type);

/* The rows of a table. */
bool type_is_row(struct type type);

/* NULL, a literal in quotes that has met no other type yet, or raw SQL: takes any type. */
bool type_is_open(struct type type);

/* A column or an argument may have it. */
bool type_is_storable(struct type type);

/* It has an order, which `=`, `<`, keys and `group by` follow; json, xml and shapes have none. */
bool type_is_comparable(struct type type);

/* Without its length and precision. */
struct type type_plain(struct type type);

/* What a domain is made over; any other type is its own. */
struct type type_base(struct type type);

/* As PostgreSQL's pg_type says: N numbers, S texts, D dates and times, A arrays, E enumerations,
 * R ranges, C composites, X a literal without a type, ... */
char type_category(struct type type);

/* The one of its category that overloads go for. */
bool type_is_preferred(struct type type);

/* Of a domain; an array whose items are of one. */
bool type_is_domain(struct type type);
bool type_is_array_of_domain(struct type type);

/* A domain that says what a column without a default holds. */
bool type_has_default(struct type type);

/* A range or multirange. */
bool type_is_range(struct type type);
bool type_is_multirange(struct type type);
struct type type_subtype(struct type range);
struct type type_range_of(struct type multirange);
struct type type_multirange_of(struct type range);

/*
 * The type that case, coalesce, array[...] and union give to these; false: there is none.  When all
 * are open it is open, too.
 */
bool type_common_of(const struct type *types, size_t n, struct type *out);
bool type_common(struct type a, struct type b, struct type *out);

#endif
