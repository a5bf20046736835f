/* SPDX-License-Identifier: MIT */
/*
 * From what is asked to the statements that are sent.  Nothing here does I/O: the unit tests look
 * at the SQL itself.  False: refused, nothing is to be sent.
 */
#ifndef PGS_REST_BUILD_H
#define PGS_REST_BUILD_H

#include "rest/request.h"

bool pgs__build_list(struct pgs_request *rq, const struct pgs_relation *relation);

/* `rows` has at least one. */
bool pgs__build_insert(struct pgs_request *rq, const struct pgs_relation *relation,
                       const struct pgs_shape *shape, const struct pgs_rows *rows);

/* `*changes`: whether there is a column to set; otherwise nothing is to be sent either. */
bool pgs__build_update(struct pgs_request *rq, const struct pgs_relation *relation,
                       const struct pgs_shape *shape, const void *row, bool *changes);

bool pgs__build_delete(struct pgs_request *rq, const struct pgs_relation *relation);

/* Before a call by GET. */
extern const char pgs__read_only_sql[];

bool pgs__build_call(struct pgs_request *rq, const struct pgs_call *call, const void *arguments);

#endif
