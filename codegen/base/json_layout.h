/* SPDX-License-Identifier: MIT */
#ifndef JSON_LAYOUT_H
#define JSON_LAYOUT_H

#include "base/str.h"

/*
 * Adds `json`, written without blanks, on lines: what fits into `columns` stays on one, so that a
 * change of it is a change of that line.
 */
void json_layout(struct str *out, const char *json, size_t columns);

#endif
