/* SPDX-License-Identifier: MIT */
/*
 * Values as the texts that PostgreSQL reads.
 */
#ifndef PGS_CODEC_LITERAL_H
#define PGS_CODEC_LITERAL_H

#include "codec/json_read.h"
#include "pgs/types.h"

/* An array literal of `n` texts, `{"a","b"}`; a NULL `at` becomes NULL. */
struct pgs_text pgs__array_literal(struct pgs_memory memory, const struct pgs_text *items,
                                   size_t n);

/* Room for every member that is not a text itself: numbers, uuids. */
#define PGS_FIELD_ROOM 40

/* A member of a generated struct as text, where needed in `room`; at NULL when it is null or
 * absent. */
struct pgs_text pgs__field_text(const struct pgs_shape *shape, size_t index, const void *row,
                                char room[PGS_FIELD_ROOM]);

/* The same member of `n` structs as an array literal. */
struct pgs_text pgs__field_array(struct pgs_memory memory, const struct pgs_shape *shape,
                                 size_t index, const void *rows, size_t n);

#endif
