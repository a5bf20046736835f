/* SPDX-License-Identifier: MIT */
/* JSON as text: what the command line and the editor's server write. */
#ifndef JSON_H
#define JSON_H

#include "base/str.h"

/* A string in its quotes; bytes that are not UTF-8 must have been refused before. */
void json_string(struct str *out, const char *text);

/* `"name":`, after a comma unless it is the first of its object. */
void json_key(struct str *out, const char *name);

/* The same and a value. */
void json_key_string(struct str *out, const char *name, const char *text);
void json_key_number(struct str *out, const char *name, size_t number);

/* A comma, unless an object, array or key has just begun. */
void json_comma(struct str *out);

#endif
