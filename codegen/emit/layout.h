/* SPDX-License-Identifier: MIT */
/*
 * Breaks lines of generated C where clang-format, with the project's .clang-format, would break
 * them: generated code is formatted code.  tests/2-golden compares.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "emit/out.h"
#include "base/words.h"

/* A C string literal. */
const char *layout_string(const char *text);

/* "HEAD" a, b, c "TAIL\n" at `indent`; HEAD ends with the bracket of a call: "PGS_COLUMN(". */
void layout_call(struct out *out, size_t indent, const char *head, const struct words *arguments,
                 const char *tail);

/* "HEAD = CALL(a, b);\n" at the left margin; CALL ends with its bracket. */
void layout_assign(struct out *out, const char *head, const char *call,
                   const struct words *arguments);

/* "HEAD = {a, b, c};\n" at the left margin. */
void layout_list(struct out *out, const char *head, const struct words *items);

/* ".roles = A | B,\n" at `indent`; HEAD is ".roles". */
void layout_or(struct out *out, size_t indent, const char *head, const struct words *operands);

/* ".sql = "...",\n" at `indent`: the literal on the next line when it must. */
void layout_member(struct out *out, size_t indent, const char *name, const char *value);

/* ".sql = "...",\n" of a text, cut at its spaces into literals below each other where it is long.
 */
void layout_text_member(struct out *out, size_t indent, const char *name, const char *text);

/* "PLACE WHAT NAME" as a comment at `indent`; without the name where that is too long. */
void layout_comment(struct out *out, size_t indent, struct span place, const char *what,
                    const char *name);

#endif
