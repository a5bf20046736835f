/* SPDX-License-Identifier: MIT */
/*
 * /ws/{query}: one query a socket, told in the frames of systems that push what a trigger has
 * computed.  A row that changes is one that goes and one that comes, and what a client cannot
 * follow it has to ask for again.
 */
#ifndef PGS_LIVE_SINGLE_H
#define PGS_LIVE_SINGLE_H

#include "live/delta.h"
#include "live/thread.h"

enum {
    PGS_SINGLE_REFUSAL_BYTES = 200, /* of session->refusal */
};

/* The first frame. */
void pgs__single_begin(struct pgs__session *session);

/* The whole result, as rows that come; `mark` of each row is a touch with its text. */
void pgs__single_snapshot(struct pgs__subscription *subscription, const struct pgs__held *held);

/* Nothing where the delta is empty. */
void pgs__single_delta(struct pgs__subscription *subscription, const struct pgs__delta *delta);

/* The query has ended, and its socket with it. */
void pgs__single_fail(struct pgs__session *session, const char *code, const char *message);

/* What comes next does not follow from what came: the socket ends. */
void pgs__single_renew(struct pgs__session *session);

#endif
