/* SPDX-License-Identifier: MIT */
/* Selects and statements that write, checked.  A part of model.h, which includes it. */
#ifndef MODEL_SELECT_H
#define MODEL_SELECT_H

struct with_item;

/*
 * What a from clause names, or the row that a policy, check or index is about.  `table` is a table
 * or view; or, when it is `derived`, only the columns of what `select`, `with` or `call` gives.
 */
struct range {
    struct span span;
    const char *alias;      /* how columns are qualified; never clashes with an outer range */
    struct span alias_span; /* where it is given; `file` NULL: it is the table's name */
    const struct table *table;
    struct select *select;        /* (select ...) alias; else NULL */
    const struct with_item *with; /* a name that `with` declares; else NULL */
    struct expr *call;            /* f(...) alias; else NULL */
    bool lateral;
    bool ordinality; /* of a call: its last column counts */
    bool typed;      /* of a call: alias (a int, b text) */
    enum {
        JOIN_NONE, /* the first, or after a comma */
        JOIN_INNER,
        JOIN_LEFT,
        JOIN_CROSS,
        JOIN_RIGHT,
        JOIN_FULL,
    } join;
    struct expr *on;    /* `using (a)` has become `x.a = y.a` */
    bool absent;        /* on the open side of an outer join: its columns may be NULL */
    bool past_policies; /* made flat: a definer function reads it */
    bool implicit; /* the row itself: columns print without qualifier where nothing is nested */
};

struct output {
    struct span span;
    const char *name;
    struct expr *expr; /* of a union and its like: EXPR_OUTPUT, with the type of both sides */
};

struct order_item {
    struct expr *expr;
    bool descending;
    int nulls; /* 0 default, 1 first, 2 last */
};

VEC_STRUCT(order_items, struct order_item);
VEC_STRUCT(exprs, struct expr *);
VEC_STRUCT(outputs, struct output);

struct frame_bound {
    const char *words; /* "unbounded preceding", "preceding" after `expr`, ... */
    struct expr *expr; /* NULL: none */
};

struct window {
    struct span span;
    const char *name; /* declared by `window`; NULL: stands at its call */
    const char *base; /* goes on from that one; NULL: none */
    bool is_base;     /* over w, without parentheses */
    struct exprs partition;
    struct order_items order_by;
    const char *unit; /* rows, range, groups; NULL: no frame */
    bool between;
    struct frame_bound start, end;
    const char *exclude; /* NULL: none */
};

/* What follows the arguments of an aggregate or a window function. */
struct call_tail {
    struct order_items order_by;
    bool within_group;
    struct expr *filter; /* NULL: none */
    struct window *over; /* NULL: none */
};

enum select_kind {
    SELECT_PLAIN,
    SELECT_VALUES,
    SELECT_UNION,
    SELECT_INTERSECT,
    SELECT_EXCEPT,
};

/* with name (columns) as (select): read by its name in the select that it stands before. */
struct with_item {
    struct span span;
    const char *name;
    bool recursive;      /* it reads itself */
    int materialized;    /* 0 not said, 1 materialized, -1 not */
    struct table *table; /* `derived`: its columns */
    struct select *select;
    bool is_followed; /* walk_sources is in it */
    size_t terms;     /* see check/size.c */
};

struct select {
    struct span span;
    enum select_kind kind;
    VEC(struct with_item *) with;
    bool recursive;
    bool all;                    /* union all */
    struct select *left, *right; /* of a union and its like */
    VEC(struct exprs) rows;      /* of values */
    bool distinct;
    struct exprs distinct_on;
    struct outputs outputs; /* `*` already expanded */
    VEC(struct range *) from;
    struct expr *where;
    struct exprs group_by;
    struct expr *having;
    VEC(struct window *) windows;
    struct order_items order_by;
    struct expr *limit;
    struct expr *offset;
    const char *locking; /* " for update skip locked"; NULL: none */
};

enum statement_kind {
    STATEMENT_SELECT,
    STATEMENT_INSERT,
    STATEMENT_UPDATE,
    STATEMENT_DELETE,
};

struct assignment {
    struct span span;
    const struct column *column;
    struct expr *expr; /* EXPR_DEFAULT: default */
};

VEC_STRUCT(assignments, struct assignment);

/* The body of a function. */
struct statement {
    struct span span;
    enum statement_kind kind;
    struct select *select; /* the select, or what is inserted; NULL: default values */
    VEC(struct with_item *) with;
    bool recursive;
    struct range *target;               /* NULL: of a select */
    VEC(const struct column *) columns; /* insert into t (a, b): all that are given */
    struct assignments set;
    VEC(struct range *) from; /* of update; `using` of delete */
    struct expr *where;
    enum {
        CONFLICT_NONE,
        CONFLICT_NOTHING,
        CONFLICT_UPDATE,
    } conflict;
    VEC(const struct column *) conflict_columns;
    struct range *excluded; /* the row that could not be inserted */
    struct assignments conflict_set;
    struct expr *conflict_where;
    struct outputs returning;
};

/* ---- functions and triggers ---- */

enum function_volatility {
    FUNCTION_VOLATILE,
    FUNCTION_STABLE,
    FUNCTION_IMMUTABLE,
};

/* set name = values, as SQL text */
struct function_setting {
    struct span span;
    const char *name;
    const char *value;
};

#endif
