/* SPDX-License-Identifier: MIT */
#include "rights/raw_text.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"

struct reader {
    const struct source *file;
    const char *at, *end;
    int statement;
    int depth; /* of $$ in $$ */
    struct raw_tokens tokens;
};

/* Deeper dollar quotes are read as strings. */
#define MAX_DEPTH 4

static bool
is_name_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static void
add(struct reader *reader, int kind, const char *start, const char *text)
{
    const char *base = reader->file->text;
    struct raw_token token = {
        .text = text,
        .span = {reader->file, (size_t)(start - base), (size_t)(reader->at - base)},
        .statement = reader->statement,
    };

    token.kind = kind;
    vec_push(&reader->tokens, token);
}

static void
skip_comment(struct reader *reader)
{
    int depth = 0;

    if (*reader->at == '-') {
        while (reader->at < reader->end && *reader->at != '\n')
            reader->at++;
        return;
    }
    do {
        if (reader->end - reader->at >= 2 && memcmp(reader->at, "/*", 2) == 0) {
            depth++;
            reader->at += 2;
        } else if (reader->end - reader->at >= 2 && memcmp(reader->at, "*/", 2) == 0) {
            depth--;
            reader->at += 2;
        } else {
            reader->at++;
        }
    } while (depth > 0 && reader->at < reader->end);
}

static void
read_quoted(struct reader *reader)
{
    const char *start = reader->at;
    char quote = *reader->at++;
    bool escapes =
        quote == '\'' && start > reader->file->text && (start[-1] == 'e' || start[-1] == 'E');

    while (reader->at < reader->end) {
        if (escapes && *reader->at == '\\' && reader->at + 1 < reader->end)
            reader->at++;
        else if (*reader->at == quote && reader->at + 1 < reader->end && reader->at[1] == quote)
            reader->at++;
        else if (*reader->at == quote)
            break;
        reader->at++;
    }
    const char *text = arena_copy(start + 1, (size_t)(reader->at - start - 1));

    if (reader->at < reader->end)
        reader->at++;
    add(reader, quote == '"' ? RAW_NAME : RAW_STRING, start, text);
}

static void
read_word(struct reader *reader)
{
    const char *start = reader->at;
    char *text;

    while (reader->at < reader->end && is_name_character(*reader->at))
        reader->at++;
    text = arena_copy(start, (size_t)(reader->at - start));
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    add(reader, RAW_WORD, start, text);
}

static void read_all(struct reader *reader);

/* $tag$ ... $tag$; false when it is none. */
static bool
read_dollar(struct reader *reader)
{
    const char *start = reader->at, *tag = start + 1, *body, *end;
    size_t len;

    while (tag < reader->end && is_name_character(*tag))
        tag++;
    if (tag >= reader->end || *tag != '$')
        return false;
    len = (size_t)(tag + 1 - start);
    body = tag + 1;
    for (end = body; end + len <= reader->end && memcmp(end, start, len) != 0;)
        end++;
    if (end + len > reader->end)
        return false;
    reader->at = end + len;
    add(reader, RAW_STRING, start, arena_copy(body, (size_t)(end - body)));
    if (reader->depth < MAX_DEPTH) {
        const char *after = reader->at, *last = reader->end;
        int statement = reader->statement;

        reader->at = body;
        reader->end = end;
        reader->depth++;
        reader->statement += RAW_NESTED;
        read_all(reader);
        reader->depth--;
        reader->at = after;
        reader->end = last;
        reader->statement = statement;
    }
    return true;
}

static void
read_symbol(struct reader *reader)
{
    const char *start = reader->at;
    size_t len = reader->end - start >= 2 && memcmp(start, "||", 2) == 0 ? 2 : 1;

    reader->at += len;
    if (*start == ';')
        reader->statement++;
    else
        add(reader, RAW_SYMBOL, start, arena_copy(start, len));
}

static void
read_all(struct reader *reader)
{
    while (reader->at < reader->end) {
        char c = *reader->at;
        char next = reader->at + 1 < reader->end ? reader->at[1] : '\0';

        if (isspace((unsigned char)c))
            reader->at++;
        else if ((c == '-' && next == '-') || (c == '/' && next == '*'))
            skip_comment(reader);
        else if (c == '\'' || c == '"')
            read_quoted(reader);
        else if (is_name_character(c))
            read_word(reader);
        else if (c != '$' || !read_dollar(reader))
            read_symbol(reader);
    }
}

struct raw_tokens
raw_text_tokens(struct span span)
{
    const char *text = span.file->text + span.start;
    const char *tag = memchr(text + 1, '$', span.end - span.start - 1);
    size_t len = tag ? (size_t)(tag + 1 - text) : 0;
    struct reader reader = {
        .file = span.file, .at = text + len, .end = span.file->text + span.end - len};

    if (reader.at < reader.end)
        read_all(&reader);
    return reader.tokens;
}

struct raw_tokens
raw_string_tokens(struct span span)
{
    struct reader reader = {.file = span.file,
                            .at = span.file->text + span.start + 1,
                            .end = span.file->text + span.end - 1};

    if (span.file->text[span.start] == '\'' && reader.at < reader.end)
        read_all(&reader);
    return reader.tokens;
}

bool
raw_is(const struct raw_tokens *tokens, size_t i, const char *word)
{
    return i < tokens->n && tokens->at[i].kind != RAW_NAME && tokens->at[i].kind != RAW_STRING &&
           strcmp(tokens->at[i].text, word) == 0;
}

bool
raw_are(const struct raw_tokens *tokens, size_t i, const char *words)
{
    size_t first = i;

    while (*words) {
        size_t len = strcspn(words, " ");

        if (!raw_is(tokens, i, arena_copy(words, len)) ||
            tokens->at[i].statement != tokens->at[first].statement)
            return false;
        words += len;
        words += *words == ' ';
        i++;
    }
    return true;
}

size_t
raw_find(const struct raw_tokens *tokens, size_t i, const char *words)
{
    for (size_t at = i; at < tokens->n && tokens->at[at].statement == tokens->at[i].statement; at++)
        if (raw_are(tokens, at, words))
            return at;
    return tokens->n;
}
