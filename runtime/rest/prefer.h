/* SPDX-License-Identifier: MIT */
/*
 * The headers that say what kind of answer a client wants: Prefer (RFC 7240) with PostgREST's
 * words, Range with rows as its unit, Accept.
 */
#ifndef PGS_REST_PREFER_H
#define PGS_REST_PREFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pgs_return {
    PGS_RETURN_DEFAULT, /* nothing for writes */
    PGS_RETURN_MINIMAL,
    PGS_RETURN_HEADERS_ONLY,
    PGS_RETURN_REPRESENTATION,
};

enum pgs_resolution {
    PGS_RESOLUTION_NONE,
    PGS_RESOLUTION_MERGE,  /* merge-duplicates */
    PGS_RESOLUTION_IGNORE, /* ignore-duplicates */
};

struct pgs_prefer {
    enum pgs_return returning;
    enum pgs_resolution resolution;
    bool count;           /* count=exact; planned and estimated are answered exactly */
    bool missing_default; /* missing=default */
    bool strict;          /* handling=strict */
    bool lsn;             /* the answer to a write names a place in the log */
    const char *unknown;  /* the first preference not understood, for strict; NULL: none */
    size_t unknown_len;
};

/* Adds one Prefer header's preferences to what is known; the first of each kind counts. */
void pgs_prefer_read(const char *header, size_t len, struct pgs_prefer *prefer);

/* `0-24` or `10-`, inclusive; `*last` is -1 where it is open, and may be below `*first`.  False:
 * not understood, ignored as RFC 9110 section 14.2 allows. */
bool pgs_range_read(const char *header, size_t len, int64_t *first, int64_t *last);

enum pgs_accept {
    PGS_ACCEPT_NONE, /* nothing that we can make */
    PGS_ACCEPT_JSON,
    PGS_ACCEPT_OBJECT, /* application/vnd.pgrst.object+json */
};

/* The first media type of an Accept header that we can make; an empty header is JSON. */
enum pgs_accept pgs_accept_read(const char *header, size_t len);

#endif
