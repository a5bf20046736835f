/* SPDX-License-Identifier: MIT */
/*
 * Rows to an answer: JSON, status, Content-Range, Preference-Applied.
 */
#ifndef PGS_REST_RESPOND_H
#define PGS_REST_RESPOND_H

#include "rest/request.h"

/* A page of rows (statement 0) and, with count=exact, their number (statement 1): 200, 206, 416. */
void pgs__respond_list(struct pgs_request *rq, struct pgs_txn *txn);

/* The rows that a write returns. */
void pgs__respond_rows(struct pgs_request *rq, struct pgs_txn *txn, int status);

/* Preference-Applied, for what was asked and done. */
void pgs__add_preferences(struct pgs_request *rq);

/* `*` and `/total`, or `*` where it was not counted; `total` -1: not counted. */
void pgs__add_content_range(struct pgs_request *rq, int64_t first, int64_t rows, int64_t total);

/* Writes rows as a JSON array, or as one object when rq->single. */
void pgs__write_rows(struct pgs_request *rq, struct pgs_txn *txn, struct pgs_buf *body);

#endif
