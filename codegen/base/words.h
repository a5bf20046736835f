/* SPDX-License-Identifier: MIT */
/* Lists of texts. */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>

#include "base/vec.h"

struct words {
    VEC(const char *) list;
};

void words_add(struct words *words, const char *word);
bool words_contain(const struct words *words, const char *word);

/* All of them, in the arena. */
const char *words_join(const struct words *words, const char *separator);

/* The word is one of the list. */
bool word_is_among(const char *word, const char *const *list, size_t n);

/* A name is made of words and underscores, or camelCase: some of the list stand in it. */
bool word_is_part(const char *name, const char *const *list, size_t n);

#define WORD_IS_AMONG(word, list) word_is_among(word, list, sizeof(list) / sizeof((list)[0]))
#define WORD_IS_PART(name, list) word_is_part(name, list, sizeof(list) / sizeof((list)[0]))

#endif
