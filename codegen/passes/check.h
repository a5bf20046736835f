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

/*
 * The same for an editor: never NULL, whatever is wrong.  Where a declaration could not be read, no
 * finding is added to those of the parser: most would only follow.
 */
const struct model *check_what_there_is(const struct ast *ast, const struct ast *last);

#endif
