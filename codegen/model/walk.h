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

/* Calls `visit` for each range of each select in it. */
void walk_ranges(const struct expr *expr, void (*visit)(const struct range *range, void *data),
                 void *data);
void walk_select_ranges(const struct select *select,
                        void (*visit)(const struct range *range, void *data), void *data);

/* Calls `visit` for each side of the top-level `and`s. */
void walk_conjuncts(const struct expr *expr, void (*visit)(const struct expr *expr, void *data),
                    void *data);

#endif
