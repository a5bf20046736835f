/* SPDX-License-Identifier: MIT */
/*
 * The words of generated/access.txt: names and conditions on one line each, so that no name and no
 * comment in a schema can look like a fact of another kind, or hide one.
 */
#ifndef ACCESS_TEXT_H
#define ACCESS_TEXT_H

#include "model/model.h"

/* A name as it stands; in double quotes when it is more than small letters, digits and `_`. */
const char *access_name(const char *name);

/* Names joined with ", ". */
const char *access_names(const char *const *names, size_t n);

/* On one line, with `\x0a` and `\u202e` for what does not show or turns the line around. */
const char *access_visible(const char *text);

/* On one line, without comments, which could make it look like another text. */
const char *access_source(struct span span);

/* The same of all that stands from there to the end of the declaration. */
const char *access_statement(struct span span);

/* The condition as the source has it, without comments; "every row" of `using (public)`. */
const char *access_condition(const struct expr *expr);

/* Raw SQL is in it: only PostgreSQL has read that. */
bool access_is_unchecked(const struct expr *expr);

/* Twelve digits that change when the text does. */
const char *access_digest(const char *text);

#endif
