/* SPDX-License-Identifier: MIT */
/*
 * The files that a run writes: made in memory, and written when all of them are.  A file whose
 * bytes are the same is not touched, so that nothing is compiled again for it.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "text/source.h"

struct out;

/* Columns of a line of generated C, as in .clang-format. */
#define OUT_COLUMNS 100

/* A new file of this run, by its path in the project. */
struct out *out_file(const char *path);

/* Text that becomes no file by itself. */
struct out *out_scratch(void);

/* What was written to it so far; valid until the next write. */
const char *out_text(const struct out *out);

void out_add(struct out *out, const char *text);
void out_printf(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds `text` with each @name@ replaced by the value that follows its name:
 * `out_fill(out, "struct @table@;\n", "table", name, NULL)`.
 */
void out_fill(struct out *out, const char *text, ...) __attribute__((sentinel));

/* A name as a comment can hold it: on one line, and not the end of the comment. */
const char *out_plain(const char *name);

/* "schema/desk.schema:12" */
const char *out_place(struct span span);

/*
 * Writes the files of this run, and deletes files of `folder` that an earlier run generated and
 * this one did not; `folder` NULL: none.  False: printed.
 */
bool out_save(const char *folder, size_t *n_written);

/* Forgets the files of this run: between two of one process. */
void out_reset(void);

#endif
