/* SPDX-License-Identifier: MIT */
/* The right text, put where it belongs in the sources. */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "check/checker.h"
#include "model/access.h"
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

void
check_fix_heading(struct diag *diag, const struct ast *ast, const char *declaration)
{
    struct span span = ast->apps.n > 0 ? ast->apps.at[0].span : (struct span){0};

    if (!span.file || span.file->text[span.end] != ';')
        return;
    span.end++;
    diag_fix(diag, span_after(span), "\n\n%s", declaration);
}

/* ---- lists ---- */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

void
check_fix_unlist(struct diag *diag, struct span item)
{
    const char *text = item.file ? item.file->text : "";
    struct span with_comma = item;

    if (!item.file)
        return;
    while (is_blank(text[with_comma.end]))
        with_comma.end++;
    if (text[with_comma.end] == ',') {
        do
            with_comma.end++;
        while (is_blank(text[with_comma.end]));
        if (text[with_comma.end] != ')') {
            diag_fix(diag, with_comma, "%s", "");
            return;
        }
    }
    with_comma = item;
    while (with_comma.start > 0 && is_blank(text[with_comma.start - 1]))
        with_comma.start--;
    if (with_comma.start == 0 || text[with_comma.start - 1] != ',')
        return;
    with_comma.start--;
    diag_fix(diag, with_comma, "%s", "");
}

static bool
is_written_by_itself(const struct column *column)
{
    return column->generated || column->identity == IDENTITY_ALWAYS;
}

void
check_fix_columns(struct diag *diag, const struct grant *grant,
                  bool (*is_left_out)(const struct column *column, const void *data),
                  const void *data)
{
    struct span span = grant->span;
    const char *word = command_name(grant->command);
    struct str list = {0};

    for (size_t i = 0; i < grant->table->columns.n; i++) {
        const struct column *column = grant->table->columns.at[i];
        bool is_needed = grant->command == CMD_INSERT && column->not_null && !column->default_expr;

        if (is_written_by_itself(column))
            continue;
        if (!is_left_out(column, data))
            str_printf(&list, "%s%s", list.n ? ", " : "", spell_name(column->name));
        else if (is_needed && column->identity == IDENTITY_NONE)
            return;
    }
    if (!list.n || !span.file || span.end - span.start != strlen(word) ||
        strncasecmp(span.file->text + span.start, word, strlen(word)) != 0)
        return;
    diag_fix(diag, span_after(span), " (%s)", list.at);
}

/* ---- words ---- */

void
check_fix_word(struct diag *diag, struct span behind, const char *word, const char *right)
{
    struct span span = {behind.file, behind.start, behind.start};
    const char *text = behind.file ? behind.file->text : "";
    size_t len = strlen(word);

    while (span.start > 0 && (is_blank(text[span.start - 1]) || text[span.start - 1] == '('))
        span.start--;
    if (span.start < len + 1 || !is_blank(text[span.start - len - 1]) ||
        strncasecmp(text + span.start - len, word, len) != 0)
        return;
    span.end = span.start;
    span.start -= len;
    diag_fix(diag, span, "%s", right);
}

/* ---- conditions ---- */

/* Text put behind it belongs to all of it. */
static bool
is_open_at_end(const struct expr *condition)
{
    const char *text = condition->span.file ? condition->span.file->text : "";
    int depth = 0;

    if (!condition->span.file || (condition->kind == EXPR_OP && strcmp(condition->name, "or") == 0))
        return false;
    for (size_t i = condition->span.start; i < condition->span.end; i++) {
        if (strchr("'\"$-", text[i]))
            return false; /* what is quoted may hold parentheses, what is commented ends a line */
        depth += (text[i] == '(') - (text[i] == ')');
        if (depth < 0)
            return false;
    }
    return depth == 0;
}

void
check_fix_and(struct diag *diag, const struct expr *condition, const char *more)
{
    if (condition && is_open_at_end(condition))
        diag_fix(diag, span_after(condition->span), " and %s", more);
}
