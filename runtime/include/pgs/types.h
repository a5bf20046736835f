/* SPDX-License-Identifier: MIT */
/*
 * Values and shapes: what a column is, and how a JSON object becomes a generated struct.
 *
 * Everything here is const data written by the compiler.  Text values are a pointer and a length
 * into the request's memory (or const data): they have no terminating NUL to rely on.
 */
#ifndef PGS_TYPES_H
#define PGS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pgs_kind {
#define PGS_TYPE(kind, sql, ctype, oid, array_oid, json) PGS_##kind,
#include "pgs/types.def"
#undef PGS_TYPE
    PGS_ENUM,      /* labels in pgs_type.labels */
    PGS_COMPOSITE, /* fields in pgs_type.fields */
    PGS_VOID,      /* a function that returns nothing */
};

struct pgs_text {
    const char *at;
    size_t len;
};

struct pgs_uuid {
    uint8_t bytes[16];
};

struct pgs_column;

/* The type of a column, an argument or a result. */
struct pgs_type {
    enum pgs_kind kind;        /* of the element, when `array` */
    bool array;                /* one-dimensional or more, as PostgreSQL's arrays are */
    int max_chars;             /* varchar(n), char(n), in characters; 0 where there is no limit */
    const char *sql;           /* name for casts, quoted where needed: "bigint", "uuid[]" */
    const char *sql_array;     /* name of an array of it, for `= any($1::bigint[])` */
    const char *const *labels; /* of an enumeration, in order, NULL-terminated; else NULL */
    const struct pgs_column *fields; /* of a composite */
    size_t n_fields;
};

struct pgs_column {
    const char *name;  /* in JSON and in URLs, as in the schema */
    const char *ident; /* in SQL, quoted */
    struct pgs_type type;
    bool nullable;
};

/* Whether a member of a generated struct was in the body. */
enum pgs_presence {
    PGS_ABSENT,
    PGS_NULL,
    PGS_SET,
};

/* One member of a generated struct that a body is read into. */
struct pgs_field {
    const struct pgs_column *column; /* name and type: of the relation's column or the argument */
    size_t offset;                   /* of the member, from the start of the struct */
    size_t size;                     /* of the member */
    bool required;                   /* absent: 400, unless the shape is partial */
};

/*
 * How a JSON object is read into a generated struct.  The struct begins with
 * `unsigned char has[n_fields]`, an enum pgs_presence for each field in order.
 *
 * An array member (type.array) is a struct pgs_text that holds PostgreSQL's array literal.
 */
struct pgs_shape {
    const struct pgs_field *fields;
    size_t n_fields;
    size_t struct_size;
    size_t struct_align;
    bool partial; /* of a change: no field is required */
};

#define PGS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Columns as generated tables list them.  `sql_` is the type's name for casts, without a length:
 * a cast to varchar(80) would cut silently.
 */
#define PGS_COLUMN(name_, ident_, kind_, sql_, nullable_)                                          \
    {                                                                                              \
        .name = (name_), .ident = (ident_),                                                        \
        .type = {.kind = (kind_), .sql = sql_, .sql_array = sql_ "[]"}, .nullable = (nullable_)    \
    }

#define PGS_VARCHAR_COLUMN(name_, ident_, max_chars_, nullable_)                                   \
    {                                                                                              \
        .name = (name_), .ident = (ident_),                                                        \
        .type = {.kind = PGS_VARCHAR,                                                              \
                 .max_chars = (max_chars_),                                                        \
                 .sql = "character varying",                                                       \
                 .sql_array = "character varying[]"},                                              \
        .nullable = (nullable_)                                                                    \
    }

#define PGS_CHAR_COLUMN(name_, ident_, max_chars_, nullable_)                                      \
    {                                                                                              \
        .name = (name_), .ident = (ident_),                                                        \
        .type = {.kind = PGS_BPCHAR,                                                               \
                 .max_chars = (max_chars_),                                                        \
                 .sql = "bpchar",                                                                  \
                 .sql_array = "bpchar[]"},                                                         \
        .nullable = (nullable_)                                                                    \
    }

#define PGS_ENUM_COLUMN(name_, ident_, sql_, labels_, nullable_)                                   \
    {                                                                                              \
        .name = (name_), .ident = (ident_),                                                        \
        .type = {.kind = PGS_ENUM, .sql = sql_, .sql_array = sql_ "[]", .labels = (labels_)},      \
        .nullable = (nullable_)                                                                    \
    }

#define PGS_COMPOSITE_COLUMN(name_, ident_, sql_, fields_, nullable_)                              \
    {                                                                                              \
        .name = (name_), .ident = (ident_),                                                        \
        .type = {.kind = PGS_COMPOSITE,                                                            \
                 .sql = sql_,                                                                      \
                 .sql_array = sql_ "[]",                                                           \
                 .fields = (fields_),                                                              \
                 .n_fields = PGS_COUNT(fields_)},                                                  \
        .nullable = (nullable_)                                                                    \
    }

#define PGS_COMPOSITE_ARRAY_COLUMN(name_, ident_, sql_, fields_, nullable_)                        \
    {                                                                                              \
        .name = (name_), .ident = (ident_),                                                        \
        .type = {.kind = PGS_COMPOSITE,                                                            \
                 .array = true,                                                                    \
                 .sql = sql_ "[]",                                                                 \
                 .sql_array = sql_ "[]",                                                           \
                 .fields = (fields_),                                                              \
                 .n_fields = PGS_COUNT(fields_)},                                                  \
        .nullable = (nullable_)                                                                    \
    }

/* `kind_` and `sql_` are the element's. */
#define PGS_ARRAY_COLUMN(name_, ident_, kind_, sql_, labels_, nullable_)                           \
    {                                                                                              \
        .name = (name_), .ident = (ident_),                                                        \
        .type = {.kind = (kind_),                                                                  \
                 .array = true,                                                                    \
                 .sql = sql_ "[]",                                                                 \
                 .sql_array = sql_ "[]",                                                           \
                 .labels = (labels_)},                                                             \
        .nullable = (nullable_)                                                                    \
    }

/* How the last argument of these reads best. */
#define PGS_NOT_NULL false
#define PGS_NULLABLE true
#define PGS_OPTIONAL false
#define PGS_REQUIRED true

/* `column` is a `struct pgs_column`; the member's C type must be the one of types.def. */
#define PGS_FIELD(struct_type, member, column_, required_)                                         \
    {                                                                                              \
        .column = &(column_), .offset = offsetof(struct_type, member),                             \
        .size = sizeof(((struct_type *)0)->member), .required = (required_)                        \
    }

#define PGS_SHAPE(struct_type, fields_)                                                            \
    {                                                                                              \
        .fields = (fields_), .n_fields = PGS_COUNT(fields_), .struct_size = sizeof(struct_type),   \
        .struct_align = _Alignof(struct_type)                                                      \
    }

#define PGS_PARTIAL_SHAPE(struct_type, fields_)                                                    \
    {                                                                                              \
        .fields = (fields_), .n_fields = PGS_COUNT(fields_), .struct_size = sizeof(struct_type),   \
        .struct_align = _Alignof(struct_type), .partial = true                                     \
    }

#endif
