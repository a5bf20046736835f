/* SPDX-License-Identifier: MIT */
#include "base/words.h"

#include <string.h>

#include "base/str.h"

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

const char *
words_join(const struct words *words, const char *separator)
{
    struct str str = {0};

    str_puts(&str, "");
    for (size_t i = 0; i < words->list.n; i++)
        str_printf(&str, "%s%s", i == 0 ? "" : separator, words->list.at[i]);
    return str.at;
}

bool
word_is_among(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

bool
word_is_part(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *at = strstr(name, list[i]);
        size_t len = strlen(list[i]);

        if (at && (at == name || at[-1] == '_') && (at[len] == '\0' || at[len] == '_'))
            return true;
    }
    return false;
}
