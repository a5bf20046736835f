/* SPDX-License-Identifier: MIT */
/*
 * What PostgreSQL said of a subscriber: the values and sets that generated code compares rows with
 * (pgs/match.h), read as the subscriber under the snapshot of the result.
 */
#ifndef PGS_LIVE_FACTS_H
#define PGS_LIVE_FACTS_H

#include "db/pool.h"
#include "pgs/app.h"

#define PGS_FACTS_MAX_SETS 5 /* with the result and its snapshot, eight statements */
#define PGS_FACTS_MAX_BYTES 1048576

/* Adds the matcher's statements; `arguments` are those of the live query. */
void pgs__facts_ask(struct pgs_txn *txn, const struct pgs_matcher *matcher,
                    const struct pgs_text *arguments);

/*
 * Reads their answers, which begin at `statement`.  NULL: there is too much of them, or no memory,
 * and nothing can be matched.  Freed with free(); `*bytes` of memory.
 */
struct pgs_facts *pgs__facts_read(struct pgs_txn *txn, const struct pgs_matcher *matcher,
                                  int statement, size_t *bytes);

#endif
