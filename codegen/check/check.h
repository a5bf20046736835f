/* SPDX-License-Identifier: MIT */
/*
 * AST to model: declares every name, then resolves every use, then asks what is open, unreachable
 * or slow.  Whatever is wrong is in the diagnostics, all of a run at once.
 */
#ifndef CHECK_H
#define CHECK_H

#include "syntax/ast.h"
#include "model/model.h"

/* The checked model, or NULL when there was an error, of the parser or here. */
const struct model *check_project(const struct ast *ast);

/* The same, held against the last released model; `last` NULL: there is none. */
const struct model *check_project_since(const struct ast *ast, const struct ast *last);

#endif
