/* SPDX-License-Identifier: MIT */
/*
 * clang-format weighs all ways to break a line.  For the few forms that generated code has, its
 * choice comes down to simple rules: one line if it fits, else fill line by line, aligned behind
 * the bracket.  Lists in braces are set in columns (its CommaSeparatedList); that part follows its
 * algorithm step by step.
 */
#include "emit/layout.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define INDENT 4
#define COLUMN_SPREAD 10 /* clang-format: no columns whose items differ more in width */
#define MIN_FOR_COLUMNS 5

/* Characters, not bytes: as far as generated C goes, each is one column wide. */
static size_t
width(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xC0) != 0x80)
            n++;
    return n;
}

const char *
layout_string(const char *text)
{
    struct out *out = out_scratch();

    out_add(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            out_printf(out, "\\%c", *text);
        else if (*text == '\n')
            out_add(out, "\\n");
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            out_printf(out, "\\%03o", (unsigned)(unsigned char)*text);
        else if (*text == '?' && text[1] == '?') /* no trigraphs */
            out_add(out, "?\\");
        else
            out_printf(out, "%c", *text);
    }
    out_add(out, "\"");
    return out_text(out);
}

static void
start_line(struct out *out, size_t indent)
{
    out_printf(out, "\n%*s", (int)indent, "");
}

/* Puts words on lines that start at `indent`; the first begins at `column`. */
static void
fill(struct out *out, size_t indent, size_t column, const struct words *words,
     const char *separator, const char *tail)
{
    for (size_t i = 0; i < words->list.n; i++) {
        bool last = i + 1 == words->list.n;
        size_t room = width(words->list.at[i]) + width(last ? tail : separator);

        if (i > 0) {
            if (column + 1 + room > OUT_COLUMNS) {
                start_line(out, indent);
                column = indent;
            } else {
                out_add(out, " ");
                column++;
            }
        }
        out_printf(out, "%s%s", words->list.at[i], last ? tail : separator);
        column += room;
    }
    out_add(out, "\n");
}

/* The lines that fill() would take; 0: a word does not fit. */
static size_t
count_lines(size_t indent, const struct words *words, const char *tail)
{
    size_t lines = 1, column = indent;

    for (size_t i = 0; i < words->list.n; i++) {
        size_t room = width(words->list.at[i]) + (i + 1 == words->list.n ? width(tail) : 1);

        if (indent + room > OUT_COLUMNS)
            return 0;
        if (i > 0 && column + 1 + room > OUT_COLUMNS) {
            lines++;
            column = indent;
        } else if (i > 0) {
            column++;
        }
        column += room;
    }
    return lines;
}

void
layout_call(struct out *out, size_t indent, const char *head, const struct words *arguments,
            const char *tail)
{
    size_t column = indent + width(head);
    size_t aligned = count_lines(column, arguments, tail);

    out_printf(out, "%*s%s", (int)indent, "", head);
    if (aligned == 0 || count_lines(indent + INDENT, arguments, tail) + 1 < aligned) {
        column = indent + INDENT;
        start_line(out, column);
    }
    fill(out, column, column, arguments, ",", tail);
}

void
layout_assign(struct out *out, const char *head, const char *call, const struct words *arguments)
{
    size_t flat = width(call) + width(words_join(arguments, ", ")) + 2;
    size_t opened = width(head) + 3 + width(call);

    if (width(head) + 3 + flat <= OUT_COLUMNS) {
        out_printf(out, "%s = ", head);
        layout_call(out, 0, call, arguments, ");");
    } else if (INDENT + flat <= OUT_COLUMNS || opened > OUT_COLUMNS) {
        out_printf(out, "%s =\n", head);
        layout_call(out, INDENT, call, arguments, ");");
    } else {
        out_printf(out, "%s = %s\n%*s", head, call, INDENT, "");
        fill(out, INDENT, INDENT, arguments, ",", ");");
    }
}

/* How many columns, and how wide each; clang-format's ColumnFormat. */
struct columns {
    size_t n;
    size_t lines;
    size_t total;
    size_t *widths;
};

/* An item ends with its comma; in the last column nothing is padded. */
static bool
try_columns(const struct words *items, size_t n, struct columns *columns)
{
    size_t *least = arena_alloc(n * sizeof(*least));

    *columns = (struct columns){n, 1, n - 1, arena_alloc(n * sizeof(size_t))};
    for (size_t i = 0; i < items->list.n; i++) {
        size_t column = i % n, len = width(items->list.at[i]) + 1;

        if (i > 0 && column == 0)
            columns->lines++;
        if (len > columns->widths[column])
            columns->widths[column] = len;
        if (least[column] == 0 || len < least[column])
            least[column] = len;
    }
    for (size_t i = 0; i < n; i++)
        columns->total += columns->widths[i];
    for (size_t i = 0; i + 1 < n; i++)
        if (columns->widths[i] - least[i] > COLUMN_SPREAD)
            return false;
    return columns->total <= OUT_COLUMNS || n == 1;
}

/* The most columns that fit, unless fewer make no more lines. */
static struct columns
best_columns(const struct words *items, size_t room)
{
    struct columns best = {0}, columns;

    for (size_t n = OUT_COLUMNS / 3; n > 0; n--) {
        if (n > items->list.n || !try_columns(items, n, &columns))
            continue;
        if (columns.total > room && n > 1)
            continue;
        if (best.n > 0 && columns.lines > best.lines)
            break;
        best = columns;
    }
    return best;
}

void
layout_list(struct out *out, const char *head, const struct words *items)
{
    const char *flat = words_join(items, ", ");
    struct columns columns = {.n = 1};

    if (width(head) + width(flat) + width(" = {};") <= OUT_COLUMNS) {
        out_printf(out, "%s = {%s};\n", head, flat);
        return;
    }
    if (items->list.n >= MIN_FOR_COLUMNS)
        columns = best_columns(items, OUT_COLUMNS - INDENT);
    out_printf(out, "%s = {", head);
    for (size_t i = 0; i < items->list.n; i++) {
        size_t column = i % columns.n;

        if (column == 0)
            start_line(out, INDENT);
        out_printf(out, "%s,", items->list.at[i]);
        if (column + 1 < columns.n && i + 1 < items->list.n)
            out_printf(out, "%*s", (int)(columns.widths[column] - width(items->list.at[i]) - 1 + 1),
                       "");
    }
    out_add(out, "\n};\n");
}

void
layout_or(struct out *out, size_t indent, const char *head, const struct words *operands)
{
    size_t flat = width(words_join(operands, " | ")) + 1;
    size_t column = indent + width(head) + 3;

    out_printf(out, "%*s%s =", (int)indent, "", head);
    if (column + flat > OUT_COLUMNS && indent + INDENT + flat <= OUT_COLUMNS) {
        column = indent + INDENT;
        start_line(out, column);
    } else {
        out_add(out, " ");
    }
    fill(out, column, column, operands, " |", ",");
}

void
layout_member(struct out *out, size_t indent, const char *name, const char *value)
{
    out_printf(out, "%*s%s =", (int)indent, "", name);
    if (indent + width(name) + 3 + width(value) + 1 <= OUT_COLUMNS)
        out_add(out, " ");
    else
        start_line(out, indent + INDENT);
    out_printf(out, "%s,\n", value);
}

/* As much of the text as a literal of `room` columns holds, up to the end of a word. */
static const char *
cut_words(const char *text, size_t room)
{
    size_t n = 0, word;

    while (text[n] != '\0') {
        word = strcspn(text + n, " ");
        word += strspn(text + n + word, " ");
        if (n > 0 && width(layout_string(arena_printf("%.*s", (int)(n + word), text))) > room)
            break;
        n += word;
    }
    return arena_printf("%.*s", (int)n, text);
}

void
layout_text_member(struct out *out, size_t indent, const char *name, const char *text)
{
    size_t left = indent + width(name) + 3;

    out_printf(out, "%*s%s = ", (int)indent, "", name);
    for (;;) {
        const char *part = cut_words(text, OUT_COLUMNS - left - 1);

        text += strlen(part);
        out_add(out, layout_string(part));
        if (*text == '\0')
            break;
        out_printf(out, "\n%*s", (int)left, "");
    }
    out_add(out, ",\n");
}

void
layout_comment(struct out *out, size_t indent, struct span place, const char *what,
               const char *name)
{
    const char *text = arena_printf("%s %s %s", out_place(place), what, out_plain(name));

    if (indent + width(text) + width("/*  */") > OUT_COLUMNS)
        text = arena_printf("%s %s", out_place(place), what);
    out_printf(out, "%*s/* %s */\n", (int)indent, "", text);
}
