/* SPDX-License-Identifier: MIT */
#include "base/words.h"

#include <string.h>

#include "base/arena.h"
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

/* passwordHash as password_hash. */
static const char *
with_underscores(const char *name)
{
    char *parts = arena_alloc(2 * strlen(name) + 1), *p = parts;

    for (const char *c = name; *c; c++) {
        bool upper = *c >= 'A' && *c <= 'Z';

        if (upper && c > name && c[-1] >= 'a' && c[-1] <= 'z')
            *p++ = '_';
        *p++ = upper ? (char)(*c - 'A' + 'a') : *c;
    }
    *p = '\0';
    return parts;
}

bool
word_is_part(const char *mixed, const char *const *list, size_t n)
{
    const char *name = with_underscores(mixed);

    for (size_t i = 0; i < n; i++) {
        const char *at = strstr(name, list[i]);
        size_t len = strlen(list[i]);

        if (at && (at == name || at[-1] == '_') && (at[len] == '\0' || at[len] == '_'))
            return true;
    }
    return false;
}
