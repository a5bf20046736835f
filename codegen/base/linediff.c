/* SPDX-License-Identifier: MIT */
/*
 * The longest common lines between what is the same at both ends; where that would be too much work
 * the whole middle is shown as changed.
 */
#include "base/linediff.h"

#include <stdbool.h>
#include <string.h>

#include "base/vec.h"

#define CONTEXT 3
#define MAX_CELLS ((size_t)16 * 1000 * 1000)

struct line {
    const char *text;
    size_t len; /* with its \n */
};
VEC_STRUCT(lines, struct line);

/* ' ' in both, '-' before alone, '+' after alone. */
struct step {
    char kind;
    struct line line;
    size_t before, after; /* lines that came before it */
};
VEC_STRUCT(steps, struct step);

static struct lines
split(const char *text)
{
    struct lines lines = {0};

    while (*text) {
        const char *newline = strchr(text, '\n');
        struct line line = {text, newline ? (size_t)(newline - text) + 1 : strlen(text)};

        vec_push(&lines, line);
        text += line.len;
    }
    return lines;
}

static bool
same(struct line a, struct line b)
{
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static void
add(struct steps *steps, char kind, struct line line)
{
    struct step step = {.kind = kind, .line = line};

    if (steps->n > 0) {
        const struct step *last = &steps->at[steps->n - 1];

        step.before = last->before + (last->kind != '+');
        step.after = last->after + (last->kind != '-');
    }
    vec_push(steps, step);
}

/* common[i * (m + 1) + j]: how many lines a[i..] and b[j..] share. */
static unsigned *
count_common(const struct line *a, size_t n, const struct line *b, size_t m)
{
    unsigned *common = arena_alloc((n + 1) * (m + 1) * sizeof(*common));

    for (size_t i = n; i-- > 0;)
        for (size_t j = m; j-- > 0;) {
            unsigned *cell = &common[i * (m + 1) + j];
            unsigned down = cell[m + 1], right = cell[1];

            *cell = same(a[i], b[j]) ? cell[m + 2] + 1 : down > right ? down : right;
        }
    return common;
}

static void
middle(struct steps *steps, const struct line *a, size_t n, const struct line *b, size_t m)
{
    unsigned *common = (n + 1) * (m + 1) <= MAX_CELLS ? count_common(a, n, b, m) : NULL;
    size_t i = 0, j = 0;

    while (common && i < n && j < m) {
        if (same(a[i], b[j])) {
            add(steps, ' ', a[i]);
            i++;
            j++;
        } else if (common[(i + 1) * (m + 1) + j] >= common[i * (m + 1) + j + 1]) {
            add(steps, '-', a[i++]);
        } else {
            add(steps, '+', b[j++]);
        }
    }
    while (i < n)
        add(steps, '-', a[i++]);
    while (j < m)
        add(steps, '+', b[j++]);
}

static struct steps
compare(const struct lines *a, const struct lines *b)
{
    struct steps steps = {0};
    size_t head = 0, tail = 0;

    while (head < a->n && head < b->n && same(a->at[head], b->at[head]))
        add(&steps, ' ', a->at[head++]);
    while (tail < a->n - head && tail < b->n - head &&
           same(a->at[a->n - 1 - tail], b->at[b->n - 1 - tail]))
        tail++;
    middle(&steps, a->at + head, a->n - head - tail, b->at + head, b->n - head - tail);
    for (; tail > 0; tail--)
        add(&steps, ' ', a->at[a->n - tail]);
    return steps;
}

/* Changes that are near one another stand in one piece. */
static size_t
end_of_piece(const struct steps *steps, size_t first)
{
    size_t last = first;

    for (size_t i = first; i < steps->n && i <= last + 2 * CONTEXT + 1; i++)
        if (steps->at[i].kind != ' ')
            last = i;
    return last + CONTEXT + 1 < steps->n ? last + CONTEXT + 1 : steps->n;
}

static void
print_piece(FILE *out, const struct steps *steps, size_t from, size_t to)
{
    size_t before = 0, after = 0;

    for (size_t i = from; i < to; i++) {
        before += steps->at[i].kind != '+';
        after += steps->at[i].kind != '-';
    }
    fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n", steps->at[from].before + (before > 0), before,
            steps->at[from].after + (after > 0), after);
    for (size_t i = from; i < to; i++) {
        struct line line = steps->at[i].line;

        fputc(steps->at[i].kind, out);
        fwrite(line.text, 1, line.len, out);
        if (line.len == 0 || line.text[line.len - 1] != '\n')
            fputs("\n\\ No newline at end of file\n", out);
    }
}

void
linediff_print(FILE *out, const char *path, const char *before, const char *after)
{
    struct lines a = split(before), b = split(after);
    struct steps steps;

    if (strcmp(before, after) == 0)
        return;
    steps = compare(&a, &b);
    fprintf(out, "--- %s\n+++ %s\n", path, path);
    for (size_t i = 0; i < steps.n; i++) {
        size_t from = i > CONTEXT ? i - CONTEXT : 0, to;

        if (steps.at[i].kind == ' ')
            continue;
        to = end_of_piece(&steps, i);
        print_piece(out, &steps, from, to);
        i = to - 1;
    }
}
