/* SPDX-License-Identifier: MIT */
/* What could be written at a place of a text that is being written: for completion. */
#ifndef WORDS_AT_H
#define WORDS_AT_H

#include <stdbool.h>

#include "base/words.h"
#include "syntax/lexer.h"

VEC_STRUCT(tokens, struct token);

struct place {
    struct tokens before; /* of the declaration, up to the place */
    struct tokens after;  /* to its end */
    struct words words;   /* keywords that may stand there */
    bool takes_name;
    bool takes_expression;
};

/* `offset` is where the word that is being written begins. */
struct place words_at(const struct source *source, size_t offset);

#endif
