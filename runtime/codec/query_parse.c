/* SPDX-License-Identifier: MIT */
#include "codec/query_parse.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define MAX_SHOWN 256 /* bytes of a value in a message */

bool
pgs__query_error(struct pgs__query_context *context, const char *code, const char *message,
                 const char *details)
{
    struct pgs_read_error *error = context->error;

    memset(error, 0, sizeof(*error));
    error->code = code;
    snprintf(error->message, sizeof(error->message), "%s", message);
    snprintf(error->details, sizeof(error->details), "%s", details);
    return false;
}

bool
pgs__query_too_many(struct pgs__query_context *context, const char *things, size_t max)
{
    char message[128];

    snprintf(message, sizeof(message), "too many %s: at most %zu", things, max);
    context->over_bound = true;
    return pgs__query_error(context, "PGRST100", message, "");
}

bool
pgs__query_fault(const struct pgs__query_value *value, const char *details)
{
    char message[MAX_SHOWN + 128];
    size_t shown = pgs_utf8_cut(value->all.at, value->all.len, MAX_SHOWN);
    size_t line = 1;
    const char *start = value->all.at;

    for (const char *at = start; at < value->at; at++) {
        if (*at != '\n')
            continue;
        line++;
        start = at + 1;
    }
    snprintf(message, sizeof(message), "\"failed to parse %s (%.*s)\" (line %zu, column %zu)",
             value->what, (int)shown, value->all.at, line,
             pgs_utf8_count(start, (size_t)(value->at - start)) + 1);
    return pgs__query_error(value->context, "PGRST100", message, details);
}

bool
pgs__query_syntax(const struct pgs__query_value *value, const char *expecting)
{
    char details[192];

    if (value->at == value->end)
        snprintf(details, sizeof(details), "unexpected end of input expecting %s", expecting);
    else
        snprintf(details, sizeof(details), "unexpected \"%.*s\" expecting %s",
                 (int)pgs_utf8_sequence(value->at, (size_t)(value->end - value->at)), value->at,
                 expecting);
    return pgs__query_fault(value, details);
}

void
pgs__query_skip_space(struct pgs__query_value *value)
{
    while (value->at < value->end && (*value->at == ' ' || *value->at == '\t'))
        value->at++;
}

bool
pgs__query_sees(const struct pgs__query_value *value, const char *bytes)
{
    size_t n = strlen(bytes);

    return (size_t)(value->end - value->at) >= n && memcmp(value->at, bytes, n) == 0;
}

bool
pgs__query_takes(struct pgs__query_value *value, const char *bytes)
{
    if (!pgs__query_sees(value, bytes))
        return false;
    value->at += strlen(bytes);
    return true;
}

size_t
pgs__query_commas(const struct pgs__query_value *value)
{
    size_t n = 0;

    for (const char *at = value->at; at < value->end; at++)
        n += *at == ',';
    return n;
}

void *
pgs__query_alloc(struct pgs__query_context *context, size_t n, size_t size)
{
    void *at = context->memory.alloc(context->memory.pool, n * size);

    memset(at, 0, n * size);
    return at;
}

/* The value itself stays as it was: it may yet be shown in a message. */
static struct pgs_text
without_backslashes(struct pgs__query_context *context, const char *at, size_t len)
{
    char *copy = context->memory.alloc(context->memory.pool, len);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (at[i] == '\\')
            i++;
        copy[n++] = at[i];
    }
    return (struct pgs_text){copy, n};
}

bool
pgs__query_quoted(struct pgs__query_value *value, struct pgs_text *text)
{
    const char *start = ++value->at;
    bool escapes = false;

    while (value->at < value->end && *value->at != '"') {
        if (*value->at == '\\') {
            escapes = true;
            value->at++;
            if (value->at == value->end)
                break;
        }
        value->at++;
    }
    if (value->at == value->end)
        return pgs__query_syntax(value, "\"\\\"\"");
    *text = (struct pgs_text){start, (size_t)(value->at - start)};
    if (escapes)
        *text = without_backslashes(value->context, start, text->len);
    value->at++;
    return true;
}

static bool
is_name_byte(const struct pgs__query_value *value, const char *start)
{
    unsigned char c = (unsigned char)*value->at;

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80)
        return true;
    if (c == '_' || c == '$' || c == ' ')
        return true;
    return c == '-' && value->at > start && !pgs__query_sees(value, "->");
}

bool
pgs__query_name(struct pgs__query_value *value, struct pgs_text *name)
{
    static const char expecting[] = "field name (* or [a..z0..9_$])";
    const char *start;

    pgs__query_skip_space(value);
    start = value->at;
    if (pgs__query_sees(value, "\"")) {
        if (!pgs__query_quoted(value, name))
            return false;
    } else {
        while (value->at < value->end && is_name_byte(value, start))
            value->at++;
        *name = (struct pgs_text){start, (size_t)(value->at - start)};
        while (name->len > 0 && name->at[name->len - 1] == ' ')
            name->len--;
    }
    if (name->len == 0)
        return pgs__query_syntax(value, expecting);
    pgs__query_skip_space(value);
    return true;
}

bool
pgs__query_no_json_path(const struct pgs__query_value *value)
{
    if (!pgs__query_sees(value, "->"))
        return true;
    return pgs__query_fault(value, "a path into JSON (-> or ->>) is not supported");
}
