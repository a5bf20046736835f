/* SPDX-License-Identifier: MIT */
/* What is read, for those who ask whether that is granted.  checker.h includes it. */
#ifndef CHECK_READS_H
#define CHECK_READS_H

#include "base/vec.h"
#include "model/model.h"

/* What a statement or condition reads, predicates and views followed to their tables. */
struct read {
    const struct table *table;
    const struct column *column; /* NULL: the table as such */
    struct span span;            /* where it stands: maybe in a predicate or view */
    struct span from;            /* where it comes from in the expression asked about */
};
VEC_STRUCT(reads, struct read);

/* The row itself and what definer predicates read are left out: no right is needed for them. */
void check_reads(const struct expr *expr, struct reads *out);
void check_reads_select(const struct select *select, struct reads *out);
void check_reads_statement(const struct statement *statement, struct reads *out);

/* The first that the role may not read; NULL: it may read all. */
const struct read *check_first_forbidden(const struct reads *reads, const struct role *role);

/* How messages name it: table.column, or "table". */
const char *check_read_name(const struct read *read);

#endif
