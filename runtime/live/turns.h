/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is to be asked for.
 *
 * Sessions stand in line and are served one after the other, each with one of its subscriptions, so
 * that who has many does not keep waiting who has few.  Queries that have been slow of late have a
 * line of their own, as they have a connection: what is quick never waits for them.
 */
#ifndef PGS_LIVE_TURNS_H
#define PGS_LIVE_TURNS_H

#include <h2o.h>
#include <stdbool.h>

struct pgs__session;
struct pgs__subscription;
struct pgs_live_thread;
struct pgs_txn;

enum pgs__line {
    PGS__LINE_QUICK,
    PGS__LINE_SLOW,
    PGS__LINES,
};

enum {
    PGS_LIVE_MAX_ASKED = 32, /* quick ones at a time, of a thread; slow ones as live.h has it */
    PGS_LIVE_MAX_SESSION_ASKED = 8, /* both, of a session */
};

/* Private to turns.c: */

struct pgs__turns {
    struct {
        h2o_linklist_t places; /* of sessions that have something due and may ask */
        int n_asked, max;
    } lines[PGS__LINES];
    h2o_linklist_t waiting; /* subscriptions, not before their time */
};

struct pgs__places {
    struct pgs__place {
        h2o_linklist_t link; /* in the line */
        h2o_linklist_t due;  /* subscriptions */
    } in[PGS__LINES];
    h2o_linklist_t askings;
    int n_asked;
};

/* One transaction of PostgreSQL's.  It may outlive whom it was for, and counts as long as it runs.
 */
struct pgs__asking {
    h2o_linklist_t link; /* of the session */
    struct pgs_live_thread *thread;
    struct pgs__session *session;           /* NULL: it has gone */
    struct pgs__subscription *subscription; /* the same */
    struct pgs_txn *txn;
    enum pgs__line line;
};

void pgs__turns_init(struct pgs__turns *turns);
void pgs__places_init(struct pgs__places *places);

/* The session ends: what is asked for goes on without it. */
void pgs__places_leave(struct pgs__places *places);

/* It is to be asked for as soon as may be; or not before `ms` from now; or not at all. */
void pgs__turn_now(struct pgs__subscription *subscription);
void pgs__turn_later(struct pgs__subscription *subscription, int64_t ms);
void pgs__turn_drop(struct pgs__subscription *subscription);

/* Those that have waited long enough are due. */
void pgs__turns_tick(struct pgs_live_thread *thread);

/* Takes it out of the line; NULL: nobody may be asked for now. */
struct pgs__subscription *pgs__turns_next(struct pgs_live_thread *thread);

/* Another one may be asked for in that line. */
bool pgs__turns_have_room(const struct pgs_live_thread *thread, enum pgs__line line)
    __attribute__((warn_unused_result));

/* What is asked for the subscription is this now.  NULL: no memory. */
struct pgs__asking *pgs__asking_begin(struct pgs__subscription *subscription, struct pgs_txn *txn);

/* It was answered, or never will be.  Whom it was for; NULL: it has gone. */
struct pgs__subscription *pgs__asking_end(struct pgs__asking *asking);

/* Nobody waits for what the subscription is asked for, if it is. */
void pgs__asking_forsake(struct pgs__subscription *subscription);

#endif
