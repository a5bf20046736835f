/* SPDX-License-Identifier: MIT */
/* The one canonical form of a source file. */
#ifndef FORMAT_H
#define FORMAT_H

#include "text/source.h"

/* Columns of a line, where the text can be broken. */
#define FORMAT_COLUMNS 100

/*
 * The text of a file that parses, in canonical form: the same tokens but for commas at the end of
 * lists, the same comments, blank lines between declarations and items kept, one at most.  What it
 * gives for its own output is that output.  NULL, which should not happen: the form would mean
 * something else.
 */
const char *format_source(const struct source *source);

/*
 * The same for a file that may not parse: NULL when it has a syntax error, which is then in the
 * diagnostics.  Semantic errors do not matter.
 */
const char *format_checked(struct source *source);

#endif
