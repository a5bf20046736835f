/* SPDX-License-Identifier: MIT */
/*
 * `check --fix`.  The fixes are tried on the texts in memory, round after round, as one may make
 * room for the next; files are written at the end, so that a run that fails leaves them as they
 * were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/linediff.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/fix.h"
#include "text/diag_parts.h"

#define MAX_ROUNDS 32

/* Codes of files and words: what such a file means is not known. */
#define LAST_SYNTAX_CODE 99

VEC_STRUCT(edits, const struct edit *);

/* A file as it was, and as it is now. */
struct fixed {
    const char *path;
    const char *before;
    const char *after;
};

static VEC(struct fixed) files;
static VEC(const char *) done;

static bool
is_readable(const struct source *file)
{
    const struct diags *all = diag_sorted();

    for (size_t i = 0; i < all->n; i++)
        if (all->at[i]->span.file == file && all->at[i]->code <= LAST_SYNTAX_CODE)
            return false;
    return true;
}

/* Two insertions in one place overlap too: which comes first is for the next round. */
static bool
overlaps(const struct edit *a, const struct edit *b)
{
    if (a->span.file != b->span.file)
        return false;
    return a->span.start == b->span.start ||
           (a->span.start < b->span.end && b->span.start < a->span.end);
}

static bool
fits(const struct edits *taken, const struct diag *diag)
{
    for (size_t i = 0; i < diag->fix.n; i++) {
        if (!is_readable(diag->fix.at[i].span.file))
            return false;
        for (size_t j = 0; j < taken->n; j++)
            if (overlaps(taken->at[j], &diag->fix.at[i]))
                return false;
    }
    return diag->fix.n > 0;
}

static void
note_done(const struct diag *diag)
{
    struct position at = source_columns(diag->span.file, diag->span.start);

    vec_push(&done, arena_printf("%s:%zu: PGS%04d: %s", diag->span.file->path, at.line,
                                 (int)diag->code, diag->text));
}

static struct edits
choose(void)
{
    const struct diags *all = diag_sorted();
    struct edits taken = {0};

    for (size_t i = 0; i < all->n; i++) {
        if (!all->at[i]->span.file || !fits(&taken, all->at[i]))
            continue;
        for (size_t j = 0; j < all->at[i]->fix.n; j++)
            vec_push(&taken, &all->at[i]->fix.at[j]);
        note_done(all->at[i]);
    }
    return taken;
}

static int
compare(const void *x, const void *y)
{
    const struct span *a = &(*(const struct edit *const *)x)->span;
    const struct span *b = &(*(const struct edit *const *)y)->span;

    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return a->start < b->start ? -1 : a->start > b->start;
}

static void
keep(const struct source *file, const char *after)
{
    size_t i = 0;

    while (i < files.n && strcmp(files.at[i].path, file->path) != 0)
        i++;
    if (i == files.n) {
        struct fixed fixed = {file->path, file->text, NULL};

        vec_push(&files, fixed);
    }
    files.at[i].after = after;
    source_overlay(file->path, after);
}

/* The edits of one file, in order: how many there were. */
static size_t
apply(const struct edits *edits, size_t first)
{
    const struct source *file = edits->at[first]->span.file;
    struct str out = {0};
    size_t at = 0, i = first;

    for (; i < edits->n && edits->at[i]->span.file == file; i++) {
        const struct edit *edit = edits->at[i];

        str_add(&out, file->text + at, edit->span.start - at);
        str_puts(&out, edit->text);
        at = edit->span.end;
    }
    str_add(&out, file->text + at, file->len - at);
    keep(file, out.at);
    return i - first;
}

static bool
save(bool dry_run)
{
    bool ok = true;

    for (size_t i = 0; i < files.n; i++) {
        const struct fixed *file = &files.at[i];

        if (dry_run)
            linediff_print(stdout, file->path, file->before, file->after);
        else
            ok = file_replace(file->path, file->after) && ok;
    }
    for (size_t i = 0; i < done.n && ok; i++)
        fprintf(dry_run ? stderr : stdout, "%s %s\n", dry_run ? "would fix" : "fixed", done.at[i]);
    return ok;
}

bool
fix_sources(bool dry_run)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        struct edits edits;

        cmd_check_sources();
        edits = choose();
        if (edits.n == 0)
            break;
        qsort(edits.at, edits.n, sizeof(edits.at[0]), compare);
        for (size_t i = 0; i < edits.n;)
            i += apply(&edits, i);
    }
    return save(dry_run);
}
