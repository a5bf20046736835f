/* SPDX-License-Identifier: MIT */
/* How the client names files and places. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lsp/parts.h"

static char *root; /* the project's folder, absolute; malloc'd */
static bool in_utf8;

/* ---- URIs ---- */

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The path of a file URI, absolute; NULL: it is something else. */
static const char *
decode(const char *uri)
{
    struct str path = {0};

    if (!uri || strncmp(uri, "file://", 7) != 0)
        return NULL;
    for (uri += 7; *uri; uri++) {
        int high = *uri == '%' ? hex_value(uri[1]) : -1, low = high >= 0 ? hex_value(uri[2]) : -1;

        str_putc(&path, low >= 0 ? (char)(high * 16 + low) : *uri);
        uri += low >= 0 ? 2 : 0;
    }
    return path.at;
}

const char *
client_uri(const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~";
    struct str uri = {0};

    str_puts(&uri, "file://");
    for (const char *p = arena_printf("%s/%s", root ? root : "", path); *p; p++)
        if (strchr(plain, *p))
            str_putc(&uri, *p);
        else
            str_printf(&uri, "%%%02X", (unsigned)(unsigned char)*p);
    return uri.at;
}

const char *
client_path(const char *uri)
{
    const char *path = decode(uri);
    size_t len = root ? strlen(root) : 0;

    if (!path || !root || strncmp(path, root, len) != 0 || path[len] != '/')
        return NULL;
    return path + len + 1;
}

/* ---- the project ---- */

static bool
is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
is_project(const char *folder)
{
    return is_folder(arena_printf("%s/schema", folder)) ||
           is_folder(arena_printf("%s/policies", folder));
}

static void
set_root(const char *folder)
{
    if (chdir(folder) != 0)
        return;
    free(root);
    root = strdup(folder);
}

void
client_find_project(const char *uri)
{
    char *folder = (char *)decode(uri);
    char *slash;

    if (root || !folder)
        return;
    while ((slash = strrchr(folder, '/')) && slash > folder) {
        *slash = '\0';
        if (is_project(folder)) {
            set_root(folder);
            return;
        }
    }
}

static bool
offers_utf8(yajl_val params)
{
    yajl_val offered = wire_get(params, "capabilities.general.positionEncodings");

    for (size_t i = 0; YAJL_IS_ARRAY(offered) && i < offered->u.array.len; i++) {
        const char *name = YAJL_GET_STRING(offered->u.array.values[i]);

        if (name && strcmp(name, "utf-8") == 0)
            return true;
    }
    return false;
}

void
client_open(yajl_val params)
{
    const char *folder = decode(wire_text(params, "rootUri"));

    in_utf8 = offers_utf8(params);
    if (!folder)
        folder = wire_text(params, "rootPath");
    if (folder && is_project(folder))
        set_root(folder);
}

const char *
client_encoding(void)
{
    return in_utf8 ? "utf-8" : "utf-16";
}

/* ---- places ---- */

/* Bytes of the character at `at`; `*units`: what it counts. */
static size_t
step(const struct source *source, size_t at, size_t *units)
{
    unsigned char c = (unsigned char)source->text[at];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    *units = in_utf8 ? len : c >= 0xf0 ? 2 : 1;
    return at + len <= source->len ? len : source->len - at;
}

size_t
client_offset(const struct source *source, yajl_val position)
{
    long line = wire_number(position, "line", 0), column = wire_number(position, "character", 0);
    size_t at, units;

    if (line < 0 || (size_t)line >= source->lines.n)
        return source->len;
    at = source->lines.at[line];
    while (column > 0 && at < source->len && source->text[at] != '\n') {
        at += step(source, at, &units);
        column -= (long)units;
    }
    return at;
}

static void
put_position(struct str *out, const char *key, const struct source *source, size_t offset)
{
    struct position at = source_columns(source, offset);

    json_key(out, key);
    str_putc(out, '{');
    json_key_number(out, "line", at.line - 1);
    json_key_number(out, "character", (in_utf8 ? at.utf8 : at.utf16) - 1);
    str_putc(out, '}');
}

void
client_put_range(struct str *out, const char *key, struct span span)
{
    if (!span.file) /* nowhere: shown at the top */
        span.file = source_from_text("", "", 0);
    json_key(out, key);
    str_putc(out, '{');
    put_position(out, "start", span.file, span.start);
    put_position(out, "end", span.file, span.end > span.start ? span.end : span.start);
    str_putc(out, '}');
}
