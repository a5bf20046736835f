/* SPDX-License-Identifier: MIT */
/*
 * SQL's comparisons over PostgreSQL's texts, in three-valued logic: what generated conditions are
 * made of.  A text whose `at` is NULL is NULL.
 */
#ifndef PGS_TRUTH_H
#define PGS_TRUTH_H

#include "pgs/match.h"

/* A constant. */
#define PGS_LITERAL(text) ((struct pgs_text){(text), sizeof(text) - 1})

enum pgs_truth pgs_and(enum pgs_truth a, enum pgs_truth b);
enum pgs_truth pgs_or(enum pgs_truth a, enum pgs_truth b);
enum pgs_truth pgs_not(enum pgs_truth a);

/* a = b of two conditions */
enum pgs_truth pgs_both(enum pgs_truth a, enum pgs_truth b);

/* a, or where it is unknown b */
enum pgs_truth pgs_else(enum pgs_truth a, enum pgs_truth b);

/* `a is true`, `a is unknown`: never unknown. */
enum pgs_truth pgs_is(enum pgs_truth a, enum pgs_truth value);

enum pgs_truth pgs_truth_of(bool value);

/* Of a boolean as a column ("t") or as a cast to text ("true"). */
enum pgs_truth pgs_boolean(struct pgs_text value);

enum pgs_truth pgs_is_null(struct pgs_text value);

/* a = b, for types whose texts are equal exactly where the values are. */
enum pgs_truth pgs_equal(struct pgs_text a, struct pgs_text b);

/* a is not distinct from b */
enum pgs_truth pgs_same(struct pgs_text a, struct pgs_text b);

/* a < b, a <= b */
enum pgs_truth pgs_less(const struct pgs_column *type, struct pgs_text a, struct pgs_text b);
enum pgs_truth pgs_less_equal(const struct pgs_column *type, struct pgs_text a, struct pgs_text b);

/*
 * Below zero, zero, above zero, as `a` stands before, with or behind `b`; neither is NULL.  By the
 * type: whole numbers, date, timestamps, uuid, boolean, enumerations; any other in the order of its
 * bytes.
 */
int pgs_compare(const struct pgs_column *type, struct pgs_text a, struct pgs_text b);

#endif
