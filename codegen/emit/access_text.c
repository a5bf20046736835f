/* SPDX-License-Identifier: MIT */
#include "emit/access_text.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "model/walk.h"
#include "plan/fingerprint.h"

#define DIGEST_DIGITS 12

/* ---- what a reviewer sees ---- */

/* The character at `at` and its bytes; sources are UTF-8, so that none is cut. */
static unsigned long
read_character(const char *at, size_t *len)
{
    unsigned char first = (unsigned char)*at;
    unsigned long code = first;

    *len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (*len > 1)
        code = first & (0x7fu >> *len);
    for (size_t i = 1; i < *len; i++)
        code = code << 6 | ((unsigned char)at[i] & 0x3f);
    return code;
}

/* It has no shape, or changes the order of what stands around it. */
static bool
is_hidden(unsigned long code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

static void
add_visible(struct str *str, const char *text, size_t n)
{
    for (const char *end = text + n; text < end;) {
        size_t len;
        unsigned long code = read_character(text, &len);

        if (!is_hidden(code))
            str_add(str, text, len);
        else
            str_printf(str, code < 0x100 ? "\\x%02lx" : "\\u%04lx", code);
        text += len;
    }
}

const char *
access_visible(const char *text)
{
    struct str str = {0};

    str_puts(&str, "");
    add_visible(&str, text, strlen(text));
    return str.at;
}

static bool
is_plain(const char *name)
{
    return !isdigit((unsigned char)*name) && *name != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

const char *
access_name(const char *name)
{
    struct str str = {0};

    if (is_plain(name))
        return name;
    str_putc(&str, '"');
    for (size_t n; *name != '\0'; name += n) {
        n = strcspn(name, "\"");
        add_visible(&str, name, n);
        if (name[n] == '"')
            str_puts(&str, "\"\""), n++;
    }
    str_putc(&str, '"');
    return str.at;
}

const char *
access_names(const char *const *names, size_t n)
{
    struct str str = {0};

    str_puts(&str, "");
    for (size_t i = 0; i < n; i++)
        str_printf(&str, "%s%s", i == 0 ? "" : ", ", access_name(names[i]));
    return str.at;
}

/* ---- conditions, in the words of the schema ---- */

/* Behind the comment at `at`; `at` itself when there is none.  Block comments nest. */
static const char *
skip_comment(const char *at, const char *end)
{
    int depth = 0;

    if (end - at >= 2 && memcmp(at, "--", 2) == 0)
        return at + strcspn(at, "\n");
    if (end - at < 2 || memcmp(at, "/*", 2) != 0)
        return at;
    do {
        bool opens = memcmp(at, "/*", 2) == 0, closes = memcmp(at, "*/", 2) == 0;

        depth += opens - closes;
        at += opens || closes ? 2 : 1;
    } while (depth > 0 && end - at >= 2);
    return at;
}

/* Behind the string or quoted name at `at`; a quote doubled in it begins another one. */
static const char *
skip_quoted(const char *at, const char *end, bool escapes)
{
    char quote = *at;

    for (at++; at < end && *at != quote; at++)
        if (escapes && *at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* A blank that somebody's line breaks left inside of parentheses says nothing. */
static bool
is_edge(const struct str *str, char next)
{
    return next == ')' || (str->n > 0 && str->at[str->n - 1] == '(');
}

const char *
access_source(struct span span)
{
    struct str str = {0};
    const char *at = span.file != NULL ? span.file->text + span.start : "";
    const char *end = span.file != NULL ? span.file->text + span.end : at;
    bool space = false;

    str_puts(&str, "");
    while (at < end) {
        const char *next = skip_comment(at, end);

        if (next == at && !isspace((unsigned char)*at)) {
            bool escapes = at > span.file->text && (at[-1] == 'E' || at[-1] == 'e');

            next = *at == '\'' || *at == '"' ? skip_quoted(at, end, escapes) : at + 1;
            str_puts(&str, space && !is_edge(&str, *at) ? " " : "");
            str_add(&str, at, (size_t)(next - at));
            space = false;
        } else {
            next = next == at ? at + 1 : next;
            space = str.n > 0;
        }
        at = next;
    }
    return access_visible(str.at);
}

/* Behind the $$ or $tag$ text at `at`; `at` itself when there is none. */
static const char *
skip_dollars(const char *at, const char *end)
{
    const char *tag = at + 1, *next;
    size_t len;

    while (tag < end && (isalnum((unsigned char)*tag) || *tag == '_' || (*tag & 0x80) != 0))
        tag++;
    if (*at != '$' || tag >= end || *tag != '$')
        return at;
    len = (size_t)(tag - at) + 1;
    for (next = tag + 1; (size_t)(end - next) >= len; next++)
        if (memcmp(next, at, len) == 0)
            return next + len;
    return end;
}

const char *
access_statement(struct span span)
{
    const char *text = span.file->text, *at = text + span.start, *end = text + span.file->len;

    while (at < end && *at != ';') {
        const char *next = skip_comment(at, end);

        if (next == at && (*at == '\'' || *at == '"'))
            next = skip_quoted(at, end, at > text && (at[-1] == 'E' || at[-1] == 'e'));
        else if (next == at)
            next = skip_dollars(at, end);
        at = next == at ? at + 1 : next;
    }
    span.end = (size_t)(at - text);
    return access_source(span);
}

const char *
access_condition(const struct expr *expr)
{
    return expr->kind == EXPR_PUBLIC ? "every row" : access_source(expr->span);
}

static void
visit_raw(const struct expr *expr, void *data)
{
    bool *found = data;

    *found = *found || expr->kind == EXPR_RAW;
}

bool
access_is_unchecked(const struct expr *expr)
{
    bool found = false;

    walk_expr(expr, visit_raw, &found);
    return found;
}

/* Indented, so that a line that looks like a comment counts, too: it may stand in a string. */
const char *
access_digest(const char *text)
{
    struct str str = {0};

    str_putc(&str, ' ');
    for (; *text != '\0'; text++) {
        str_putc(&str, *text);
        if (*text == '\n')
            str_putc(&str, ' ');
    }
    return arena_copy(fingerprint_sql(str.at), DIGEST_DIGITS);
}
