/* SPDX-License-Identifier: MIT */
/*
 * What each committed transaction has changed: a thread with a connection of its own.  It reads the
 * write-ahead log by logical decoding (feed_log.c); where PostgreSQL has no logical log, what
 * triggers have written into an outbox (feed_outbox.c), if the application was built with one.
 *
 * Changes cost writers something, so they are followed while they are wanted, and not else: the
 * slot is there from the first who wants them until the last has gone, and triggers write no longer
 * than that.  Whether they can be followed is looked at beforehand, until it is so.
 *
 * Nothing is kept for a server that does not come back: the slot is temporary.  What was missed
 * while nothing was followed is the receiver's to find out: it is told when the feed has begun
 * anew, and must then look at everything again.
 */
#ifndef PGS_DB_FEED_H
#define PGS_DB_FEED_H

#include "db/changes.h"

struct pgs_feed_config {
    const char *conninfo;              /* of pgstack_replicator; lives as long as the feed */
    const char *publication;           /* constant */
    const struct pgs_watched *watched; /* ends with a NULL schema */
    bool has_outbox;                   /* the database has one */
    int poll_ms;                       /* how often the outbox is read */
    /* On the feed's thread, as what follows.  Somebody wants to be told, or may again soon. */
    bool (*wants_changes)(void *arg);
    /* Changes can be followed, and nobody wants it.  False: somebody does by now.  True: whoever
     * does from now on waits for on_state. */
    bool (*on_rest)(void *arg);
    /* Somebody looks at rows of that table. */
    bool (*wants_rows)(void *arg, unsigned watched);
    /* Who may see rows of other tables is decided by that table. */
    bool (*decides)(void *arg, unsigned watched);
    /* In an order in which they may have been committed; the reference becomes the receiver's. */
    void (*on_changes)(void *arg, struct pgs_changes *changes);
    /* Nothing more has come for now. */
    void (*on_pause)(void *arg);
    /* True: from now on every commit is told.  False: they cannot be followed for now.  At first
     * they cannot. */
    void (*on_state)(void *arg, bool is_connected);
    /* PostgreSQL has neither; it is tried again all the same. */
    void (*on_impossible)(void *arg);
    void *arg;
};

struct pgs_feed;

/* Starts the thread; it connects, and connects again, by itself.  NULL: out of resources. */
struct pgs_feed *pgs_feed_open(const struct pgs_feed_config *config);

/* What config.wants_changes says may be another.  On any thread. */
void pgs_feed_wake(struct pgs_feed *feed);

/* Ends the thread. */
void pgs_feed_close(struct pgs_feed *feed);

#endif
