/* SPDX-License-Identifier: MIT */
/* The right text, put where it belongs in the sources. */
#include <string.h>

#include "check/checker.h"
#include "syntax/grammar.h"
#include "syntax/lexer.h"
#include "syntax/spell.h"

/* The finding is about the name alone, or about a path that ends with it. */
void
check_fix_name(struct diag *diag, const char *name, const char *right)
{
    struct span span = diag_span(diag);
    const char *text = span.file ? span.file->text : NULL;
    size_t len = strlen(name);

    if (!text || span.end - span.start < len)
        return;
    if (span.end - span.start > len && text[span.end - len - 1] != '.')
        return;
    span.start = span.end - len;
    for (size_t i = 0; i < len; i++) {
        char c = text[span.start + i];

        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != name[i])
            return;
    }
    diag_fix(diag, span, "%s", spell_name(right));
}

/* What stands last in a table's parentheses, and the one that closes them. */
struct ending {
    struct token last;
    struct token close;
};

static bool
find_ending(const struct table *table, struct ending *out)
{
    struct lexer lexer;
    struct token token;
    int depth = 0;

    if (!table->span.file)
        return false;
    lex_open(&lexer, table->span.file);
    lexer.at += table->span.start;
    for (token = lex_next(&lexer); token.kind && token.kind != TOKEN_SEMI;
         token = lex_next(&lexer)) {
        depth += (token.kind == TOKEN_LP) - (token.kind == TOKEN_RP);
        out->close = token;
        if (token.kind == TOKEN_RP && depth == 0)
            return true;
        out->last = token;
    }
    return false;
}

static size_t
line_start(struct span span)
{
    size_t at = span.start;

    while (at > 0 && span.file->text[at - 1] != '\n')
        at--;
    return at;
}

void
check_fix_item(struct diag *diag, const struct table *table, const char *item)
{
    struct ending ending = {0};
    struct span place;
    size_t line;

    if (table->is_view || !find_ending(table, &ending))
        return;
    line = line_start(ending.close.span);
    if (ending.last.kind != TOKEN_COMMA)
        diag_fix(diag, span_after(ending.last.span), ",");
    place = span_before(ending.close.span);
    if (line <= ending.last.span.end) {
        diag_fix(diag, place, " %s", item); /* all of it stands in one line */
        return;
    }
    place.start = place.end = line;
    diag_fix(diag, place, "  %s,\n", item);
}

void
check_fix_index(struct diag *diag, const struct table *table, const struct column *column)
{
    check_fix_item(diag, table, arena_printf("index (%s)", spell_name(column->name)));
}
