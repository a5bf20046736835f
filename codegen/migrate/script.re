/* SPDX-License-Identifier: MIT */
/*
 * A file is walked once.  The markers `-- migrate:up` and `-- migrate:down` count only where SQL
 * sees a comment at the start of a line, so that the same words in a string or a function body
 * are data.
 */
#include "migrate/script.h"

#include <string.h>
#include <strings.h>

#include "text/diag.h"

enum token {
    TOKEN_END,
    TOKEN_SPACE,
    TOKEN_COMMENT,
    TOKEN_BLOCK_COMMENT,
    TOKEN_WORD,
    TOKEN_QUOTED,
    TOKEN_DOLLAR,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_SEMICOLON,
    TOKEN_OTHER,
    TOKEN_UNTERMINATED,
    TOKEN_NUL,
};

struct walk {
    const struct source *source;
    const unsigned char *at; /* next byte */
    size_t token;            /* offset of the token read last */
    bool migration;
    struct script *script;
    struct script_part *part; /* NULL before the first marker */

    /* The statement that is being read. */
    bool in_statement;
    size_t start, end;
    int parentheses;
    int words;
    char first[4]; /* initials of its first words: to know `create or replace function` */
    int bodies;    /* depth of begin atomic ... case ... end */
};

static enum token
scan(struct walk *w)
{
    const unsigned char *YYMARKER;
    const unsigned char *at = w->at;

    w->token = (size_t)(at - (const unsigned char *)w->source->text);
    /*!re2c
      re2c:define:YYCTYPE = "unsigned char";
      re2c:define:YYCURSOR = at;
      re2c:yyfill:enable = 0;

      start = [A-Za-z_\x80-\xff];
      any   = [^\x00];

      "\x00"                                           { goto nul; }
      [ \t\r\n\f\v]+                                   { w->at = at; return TOKEN_SPACE; }
      "--" [^\n\x00]*                                  { w->at = at; return TOKEN_COMMENT; }
      "/" "*"                                          { w->at = at; return TOKEN_BLOCK_COMMENT; }
      "'" ([^'\x00] | "''")* "'"                       { w->at = at; return TOKEN_QUOTED; }
      [eE] "'" ([^'\\\x00] | "''" | "\\" any)* "'"     { w->at = at; return TOKEN_QUOTED; }
      ["] ([^"\x00] | ["]["])* ["]                     { w->at = at; return TOKEN_QUOTED; }
      [eE]? "'" | ["]                                  { w->at = at; return TOKEN_UNTERMINATED; }
      "$" (start [A-Za-z0-9_\x80-\xff]*)? "$"          { w->at = at; return TOKEN_DOLLAR; }
      start [A-Za-z0-9_$\x80-\xff]*                    { w->at = at; return TOKEN_WORD; }
      [([]                                             { w->at = at; return TOKEN_OPEN; }
      [)\]]                                            { w->at = at; return TOKEN_CLOSE; }
      ";"                                              { w->at = at; return TOKEN_SEMICOLON; }
      *                                                { w->at = at; return TOKEN_OTHER; }
    */
nul:
    w->at = at;
    return w->token == w->source->len ? TOKEN_END : TOKEN_NUL;
}

static struct span
span_of(const struct walk *w, size_t start, size_t end)
{
    return (struct span){.file = w->source, .start = start, .end = end};
}

static size_t
offset(const struct walk *w)
{
    return (size_t)(w->at - (const unsigned char *)w->source->text);
}

/* Block comments nest.  False: it does not end. */
static bool
skip_block_comment(struct walk *w)
{
    const char *at = (const char *)w->at;
    int depth = 1;

    while (*at != '\0') {
        if (at[0] == '*' && at[1] == '/') {
            at += 2;
            if (--depth == 0) {
                w->at = (const unsigned char *)at;
                return true;
            }
        } else if (at[0] == '/' && at[1] == '*') {
            at += 2;
            depth++;
        } else {
            at++;
        }
    }
    return false;
}

/* To the end of a $tag$ ... $tag$ string.  False: it does not end. */
static bool
skip_dollar(struct walk *w)
{
    const char *tag = w->source->text + w->token;
    size_t len = offset(w) - w->token;

    for (const char *at = (const char *)w->at; (at = strchr(at, '$')) != NULL; at++) {
        if (strncmp(at, tag, len) == 0) {
            w->at = (const unsigned char *)at + len;
            return true;
        }
    }
    return false;
}

static void
statement_clear(struct walk *w)
{
    w->in_statement = false;
    w->parentheses = 0;
    w->words = 0;
    w->bodies = 0;
}

static void
statement_end(struct walk *w)
{
    if (w->in_statement && w->part != NULL)
        vec_push(&w->part->statements, span_of(w, w->start, w->end));
    statement_clear(w);
}

static bool
word_is(const struct walk *w, const char *word)
{
    size_t len = offset(w) - w->token;

    return strlen(word) == len && strncasecmp(w->source->text + w->token, word, len) == 0;
}

/* `create [or replace] function` or `procedure`: the statements that may have a body. */
static bool
makes_routine(const struct walk *w)
{
    if (w->words < 2 || w->first[0] != 'c')
        return false;
    if (w->first[1] == 'f' || w->first[1] == 'p')
        return true;
    return w->words >= 4 && w->first[1] == 'o' && w->first[2] == 'r' &&
           (w->first[3] == 'f' || w->first[3] == 'p');
}

static void
on_word(struct walk *w)
{
    if (w->words < 4)
        w->first[w->words] = (char)(w->source->text[w->token] | 0x20);
    w->words++;
    if (w->parentheses > 0 || !makes_routine(w))
        return;
    if (word_is(w, "begin"))
        w->bodies++;
    else if (word_is(w, "case") && w->bodies > 0)
        w->bodies++;
    else if (word_is(w, "end") && w->bodies > 0)
        w->bodies--;
}

/* A transaction that the file ends by itself would leave its record behind. */
static void
check_transaction_word(struct walk *w)
{
    static const char *const words[] = {"begin",    "start", "commit", "end",
                                        "rollback", "abort", NULL};

    if (!w->migration || w->words != 1 || w->part == NULL || !w->part->transaction)
        return;
    for (const char *const *word = words; *word != NULL; word++) {
        if (word_is(w, *word)) {
            struct diag *d =
                diag_at(span_of(w, w->token, offset(w)), PGS5502_TRANSACTION_IN_MIGRATION,
                        "`%s`: this part already runs as one transaction", *word);
            diag_hint(d, "leave it out, or write `-- migrate:up transaction:false`");
        }
    }
}

static bool
at_line_start(const struct walk *w)
{
    size_t i = w->token;

    while (i > 0 && (w->source->text[i - 1] == ' ' || w->source->text[i - 1] == '\t'))
        i--;
    return i == 0 || w->source->text[i - 1] == '\n';
}

/* The options behind a marker; `-- transaction:false` on a line of its own is one too. */
static void
read_options(struct walk *w, struct script_part *part, const char *at, const char *end)
{
    while (at < end) {
        size_t blank = strspn(at, " \t\r");
        size_t len;

        at += blank;
        if (at >= end)
            return;
        len = strcspn(at, " \t\r\n");
        if (len == 17 && strncmp(at, "transaction:false", len) == 0)
            part->transaction = false;
        else if (!(len == 16 && strncmp(at, "transaction:true", len) == 0))
            diag_at(span_of(w, (size_t)(at - w->source->text),
                            (size_t)(at - w->source->text) + len),
                    PGS5501_MIGRATION_FORM, "unknown option; known: transaction:false");
        at += len;
    }
}

static void
on_marker(struct walk *w, struct script_part *part, const char *options, const char *end)
{
    struct span span = span_of(w, w->token, offset(w));

    statement_end(w);
    if (part->present)
        diag_at(span, PGS5501_MIGRATION_FORM, "this part has begun before");
    else if (part == &w->script->up && w->script->down.present)
        diag_at(span, PGS5501_MIGRATION_FORM, "migrate:up comes before migrate:down");
    part->present = true;
    part->transaction = true;
    w->part = part;
    read_options(w, part, options, end);
}

static void
on_comment(struct walk *w)
{
    const char *at = w->source->text + w->token + 2;
    const char *end = (const char *)w->at;
    size_t len;

    if (!w->migration || !at_line_start(w))
        return;
    at += strspn(at, " \t");
    len = strcspn(at, " \t\r\n");
    if (len == 17 && strncmp(at, "transaction:false", len) == 0 && w->part != NULL &&
        w->part->statements.n == 0 && !w->in_statement)
        w->part->transaction = false;
    if (len < 8 || strncmp(at, "migrate:", 8) != 0)
        return;
    if (len == 10 && strncmp(at, "migrate:up", len) == 0)
        on_marker(w, &w->script->up, at + len, end);
    else if (len == 12 && strncmp(at, "migrate:down", len) == 0)
        on_marker(w, &w->script->down, at + len, end);
    else
        diag_at(span_of(w, w->token, offset(w)), PGS5501_MIGRATION_FORM,
                "unknown marker; known: `-- migrate:up` and `-- migrate:down`");
}

/* Any token that is part of a statement. */
static void
on_content(struct walk *w, enum token token)
{
    if (!w->in_statement) {
        w->in_statement = true;
        w->start = w->token;
        if (w->part == NULL)
            diag_at(span_of(w, w->token, offset(w)), PGS5501_MIGRATION_FORM,
                    "a statement before `-- migrate:up`");
    }
    if (token == TOKEN_OPEN)
        w->parentheses++;
    else if (token == TOKEN_CLOSE && w->parentheses > 0)
        w->parentheses--;
    else if (token == TOKEN_WORD)
        on_word(w);
    if (token == TOKEN_WORD)
        check_transaction_word(w);
    w->end = offset(w);
}

/* False: the walk cannot go on. */
static bool
step(struct walk *w, enum token token)
{
    switch (token) {
    case TOKEN_SPACE:
        return true;
    case TOKEN_COMMENT:
        on_comment(w);
        return true;
    case TOKEN_BLOCK_COMMENT:
        if (skip_block_comment(w))
            return true;
        break;
    case TOKEN_DOLLAR:
        if (!skip_dollar(w))
            break;
        on_content(w, token);
        return true;
    case TOKEN_SEMICOLON:
        if (w->parentheses == 0 && w->bodies == 0)
            statement_end(w);
        return true;
    case TOKEN_UNTERMINATED:
        break;
    case TOKEN_NUL:
        diag_at(span_of(w, w->token, w->token + 1), PGS5501_MIGRATION_FORM,
                "a zero byte: this is no text");
        return false;
    default:
        on_content(w, token);
        return true;
    }
    diag_at(span_of(w, w->token, offset(w)), PGS5501_MIGRATION_FORM, "this never ends");
    return false;
}

static bool
walk(const struct source *source, struct script *script, bool migration)
{
    size_t errors = diag_errors();
    struct walk w = {.source = source,
                     .at = (const unsigned char *)source->text,
                     .migration = migration,
                     .script = script};
    enum token token;

    *script = (struct script){.source = source};
    if (!migration) {
        script->up.present = script->up.transaction = true;
        w.part = &script->up;
    }
    statement_clear(&w);
    while ((token = scan(&w)) != TOKEN_END && step(&w, token))
        ;
    statement_end(&w);
    if (!script->up.present && diag_errors() == errors)
        diag_at(span_of(&w, 0, 0), PGS5501_MIGRATION_FORM, "no `-- migrate:up` in this file");
    return diag_errors() == errors;
}

bool
script_read_migration(const struct source *source, struct script *script)
{
    return walk(source, script, true);
}

bool
script_read_plain(const struct source *source, struct script *script)
{
    return walk(source, script, false);
}
