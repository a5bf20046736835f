/* SPDX-License-Identifier: MIT */
/*
 * Selects and the statements that write, as they stand in the sources.  A part of ast.h, which
 * includes it where expressions are known.
 */
#ifndef AST_SELECT_H
#define AST_SELECT_H

struct ast_output {
    struct span span;
    struct ast_expr *expr;
    struct ast_name alias; /* optional */
};

enum ast_join {
    AST_JOIN_NONE, /* the first, or after a comma */
    AST_JOIN_INNER,
    AST_JOIN_LEFT,
    AST_JOIN_CROSS,
    AST_JOIN_RIGHT,
    AST_JOIN_FULL,
};

/* One of: a table by its path, a select in parentheses, a call that gives rows. */
struct ast_from {
    struct span span;
    enum ast_join join;
    bool natural;
    bool lateral;
    bool ordinality; /* f() with ordinality */
    struct ast_path table;
    struct ast_select *select;
    struct ast_expr *call;
    struct ast_name alias;       /* optional */
    struct ast_names columns;    /* alias (a, b) */
    struct ast_columns typed;    /* alias (a int, b text), of a call alone */
    struct ast_names join_using; /* using (a, b) */
    struct ast_expr *on;
};

/* In order by, and in an index, where an item that is only a name is an AST_COLUMN. */
struct ast_order {
    struct span span;
    struct ast_expr *expr;
    bool descending;
    int nulls; /* 0 default, 1 first, 2 last */
};

VEC_STRUCT(ast_outputs, struct ast_output);
VEC_STRUCT(ast_froms, struct ast_from);
VEC_STRUCT(ast_orders, struct ast_order);
VEC_STRUCT(ast_rows, struct ast_exprs);

/* unbounded preceding, 3 preceding, current row, ...; `words` as SQL has them after the number. */
struct ast_bound {
    const char *words;
    struct ast_expr *expr; /* NULL: none */
};

/* (partition by ... order by ... rows between ... and ...), or a name alone. */
struct ast_window {
    struct span span;
    struct ast_name name; /* that it is declared by: window w as (...) */
    struct ast_name base; /* optional: another window that it goes on from */
    bool is_base;         /* over w, without parentheses */
    struct ast_exprs partition;
    struct ast_orders order_by;
    const char *unit; /* rows, range, groups; NULL: no frame */
    bool between;
    struct ast_bound start, end;
    const char *exclude; /* "current row", ...; NULL: none */
};

VEC_STRUCT(ast_windows, struct ast_window *);

/* What may follow the arguments of an aggregate or window function. */
struct ast_call_tail {
    struct ast_orders order_by; /* f(x order by y), or within group (order by y) */
    bool within_group;
    struct ast_expr *filter;
    struct ast_window *over;
};

enum ast_select_kind {
    AST_PLAIN,
    AST_VALUES,
    AST_UNION,
    AST_INTERSECT,
    AST_EXCEPT,
};

/* with n (columns) as [not] [materialized] (select) */
struct ast_with {
    struct span span;
    struct ast_name name;
    struct ast_names columns;
    int materialized;          /* 0 not said, 1 materialized, -1 not materialized */
    struct ast_select *select; /* NULL: a statement that writes, at */
    struct span writes;
};

VEC_STRUCT(ast_withs, struct ast_with);

struct ast_select {
    struct span span;
    struct span outer; /* with the parentheses around it */
    int depth;
    enum ast_select_kind kind;
    struct ast_withs with;
    bool recursive;
    bool all; /* of a union and its like */
    struct ast_select *left, *right;
    struct ast_rows rows; /* of values */
    bool distinct;
    struct ast_exprs distinct_on;
    struct ast_outputs outputs;
    struct ast_froms from;
    struct ast_expr *where;
    struct ast_exprs group_by;
    struct ast_expr *having;
    struct ast_windows windows;
    struct ast_orders order_by;
    struct ast_expr *limit;
    struct ast_expr *offset;
    struct span locking_span; /* for update: `file` NULL: none */
    const char *locking;      /* "for update", "for share", ... */
    const char *wait;         /* " nowait", " skip locked" or "" */
};

/* ---- statements that write ---- */

enum ast_statement_kind {
    AST_SELECT_STATEMENT,
    AST_INSERT_STATEMENT,
    AST_UPDATE_STATEMENT,
    AST_DELETE_STATEMENT,
};

struct ast_assignment {
    struct span span;
    struct ast_name column;
    struct ast_expr *expr; /* AST_DEFAULT: default */
};

VEC_STRUCT(ast_assignments, struct ast_assignment);

enum ast_conflict_action {
    AST_CONFLICT_NONE,
    AST_CONFLICT_NOTHING,
    AST_CONFLICT_UPDATE,
};

struct ast_conflict {
    struct span span;
    enum ast_conflict_action action;
    struct ast_names columns; /* empty: any key */
    struct ast_assignments set;
    struct ast_expr *where;
};

struct ast_statement {
    struct span span;
    enum ast_statement_kind kind;
    struct ast_withs with; /* of a statement that writes */
    bool recursive;
    struct ast_select *select; /* the select, or what is inserted; NULL: default values */
    struct ast_path table;
    struct ast_name alias;    /* optional */
    struct ast_names columns; /* insert into t (a, b) */
    struct ast_assignments set;
    struct ast_froms from; /* of update; `using` of delete */
    struct ast_expr *where;
    struct ast_conflict conflict;
    struct ast_outputs returning;
};

/* ---- functions and triggers ---- */

/* set search_path = '' */
struct ast_setting {
    struct span span;
    struct ast_name name;
    struct ast_strings values;
};

VEC_STRUCT(ast_settings, struct ast_setting);

enum ast_volatility {
    AST_VOLATILITY_NONE,
    AST_IMMUTABLE,
    AST_STABLE,
    AST_VOLATILE,
};

/* An argument of a predicate, query or function. */
struct ast_param {
    struct span span;
    struct ast_name name;
    struct ast_type *type;
    struct ast_expr *default_expr;
};

VEC_STRUCT(ast_params, struct ast_param *);

struct ast_function {
    struct span span;
    struct ast_name name;
    struct ast_params params;
    struct ast_type *returns; /* setof T, T, void, trigger; or */
    struct ast_columns returns_columns;
    struct span returns_span;
    struct ast_names roles;
    enum ast_volatility volatility;
    struct span volatility_span;
    bool strict;
    bool definer;
    struct span definer_span;
    struct ast_settings settings;
    struct ast_name language;   /* optional */
    struct ast_statement *body; /* or */
    struct ast_string raw;      /* `text` NULL: none */
};

enum ast_trigger_time {
    AST_BEFORE,
    AST_AFTER,
    AST_INSTEAD_OF,
};

struct ast_trigger_event {
    struct span span;
    int command;              /* an ast_command_kind */
    struct ast_names columns; /* update of (a, b) */
};

VEC_STRUCT(ast_trigger_events, struct ast_trigger_event);

struct ast_trigger {
    struct span span;
    struct ast_name name;
    enum ast_trigger_time time;
    struct ast_trigger_events events;
    struct ast_path table;
    bool for_row;
    bool for_statement;
    struct ast_expr *when;
    struct ast_name function;
    struct ast_strings args;
};

#endif
