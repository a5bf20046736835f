/* SPDX-License-Identifier: MIT */
/* The texts that the client has open: they hide the files, as long as they are open. */
#include <stdlib.h>
#include <string.h>

#include "lsp/parts.h"

/* A document's text is that of its overlay; arena_reset() may come between two calls. */
static void
put(const char *uri, const char *text)
{
    const char *path = client_path(uri);

    if (path)
        source_overlay(path, text);
    project_changed();
}

void
documents_open(const char *uri, const char *text)
{
    client_find_project(uri);
    put(uri, text);
}

void
documents_close(const char *uri)
{
    put(uri, NULL);
}

static const char *
spliced(const char *text, yajl_val change)
{
    const struct source *source = source_from_text("", text, strlen(text));
    size_t start = client_offset(source, wire_get(change, "range.start"));
    size_t end = client_offset(source, wire_get(change, "range.end"));
    struct str out = {0};

    str_add(&out, text, start);
    str_puts(&out, wire_text(change, "text"));
    str_puts(&out, text + (end > start ? end : start));
    return out.at;
}

void
documents_change(const char *uri, yajl_val changes)
{
    const char *path = client_path(uri), *text = path ? source_overlaid(path) : NULL;

    for (size_t i = 0; text && YAJL_IS_ARRAY(changes) && i < changes->u.array.len; i++) {
        yajl_val change = changes->u.array.values[i];

        if (!wire_text(change, "text"))
            continue;
        text = wire_get(change, "range") ? spliced(text, change) : wire_text(change, "text");
    }
    if (text)
        put(uri, text);
}
