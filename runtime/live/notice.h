/* SPDX-License-Identifier: MIT */
/* What a message of pg_reactive says at its head; the rest of it is its clients'. */
#ifndef PGS_LIVE_NOTICE_H
#define PGS_LIVE_NOTICE_H

#include "db/reactive.h"

struct pgs__notice {
    char id[PGS_REACTIVE_ID_BYTES + 1];
    int64_t generation;
    bool is_renewal; /* the id stands for another subscription since: this generation */
    bool is_last;    /* the subscription has ended */
};

/* An id that a client may ask for: 1 to 57 bytes of UTF-8 without control characters. */
bool pgs__notice_is_id(struct pgs_text id) __attribute__((warn_unused_result));

/* As extension/src/message.c writes it.  False: it is something else, or of an id that nobody can
 * have asked for. */
bool pgs__notice_read(struct pgs_text message, struct pgs__notice *notice)
    __attribute__((warn_unused_result));

#endif
