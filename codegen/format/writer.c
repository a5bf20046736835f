/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/parts.h"

static void
put(struct writer *writer, const char *text)
{
    str_puts(&writer->out, text);
    for (; *text; text++)
        if (*text == '\n') {
            writer->column = 0;
            writer->line++;
        } else {
            writer->column += ((unsigned char)*text & 0xc0) != 0x80;
        }
    if (writer->column > 0)
        writer->fresh = false;
}

void
write_line(struct writer *writer, size_t indent)
{
    if (!writer->fresh) {
        str_putc(&writer->out, '\n');
        writer->line++;
        writer->column = 0;
    }
    for (; writer->column < indent; writer->column++)
        str_putc(&writer->out, ' ');
    for (; writer->column > indent; writer->column--)
        writer->out.at[--writer->out.n] = '\0';
    writer->fresh = true;
    writer->ended = false;
    writer->indent = indent;
}

/* One, and none at the beginning of a file or of a list. */
static void
write_blank(struct writer *writer, size_t indent)
{
    const char *end;

    if (!writer->blanks)
        return;
    write_line(writer, 0);
    end = writer->out.at + writer->out.n;
    if (writer->out.n > 1 && end[-2] != '\n' && !strchr("({", end[-2])) {
        str_putc(&writer->out, '\n');
        writer->line++;
    }
    write_line(writer, indent);
}

static void
write_remarks(struct writer *writer, const struct remarks *remarks, size_t indent)
{
    for (size_t i = 0; i < remarks->n; i++) {
        const struct remark *remark = &remarks->at[i];

        if (writer->ended)
            write_line(writer, indent);
        if (remark->blank_before && writer->fresh)
            write_blank(writer, indent);
        put(writer, writer->fresh ? "" : " ");
        put(writer, remark->text);
        writer->ended = remark->ends_line;
    }
    if (writer->ended)
        write_line(writer, indent);
}

void
write_before(struct writer *writer, struct word *word, size_t indent)
{
    bool lines = format_has_lines_before(word);

    if (writer->fresh)
        indent = writer->column;
    if (writer->ended || (lines && !writer->fresh))
        write_line(writer, indent);
    write_remarks(writer, &word->before, indent);
    if (word->blank_before && writer->fresh)
        write_blank(writer, indent);
    writer->space = writer->space || word->before.n > 0;
    word->before.n = 0;
    word->blank_before = false;
}

void
write_item_start(struct writer *writer, struct word *word, size_t indent)
{
    writer->blanks = true;
    write_before(writer, word, indent);
    writer->blanks = false;
}

static void
write_after(struct writer *writer, const struct word *word)
{
    for (size_t i = 0; i < word->after.n; i++) {
        struct mark mark = {writer->out.n, writer->column, writer->line, writer->indent};

        if (i == 0)
            vec_push(&writer->marks, mark);
        put(writer, i == 0 ? "  " : " ");
        put(writer, word->after.at[i].text);
    }
    writer->ended = word->after.n > 0;
}

void
write_word(struct writer *writer, struct word *word, bool space, size_t indent)
{
    writer->space = writer->space || space;
    write_before(writer, word, indent);
    if (writer->space && !writer->fresh)
        put(writer, " ");
    writer->space = false;
    put(writer, word->text);
    write_after(writer, word);
}

static void
write_inside(struct writer *writer, const struct node *node, size_t indent)
{
    bool space = !strchr("([", node->word->text[0]);
    struct seq inside = {node->at, node->n};

    if (node->n > 0 && space)
        put(writer, " ");
    write_flat(writer, inside, indent);
    write_word(writer, node->close, space, indent);
}

void
write_flat(struct writer *writer, struct seq seq, size_t indent)
{
    for (size_t i = 0; i < seq.n; i++) {
        const struct node *node = &seq.at[i];

        write_word(writer, node->word, format_has_space(seq, i), indent);
        if (node->close)
            write_inside(writer, node, indent);
    }
}

/* The comments of lines in a row, from `first` on: how many, and the column of them all. */
static size_t
find_run(const struct writer *writer, size_t first, size_t *column)
{
    size_t n = 0;

    *column = 0;
    while (first + n < writer->marks.n) {
        const struct mark *mark = &writer->marks.at[first + n];

        if (mark->line != writer->marks.at[first].line + n ||
            mark->indent != writer->marks.at[first].indent)
            break;
        if (mark->column > *column)
            *column = mark->column;
        n++;
    }
    return n;
}

const char *
write_aligned(struct writer *writer)
{
    struct str out = {0};
    size_t at = 0;

    for (size_t i = 0; i < writer->marks.n;) {
        size_t column, n = find_run(writer, i, &column);

        for (; n > 0; n--, i++) {
            const struct mark *mark = &writer->marks.at[i];

            str_add(&out, writer->out.at + at, mark->offset - at);
            for (size_t c = mark->column; c < column; c++)
                str_putc(&out, ' ');
            at = mark->offset;
        }
    }
    str_add(&out, writer->out.at + at, writer->out.n - at);
    return out.at;
}
