/* SPDX-License-Identifier: MIT */
/*
 * Reads a JSON body into generated structs, by their shape (yajl underneath).
 *
 * Refused, with the field named: unknown and duplicate keys, a missing required field, a value of
 * another type than the column's, text longer than varchar(n), a label that the enumeration does
 * not have, U+0000, invalid UTF-8, nesting beyond the limit.  Numbers are kept as text until their
 * column's type is known, so none is rounded.  json and jsonb columns take any value, verbatim.
 */
#ifndef PGS_CODEC_JSON_READ_H
#define PGS_CODEC_JSON_READ_H

#include "pgs/types.h"

/* The first thing that was wrong. */
struct pgs_read_error {
    char field[64 * 4]; /* the name of the field, possibly cut; "" where it is about the body */
    size_t row;         /* of an array body, from 0 */
    char message[512];  /* a sentence without the field's name: "expected an integer, got ..." */
    char details[256];  /* what was expected and where; "": nothing to add */
    const char *code;   /* PostgREST's or PostgreSQL's: "PGRST102", "22P02", "22001", ... */
};

/* Where memory comes from: the request's pool, or the heap in tests. */
struct pgs_memory {
    void *(*alloc)(void *pool, size_t size); /* never returns NULL */
    void *pool;
};

/*
 * Reads `json` (one object, or an array of objects when `rows_max` > 1) into an array of structs in
 * `memory`.  Texts without escapes and json values point into `json`, which must live as long as
 * the rows.  The rows take up to `rows_max` structs, whatever the length of `json`.  On false,
 * `error` says why and `*rows` is not to be used.  More than `rows_max` objects: "PGRST102".
 */
bool pgs_json_read(const struct pgs_shape *shape, const char *json, size_t len, size_t rows_max,
                   struct pgs_memory memory, void **rows, size_t *n_rows, bool *was_array,
                   struct pgs_read_error *error) __attribute__((warn_unused_result));

/*
 * Reads one text value, as of a query string, into the member of `field` in `row`, with the same
 * checks.  An array is given as PostgreSQL's literal, "{1,2}".
 */
bool pgs_text_read(const struct pgs_field *field, size_t index, const char *text, size_t len,
                   struct pgs_memory memory, void *row, struct pgs_read_error *error)
    __attribute__((warn_unused_result));

#endif
