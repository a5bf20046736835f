/* SPDX-License-Identifier: MIT */
/* Findings as programs read them; docs/findings.md has the fields. */
#include "base/json.h"
#include "text/diag_parts.h"

static void
put_position(struct str *out, const char *name, const struct source *file, size_t offset)
{
    struct position at = source_columns(file, offset);

    json_key(out, name);
    str_putc(out, '{');
    json_key_number(out, "offset", offset < file->len ? offset : file->len);
    json_key_number(out, "line", at.line);
    json_key_number(out, "column", at.characters);
    json_key_number(out, "utf8", at.utf8);
    json_key_number(out, "utf16", at.utf16);
    str_putc(out, '}');
}

/* Null: the finding is about the project, not about a place in it. */
static void
put_span(struct str *out, struct span span)
{
    json_key(out, "span");
    if (!span.file) {
        str_puts(out, "null");
        return;
    }
    str_putc(out, '{');
    json_key_string(out, "file", span.file->path);
    put_position(out, "start", span.file, span.start);
    put_position(out, "end", span.file, span.end > span.start ? span.end : span.start);
    str_putc(out, '}');
}

static void
put_notes(struct str *out, const struct diag *diag)
{
    json_key(out, "notes");
    str_putc(out, '[');
    for (size_t i = 0; i < diag->notes.n; i++) {
        json_comma(out);
        str_putc(out, '{');
        json_key_string(out, "message", diag->notes.at[i].text);
        put_span(out, diag->notes.at[i].span);
        str_putc(out, '}');
    }
    str_putc(out, ']');
}

static void
put_hints(struct str *out, const struct diag *diag)
{
    json_key(out, "hints");
    str_putc(out, '[');
    for (size_t i = 0; i < diag->hints.n; i++) {
        json_comma(out);
        json_string(out, diag->hints.at[i]);
    }
    str_putc(out, ']');
}

/* Null: there is no one right text. */
static void
put_fix(struct str *out, const struct diag *diag)
{
    json_key(out, "fix");
    if (diag->fix.n == 0) {
        str_puts(out, "null");
        return;
    }
    str_putc(out, '[');
    for (size_t i = 0; i < diag->fix.n; i++) {
        json_comma(out);
        str_putc(out, '{');
        put_span(out, diag->fix.at[i].span);
        json_key_string(out, "text", diag->fix.at[i].text);
        str_putc(out, '}');
    }
    str_putc(out, ']');
}

static void
put_diag(struct str *out, const struct diag *diag)
{
    str_putc(out, '{');
    json_key(out, "code");
    str_printf(out, "\"PGS%04d\"", (int)diag->code);
    json_key_string(out, "severity", diag->severity == ERROR ? "error" : "warning");
    json_key_string(out, "title", diag_title(diag->code));
    json_key_string(out, "message", diag->text);
    put_span(out, diag->span);
    put_notes(out, diag);
    put_hints(out, diag);
    put_fix(out, diag);
    str_putc(out, '}');
}

void
diag_print_json(FILE *file)
{
    const struct diags *sorted = diag_sorted();
    struct str out = {0};

    str_putc(&out, '[');
    for (size_t i = 0; i < sorted->n; i++) {
        str_puts(&out, i ? ",\n" : "\n");
        put_diag(&out, sorted->at[i]);
    }
    str_puts(&out, sorted->n ? "\n]\n" : "]\n");
    fwrite(out.at, 1, out.n, file);
}
