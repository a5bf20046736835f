/* SPDX-License-Identifier: MIT */
/*
 * SQL for reviewers: long statements are broken where a person would, before the clauses of a
 * select and before `and` and `or`, outside of brackets, quotes and cases.
 */
#include <ctype.h>
#include <string.h>

#include "emit/emit.h"
#include "model/names.h"

#define LIST_COLUMNS 90 /* of a list, behind what begins its line */

void
emit_dollar_quoted(struct out *out, const char *text)
{
    const char *quote = "$$", *quoted = arena_printf("%s$$", text);

    for (int i = 1; strstr(quoted, quote) != quoted + strlen(text); i++) {
        quote = arena_printf("$q%d$", i);
        quoted = arena_printf("%s%s", text, quote);
    }
    out_printf(out, "%s%s", quote, quoted);
}

/* ---- long statements ---- */

/* How good a place is for a break: the less, the better. */
enum rank {
    RANK_CLAUSE,
    RANK_OR,
    RANK_AND,
    RANKS, /* of brackets one deeper */
    NO_BREAK = 1000000,
};

/* A walk from one blank to the next that a line may end at. */
struct walk {
    const char *start, *at, *end;
    int depth;   /* of brackets and cases */
    int between; /* depth of one whose `and` is still to come; -1: none */
    bool in_word;
    int rank; /* of the blank that was found */
};

static bool
begins_with(const struct walk *walk, const char *text, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(walk->end - text) > len && memcmp(text, word, len) == 0 && text[len] == ' ';
}

static bool
begins_with_any(const struct walk *walk, const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (begins_with(walk, text, *words))
            return true;
    return false;
}

static bool
follows_distinct(const struct walk *walk, const char *text)
{
    static const char distinct[] = " distinct ";
    size_t len = sizeof(distinct) - 1;

    return (size_t)(text - walk->start) > len && memcmp(text - len, distinct, len) == 0;
}

/* Of a break before `text`, which follows a blank. */
static int
rank_of(struct walk *walk, const char *text)
{
    static const char *const clauses[] = {
        "from",   "join",   "left join", "cross join", "right join", "full join",
        "where",  "having", "group by",  "order by",   "limit",      "offset",
        "window", "union",  "intersect", "except",     NULL};

    if (begins_with_any(walk, text, clauses))
        return follows_distinct(walk, text) ? NO_BREAK : walk->depth * RANKS + RANK_CLAUSE;
    if (begins_with(walk, text, "or"))
        return walk->depth * RANKS + RANK_OR;
    if (!begins_with(walk, text, "and"))
        return NO_BREAK;
    if (walk->between != walk->depth)
        return walk->depth * RANKS + RANK_AND;
    walk->between = -1;
    return NO_BREAK;
}

/* Behind the quoted text. */
static const char *
skip_quoted(const char *text, const char *end)
{
    bool escapes = *text == 'E';
    char quote = text[escapes];

    for (text += escapes + 1; text < end && *text != quote; text++)
        if (escapes && *text == '\\')
            text++;
    return text < end ? text + 1 : end;
}

static bool
is_word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* At the start of a word. */
static void
read_word(struct walk *walk)
{
    if (begins_with(walk, walk->at, "case"))
        walk->depth++;
    else if (begins_with(walk, walk->at, "between"))
        walk->between = walk->depth;
    else if (walk->end - walk->at >= 3 && memcmp(walk->at, "end", 3) == 0 &&
             (walk->end - walk->at == 3 || !is_word_character(walk->at[3])))
        walk->depth--;
}

/* The next blank that may become a line's end; NULL: there is none. */
static const char *
next_break(struct walk *walk)
{
    while (walk->at < walk->end) {
        const char *at = walk->at, *next = at + 1;

        if (*at == '\'' || *at == '"' ||
            (!walk->in_word && *at == 'E' && next < walk->end && *next == '\''))
            next = skip_quoted(at, walk->end);
        else if (*at == '(' || *at == '[')
            walk->depth++;
        else if (*at == ')' || *at == ']')
            walk->depth--;
        else if (!walk->in_word)
            read_word(walk);
        walk->in_word = is_word_character(*at);
        walk->at = next;
        if (*at == ' ' && (walk->rank = rank_of(walk, next)) < NO_BREAK)
            return at;
    }
    return NULL;
}

static struct walk
begin_walk(const char *text, size_t len)
{
    return (struct walk){.start = text, .at = text, .end = text + len, .between = -1};
}

static int
best_rank(const char *text, size_t len)
{
    struct walk walk = begin_walk(text, len);
    int best = NO_BREAK;

    while (next_break(&walk) != NULL)
        if (walk.rank < best)
            best = walk.rank;
    return best;
}

/* Breaks at all places of the best rank, and what is still too long again. */
static void
add_lines(struct out *out, const char *text, size_t len, size_t column, size_t indent,
          size_t behind)
{
    struct walk walk = begin_walk(text, len);
    const char *at = text, *blank;
    int best = NO_BREAK;

    if (column + len + behind > OUT_COLUMNS)
        best = best_rank(text, len);
    if (best == NO_BREAK) {
        out_printf(out, "%.*s", (int)len, text);
        return;
    }
    while ((blank = next_break(&walk)) != NULL) {
        if (walk.rank != best)
            continue;
        add_lines(out, at, (size_t)(blank - at), column, indent + 2, 0);
        out_printf(out, "\n%*s", (int)indent, "");
        column = indent;
        at = blank + 1;
    }
    add_lines(out, at, (size_t)(walk.end - at), column, indent + 2, behind);
}

void
emit_statement(struct out *out, const char *head, const char *text, const char *tail)
{
    out_add(out, head);
    if (strchr(text, '\n') != NULL)
        out_add(out, text); /* raw: its author has broken it */
    else
        add_lines(out, text, strlen(text), strlen(head), strspn(head, " ") + 2,
                  strcspn(tail, "\n"));
    out_add(out, tail);
}

/* ---- long lists ---- */

const char *
emit_list(const struct words *words)
{
    struct out *out = out_scratch();
    size_t column = 0;

    for (size_t i = 0; i < words->list.n; i++) {
        const char *word = words->list.at[i];

        column += strlen(word) + 2;
        if (i > 0)
            out_add(out, column > LIST_COLUMNS ? ",\n    " : ", ");
        if (column > LIST_COLUMNS)
            column = strlen(word) + 2;
        out_add(out, word);
    }
    return out_text(out);
}

const char *
emit_role_list(const struct role *const *roles, size_t n)
{
    struct words names = {0};

    for (size_t i = 0; i < n; i++)
        words_add(&names, name_sql(roles[i]->name));
    return emit_list(&names);
}
