/* SPDX-License-Identifier: MIT */
/*
 * What a syntax error says: the token that cannot stand there, what could, and what to do.
 */
#ifndef EXPECTED_H
#define EXPECTED_H

#include <stdbool.h>

#include "ast_make.h"

/* A word that begins a declaration. */
bool begins_declaration(int kind);

/* Records the error.  `before` is the token that came before; kind 0 at the start of a file. */
void report_unexpected(const void *parser, struct token token, struct token before);

#endif
