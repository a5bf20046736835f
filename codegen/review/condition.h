/* SPDX-License-Identifier: MIT */
/*
 * Conditions of an access matrix as and, or, not and lists of values over parts that are compared
 * by their tokens.  What is said to hold holds in three-valued logic: where one condition implies
 * the other, every row that the first admits the second admits, too.
 */
#ifndef CONDITION_H
#define CONDITION_H

#include "review/matrix.h"

struct condition;

/* From the text of a matrix; a text that cannot be read is one part that equals itself. */
const struct condition *condition_read(const char *text);

/* The words of a text, one space between them, in one spelling; "" of a text that has none. */
const char *condition_words(const char *text);

const struct condition *condition_constant(bool value);

/* Joined by AND or OR. */
const struct condition *condition_join(const struct condition *const *parts, size_t n, bool all);

/*
 * Every row that `a`, a condition of the matrix `of_a`, admits is admitted by `b` of `of_b`.  What
 * a predicate's name means in each is in its matrix.  False: it does not, or that is not known.
 */
bool condition_implies(const struct condition *a, const struct matrix *of_a,
                       const struct condition *b, const struct matrix *of_b);

#endif
