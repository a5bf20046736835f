/* SPDX-License-Identifier: MIT */
/* Declared functions and triggers.  A part of model.h, which includes it. */
#ifndef MODEL_FUNCTION_H
#define MODEL_FUNCTION_H

/*
 * A declared function of the database.  As a served one it is a query as well, which shares its
 * arguments and what it returns.
 */
struct declared_function {
    struct span span;
    const char *name;
    struct params params;
    struct roles roles; /* who may execute it; none: its owner alone */
    bool returns_void;
    bool returns_trigger;
    bool is_catalog; /* PostgreSQL's own */
    bool returns_set;
    const struct table *returns_table;
    struct type returns_type;
    struct result_columns returns_columns;
    enum function_volatility volatility;
    struct span volatility_span; /* `file` NULL: not said */
    bool strict;
    bool definer;
    struct span definer_span;
    bool before_tables; /* a default, check, index or domain calls it */
    VEC(struct function_setting) settings;
    const char *language;   /* "sql" or "plpgsql" */
    struct statement *body; /* or */
    const char *raw;        /* $$ ... $$: unchecked */
    struct span raw_span;
    size_t terms; /* see check/size.c */
};

VEC_STRUCT(functions, struct declared_function *);

enum trigger_time {
    TRIGGER_BEFORE,
    TRIGGER_AFTER,
    TRIGGER_INSTEAD_OF,
};

struct trigger {
    struct span span;
    const char *name;
    enum trigger_time time;
    bool on[COMMANDS];
    VEC(const struct column *) columns; /* update of (...); none: any */
    const struct table *table;
    bool for_row;
    struct expr *when;               /* NULL: none */
    struct range *old_row, *new_row; /* as `when` names them */
    const struct declared_function *function;
    VEC(const char *) args;
};

#endif
