/* SPDX-License-Identifier: MIT */
/*
 * Rows to an answer: JSON, status, Content-Range, Preference-Applied.
 */
#ifndef PGS_REST_RESPOND_H
#define PGS_REST_RESPOND_H

#include "rest/request.h"

/* A page of rows of `total`, -1 where they were not counted: 200, 206, 416. */
void pgs__respond_page(struct pgs_request *rq, struct pgs_txn *txn, int64_t total);

/* The rows of a write or a call. */
void pgs__respond_rows(struct pgs_request *rq, struct pgs_txn *txn, int status);

/* What pgs__respond_rows answers where there are none, without a transaction. */
void pgs__respond_no_rows(struct pgs_request *rq, int status);

/* A status without a body. */
void pgs__respond_empty(struct pgs_request *rq, int status);

/* A single object is not asked for, or `rows` are one; false: 406 was answered. */
bool pgs__fits_single(struct pgs_request *rq, int64_t rows);

/* `0-9/10`; `*` stands for no rows, and for a total of -1, which was not counted. */
void pgs__add_content_range(struct pgs_request *rq, int64_t first, int64_t rows, int64_t total);

/* The answer itself: `body` is taken. */
void pgs__reply_json(struct pgs_request *rq, int status, struct pgs_buf *body);

#endif
