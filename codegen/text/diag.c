/* SPDX-License-Identifier: MIT */
/*
 * Places become lines and columns only here, in print.  What is shown of a source may come from
 * anyone: control characters are replaced, and a long line is cut around the caret.
 */
#include "text/diag.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"

#define SHOWN_MAX 200 /* bytes of a source line */
#define SHOWN_BEFORE 120

enum severity {
    ERROR,
    WARNING,
};

struct note {
    struct span span;
    const char *text;
};

struct diag {
    struct span span;
    enum diag_code code;
    enum severity severity;
    size_t order; /* in which it was recorded: keeps the sort stable */
    const char *text;
    VEC(struct note) notes;
    VEC(const char *) hints;
};

static VEC(struct diag *) diags;
static size_t counts[2];

static enum severity
severity_of(enum diag_code code)
{
    switch (code) {
#define DIAG(number, name, severity, title)                                                        \
    case PGS##number##_##name:                                                                     \
        return severity;
#include "text/diag.def"
#undef DIAG
    }
    return ERROR;
}

static char *
format_text(const char *format, va_list args)
{
    va_list again;
    int len;
    char *text;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        len = 0;
    text = arena_alloc((size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

struct diag *
diag_at(struct span span, enum diag_code code, const char *format, ...)
{
    struct diag *diag = arena_alloc(sizeof(*diag));
    va_list args;

    diag->span = span;
    diag->code = code;
    diag->severity = severity_of(code);
    diag->order = diags.n;
    va_start(args, format);
    diag->text = format_text(format, args);
    va_end(args);
    counts[diag->severity]++;
    vec_push(&diags, diag);
    return diag;
}

void
diag_note(struct diag *diag, struct span span, const char *format, ...)
{
    struct note note = {.span = span};
    va_list args;

    va_start(args, format);
    note.text = format_text(format, args);
    va_end(args);
    vec_push(&diag->notes, note);
}

void
diag_hint(struct diag *diag, const char *format, ...)
{
    va_list args;
    const char *text;

    va_start(args, format);
    text = format_text(format, args);
    va_end(args);
    vec_push(&diag->hints, text);
}

size_t
diag_errors(void)
{
    return counts[ERROR];
}

size_t
diag_warnings(void)
{
    return counts[WARNING];
}

void
diag_reset(void)
{
    memset(&diags, 0, sizeof(diags));
    memset(counts, 0, sizeof(counts));
}

/* ---- printing ---- */

struct paint {
    const char *place, *error, *warning, *note, *caret, *off;
};

static const struct paint plain = {"", "", "", "", "", ""};
static const struct paint colors = {"\033[1m",  "\033[1;31m", "\033[1;35m",
                                    "\033[36m", "\033[1;32m", "\033[0m"};

static int
compare(const void *x, const void *y)
{
    const struct diag *a = *(struct diag *const *)x;
    const struct diag *b = *(struct diag *const *)y;
    const char *file_a = a->span.file ? a->span.file->path : "";
    const char *file_b = b->span.file ? b->span.file->path : "";
    int by_file = strcmp(file_a, file_b);

    if (by_file)
        return by_file;
    if (a->span.start != b->span.start)
        return a->span.start < b->span.start ? -1 : 1;
    if (a->code != b->code)
        return a->code < b->code ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static bool
same(const struct diag *a, const struct diag *b)
{
    return a->span.file == b->span.file && a->span.start == b->span.start && a->code == b->code &&
           strcmp(a->text, b->text) == 0;
}

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

    if (diags.n > 1)
        qsort(diags.at, diags.n, sizeof(diags.at[0]), compare);
    for (size_t i = 0; i < diags.n; i++)
        if (i == 0 || !same(diags.at[i - 1], diags.at[i]))
            print_one(out, paint, diags.at[i]);
}

/* ---- did you mean ---- */

#define NEAR_MAX 64

static size_t
min3(size_t a, size_t b, size_t c)
{
    size_t low = a < b ? a : b;

    return low < c ? low : c;
}

/* Insertions, deletions, replacements, and neighbours swapped, each one step. */
static size_t
distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][NEAR_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *next = before;

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min3(row[j], before[j - 2] + 1, SIZE_MAX);
        }
        before = last;
        last = row;
        row = next;
    }
    return last[m];
}

const char *
diag_nearest(const char *name, const char *const *known, size_t n)
{
    size_t len = strlen(name);
    size_t best = len <= 3 ? 2 : len / 3 + 2; /* one more than is still near */
    const char *found = NULL;

    if (len > NEAR_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(known[i]), d;

        if (other > NEAR_MAX || strcmp(name, known[i]) == 0)
            continue;
        d = distance(name, len, known[i], other);
        if (d < best && d < len) {
            best = d;
            found = known[i];
        }
    }
    return found;
}
