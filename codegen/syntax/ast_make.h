/* SPDX-License-Identifier: MIT */
/*
 * Constructors for grammar.y: they take tokens and parts, compute spans and depth, and report what
 * a grammar cannot see (something said twice, a number out of range).  They decide nothing else.
 */
#ifndef AST_MAKE_H
#define AST_MAKE_H

#include "syntax/ast.h"
#include "syntax/ast_served.h"
#include "syntax/lexer.h"

/* One file on its way into the AST. */
struct parse {
    struct ast *ast;
    struct token token;   /* that the grammar is looking at */
    struct span too_deep; /* nested deeper than is allowed; `file` NULL: none */
    bool failed;          /* the parser cannot go on from here */
};

/* on delete, on update */
struct reaction {
    enum ast_action action;
    struct span span;
};

/* The values of an enumeration, and what they were. */
struct ast_labels {
    struct ast_strings labels, was;
};

struct ast_name name_from(struct token token);
struct ast_string string_from(struct token token);
struct ast_path path_from(struct ast_name schema, struct ast_name name);
struct ast_path path_of(struct ast_name name);

/* The name; a schema before it that is not public is reported. */
struct ast_name name_in_public(struct ast_name schema, struct ast_name name);

/* A whole number from 0 to `max`; reports and gives 0 when it is not. */
long whole_number(struct token token, long max);

/* Reports that `what` is already there, when it is. */
void say_once(bool said, struct span span, const char *what);

/* Reports a part of the language that this version does not have. */
void not_built(struct span span, const char *what);

/* ---- types ---- */

/* Composites and ranges have no former name yet. */
void no_was(struct ast_name was);

struct ast_type *type_named(struct ast_path path);
struct ast_type *type_words(struct span span, const char *spelling);
struct ast_type *type_varying(struct ast_name word, struct token varying);
void type_arg(struct ast_type *type, struct token number);

/* timestamp or time; `precision` and `zone` have kind 0 when they were left out. */
struct ast_type *type_time(struct token word, struct token precision, struct token zone);

/* ---- expressions ---- */

struct ast_exprs no_exprs(void);
struct ast_exprs exprs_of(struct ast_expr *a, struct ast_expr *b, struct ast_expr *c);
struct ast_exprs exprs_before(struct ast_expr *first, struct ast_exprs rest);

struct ast_expr *expr_leaf(enum ast_expr_kind kind, struct token token);
struct ast_expr *expr_column(struct ast_names names);
struct ast_expr *expr_star(struct ast_name table, struct token star);
struct ast_expr *expr_bare_call(struct token word);

struct ast_expr *expr_call(struct parse *parse, struct ast_path path, struct ast_exprs args,
                           struct token end);
struct ast_expr *expr_cast(struct parse *parse, struct span span, struct ast_expr *a,
                           struct ast_type *type);
struct ast_expr *expr_extract(struct parse *parse, struct span span, struct ast_name field,
                              struct ast_expr *a);
struct ast_expr *expr_prefix(struct parse *parse, struct token op, struct ast_expr *a);
struct ast_expr *expr_infix(struct parse *parse, struct ast_expr *a, struct token op,
                            struct ast_expr *b);

/* An operator of words; `b` and `c` may be NULL. */
struct ast_expr *expr_op(struct parse *parse, const char *op, struct span op_span,
                         struct ast_expr *a, struct ast_expr *b, struct ast_expr *c);

/* `in` spans `not` too, when that was written. */
struct ast_expr *expr_in(struct parse *parse, struct ast_expr *a, struct token in,
                         struct span close, struct ast_exprs args, struct ast_select *select);

/* args[0] op any/all (args[1] or select), from what stands right of the operator. */
struct ast_expr *expr_quantified(struct parse *parse, struct ast_expr *a, struct token op,
                                 struct ast_expr *quantified);

/* Any other kind, from its arguments, its select, or both. */
struct ast_expr *expr_of(struct parse *parse, enum ast_expr_kind kind, struct span span,
                         struct ast_exprs args, struct ast_select *select);

/* ---- selects and statements: ast_select.c ---- */

struct with {
    struct span span;
    struct ast_withs list;
    bool recursive;
};

/* Stops the parser at the first node that is too deep. */
void check_depth(struct parse *parse, int depth, struct span span);

/* Computes the depth of a select or statement that is whole. */
struct ast_select *select_done(struct parse *parse, struct ast_select *select);
struct ast_statement *statement_done(struct parse *parse, struct ast_statement *statement);

/* a union b; `all` has kind 0 when it was left out. */
struct ast_select *select_set(struct parse *parse, enum ast_select_kind kind, struct ast_select *a,
                              struct token all, struct ast_select *b);

/* What follows a call's arguments, made when it is first asked for. */
struct ast_call_tail *call_tail(struct parse *parse, struct ast_expr *call);

/* Takes the depth of the tail into the call, which ends there. */
void call_done(struct parse *parse, struct ast_expr *call, struct span end);

/* substring(x from n), trim(both y from x), ...: the call that it stands for. */
struct ast_expr *expr_worded(struct parse *parse, struct ast_path path, const char *words,
                             struct ast_exprs args, struct token end);

/* A call; position(x in (y)) and trim(x) stand for others. */
struct ast_expr *expr_call_or_position(struct parse *parse, struct ast_path path,
                                       struct ast_exprs args, struct token end);

struct ast_expr *expr_collate(struct parse *parse, struct ast_expr *a, struct ast_path collation);

/* ---- declarations ---- */

struct ast_column *column_new(struct ast_name name, struct ast_type *type);
void column_not_null(struct ast_column *column, struct span span);
void column_null(struct ast_column *column, struct span span);
void column_default(struct ast_column *column, struct span span, struct ast_expr *expr);
void column_identity(struct ast_column *column, struct span span, enum ast_identity identity);
void column_was(struct ast_column *column, struct ast_name was);
void column_constraint(struct ast_column *column, struct ast_name name,
                       struct ast_constraint *constraint);

struct ast_constraint *constraint_new(enum ast_constraint_kind kind, struct span span);
void constraint_on(struct ast_constraint *constraint, struct token event, struct reaction reaction);
void table_constraint(struct ast_table *table, struct ast_name name,
                      struct ast_constraint *constraint);

/* `env NAME`: names of the environment keep their case. */
struct ast_secret secret_env(struct token word, struct token name);
struct ast_secret secret_text(struct ast_string text);

/* ---- ast_table.c ---- */

struct ast_names names_of(struct ast_name name);
struct ast_item item_from(struct ast_expr *expr);
void column_generated(struct ast_column *column, struct span span, struct ast_expr *expr);

/* Of the last constraint of the column; reports a column that has none. */
void column_defer(struct ast_column *column, struct span span, enum ast_deferral deferral);
void constraint_defer(struct ast_constraint *constraint, struct span span,
                      enum ast_deferral deferral);

/* for values with (modulus m, remainder r) */
struct ast_partition_bound *bound_hash(struct span span, struct ast_name first,
                                       struct token modulus, struct ast_name second,
                                       struct token remainder);

/* Seconds of `10 min`; reports an unknown unit. */
long duration(struct token number, struct ast_name unit);

/* Each kind once. */
void cost_add(struct ast_costs *costs, struct ast_cost cost);

/* ---- the grammar, as parse.c drives it ---- */

/* The parser would take this token next; `syntax_takes`: for what it is, not as a name. */
bool syntax_takes(const void *parser, int kind);
bool syntax_accepts(const void *parser, int kind);

/* The kinds of tokens are below this. */
int syntax_tokens(void);

/* The token that this one stands for where it means nothing itself: TOKEN_ID or 0. */
int syntaxFallback(int kind);

/* Lemon's own. */
void *syntaxAlloc(void *(*alloc)(size_t));
void syntaxInit(void *parser);
void syntax(void *parser, int kind, struct token token, struct parse *parse);

#endif
