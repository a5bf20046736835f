/* SPDX-License-Identifier: MIT */
/* Casts as they are written. */
#ifndef CHECK_CAST_H
#define CHECK_CAST_H

#include "check/checker.h"

struct expr *check_cast(struct scope *scope, const struct ast_expr *ast);

/*
 * float8('1.5'), text(42): where no function does it, the name of a type casts.  NULL: this call
 * means no cast.  check_named_cast is for names that no function has.
 */
struct expr *check_cast_call(const struct ast_expr *ast, const struct expr *call);
struct expr *check_named_cast(struct scope *scope, const struct ast_expr *ast);
bool check_is_cast_name(const char *name);

#endif
