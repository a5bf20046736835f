/* SPDX-License-Identifier: MIT */
/* Declarations of types.  Part of ast.h, which includes it where names, types and checks are known.
 */
#ifndef AST_TYPE_H
#define AST_TYPE_H

struct ast_enum {
    struct span span;
    struct ast_name name;
    struct ast_strings labels;
    struct ast_name was;          /* optional */
    struct ast_strings label_was; /* beside the labels: 'a' was 'b'; `text` NULL: none */
};

/* type t as (a int, b text); each field has no more than name and type. */
struct ast_composite {
    struct span span;
    struct ast_name name;
    struct ast_columns fields;
};

/* type r as range (subtype = t); `word` is what stands for "subtype". */
struct ast_range_type {
    struct span span;
    struct ast_name name;
    struct ast_name word;
    struct ast_type *subtype;
};

/* domain d as base not null default e constraint n check (value ...); */
struct ast_domain {
    struct span span;
    struct ast_name name;
    struct ast_type *type;
    bool not_null;
    struct ast_expr *default_expr;
    struct ast_constraints checks;
};

#endif
