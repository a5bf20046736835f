/* SPDX-License-Identifier: MIT */
#include "syntax/spell.h"

#include <string.h>

#include "base/str.h"
#include "syntax/ast_make.h"
#include "syntax/grammar.h"
#include "syntax/expected.h"

static const char *
in_quotes(const char *text, char quote)
{
    struct str out = {0};

    str_putc(&out, quote);
    for (; *text; text++) {
        if (*text == quote)
            str_putc(&out, quote);
        str_putc(&out, *text);
    }
    str_putc(&out, quote);
    return out.at;
}

const char *
spell_name(const char *name)
{
    static const char begin[] = "abcdefghijklmnopqrstuvwxyz_";
    int kind = lex_word(name);

    if (!*name || !strchr(begin, *name) ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789")])
        return in_quotes(name, '"');
    return !kind || is_word_for_names(kind) ? name : in_quotes(name, '"');
}

const char *
spell_string(const char *value)
{
    return in_quotes(value, '\'');
}
