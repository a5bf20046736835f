/* SPDX-License-Identifier: MIT */
/*
 * The lexer drops comments; they are found again between the tokens.  A comment belongs to the
 * token before it when it ends that token's line, else to the token after it.  What is printed
 * keeps that, so that a second run sees what the first one saw.
 */
#include <string.h>

#include "format/parts.h"
#include "syntax/grammar.h"

/* ---- between two tokens ---- */

struct gap {
    const char *at, *end;
    bool first; /* of the file: nothing is before it */
};

/* Skips white space: how many lines end in it. */
static size_t
skip_blanks(struct gap *gap)
{
    size_t lines = 0;

    while (gap->at < gap->end && strchr(" \t\r\n\f\v", *gap->at))
        lines += *gap->at++ == '\n';
    return lines;
}

static const char *
end_of_comment(const struct gap *gap)
{
    const char *at = gap->at + 2;
    int depth = 1;

    if (*gap->at == '-') {
        const char *newline = memchr(gap->at, '\n', (size_t)(gap->end - gap->at));

        return newline ? newline : gap->end;
    }
    while (depth > 0 && at + 1 < gap->end) {
        int step = at[0] == '/' && at[1] == '*' ? 1 : at[0] == '*' && at[1] == '/' ? -1 : 0;

        depth += step;
        at += step ? 2 : 1;
    }
    return at;
}

static struct remark
read_remark(struct gap *gap, size_t lines)
{
    const char *start = gap->at, *end = end_of_comment(gap);
    struct remark remark = {.blank_before = lines > 1};

    gap->at = end;
    while (*start == '-' && end > start && strchr(" \t\r", end[-1]))
        end--;
    remark.text = arena_copy(start, (size_t)(end - start));
    return remark;
}

/* Gives the comments of a gap to the tokens around it. */
static void
read_gap(struct gap gap, struct word *before, struct word *after)
{
    struct remarks remarks = {0};
    size_t lines = skip_blanks(&gap), own = 0;
    bool in_line = before && lines == 0, has_own = false;

    while (gap.at < gap.end) {
        struct remark remark = read_remark(&gap, lines);

        lines = skip_blanks(&gap);
        remark.ends_line =
            lines > 0 || remark.text[0] == '-' || (gap.at == gap.end && !after->kind);
        vec_push(&remarks, remark);
        if (in_line && remark.ends_line && !has_own) {
            own = remarks.n; /* up to here they end the line of the token before */
            has_own = true;
        }
    }
    for (size_t i = 0; i < remarks.n; i++)
        vec_push(i < own ? &before->after : &after->before, remarks.at[i]);
    after->blank_before = lines > 1;
}

/* ---- tokens ---- */

/* Of the first line. */
static size_t
count_characters(const char *text)
{
    size_t n = 0;

    for (; *text && *text != '\n'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static struct word
make_word(const struct token *token)
{
    const char *text = token->span.file->text + token->span.start;
    const char *word = lex_keyword(token->kind);
    struct word made = {.kind = token->kind};

    made.text = word && *text != '"' ? word : arena_copy(text, token->span.end - token->span.start);
    made.width = count_characters(made.text);
    return made;
}

static struct remarks
joined(const struct remarks *a, const struct remarks *b)
{
    struct remarks both = {0};

    for (size_t i = 0; i < a->n; i++)
        vec_push(&both, a->at[i]);
    for (size_t i = 0; i < b->n; i++)
        vec_push(&both, b->at[i]);
    return both;
}

static bool
closes(int kind)
{
    return kind == TOKEN_RP || kind == TOKEN_SEMI;
}

/* Nothing can follow it in its line. */
static bool
ends_with_line_comment(const struct remarks *remarks)
{
    return remarks->n > 0 && remarks->at[remarks->n - 1].text[0] == '-';
}

/* A comma stands at the end of a line: comments around it are behind it, or in the next line. */
static void
settle_commas(struct words_of *words)
{
    for (size_t i = 1; i + 1 < words->n; i++) {
        struct word *word = &words->at[i];

        if (word->kind != TOKEN_COMMA && word->kind != TOKEN_SEMI)
            continue;
        if (ends_with_line_comment(&word[-1].after)) {
            word[1].before = joined(&word->after, &word[1].before);
            word->after.n = 0;
        }
        word->after = joined(&word[-1].after, &word->after);
        word[-1].after.n = 0;
        if (word->kind == TOKEN_SEMI)
            continue;
        word[1].before = joined(&word->before, &word[1].before);
        word->before.n = 0;
    }
}

/* A list needs no comma at its end; the layout gives one to the lists that have it. */
static void
drop_last_commas(struct words_of *words)
{
    size_t n = 0;

    for (size_t i = 0; i < words->n; i++) {
        struct word *word = &words->at[i];

        if (word->kind == TOKEN_COMMA && n > 0 && i + 1 < words->n && closes(word[1].kind)) {
            words->at[n - 1].after = word->after;
            continue;
        }
        words->at[n++] = *word;
    }
    words->n = n;
}

struct words_of
format_tokens(const struct source *source)
{
    struct words_of words = {0};
    struct lexer lexer;
    size_t end = 0;
    struct token token;

    lex_open(&lexer, source);
    do {
        struct gap gap = {.at = source->text + end};
        struct word *last;

        token = lex_next(&lexer);
        gap.end = source->text + token.span.start;
        vec_push(&words, make_word(&token));
        last = &words.at[words.n - 1];
        read_gap(gap, words.n > 1 ? last - 1 : NULL, last);
        end = token.span.end;
    } while (token.kind);
    settle_commas(&words);
    drop_last_commas(&words);
    return words;
}

bool
format_has_lines_before(const struct word *word)
{
    for (size_t i = 0; i < word->before.n; i++)
        if (word->before.at[i].ends_line)
            return true;
    return false;
}

/* ---- comparing ---- */

/* The next one that means something. */
static struct token
next(struct lexer *lexer)
{
    struct token token = lex_next(lexer);
    struct lexer ahead = *lexer;

    if (token.kind == TOKEN_COMMA && closes(lex_next(&ahead).kind))
        return lex_next(lexer);
    return token;
}

bool
format_same_tokens(const struct source *a, const struct source *b)
{
    struct lexer left, right;

    lex_open(&left, a);
    lex_open(&right, b);
    for (;;) {
        struct token x = next(&left), y = next(&right);

        if (x.kind != y.kind || strcmp(x.text, y.text) != 0)
            return false;
        if (!x.kind)
            return true;
    }
}
