/* SPDX-License-Identifier: MIT */
/*
 * Source files in memory, and places in them.  Inside the compiler a place is a byte offset; lines
 * and columns exist only in print.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"

struct source {
    const char *path; /* relative to the project, as it is printed */
    const char *text; /* NUL-terminated */
    size_t len;
    VEC(size_t) lines; /* where each begins */
};

/* Bytes [start, end) of a file.  `file` NULL: built in. */
struct span {
    const struct source *file;
    size_t start;
    size_t end;
};

/* Larger files are refused: errno EFBIG. */
#define SOURCE_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* Reads a file, less a byte order mark in front; NULL with errno set. */
struct source *source_read(const char *dir, const char *path);

/*
 * From now on the file at `path`, as parse_project names it, reads as this text: what an editor has
 * not saved.  Copied; it lives through arena_reset().  NULL: the file itself again.
 */
void source_overlay(const char *path, const char *text);

/* That text; NULL: there is none.  Valid until the next overlay of the file. */
const char *source_overlaid(const char *path);

/* The same with lines that end in \n alone. */
struct source *source_without_returns(struct source *source);

/* A source that is not a file. */
struct source *source_from_text(const char *path, const char *text, size_t len);

/* Line and column from 1; columns count characters, not bytes. */
void source_position(const struct source *file, size_t offset, size_t *line, size_t *column);

/* Offset of the first byte that is NUL or not UTF-8; `len` when there is none. */
size_t source_bad_byte(const struct source *file);

/* From the start of `a` to the end of `b`, which must be in one file. */
struct span span_join(struct span a, struct span b);

/* The empty place where a span begins or ends: for what is put in. */
struct span span_before(struct span span);
struct span span_after(struct span span);

/* Columns from 1 in bytes and in UTF-16 units, as editors count; lines are source_position's. */
struct position {
    size_t line;
    size_t characters;
    size_t utf8;
    size_t utf16;
};

struct position source_columns(const struct source *file, size_t offset);

#endif
