/* SPDX-License-Identifier: MIT */
/* A list of texts. */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>

#include "base/vec.h"

struct words {
    VEC(const char *) list;
};

void words_add(struct words *words, const char *word);
bool words_contain(const struct words *words, const char *word);

#endif
