/* SPDX-License-Identifier: MIT */
/* Findings as diagnostics, and their fixes as code actions. */
#include <stdlib.h>
#include <string.h>

#include "lsp/parts.h"
#include "text/diag_parts.h"

/* Files that have findings at the client, so that they can be taken back; process lifetime. */
struct shown {
    struct shown *next;
    char *path;
    char *sent;
};

static struct shown *shown;

static void
put_related(struct str *out, const struct diag *diag)
{
    json_key(out, "relatedInformation");
    str_putc(out, '[');
    for (size_t i = 0; i < diag->notes.n; i++) {
        struct span span = diag->notes.at[i].span;

        if (!span.file)
            continue;
        json_comma(out);
        str_putc(out, '{');
        json_key(out, "location");
        str_putc(out, '{');
        json_key_string(out, "uri", client_uri(span.file->path));
        client_put_range(out, "range", span);
        str_puts(out, "}");
        json_key_string(out, "message", diag->notes.at[i].text);
        str_putc(out, '}');
    }
    str_putc(out, ']');
}

static void
put_finding(struct str *out, const struct diag *diag)
{
    const char *message = diag->text;

    for (size_t i = 0; i < diag->hints.n; i++)
        message = arena_printf("%s\nhint: %s", message, diag->hints.at[i]);
    str_putc(out, '{');
    client_put_range(out, "range", diag->span);
    json_key_number(out, "severity", diag->severity == ERROR ? 1 : 2);
    json_key_string(out, "code", arena_printf("PGS%04d", (int)diag->code));
    json_key_string(out, "source", "pgstack");
    json_key_string(out, "message", message);
    put_related(out, diag);
    str_putc(out, '}');
}

/* What is about no file in particular is shown at the first one. */
static const char *
path_of(const struct diag *diag)
{
    const struct ast *ast = &project_get()->ast;

    if (diag->span.file)
        return diag->span.file->path;
    return ast->files.n > 0 ? ast->files.at[0]->path : "schema/app.schema";
}

static struct shown *
find_shown(const char *path)
{
    struct shown *file = shown;

    while (file && strcmp(file->path, path) != 0)
        file = file->next;
    if (file)
        return file;
    file = calloc(1, sizeof(*file));
    if (file) {
        file->path = strdup(path);
        file->next = shown;
        shown = file;
    }
    return file;
}

/* Sends the findings of a file, unless the client has the same ones. */
static void
publish(const char *path)
{
    const struct diags *all = diag_sorted();
    struct shown *file = find_shown(path);
    struct str out = {0};
    bool any = false;

    str_puts(&out,
             "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/publishDiagnostics\",\"params\":{");
    json_key_string(&out, "uri", client_uri(path));
    str_puts(&out, ",\"diagnostics\":[");
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(path_of(all->at[i]), path) != 0)
            continue;
        str_puts(&out, any ? "," : "");
        put_finding(&out, all->at[i]);
        any = true;
    }
    str_puts(&out, "]}}");
    if (!file || (file->sent ? strcmp(file->sent, out.at) == 0 : !any))
        return;
    free(file->sent);
    file->sent = strdup(out.at);
    wire_write(&out);
}

void
findings_publish(void)
{
    const struct diags *all;

    project_get();
    all = diag_sorted();
    for (struct shown *file = shown; file; file = file->next)
        publish(file->path);
    for (size_t i = 0; i < all->n; i++)
        publish(path_of(all->at[i]));
}

/* ---- fixes ---- */

/* At most so much of a text is shown in a title. */
#define MAX_SHOWN 60

static const char *
title_of(const struct diag *diag)
{
    const struct edit *edit = &diag->fix.at[0];
    size_t len = edit->span.end - edit->span.start;

    if (diag->fix.n > 1 || len > MAX_SHOWN || strlen(edit->text) > MAX_SHOWN ||
        strchr(edit->text, '\n'))
        return diag->hints.n > 0 ? diag->hints.at[0] : arena_printf("fix: %s", diag->text);
    if (len == 0)
        return arena_printf("insert `%s`", edit->text);
    if (!*edit->text)
        return arena_printf("delete `%.*s`", (int)len, edit->span.file->text + edit->span.start);
    return arena_printf("replace `%.*s` by `%s`", (int)len,
                        edit->span.file->text + edit->span.start, edit->text);
}

/* The edits of one file; those of others are in others. */
static void
put_edits(struct str *out, const struct diag *diag, const struct source *file)
{
    json_key(out, client_uri(file->path));
    str_putc(out, '[');
    for (size_t i = 0; i < diag->fix.n; i++) {
        if (diag->fix.at[i].span.file != file)
            continue;
        json_comma(out);
        str_putc(out, '{');
        client_put_range(out, "range", diag->fix.at[i].span);
        json_key_string(out, "newText", diag->fix.at[i].text);
        str_putc(out, '}');
    }
    str_putc(out, ']');
}

static bool
is_first_of_file(const struct diag *diag, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (diag->fix.at[j].span.file == diag->fix.at[i].span.file)
            return false;
    return true;
}

static void
put_action(struct str *out, const struct diag *diag)
{
    json_comma(out);
    str_putc(out, '{');
    json_key_string(out, "title", title_of(diag));
    json_key_string(out, "kind", "quickfix");
    json_key(out, "isPreferred");
    str_puts(out, "true");
    json_key(out, "diagnostics");
    str_putc(out, '[');
    put_finding(out, diag);
    str_puts(out, "],\"edit\":{\"changes\":{");
    for (size_t i = 0; i < diag->fix.n; i++)
        if (is_first_of_file(diag, i))
            put_edits(out, diag, diag->fix.at[i].span.file);
    str_puts(out, "}}}");
}

void
answer_actions(struct str *out, yajl_val params)
{
    const struct project *project = project_get();
    const struct source *file = project_source(project, wire_text(params, "textDocument.uri"));
    const struct diags *all = diag_sorted();
    size_t start, end;

    str_putc(out, '[');
    if (file) {
        start = client_offset(file, wire_get(params, "range.start"));
        end = client_offset(file, wire_get(params, "range.end"));
        for (size_t i = 0; i < all->n; i++)
            if (all->at[i]->fix.n > 0 && all->at[i]->span.file == file &&
                all->at[i]->span.start <= end && start <= all->at[i]->span.end)
                put_action(out, all->at[i]);
    }
    str_putc(out, ']');
}
