/* SPDX-License-Identifier: MIT */
/*
 * Writes PostgreSQL's text results as JSON, as to_json() would.  The session has DateStyle ISO,
 * TimeZone UTC, bytea_output hex and IntervalStyle as by default.
 */
#ifndef PGS_CODEC_JSON_WRITE_H
#define PGS_CODEC_JSON_WRITE_H

#include "base/buf.h"
#include "pgs/types.h"

/* `"..."` with JSON's escapes; `bytes` is valid UTF-8. */
void pgs_json_string(struct pgs_buf *buf, const char *bytes, size_t len);

/*
 * One value in PostgreSQL's text form.  Numbers pass through (NaN and the infinities become
 * strings, as in PostgreSQL), booleans become true and false, timestamps get their `T` and a zone
 * as +00:00, json passes verbatim, arrays become JSON arrays.  `text` NULL writes null.
 */
void pgs_json_value(struct pgs_buf *buf, const struct pgs_type *type, const char *text, size_t len);

#endif
