/* SPDX-License-Identifier: MIT */
/*
 * The rows that a subscriber has: their keys, where they stand, and a hash of what they hold, which
 * tells whether a row is another one without keeping it.
 */
#ifndef PGS_LIVE_HELD_H
#define PGS_LIVE_HELD_H

#include "base/buf.h"
#include "pgs/types.h"

struct pgs__held_row {
    struct pgs__held_row *next; /* of its bucket */
    void *mark;                 /* whoever works on the rows leaves something here */
    uint64_t key_hash;          /* of the key and `occurrence` */
    uint64_t text_hash;
    uint32_t place; /* in `rows`; of an ordered result where it was when it was put or numbered */
    uint32_t occurrence; /* of its key, from 0: where nothing tells rows apart */
    uint32_t n_numbered; /* of occurrence 0: those below are there, so the next one is not sought */
    uint32_t key_len;    /* JSON of the key */
    uint32_t sort_len;   /* live/sort.h; 0: rows stand in the order in which they were added */
    uint32_t totals_len; /* live/groups.h; 0: it is no group */
    char bytes[];        /* the key, where it stands, the totals */
};

struct pgs__held {
    struct pgs__held_row **rows;
    size_t n, room;
    struct pgs__held_row **buckets;
    size_t n_buckets; /* a power of two, or 0 */
    size_t bytes;     /* of memory */
};

void pgs__held_clear(struct pgs__held *held);

/* A hash that nobody outside can steer. */
uint64_t pgs__held_hash(struct pgs_text text);

/* A row that is nowhere yet; freed with free().  NULL: out of memory. */
struct pgs__held_row *pgs__held_row_new(struct pgs_text key, struct pgs_text sort,
                                        struct pgs_text totals, uint64_t text_hash);

static inline struct pgs_text
pgs__held_key(const struct pgs__held_row *row)
{
    return (struct pgs_text){row->bytes, row->key_len};
}

static inline struct pgs_text
pgs__held_sort(const struct pgs__held_row *row)
{
    return (struct pgs_text){row->bytes + row->key_len, row->sort_len};
}

static inline struct pgs_text
pgs__held_totals(const struct pgs__held_row *row)
{
    return (struct pgs_text){row->bytes + row->key_len + row->sort_len, row->totals_len};
}

/* NULL: there is none. */
struct pgs__held_row *pgs__held_find(const struct pgs__held *held, struct pgs_text key,
                                     uint32_t occurrence);

/* Adds a row: where it stands, or at the end.  False: out of memory, and it is nowhere. */
bool pgs__held_put(struct pgs__held *held, struct pgs__held_row *row)
    __attribute__((warn_unused_result));

/* Takes it out; the caller frees it. */
void pgs__held_take(struct pgs__held *held, struct pgs__held_row *row);

/* The row's place now. */
size_t pgs__held_place(const struct pgs__held *held, const struct pgs__held_row *row);

/* Writes `place` and clears `mark` of every row. */
void pgs__held_number(struct pgs__held *held);

#endif
