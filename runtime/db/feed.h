/* SPDX-License-Identifier: MIT */
/*
 * What each committed transaction has changed, read from the write-ahead log by logical decoding: a
 * thread with one replication connection of its own.
 *
 * The slot is temporary: it goes with its connection, so that no log is kept for a server that does
 * not come back.  What was missed while the connection was down is the receiver's to find out: it
 * is told when the feed has begun anew, and must then look at everything again.
 */
#ifndef PGS_DB_FEED_H
#define PGS_DB_FEED_H

#include "db/changes.h"

struct pgs_feed_config {
    const char *conninfo;              /* of a role with REPLICATION; lives as long as the feed */
    const char *publication;           /* constant */
    const struct pgs_watched *watched; /* ends with a NULL schema */
    /* On the feed's thread, as what follows.  Somebody looks at rows of that table. */
    bool (*wants_rows)(void *arg, unsigned watched);
    /* In the order of the commits; the reference becomes the receiver's. */
    void (*on_changes)(void *arg, struct pgs_changes *changes);
    /* True: from now on every commit is told.  False: the connection is lost. */
    void (*on_state)(void *arg, bool is_connected);
    void *arg;
};

struct pgs_feed;

/* Starts the thread; it connects, and connects again, by itself.  NULL: out of resources. */
struct pgs_feed *pgs_feed_open(const struct pgs_feed_config *config);

/* Ends the thread. */
void pgs_feed_close(struct pgs_feed *feed);

#endif
