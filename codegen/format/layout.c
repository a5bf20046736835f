/* SPDX-License-Identifier: MIT */
/*
 * What does not fit in a line is broken where it is loosest: at its commas, else at its `or`, else
 * at its `and`, else inside its brackets.
 */
#include <string.h>

#include "format/parts.h"
#include "syntax/grammar.h"

bool
layout_fits(const struct writer *writer, struct seq seq, size_t tail)
{
    return !format_is_broken(seq) &&
           writer->column + writer->space + format_width(seq) + tail <= FORMAT_COLUMNS;
}

/* Where the next part begins: behind a comma or semicolon, or before `and` or `or`. */
static size_t
end_of_part(struct seq seq, size_t from, int kind)
{
    bool between = false;

    for (size_t i = from; i < seq.n; i++) {
        int is = seq.at[i].close ? 0 : seq.at[i].word->kind;

        if (is == kind && (kind == TOKEN_COMMA || kind == TOKEN_SEMI))
            return i + 1;
        if (is == kind && i > from && !between)
            return i;
        between = is == TOKEN_BETWEEN || (between && is != TOKEN_AND);
    }
    return seq.n;
}

static bool
has_parts(struct seq seq, int kind)
{
    return end_of_part(seq, 0, kind) < seq.n;
}

/* ---- conditions ---- */

/* A part begins with its `and` or `or`; the first one does not. */
static void
layout_condition(struct writer *writer, struct seq seq, int kind, size_t indent, size_t tail)
{
    for (size_t from = 0, to; from < seq.n; from = to) {
        struct seq part;

        to = end_of_part(seq, from, kind);
        part = format_part(seq, from, to);
        if (from > 0) {
            write_line(writer, indent);
            write_word(writer, part.at[0].word, false, indent);
            part = format_part(part, 1, part.n);
            writer->space = true;
        }
        layout(writer, part, kind == TOKEN_OR && from > 0 ? indent + 3 : indent,
               to == seq.n ? tail : 0);
    }
}

/* ---- brackets ---- */

static void
layout_case(struct writer *writer, const struct node *node, size_t indent)
{
    struct seq inside = {node->at, node->n};
    size_t from = 0;

    while (from < inside.n) {
        size_t to = from + 1;

        while (to < inside.n && inside.at[to].word->kind != TOKEN_WHEN &&
               inside.at[to].word->kind != TOKEN_ELSE)
            to++;
        if (inside.at[from].word->kind == TOKEN_WHEN || inside.at[from].word->kind == TOKEN_ELSE)
            write_line(writer, indent + 2);
        else
            writer->space = true;
        layout(writer, format_part(inside, from, to), indent + 4, 0);
        from = to;
    }
}

static void
layout_statements(struct writer *writer, struct seq inside, size_t indent)
{
    for (size_t from = 0, to; from < inside.n; from = to) {
        to = end_of_part(inside, from, TOKEN_SEMI);
        write_line(writer, indent);
        write_item_start(writer, inside.at[from].word, indent);
        declaration_statement(writer, format_part(inside, from, to), indent + 2);
    }
}

void
layout_group(struct writer *writer, const struct node *node, size_t indent)
{
    struct seq inside = {node->at, node->n};

    write_word(writer, node->word, false, indent);
    if (node->word->kind == TOKEN_CASE) {
        layout_case(writer, node, indent);
    } else if (node->word->kind == TOKEN_LC) {
        layout_statements(writer, inside, indent + 2);
    } else if (inside.n > 0) {
        write_line(writer, indent + 2);
        layout(writer, inside, indent + 2, 0);
    }
    if (format_has_lines_before(node->close)) {
        write_line(writer, indent + 2);
        write_before(writer, node->close, indent + 2);
    }
    write_line(writer, indent);
    write_word(writer, node->close, false, indent);
}

/* ---- one thing after the other ---- */

/* Up to where no line can be broken: the next bracket opens. */
static size_t
end_of_stretch(struct seq seq, size_t from)
{
    size_t to = from + 1;

    while (to < seq.n && !seq.at[to].close)
        to++;
    return to;
}

void
layout_run(struct writer *writer, struct seq seq, size_t indent, size_t tail)
{
    for (size_t i = 0; i < seq.n; i++) {
        const struct node *node = &seq.at[i];
        bool space = format_has_space(seq, i);
        size_t to = end_of_stretch(seq, i);
        size_t rest = to == seq.n ? tail : 1;

        writer->space = writer->space || space;
        if (node->close && !layout_fits(writer, format_part(seq, i, to), rest)) {
            layout_group(writer, node, indent);
            continue;
        }
        if (space && !writer->fresh && writer->column + 1 + node->width > FORMAT_COLUMNS) {
            write_line(writer, indent + 2);
            writer->space = false;
        }
        write_flat(writer, format_part(seq, i, i + 1), indent + 2);
    }
}

/* ---- lists ---- */

/* A list of names or values: as many in a line as there is room for. */
static bool
is_plain(struct seq seq)
{
    for (size_t i = 0; i < seq.n; i++)
        if (seq.at[i].close || seq.at[i].word->kind == TOKEN_RAW)
            return false;
    return !format_is_broken(seq);
}

void
layout_items(struct writer *writer, struct seq seq, bool fill, size_t indent, size_t tail)
{
    for (size_t from = 0, to; from < seq.n; from = to) {
        struct seq part;

        to = end_of_part(seq, from, TOKEN_COMMA);
        part = format_part(seq, from, to);
        writer->space = writer->space || (from > 0 && fill);
        if (from > 0 && (!fill || !layout_fits(writer, part, to == seq.n ? tail : 0)))
            write_line(writer, indent);
        if (fill)
            layout_run(writer, part, writer->indent, to == seq.n ? tail : 0);
        else
            layout(writer, part, indent, to == seq.n ? tail : 0);
    }
}

void
layout(struct writer *writer, struct seq seq, size_t indent, size_t tail)
{
    if (layout_fits(writer, seq, tail))
        write_flat(writer, seq, indent);
    else if (select_begins(seq))
        select_layout(writer, seq, indent, tail);
    else if (has_parts(seq, TOKEN_COMMA))
        layout_items(writer, seq, is_plain(seq), indent, tail);
    else if (has_parts(seq, TOKEN_OR))
        layout_condition(writer, seq, TOKEN_OR, indent, tail);
    else if (has_parts(seq, TOKEN_AND))
        layout_condition(writer, seq, TOKEN_AND, indent, tail);
    else
        layout_run(writer, seq, indent, tail);
}
