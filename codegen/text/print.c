/* SPDX-License-Identifier: MIT */
/*
 * Findings as people read them.  Places become lines and columns only here.  What is shown of a
 * source may come from anyone: control characters are replaced, and a long line is cut around the
 * caret.
 */
#include <string.h>

#include "text/diag_parts.h"

#define SHOWN_MAX 200 /* bytes of a source line */
#define SHOWN_BEFORE 120

struct paint {
    const char *place, *error, *warning, *note, *caret, *off;
};

static const struct paint plain = {"", "", "", "", "", ""};
static const struct paint colors = {"\033[1m",  "\033[1;31m", "\033[1;35m",
                                    "\033[36m", "\033[1;32m", "\033[0m"};

static void
print_place(FILE *out, const struct paint *paint, struct span span)
{
    size_t line, column;

    if (!span.file) {
        fprintf(out, "%spgstack:%s ", paint->place, paint->off);
        return;
    }
    source_position(span.file, span.start, &line, &column);
    fprintf(out, "%s%s:%zu:%zu:%s ", paint->place, span.file->path, line, column, paint->off);
}

/* Messages quote the source: nothing in them may reach a terminal as a control sequence. */
static void
print_text(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool c1 = c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0;

        fputc((c < 0x20 && c != '\t') || c == 0x7f || c1 ? '?' : c, out);
        i += c1;
    }
}

static bool
inside_character(const struct source *file, size_t at)
{
    return at < file->len && ((unsigned char)file->text[at] & 0xc0) == 0x80;
}

/* The line around `at`, cut to what is shown. */
static void
find_line(const struct source *file, size_t at, size_t *from, size_t *to)
{
    size_t start = at, end = at;

    while (start > 0 && file->text[start - 1] != '\n')
        start--;
    while (end < file->len && file->text[end] != '\n')
        end++;
    if (end > start && file->text[end - 1] == '\r')
        end--;
    if (at - start > SHOWN_BEFORE)
        start = at - SHOWN_BEFORE;
    while (inside_character(file, start))
        start++;
    if (end > start && end - start > SHOWN_MAX)
        end = start + SHOWN_MAX;
    while (inside_character(file, end))
        end--;
    *from = start;
    *to = end < at ? at : end;
}

static void
print_line(FILE *out, const struct paint *paint, struct span span)
{
    const struct source *file = span.file;
    size_t at = span.start < file->len ? span.start : file->len;
    size_t from, to;

    find_line(file, at, &from, &to);
    if (from == to)
        return;
    print_text(out, file->text + from, to - from);
    fputc('\n', out);
    for (size_t i = from; i < at; i++)
        if (!inside_character(file, i))
            fputc(file->text[i] == '\t' ? '\t' : ' ', out);
    fprintf(out, "%s^", paint->caret);
    for (size_t i = at + 1; i < span.end && i < to; i++)
        if (!inside_character(file, i))
            fputc('~', out);
    fprintf(out, "%s\n", paint->off);
}

static void
print_one(FILE *out, const struct paint *paint, const struct diag *diag)
{
    bool error = diag->severity == ERROR;

    print_place(out, paint, diag->span);
    fprintf(out, "%s%s[PGS%04d]:%s ", error ? paint->error : paint->warning,
            error ? "error" : "warning", (int)diag->code, paint->off);
    print_text(out, diag->text, strlen(diag->text));
    fputc('\n', out);
    if (diag->span.file)
        print_line(out, paint, diag->span);
    for (size_t i = 0; i < diag->notes.n; i++) {
        print_place(out, paint, diag->notes.at[i].span);
        fprintf(out, "%snote:%s ", paint->note, paint->off);
        print_text(out, diag->notes.at[i].text, strlen(diag->notes.at[i].text));
        fputc('\n', out);
    }
    for (size_t i = 0; i < diag->hints.n; i++) {
        fprintf(out, "%shint:%s ", paint->note, paint->off);
        print_text(out, diag->hints.at[i], strlen(diag->hints.at[i]));
        fputc('\n', out);
    }
}

void
diag_print(FILE *out, bool color)
{
    const struct paint *paint = color ? &colors : &plain;
    const struct diags *sorted = diag_sorted();

    for (size_t i = 0; i < sorted->n; i++)
        print_one(out, paint, sorted->at[i]);
}
