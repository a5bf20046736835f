/* SPDX-License-Identifier: MIT */
/*
 * How changes reach the subscribers of a live query (pgs/match.h).  What a result depends on is
 * taken apart: what needs no row becomes a fact or a set of rows that PostgreSQL is asked for as
 * the subscriber, what needs the row becomes a term that generated C computes.
 *
 * When in doubt there is no tie, or no term: then PostgreSQL is asked again, which is always right.
 */
#ifndef MATCH_H
#define MATCH_H

#include "model/model.h"
#include "model/served.h"
#include "plan/plan.h"
#include "sql/sql.h"

/* ---- terms: conditions on a row ---- */

enum operand_kind {
    OPERAND_COLUMN, /* of the row */
    OPERAND_FACT,   /* of match.facts */
    OPERAND_TEXT,   /* a constant */
};

struct operand {
    enum operand_kind kind;
    const struct column *column;
    size_t fact;
    const char *text;
};

enum term_kind {
    TERM_TRUE,
    TERM_FALSE,
    TERM_UNKNOWN,
    TERM_AND, /* terms */
    TERM_OR,
    TERM_NOT,
    TERM_BOOLEAN,    /* operands[0] */
    TERM_EQUAL,      /* operands[0], operands[1] */
    TERM_SAME,       /* is not distinct from */
    TERM_LESS,       /* `type` says how they compare */
    TERM_LESS_EQUAL, /* the same */
    TERM_NULL,       /* operands[0] is null */
    TERM_IS,         /* terms[0] is `value`: true, false or unknown */
    TERM_BOTH,       /* terms[0] = terms[1] */
    TERM_ELSE,       /* terms[0], or where it is unknown terms[1] */
    TERM_HAS,        /* the operands are a row of `set` */
    TERM_CONTAINS,   /* operands[0] in `set` */
};

struct term {
    enum term_kind kind;
    VEC(struct term *) terms;
    VEC(struct operand) operands;
    struct type type;
    enum term_kind value;
    size_t set;
    const struct predicate *predicate; /* whose body it is; NULL: of none */
};

/* ---- what PostgreSQL is asked for ---- */

struct match_fact {
    const char *name; /* for the local variable that holds it */
    const char *sql;  /* without the cast to text */
};

struct match_set {
    const char *sql;
    struct sql_arguments arguments;
    size_t n_columns;
    const struct predicate *definer; /* that reads past policies, and the set for it; or NULL: */
    const char *function;            /* the function that gives the rows, and */
    const char *body;                /* what it runs */
    const struct table *listed;      /* whose rows it gives: those of the caller */
};

/* column = fact */
struct match_tie {
    const struct column *column;
    size_t fact;
    struct sql_part value; /* that the fact is of: arguments, claims and constants */
};

VEC_STRUCT(match_ties, struct match_tie);

/* Rows of a table that the result depends on. */
struct match_source {
    const struct table *table;
    struct match_ties ties;
};

struct match_order {
    const struct column *column;
    bool descending;
    bool nulls_first;
};

/* What a group of rows has in one place; pgs/match.h has the same. */
enum total_kind {
    TOTAL_GROUP,
    TOTAL_ROWS,
    TOTAL_VALUES,
    TOTAL_SUM,
    TOTAL_SUM_OR_ZERO,
    TOTAL_MIN,
    TOTAL_MAX,
};

struct match_total {
    enum total_kind kind;
    const struct column *column; /* NULL: of TOTAL_ROWS */
    size_t values;               /* of TOTAL_SUM: the total that counts what was added */
};

/* What rows of the result have from other tables: those that agree in `columns` have the same. */
struct match_join {
    VEC(const struct expr *) columns; /* of the row */
    VEC(size_t) outputs;              /* places in what is selected */
};

/* A condition that a row must meet. */
struct match_condition {
    const struct policy *policy; /* NULL: the where clause */
    struct term *term;
};

/* Why changes are not matched in C. */
struct match_reason {
    struct span span; /* `file` NULL: nothing to point at */
    const char *text; /* "it joins tables"; NULL: there is none */
};

/* For one role. */
struct match {
    const struct model *model;
    const struct live *live;
    const struct role *role;
    const struct range *row;        /* whose rows are matched; NULL: none */
    struct match_ties ties;         /* that every row of the result meets */
    VEC(struct match_fact) facts;   /* the arguments first */
    struct sql_arguments arguments; /* of facts: all of the live query's */
    VEC(struct match_set) sets;
    VEC(struct match_source) sources;
    VEC(struct match_condition) where;      /* joined by and */
    VEC(struct match_condition) permissive; /* joined by or; none: every row but where `closed` */
    VEC(struct match_condition) restrictive;
    bool closed; /* no row may be seen */
    VEC(struct match_order) order;
    long limit;                     /* 0: none */
    VEC(struct match_total) totals; /* of groups: the outputs, then what is asked for beside */
    VEC(struct match_join) joins;
    const struct select *asked; /* that gives more than is sent; NULL: of rows as they are */
    VEC(const struct column *) needed;
    const struct predicate *definer; /* while its body is compiled */
    bool reads_itself;               /* a fact, set or policy reads the table as well */
    struct match_reason unsteady;    /* of a policy that what is asked for goes by */
    bool compiled;                   /* rows are matched */
    struct match_reason reason;      /* of one that is not */
    bool simple; /* rows of one table: it could be compiled but for the reason */
};

/* Of a table's policies those that decide what the role reads. */
struct match_policies {
    bool open; /* each row, as far as permissive policies go: none are listed */
    VEC(const struct policy *) permissive;
    VEC(const struct policy *) restrictive;
};

struct match_policies match_policies(const struct role *role, const struct table *table);

/* Never NULL. */
struct match *match_make(const struct model *model, const struct live *live,
                         const struct role *role);

/* Some change is known to concern none but those it does: else a matcher would be of no use. */
bool match_narrows(const struct match *match);

/* ---- match_part.c: expressions where they stand ---- */

/* What stands in the body of a predicate, called by `call`. */
const struct sql_frame *match_frame(const struct expr *call, const struct sql_frame *caller);

/* Calls `visit` for all of the part, predicates and what their parameters stand for. */
void match_walk(struct sql_part part, void (*visit)(struct sql_part part, void *data), void *data);

/* The sides of the `and`s, through predicates. */
void match_conjuncts(struct sql_part part, struct sql_parts *out);

/* `a = b` as PostgreSQL's own types have it. */
bool match_is_equality(const struct expr *expr);

/* A row that is matched or read from: its columns are `range`'s; NULL: a policy's, on `table`. */
struct match_row {
    const struct range *range;
    const struct table *table;
};

bool match_needs_row(const struct match_row *row, struct sql_part part);

/* `column = auth.uid()`, the column being the row's: it holds for rows of the caller alone. */
bool match_is_of_caller(const struct match_row *row, struct sql_part part);

/* Nothing but arguments, claims and constants is in it. */
bool match_is_constant(struct sql_part part);

/* It is, and it is the same whoever computes it, arguments being given. */
bool match_is_anybodys(struct sql_part part);

/*
 * It stays the same until a table changes that it reads, and its text is all of it; else `*reason`
 * says why not.
 */
bool match_is_steady(struct sql_part part, struct match_reason *reason);

/*
 * Types whose texts are equal exactly where the values are, and which compare with each other.
 * Text is one of them: columns have the collation of the database, which is deterministic, and
 * cannot be given another one (PGS4310); what a query says of collations is looked at beside.
 */
bool match_is_textual(struct type type);
bool match_is_ordered(struct type type);
bool match_compares(struct type a, struct type b);

/* Of an expression compared with what is of `other`: a literal in quotes or null is of that type.
 */
struct type match_type_beside(const struct expr *expr, struct type other);

/* `collate "C"`: text in the order of its bytes. */
bool match_is_bytewise(const struct expr *expr);

/* The column that a part stands for, behind parameters and casts that keep its text; else NULL. */
const struct column *match_column(const struct match_row *row, struct sql_part part,
                                  struct type *type);

/* ---- match_fact.c ---- */

/* The place of a fact; `type`: what a bare literal is of. */
size_t match_add_fact(struct match *match, struct sql_part part, struct type type);

/* ---- match_total.c ---- */

/* Rows of the result are groups of rows. */
bool match_is_grouped(const struct select *select);

/* The aggregate that an output is, or is but for what it is where there is none; NULL: it is not.
 */
const struct expr *match_aggregate(const struct expr *expr);

/* Sets match->totals and match->asked.  False: not all are kept exactly, and reason says which. */
bool match_add_totals(struct match *match);

/* ---- match_join.c ---- */

/* Of a select over several tables the one whose rows those of the result are, each with what the
 * others have of it by their keys; NULL: there is none. */
const struct range *match_joined_row(const struct model *model, const struct select *select);

/* The row alone does not say what the part is. */
bool match_is_joined(const struct match *match, struct sql_part part);

/* Adds the conditions that the row alone must meet.  False: reason. */
bool match_add_filters(struct match *match);

/* Sets match->joins and match->asked.  False: reason. */
bool match_add_joins(struct match *match);

/* ---- match.c ---- */

/* A column of the row that is matched, with nothing around it. */
bool match_is_column(const struct match *match, const struct expr *expr);

/* C orders by `expr` as PostgreSQL does; `type`: of what stands behind its collation.  False:
 * reason. */
bool match_has_order(struct match *match, const struct expr *expr, struct type type);

/* A condition of the query that every row meets.  False: reason. */
bool match_add_condition(struct match *match, struct sql_part part);

/* The row's column is shown as it is. */
bool match_is_sent(const struct match *match, const struct column *column);

/* match->asked, which gives what is sent and may be given more. */
struct select *match_ask_beside(struct match *match);

/* ---- match_term.c, match_set.c ---- */

/*
 * NULL: it cannot be compiled, and match->reason says why.  `loose`: false may stand for unknown.
 */
struct term *match_term(struct match *match, const struct match_row *row, struct sql_part part,
                        bool loose);
struct term *match_set_term(struct match *match, const struct match_row *row, struct sql_part part,
                            bool loose);

/* One statement is two sets where it is asked with other arguments. */
bool match_same_set(const struct match_set *a, const struct match_set *b);

/* It gives each row of what it reads, or not, whatever the others are. */
bool match_select_is_simple(const struct select *select);

/* An operand of a comparison with a value of `other`; false: reason. */
bool match_operand(struct match *match, const struct match_row *row, struct sql_part part,
                   struct type other, struct operand *out, struct type *type);

struct term *match_new_term(enum term_kind kind);
struct term *match_not(struct term *term); /* NULL of NULL */
void match_add_needed(struct match *match, const struct column *column);
void match_because(struct match *match, struct span span, const char *text);

/* ---- match_source.c ---- */

bool match_same_ties(const struct match_ties *a, const struct match_ties *b);

/* Sets match->ties. */
void match_tie_row(struct match *match);

/* Of match->ties one of a column, whose value compares in SQL with what is of `type`; or NULL. */
const struct match_tie *match_tied(const struct match *match, const struct column *column,
                                   struct type type);

/* Inheritance and partitions: its changes come by other ways. */
bool match_is_alone(const struct model *model, const struct table *table);

/* All that the result depends on, the row's table first. */
void match_sources(struct match *match);

#endif
