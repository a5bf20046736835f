/* SPDX-License-Identifier: MIT */
/*
 * Collects errors, warnings and their notes, and prints them sorted by place, each with its line
 * and a caret.  Passes record and go on; each pass ends with `if (diag_errors()) return`.
 */
#ifndef DIAG_H
#define DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "text/source.h"

/*
 * The list of codes; docs/errors.md explains each.  Numbers are written with four digits: the 1 in
 * front keeps 0010 from being octal.
 */
enum diag_code {
#define DIAG(number, name, severity, title) PGS##number##_##name = 1##number - 10000,
#include "text/diag.def"
#undef DIAG
};

/* Records one; returns its handle for notes and hint.  The severity is the one of diag.def. */
struct diag *diag_at(struct span span, enum diag_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Another place that the reader should see. */
void diag_note(struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Where it is. */
struct span diag_span(const struct diag *diag);

/* What to do. */
void diag_hint(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The right text, where there is exactly one: `span` becomes it.  Several edits of one finding are
 * one fix.  An empty span inserts (span_before, span_after), an empty text deletes.  What a person
 * must decide is no fix: it stays a hint.
 */
void diag_fix(struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* From now on warnings are forgotten at once: of what is released nobody wants to hear them. */
void diag_mute_warnings(bool mute);

size_t diag_errors(void);
size_t diag_warnings(void);

/* How many were recorded, and forgetting those after the first `n`. */
size_t diag_count(void);
void diag_forget(size_t n);

/* Prints all, sorted by file, offset and code, each once; `color` for a terminal. */
void diag_print(FILE *out, bool color);

/* The same as a JSON array, a finding a line; docs/findings.md has the fields. */
void diag_print_json(FILE *out);

/* "a grant that no policy covers": the title of diag.def. */
const char *diag_title(enum diag_code code);

/* Forgets all: between two compilations of one process. */
void diag_reset(void);

/* The known name nearest to `name`, or NULL when none is near: for "did you mean". */
const char *diag_nearest(const char *name, const char *const *known, size_t n);

/* The same, or NULL when another one is just as near: for a fix. */
const char *diag_nearest_alone(const char *name, const char *const *known, size_t n);

#endif
