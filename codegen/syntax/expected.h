/* SPDX-License-Identifier: MIT */
/*
 * What a syntax error says: the token that cannot stand there, what could, and what to do.
 */
#ifndef EXPECTED_H
#define EXPECTED_H

#include <stdbool.h>

#include "syntax/ast_make.h"

/* A word that begins a declaration. */
bool begins_declaration(int kind);

/* A keyword that is a name wherever no keyword can stand. */
bool is_word_for_names(int kind);

/* What came before the error in its declaration. */
struct context {
    struct token before;     /* the token before; kind 0 at the start of a file */
    struct span long_string; /* the last string with a line break in it; `file` NULL: none */
};

/* Records the error. */
void report_unexpected(const void *parser, struct token token, const struct context *context);

#endif
