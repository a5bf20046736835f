/* SPDX-License-Identifier: MIT */
/*
 * What the rows of a result have from other tables (pgs_match_rows.joins), by the columns that lead
 * there; and which values of those columns lead nowhere, so that no row with them is in the result.
 * Both hold until one of the other tables is written to; then the result is asked for again.
 *
 * An answer does not say what leads nowhere.  Rows show it that its snapshot sees and that it does
 * not have.  But the log may be about to tell that the snapshot sees such a row differently, or
 * another write to those tables: so it counts when the log has told of all that the snapshot sees.
 */
#ifndef PGS_LIVE_JOINED_H
#define PGS_LIVE_JOINED_H

#include "db/pool.h"
#include "live/apply.h"

struct pgs__joined;

/* Of the rows of an answer.  `before` is that of the answer before it, or NULL: it is freed, and
 * what it knew to lead nowhere is taken over.  NULL: nothing is joined, or no memory, and nothing
 * is known. */
struct pgs__joined *pgs__joined_read(const struct pgs__rows *rows, struct pgs_txn *txn,
                                     int statement, struct pgs__joined *before);
void pgs__joined_free(struct pgs__joined *joined); /* or NULL */

/* Of memory. */
size_t pgs__joined_bytes(const struct pgs__joined *joined);

enum pgs__leads {
    PGS__LEADS_UNKNOWN, /* it must be asked for */
    PGS__LEADS_NOWHERE,
    PGS__LEADS_ON,
};

/* Of PGS__LEADS_ON sets those of `outputs` that are joined to `row`, as texts of `joined`. */
enum pgs__leads pgs__joined_find(const struct pgs__joined *joined,
                                 const struct pgs_match_rows *match, const struct pgs_text *row,
                                 struct pgs_text *outputs);

/* ---- what leads nowhere; `joined` may be NULL ---- */

/* The snapshot sees `row`, whose key that is, and the answer does not have it, though nothing else
 * keeps it out. */
void pgs__joined_miss(struct pgs__joined *joined, const struct pgs_match_rows *match,
                      struct pgs_text key, const struct pgs_text *row);

/* The snapshot sees something else of the row with that key; at NULL: perhaps of any row. */
void pgs__joined_doubt(struct pgs__joined *joined, struct pgs_text key);

/* The snapshot sees another write to the other tables than the answer before. */
void pgs__joined_forget(struct pgs__joined *joined);

/* The log has told of all that the snapshot sees. */
void pgs__joined_settle(struct pgs__joined *joined);

#endif
