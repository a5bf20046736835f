/* SPDX-License-Identifier: MIT */
/* What a client of /live/v1 says: one JSON object a message. */
#ifndef PGS_LIVE_MESSAGE_H
#define PGS_LIVE_MESSAGE_H

#include "codec/json_read.h"
#include "live/sent.h"

struct pgs__message {
    struct pgs_text type, id, query, token; /* at NULL: not given */
    struct pgs_text params;                 /* the object as it was written; at NULL: none */
    struct pgs__mark resume;
};

/*
 * `type` is what a message is that does not say so; NULL: it must.  Texts are in `json` or in
 * `memory`.  Members that are not known are passed over, so that later clients may say more. False:
 * `*why` is a constant sentence.
 */
bool pgs__message_read(const char *type, const char *json, size_t len, struct pgs_memory memory,
                       struct pgs__message *message, const char **why)
    __attribute__((warn_unused_result));

#endif
