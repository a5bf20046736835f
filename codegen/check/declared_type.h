/* SPDX-License-Identifier: MIT */
/* Types as they are declared and written, and literals of them.  Part of checker.h. */
#ifndef CHECK_DECLARED_TYPE_H
#define CHECK_DECLARED_TYPE_H

#include "model/model.h"
#include "syntax/ast.h"

struct checker;
struct scope;

/* A composite, range or domain is resolved when it is first needed. */
struct declared_type {
    struct ast_name name;
    const struct ast_composite *composite; /* one of the three */
    const struct ast_range_type *range;
    const struct ast_domain *domain;
    enum {
        TYPE_WAITING,
        TYPE_BUSY,
        TYPE_DONE
    } state;
    struct type type; /* TYPE_ANY after an error */
};

/* A range goes by its multirange's name, too; NULL when there is none. */
struct declared_type *check_declared_type(const struct checker *checker, const char *name);

/* The name that PostgreSQL gives to the multirange of a range. */
const char *check_multirange_name(const char *range);

/* The type that a declaration makes; false after an error. */
bool check_resolve_type(struct checker *checker, struct declared_type *declared, struct type *out);

/* The type that is written; false after an error. */
bool check_type(struct checker *checker, const struct ast_type *ast, struct type *out);

/* A type that a column or an argument may have. */
bool check_storable_type(struct checker *checker, const struct ast_type *ast, struct type *out);

/* ---- check_field.c ---- */

/* `(x).field` */
struct expr *check_field(struct scope *scope, const struct ast_expr *ast);
struct expr *check_field_of(struct expr *of, const struct ast_name *name, struct span span);

/* `x.field` where x is a composite and no table: reported; false: it is something else. */
bool check_field_of_name(const struct scope *scope, const struct ast_expr *ast);

/* An expression where a type is wanted: a row becomes the composite, item by item. */
struct expr *check_value(struct scope *scope, const struct ast_expr *ast, struct type want);

/* ---- check_literal.c ---- */

/* What is wrong with `value` as a `type`; NULL: nothing. */
const char *check_literal_fault(struct type type, const char *value);

/* Reports a literal that is no value of the type; false if so. */
bool check_literal(struct span span, struct type type, const char *value);

/* Why the type has no such label, and which it has; NULL: it has. */
const char *check_label_fault(const struct enumeration *type, const char *value);

/* ---- check_listed.c ---- */

/* Reports a literal that the column's `check (x in (...))` does not list. */
void check_listed_value(const struct column *column, const struct expr *literal);

/* The same of a literal that is compared with something: with a column, perhaps as text. */
void check_listed(const struct expr *column, const struct expr *literal);

/* The same of the items of `array[...]`. */
void check_listed_items(const struct expr *column, const struct expr *array);

/* The same of literals that predicates and functions take, and compare in their bodies. */
void check_listed_arguments(const struct checker *checker);

#endif
