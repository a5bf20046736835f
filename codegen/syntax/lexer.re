/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's lexical rules: folding, doubled quotes, E'...', nested comments, operators that end
 * where a comment begins.  A token without its end is reported where it opens; the scan goes on
 * with the next line, so that later errors are found too.
 */
#include "syntax/lexer.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "text/diag.h"
#include "syntax/grammar.h"
#include "base/str.h"

/* PostgreSQL's NAMEDATALEN - 1: it would cut the rest off silently. */
#define NAME_MAX_BYTES 63

struct keyword {
    const char *word;
    int token;
};

static const struct keyword keywords[] = {
#define KEYWORD(word, token) {#word, TOKEN_##token},
#include "syntax/keywords.def"
#undef KEYWORD
};

#define N_KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

void
lex_open(struct lexer *lexer, const struct source *source)
{
    lexer->source = source;
    lexer->at = source->text;
}

const char *
lex_keyword(int kind)
{
    for (size_t i = 0; i < N_KEYWORDS; i++)
        if (keywords[i].token == kind)
            return keywords[i].word;
    return NULL;
}

static int
compare_word(const void *word, const void *keyword)
{
    return strcmp(word, ((const struct keyword *)keyword)->word);
}

int
lex_word(const char *word)
{
    const struct keyword *keyword =
        bsearch(word, keywords, N_KEYWORDS, sizeof(keywords[0]), compare_word);

    return keyword ? keyword->token : 0;
}

static struct span
span_from(const struct lexer *lexer, const char *start)
{
    const char *text = lexer->source->text;

    return (struct span){lexer->source, (size_t)(start - text), (size_t)(lexer->at - text)};
}

static struct token
make(const struct lexer *lexer, const char *start, int kind, const char *text)
{
    return (struct token){kind, span_from(lexer, start), text};
}

static struct token
as_written(const struct lexer *lexer, const char *start, int kind)
{
    return make(lexer, start, kind, arena_copy(start, (size_t)(lexer->at - start)));
}

/* Where a token has no end: the rest of its first line is taken for it. */
static void
skip_line(struct lexer *lexer, const char *start)
{
    const char *end = lexer->source->text + lexer->source->len;
    const char *newline = memchr(start, '\n', (size_t)(end - start));

    lexer->at = newline ? newline : end;
}

static void
check_name_length(const struct token *token)
{
    size_t len = strlen(token->text);

    if (len > NAME_MAX_BYTES)
        diag_at(token->span, PGS0015_NAME_TOO_LONG,
                "this name has %zu bytes; PostgreSQL would cut it to %d", len, NAME_MAX_BYTES);
}

static struct token
read_word(struct lexer *lexer, const char *start)
{
    struct token token = as_written(lexer, start, TOKEN_ID);
    char *text = arena_copy(token.text, strlen(token.text));
    int keyword;

    for (char *c = text; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + ('a' - 'A'));
    token.text = text;
    keyword = lex_word(text);
    if (keyword)
        token.kind = keyword;
    else
        check_name_length(&token);
    return token;
}

/* The text up to the quote that ends it, doubled quotes made one; NULL when it has no end. */
static const char *
read_quoted(struct lexer *lexer, char quote)
{
    const char *end = lexer->source->text + lexer->source->len;
    struct str text = {0};

    str_puts(&text, "");
    for (const char *p = lexer->at; p < end; p++) {
        if (*p == quote && p[1] == quote) {
            p++;
        } else if (*p == quote) {
            lexer->at = p + 1;
            return text.at;
        }
        str_putc(&text, *p);
    }
    return NULL;
}

static struct token
read_name(struct lexer *lexer, const char *start)
{
    const char *text = read_quoted(lexer, '"');
    struct token token;

    if (!text) {
        skip_line(lexer, start);
        diag_at(span_from(lexer, start), PGS0013_OPEN_NAME, "this quoted name has no closing \"");
        return make(lexer, start, TOKEN_ID, "?");
    }
    token = make(lexer, start, TOKEN_ID, text);
    if (!*text)
        diag_at(token.span, PGS0014_EMPTY_NAME, "a name needs at least one character");
    check_name_length(&token);
    return token;
}

static struct token
open_string(struct lexer *lexer, const char *start)
{
    skip_line(lexer, start);
    diag_at(span_from(lexer, start), PGS0010_OPEN_STRING, "this string has no closing quote");
    return make(lexer, start, TOKEN_STRING, "");
}

static struct token
read_string(struct lexer *lexer, const char *start)
{
    const char *text = read_quoted(lexer, '\'');

    return text ? make(lexer, start, TOKEN_STRING, text) : open_string(lexer, start);
}

static void
add_utf8(struct str *text, unsigned long c)
{
    if (c < 0x80) {
        str_putc(text, (char)c);
        return;
    }
    if (c < 0x800) {
        str_putc(text, (char)(0xc0 | c >> 6));
    } else if (c < 0x10000) {
        str_putc(text, (char)(0xe0 | c >> 12));
        str_putc(text, (char)(0x80 | (c >> 6 & 0x3f)));
    } else {
        str_putc(text, (char)(0xf0 | c >> 18));
        str_putc(text, (char)(0x80 | (c >> 12 & 0x3f)));
        str_putc(text, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    str_putc(text, (char)(0x80 | (c & 0x3f)));
}

/* The digits of \x41, \u00e9 or \101 at `p`; the length used, 0 when it is no character. */
static size_t
read_code(const char *p, size_t min, size_t max, int base, unsigned long highest, struct str *text)
{
    char digits[9] = {0};
    char *end;
    unsigned long c;

    for (size_t i = 0; i < max && ((p[i] >= '0' && p[i] <= (base == 8 ? '7' : '9')) ||
                                   (base == 16 && p[i] && strchr("abcdefABCDEF", p[i])));
         i++)
        digits[i] = p[i];
    c = strtoul(digits, &end, base);
    if ((size_t)(end - digits) < min || c == 0 || c > highest || (c >= 0xd800 && c < 0xe000))
        return 0;
    add_utf8(text, c);
    return (size_t)(end - digits);
}

/* What follows a backslash; the length used, 0 when PostgreSQL has no such escape. */
static size_t
read_escape(const char *p, struct str *text)
{
    static const char letters[] = "bfnrt\\'\"";
    static const char meant[] = "\b\f\n\r\t\\'\"";
    const char *letter = *p ? strchr(letters, *p) : NULL;
    size_t n = 0;

    if (letter) {
        str_putc(text, meant[letter - letters]);
        return 1;
    }
    if (*p >= '0' && *p <= '7')
        return read_code(p, 1, 3, 8, 0x7f, text);
    if (*p == 'x')
        n = read_code(p + 1, 1, 2, 16, 0x7f, text);
    else if (*p == 'u')
        n = read_code(p + 1, 4, 4, 16, 0xffff, text);
    else if (*p == 'U')
        n = read_code(p + 1, 8, 8, 16, 0x10ffff, text);
    return n ? n + 1 : 0;
}

static void
report_escape(struct lexer *lexer, const char *backslash)
{
    size_t at = (size_t)(backslash - lexer->source->text);
    struct diag *diag = diag_at((struct span){lexer->source, at, at + 2}, PGS0018_BAD_ESCAPE,
                                "this escape is not known here");

    diag_hint(diag, "E'...' knows \\b \\f \\n \\r \\t \\\\ \\' \\\" \\uXXXX \\UXXXXXXXX, and \\xNN "
                    "below 80");
}

/* E'...': escapes begin with a backslash. */
static struct token
read_escaped(struct lexer *lexer, const char *start)
{
    const char *end = lexer->source->text + lexer->source->len;
    struct str text = {0};

    str_puts(&text, "");
    for (const char *p = lexer->at; p < end; p++) {
        size_t used;

        if (*p == '\'' && p[1] != '\'') {
            lexer->at = p + 1;
            return make(lexer, start, TOKEN_ESCAPED, text.at);
        }
        if (*p == '\'')
            p++;
        if (*p != '\\') {
            str_putc(&text, *p);
            continue;
        }
        used = read_escape(p + 1, &text);
        if (!used) {
            report_escape(lexer, p);
            used = p + 1 < end;
        }
        p += used;
    }
    return open_string(lexer, start);
}

/* A comment that comes last must not take in what the SQL text is put before. */
static const char *
end_comment(const char *text, size_t len)
{
    const char *copy = arena_copy(text, len);
    const char *line = strrchr(copy, '\n');

    return strstr(line ? line : copy, "--") ? arena_printf("%s\n", copy) : copy;
}

static const char *
skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Raw SQL goes into a migration, whose parts begin with such lines. */
static void
report_marks(struct lexer *lexer, const char *text, const char *end)
{
    static const char *const marks[] = {"migrate:", "transaction:"};

    for (const char *line = text, *next; line < end; line = next) {
        const char *start = skip_blanks(line, end), *at = start;

        for (next = line; next < end && *next++ != '\n';)
            ;
        if (end - at < 2 || memcmp(at, "--", 2) != 0)
            continue;
        at = skip_blanks(at + 2, end);
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
            size_t len = strlen(marks[i]);
            struct span span = span_from(lexer, start);

            if ((size_t)(end - at) < len || memcmp(at, marks[i], len) != 0)
                continue;
            span.end = (size_t)(next - lexer->source->text);
            diag_hint(diag_at(span, PGS5003_MARK_IN_RAW,
                              "a line that begins with `-- %s` parts a migration file", marks[i]),
                      "reword the comment; what is to run apart is a migration of its own");
        }
    }
}

/* $$ ... $$ and $tag$ ... $tag$: everything between, as it stands. */
static struct token
read_dollar(struct lexer *lexer, const char *start)
{
    size_t tag = (size_t)(lexer->at - start);
    const char *text = lexer->at;
    const char *end = lexer->source->text + lexer->source->len;

    for (const char *p = text; p + tag <= end; p++) {
        if (*p == '$' && memcmp(p, start, tag) == 0) {
            lexer->at = p + tag;
            report_marks(lexer, text, p);
            return make(lexer, start, TOKEN_RAW, end_comment(text, (size_t)(p - text)));
        }
    }
    diag_at(span_from(lexer, start), PGS0012_OPEN_DOLLAR, "%.*s is opened here and never closed",
            (int)tag, start);
    lexer->at = end;
    return make(lexer, start, TOKEN_RAW, "");
}

static void
skip_comment(struct lexer *lexer, const char *start)
{
    const char *end = lexer->source->text + lexer->source->len;
    int depth = 1;
    const char *p = lexer->at;

    while (depth > 0 && p < end) {
        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p += 2;
        } else if (p[0] == '*' && p[1] == '/') {
            depth--;
            p += 2;
        } else {
            p++;
        }
    }
    if (depth > 0)
        diag_at(span_from(lexer, start), PGS0011_OPEN_COMMENT,
                "this comment is never closed with */");
    lexer->at = p;
}

/*
 * An operator of several characters ends where a comment begins, and it may end in + or - only
 * when it holds a character that no operator of standard SQL has: `a*-b` is two operators.
 */
static struct token
read_operator(struct lexer *lexer, const char *start)
{
    size_t len = (size_t)(lexer->at - start);
    struct token token;

    for (size_t i = 1; i + 1 < len; i++)
        if ((start[i] == '-' && start[i + 1] == '-') || (start[i] == '/' && start[i + 1] == '*'))
            len = i;
    while (len > 1 && (start[len - 1] == '+' || start[len - 1] == '-')) {
        size_t i = 0;

        while (i < len && !strchr("~!@#%^&|`?", start[i]))
            i++;
        if (i < len)
            break;
        len--;
    }
    lexer->at = start + len;
    token = as_written(lexer, start, TOKEN_OP);
    if (len == 1) {
        const char *one = strchr("+-*/%^<>=", *start);
        static const int kinds[] = {TOKEN_PLUS,  TOKEN_MINUS, TOKEN_STAR, TOKEN_SLASH, TOKEN_PERCENT,
                                    TOKEN_CARET, TOKEN_LT,    TOKEN_GT,   TOKEN_EQ};

        if (one)
            token.kind = kinds[one - "+-*/%^<>="];
    } else if (strcmp(token.text, "<=") == 0) {
        token.kind = TOKEN_LE;
    } else if (strcmp(token.text, ">=") == 0) {
        token.kind = TOKEN_GE;
    } else if (strcmp(token.text, "<>") == 0 || strcmp(token.text, "!=") == 0) {
        token.kind = TOKEN_NE;
        token.text = "<>";
    } else if (strcmp(token.text, "=>") == 0) {
        token.kind = TOKEN_ARROW;
    }
    return token;
}

static void
report_character(struct lexer *lexer, const char *start)
{
    while (((unsigned char)*lexer->at & 0xc0) == 0x80)
        lexer->at++;
    diag_at(span_from(lexer, start), PGS0016_BAD_CHARACTER, "\"%.*s\" means nothing here",
            (int)(lexer->at - start), start);
}

static void
report_number(struct lexer *lexer, const char *start)
{
    struct diag *diag = diag_at(span_from(lexer, start), PGS0017_BAD_NUMBER,
                                "this is neither a number nor a name");

    diag_hint(diag, "a name does not begin with a digit; a number and its unit have a space between");
}

/*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = cursor;
    re2c:define:YYLIMIT = limit;
    re2c:define:YYMARKER = marker;
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    begin  = [A-Za-z_\x80-\xff];
    within = [A-Za-z0-9_\x80-\xff];
    digit  = [0-9];
    number = digit+ | digit+ "." digit* | "." digit+;
*/

struct token
lex_next(struct lexer *lexer)
{
    const unsigned char *limit = (const unsigned char *)lexer->source->text + lexer->source->len;

    for (;;) {
        const char *start = lexer->at;
        const unsigned char *cursor = (const unsigned char *)start;
        const unsigned char *marker = cursor;

#define TAKE lexer->at = (const char *)cursor
/*!re2c
        [ \t\r\n\f\v]+                 { TAKE; continue; }
        "--" [^\n]*                    { TAKE; continue; }
        "/" "*"                        { TAKE; skip_comment(lexer, start); continue; }
        begin (within | "$")*          { TAKE; return read_word(lexer, start); }
        ["]                            { TAKE; return read_name(lexer, start); }
        [']                            { TAKE; return read_string(lexer, start); }
        [eE] [']                       { TAKE; return read_escaped(lexer, start); }
        "$" (begin within*)? "$"       { TAKE; return read_dollar(lexer, start); }
        number ([eE] [+-]? digit+)?    { TAKE; return as_written(lexer, start, TOKEN_NUMBER); }
        number ([eE] [+-]? digit+)? begin within* {
            TAKE;
            report_number(lexer, start);
            return make(lexer, start, TOKEN_NUMBER, "0");
        }
        "("  { TAKE; return as_written(lexer, start, TOKEN_LP); }
        ")"  { TAKE; return as_written(lexer, start, TOKEN_RP); }
        "["  { TAKE; return as_written(lexer, start, TOKEN_LB); }
        "]"  { TAKE; return as_written(lexer, start, TOKEN_RB); }
        "{"  { TAKE; return as_written(lexer, start, TOKEN_LC); }
        "}"  { TAKE; return as_written(lexer, start, TOKEN_RC); }
        ","  { TAKE; return as_written(lexer, start, TOKEN_COMMA); }
        ";"  { TAKE; return as_written(lexer, start, TOKEN_SEMI); }
        "."  { TAKE; return as_written(lexer, start, TOKEN_DOT); }
        ":"  { TAKE; return as_written(lexer, start, TOKEN_COLON); }
        "::" { TAKE; return as_written(lexer, start, TOKEN_TYPECAST); }
        [-+*/<>=~!@#%^&|`?]+           { TAKE; return read_operator(lexer, start); }
        *                              { TAKE; report_character(lexer, start); continue; }
        $                              { return make(lexer, start, 0, ""); }
*/
#undef TAKE
    }
}
