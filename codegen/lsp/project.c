/* SPDX-License-Identifier: MIT */
/*
 * The whole project is checked anew after a change, in an arena that is emptied first: a check
 * takes milliseconds, and what was true of the old text is worth nothing.  Answers grow the arena,
 * too; after many of them it is emptied in the same way.
 */
#include <string.h>
#include <unistd.h>

#include "passes/check.h"
#include "lsp/parts.h"
#include "syntax/parse.h"
#include "text/diag.h"

#define MAX_ANSWER_BYTES ((size_t)32 * 1024 * 1024)

static struct project *project;
static size_t bytes_checked;

void
project_changed(void)
{
    project = NULL;
}

void
project_trim(void)
{
    if (arena_bytes() - bytes_checked > MAX_ANSWER_BYTES)
        project = NULL;
}

const struct project *
project_get(void)
{
    struct ast *last = NULL;

    if (project)
        return project;
    diag_reset();
    uses_keep(false);
    arena_reset();
    uses_keep(true);
    project = arena_alloc(sizeof(*project));
    parse_project(&project->ast, ".");
    if (access(LAST_MODEL, F_OK) == 0) {
        last = arena_alloc(sizeof(*last));
        parse_file(last, ".", LAST_MODEL);
    }
    project->model = check_what_there_is(&project->ast, last);
    project->uses = uses_snapshot(project->model);
    if (project->ast.lost.n == 0)
        earlier_keep(project);
    project->earlier = earlier_get(project);
    bytes_checked = arena_bytes();
    return project;
}

const struct source *
project_source(const struct project *of, const char *uri)
{
    const char *path = client_path(uri);

    for (size_t i = 0; path && i < of->ast.files.n; i++)
        if (strcmp(of->ast.files.at[i]->path, path) == 0)
            return of->ast.files.at[i];
    return NULL;
}

const struct use *
project_use_at(const struct project *of, const struct source *file, size_t offset)
{
    const struct use *found = NULL;

    for (size_t i = 0; i < of->uses->n; i++) {
        const struct use *use = &of->uses->at[i];

        if (use->span.file == file && use->span.start <= offset && offset <= use->span.end &&
            (!found || use->span.end > offset))
            found = use;
    }
    return found;
}

struct target
project_target(const struct project *of, yajl_val params)
{
    struct target target = {.source = project_source(of, wire_text(params, "textDocument.uri"))};

    if (!target.source)
        return target;
    target.offset = client_offset(target.source, wire_get(params, "position"));
    target.use = project_use_at(of, target.source, target.offset);
    return target;
}
