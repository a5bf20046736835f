/* SPDX-License-Identifier: MIT */
/* What a document declares, and its canonical form. */
#include <string.h>

#include "format/format.h"
#include "lsp/parts.h"
#include "text/diag.h"

/* SymbolKind of the protocol. */
static int
kind_of(const struct use *use)
{
    switch (use->kind) {
    case USE_TABLE:
        return 23; /* struct */
    case USE_COLUMN:
        return 8; /* field */
    case USE_TYPE:
        return 10; /* enum */
    case USE_DOMAIN:
    case USE_RANGE_TYPE:
    case USE_COMPOSITE:
        return 26; /* type parameter */
    case USE_SCHEMA:
        return 3; /* namespace */
    case USE_TRIGGER:
    case USE_WEBHOOK:
        return 24; /* event */
    case USE_PREDICATE:
    case USE_QUERY:
    case USE_FUNCTION:
    case USE_LIVE:
        return 12; /* function */
    case USE_ROLE:
        return 5; /* class */
    default:
        return 13; /* variable */
    }
}

/* To the end of the declaration's line: what is known of its extent. */
static struct span
whole_line(struct span span)
{
    const char *text = span.file->text;

    while (span.start > 0 && text[span.start - 1] != '\n')
        span.start--;
    while (span.end < span.file->len && text[span.end] != '\n')
        span.end++;
    return span;
}

static bool
declares(const struct use *use, const struct source *file)
{
    struct span span = use_declaration(use);

    return use->span.file == file && span.file == file && span.start == use->span.start &&
           use->kind != USE_PARAM && use->kind != USE_ALIAS && use->kind != USE_WITH;
}

static void
put_symbol(struct str *out, const struct use *use, const struct project *project)
{
    json_comma(out);
    str_putc(out, '{');
    json_key_string(out, "name", use_name(use));
    json_key_string(out, "detail", describe_use(use));
    json_key_number(out, "kind", (size_t)kind_of(use));
    client_put_range(out, "range", whole_line(use->span));
    client_put_range(out, "selectionRange", use->span);
    if (use->kind == USE_TABLE) {
        json_key(out, "children");
        str_putc(out, '[');
        for (size_t i = 0; i < project->uses->n; i++) {
            const struct use *other = &project->uses->at[i];
            const struct column *column = other->object;

            if (other->kind == USE_COLUMN && column->table == use->object &&
                declares(other, use->span.file))
                put_symbol(out, other, project);
        }
        str_putc(out, ']');
    }
    str_putc(out, '}');
}

void
answer_symbols(struct str *out, yajl_val params)
{
    const struct project *project = project_get();
    const struct source *file = project_source(project, wire_text(params, "textDocument.uri"));

    if (!file)
        return;
    str_putc(out, '[');
    for (size_t i = 0; i < project->uses->n; i++)
        if (declares(&project->uses->at[i], file) && project->uses->at[i].kind != USE_COLUMN)
            put_symbol(out, &project->uses->at[i], project);
    str_putc(out, ']');
}

void
answer_formatting(struct str *out, yajl_val params)
{
    const char *path = client_path(wire_text(params, "textDocument.uri"));
    struct source *source = path ? source_read(NULL, path) : NULL;
    size_t known = diag_count();
    const char *text;
    struct span all;

    if (!source)
        return;
    source = source_without_returns(source);
    all = (struct span){source, 0, source->len};
    text = source_bad_byte(source) == source->len ? format_checked(source) : NULL;
    diag_forget(known);
    if (!text)
        return;
    str_putc(out, '[');
    if (strcmp(text, source->text) != 0) {
        str_putc(out, '{');
        client_put_range(out, "range", all);
        json_key_string(out, "newText", text);
        str_putc(out, '}');
    }
    str_putc(out, ']');
}
