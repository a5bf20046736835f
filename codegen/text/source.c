/* SPDX-License-Identifier: MIT */
#include "text/source.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"

/* Looks before it opens: to open a pipe is to wait for who writes to it. */
static FILE *
open_file(const char *path, size_t *size)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return NULL;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return NULL;
    }
    if (st.st_size < 0 || (uintmax_t)st.st_size > SOURCE_MAX_BYTES) {
        errno = EFBIG;
        return NULL;
    }
    *size = (size_t)st.st_size;
    return fopen(path, "rb");
}

static struct source *
new_source(const char *path, const char *text, size_t len)
{
    struct source *source = arena_alloc(sizeof(*source));

    source->path = arena_copy(path, strlen(path));
    source->text = text;
    source->len = len;
    vec_push(&source->lines, 0);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\n')
            vec_push(&source->lines, i + 1);
    return source;
}

/* ---- unsaved texts ---- */

struct overlay {
    struct overlay *next;
    char *path;
    char *text;
};

static struct overlay *overlays;

static char *
copy_out(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);

    if (!copy) {
        fputs("pgstack: out of memory\n", stderr);
        exit(1);
    }
    return memcpy(copy, text, len + 1);
}

static struct overlay *
find_overlay(const char *path)
{
    struct overlay *overlay = overlays;

    while (overlay && strcmp(overlay->path, path) != 0)
        overlay = overlay->next;
    return overlay;
}

void
source_overlay(const char *path, const char *text)
{
    struct overlay *overlay = find_overlay(path);

    if (!overlay && text) {
        overlay = malloc(sizeof(*overlay));
        if (!overlay)
            return;
        *overlay = (struct overlay){overlays, copy_out(path), NULL};
        overlays = overlay;
    }
    if (overlay) {
        free(overlay->text);
        overlay->text = text ? copy_out(text) : NULL;
    }
}

const char *
source_overlaid(const char *path)
{
    const struct overlay *overlay = find_overlay(path);

    return overlay ? overlay->text : NULL;
}

struct source *
source_read(const char *dir, const char *path)
{
    const struct overlay *overlay = find_overlay(path);
    size_t size, len;
    FILE *file;
    char *text;

    if (overlay && overlay->text)
        return source_from_text(path, overlay->text, strlen(overlay->text));
    file = open_file(dir ? arena_printf("%s/%s", dir, path) : path, &size);
    if (!file)
        return NULL;
    text = arena_alloc(size + 1);
    len = fread(text, 1, size, file);
    if (ferror(file)) {
        fclose(file);
        errno = EIO;
        return NULL;
    }
    fclose(file);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return new_source(path, text + 3, len - 3);
    return new_source(path, text, len);
}

struct source *
source_without_returns(struct source *source)
{
    char *text, *to;

    if (!strstr(source->text, "\r\n"))
        return source;
    text = to = arena_alloc(source->len + 1);
    for (size_t i = 0; i < source->len; i++)
        if (source->text[i] != '\r' || source->text[i + 1] != '\n')
            *to++ = source->text[i];
    return new_source(source->path, text, (size_t)(to - text));
}

struct source *
source_from_text(const char *path, const char *text, size_t len)
{
    return new_source(path, arena_copy(text, len), len);
}

void
source_position(const struct source *file, size_t offset, size_t *line, size_t *column)
{
    size_t end = offset < file->len ? offset : file->len;
    size_t low = 0, high = file->lines.n;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (file->lines.at[middle] <= end)
            low = middle;
        else
            high = middle;
    }
    *line = low + 1;
    *column = 1;
    for (size_t i = file->lines.at[low]; i < end; i++)
        if (((unsigned char)file->text[i + 1] & 0xc0) != 0x80)
            ++*column; /* the next byte begins a character */
}

struct position
source_columns(const struct source *file, size_t offset)
{
    size_t end = offset < file->len ? offset : file->len;
    struct position at = {.utf16 = 1};
    size_t start;

    source_position(file, end, &at.line, &at.characters);
    start = file->lines.at[at.line - 1];
    at.utf8 = end - start + 1;
    for (size_t i = start; i < end; i++) {
        unsigned char c = (unsigned char)file->text[i];

        at.utf16 += (c & 0xc0) != 0x80; /* a character begins, */
        at.utf16 += c >= 0xf0;          /* one outside of the first 65536 */
    }
    return at;
}

/* Bytes of the character at `p`, 0 if it is none: no overlong forms, surrogates or more than 21
 * bits. */
static size_t
utf8_length(const unsigned char *p, size_t n)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t len;

    if (p[0] < 0x80)
        return p[0] != 0;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (n < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

size_t
source_bad_byte(const struct source *file)
{
    size_t at = 0;

    while (at < file->len) {
        size_t len = utf8_length((const unsigned char *)file->text + at, file->len - at);

        if (!len)
            return at;
        at += len;
    }
    return file->len;
}

struct span
span_join(struct span a, struct span b)
{
    return (struct span){a.file ? a.file : b.file, a.start, b.end};
}

struct span
span_before(struct span span)
{
    return (struct span){span.file, span.start, span.start};
}

struct span
span_after(struct span span)
{
    return (struct span){span.file, span.end, span.end};
}
