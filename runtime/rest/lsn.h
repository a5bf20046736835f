/* SPDX-License-Identifier: MIT */
/* The answer to a write says up to where the log has it: where a live query may tell of it, and for
 * `Prefer: lsn`. */
#ifndef PGS_REST_LSN_H
#define PGS_REST_LSN_H

#include "rest/request.h"

/* Asked in a transaction of its own once the write is committed, so that its commit is before it.
 */
#define PGS_LSN_SQL "select pg_current_wal_insert_lsn()::text"

/*
 * True: the answer, with `body` or without where it is NULL, is kept and sent with the header
 * Pgstack-Lsn as soon as that is known.  False: nobody wants it, and nothing is taken.
 */
bool pgs__lsn_first(struct pgs_request *rq, int status, struct pgs_buf *body)
    __attribute__((warn_unused_result));

/* The request ends before its answer. */
void pgs__lsn_forsake(struct pgs_request *rq);

#endif
