/* SPDX-License-Identifier: MIT */
/*
 * A JSON array to the literal of a PostgreSQL array, item by item as the events pass; and which
 * JSON a type takes at all.
 */
#ifndef PGS_CODEC_JSON_ARRAY_H
#define PGS_CODEC_JSON_ARRAY_H

#include "base/buf.h"
#include "codec/array.h"
#include "codec/json.h"
#include "codec/json_read.h"

/* The type is json or jsonb: its values are any JSON, verbatim. */
bool pgs__is_json(const struct pgs_type *type);

/* A string may stand for any type, since all have a text form; nothing else stands for a text. */
bool pgs__json_may_be(enum pgs_kind kind, enum pgs__json_token token);

/* "expected an integer, got a string"; false. */
bool pgs__json_mismatch(const struct pgs_type *type, enum pgs__json_token token,
                        struct pgs_read_error *error);

bool pgs__json_opens(enum pgs__json_token token);
bool pgs__json_closes(enum pgs__json_token token);

struct pgs__json_array {
    struct pgs_buf literal; /* the caller's to init and to clear; kept from array to array */

    /* private */
    const struct pgs_type *type;
    struct pgs_memory memory;
    struct pgs_read_error *error;
    struct pgs__array_shape shape;
    const char *item_start; /* of a container inside an array of json */
};

void pgs__json_array_open(struct pgs__json_array *array, const struct pgs_type *type,
                          struct pgs_memory memory, struct pgs_read_error *error);

/* An event inside the array; `depth` is 1 for its own items.  False: `error` says why. */
bool pgs__json_array_event(struct pgs__json_array *array, const struct pgs__json_event *event,
                           int depth) __attribute__((warn_unused_result));

/* The literal, in memory. */
bool pgs__json_array_close(struct pgs__json_array *array, struct pgs_text *literal)
    __attribute__((warn_unused_result));

#endif
