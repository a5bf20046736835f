/* SPDX-License-Identifier: MIT */
/*
 * The parser is given the declaration up to the place, and asked what it would take.  A declaration
 * is found by its semicolon or closing brace, so that mistakes in the others do not matter.
 */
#include "syntax/words_at.h"

#include "base/arena.h"
#include "syntax/ast_make.h"
#include "syntax/grammar.h"
#include "text/diag.h"

static bool
is_not_of_in(int kind)
{
    return kind == TOKEN_IN || kind == TOKEN_LIKE || kind == TOKEN_ILIKE || kind == TOKEN_SIMILAR ||
           kind == TOKEN_BETWEEN;
}

/* Splits the tokens of the declaration that the offset is in. */
static void
read_tokens(const struct source *source, size_t offset, struct place *place)
{
    struct lexer lexer;
    struct token token;
    int braces = 0;

    lex_open(&lexer, source);
    while ((token = lex_next(&lexer)).kind) {
        bool before = token.span.end <= offset, ends;

        if (before)
            vec_push(&place->before, token);
        else if (token.span.start > offset)
            vec_push(&place->after, token);
        braces += (token.kind == TOKEN_LC) - (token.kind == TOKEN_RC);
        ends = (token.kind == TOKEN_SEMI && braces <= 0) || (token.kind == TOKEN_RC && braces <= 0);
        if (!ends)
            continue;
        braces = 0;
        if (!before)
            return;
        place->before.n = 0;
    }
}

static bool
feed(void *parser, struct parse *parse, const struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->n; i++) {
        struct token token = tokens->at[i];

        if (token.kind == TOKEN_NOT && i + 1 < tokens->n && is_not_of_in(tokens->at[i + 1].kind))
            token.kind = TOKEN_NOT_LA;
        if (!syntax_accepts(parser, token.kind))
            return false;
        parse->token = token;
        syntax(parser, token.kind, token, parse);
        if (parse->failed || parse->too_deep.file)
            return false;
    }
    return true;
}

struct place
words_at(const struct source *source, size_t offset)
{
    size_t known = diag_count();
    void *parser = syntaxAlloc(arena_alloc);
    struct ast ast = {0};
    struct parse parse = {.ast = &ast};
    struct place place = {0};

    read_tokens(source, offset, &place);
    if (feed(parser, &parse, &place.before)) {
        for (int kind = 1; kind < syntax_tokens(); kind++)
            if (lex_keyword(kind) && syntax_takes(parser, kind))
                words_add(&place.words, lex_keyword(kind));
        place.takes_name = syntax_accepts(parser, TOKEN_ID);
        place.takes_expression =
            syntax_accepts(parser, TOKEN_NUMBER) && syntax_accepts(parser, TOKEN_CASE);
    }
    diag_forget(known);
    return place;
}
