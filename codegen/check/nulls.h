/* SPDX-License-Identifier: MIT */
/* When a value may be NULL. */
#ifndef CHECK_NULLS_H
#define CHECK_NULLS_H

#include "check/checker.h"

bool check_is_call_nullable(const struct scope *scope, const struct ast_expr *ast,
                            const struct expr *expr, const struct function *function);
bool check_is_field_nullable(const char *field, struct type type);

/* It gives one row whatever there is: an aggregate over all, or no table at all. */
bool check_is_one_row(const struct select *select);

/* As a value: without a row it is NULL. */
bool check_is_select_nullable(const struct select *select);

/* It reads a row of the select that it stands in. */
bool check_reads_row(const struct scope *scope, const struct expr *expr);

#endif
