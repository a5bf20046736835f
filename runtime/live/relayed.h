/* SPDX-License-Identifier: MIT */
/*
 * /ws/{id}: sockets that follow a subscription of pg_reactive.  Its messages go to them as they
 * come, where they are of the generation that the socket was let in for.
 */
#ifndef PGS_LIVE_RELAYED_H
#define PGS_LIVE_RELAYED_H

#include "live/relay.h"
#include "live/thread.h"

/* Only where config.relay is there. */
void pgs__relayed_open(struct pgs_live_thread *thread);
void pgs__relayed_close(struct pgs_live_thread *thread);

/* Whether a caller with these claims may follow; pgs__socket_judge gets the answer.  NULL: it
 * cannot be asked now. */
struct pgs__question *pgs__relayed_ask(struct pgs_live_thread *thread, struct pgs_text id,
                                       struct pgs_text claims, void *owner);

/* From now on its client is told; the first frame says so. */
void pgs__relayed_follow(struct pgs__session *session, const char *id, int64_t generation);

/* What pgs__relayed_follow has begun. */
void pgs__relayed_leave(struct pgs__session *session);

#endif
