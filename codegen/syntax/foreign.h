/* SPDX-License-Identifier: MIT */
/* SQL that is none of this language, and what to write for it. */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <stdbool.h>

#include "syntax/lexer.h"
#include "text/diag.h"

/* Where a declaration should begin: says what the word of SQL is here; false: it is none. */
bool hint_foreign(struct diag *diag, const struct token *token);

/* In a select or expression: only a raw body can hold it. */
bool is_foreign_word(const struct token *token);

#endif
