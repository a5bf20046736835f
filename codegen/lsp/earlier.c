/* SPDX-License-Identifier: MIT */
/*
 * The project as it was when all of it could be read.  While a declaration is being written, what
 * it will declare is known from there: its texts are kept, and checked again in their place.
 */
#include <stdlib.h>
#include <string.h>

#include "passes/check.h"
#include "lsp/parts.h"
#include "syntax/parse.h"
#include "text/diag.h"

/* Process lifetime; malloc'd. */
struct kept {
    char *path, *text;
};

static struct kept *kept;
static size_t n_kept;

static void
forget(void)
{
    for (size_t i = 0; i < n_kept; i++) {
        free(kept[i].path);
        free(kept[i].text);
    }
    free(kept);
    kept = NULL;
    n_kept = 0;
}

void
earlier_keep(const struct project *project)
{
    size_t n = project->ast.files.n;

    forget();
    kept = calloc(n ? n : 1, sizeof(*kept));
    for (; kept && n_kept < n; n_kept++) {
        const struct source *file = project->ast.files.at[n_kept];

        kept[n_kept] = (struct kept){strdup(file->path), strdup(file->text)};
    }
}

/* Adds no finding, and leaves the notes of names to whom it is given. */
static void
check_texts(struct project *project)
{
    size_t known = diag_count();

    uses_keep(true);
    for (size_t i = 0; i < n_kept; i++)
        parse_source(&project->ast,
                     source_from_text(arena_printf("%s", kept[i].path),
                                      arena_printf("%s", kept[i].text), strlen(kept[i].text)));
    project->model = check_what_there_is(&project->ast, NULL);
    project->uses = uses_snapshot(project->model);
    diag_forget(known);
}

const struct project *
earlier_get(const struct project *now)
{
    struct project *project;

    if (now->ast.lost.n == 0 || n_kept == 0)
        return NULL;
    project = arena_alloc(sizeof(*project));
    check_texts(project);
    return project;
}

/* ---- places in both ---- */

static const struct source *
same_file(const struct project *project, const struct source *file)
{
    for (size_t i = 0; i < project->ast.files.n; i++)
        if (strcmp(project->ast.files.at[i]->path, file->path) == 0)
            return project->ast.files.at[i];
    return NULL;
}

/*
 * Where a place of one text is in another: what they begin and end with is the same.  Where a text
 * was put in, a place may be before it or behind it.
 */
static bool
move(const struct source *from, const struct source *to, size_t *offset, bool prefers_behind)
{
    size_t least = from->len < to->len ? from->len : to->len, before = 0, behind = 0;

    while (before < least && from->text[before] == to->text[before])
        before++;
    while (behind < least - before &&
           from->text[from->len - 1 - behind] == to->text[to->len - 1 - behind])
        behind++;
    if (*offset >= from->len - behind && (prefers_behind || *offset > before)) {
        *offset = *offset + to->len - from->len;
        return true;
    }
    return *offset <= before;
}

struct span
earlier_span(const struct project *now, struct span span)
{
    const struct source *file = span.file ? same_file(now, span.file) : NULL;
    struct span moved = {file, span.start, span.end};

    if (!file || file == span.file)
        return span;
    if (move(span.file, file, &moved.start, true) && move(span.file, file, &moved.end, false) &&
        moved.start <= moved.end)
        return moved;
    return span;
}

static size_t
length(struct span span)
{
    return span.end - span.start;
}

void
earlier_target(const struct project *now, struct target *target)
{
    const struct source *file =
        target->source && now->earlier ? same_file(now->earlier, target->source) : NULL;
    size_t offset = target->offset;

    const struct use *use;

    if (!file || !move(target->source, file, &offset, false))
        return;
    use = project_use_at(now->earlier, file, offset);
    if (use && (!target->use || length(use->span) < length(target->use->span)))
        target->use = use;
}
