/* SPDX-License-Identifier: MIT */
/*
 * The tokens of raw SQL.  Nothing is parsed: comments, strings and quoted names are told apart, so
 * that words which change rights are found where they are words.
 */
#ifndef RAW_TEXT_H
#define RAW_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "text/source.h"

struct raw_token {
    const char *text; /* a word in lower case, a name unquoted, a string's inside, or a symbol */
    struct span span;
    enum {
        RAW_WORD,
        RAW_NAME, /* in double quotes */
        RAW_STRING,
        RAW_SYMBOL,
    } kind;
    int statement; /* from 0; in $$ inside the $$ from RAW_NESTED */
};

#define RAW_NESTED 1000

VEC_STRUCT(raw_tokens, struct raw_token);

/* Of a $$ ... $$ at `span`; with what stands in $$ inside it, as statements of their own. */
struct raw_tokens raw_text_tokens(struct span span);

/* Of a string in single quotes at `span`. */
struct raw_tokens raw_string_tokens(struct span span);

/* The token is this word, unquoted. */
bool raw_is(const struct raw_tokens *tokens, size_t i, const char *word);

/* The tokens from the i-th on are these words, separated by blanks. */
bool raw_are(const struct raw_tokens *tokens, size_t i, const char *words);

/* One of the same statement, from the i-th on; tokens.n: there is none. */
size_t raw_find(const struct raw_tokens *tokens, size_t i, const char *words);

#endif
