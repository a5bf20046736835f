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
    P_UNARY,
    P_SUBSCRIPT,
    P_CAST,
    P_PRIMARY,
};

/* A predicate being put in place: what its parameters stand for. */
struct frame {
    const struct frame *caller;
    const struct expr *call;
};

struct named_range {
    const struct range *range;
    const char *alias;
};

struct printer {
    struct str out;
    enum sql_form form;
    const struct table *row; /* whose columns stand outside of any select; NULL: none */
    VEC(struct named_range) ranges;
    const struct frame *frame;
};

/* In parentheses when it binds looser than its surroundings need. */
void sql_print_expr(struct printer *p, const struct expr *e, enum precedence need);

void sql_print_select(struct printer *p, const struct select *s);

/* " desc nulls last" */
void sql_direction(struct str *out, bool descending, int nulls);

#endif
