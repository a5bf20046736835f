/* SPDX-License-Identifier: MIT */
/*
 * What the sources say, word for word: nodes with spans, nothing resolved.  grammar.y builds them,
 * check_*.c reads them and makes the model.
 *
 * Names are folded to lower case as PostgreSQL folds them, unless they were in double quotes.  An
 * optional name that was left out has `text` NULL; an optional node is NULL; an optional list is
 * empty.  Spans of nodes go from their first to their last token.
 */
#ifndef AST_H
#define AST_H

#include <stdbool.h>
#include <stddef.h>

#include "text/source.h"
#include "base/vec.h"

struct ast_name {
    const char *text;
    struct span span;
};

/* `users`, `pgstack.users`, `auth.uid`: `schema.text` is NULL when there is none. */
struct ast_path {
    struct ast_name schema;
    struct ast_name name;
    struct span span;
};

/* Text in quotes: 'it''s', E'\n', $$ ... $$; `text` is the value, NUL-terminated, unquoted. */
struct ast_string {
    const char *text;
    struct span span;
};

VEC_STRUCT(ast_names, struct ast_name);
VEC_STRUCT(ast_paths, struct ast_path);
VEC_STRUCT(ast_strings, struct ast_string);

/* ---- types ---- */

struct ast_type {
    struct span span;
    const char *schema;   /* NULL: none */
    const char *spelling; /* lower case, words joined with one space: "timestamp with time zone" */
    int n_args;           /* of varchar(n), numeric(p, s): 0, 1 or 2 */
    long args[2];
    bool bad_args;  /* one is no number at all: reported */
    int dimensions; /* of T[]: 1, of T[][]: 2, ... */
    bool setof;     /* only where a query says what it returns */
};

/* ---- expressions ---- */

enum ast_expr_kind {
    AST_NUMBER, /* text: as written */
    AST_STRING, /* text: the value, unquoted */
    AST_TRUE,
    AST_FALSE,
    AST_NULL,
    AST_COLUMN,    /* names: [column], [table, column] or [schema, table, column] */
    AST_STAR,      /* `*` of count(*) and select *; names: [table] of table.* */
    AST_CALL,      /* path, args; star, distinct.  Also current_date and its sisters, without args
                      and with `bare` */
    AST_OP,        /* op, op_span, args (1 to 3): see ast_expr.op */
    AST_CAST,      /* args[0], type: x::t, cast(x as t), and t 'text' */
    AST_CASE,      /* args: operand or NULL, when, then, when, then, ..., else or NULL */
    AST_IN,        /* args[0] in (args[1..]) or, with `select`, in (select ...); negated */
    AST_EXISTS,    /* select */
    AST_SELECT,    /* a select in parentheses: one value */
    AST_ARRAY,     /* array[args]; with `select`, array(select ...) */
    AST_ANY,       /* args[0] op any (args[1]) or, with `select`, op any (select ...) */
    AST_ALL,       /* the same with all */
    AST_EXTRACT,   /* extract(names[0] from args[0]) */
    AST_ROW,       /* (args[0], args[1], ...) and row(args) */
    AST_SUBSCRIPT, /* args[0][args[1]], or with three args args[0][args[1]:args[2]] */
    AST_PUBLIC,    /* using (public): alone in a policy's using or with check */
    AST_RAW,       /* text: $$ ... $$ where an expression stands, unchecked */
    AST_COLLATE,   /* args[0] collate path */
    AST_FIELD,     /* (args[0]).names[0] */
    AST_NAMED,     /* names[0] => args[0]: an argument of a call */
    AST_DEFAULT,   /* default: in values and set of a statement that writes */
};

VEC_STRUCT(ast_exprs, struct ast_expr *);

struct ast_expr {
    enum ast_expr_kind kind;
    struct span span;
    int depth; /* 1 for a leaf; bounded by AST_MAX_DEPTH, sub-selects counted */
    bool negated;
    bool star;     /* count(*) */
    bool distinct; /* count(distinct x) */
    bool bare;     /* current_date: called without parentheses */
    bool escaped;  /* AST_STRING: written E'...' */
    const char *text;
    /*
     * AST_OP, AST_ANY, AST_ALL: the operator in lower case.  Symbols as written (`!=` becomes
     * `<>`); words: "and" "or" "not"; "is null" "is not null" "is true" "is not true" "is false"
     * "is not false" "is unknown" "is not unknown" (one argument); "is distinct from"
     * "is not distinct from"; "like" "not like" "ilike" "not ilike" "similar to" "not similar to"
     * (a third argument: escape); "between" "not between" (three); "at time zone"; unary "-" "+".
     */
    const char *op;
    struct span op_span;
    struct ast_names names;
    struct ast_path path;
    struct ast_exprs args;
    struct ast_type *type;
    struct ast_select *select;
    struct ast_call_tail *tail; /* AST_CALL: filter, over, ...; NULL: none of them */
};

struct ast_column;
VEC_STRUCT(ast_columns, struct ast_column *);

#include "syntax/ast_select.h"

/* ---- what there is ---- */

enum ast_action {
    AST_NO_ACTION,
    AST_RESTRICT,
    AST_CASCADE,
    AST_SET_NULL,
    AST_SET_DEFAULT,
};

/* Of an index, an exclusion or a partition key; an item that is only a name is an AST_COLUMN. */
struct ast_item {
    struct span span;
    struct ast_expr *expr;
    struct ast_path collation; /* optional, as is */
    struct ast_path opclass;
    bool descending;
    int nulls;      /* 0 default, 1 first, 2 last */
    const char *op; /* of an exclusion: `&&` */
    struct span op_span;
};

/* fillfactor = 70 */
struct ast_index_setting {
    struct span span;
    struct ast_name name;
    const char *value; /* unquoted */
};

VEC_STRUCT(ast_items, struct ast_item);
VEC_STRUCT(ast_index_settings, struct ast_index_setting);

enum ast_constraint_kind {
    AST_PRIMARY_KEY,
    AST_UNIQUE,
    AST_CHECK,
    AST_REFERENCES,
    AST_EXCLUDE,
};

enum ast_deferral {
    AST_DEFERRABLE,
    AST_NOT_DEFERRABLE,
    AST_INITIALLY_DEFERRED,
    AST_INITIALLY_IMMEDIATE,
    AST_DEFERRALS,
};

/* Of a table, or of a column: then `columns` is empty and stands for that column. */
struct ast_constraint {
    enum ast_constraint_kind kind;
    struct span span;
    struct ast_name name; /* `constraint n`: optional */
    struct ast_names columns;
    struct ast_expr *check;
    struct ast_path target; /* of references */
    struct ast_names target_columns;
    enum ast_action on_delete, on_update;
    bool global; /* unique global: meant to cross tenants */
    bool nulls_not_distinct;
    struct span deferrals[AST_DEFERRALS]; /* `file` NULL: not said */
    struct ast_name method;               /* of an exclusion, as are */
    struct ast_items items;
    struct ast_expr *where;
};

VEC_STRUCT(ast_constraints, struct ast_constraint *);

#include "syntax/ast_type.h"

enum ast_identity {
    AST_IDENTITY_NONE,
    AST_IDENTITY_ALWAYS,
    AST_IDENTITY_BY_DEFAULT,
};

/* Also a column of a view or query with a raw body, which has no more than name and type. */
struct ast_column {
    struct span span;
    struct ast_name name;
    struct ast_type *type;
    bool not_null;
    bool null; /* `null` was written */
    struct span not_null_span;
    struct ast_expr *default_expr;
    enum ast_identity identity;
    struct span identity_span;
    struct ast_expr *generated; /* generated always as (...) stored */
    struct span generated_span;
    struct ast_expr *backfill;
    struct ast_name was; /* optional */
    bool is_private;
    struct ast_constraints constraints;
};

struct ast_index {
    struct span span;
    struct ast_name name; /* optional */
    bool unique;
    bool global;            /* meant to cross tenants */
    struct ast_name method; /* optional */
    struct ast_items items;
    struct ast_names include;
    bool nulls_not_distinct;
    struct ast_index_settings settings;
    struct ast_expr *where;
};

VEC_STRUCT(ast_indexes, struct ast_index *);

enum ast_partition_bound_kind {
    AST_BOUND_LIST,
    AST_BOUND_RANGE,
    AST_BOUND_HASH,
    AST_BOUND_DEFAULT,
};

/* Which rows a partition holds. */
struct ast_partition_bound {
    struct span span;
    enum ast_partition_bound_kind kind;
    struct ast_exprs from; /* of a list: its values */
    struct ast_exprs to;   /* of a range */
    long modulus, remainder;
};

struct ast_table {
    struct span span;
    struct ast_path path;
    struct ast_name name; /* the path's last */
    struct ast_columns columns;
    struct ast_constraints constraints; /* of the table; those of columns are in the columns */
    struct ast_indexes indexes;
    struct ast_names drops;      /* drop column c */
    struct ast_name soft_delete; /* optional */
    struct ast_paths inherits;
    struct ast_name partition_by; /* range, list or hash; optional */
    struct ast_items partition_keys;
    struct ast_path partition_of; /* name.text NULL: it is no partition; then it has no items */
    struct ast_partition_bound *bound;
    struct ast_name was; /* optional */
};

/* `view v as select ...` or `view v (a t, ...) as $$ ... $$`, materialized or not. */
struct ast_view {
    struct span span;
    struct span word; /* `materialized` */
    struct ast_path path;
    struct ast_name name; /* the path's last */
    bool materialized;
    struct ast_indexes indexes; /* of a materialized one */
    struct ast_columns columns; /* of a raw view */
    struct ast_select *select;  /* or */
    struct ast_string raw;      /* `text` NULL: none */
};

/* sql $$ up $$ down $$ down $$; */
struct ast_sql {
    struct span span;
    struct ast_string up;
    struct ast_string down; /* optional */
};

/* extension pg_trgm schema x; */
struct ast_extension {
    struct span span;
    struct ast_name name;
    struct ast_name schema; /* optional */
};

/* What a comment is on, and what is dropped. */
enum ast_kind {
    AST_KIND_TABLE,
    AST_KIND_VIEW,
    AST_KIND_MATERIALIZED_VIEW,
    AST_KIND_TYPE,
    AST_KIND_FUNCTION,
    AST_KIND_QUERY,
    AST_KIND_SCHEMA,
    AST_KIND_COLUMN,
};

/* comment on table t is 'text'; */
struct ast_comment {
    struct span span;
    enum ast_kind kind;
    struct ast_path path;
    struct ast_names column; /* instead, of a column: [table, column] or [schema, table, column] */
    struct ast_string text;
};

/* drop table t; what is gone, in words: see migrations/current.schema. */
struct ast_drop {
    struct span span;
    enum ast_kind kind;
    struct ast_path path;
};

/* drop policy p on t; */
struct ast_policy_drop {
    struct span span;
    struct ast_name name;
    struct ast_path table;
};

/* ---- who may do what ---- */

/* role r when claim path = 'value' inherits other; */
struct ast_role {
    struct span span;
    struct ast_name name;
    struct ast_string claim_path; /* optional */
    struct ast_string claim_value;
    struct ast_name inherits; /* optional */
    struct ast_name was;      /* optional */
};

struct ast_claim {
    struct span span;
    struct ast_name name;
    struct ast_type *type;
    struct ast_string path; /* optional: then the claim's own name */
};

struct ast_predicate {
    struct span span;
    struct ast_name name;
    struct ast_params params;
    bool definer;
    struct span definer_span;
    struct ast_expr *body;
};

/* The word as written; `all` stands for the four. */
enum ast_command_kind {
    AST_CMD_SELECT,
    AST_CMD_INSERT,
    AST_CMD_UPDATE,
    AST_CMD_DELETE,
    AST_CMD_ALL,
};

struct ast_command {
    enum ast_command_kind kind;
    struct span span;
    struct ast_names columns; /* of a grant: insert (a, b); empty: all */
};

VEC_STRUCT(ast_commands, struct ast_command);

struct ast_grant {
    struct span span;
    struct ast_commands commands;
    struct ast_paths tables;
    struct ast_names roles;
};

struct ast_policy {
    struct span span;
    struct ast_name name;
    struct ast_path table;
    struct ast_commands commands; /* empty: for was not written */
    struct ast_names roles;       /* empty: to was not written */
    bool restrictive;
    struct ast_expr *using_expr; /* AST_PUBLIC: using (public) */
    struct ast_expr *check_expr;
    struct ast_name was; /* optional */
};

/* ---- where it is served ---- */

struct ast_cors {
    struct span span;
    struct ast_name name;
    struct ast_strings origins;
    long max_age_s; /* 0: not said */
    struct span max_age_span;
    bool credentials;
    struct span credentials_span;
};

#include "syntax/ast_endpoint.h"

struct ast_query {
    struct span span;
    struct ast_name name;
    struct ast_params params;
    struct ast_type *returns;           /* setof T, or a type; or */
    struct ast_columns returns_columns; /* returns table (a t, ...) */
    struct span returns_span;
    struct ast_names roles; /* empty: to was not written */
    struct ast_rates rates;
    struct ast_costs costs;
    struct ast_select *select; /* or */
    struct ast_string raw;     /* `text` NULL: none */
};

struct ast_live; /* ast_served.h */
struct ast_webhook;
struct ast_auth;

/* ---- all of it ---- */

/* pgstack 1; */
struct ast_version {
    struct span span;
    long number;
};

/* Every declaration of every file, by kind, in the order of the sources. */
struct ast {
    VEC(struct source *) files;
    VEC(struct ast_version) versions;
    VEC(struct ast_name) apps;
    VEC(struct ast_enum *) enums;
    VEC(struct ast_composite *) composites;
    VEC(struct ast_range_type *) range_types;
    VEC(struct ast_domain *) domains;
    VEC(struct ast_table *) tables;
    VEC(struct ast_view *) views;
    VEC(struct ast_sql *) sqls;
    struct ast_names schemas;
    VEC(struct ast_extension *) extensions;
    VEC(struct ast_comment *) comments;
    VEC(struct ast_drop *) drops;
    struct ast_names role_drops; /* drop role r; */
    VEC(struct ast_policy_drop) policy_drops;
    VEC(struct ast_role *) roles;
    VEC(struct ast_claim *) claims;
    VEC(struct ast_predicate *) predicates;
    VEC(struct ast_grant *) grants;
    VEC(struct ast_policy *) policies;
    VEC(struct ast_cors *) cors;
    VEC(struct ast_endpoint *) endpoints;
    struct ast_rates rates; /* of all requests */
    VEC(struct ast_query *) queries;
    VEC(struct ast_function *) functions;
    VEC(struct ast_trigger *) triggers;
    VEC(struct ast_live *) lives;
    struct ast_names live_words; /* live outbox; */
    VEC(struct ast_webhook *) webhooks;
    VEC(struct ast_auth *) auths;

    /* Declarations that could not be read: what is missing because of them is no error. */
    struct ast_names lost; /* the names that they declare */
    bool lost_rights;      /* a grant, policy or endpoint was among them */
};

/* Deeper expressions are refused, so that those who walk the tree need no bound of their own. */
#define AST_MAX_DEPTH 400

#endif
