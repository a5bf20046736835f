/* SPDX-License-Identifier: MIT */
/*
 * The parser is asked about each token it knows.  Where an expression may stand or go on, dozens
 * fit: they are told as "an expression" and "an operator".
 */
#include "syntax/expected.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "text/diag.h"
#include "syntax/foreign.h"
#include "syntax/grammar.h"
#include "base/str.h"

/* More alternatives than this help nobody. */
#define SHOWN_MAX 14

struct set {
    const char *names[SHOWN_MAX];
    size_t n;
    bool too_many;
};

static const int declarations[] = {
    TOKEN_APP,       TOKEN_AUTH,    TOKEN_CLAIM,        TOKEN_COMMENT,   TOKEN_CORS,
    TOKEN_DOMAIN,    TOKEN_DROP,    TOKEN_ENDPOINT,     TOKEN_EXTENSION, TOKEN_FUNCTION,
    TOKEN_GRANT,     TOKEN_LIVE,    TOKEN_MATERIALIZED, TOKEN_PGSTACK,   TOKEN_POLICY,
    TOKEN_PREDICATE, TOKEN_QUERY,   TOKEN_ROLE,         TOKEN_SCHEMA,    TOKEN_SQL,
    TOKEN_TABLE,     TOKEN_TRIGGER, TOKEN_TYPE,         TOKEN_VIEW,      TOKEN_WEBHOOK,
};

static const int expression_starts[] = {
    TOKEN_NUMBER,       TOKEN_STRING,    TOKEN_ESCAPED, TOKEN_RAW,
    TOKEN_TRUE,         TOKEN_FALSE,     TOKEN_NULL,    TOKEN_LP,
    TOKEN_ROW,          TOKEN_LEFT,      TOKEN_RIGHT,   TOKEN_CURRENT_DATE,
    TOKEN_CURRENT_TIME, TOKEN_LOCALTIME, TOKEN_CAST,    TOKEN_CURRENT_TIMESTAMP,
    TOKEN_EXTRACT,      TOKEN_EXISTS,    TOKEN_ARRAY,   TOKEN_LOCALTIMESTAMP,
    TOKEN_CASE,         TOKEN_NOT,       TOKEN_PLUS,    TOKEN_MINUS,
    TOKEN_OP,           TOKEN_ID,
};

/* After an operand: operators, and what makes more of a name (a call, a typed literal, an alias).
 */
static const int expression_goes_on[] = {
    TOKEN_OR,    TOKEN_AND,      TOKEN_EQ,      TOKEN_NE,      TOKEN_LT,     TOKEN_GT,
    TOKEN_LE,    TOKEN_GE,       TOKEN_OP,      TOKEN_PLUS,    TOKEN_MINUS,  TOKEN_STAR,
    TOKEN_SLASH, TOKEN_PERCENT,  TOKEN_CARET,   TOKEN_IS,      TOKEN_IN,     TOKEN_BETWEEN,
    TOKEN_LIKE,  TOKEN_ILIKE,    TOKEN_SIMILAR, TOKEN_NOT_LA,  TOKEN_AT,     TOKEN_ESCAPE,
    TOKEN_LB,    TOKEN_TYPECAST, TOKEN_DOT,     TOKEN_LP,      TOKEN_STRING, TOKEN_ID,
    TOKEN_OVER,  TOKEN_FILTER,   TOKEN_WITHIN,  TOKEN_COLLATE,
};

#define HAS(list, kind) has(list, sizeof(list) / sizeof((list)[0]), kind)

static bool
has(const int *list, size_t n, int kind)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == kind)
            return true;
    return false;
}

bool
begins_declaration(int kind)
{
    return HAS(declarations, kind);
}

bool
is_word_for_names(int kind)
{
    return syntaxFallback(kind) == TOKEN_ID;
}

static const char *
token_name(int kind)
{
    const char *word = lex_keyword(kind);

    switch (kind) {
    case TOKEN_ID:
        return "a name";
    case TOKEN_NUMBER:
        return "a number";
    case TOKEN_STRING:
        return "a string";
    case TOKEN_RAW:
        return "$$";
    case TOKEN_NOT_LA:
        return "not";
    case TOKEN_LP:
        return "\"(\"";
    case TOKEN_RP:
        return "\")\"";
    case TOKEN_LC:
        return "\"{\"";
    case TOKEN_RC:
        return "\"}\"";
    case TOKEN_LB:
        return "\"[\"";
    case TOKEN_RB:
        return "\"]\"";
    case TOKEN_COMMA:
        return "\",\"";
    case TOKEN_SEMI:
        return "\";\"";
    case TOKEN_COLON:
        return "\":\"";
    case TOKEN_EQ:
        return "\"=\"";
    case TOKEN_STAR:
        return "\"*\"";
    default: /* a dot, too: wherever there is a name, there may be a schema */
        return word ? word : NULL;
    }
}

/* Sorted, so that messages do not change with the numbers of tokens. */
static void
add(struct set *set, const char *name)
{
    size_t i;

    if (!name)
        return;
    if (set->n == SHOWN_MAX) {
        set->too_many = true;
        return;
    }
    for (i = set->n++; i > 0 && strcmp(set->names[i - 1], name) > 0; i--)
        set->names[i] = set->names[i - 1];
    set->names[i] = name;
}

static void
collect(const void *parser, struct set *set)
{
    bool operand = syntax_accepts(parser, TOKEN_NUMBER) && syntax_accepts(parser, TOKEN_CASE);
    bool infix = syntax_accepts(parser, TOKEN_TYPECAST);
    bool name = syntax_accepts(parser, TOKEN_ID);
    bool select = syntax_accepts(parser, TOKEN_SELECT) && !name && !operand;

    if (operand)
        add(set, "an expression");
    else if (infix)
        add(set, "an operator");
    for (int kind = 1; kind < syntax_tokens(); kind++) {
        if ((operand && HAS(expression_starts, kind)) || !syntax_accepts(parser, kind) ||
            (infix && HAS(expression_goes_on, kind)))
            continue;
        /* The other beginnings of a select go without saying. */
        if (select && (kind == TOKEN_LP || kind == TOKEN_WITH || kind == TOKEN_VALUES))
            continue;
        /* The word would only be a name. */
        if (name && kind != TOKEN_ID && is_word_for_names(kind))
            continue;
        add(set, token_name(kind));
    }
}

static const char *
text_of(const struct set *set)
{
    struct str text = {0};

    for (size_t i = 0; i < set->n; i++) {
        if (i)
            str_puts(&text, i + 1 < set->n ? ", " : " or ");
        str_puts(&text, set->names[i]);
    }
    return text.at;
}

static void
hint_declaration(struct diag *diag, struct token token)
{
    static const char *words[sizeof(declarations) / sizeof(declarations[0])];
    const char *near;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        words[i] = lex_keyword(declarations[i]);
    near = token.kind == TOKEN_ID
               ? diag_nearest(token.text, words, sizeof(words) / sizeof(words[0]))
               : NULL;
    if (hint_foreign(diag, &token) || !near)
        return;
    diag_hint(diag, "did you mean \"%s\"?", near);
    diag_fix(diag, token.span, "%s", near);
}

static bool
begins_line(const struct token *token)
{
    const char *text = token->span.file->text;
    size_t at = token->span.start;

    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t'))
        at--;
    return at == 0 || text[at - 1] == '\n';
}

static void
hint_missing(struct diag *diag, struct token before, const char *what, const char *text)
{
    diag_hint(diag, "is a %s missing at the end of the line before?", what);
    diag_fix(diag, span_after(before.span), "%s", text);
}

/* SQL has them behind the body, too. */
static bool
is_function_clause(int kind)
{
    return kind == TOKEN_LANGUAGE || kind == TOKEN_IMMUTABLE || kind == TOKEN_STABLE ||
           kind == TOKEN_VOLATILE || kind == TOKEN_STRICT || kind == TOKEN_SECURITY ||
           kind == TOKEN_SET;
}

/* What the token before lets one guess; false when nothing. */
static bool
hint_before(const void *parser, struct diag *diag, struct token token, struct token before)
{
    if (syntax_accepts(parser, TOKEN_USING) && syntax_accepts(parser, TOKEN_UNIQUE))
        diag_hint(diag, "an index is `index [name] (columns)`; a column of that name is written "
                        "\"index\", in double quotes");
    else if (before.kind == TOKEN_ID && strcmp(before.text, "procedure") == 0)
        diag_hint(diag, "a trigger is `... execute %s()`, without \"procedure\"", token.text);
    else if (before.kind == TOKEN_ON && token.kind == TOKEN_TABLE)
        diag_hint(diag, "leave out \"table\"");
    else if (before.kind == TOKEN_AS && token.kind == TOKEN_RAW)
        diag_hint(diag,
                  "a view in $$ says its columns: `view name (column type, ...) as $$ ... $$`");
    else if (before.kind == TOKEN_RAW && is_function_clause(token.kind))
        diag_hint(diag, "what a function is stands before its body: `... %s ... as $$ ... $$;`",
                  token.text);
    else if (before.kind == TOKEN_NUMBER && !syntax_accepts(parser, TOKEN_NUMBER) &&
             syntax_accepts(parser, TOKEN_ID) && !syntax_accepts(parser, TOKEN_TYPECAST))
        diag_hint(diag, "a time is a number and its unit: s, min, h or d");
    else if (begins_line(&token) && syntax_accepts(parser, TOKEN_COMMA) &&
             !begins_declaration(token.kind))
        hint_missing(diag, before, "comma", ",");
    else if (begins_line(&token) && syntax_accepts(parser, TOKEN_SEMI))
        hint_missing(diag, before, "semicolon", ";");
    else
        return false;
    return true;
}

static void
hint_reserved(struct diag *diag, struct token token)
{
    diag_hint(diag, "\"%s\" is reserved; as a name it is written in double quotes", token.text);
    diag_fix(diag, token.span, "\"%s\"", token.text);
}

/* A word that is spelt almost like one that fits. */
static bool
hint_near(const void *parser, struct diag *diag, struct token token)
{
    VEC(const char *) words = {0};
    const char *near;

    for (int kind = 1; kind < syntax_tokens(); kind++)
        if (syntax_accepts(parser, kind) && lex_keyword(kind))
            vec_push(&words, lex_keyword(kind));
    near = token.kind == TOKEN_ID ? diag_nearest(token.text, words.at, words.n) : NULL;
    if (!near)
        return false;
    diag_hint(diag, "did you mean \"%s\"?", near);
    diag_fix(diag, token.span, "%s", near);
    return true;
}

/* A word of SQL that was misspelt is a name, and what stands behind it does not fit. */
static bool
hint_misspelt(struct diag *diag, struct token before)
{
    static const char *const words[] = {"check",  "constraint", "foreign", "from",     "group",
                                        "having", "inner",      "join",    "order",    "primary",
                                        "unique", "where",      "exclude", "partition"};
    const char *near = before.kind == TOKEN_ID
                           ? diag_nearest(before.text, words, sizeof(words) / sizeof(words[0]))
                           : NULL;

    if (!near)
        return false;
    diag_hint(diag, "did you mean \"%s\" where it says \"%s\"?", near, before.text);
    diag_fix(diag, before.span, "%s", near);
    return true;
}

static void
hint_token(const void *parser, struct diag *diag, struct token token, struct token before)
{
    bool operand = syntax_accepts(parser, TOKEN_NUMBER) && syntax_accepts(parser, TOKEN_CASE);
    bool name = syntax_accepts(parser, TOKEN_ID);
    bool infix = syntax_accepts(parser, TOKEN_TYPECAST);

    bool in_select = syntax_accepts(parser, TOKEN_SELECT) || syntax_accepts(parser, TOKEN_LIMIT);

    if ((operand || infix || in_select) && is_foreign_word(&token))
        diag_hint(diag, "SQL that this grammar does not know goes into $$ ... $$");
    else if (operand && (token.kind == TOKEN_LC || token.kind == TOKEN_LB))
        diag_hint(diag, "JSON and arrays are written in quotes: '{}', '{\"a\": 1}', '{1,2}'");
    else if (token.kind && hint_before(parser, diag, token, before))
        return;
    else if (hint_near(parser, diag, token) || hint_misspelt(diag, before))
        return;
    else if (name && !operand && !infix && lex_keyword(token.kind))
        hint_reserved(diag, token);
}

static const char *
quoted(const struct token *token)
{
    switch (token->kind) {
    case TOKEN_STRING:
    case TOKEN_ESCAPED:
        return "string";
    case TOKEN_RAW:
        return "$$";
    default:
        return arena_printf("\"%s\"", token->text);
    }
}

/* ---- grants of SQL ---- */

static bool
goes_on_with(struct token token, const char *words)
{
    const char *text = token.span.file->text + token.span.end;

    while (*words) {
        size_t len = strcspn(words, " ");

        text += strspn(text, " \t\n");
        if (strncasecmp(text, words, len) != 0)
            return false;
        text += len;
        words += len;
        words += *words == ' ';
    }
    return true;
}

/* The token and what follows it on its line, as far as the words go. */
static struct span
span_to(struct token token, const char *words)
{
    struct span span = token.span;
    const char *end = strstr(span.file->text + span.end, words);

    if (end &&
        !memchr(span.file->text + span.end, '\n', (size_t)(end - span.file->text) - span.end))
        span.end = (size_t)(end - span.file->text) + strlen(words);
    return span;
}

static const char *
right_hint(const char *word)
{
    static const char *const hints[][2] = {
        {"usage",
         "an identity needs no right on a sequence, and the roles of the schema have usage "
         "of its schemas: leave the grant out"},
        {"execute", "who may execute a function stands in it: `function f() ... to authenticated`"},
        {"truncate", "truncate asks no policy: grant delete"},
        {"references", "a reference needs no right of those who write: leave it out"},
        {"trigger", "triggers are declared: `trigger ... on t ... execute f();`"},
        {"maintain", "the tables' owner maintains them: leave it out"},
        {"create", "what there is stands in the schema: leave it out"},
        {"connect", "the roles of the schema may connect: leave it out"},
    };

    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (strcasecmp(hints[i][0], word) == 0)
            return hints[i][1];
    return NULL;
}

/* What a grant of SQL may say, and one of a schema may not; false: it is something else. */
static bool
report_grant(const void *parser, struct token token, struct token before)
{
    bool command = syntax_accepts(parser, TOKEN_DELETE) && syntax_accepts(parser, TOKEN_ALL) &&
                   !syntax_accepts(parser, TOKEN_NUMBER);

    if (before.kind == TOKEN_ON && token.kind == TOKEN_ALL && goes_on_with(token, "tables") &&
        !syntax_accepts(parser, TOKEN_NUMBER)) {
        diag_hint(diag_at(span_to(token, "tables"), PGS3400_GRANT_ON_ALL,
                          "a grant names its tables: `all tables` would also cover those of "
                          "tomorrow"),
                  "name each table, and the columns: `grant select (id, name) on t to "
                  "authenticated`");
        return true;
    }
    if (command && (before.kind == TOKEN_GRANT || before.kind == TOKEN_COMMA) &&
        right_hint(token.text)) {
        diag_hint(
            diag_at(token.span, PGS3401_UNKNOWN_RIGHT, "a schema does not grant `%s`", token.text),
            "%s", right_hint(token.text));
        return true;
    }
    if (token.kind == TOKEN_WITH && syntax_accepts(parser, TOKEN_SEMI) &&
        goes_on_with(token, "grant option")) {
        diag_hint(diag_at(span_to(token, "option"), PGS3402_GRANT_OPTION,
                          "whoever has this right could hand it to anybody, and no line of the "
                          "schema would show it"),
                  "leave it out: rights are what the schema says");
        return true;
    }
    return false;
}

void
report_unexpected(const void *parser, struct token token, const struct context *context)
{
    struct set set = {0};
    struct diag *diag;
    const char *what = token.kind ? arena_printf("unexpected %s", quoted(&token))
                                  : "the file ends within a declaration";
    struct span span = token.kind || !context->before.kind ? token.span : context->before.span;

    if (token.kind && report_grant(parser, token, context->before))
        return;
    if (syntax_accepts(parser, TOKEN_GRANT)) {
        diag = diag_at(span, PGS0020_SYNTAX, "no declaration begins with %s", quoted(&token));
        hint_declaration(diag, token);
        return;
    }
    collect(parser, &set);
    if (set.n == 0 || set.too_many)
        diag = diag_at(span, PGS0020_SYNTAX, "%s", what);
    else
        diag = diag_at(span, PGS0020_SYNTAX, "%s; expected %s", what, text_of(&set));
    if (context->long_string.file)
        diag_note(diag, context->long_string,
                  "this string goes on over several lines: is its closing quote missing?");
    hint_token(parser, diag, token, context->before);
}
