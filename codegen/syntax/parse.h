/* SPDX-License-Identifier: MIT */
/*
 * Text to AST.  Syntax errors are recorded in the diagnostics; what could be read is in the AST
 * all the same, so that the caller decides with diag_errors() whether to go on.
 */
#ifndef PARSE_H
#define PARSE_H

#include "syntax/ast.h"

/* Where a project keeps the model that was released last, in the language itself. */
#define LAST_MODEL "migrations/current.schema"

/* Adds the declarations of one file to the AST. */
void parse_source(struct ast *ast, struct source *source);

/* Reads and adds one file; a file that cannot be read is an error of its own. */
void parse_file(struct ast *ast, const char *dir, const char *path);

/*
 * DIR/schema and DIR/policies with their subfolders: each file that ends in .schema, in sorted
 * order.  A project without any is an error.
 */
void parse_project(struct ast *ast, const char *dir);

#endif
