/* SPDX-License-Identifier: MIT */
/*
 * The shapes of declarations: a list in brackets (a table), a block in braces, a body after `as`,
 * and a head whose clauses stand on lines of their own where it is too long for one.
 */
#include <string.h>

#include "format/parts.h"
#include "syntax/grammar.h"

#define INDENT ((size_t)2)

/* ---- heads ---- */

#define N_LEVELS 3
#define N_WORDS 9

/* Where the head of a declaration is broken, loosest first. */
struct shape {
    const char *first; /* its first word; NULL: any other */
    const char *clauses[N_LEVELS][N_WORDS];
};

static const struct shape shapes[] = {
    {"grant", {{"on"}, {"to"}}},
    {"policy", {{"using", "with"}, {"for"}, {"on", "to", "as"}}},
    {"query", {{"to"}, {"returns"}, {"limit", "body", "within", "slow"}}},
    {"live", {{"to"}, {"on", "filter"}}},
    {"function",
     {{"returns"},
      {"to", "security", "set", "language", "immutable", "stable", "volatile", "strict"}}},
    {"domain", {{"constraint", "check"}}},
    {"trigger", {{"for", "when", "execute"}, {"before", "after", "instead", "on"}}},
    {"webhook", {{"send"}, {"when", "after"}, {"to", "signed", "retry"}}},
    {"list", {{"filter", "order", "embed", "limit", "within", "slow"}}},
    {NULL, {{"when", "inherits", "partition", "with"}, {"to", "on", "is", "check"}}},
};

static const struct shape *
shape_of(struct seq seq)
{
    const struct shape *shape = shapes;

    while (shape->first && !format_is(&seq.at[0], shape->first))
        shape++;
    return shape;
}

static bool
begins_clause(const struct shape *shape, const struct node *node, size_t level)
{
    if (node->close)
        return false;
    for (size_t i = 0; i < N_WORDS && shape->clauses[level][i]; i++)
        if (format_is(node, shape->clauses[level][i]))
            return true;
    return false;
}

/* `check` of `constraint name check (...)`. */
static bool
is_named(struct seq seq, size_t i)
{
    return i >= 2 && format_is(&seq.at[i], "check") && format_is(&seq.at[i - 2], "constraint");
}

/* What is in one line, then a clause a line. */
static void
layout_clauses(struct writer *writer, const struct shape *shape, struct seq seq, size_t level,
               size_t indent, size_t tail)
{
    size_t from = 0;

    if (level == N_LEVELS || layout_fits(writer, seq, tail)) {
        layout_items(writer, seq, true, indent, tail);
        return;
    }
    for (size_t to = 1; from < seq.n; from = to++) {
        while (to < seq.n && (!begins_clause(shape, &seq.at[to], level) || is_named(seq, to)))
            to++;
        if (from > 0)
            write_line(writer, indent);
        layout_clauses(writer, shape, format_part(seq, from, to), level + 1, indent,
                       to == seq.n ? tail : 0);
    }
}

static void
layout_head(struct writer *writer, struct seq seq, size_t indent, size_t tail)
{
    if (seq.n > 0)
        layout_clauses(writer, shape_of(seq), seq, 0, indent, tail);
}

void
declaration_statement(struct writer *writer, struct seq seq, size_t indent)
{
    layout_head(writer, seq, indent, 0);
}

/* ---- tables ---- */

static bool
is_comma(const struct node *node)
{
    return !node->close && node->word->kind == TOKEN_COMMA;
}

/* A column begins with its name; the words that begin something else are no names there. */
static bool
is_column(struct seq item)
{
    static const char *const others[] = {"index", "constraint", "primary", "unique",
                                         "check", "foreign",    "exclude", "like"};

    if (item.n < 2 || item.at[0].close || item.at[1].close)
        return false;
    if ((format_is(&item.at[0], "soft") && format_is(&item.at[1], "delete")) ||
        (format_is(&item.at[0], "drop") && format_is(&item.at[1], "column")))
        return false;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (format_is(&item.at[0], others[i]))
            return false;
    return true;
}

static size_t
end_of_item(struct seq seq, size_t from)
{
    while (from < seq.n && !is_comma(&seq.at[from]))
        from++;
    return from;
}

static size_t
widest_name(struct seq seq)
{
    size_t widest = 0;

    for (size_t from = 0, to; from < seq.n; from = to + 1) {
        to = end_of_item(seq, from);
        if (is_column(format_part(seq, from, to)) && seq.at[from].word->width > widest)
            widest = seq.at[from].word->width;
    }
    return widest;
}

/* The comma that ends an item: its own, or one that takes over the comments behind the item. */
static struct word *
comma_of(struct seq seq, size_t to)
{
    struct node *last = &seq.at[to - 1];
    struct word *end = last->close ? last->close : last->word, *comma;

    if (to < seq.n)
        return seq.at[to].word;
    comma = arena_alloc(sizeof(*comma));
    *comma = (struct word){.kind = TOKEN_COMMA, .text = ",", .width = 1, .after = end->after};
    end->after.n = 0;
    return comma;
}

static void
layout_item(struct writer *writer, struct seq item, size_t name_width, size_t indent)
{
    write_line(writer, indent);
    write_item_start(writer, item.at[0].word, indent);
    if (is_column(item)) {
        write_word(writer, item.at[0].word, false, indent);
        if (!writer->ended)
            for (size_t i = item.at[0].word->width; i < name_width + 1; i++) {
                str_putc(&writer->out, ' ');
                writer->column++;
            }
        writer->space = true;
        item = format_part(item, 1, item.n);
    }
    layout(writer, item, indent + 2, 1);
}

static void
layout_list(struct writer *writer, const struct node *list)
{
    struct seq inside = {list->at, list->n};
    size_t name_width = widest_name(inside);

    write_word(writer, list->word, true, 0);
    for (size_t from = 0, to; from < inside.n; from = to + 1) {
        struct word *comma;

        to = end_of_item(inside, from);
        if (to == from)
            break;
        comma = comma_of(inside, to);
        layout_item(writer, format_part(inside, from, to), name_width, INDENT);
        write_word(writer, comma, false, INDENT);
    }
    if (format_has_lines_before(list->close)) {
        write_line(writer, INDENT);
        write_item_start(writer, list->close, INDENT);
    }
    write_line(writer, 0);
    write_word(writer, list->close, false, 0);
}

/* `table t (`, `table s.t (`: the list of a table. */
static size_t
find_list(struct seq seq)
{
    if (!format_is(&seq.at[0], "table"))
        return 0;
    for (size_t i = 2; i < seq.n && i <= 4; i += 2)
        if (seq.at[i].close && seq.at[i].word->kind == TOKEN_LP)
            return i;
    return 0;
}

/* ---- bodies ---- */

/* A statement or condition after `as`; where it begins, 0: there is none. */
static size_t
find_body(struct seq seq)
{
    for (size_t i = 1; i + 1 < seq.n; i++) {
        struct seq rest = format_part(seq, i + 1, seq.n);

        if (seq.at[i].close || seq.at[i].word->kind != TOKEN_AS)
            continue;
        if (select_begins(rest) ||
            (format_is(&seq.at[0], "predicate") && rest.at[0].word->kind != TOKEN_RAW))
            return i + 1;
    }
    return 0;
}

/* ---- all ---- */

static void
layout_end(struct writer *writer, const struct node *end)
{
    if (end)
        write_word(writer, end->word, false, INDENT);
}

static void
layout_block(struct writer *writer, struct seq seq)
{
    const struct node *block = &seq.at[seq.n - 1];

    layout_head(writer, format_part(seq, 0, seq.n - 1), INDENT, 2);
    writer->space = true;
    layout_group(writer, block, 0);
}

/* A block of one statement may stand in one line; one of several has a line for each. */
static bool
is_short_block(const struct node *block)
{
    size_t n = 0;

    for (size_t i = 0; i < block->n; i++)
        n += !block->at[i].close && block->at[i].word->kind == TOKEN_SEMI;
    return n <= 1;
}

void
declaration_layout(struct writer *writer, struct seq seq)
{
    struct node *last = &seq.at[seq.n - 1];
    struct node *end = !last->close && last->word->kind == TOKEN_SEMI ? last : NULL;
    struct seq head = format_part(seq, 0, end ? seq.n - 1 : seq.n);
    size_t list = head.n > 0 ? find_list(head) : 0, body = head.n > 0 ? find_body(head) : 0;

    if (list) {
        write_flat(writer, format_part(head, 0, list), INDENT);
        layout_list(writer, &head.at[list]);
        writer->space = true;
        layout_head(writer, format_part(head, list + 1, head.n), INDENT, 1);
        writer->space = false;
    } else if (body) {
        layout_head(writer, format_part(head, 0, body), INDENT, 0);
        write_line(writer, INDENT);
        layout(writer, format_part(head, body, head.n), INDENT, 1);
    } else if (!end && last->close && last->word->kind == TOKEN_LC &&
               (!is_short_block(last) || !layout_fits(writer, seq, 0))) {
        layout_block(writer, seq);
    } else {
        layout_head(writer, head, INDENT, end ? 1 : 0);
    }
    layout_end(writer, end);
}
