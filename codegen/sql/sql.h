/* SPDX-License-Identifier: MIT */
/*
 * The model as SQL text.  Everything that a schema holds is qualified, names are quoted only when
 * they must be, predicates are put in place with their aliases kept apart from those around them.
 * All results live until exit.
 */
#ifndef SQL_H
#define SQL_H

#include "model/model.h"

enum sql_form {
    SQL_PLAIN,  /* auth.uid(), claim.plan() */
    SQL_POLICY, /* (select auth.uid()): evaluated once a query, not once a row */
};

/* 'text', quotes doubled; E'...' when it holds a backslash. */
const char *sql_literal(const char *text);

/* public.ticket */
const char *sql_relation(const struct table *table);

/* bigint, numeric(8,2), public.ticket_state, text[] */
const char *sql_type(struct type type);

/* The same without length and precision: for casts of parameters, which must not cut silently. */
const char *sql_cast_type(struct type type);

/* "a, b, c" */
const char *sql_columns(const struct column *const *columns, size_t n);

/* Without parentheses around it; raw SQL goes through as it stands. */
const char *sql_expr(const struct expr *expr, enum sql_form form);

/* On one line, without semicolon. */
const char *sql_select(const struct select *select, enum sql_form form);

enum {
    SQL_LIVE_ROWS = 10000, /* of a live query or a set at most: PGS_LIVE_MAX_ROWS of the runtime */
};

/* The same for a statement that the server sends: parameters are $1::type and so on, and the caller
 * is asked for once a query.  Its result ends with the row that is one too many. */
const char *sql_live_select(const struct select *select);

/* A predicate that is put in place: what its parameters stand for. */
struct sql_frame {
    const struct sql_frame *caller; /* NULL: outside of any */
    const struct expr *call;
};

/* An expression where it stands: in a predicate, or in none. */
struct sql_part {
    const struct expr *expr;
    const struct sql_frame *frame;
};

VEC_STRUCT(sql_parts, struct sql_part);

/* The arguments that a statement is asked with: $1 is the first. */
struct sql_arguments {
    const struct param **at;
    size_t n;
    size_t room;
    bool complete; /* they come with their defaults in place */
};

/* `sql` with an end behind SQL_LIVE_ROWS and one; `limit` is its own, or NULL. */
const char *sql_cut(const char *sql, const struct expr *limit);

/* An expression of a live query or policy that needs no row, as a statement of its own holds it;
 * `used` grows by the arguments in it. */
const char *sql_asked(struct sql_part part, struct sql_arguments *used);

/* The same of a select. */
const char *sql_asked_select(const struct select *select, const struct sql_frame *frame,
                             struct sql_arguments *used);

/* Where one of them is passed on: "$2::bigint", or its default where it is not given. */
const char *sql_argument(const struct sql_arguments *arguments, size_t i);

/* Rows of what a select reads. */
struct sql_rows {
    const struct select *select;
    const struct sql_frame *frame;
    struct sql_parts columns;
    struct sql_parts values; /* what each column is equal to; `expr` NULL: to nothing known */
    struct sql_parts conditions;
};

/* "select distinct a::text, b::text from ... where c and d and a = 1" */
const char *sql_asked_rows(const struct sql_rows *rows, struct sql_arguments *used);

/* The body of a function, on one line, without semicolon. */
const char *sql_statement(const struct statement *statement, enum sql_form form);

/* The condition of a trigger, over `old` and `new`. */
const char *sql_trigger_when(const struct trigger *trigger);

/* "q text, n integer default 20": the arguments of a function. */
const char *sql_params(struct param *const *params, size_t n);

/* "text, integer": their types, as a call of its name tells it from others. */
const char *sql_argument_types(const struct params *params);

/* "team_id, created_at desc" with expressions in parentheses: of an index, exclusion, partition. */
const char *sql_items(const struct index_items *items);

#endif
