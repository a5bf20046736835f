/* SPDX-License-Identifier: MIT */
/*
 * What POST, PATCH and DELETE of a relation have in common: each is one statement, so it happens as
 * a whole or not at all, and what it has written may be shown.
 */
#ifndef PGS_REST_WRITTEN_H
#define PGS_REST_WRITTEN_H

#include "rest/columns.h"

/* What is known of its writes, before one is sent. */
void pgs__prepare_write(struct pgs_request *rq, const struct pgs_relation *relation);

/* Stands before the insert, update or delete. */
void pgs__begin_write(struct pgs_request *rq, struct pgs_sql *sql);

/* Stands behind it: what it returns, in the order asked for, if the write may be at all. */
bool pgs__end_write(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source);

/* Answers for a statement between the two. */
void pgs__respond_written(struct pgs_request *rq, struct pgs_txn *txn);

/* The same where there is nothing to write: no rows. */
void pgs__respond_unwritten(struct pgs_request *rq);

#endif
