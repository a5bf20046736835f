/* SPDX-License-Identifier: MIT */
#include "base/words.h"

#include <string.h>

void
words_add(struct words *words, const char *word)
{
    vec_push(&words->list, word);
}

bool
words_contain(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->list.n; i++)
        if (strcmp(words->list.at[i], word) == 0)
            return true;
    return false;
}
