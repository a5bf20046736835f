/* SPDX-License-Identifier: MIT */
/* Definition, references and rename: the notes of the check, by object. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lsp/parts.h"
#include "syntax/spell.h"
#include "text/diag_parts.h"

static void
put_location(struct str *out, struct span span)
{
    str_putc(out, '{');
    json_key_string(out, "uri", client_uri(span.file->path));
    client_put_range(out, "range", span);
    str_putc(out, '}');
}

void
answer_definition(struct str *out, yajl_val params)
{
    const struct project *project = project_get();
    struct target target = project_target(project, params);

    earlier_target(project, &target);
    if (target.use && use_declaration(target.use).file)
        put_location(out, earlier_span(project, use_declaration(target.use)));
}

static bool
is_declaration(const struct use *use)
{
    struct span span = use_declaration(use);

    return span.file == use->span.file && span.start == use->span.start;
}

void
answer_references(struct str *out, yajl_val params)
{
    const struct project *project = project_get();
    struct target target = project_target(project, params);
    yajl_val wanted = wire_get(params, "context.includeDeclaration");

    if (!target.use)
        return;
    str_putc(out, '[');
    for (size_t i = 0; i < project->uses->n; i++) {
        const struct use *use = &project->uses->at[i];

        if (use->object != target.use->object || (YAJL_IS_FALSE(wanted) && is_declaration(use)))
            continue;
        json_comma(out);
        put_location(out, use->span);
    }
    str_putc(out, ']');
}

/* ---- rename ---- */

/* What is built in, or has no name of its own where it is declared, cannot be renamed. */
static bool
can_rename(const struct use *use)
{
    struct span span = use_declaration(use);
    const char *name = use_name(use);
    const char *text = span.file ? span.file->text + span.start : "";
    size_t len = strlen(name), quoted = *text == '"';

    return span.file && span.end - span.start == len + 2 * quoted &&
           (quoted || strncasecmp(text, name, len) == 0);
}

void
answer_prepare_rename(struct str *out, yajl_val params)
{
    struct target target = project_target(project_get(), params);

    if (!target.use || !can_rename(target.use))
        return;
    str_putc(out, '{');
    client_put_range(out, "range", target.use->span);
    json_key_string(out, "placeholder", use_name(target.use));
    str_putc(out, '}');
}

static void
put_file_edits(struct str *out, const struct project *project, const struct source *file,
               const void *object, const char *name)
{
    bool any = false;

    for (size_t i = 0; i < project->uses->n; i++) {
        const struct use *use = &project->uses->at[i];

        if (use->object != object || use->span.file != file)
            continue;
        if (!any) {
            json_key(out, client_uri(file->path));
            str_putc(out, '[');
        }
        any = true;
        json_comma(out);
        str_putc(out, '{');
        client_put_range(out, "range", use->span);
        json_key_string(out, "newText", name);
        str_putc(out, '}');
    }
    str_puts(out, any ? "]" : "");
}

/* ---- trying it ---- */

/* A file with the new name in it; malloc'd, as a check comes between. */
struct trial {
    char *path, *before, *after;
};

static char *
renamed(const struct project *project, const struct source *file, const void *object,
        const char *name)
{
    struct str out = {0};
    size_t at = 0;

    for (size_t i = 0; i < project->uses->n; i++) {
        const struct use *use = &project->uses->at[i];

        if (use->object != object || use->span.file != file)
            continue;
        str_add(&out, file->text + at, use->span.start - at);
        str_puts(&out, name);
        at = use->span.end;
    }
    str_add(&out, file->text + at, file->len - at);
    return strdup(out.at);
}

static size_t
count_uses(const struct project *project, const void *object)
{
    size_t n = 0;

    for (size_t i = 0; i < project->uses->n; i++)
        n += project->uses->at[i].object == object;
    return n;
}

/* How many uses the object has that is named at this declaration. */
static size_t
count_at(const struct project *project, const char *path, size_t offset)
{
    for (size_t i = 0; i < project->uses->n; i++) {
        const struct use *use = &project->uses->at[i];

        if (strcmp(use->span.file->path, path) == 0 && use->span.start == offset &&
            is_declaration(use))
            return count_uses(project, use->object);
    }
    return 0;
}

static size_t
declared_after(const struct project *project, const struct use *use, const char *name)
{
    struct span span = use_declaration(use);
    size_t offset = span.start;

    for (size_t i = 0; i < project->uses->n; i++) {
        const struct use *other = &project->uses->at[i];

        if (other->object == use->object && other->span.file == span.file &&
            other->span.start < span.start)
            offset = offset + strlen(name) - (other->span.end - other->span.start);
    }
    return offset;
}

static const char *
first_error(void)
{
    const struct diags *all = diag_sorted();

    for (size_t i = 0; i < all->n; i++)
        if (all->at[i]->severity == ERROR)
            return all->at[i]->text;
    return "";
}

/* Checks the project under the new name, and puts the texts back; NULL, or what is wrong: malloc'd.
 */
static char *
try_rename(const struct use *use, const char *name)
{
    const struct project *project = project_get();
    size_t n = project->ast.files.n, errors = diag_errors(), before, offset;
    struct trial *trials = calloc(n, sizeof(*trials));
    char *path = strdup(use_declaration(use).file->path), *why = NULL;

    before = count_uses(project, use->object);
    offset = declared_after(project, use, name);
    for (size_t i = 0; i < n; i++) {
        const struct source *file = project->ast.files.at[i];
        const char *overlay = source_overlaid(file->path);

        trials[i] = (struct trial){strdup(file->path), overlay ? strdup(overlay) : NULL,
                                   renamed(project, file, use->object, name)};
    }
    for (size_t i = 0; i < n; i++)
        source_overlay(trials[i].path, trials[i].after);
    project_changed();
    project = project_get();
    if (diag_errors() > errors)
        why = strdup(first_error());
    else if (count_at(project, path, offset) != before)
        why = strdup("the name would mean something else in some place");
    for (size_t i = 0; i < n; i++) {
        source_overlay(trials[i].path, trials[i].before);
        free(trials[i].path);
        free(trials[i].before);
        free(trials[i].after);
    }
    free(trials);
    free(path);
    project_changed();
    return why;
}

const char *
answer_rename(struct str *out, yajl_val params)
{
    const char *name = wire_text(params, "newName");
    struct target target = project_target(project_get(), params);
    char *why;
    const char *told;

    if (!name || !*name || strlen(name) > 63)
        return "a name has 1 to 63 bytes";
    if (!target.use || !can_rename(target.use))
        return "there is no name here that can be changed";
    name = spell_name(name);
    why = try_rename(target.use, name);
    target = project_target(project_get(), params);
    told = why ? arena_printf("not renamed: %s", why) : NULL;
    free(why);
    if (told || !target.use)
        return told ? told : "it has gone";
    name = spell_name(wire_text(params, "newName"));
    str_puts(out, "{\"changes\":{");
    for (size_t i = 0; i < project_get()->ast.files.n; i++)
        put_file_edits(out, project_get(), project_get()->ast.files.at[i], target.use->object,
                       name);
    str_puts(out, "}}");
    return NULL;
}
