/* SPDX-License-Identifier: MIT */
/* Tokens in brackets become one node, so that a line is broken outside before inside. */
#include <string.h>

#include "format/parts.h"
#include "syntax/expected.h"
#include "syntax/grammar.h"

VEC_STRUCT(nodes, struct node);

static int
closing(int kind)
{
    switch (kind) {
    case TOKEN_LP:
        return TOKEN_RP;
    case TOKEN_LB:
        return TOKEN_RB;
    case TOKEN_LC:
        return TOKEN_RC;
    case TOKEN_CASE:
        return TOKEN_END;
    default:
        return 0;
    }
}

bool
format_is(const struct node *node, const char *word)
{
    return strcmp(node->word->text, word) == 0;
}

/* ---- spaces ---- */

/* What comes after it is no operand of two: `-` is a sign there. */
static bool
awaits_operand(const struct node *node)
{
    static const int operands[] = {
        TOKEN_NULL,      TOKEN_TRUE,           TOKEN_FALSE,        TOKEN_CURRENT_DATE,
        TOKEN_LOCALTIME, TOKEN_LOCALTIMESTAMP, TOKEN_CURRENT_TIME, TOKEN_CURRENT_TIMESTAMP,
        TOKEN_ID,        TOKEN_NUMBER,         TOKEN_STRING,       TOKEN_ESCAPED,
        TOKEN_RAW,
    };

    if (!node || node->word->kind == TOKEN_BY)
        return true;
    if (node->close || is_word_for_names(node->word->kind))
        return false;
    for (size_t i = 0; i < sizeof(operands) / sizeof(operands[0]); i++)
        if (operands[i] == node->word->kind)
            return false;
    return true;
}

static bool
is_operator(int kind)
{
    return kind == TOKEN_OP || kind == TOKEN_PLUS || kind == TOKEN_MINUS || kind == TOKEN_STAR ||
           kind == TOKEN_SLASH || kind == TOKEN_PERCENT || kind == TOKEN_CARET ||
           kind == TOKEN_EQ || kind == TOKEN_NE || kind == TOKEN_LT || kind == TOKEN_GT ||
           kind == TOKEN_LE || kind == TOKEN_GE;
}

/* What stands before the name that ends at `i`, over its schema: `references` of `references a.b`.
 */
static const struct node *
before_name(struct seq seq, size_t i)
{
    while (i >= 2 && !seq.at[i - 1].close && seq.at[i - 1].word->kind == TOKEN_DOT)
        i -= 2;
    return i > 0 ? &seq.at[i - 1] : NULL;
}

static bool
is_among(const struct node *node, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (format_is(node, words[i]))
            return true;
    return false;
}

/* A name or word that is called: `count(`, `varchar(`; `in (` and `index (` are apart. */
static bool
is_called(struct seq seq, size_t i)
{
    static const char *const apart[] = {
        "all",    "any",       "by",      "embed",        "enum",   "exclude", "filter",
        "index",  "key",       "order",   "over",         "send",   "set",     "some",
        "stored", "table",     "unique",  "when",         "within", "global",  "insert",
        "update", "select",    "include", "inherits",     "range",  "hash",    "columns",
        "of",     "recursive", "values",  "materialized", "list",   "type",    "search",
    };
    static const char *const declared[] = {"references", "table", "into", "index",
                                           "using",      "view",  "type", "on"};
    const struct node *node = &seq.at[i], *before = before_name(seq, i);

    if (node->close || is_among(node, apart, sizeof(apart) / sizeof(apart[0])))
        return false;
    if (before && is_among(before, declared, sizeof(declared) / sizeof(declared[0])))
        return false;
    return node->word->kind == TOKEN_ID || is_word_for_names(node->word->kind) ||
           node->word->kind == TOKEN_LEFT || node->word->kind == TOKEN_RIGHT ||
           node->word->kind == TOKEN_CAST || node->word->kind == TOKEN_EXTRACT;
}

static bool
glues(const struct node *node)
{
    return !node->close && (node->word->kind == TOKEN_DOT || node->word->kind == TOKEN_TYPECAST ||
                            node->word->kind == TOKEN_COLON);
}

/* A sign stands at what it signs, unless the two would become another operator. */
static bool
is_sign(const struct node *before2, const struct node *before, const struct node *node)
{
    int kind = before->word->kind;

    return !before->close && (kind == TOKEN_MINUS || kind == TOKEN_PLUS) &&
           awaits_operand(before2) && !is_operator(node->word->kind);
}

bool
format_has_space(struct seq seq, size_t i)
{
    const struct node *node = &seq.at[i], *before;
    int kind = node->word->kind;

    if (i == 0 || (!node->close && (kind == TOKEN_COMMA || kind == TOKEN_SEMI)))
        return false;
    before = node - 1;
    if (glues(node) || glues(before))
        return glues(before) == glues(node); /* two of them would be another one */
    if (kind == TOKEN_LB)
        return awaits_operand(before) && before->word->kind != TOKEN_ARRAY;
    if (kind == TOKEN_LP && node->close)
        return !is_called(seq, i - 1);
    return !is_sign(i > 1 ? before - 1 : NULL, before, node);
}

size_t
format_width(struct seq seq)
{
    size_t width = 0;

    for (size_t i = 0; i < seq.n; i++) {
        width += format_has_space(seq, i) + seq.at[i].width;
    }
    return width;
}

/* ---- the tree ---- */

static bool
breaks_before(const struct node *node)
{
    return format_has_lines_before(node->word);
}

static bool
breaks_after(const struct node *node)
{
    return (node->close ? node->close : node->word)->after.n > 0;
}

bool
format_is_broken(struct seq seq)
{
    for (size_t i = 0; i < seq.n; i++)
        if (seq.at[i].broken || (i > 0 && breaks_before(&seq.at[i])) ||
            (i + 1 < seq.n && breaks_after(&seq.at[i])))
            return true;
    return false;
}

struct seq
format_part(struct seq seq, size_t from, size_t to)
{
    return (struct seq){seq.at + from, to - from};
}

static size_t
remarks_width(const struct word *word)
{
    size_t width = 0;

    if (format_has_lines_before(word))
        return 0;
    for (size_t i = 0; i < word->before.n; i++)
        width += strlen(word->before.at[i].text) + 1;
    return width;
}

static bool
has_inner_space(const struct node *node)
{
    return node->word->kind == TOKEN_LC || node->word->kind == TOKEN_CASE;
}

static void
measure(struct node *node)
{
    struct seq inside = {node->at, node->n};

    node->width = node->word->width + remarks_width(node->word);
    if (!node->close)
        return;
    node->width += format_width(inside) + node->close->width + remarks_width(node->close);
    node->width += has_inner_space(node) ? 2 : 0;
    node->broken =
        format_is_broken(inside) || node->word->after.n > 0 ||
        format_has_lines_before(node->close) ||
        (node->n > 0 && (breaks_before(&node->at[0]) || breaks_after(&node->at[node->n - 1])));
}

static struct node read_node(struct words_of *words, size_t *next);

static void
read_inside(struct words_of *words, size_t *next, struct node *node)
{
    int end = closing(node->word->kind);
    struct nodes inside = {0};

    while (words->at[*next].kind && words->at[*next].kind != end)
        vec_push(&inside, read_node(words, next));
    node->close = &words->at[*next];
    if (words->at[*next].kind)
        ++*next;
    node->at = inside.at;
    node->n = inside.n;
}

static struct node
read_node(struct words_of *words, size_t *next)
{
    struct node node = {.word = &words->at[(*next)++]};

    if (closing(node.word->kind))
        read_inside(words, next, &node);
    measure(&node);
    return node;
}

struct seq
format_declaration(struct words_of *words, size_t *next)
{
    struct nodes nodes = {0};

    while (words->at[*next].kind) {
        struct node node = read_node(words, next);

        vec_push(&nodes, node);
        if (node.word->kind == TOKEN_SEMI)
            break;
        if (node.word->kind == TOKEN_LC && words->at[*next].kind != TOKEN_SEMI)
            break;
    }
    return (struct seq){nodes.at, nodes.n};
}
