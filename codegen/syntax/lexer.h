/* SPDX-License-Identifier: MIT */
/*
 * Text to tokens.  Comments and white space are gone; what is no token is reported and skipped, so
 * that a parser sees only tokens.
 */
#ifndef LEXER_H
#define LEXER_H

#include "text/source.h"

/* `kind` is a TOKEN_ of grammar.y; 0 at the end of the file. */
struct token {
    int kind;
    struct span span;
    /*
     * Names: folded to lower case, or as they stood in double quotes.  Strings and $$: the value.
     * Numbers, words and operators: as written, words in lower case.
     */
    const char *text;
};

struct lexer {
    const struct source *source;
    const char *at;
};

void lex_open(struct lexer *lexer, const struct source *source);

struct token lex_next(struct lexer *lexer);

/* The token of a keyword, by its word in lower case; 0: it is none. */
int lex_word(const char *word);

/* The word of a keyword's token; NULL for other tokens. */
const char *lex_keyword(int kind);

#endif
