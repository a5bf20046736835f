/* SPDX-License-Identifier: MIT */
/*
 * A statement that needs several lines: its clauses stand at a river, the last letter of each first
 * word below that of `select`.
 */
#include <string.h>

#include "format/parts.h"
#include "syntax/grammar.h"

#define RIVER strlen("select")

static bool
is_among(const struct node *node, const char *const *words, size_t n)
{
    if (node->close)
        return false;
    for (size_t i = 0; i < n; i++)
        if (format_is(node, words[i]))
            return true;
    return false;
}

#define AMONG(node, ...)                                                                           \
    is_among(node, (const char *const[]){__VA_ARGS__},                                             \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

bool
select_begins(struct seq seq)
{
    const struct node *first = seq.at, *second = seq.at + 1;

    if (seq.n < 2)
        return false;
    if (AMONG(first, "with", "update"))
        return !second->close && !format_is(second, "check");
    return AMONG(first, "select", "values") || (AMONG(first, "insert") && AMONG(second, "into")) ||
           (AMONG(first, "delete") && AMONG(second, "from"));
}

/* A clause begins here; the words before tell `is distinct from` and the like apart. */
static bool
begins_clause(struct seq seq, size_t i)
{
    const struct node *node = &seq.at[i], *before = &seq.at[i - 1];

    if (AMONG(before, "distinct", "within", "delete", "nulls", "for"))
        return false;
    if (AMONG(node, "join"))
        return !AMONG(before, "left", "right", "full", "inner", "cross", "natural", "outer");
    if (AMONG(node, "left", "right", "full"))
        return i + 1 < seq.n && AMONG(&seq.at[i + 1], "join", "outer");
    if (AMONG(node, "on"))
        return i + 1 < seq.n && AMONG(&seq.at[i + 1], "conflict");
    if (AMONG(node, "set"))
        return format_is(&seq.at[0], "update") || AMONG(before, "update");
    if (AMONG(node, "inner", "cross", "natural"))
        return true;
    return AMONG(node, "select", "from", "where", "group", "having", "order", "limit", "offset",
                 "union", "except", "intersect", "returning", "values", "window");
}

static size_t
end_of_clause(struct seq seq, size_t from)
{
    size_t to = from + 1;

    while (to < seq.n && !begins_clause(seq, to))
        to++;
    return to;
}

/* The words of the clause itself: `group by`, `left join`, `union all`. */
static size_t
head_of_clause(struct seq clause)
{
    size_t n = 1;

    while (n < clause.n &&
           AMONG(&clause.at[n], "by", "join", "outer", "all", "distinct", "select", "into"))
        n++;
    return n;
}

/* `and` and `or` end at the river, too. */
static void
layout_where(struct writer *writer, struct seq seq, size_t indent, size_t tail)
{
    int kind = 0;
    bool between = false;

    for (size_t i = 0; i < seq.n; i++)
        kind = !seq.at[i].close && seq.at[i].word->kind == TOKEN_OR ? TOKEN_OR : kind;
    kind = kind ? kind : TOKEN_AND;
    for (size_t from = 0, to; from < seq.n; from = to) {
        bool word = from > 0;

        for (to = from + 1; to < seq.n; to++) {
            int is = seq.at[to].close ? 0 : seq.at[to].word->kind;

            if (is == kind && !between)
                break;
            between = is == TOKEN_BETWEEN || (between && is != TOKEN_AND);
        }
        if (word) {
            write_line(writer, indent + RIVER - seq.at[from].word->width);
            write_word(writer, seq.at[from].word, false, indent);
            writer->space = true;
        }
        layout(writer, format_part(seq, from + word, to), indent + RIVER + 1,
               to == seq.n ? tail : 0);
    }
}

static void
layout_clause(struct writer *writer, struct seq clause, size_t indent, size_t tail)
{
    size_t n = head_of_clause(clause), width = clause.at[0].word->width;
    struct seq rest = format_part(clause, n, clause.n);

    write_line(writer, indent + (width < RIVER ? RIVER - width : 0));
    if (layout_fits(writer, clause, tail)) {
        write_flat(writer, clause, indent + RIVER + 1);
        return;
    }
    write_flat(writer, format_part(clause, 0, n), indent + RIVER + 1);
    writer->space = true;
    if (AMONG(&clause.at[0], "where", "having"))
        layout_where(writer, rest, indent, tail);
    else
        layout(writer, rest, indent + RIVER + 1, tail);
}

void
select_layout(struct writer *writer, struct seq seq, size_t indent, size_t tail)
{
    for (size_t from = 0, to; from < seq.n; from = to) {
        to = end_of_clause(seq, from);
        layout_clause(writer, format_part(seq, from, to), indent, to == seq.n ? tail : 0);
    }
}
