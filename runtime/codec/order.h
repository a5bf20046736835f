/* SPDX-License-Identifier: MIT */
/*
 * Where a text stands among the texts of its type, in PostgreSQL's order: whole numbers, boolean,
 * enumerations, date, timestamps, uuid, text in the order of its bytes.
 */
#ifndef PGS_CODEC_ORDER_H
#define PGS_CODEC_ORDER_H

#include "pgs/types.h"

/* Heads are compared first, then tails by their bytes. */
struct pgs__order {
    uint64_t head;
    int head_bytes;       /* that a head of the type takes; 0: there is none */
    struct pgs_text tail; /* a part of the text */
    bool is_turned;       /* the lower tail stands behind; the head says so as well */
    bool is_open;         /* tails behind equal heads may be of any length */
};

/* False: the text is not of the type, or the type has no such order. */
bool pgs__order_read(const struct pgs_type *type, struct pgs_text text, struct pgs__order *out)
    __attribute__((warn_unused_result));

/* Less than, equal to or greater than 0. */
int pgs__order_compare_bytes(struct pgs_text a, struct pgs_text b);

#endif
