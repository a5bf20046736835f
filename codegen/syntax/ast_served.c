/* SPDX-License-Identifier: MIT */
#include "syntax/ast_served.h"

#include "base/arena.h"
#include "syntax/ast_make.h"

struct ast_secret
secret_env(struct token word, struct token name)
{
    struct ast_secret secret = {.span = span_join(word.span, name.span)};
    const char *text = name.span.file->text + name.span.start;
    size_t len = name.span.end - name.span.start;

    if (text[0] == '"')
        secret.env = name_from(name);
    else
        secret.env = (struct ast_name){arena_copy(text, len), name.span};
    return secret;
}

struct ast_secret
secret_text(struct ast_string text)
{
    return (struct ast_secret){.span = text.span, .text = text};
}
