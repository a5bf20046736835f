/* SPDX-License-Identifier: MIT */
/*
 * Tokens with their comments, grouped by brackets, laid out declaration by declaration.  Only the
 * layout knows declarations, and only some of their words: a form that it does not know is printed
 * as well as may be, never wrong.
 */
#include "format/format.h"

#include <string.h>

#include "format/parts.h"
#include "syntax/parse.h"
#include "text/diag_parts.h"

const char *
format_source(const struct source *source)
{
    struct words_of words = format_tokens(source);
    struct writer writer = {.fresh = true};
    const char *text;

    str_puts(&writer.out, "");
    for (size_t next = 0; words.at[next].kind;) {
        struct seq seq = format_declaration(&words, &next);

        write_line(&writer, 0);
        write_item_start(&writer, seq.at[0].word, 0);
        declaration_layout(&writer, seq);
    }
    write_item_start(&writer, &words.at[words.n - 1], 0);
    write_line(&writer, 0);
    text = write_aligned(&writer);
    return format_same_tokens(source, source_from_text(source->path, text, strlen(text))) ? text
                                                                                          : NULL;
}

/* Codes of text that is no schema; those above them are about what it says. */
#define LAST_SYNTAX_CODE 21

const char *
format_checked(struct source *source)
{
    const struct diags *all;
    struct ast ast = {0};

    parse_source(&ast, source);
    all = diag_sorted();
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i]->span.file == source && all->at[i]->code <= LAST_SYNTAX_CODE)
            return NULL;
    return format_source(source);
}
