/* SPDX-License-Identifier: MIT */
/*
 * Names, which are compared byte for byte: what a client wrote with what the schema or the protocol
 * calls it.
 */
#ifndef PGS_BASE_TEXT_H
#define PGS_BASE_TEXT_H

#include <string.h>

#include "pgs/types.h"

/* A constant C string as a text. */
static inline struct pgs_text
pgs_text_of(const char *str)
{
    return (struct pgs_text){str, strlen(str)};
}

/* The text is `word`, no more and no less. */
static inline bool
pgs_text_is(struct pgs_text text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

#endif
