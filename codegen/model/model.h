/* SPDX-License-Identifier: MIT */
/*
 * The checked model: what the schema means, with pointers for names.  check_*.c builds it from the
 * AST; from then on it is const, and plan, diff and the emitters read nothing else.
 *
 * Lists are in the order of the sources unless a field says otherwise, so that output is stable.
 * Every object has the span of its declaration.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "text/source.h"
#include "base/vec.h"

struct table;
struct column;
struct select;
struct role;
struct grant;
struct policy;
struct cors;
struct endpoint;
struct query;
struct live;
struct webhook;
struct auth;
struct declared_function;

/* ---- types ---- */

#include "model/type.h"

/* ---- expressions ---- */

enum expr_kind {
    EXPR_LITERAL,   /* text: SQL as written: 'open', 42, true, null */
    EXPR_COLUMN,    /* range, column */
    EXPR_OUTPUT,    /* name: an output column in order by */
    EXPR_STAR,      /* count(*) */
    EXPR_PARAM,     /* param: argument of a query or predicate */
    EXPR_CLAIM,     /* claim */
    EXPR_CALL,      /* name, args; auth.uid() is one, with is_auth */
    EXPR_PREDICATE, /* predicate, args */
    EXPR_OP,        /* name: `=`, `||`, `not`, `and`, `is null`, ...; one, two or three args */
    EXPR_CAST,      /* args[0] :: type */
    EXPR_CASE,      /* args: [operand or NULL], when, then, when, then, ..., else or NULL */
    EXPR_IN,        /* args[0] in (args[1..]) or in (select); negated */
    EXPR_EXISTS,    /* select; negated */
    EXPR_SELECT,    /* a scalar sub-select */
    EXPR_ARRAY,     /* array[args] or array(select) */
    EXPR_ANY,       /* args[0] name any (args[1]) or any (select) */
    EXPR_ALL,       /* the same with all */
    EXPR_EXTRACT,   /* extract(name from args[0]) */
    EXPR_ROW,       /* (args[0], args[1], ...), only beside a comparison */
    EXPR_FIELD,     /* (args[0]).name of a composite */
    EXPR_SUBSCRIPT, /* args[0][args[1]] or args[0][args[1]:args[2]] */
    EXPR_PUBLIC,    /* using (public): every row, on purpose */
    EXPR_RAW,       /* text: $$ ... $$, unchecked */
    EXPR_COLLATE,   /* args[0] collate text: a collation as SQL text */
    EXPR_FUNCTION,  /* declared, args; an argument that is NULL takes its default */
    EXPR_DEFAULT,   /* default, in values and set */
};

struct expr {
    enum expr_kind kind;
    struct span span;
    struct type type;
    bool nullable; /* may be NULL, as far as is known */
    bool negated;
    bool is_auth;  /* auth.uid(), auth.role(), auth.jwt(), auth.email(); name is without schema */
    bool distinct; /* count(distinct x) */
    bool bare;     /* current_date: a call without parentheses; a column without its table */
    bool aggregate;
    const char *name;
    const char *text;
    const char *value; /* of a literal in quotes: what it says, unquoted */
    VEC(struct expr *) args;
    const struct range *range;
    const struct column *column;
    const struct param *param;
    const struct claim *claim;
    const struct predicate *predicate;
    const struct function *function;          /* PostgreSQL's, where it is one: see functions.h */
    const struct declared_function *declared; /* EXPR_FUNCTION */
    struct select *select;
    struct call_tail *tail; /* filter, over, ...; NULL: none of them */
    struct expr *flat; /* of a condition, as the checks of rights read it; NULL: not asked yet */
    bool cut;          /* made flat: too much stands in it, some is left out */
};

#include "model/select.h"

/* ---- what there is ---- */

struct column {
    struct span span;
    const struct table *table;
    const char *name;
    int number; /* from 0 */
    struct type type;
    bool not_null;
    enum {
        IDENTITY_NONE,
        IDENTITY_ALWAYS,
        IDENTITY_BY_DEFAULT,
    } identity;
    struct span identity_span;
    const char *sequence; /* of an identity, where PostgreSQL would pick a taken name; or NULL */
    struct expr *default_expr; /* NULL: none */
    struct expr *generated; /* generated always as (...) stored: never written; NULL: it is not */
    struct expr *backfill;  /* what old rows of a new column get; NULL: none */
    bool inherited;         /* comes with the parent table */
    bool is_private;        /* no endpoint shows it */
    const char *was;        /* former name; NULL: none */
    struct span was_span;
};

enum constraint_kind {
    CONSTRAINT_PRIMARY_KEY,
    CONSTRAINT_UNIQUE,
    CONSTRAINT_CHECK,
    CONSTRAINT_FOREIGN_KEY,
    CONSTRAINT_EXCLUDE, /* method, items, where; columns: those that items name */
};

enum fk_action {
    FK_NO_ACTION,
    FK_RESTRICT,
    FK_CASCADE,
    FK_SET_NULL,
    FK_SET_DEFAULT,
};

/* Of an index, an exclusion or a partition key. */
struct index_item {
    const struct column *column; /* or NULL and */
    struct expr *expr;
    const char *collation; /* as SQL; NULL: the type's */
    const char *opclass;   /* as SQL; NULL: the type's */
    const char *op;        /* of an exclusion, as SQL */
    bool descending;
    int nulls;
};

VEC_STRUCT(index_items, struct index_item);

struct constraint {
    struct span span;
    enum constraint_kind kind;
    const char *name; /* given, or as PostgreSQL would choose it */
    VEC(const struct column *) columns;
    struct expr *check;
    const struct table *target; /* of a foreign key */
    VEC(const struct column *) target_columns;
    enum fk_action on_delete, on_update;
    bool global; /* unique global: meant to cross tenants */
    bool nulls_not_distinct;
    bool deferrable, initially_deferred;
    const char *method; /* of an exclusion, as are */
    struct index_items items;
    struct expr *where;
};

/* fillfactor = 70 */
struct setting {
    const char *name, *value;
};

struct index {
    struct span span;
    const char *name;
    const char *method; /* btree, gin, gist, brin, hash */
    bool unique;
    bool global; /* meant to cross tenants */
    struct index_items items;
    VEC(const struct column *) include;
    bool nulls_not_distinct;
    VEC(struct setting) settings;
    struct expr *where;
};

/* partition by range (at) */
struct partitioning {
    struct span span;
    const char *strategy; /* range, list, hash */
    struct index_items keys;
};

struct bound_value {
    const char *word; /* minvalue, maxvalue; NULL: */
    struct expr *expr;
};

VEC_STRUCT(bound_values, struct bound_value);

/* Which rows a partition holds. */
struct partition_bound {
    enum bound_kind {
        BOUND_LIST,
        BOUND_RANGE,
        BOUND_HASH,
        BOUND_DEFAULT,
    } kind;
    struct bound_values from; /* of a list: its values */
    struct bound_values to;   /* of a range */
    long modulus, remainder;
};

/* A table, or a view when `query` or `raw` is set. */
struct table {
    struct span span;   /* of the name where it is declared */
    const char *schema; /* "public", "pgstack" for built-in tables, or one that is declared */
    const char *name;
    bool builtin; /* pgstack.users: made by the platform part of the first migration */
    bool derived; /* no table: what a sub-select, `with` or a call in from gives */
    bool is_view;
    bool materialized; /* a view whose rows are kept; it has indexes, and no policy holds for it */
    bool is_domain;    /* no table: the value that a domain's checks read */
    VEC(struct column *) columns;
    VEC(struct constraint *) constraints;
    VEC(struct index *) indexes;
    const struct constraint *primary_key;    /* NULL: none */
    struct select *query;                    /* of a view */
    const char *raw;                         /* of a view in $$ ... $$ */
    const struct partitioning *partitioning; /* NULL: it is not partitioned */
    const struct table *partition_of;        /* NULL: it is no partition; then it has a */
    const struct partition_bound *bound;
    VEC(const struct table *) inherits; /* its parents */
    const struct column *soft_delete;   /* set where a row counts as deleted; NULL: none */
    VEC(const char *) drops;            /* drop column c: columns that are gone on purpose */
    VEC(struct span) drop_spans;        /* beside them */
    VEC(const struct grant *) grants;   /* on it, in the order of the sources */
    VEC(const struct policy *) policies;
    bool read_past_policies; /* by a definer predicate or refresh: RLS enabled but not forced */
    bool inlined;            /* lists read it through views that hold its policies: not forced */
    struct composite *row;   /* its rows as a type; NULL: no function takes them */
    size_t terms;            /* of a view: see check/size.c */
    bool scan_ok;            /* stays small: no warning where an index is missing */
    const char *was;         /* former name; NULL: none */
    struct span was_span;
};

/* An argument of a predicate or query. */
struct param {
    struct span span;
    const char *name;
    int number; /* from 0 */
    struct type type;
    struct expr *default_expr; /* NULL: none */
};

VEC_STRUCT(params, struct param *);
VEC_STRUCT(result_columns, struct column *);

/* ---- who may do what ---- */

struct role {
    struct span span;
    const char *name;
    int number; /* 0 anon, 1 authenticated, 2 service_role, then declared */
    bool builtin;
    const char *claim_path; /* when claim path = value; NULL: none */
    const char *claim_value;
    const struct role *inherits;
    const char *was; /* former name; NULL: none */
    struct span was_span;
};

VEC_STRUCT(roles, const struct role *);

struct claim {
    struct span span;
    const char *name;
    struct type type;
    const char *path;
    struct span path_span; /* of `from`; without it the claim's */
};

struct predicate {
    struct span span;
    const char *name;
    struct params params;
    struct expr *body;
    bool definer; /* emitted as a stable security definer function; else put in place */
    bool has_end; /* it was followed, and leads to no circle */
    size_t terms; /* check/size.c counts them; 0: not yet */
};

enum command {
    CMD_SELECT,
    CMD_INSERT,
    CMD_UPDATE,
    CMD_DELETE,
    COMMANDS,
};

struct grant {
    struct span span; /* of the command's word */
    enum command command;
    const struct table *table;
    const struct role *role;
    VEC(const struct column *) columns; /* empty: all */
    VEC(struct span) column_spans;      /* beside them */
};

/* One PostgreSQL policy: `for select, insert` in the source has become two. */
struct policy {
    struct span span;     /* of its name */
    const char *name;     /* as declared */
    const char *sql_name; /* name_command where the declaration has several commands */
    const struct table *table;
    enum command command;
    struct roles roles;
    bool restrictive;
    struct expr *using_expr; /* NULL: none */
    struct expr *check_expr;
    const char *was; /* former name; NULL: none */
    struct span was_span;
};

/* ---- what stands beside tables ---- */

struct schema {
    struct span span;
    const char *name;
};

struct extension {
    struct span span;
    const char *name;
    const char *schema; /* where its objects are */
};

/* comment on table t is 'text'; one of the pointers says what it is on. */
struct comment {
    struct span span;
    const struct table *table;
    const struct column *column;
    const void *type; /* an enumeration, composite, range or domain, by its name: */
    const char *type_name;
    const struct query *query;
    const struct declared_function *function;
    const char *schema;
    const char *text;
};

/* drop table t; what is gone on purpose, by the words that were written. */
struct drop {
    struct span span;
    enum drop_kind {
        DROP_TABLE,
        DROP_VIEW,
        DROP_MATERIALIZED_VIEW,
        DROP_TYPE,
        DROP_FUNCTION,
        DROP_QUERY,
        DROP_SCHEMA,
    } kind;
    const char *schema;
    const char *name;
};

#include "model/function.h"

/* sql $$ up $$ down $$ down $$: goes into the migration as it stands, unchecked. */
struct raw_sql {
    struct span span;
    const char *up;
    const char *down; /* NULL: none */
};

/* What is made of selects: a view, a definer predicate or a function; the others are NULL. */
struct derived {
    const struct table *view;
    const struct predicate *predicate;
    const struct declared_function *function;
};

/* What is made before tables, one of the four: types, and the functions that they or tables call.
 */
struct made {
    const struct composite *composite;
    const struct range_type *range;
    const struct domain *domain;
    const struct declared_function *function;
};

struct model {
    const char *app;
    VEC(struct enumeration *) enumerations;
    VEC(struct defined_type) types; /* each after those it is made of */
    VEC(struct made) made;          /* each after what it needs: first, */
    size_t made_first;              /* that many, all types with what they call */
    VEC(struct table *) tables;     /* views too; each after what it refers to */
    VEC(struct role *) roles;
    VEC(struct claim *) claims;
    VEC(struct predicate *) predicates;
    VEC(struct derived) derived; /* views and definer predicates, each after what it needs */
    VEC(struct grant *) grants;
    VEC(struct policy *) policies;
    VEC(struct cors *) cors;
    VEC(struct endpoint *) endpoints;
    const struct rates *rates; /* of all requests together; NULL: none */
    VEC(struct query *) queries;
    VEC(struct live *) lives;
    struct span live_outbox; /* of `live outbox;`; file NULL: not said */
    VEC(struct webhook *) webhooks;
    struct auth *auth;          /* NULL: none */
    struct functions functions; /* each after those that it calls */
    VEC(struct trigger *) triggers;
    VEC(struct raw_sql *) raw_sqls;
    VEC(struct schema *) schemas; /* without public and those of the platform */
    VEC(struct extension *) extensions;
    VEC(struct comment *) comments;
    VEC(struct drop *) drops; /* said, and without effect: for the comparison with the last model */
    bool writes_leave_traces; /* in their session, for all that is known of what they run */
    bool reads_jwt; /* something reads auth.jwt(), auth.email() or raw SQL: set the claims */
};

#include "model/served.h"

#endif
