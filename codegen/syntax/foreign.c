/* SPDX-License-Identifier: MIT */
#include "syntax/foreign.h"

#include <string.h>
#include <strings.h>

#include "syntax/grammar.h"

static const char index_hint[] = "an index stands in its table: `index (column)`";

/* Other words of SQL, and where what they do is said. */
static const char *
usual_declaration(const char *word)
{
    static const char raw_sql[] = "what this language lacks goes into `sql $$ ... $$;`";
    static const char rows[] = "rows are no part of a schema; `pgstack dev` loads demo/data.sql";
    static const char *const pairs[][2] = {
        {"create", "a schema says what there is: leave out \"create\""},
        {"alter", "a schema says what there is: write it the way it should be"},
        {"revoke", "nothing is granted unless it is written: leave it out"},
        {"insert", rows},
        {"update", rows},
        {"set", raw_sql},
        {"do", raw_sql},
        {"index", index_hint},
        {"enum", "an enumeration is `type name as enum ('a', 'b');`"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(pairs[i][0], word) == 0)
            return pairs[i][1];
    return NULL;
}

static size_t
skip_blanks(const char *text, size_t at)
{
    return at + strspn(text + at, " \t\r\n");
}

static bool
has_word(const char *text, size_t at, const char *word)
{
    size_t len = strlen(word);

    return strncasecmp(text + at, word, len) == 0 && strchr(" \t\r\n", text[at + len]) != NULL;
}

/* `create table`: without its first word, or words; an index is none of its own. */
static void
hint_create(struct diag *diag, struct span span)
{
    const char *text = span.file->text;

    span.end = skip_blanks(text, span.end);
    if (has_word(text, span.end, "or"))
        span.end = skip_blanks(text, span.end + strlen("or"));
    if (has_word(text, span.end, "replace"))
        span.end = skip_blanks(text, span.end + strlen("replace"));
    if (has_word(text, span.end, "index") || has_word(text, span.end, "unique")) {
        diag_hint(diag, "%s%s", index_hint,
                  has_word(text, span.end, "unique") ? ", `index unique (column)`" : "");
        return;
    }
    diag_hint(diag, "%s", usual_declaration("create"));
    diag_fix(diag, span, "%s", "");
}

bool
hint_foreign(struct diag *diag, const struct token *token)
{
    if (strcmp(token->text, "create") == 0)
        hint_create(diag, token->span);
    else if (usual_declaration(token->text))
        diag_hint(diag, "%s", usual_declaration(token->text));
    else
        return false;
    return true;
}

bool
is_foreign_word(const struct token *token)
{
    static const char *const words[] = {"sets", "tablesample", "symmetric", "isnull", "notnull"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (token->kind != TOKEN_STRING && strcmp(token->text, words[i]) == 0)
            return true;
    return false;
}
