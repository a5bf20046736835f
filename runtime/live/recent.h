/* SPDX-License-Identifier: MIT */
/*
 * The commits that a thread was told of, and which of them a result holds.
 *
 * A commit is in the log before it can be seen, so a query that is run because of it may not see it
 * yet; neither its time nor its place in the log tells.  What tells is the snapshot that the query
 * ran under (pg_current_snapshot, PostgreSQL's documentation, Transaction ID and Snapshot
 * Information Functions): a commit that is not visible in it is still to be applied.
 */
#ifndef PGS_LIVE_RECENT_H
#define PGS_LIVE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/changes.h"

#define PGS_RECENT_SIZE 8192      /* commits; a power of two */
#define PGS_RECENT_ROWS 1024      /* of which the last have their rows, while those are not above */
#define PGS_RECENT_BYTES 16777216 /* this */

struct pgs__commit {
    uint32_t xid;
    uint64_t lsn;
    int64_t heard_ms;
    struct pgs_changes *changes; /* NULL: let go, and any row of any table may be in it */
};

struct pgs__recent {
    uint64_t last;  /* number of the newest commit; they count from 1 */
    uint64_t floor; /* all up to this one can be seen by whoever looks from now on */
    uint64_t bare;  /* all up to this one have let go of their rows */
    uint64_t apart; /* all up to this one are of an earlier connection to the log */
    size_t bytes;   /* of the rows of the others */
    struct pgs__commit commits[PGS_RECENT_SIZE];
};

/* Adds a commit as number `last`; the reference becomes the list's.  What is old, or one of too
 * many, counts as visible: 32 bits of a transaction's number mean nothing for ever. */
void pgs__recent_add(struct pgs__recent *recent, struct pgs_changes *changes);

/* `to` remembers what `from` does, and nothing else. */
void pgs__recent_copy(struct pgs__recent *to, const struct pgs__recent *from);

/* Forgets all. */
void pgs__recent_clear(struct pgs__recent *recent);

/* Commit `number`, which is one of the last PGS_RECENT_SIZE. */
const struct pgs__commit *pgs__recent_at(const struct pgs__recent *recent, uint64_t number);

/* The first commit after `number` that is remembered. */
uint64_t pgs__recent_after(const struct pgs__recent *recent, uint64_t number);

/* A text of pg_current_snapshot(), "xmin:xmax:xip,xip". */
struct pgs__snapshot {
    uint64_t xmin, xmax;
    const char *xips; /* in the text */
    uint64_t lsn;     /* no commit that it sees is behind it; 0: not known */
};

/* `text` ends with what is no digit; `lsn` is a text of pg_lsn, or null. */
bool pgs__snapshot_read(const char *text, struct pgs_text lsn, struct pgs__snapshot *snapshot)
    __attribute__((warn_unused_result));

/* All that the snapshot sees stands in the log before the commit. */
bool pgs__snapshot_is_before(const struct pgs__snapshot *snapshot,
                             const struct pgs__commit *commit);

/* The transaction has ended as the snapshot sees it.  `xid` is widened by the snapshot's epoch. */
bool pgs__snapshot_sees(const struct pgs__snapshot *snapshot, uint32_t xid);

/* The snapshot of a result, until the log has told of all that it sees: what the result holds must
 * not be applied to it once more, or its client would be told of the past. */
struct pgs__seen {
    struct pgs__snapshot snapshot; /* xips are its own; NULL: there is none any more */
    int64_t since_ms;
    bool is_lost; /* it was let go before its time: what the log tells of may be held or not */
};

/* Without memory it is lost. */
void pgs__seen_keep(struct pgs__seen *seen, const struct pgs__snapshot *snapshot);
void pgs__seen_clear(struct pgs__seen *seen);

/* The result holds the commit, of which the log has just told. */
bool pgs__seen_holds(struct pgs__seen *seen, const struct pgs__commit *commit);

/* The log has told of all that the result holds, and pgs__seen_holds has been asked since. */
bool pgs__seen_is_over(const struct pgs__seen *seen);

/* Moves the floor: all up to `number` can be seen, or will never be. */
void pgs__recent_raise(struct pgs__recent *recent, uint64_t number);

/* The same, where the log is another one from now on: after a failover, places of the old one may
 * be ahead of those of the new one. */
void pgs__recent_part(struct pgs__recent *recent, uint64_t number);

/* The same by a snapshot that was taken before now. */
void pgs__recent_settle(struct pgs__recent *recent, const struct pgs__snapshot *snapshot);

/* The place in the log of commit `number`, or 0 where it is not remembered, or of another log. */
uint64_t pgs__recent_lsn(const struct pgs__recent *recent, uint64_t number);

/* The same where its place was remembered elsewhere. */
uint64_t pgs__recent_lsn_kept(const struct pgs__recent *recent, uint64_t number, uint64_t lsn);

#endif
