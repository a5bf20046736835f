/* SPDX-License-Identifier: MIT */
/*
 * JSON as a row of events, for the readers of bodies and tokens: the only file that knows yajl.
 *
 * yajl alone takes too much: it has no bound on depth, lets U+0000 and lone surrogates through as
 * escapes, and accepts overlong UTF-8.  All of these are refused here, before the event.
 */
#ifndef PGS_CODEC_JSON_H
#define PGS_CODEC_JSON_H

#include "pgs/types.h"

#define PGS_JSON_MAX_DEPTH 64

enum pgs__json_token {
    PGS_JSON_NULL,
    PGS_JSON_FALSE,
    PGS_JSON_TRUE,
    PGS_JSON_NUMBER,
    PGS_JSON_STRING,
    PGS_JSON_KEY,
    PGS_JSON_OPEN_OBJECT,
    PGS_JSON_CLOSE_OBJECT,
    PGS_JSON_OPEN_ARRAY,
    PGS_JSON_CLOSE_ARRAY,
};

struct pgs__json_event {
    enum pgs__json_token token;
    struct pgs_text text; /* of KEY, STRING (unescaped) and NUMBER; only during the call */
    struct pgs_text raw;  /* the token as it was written, in the input */
    int depth;            /* containers around it; a CLOSE has that of its OPEN */
};

/* False stops the reading: the owner has kept its reason. */
typedef bool pgs__json_on_event(void *owner, const struct pgs__json_event *event);

/* Why it is no JSON that we take. */
struct pgs__json_fault {
    bool by_owner;    /* the owner stopped it; the rest is empty */
    const char *code; /* "PGRST102", or PostgreSQL's for text that it cannot hold */
    const char *message;
    char place[160]; /* "line 1, column 5: ..." */
};

/* Reads one JSON value that fills all of the input. */
bool pgs__json_parse(const char *json, size_t len, pgs__json_on_event *on_event, void *owner,
                     struct pgs__json_fault *fault) __attribute__((warn_unused_result));

/* "a string", "an object", ...: what an event brings, for messages. */
const char *pgs__json_token_name(enum pgs__json_token token);

#endif
