/* SPDX-License-Identifier: MIT */
/*
 * Walks over expressions and selects of the model, for all who ask what is in them.  A predicate
 * that is called is visited, its body is not.
 */
#ifndef WALK_H
#define WALK_H

#include "model/model.h"

/* Calls `visit` for the expression and all below it, sub-selects too. */
void walk_expr(const struct expr *expr, void (*visit)(const struct expr *expr, void *data),
               void *data);
void walk_select(const struct select *select, void (*visit)(const struct expr *expr, void *data),
                 void *data);

void walk_statement(const struct statement *statement,
                    void (*visit)(const struct expr *expr, void *data), void *data);

/* What is cast, however often. */
const struct expr *walk_behind_casts(const struct expr *expr);

/* What PostgreSQL computes where a row is written: defaults, checks, what indexes hold. */
void walk_table(const struct table *table, void (*visit)(const struct expr *expr, void *data),
                void *data);
void walk_domain(const struct domain *domain, void (*visit)(const struct expr *expr, void *data),
                 void *data);

/* The defaults of arguments. */
void walk_params(const struct params *params, void (*visit)(const struct expr *expr, void *data),
                 void *data);

/*
 * Calls `visit` for each table or view that a select in it reads, wherever that select stands. What
 * is derived is not visited, what it is derived from is.
 */
void walk_ranges(const struct expr *expr, void (*visit)(const struct range *range, void *data),
                 void *data);
void walk_select_ranges(const struct select *select,
                        void (*visit)(const struct range *range, void *data), void *data);

/* The same of a statement; its target is left out. */
void walk_statement_ranges(const struct statement *statement,
                           void (*visit)(const struct range *range, void *data), void *data);

/*
 * Calls `visit` for the columns of tables that the value is, through sub-selects in from, `with`
 * and unions.  What is computed is not followed.
 */
void walk_sources(const struct expr *expr, void (*visit)(const struct expr *column, void *data),
                  void *data);
void walk_output_sources(const struct select *select, size_t i,
                         void (*visit)(const struct expr *column, void *data), void *data);
void walk_select_sources(const struct select *select,
                         void (*visit)(const struct expr *column, void *data), void *data);

/* An aggregate over rows of the select that it stands in: not in a sub-select, nor over a window.
 */
bool expr_has_aggregate(const struct expr *expr);

/* A call in its outputs gives rows: each row that it reads may be shown several times, or not. */
bool select_gives_rows(const struct select *select);

/* One is in its outputs, its order or `having`: it gives one row, or one for each group. */
bool select_has_aggregate(const struct select *select);

/* A whole number of at most nine digits, written as such: not 1e3. */
bool expr_is_whole_number(const struct expr *expr, long *number);

/* Calls `visit` for each side of the top-level `and`s. */
void walk_conjuncts(const struct expr *expr, void (*visit)(const struct expr *expr, void *data),
                    void *data);

#endif
