/* SPDX-License-Identifier: MIT */
#include "text/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/vec.h"
#include "text/diag_parts.h"

static struct diags diags;
static struct diags sorted;
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

const char *
diag_title(enum diag_code code)
{
    switch (code) {
#define DIAG(number, name, severity, title)                                                        \
    case PGS##number##_##name:                                                                     \
        return title;
#include "text/diag.def"
#undef DIAG
    }
    return "";
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

static bool without_warnings;

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
    if (without_warnings && diag->severity != ERROR)
        return diag;
    counts[diag->severity]++;
    vec_push(&diags, diag);
    return diag;
}

void
diag_mute_warnings(bool mute)
{
    without_warnings = mute;
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

struct span
diag_span(const struct diag *diag)
{
    return diag->span;
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

void
diag_fix(struct diag *diag, struct span span, const char *format, ...)
{
    struct edit edit = {.span = span};
    va_list args;

    if (!span.file)
        return;
    va_start(args, format);
    edit.text = format_text(format, args);
    va_end(args);
    vec_push(&diag->fix, edit);
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

size_t
diag_count(void)
{
    return diags.n;
}

void
diag_forget(size_t n)
{
    for (; diags.n > n; diags.n--)
        counts[diags.at[diags.n - 1]->severity]--;
}

void
diag_reset(void)
{
    memset(&diags, 0, sizeof(diags));
    memset(&sorted, 0, sizeof(sorted));
    memset(counts, 0, sizeof(counts));
}

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

const struct diags *
diag_sorted(void)
{
    size_t n = 0;

    memset(&sorted, 0, sizeof(sorted));
    for (size_t i = 0; i < diags.n; i++)
        vec_push(&sorted, diags.at[i]);
    if (sorted.n > 1)
        qsort(sorted.at, sorted.n, sizeof(sorted.at[0]), compare);
    for (size_t i = 0; i < sorted.n; i++)
        if (n == 0 || !same(sorted.at[n - 1], sorted.at[i]))
            sorted.at[n++] = sorted.at[i];
    sorted.n = n;
    return &sorted;
}
