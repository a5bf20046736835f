/* SPDX-License-Identifier: MIT */
/*
 * The state of one piece of SQL text, shared by sql.c, sql_expr.c and sql_select.c alone.
 *
 * A predicate that is put in place brings its own ranges into a statement that may use the same
 * aliases, and its arguments belong to the place where it was called.  So aliases are chosen while
 * printing, against all ranges around; and an argument is printed in the frame of its caller.
 */
#ifndef SQL_PRINTER_H
#define SQL_PRINTER_H

#include "sql/sql.h"
#include "base/str.h"

/* How tightly PostgreSQL binds, loosest first. */
enum precedence {
    P_ANY,
    P_OR,
    P_AND,
    P_NOT,
    P_IS,
    P_COMPARE,
    P_LIKE, /* like, between, in */
    P_OTHER,
    P_ADD,
    P_MULTIPLY,
    P_POWER,
    P_AT,
    P_COLLATE,
    P_UNARY,
    P_SUBSCRIPT,
    P_CAST,
    P_PRIMARY,
};

struct named_range {
    const struct range *range;
    const char *alias;
};

/* What `with` declares, under a name that nothing around it has. */
struct named_with {
    const struct with_item *with;
    const char *name;
};

struct printer {
    struct str out;
    enum sql_form form;
    const struct table *row; /* whose columns stand outside of any select; NULL: none */
    VEC(struct named_range) ranges;
    VEC(struct named_with) withs;
    const struct sql_frame *frame;
    bool numbers;               /* parameters as $1::type */
    struct sql_arguments *used; /* then in the order of first use; NULL: by their own numbers */
};

/* In parentheses when it binds looser than its surroundings need. */
void sql_print_expr(struct printer *p, const struct expr *e, enum precedence need);

void sql_print_select(struct printer *p, const struct select *s);

/* A column with its range, whatever is in scope. */
void sql_print_qualified(struct printer *p, const struct expr *e);

/* The argument of a statement: "$1::bigint". */
void sql_print_number(struct printer *p, const struct param *param);

/* From the end of a call's arguments on: " order by x) filter (where y) over (...)". */
void sql_print_call_tail(struct printer *p, const struct call_tail *tail);

/* Gives the same for every row of a statement: no argument is of the row, and it is not volatile.
 */
bool sql_is_constant_call(const struct expr *e);

/* ---- for statement.c ---- */

/* Brings a range into scope under an alias that nothing around it has. */
const char *sql_enter_range(struct printer *p, const struct range *range);

/* "public.ticket t", for a range that is in scope under this alias. */
void sql_print_range(struct printer *p, const struct range *range, const char *alias);

/* " from a join b on ...", `word` instead of from; the ranges are in scope from `first` on. */
void sql_print_ranges(struct printer *p, const char *word, struct range *const *ranges, size_t n,
                      size_t first);

void sql_print_with(struct printer *p, bool recursive, struct with_item *const *items, size_t n);
void sql_print_outputs(struct printer *p, const struct outputs *outputs);

/* `word` and the expression; nothing when that is NULL. */
void sql_print_clause(struct printer *p, const char *word, const struct expr *e);

/* " desc nulls last" */
void sql_direction(struct str *out, bool descending, int nulls);

#endif
