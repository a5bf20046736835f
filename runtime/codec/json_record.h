/* SPDX-License-Identifier: MIT */
/* JSON objects to literals of composites, and arrays of them. */
#ifndef PGS_CODEC_JSON_RECORD_H
#define PGS_CODEC_JSON_RECORD_H

#include "codec/json_read.h"

/*
 * `json` is one object, or one array where the type is an array, and was parsed before.  `literal`
 * is in `memory`.  False: the error has code and message.
 */
bool pgs__json_record(const struct pgs_type *type, struct pgs_text json, struct pgs_memory memory,
                      struct pgs_text *literal, struct pgs_read_error *error)
    __attribute__((warn_unused_result));

#endif
