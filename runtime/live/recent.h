/* SPDX-License-Identifier: MIT */
/*
 * The commits that a thread was told of, and which of them a result holds.
 *
 * A commit is in the log before it can be seen, so a query that is run because of it may not see it
 * yet; neither its time nor its place in the log tells.  What tells is the snapshot that the query
 * ran under (pg_current_snapshot, PostgreSQL's documentation, Transaction ID and Snapshot
 * Information Functions): a commit that is not visible in it is asked for again.
 */
#ifndef PGS_LIVE_RECENT_H
#define PGS_LIVE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PGS_RECENT_SIZE 8192 /* a power of two */

/* Of watched tables: bit i % 64 for table i, so that two may share one. */
typedef uint64_t pgs_watched_set;

static inline pgs_watched_set
pgs_watched_bit(unsigned table)
{
    return (pgs_watched_set)1 << (table % 64);
}

struct pgs__commit {
    uint32_t xid;
    uint64_t lsn;
    pgs_watched_set tables;
};

struct pgs__recent {
    uint64_t last;  /* number of the newest commit; they count from 1 */
    uint64_t floor; /* all up to this one can be seen by whoever looks from now on */
    struct pgs__commit commits[PGS_RECENT_SIZE];
};

/* Adds a commit as number `last`.  Where there are too many, the oldest counts as visible. */
void pgs__recent_add(struct pgs__recent *recent, const struct pgs__commit *commit);

/* A text of pg_current_snapshot(), "xmin:xmax:xip,xip". */
struct pgs__snapshot {
    uint64_t xmin, xmax;
    const char *xips; /* in the text */
};

bool pgs__snapshot_read(const char *text, struct pgs__snapshot *snapshot)
    __attribute__((warn_unused_result));

/* The transaction has ended as the snapshot sees it.  `xid` is widened by the snapshot's epoch. */
bool pgs__snapshot_sees(const struct pgs__snapshot *snapshot, uint32_t xid);

/*
 * Number of the last commit up to which a result under `snapshot` holds everything about `tables`,
 * given that it is no older than one that held all up to `from`.
 */
uint64_t pgs__recent_seen(const struct pgs__recent *recent, const struct pgs__snapshot *snapshot,
                          pgs_watched_set tables, uint64_t from);

/* Moves the floor.  The snapshot was taken before now. */
void pgs__recent_settle(struct pgs__recent *recent, const struct pgs__snapshot *snapshot);

/* The place in the log of commit `number`, or 0 where it is not remembered. */
uint64_t pgs__recent_lsn(const struct pgs__recent *recent, uint64_t number);

#endif
