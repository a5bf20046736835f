/* SPDX-License-Identifier: MIT */
/*
 * Everything that a generated handler may call.
 *
 * A function that returns bool has sent the answer when it returns false: the handler returns.
 * Each pgs_run_* takes the request over: the handler returns and never touches it again.
 * What is read from a request lives as long as the request.
 */
#ifndef PGS_HANDLER_H
#define PGS_HANDLER_H

#include "pgs/abi.h"
#include "pgs/app.h"

/* Rows of a body: an array of the generated struct, in request memory. */
struct pgs_rows {
    void *at;
    size_t n;
    bool was_array; /* the body was an array, not a single object */
};

/* Reads the body, one object or an array, into structs of `shape`; 400 names what is wrong. */
bool pgs_read_rows(struct pgs_request *rq, const struct pgs_shape *shape, struct pgs_rows *rows);

/* Reads one object. */
bool pgs_read_row(struct pgs_request *rq, const struct pgs_shape *shape, void *row);

/* Reads arguments: from the query string for GET, from the body for POST. */
bool pgs_read_arguments(struct pgs_request *rq, const struct pgs_call *call, void *arguments);

/* Answers with the rows that the query string asks for. */
void pgs_run_list(struct pgs_request *rq, const struct pgs_relation *relation);

/* Inserts rows read with `shape`; all or none. */
void pgs_run_insert(struct pgs_request *rq, const struct pgs_relation *relation,
                    const struct pgs_shape *shape, const struct pgs_rows *rows);

/* Sets the columns present in `row` wherever the filters hold. */
void pgs_run_update(struct pgs_request *rq, const struct pgs_relation *relation,
                    const struct pgs_shape *shape, const void *row);

/* Deletes wherever the filters hold. */
void pgs_run_delete(struct pgs_request *rq, const struct pgs_relation *relation);

/* Calls a declared query with the arguments read. */
void pgs_run_call(struct pgs_request *rq, const struct pgs_call *call, const void *arguments);

#endif
